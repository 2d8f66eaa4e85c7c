/*
 * An error for a person: one sentence that says what went wrong and what to do about it,
 * filled in where the error is found and printed by the command. The code that goes with it is a
 * negative errno, as everywhere.
 */
#ifndef ANYKVM_UTIL_ERROR_H
#define ANYKVM_UTIL_ERROR_H

#include <stdarg.h>
#include <stdio.h>
#include "util/compiler.h"

struct error {
	char text[512];
};

/* Fills in the sentence and returns `code`. `e` may be NULL. */
static inline int PRINTF_LIKE(3, 4) error_set(struct error *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

#endif
