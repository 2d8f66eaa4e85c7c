/* Messages to the user. */
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"

void complain(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "anykvm: %s\n", text);
}
