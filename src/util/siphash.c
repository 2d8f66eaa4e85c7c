/*
 * SipHash-2-4 with 128 bits of result (Aumasson, Bernstein: SipHash: a fast short-input PRF).
 */
#include "util/siphash.h"

#include <string.h>

static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap64(v);
}

static uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void rounds(uint64_t v[4], unsigned n)
{
	while (n--) {
		v[0] += v[1];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[0] = rotl(v[0], 32);
		v[2] += v[3];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[2] = rotl(v[2], 32);
	}
}

static void word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
}

struct siphash siphash(const struct siphash *key, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t v[4] = {
		UINT64_C(0x736f6d6570736575) ^ key->word[0],
		UINT64_C(0x646f72616e646f6d) ^ key->word[1] ^ 0xee,
		UINT64_C(0x6c7967656e657261) ^ key->word[0],
		UINT64_C(0x7465646279746573) ^ key->word[1],
	};
	struct siphash h;
	size_t at;

	for (at = 0; at + 8 <= size; at += 8)
		word(v, load(p + at, 8));
	word(v, load(p + at, size - at) | (uint64_t)size << 56);
	v[2] ^= 0xee;
	rounds(v, 4);
	h.word[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xdd;
	rounds(v, 4);
	h.word[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
	return h;
}
