/*
 * Bit arithmetic. Power and z/Architecture manuals number bits from the most significant one;
 * the functions with "_be" in their name take those numbers.
 */
#ifndef ANYKVM_UTIL_BITS_H
#define ANYKVM_UTIL_BITS_H

#include <stdbool.h>
#include <stdint.h>

#define BIT64(n) (UINT64_C(1) << (n))

/* Bit n of a 64-bit register in the manuals' numbering (0 is the most significant). */
#define BIT64_BE(n) (UINT64_C(1) << (63 - (n)))

/* Ones in bits first..last (manuals' numbering, first <= last) of a 64-bit register. */
static inline uint64_t mask64_be(unsigned first, unsigned last)
{
	return (~UINT64_C(0) >> first) & (~UINT64_C(0) << (63 - last));
}

/* Field first..last (manuals' numbering) of a 64-bit value, right-justified. */
static inline uint64_t field64_be(uint64_t v, unsigned first, unsigned last)
{
	return (v >> (63 - last)) & (~UINT64_C(0) >> (63 - (last - first)));
}

static inline uint64_t rotl64(uint64_t v, unsigned n)
{
	return (v << (n & 63)) | (v >> (-n & 63));
}

static inline uint32_t rotl32(uint32_t v, unsigned n)
{
	return (v << (n & 31)) | (v >> (-n & 31));
}

/* Sign-extend the low `bits` bits of v (1 <= bits <= 64). */
static inline int64_t sext64(uint64_t v, unsigned bits)
{
	unsigned shift = 64 - bits;

	return (int64_t)(v << shift) >> shift;
}

static inline uint64_t align_down(uint64_t v, uint64_t size)
{
	return v & ~(size - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t size)
{
	return (v + size - 1) & ~(size - 1);
}

static inline bool is_pow2(uint64_t v)
{
	return v && !(v & (v - 1));
}

#endif
