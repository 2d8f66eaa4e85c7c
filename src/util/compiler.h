/*
 * Small things the compiler gives that every folder uses.
 */
#ifndef ANYKVM_UTIL_COMPILER_H
#define ANYKVM_UTIL_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#define LIKELY(x)       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)     __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Layouts fixed by an ABI or used by generated code are asserted where they are defined. */
#define ASSERT_OFFSET(type, field, off) \
	_Static_assert(offsetof(type, field) == (off), #type "." #field " moved")
#define ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " changed size")

#endif
