/* What instructions compiled code has. */
#ifndef ANYKVM_TESTS_HOST_CODE_H
#define ANYKVM_TESTS_HOST_CODE_H

#include "jit/jit.h"

/*
 * An instruction of c that no host of this level (jit_limit) need have, as text; NULL: there is none. What can be reached from
 * the entry by direct jumps is looked at. Hosts that there is no disassembler for: NULL.
 */
const char *host_code_beyond(const struct jit_code *c, unsigned level);

#endif
