/*
 * The interpreter's atomic operations on guest memory: host atomics, sequentially consistent.
 * Whatever the host has no instruction for (arithmetic in the other byte order, minimum, maximum)
 * is a loop around compare-and-swap of the raw memory contents.
 */
#include "ir/code.h"
#include "mem/door.h"
#include "mem/endian.h"
#include "util/bits.h"

u128 code_reorder(u128 v, unsigned size, bool big_endian)
{
	if (big_endian != HOST_LITTLE_ENDIAN)
		return v;
	switch (size) {
	case 2:
		return __builtin_bswap16((uint16_t)v);
	case 4:
		return __builtin_bswap32((uint32_t)v);
	case 8:
		return __builtin_bswap64((uint64_t)v);
	case 16:
		return (u128)__builtin_bswap64((uint64_t)v) << 64 |
		       __builtin_bswap64((uint64_t)(v >> 64));
	default:
		return v;
	}
}

static u128 low_bytes(u128 v, unsigned size)
{
	return size == 16 ? v : v & (((u128)1 << 8 * size) - 1);
}

/* *expected is what was there afterwards; true when desired was stored. */
static bool swap16(u128 *p, u128 *expected, u128 desired)
{
#if defined(__x86_64__)
	/* The compiler would call libatomic for the same instruction. */
	uint64_t lo = (uint64_t)*expected, hi = (uint64_t)(*expected >> 64);
	bool done;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(done), "+m"(*p), "+a"(lo), "+d"(hi)
			 : "b"((uint64_t)desired), "c"((uint64_t)(desired >> 64))
			 : "memory");
	*expected = (u128)hi << 64 | lo;
	return done;
#else
	return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
#endif
}

