/* Hosts that have no back end have no code to print. */
#include "jit/trace.h"

void jit_print_hot(FILE *out, const struct jit_code *c)
{
	(void)out;
	(void)c;
}

void jit_print_cold(FILE *out, const struct jit_code *c)
{
	(void)out;
	(void)c;
}
