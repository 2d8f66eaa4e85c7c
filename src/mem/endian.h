/*
 * Loads and stores of a stated byte order at any alignment. `p` is host memory; these say
 * nothing of guest permissions. Structures shared with guests are read field by field with them.
 */
#ifndef ANYKVM_MEM_ENDIAN_H
#define ANYKVM_MEM_ENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define DEFINE_ENDIAN_ACCESS(bits)                                                               \
	static inline uint##bits##_t ld_be##bits(const void *p)                                  \
	{                                                                                        \
		uint##bits##_t v;                                                                \
		memcpy(&v, p, sizeof(v));                                                        \
		return be##bits##toh(v);                                                         \
	}                                                                                        \
	static inline uint##bits##_t ld_le##bits(const void *p)                                  \
	{                                                                                        \
		uint##bits##_t v;                                                                \
		memcpy(&v, p, sizeof(v));                                                        \
		return le##bits##toh(v);                                                         \
	}                                                                                        \
	static inline void st_be##bits(void *p, uint##bits##_t v)                                \
	{                                                                                        \
		v = htobe##bits(v);                                                              \
		memcpy(p, &v, sizeof(v));                                                        \
	}                                                                                        \
	static inline void st_le##bits(void *p, uint##bits##_t v)                                \
	{                                                                                        \
		v = htole##bits(v);                                                              \
		memcpy(p, &v, sizeof(v));                                                        \
	}

DEFINE_ENDIAN_ACCESS(16)
DEFINE_ENDIAN_ACCESS(32)
DEFINE_ENDIAN_ACCESS(64)

#undef DEFINE_ENDIAN_ACCESS

#define HOST_LITTLE_ENDIAN (__BYTE_ORDER == __LITTLE_ENDIAN)

#endif
