#include "cpu/power9/helper_fixed.h"

#include <string.h>

#include "cpu/power9/core.h"
#include "mem/endian.h"

/* The helper p9_h_<function>: `count` operands of type I64. */
#define HELPER(function, count, result_, flags_)                                                   \
	const struct ir_helper p9_h_##function = {                                                 \
	    .name = #function,                                                                     \
	    .fn = (void (*)(void))(function),                                                      \
	    .nargs = (count),                                                                      \
	    .result = (result_),                                                                   \
	    .arg = {IR_I64, IR_I64, IR_I64, IR_I64},                                               \
	    .flags = (flags_),                                                                     \
	}

static uint64_t divdeu(struct ir_env *env, uint64_t ra, uint64_t rb)
{
	(void)env;
	if (ra >= rb)
		return 0;
	return (uint64_t)(((u128)ra << 64) / rb);
}
HELPER(divdeu, 2, IR_I64, IR_H_PURE);

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

/* RA:0 / RB by magnitudes. False: it does not fit 64 bits with its sign. */
static bool divide_extended(int64_t ra, int64_t rb, uint64_t *quotient)
{
	bool negative = (ra < 0) != (rb < 0);
	uint64_t n = magnitude(ra), d = magnitude(rb), q;

	if (n >= d)
		return false;
	q = (uint64_t)(((u128)n << 64) / d);
	if (q > (uint64_t)INT64_MAX + negative)
		return false;
	*quotient = negative ? -q : q;
	return true;
}

static uint64_t divde(struct ir_env *env, uint64_t ra, uint64_t rb)
{
	uint64_t q;

	(void)env;
	return divide_extended((int64_t)ra, (int64_t)rb, &q) ? q : 0;
}
HELPER(divde, 2, IR_I64, IR_H_PURE);

static uint64_t divde_overflows(struct ir_env *env, uint64_t ra, uint64_t rb)
{
	uint64_t q;

	(void)env;
	return !divide_extended((int64_t)ra, (int64_t)rb, &q);
}
HELPER(divde_overflows, 2, IR_I64, IR_H_PURE);

