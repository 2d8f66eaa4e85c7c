/*
 * A keyed hash: of whoever does not know the key nobody finds two inputs of the same value, so that equal
 * values stand for equal inputs.
 */
#ifndef ANYKVM_UTIL_SIPHASH_H
#define ANYKVM_UTIL_SIPHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct siphash {
	uint64_t word[2];
};

struct siphash siphash(const struct siphash *key, const void *data, size_t size);

static inline bool siphash_same(const struct siphash *a, const struct siphash *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

#endif
