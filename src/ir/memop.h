/*
 * What a load or store of a `struct ir_memop` makes of bytes in host memory: size, byte order, extension. An access
 * of up to 8 bytes is one of the host's, so single-copy atomic where it is aligned.
 */
#ifndef ANYKVM_IR_MEMOP_H
#define ANYKVM_IR_MEMOP_H

#include <string.h>
#include "ir/ir.h"
#include "mem/endian.h"
#include "util/bits.h"

/* Of 1, 2, 4 or 8 bytes, extended to 64 bits. */
static inline uint64_t memop_load(const void *p, struct ir_memop m)
{
	uint64_t v;

	switch (m.size) {
	case 1:
		v = *(const uint8_t *)p;
		break;
	case 2:
		v = m.big_endian ? ld_be16(p) : ld_le16(p);
		break;
	case 4:
		v = m.big_endian ? ld_be32(p) : ld_le32(p);
		break;
	default:
		v = m.big_endian ? ld_be64(p) : ld_le64(p);
		break;
	}
	return m.sign_extend ? (uint64_t)sext64(v, 8 * m.size) : v;
}

/* The low 1, 2, 4 or 8 bytes of v. */
static inline void memop_store(void *p, struct ir_memop m, uint64_t v)
{
	switch (m.size) {
	case 1:
		*(uint8_t *)p = (uint8_t)v;
		break;
	case 2:
		m.big_endian ? st_be16(p, (uint16_t)v) : st_le16(p, (uint16_t)v);
		break;
	case 4:
		m.big_endian ? st_be32(p, (uint32_t)v) : st_le32(p, (uint32_t)v);
		break;
	default:
		m.big_endian ? st_be64(p, v) : st_le64(p, v);
		break;
	}
}

static inline u128 memop_reversed(u128 v)
{
	return (u128)__builtin_bswap64((uint64_t)v) << 64 | __builtin_bswap64((uint64_t)(v >> 64));
}

/* Of 16 bytes. */
static inline u128 memop_load_v(const void *p, struct ir_memop m)
{
	u128 v;

	memcpy(&v, p, sizeof(v));
	return m.big_endian == HOST_LITTLE_ENDIAN ? memop_reversed(v) : v;
}

static inline void memop_store_v(void *p, struct ir_memop m, u128 v)
{
	v = m.big_endian == HOST_LITTLE_ENDIAN ? memop_reversed(v) : v;
	memcpy(p, &v, sizeof(v));
}

#endif