/* Sums of neighbours of one, two and four bits. */
static uint64_t popcntb(struct ir_env *env, uint64_t v)
{
	(void)env;
	v -= v >> 1 & UINT64_C(0x5555555555555555);
	v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
	return (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
}
HELPER(popcntb, 1, IR_I64, IR_H_PURE);

static uint64_t bpermd(struct ir_env *env, uint64_t rs, uint64_t rb)
{
	uint64_t v = 0;

	(void)env;
	for (unsigned n = 0; n < 8; n++) {
		unsigned index = rs >> (8 * n) & 0xff;

		if (index < 64)
			v |= (rb >> (63 - index) & 1) << n;
	}
	return v;
}
HELPER(bpermd, 2, IR_I64, IR_H_PURE);

/*
 * Densely packed decimal (Book I appendix B.2): a declet pqr stu v wxy is three digits. v and then
 * wx and st say which of the digits are 8 or 9, whose lowest bits r, u, y then are.
 */
static unsigned declet_to_bcd(unsigned declet)
{
	unsigned pqr = declet >> 7 & 7, stu = declet >> 4 & 7, wxy = declet & 7;
	unsigned r = pqr & 1, u = stu & 1, y = wxy & 1;
	unsigned pq = pqr & 6, st = stu & 6;
	unsigned hundreds = pqr, tens = stu, ones = wxy;

	if (declet & 8) {
		switch (wxy >> 1) {
		case 0:
			ones = 8 | y;
			break;
		case 1:
			tens = 8 | u;
			ones = st | y;
			break;
		case 2:
			hundreds = 8 | r;
			ones = pq | y;
			break;
		default:
			hundreds = st == 4 ? pqr : 8 | r;
			tens = st == 2 ? pq | u : 8 | u;
			ones = st == 0 ? pq | y : 8 | y;
			break;
		}
	}
	return hundreds << 8 | tens << 4 | ones;
}

static unsigned bcd_to_declet(unsigned bcd)
{
	unsigned hundreds = bcd >> 8 & 15, tens = bcd >> 4 & 15, ones = bcd & 15;
	unsigned r = hundreds & 1, u = tens & 1, y = ones & 1;
	unsigned large = (hundreds >> 3) << 2 | (tens >> 3) << 1 | ones >> 3;
	unsigned bc = hundreds & 6, fg = tens & 6, jk = ones & 6;
	unsigned pq = bc, st = fg, wx = jk;

	switch (large) {
	case 0:
		return (pq | r) << 7 | (st | u) << 4 | wx | y;
	case 1:
		wx = 0;
		break;
	case 2:
		st = jk;
		wx = 2;
		break;
	case 3:
		st = 4;
		wx = 6;
		break;
	case 4:
		pq = jk;
		wx = 4;
		break;
	case 5:
		pq = fg;
		st = 2;
		wx = 6;
		break;
	case 6:
		pq = jk;
		st = 0;
		wx = 6;
		break;
	default:
		pq = 0;
		st = 6;
		wx = 6;
		break;
	}
	return (pq | r) << 7 | (st | u) << 4 | 8 | wx | y;
}

/* In each word: two declets in the low 20 bits, six digits in the low 24. */
static uint64_t cdtbcd(struct ir_env *env, uint64_t rs)
{
	uint64_t v = 0;

	(void)env;
	for (unsigned word = 0; word < 64; word += 32)
		for (unsigned n = 0; n < 2; n++)
			v |= (uint64_t)declet_to_bcd(rs >> (word + 10 * n) & 0x3ff)
			     << (word + 12 * n);
	return v;
}
HELPER(cdtbcd, 1, IR_I64, IR_H_PURE);

static uint64_t cbcdtd(struct ir_env *env, uint64_t rs)
{
	uint64_t v = 0;

	(void)env;
	for (unsigned word = 0; word < 64; word += 32)
		for (unsigned n = 0; n < 2; n++)
			v |= (uint64_t)bcd_to_declet(rs >> (word + 12 * n) & 0xfff)
			     << (word + 10 * n);
	return v;
}
HELPER(cbcdtd, 1, IR_I64, IR_H_PURE);

static void misaligned(struct ir_env *env, uint64_t ea, uint64_t store)
{
	env->door.ops->misaligned(&env->door, GVA(ea), store);
}
HELPER(misaligned, 2, IR_NONE, IR_H_FAULTS);

static void check_aligned(struct ir_env *env, uint64_t ea, uint64_t size, uint64_t store)
{
	if (ea & (size - 1))
		misaligned(env, ea, store);
}
HELPER(check_aligned, 3, IR_NONE, IR_H_FAULTS);

#define STRING_MAX 128

/* Bytes go into the low words of registers from the left, register 0 follows 31. */
static void load_string(struct ir_env *env, uint64_t ea, uint64_t first, uint64_t bytes)
{
	struct p9_cpu *p = p9_of_env(env);
	uint8_t buf[STRING_MAX] = {0};

	for (uint64_t n = 0; n < bytes; n += 16)
		if (!mem_read(&env->door, ea + n, buf + n, bytes - n < 16 ? bytes - n : 16))
			return;
	for (uint64_t n = 0; n < bytes; n += 4)
		p->regs.gpr[(first + n / 4) & 31] = ld_be32(buf + n);
}
HELPER(load_string, 3, IR_NONE, IR_H_WRITES_STATE | IR_H_READS_STATE | IR_H_FAULTS);

static void store_string(struct ir_env *env, uint64_t ea, uint64_t first, uint64_t bytes)
{
	struct p9_cpu *p = p9_of_env(env);
	uint8_t buf[STRING_MAX];

	for (uint64_t n = 0; n < bytes; n += 4)
		st_be32(buf + n, (uint32_t)p->regs.gpr[(first + n / 4) & 31]);
	for (uint64_t n = 0; n < bytes; n += 16)
		if (!mem_write(&env->door, ea + n, buf + n, bytes - n < 16 ? bytes - n : 16))
			return;
}
HELPER(store_string, 3, IR_NONE, IR_H_READS_STATE | IR_H_FAULTS);

#define CACHE_BLOCK 128

/*
 * icbi: the address is translated as a load's is. Most of what guests invalidate they have written
 * themselves, so that nothing is left to forget.
 */
static void invalidate_code(struct ir_env *env, uint64_t ea)
{
	void *p = tlb_lookup(env->door.tlb, ea, 1, MEM_READ);
	bool slow;

	if (!p && !env->door.ops->fill(&env->door, GVA(ea), MEM_READ, false, &p, &slow))
		return;
	env->door.ops->code_write(&env->door, HVA((uintptr_t)p & ~(uintptr_t)(CACHE_BLOCK - 1)),
				  CACHE_BLOCK);
}
HELPER(invalidate_code, 1, IR_NONE, IR_H_FAULTS);

/*
 * Atomic memory operations with a second operand. Values are in the guest's byte order in
 * memory; `how` is FC | size << 8 | little-endian << 16.
 */
struct amo {
	unsigned fc, size;
	bool swap; /* the guest's byte order is not the host's */
};

static struct amo amo_decode(uint64_t how)
{
	return (struct amo){
	    .fc = how & 0xff,
	    .size = how >> 8 & 0xff,
	    .swap = (how >> 16 & 1) != HOST_LITTLE_ENDIAN,
	};
}

static uint64_t amo_order(const struct amo *a, uint64_t v)
{
	if (!a->swap)
		return v;
	return a->size == 4 ? __builtin_bswap32((uint32_t)v) : __builtin_bswap64(v);
}

/* The aligned `size` bytes at p, as they lie in memory. */
static uint64_t amo_peek(const struct amo *a, void *p)
{
	if (a->size == 4)
		return __atomic_load_n((uint32_t *)p, __ATOMIC_SEQ_CST);
	return __atomic_load_n((uint64_t *)p, __ATOMIC_SEQ_CST);
}

static bool amo_replace(const struct amo *a, void *p, uint64_t old, uint64_t v)
{
	uint32_t old32 = (uint32_t)old;

	if (a->size == 4)
		return __atomic_compare_exchange_n((uint32_t *)p, &old32, (uint32_t)v, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((uint64_t *)p, &old, v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/*
 * Both operands of a function with a neighbour must lie in one block of 32 bytes, so that one
 * translation serves both. False: a fault was recorded.
 */
static bool amo_pointers(struct ir_env *env, const struct amo *a, uint64_t ea, uint64_t other,
			 void **p, void **q, bool *report)
{
	if ((ea ^ other) & ~UINT64_C(31)) {
		misaligned(env, ea, true);
		return false;
	}
	*p = mem_atomic_ptr(&env->door, ea, a->size, true, report);
	if (!*p)
		return false;
	*q = (char *)*p + (int64_t)(other - ea);
	return true;
}

/* Around what may store to p; `report` is from mem_atomic_ptr. */
static void amo_begin(struct ir_env *env, void *p, bool report)
{
	if (report)
		mem_report_begin(&env->door, p);
}

static void amo_end(struct ir_env *env, const struct amo *a, void *p, bool report, bool stored)
{
	if (report)
		mem_report_end(&env->door, p, a->size, stored);
}

/* Bounds: the neighbour above when counting up, the one below when counting down. */
#define FC_COMPARE_NOT_EQUAL 16
#define FC_INC_EQUAL         25
#define FC_DEC_BOUNDED       28

static uint64_t amo_load(struct ir_env *env, uint64_t ea, uint64_t how, uint64_t src, uint64_t src2)
{
	struct amo a = amo_decode(how);
	uint64_t other = a.fc == FC_COMPARE_NOT_EQUAL ? ea
			 : a.fc == FC_DEC_BOUNDED     ? ea - a.size
						      : ea + a.size;
	uint64_t raw, v, next, result;
	void *p, *q;
	bool report, store;

	if (!amo_pointers(env, &a, ea, other, &p, &q, &report))
		return 0;
	amo_begin(env, p, report);
	do {
		raw = amo_peek(&a, p);
		v = amo_order(&a, raw);
		result = v;
		if (a.fc == FC_COMPARE_NOT_EQUAL) {
			store = v != src;
			next = src2;
		} else {
			store = (amo_peek(&a, q) == raw) == (a.fc == FC_INC_EQUAL);
			next = a.fc == FC_DEC_BOUNDED ? v - 1 : v + 1;
			if (!store)
				result = UINT64_C(1) << (8 * a.size - 1);
		}
	} while (store && !amo_replace(&a, p, raw, amo_order(&a, next)));
	amo_end(env, &a, p, report, store);
	return result;
}
HELPER(amo_load, 4, IR_I64, IR_H_FAULTS);

/*
 * Store twin: both words are replaced if they are equal. The first is swapped while the second is
 * seen equal, then the second; another processor may see the pair in between.
 */
static void amo_store_twin(struct ir_env *env, uint64_t ea, uint64_t how, uint64_t src)
{
	struct amo a = amo_decode(how);
	uint64_t raw;
	void *p, *q;
	bool report, equal;

	if (!amo_pointers(env, &a, ea, ea + a.size, &p, &q, &report))
		return;
	amo_begin(env, p, report);
	do {
		raw = amo_peek(&a, p);
		equal = amo_peek(&a, q) == raw;
	} while (equal && !amo_replace(&a, p, raw, amo_order(&a, src)));
	amo_end(env, &a, p, report, equal);
	if (!equal)
		return;
	amo_begin(env, q, report);
	amo_end(env, &a, q, report, amo_replace(&a, q, raw, amo_order(&a, src)));
}
HELPER(amo_store_twin, 3, IR_NONE, IR_H_FAULTS);