#define SWAP(bits)                                                                                 \
	{                                                                                          \
		uint##bits##_t raw = (uint##bits##_t) * expected;                                  \
		bool done = __atomic_compare_exchange_n((uint##bits##_t *)p, &raw,                 \
							(uint##bits##_t)desired, false,            \
							__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
		*expected = raw;                                                                   \
		return done;                                                                       \
	}

bool code_raw_swap(void *p, unsigned size, u128 *expected, u128 desired)
{
	switch (size) {
	case 1:
		SWAP(8)
	case 2:
		SWAP(16)
	case 4:
		SWAP(32)
	case 8:
		SWAP(64)
	default:
		return swap16(p, expected, desired);
	}
}

#undef SWAP

u128 code_raw_load(const void *p, unsigned size)
{
	switch (size) {
	case 1:
		return __atomic_load_n((const uint8_t *)p, __ATOMIC_RELAXED);
	case 2:
		return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
	case 4:
		return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
	case 8:
		return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
	default:
		return (u128)__atomic_load_n((const uint64_t *)p + 1, __ATOMIC_RELAXED) << 64 |
		       __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
	}
}

static u128 get_value(struct ir_env *env, uint16_t operand, enum ir_type t)
{
	const void *p = code_at(env, operand);

	return t == IR_V128  ? *(const code_u128 *)p
	       : t == IR_I64 ? *(const code_u64 *)p
			     : *(const code_u32 *)p;
}

static void put_value(struct ir_env *env, uint16_t operand, struct code_atomic a, u128 v)
{
	void *p = code_at(env, operand);

	if (a.sign_extend && a.size < 8)
		v = (uint64_t)sext64((uint64_t)v, 8 * a.size);
	if (a.type == IR_V128)
		*(code_u128 *)p = v;
	else if (a.type == IR_I64)
		*(code_u64 *)p = (uint64_t)v;
	else
		*(code_u32 *)p = (uint32_t)v;
}

/* Host memory of what locks are made of: aligned, in the TLB for loads and stores; NULL: look closer. */
static void *hit(struct ir_env *env, uint64_t ea, unsigned size)
{
	const struct tlb_entry *e = tlb_slot(env->door.tlb, ea);
	uint64_t block = ea & ~TLB_BLOCK_MASK;

	if (ea & (size - 1) || e->tag[MEM_READ] != block || e->tag[MEM_WRITE] != block)
		return NULL;
	return (void *)(uintptr_t)(ea + e->addend);
}

bool code_cas_slow(struct ir_env *env, uint64_t ea, unsigned size, bool big_endian, u128 *expected, u128 desired)
{
	u128 raw = code_reorder(low_bytes(*expected, size), size, big_endian);
	bool report, stored;
	void *p = mem_atomic_ptr(&env->door, ea, size, true, &report);

	if (!p)
		return false;
	if (report)
		mem_report_begin(&env->door, p);
	stored = code_raw_swap(p, size, &raw, code_reorder(low_bytes(desired, size), size, big_endian));
	if (report)
		mem_report_end(&env->door, p, size, stored);
	*expected = code_reorder(raw, size, big_endian);
	return true;
}

bool code_cas(struct ir_env *env, const struct code_wide *op)
{
	struct code_atomic a = code_atomic_of(op->imm);
	uint64_t ea = *(const code_u64 *)code_at(env, op->a);
	u128 value;
	void *p;

	if (LIKELY((a.size == 4 || a.size == 8) && a.type == IR_I64 && !a.sign_extend &&
		   a.big_endian != HOST_LITTLE_ENDIAN && (p = hit(env, ea, a.size)))) {
		uint64_t old = *(const code_u64 *)code_at(env, op->b);
		uint64_t new = *(const code_u64 *)code_at(env, op->c);
		uint32_t old32 = (uint32_t)old;

		if (a.size == 8) {
			__atomic_compare_exchange_n((uint64_t *)p, &old, new, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		} else {
			__atomic_compare_exchange_n((uint32_t *)p, &old32, (uint32_t)new, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
			old = old32;
		}
		*(code_u64 *)code_at(env, op->d) = old;
		return true;
	}
	value = get_value(env, op->b, a.type);
	if (!code_cas_slow(env, ea, a.size, a.big_endian, &value, get_value(env, op->c, a.type)))
		return false;
	put_value(env, op->d, a, value);
	return true;
}

static bool less(u128 x, u128 y, unsigned size, bool is_signed)
{
	if (!is_signed)
		return x < y;
	if (size == 16)
		return (__int128)x < (__int128)y;
	return sext64((uint64_t)x, 8 * size) < sext64((uint64_t)y, 8 * size);
}

/* What is to be stored: old and v are numbers of `size` bytes. */
static u128 combine(struct code_atomic a, u128 old, u128 v)
{
	switch ((enum ir_rmw)a.kind) {
	case IR_RMW_ADD:
		return low_bytes(old + v, a.size);
	case IR_RMW_AND:
		return old & v;
	case IR_RMW_OR:
		return old | v;
	case IR_RMW_XOR:
		return old ^ v;
	case IR_RMW_XCHG:
		return v;
	case IR_RMW_MAXU:
		return less(old, v, a.size, false) ? v : old;
	case IR_RMW_MAXS:
		return less(old, v, a.size, true) ? v : old;
	case IR_RMW_MINU:
		return less(v, old, a.size, false) ? v : old;
	case IR_RMW_MINS:
		return less(v, old, a.size, true) ? v : old;
	}
	return old;
}

/* A host instruction for the whole, when there is one: only for the host's own byte order. */
static bool direct(void *p, struct code_atomic a, uint64_t v, u128 *old)
{
	if (a.kind != IR_RMW_ADD && a.kind != IR_RMW_XCHG)
		return false;
	if (a.size == 4) {
		uint32_t *w = p;

		*old = a.kind == IR_RMW_ADD ? __atomic_fetch_add(w, (uint32_t)v, __ATOMIC_SEQ_CST)
					    : __atomic_exchange_n(w, (uint32_t)v, __ATOMIC_SEQ_CST);
		return true;
	}
	if (a.size == 8) {
		uint64_t *w = p;

		*old = a.kind == IR_RMW_ADD ? __atomic_fetch_add(w, v, __ATOMIC_SEQ_CST)
					    : __atomic_exchange_n(w, v, __ATOMIC_SEQ_CST);
		return true;
	}
	return false;
}

bool code_rmw(struct ir_env *env, const struct code_wide *op)
{
	struct code_atomic a = code_atomic_of(op->imm);
	uint64_t ea = *(const code_u64 *)code_at(env, op->a);
	u128 v = low_bytes(get_value(env, op->b, a.type), a.size);
	u128 raw, old;
	bool report;
	void *p = mem_atomic_ptr(&env->door, ea, a.size, true, &report);

	if (!p)
		return false;
	if (report)
		mem_report_begin(&env->door, p);
	if (a.big_endian == HOST_LITTLE_ENDIAN || !direct(p, a, (uint64_t)v, &old)) {
		raw = code_raw_load(p, a.size); /* a first guess */
		do {
			old = code_reorder(raw, a.size, a.big_endian);
		} while (!code_raw_swap(p, a.size, &raw, code_reorder(combine(a, old, v), a.size, a.big_endian)));
	}
	if (report)
		mem_report_end(&env->door, p, a.size, true);
	put_value(env, op->d, a, old);
	return true;
}
