/* Hosts that have no back end have no code to print. */
#include "jit/trace.h"

void jit_print_host(FILE *out, const uint8_t *code, size_t size, uint64_t address)
{
	(void)out;
	(void)code;
	(void)size;
	(void)address;
}
