/*
 * `anykvm stat PID --mappings`: second-stage page tables, one line a range.
 */
#ifndef ANYKVM_CLI_STAT_MAPPINGS_H
#define ANYKVM_CLI_STAT_MAPPINGS_H

#include <stdbool.h>
#include <sys/types.h>

/* Of the machine and its nested guests, or of one nested guest (lpid >= 0). As stat_ask. */
int stat_mappings(pid_t pid, long lpid, bool json);

#endif
