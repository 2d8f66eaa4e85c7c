/*
 * Helpers for the floating-point intrinsics (ir/intrinsic_float.h), as that says they are to be.
 * The status of their machine is "inexact" alone.
 */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/fpu.h"
#include "ir/intrinsic_float.h"
#include "ir_machine.h"

static double to_double(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static uint64_t from_double(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

static void note(struct ir_env *env, bool inexact)
{
	if (inexact)
		env->fp_status |= IR_FP_INEXACT;
}

/* From here to round_back() it is rounded as the guest wants it. C never is, outside of that. */
static void round_as(const struct ir_env *env)
{
	if (fegetround() != FE_TONEAREST) {
		fputs("a helper was called with the guest's rounding mode\n", stderr);
		abort();
	}
	switch ((enum ir_fp_round)env->fp_round) {
	case IR_FP_NEAREST:
		break;
	case IR_FP_DOWN:
		fesetround(FE_DOWNWARD);
		break;
	case IR_FP_UP:
		fesetround(FE_UPWARD);
		break;
	default:
		fesetround(FE_TOWARDZERO);
		break;
	}
}

static void round_back(void)
{
	fesetround(FE_TONEAREST);
}

/* The operations from FADD on. Volatile: between clearing the flags and reading them. */
static double operate(unsigned n, double x, double y, double z)
{
	volatile double a = x, b = y, c = z, r;

	switch (n + IR_FADD) {
	case IR_FADD:
		r = a + b;
		break;
	case IR_FSUB:
		r = a - b;
		break;
	case IR_FMUL:
		r = a * b;
		break;
	case IR_FDIV:
		r = a / b;
		break;
	case IR_FSQRT:
		r = sqrt(a);
		break;
	case IR_FMADD:
	case IR_FNMADD:
		r = fma(a, c, b);
		break;
	default:
		r = fma(a, c, -b);
		break;
	}
	return r;
}

/* Rounded as the guest wants it, or to odd: then rounding to single gives what rounding once would. */
static double rounded(struct ir_env *env, unsigned n, const uint64_t v[3], bool odd, bool *inexact)
{
	double r;

	feclearexcept(FE_ALL_EXCEPT);
	round_as(env);
	r = operate(n, to_double(v[0]), to_double(v[1]), to_double(v[2]));
	*inexact = fetestexcept(FE_INEXACT);
	/* An exact zero has the sign that it has. */
	if (odd && *inexact) {
		fesetround(FE_TOWARDZERO);
		r = operate(n, to_double(v[0]), to_double(v[1]), to_double(v[2]));
		if (!isnan(r))
			r = to_double(from_double(r) | 1);
	}
	round_back();
	return r;
}

static double narrowed(struct ir_env *env, double d, bool *inexact)
{
	volatile double a = d;
	volatile float s;

	feclearexcept(FE_ALL_EXCEPT);
	round_as(env);
	s = (float)a;
	round_back();
	*inexact |= fetestexcept(FE_INEXACT) != 0;
	return s;
}

static double integral(struct ir_env *env, double d)
{
	/* The library's: what the compiler has for it rounds the magnitude. */
	static double (*const volatile round_by_mode)(double) = rint;
	volatile double a = d, r;

	round_as(env);
	r = round_by_mode(a);
	round_back();
	return r;
}

static uint64_t arithmetic(struct ir_env *env, unsigned n, bool single, uint64_t a, uint64_t b,
			   uint64_t c)
{
	const uint64_t v[3] = {a, b, c};
	bool inexact;
	double r = rounded(env, n, v, single, &inexact);

	if (single)
		r = narrowed(env, r, &inexact);
	note(env, inexact);
	return from_double(n >= IR_FNMADD - IR_FADD ? -r : r);
}

#define UNARY(id, n)                                                                               \
	static uint64_t id(struct ir_env *env, uint64_t a)                                         \
	{                                                                                          \
		return arithmetic(env, n - IR_FADD, false, a, 0, 0);                               \
	}                                                                                          \
	static uint64_t id##_single(struct ir_env *env, uint64_t a)                                \
	{                                                                                          \
		return arithmetic(env, n - IR_FADD, true, a, 0, 0);                                \
	}
#define BINARY(id, n)                                                                              \
	static uint64_t id(struct ir_env *env, uint64_t a, uint64_t b)                             \
	{                                                                                          \
		return arithmetic(env, n - IR_FADD, false, a, b, 0);                               \
	}                                                                                          \
	static uint64_t id##_single(struct ir_env *env, uint64_t a, uint64_t b)                    \
	{                                                                                          \
		return arithmetic(env, n - IR_FADD, true, a, b, 0);                                \
	}
#define FUSED(id, n)                                                                               \
	static uint64_t id(struct ir_env *env, uint64_t a, uint64_t b, uint64_t c)                 \
	{                                                                                          \
		return arithmetic(env, n - IR_FADD, false, a, b, c);                               \
	}                                                                                          \
	static uint64_t id##_single(struct ir_env *env, uint64_t a, uint64_t b, uint64_t c)        \
	{                                                                                          \
		return arithmetic(env, n - IR_FADD, true, a, b, c);                                \
	}

BINARY(f_add, IR_FADD)
BINARY(f_sub, IR_FSUB)
BINARY(f_mul, IR_FMUL)
BINARY(f_div, IR_FDIV)
UNARY(f_sqrt, IR_FSQRT)
FUSED(f_madd, IR_FMADD)
FUSED(f_msub, IR_FMSUB)
FUSED(f_nmadd, IR_FNMADD)
FUSED(f_nmsub, IR_FNMSUB)

static uint64_t f_round_single(struct ir_env *env, uint64_t a)
{
	bool inexact = false;
	double r = narrowed(env, to_double(a), &inexact);

	note(env, inexact);
	return from_double(r);
}

static uint64_t f_truncate(struct ir_env *env, uint64_t a)
{
	(void)env;
	return from_double(trunc(to_double(a)));
}

static uint64_t f_ceiling(struct ir_env *env, uint64_t a)
{
	(void)env;
	return from_double(ceil(to_double(a)));
}

static uint64_t f_floor(struct ir_env *env, uint64_t a)
{
	(void)env;
	return from_double(floor(to_double(a)));
}

static uint64_t f_round_away(struct ir_env *env, uint64_t a)
{
	(void)env;
	return from_double(round(to_double(a)));
}

static uint64_t f_round_current(struct ir_env *env, uint64_t a)
{
	double d = to_double(a), r = integral(env, d);

	note(env, r != d && !isnan(d));
	return from_double(r);
}

#define CHOICE(id, condition, yes, no)                                                             \
	static uint64_t id(struct ir_env *env, uint64_t a, uint64_t b)                             \
	{                                                                                          \
		double x = to_double(a), y = to_double(b);                                         \
                                                                                                   \
		(void)env;                                                                         \
		return condition ? yes : no;                                                       \
	}
CHOICE(f_max, x > y, a, b)
CHOICE(f_min, x < y, a, b)
CHOICE(f_equal, x == y, ~UINT64_C(0), 0)
CHOICE(f_greater, x > y, ~UINT64_C(0), 0)
CHOICE(f_not_less, x >= y, ~UINT64_C(0), 0)

/* An integer is inexact when it does not come back: by 128 bits, which hold all of them. */
#define FROM_INTEGER(id, integer, number)                                                          \
	static uint64_t id(struct ir_env *env, uint64_t a)                                         \
	{                                                                                          \
		volatile integer v = (integer)a;                                                   \
		volatile number r;                                                                 \
                                                                                                   \
		round_as(env);                                                                     \
		r = (number)v;                                                                     \
		round_back();                                                                      \
		note(env, (__int128)r != (__int128)v);                                             \
		return from_double(r);                                                             \
	}
FROM_INTEGER(f_from_s64, int64_t, double)
FROM_INTEGER(f_from_s64_single, int64_t, float)

/* Of these the compiler makes code of its own, which rounds only once to nearest. */
static uint64_t from_u64(struct ir_env *env, uint64_t a, bool single)
{
	volatile int64_t half = (int64_t)(a >> 1 | (a & 1)), whole = (int64_t)a;
	volatile double r;

	round_as(env);
	/* The last bit of the half stands for both. */
	if (single)
		r = whole < 0 ? (double)(2 * (float)half) : (double)(float)whole;
	else
		r = whole < 0 ? 2 * (double)half : (double)whole;
	round_back();
	note(env, (__int128)r != (__int128)a);
	return from_double(r);
}

static uint64_t f_from_u64(struct ir_env *env, uint64_t a)
{
	return from_u64(env, a, false);
}

static uint64_t f_from_u64_single(struct ir_env *env, uint64_t a)
{
	return from_u64(env, a, true);
}

static uint64_t to_unsigned(struct ir_env *env, uint64_t a, bool wide, bool truncate)
{
	double d = to_double(a), r = truncate ? trunc(d) : integral(env, d);

	if (!(r >= 0 && r < (wide ? 0x1p64 : 0x1p32)))
		return 0x1234;
	note(env, r != d);
	return wide ? (uint64_t)r : (uint32_t)r | (uint64_t)(uint32_t)r << 32;
}

static uint64_t f_to_u64(struct ir_env *env, uint64_t a)
{
	return to_unsigned(env, a, true, false);
}

static uint64_t f_to_u32(struct ir_env *env, uint64_t a)
{
	return to_unsigned(env, a, false, false);
}

static uint64_t f_to_u64_truncate(struct ir_env *env, uint64_t a)
{
	return to_unsigned(env, a, true, true);
}

static uint64_t f_to_u32_truncate(struct ir_env *env, uint64_t a)
{
	return to_unsigned(env, a, false, true);
}

static uint64_t to_integer(struct ir_env *env, uint64_t a, bool wide, bool truncate)
{
	double d = to_double(a), r = truncate ? trunc(d) : integral(env, d), limit = wide ? 0x1p63 : 0x1p31;

	if (!(r >= -limit && r < limit))
		return 0x1234;
	note(env, r != d);
	if (r == -limit)
		return 0x1234;
	return wide ? (uint64_t)(int64_t)r
		    : (uint32_t)(int32_t)r | (uint64_t)(uint32_t)(int32_t)r << 32;
}

static uint64_t f_to_s64(struct ir_env *env, uint64_t a)
{
	return to_integer(env, a, true, false);
}

static uint64_t f_to_s32(struct ir_env *env, uint64_t a)
{
	return to_integer(env, a, false, false);
}

static uint64_t f_to_s64_truncate(struct ir_env *env, uint64_t a)
{
	return to_integer(env, a, true, true);
}

static uint64_t f_to_s32_truncate(struct ir_env *env, uint64_t a)
{
	return to_integer(env, a, false, true);
}

static uint64_t f_compare(struct ir_env *env, uint64_t a, uint64_t b)
{
	double x = to_double(a), y = to_double(b);

	(void)env;
	return x < y ? 1 : x > y ? 0 : x == y ? 0x100 : 6;
}

static uint64_t f_from_single(struct ir_env *env, uint64_t a)
{
	(void)env;
	return p9_fpu_double((uint32_t)a);
}

static uint64_t f_narrow(struct ir_env *env, uint64_t a)
{
	(void)env;
	return p9_fpu_single(a);
}

/* ---- vectors ---- */

static void lanes(struct ir_env *env, u128 *out, unsigned n, unsigned bits, const u128 *a,
		  const u128 *b, const u128 *c)
{
	u128 r = 0;

	for (unsigned at = 0; at < 128; at += bits) {
		uint64_t v[3] = {(uint64_t)(*a >> at), b ? (uint64_t)(*b >> at) : 0,
				 c ? (uint64_t)(*c >> at) : 0};

		if (bits == 32) {
			uint64_t d[3];
			double s;

			for (unsigned k = 0; k < 3; k++)
				d[k] = p9_fpu_double((uint32_t)v[k]);
			s = to_double(arithmetic(env, n, true, d[0], d[1], d[2]));
			r |= (u128)p9_fpu_single(from_double(s)) << at;
		} else {
			r |= (u128)arithmetic(env, n, false, v[0], v[1], v[2]) << at;
		}
	}
	*out = r;
}

#define V_UNARY(id, n)                                                                             \
	static void id##_64(struct ir_env *env, u128 *out, const u128 *a)                          \
	{                                                                                          \
		lanes(env, out, n - IR_FADD, 64, a, NULL, NULL);                                   \
	}                                                                                          \
	static void id##_32(struct ir_env *env, u128 *out, const u128 *a)                          \
	{                                                                                          \
		lanes(env, out, n - IR_FADD, 32, a, NULL, NULL);                                   \
	}
#define V_BINARY(id, n)                                                                            \
	static void id##_64(struct ir_env *env, u128 *out, const u128 *a, const u128 *b)           \
	{                                                                                          \
		lanes(env, out, n - IR_FADD, 64, a, b, NULL);                                      \
	}                                                                                          \
	static void id##_32(struct ir_env *env, u128 *out, const u128 *a, const u128 *b)           \
	{                                                                                          \
		lanes(env, out, n - IR_FADD, 32, a, b, NULL);                                      \
	}
#define V_FUSED(id, n)                                                                             \
	static void id##_64(struct ir_env *env, u128 *out, const u128 *a, const u128 *b,           \
			    const u128 *c)                                                         \
	{                                                                                          \
		lanes(env, out, n - IR_FADD, 64, a, b, c);                                         \
	}                                                                                          \
	static void id##_32(struct ir_env *env, u128 *out, const u128 *a, const u128 *b,           \
			    const u128 *c)                                                         \
	{                                                                                          \
		lanes(env, out, n - IR_FADD, 32, a, b, c);                                         \
	}

V_BINARY(v_add, IR_FADD)
V_BINARY(v_sub, IR_FSUB)
V_BINARY(v_mul, IR_FMUL)
V_BINARY(v_div, IR_FDIV)
V_UNARY(v_sqrt, IR_FSQRT)
V_FUSED(v_madd, IR_FMADD)
V_FUSED(v_msub, IR_FMSUB)
V_FUSED(v_nmadd, IR_FNMADD)
V_FUSED(v_nmsub, IR_FNMSUB)

/* 0 equal, 1 greater, 2 not less; 3 the greater, 4 the lesser one. NaNs and zeros: as it likes. */
static void choose(u128 *out, unsigned how, unsigned bits, const u128 *a, const u128 *b)
{
	u128 r = 0, ones = ((u128)1 << bits) - 1;

	for (unsigned at = 0; at < 128; at += bits) {
		u128 va = *a >> at & ones, vb = *b >> at & ones;
		double x = to_double(bits == 64 ? (uint64_t)va : p9_fpu_double((uint32_t)va));
		double y = to_double(bits == 64 ? (uint64_t)vb : p9_fpu_double((uint32_t)vb));
		bool yes = how == 0               ? x == y
			   : how == 1 || how == 3 ? x > y
			   : how == 2             ? x >= y
						  : x < y;

		r |= (how < 3 ? (yes ? ones : 0) : yes ? va : vb) << at;
	}
	*out = r;
}

#define V_CHOOSE(id, how)                                                                          \
	static void id##_64(struct ir_env *env, u128 *out, const u128 *a, const u128 *b)           \
	{                                                                                          \
		(void)env;                                                                         \
		choose(out, how, 64, a, b);                                                        \
	}                                                                                          \
	static void id##_32(struct ir_env *env, u128 *out, const u128 *a, const u128 *b)           \
	{                                                                                          \
		(void)env;                                                                         \
		choose(out, how, 32, a, b);                                                        \
	}

V_CHOOSE(v_equal, 0)
V_CHOOSE(v_greater, 1)
V_CHOOSE(v_not_less, 2)
V_CHOOSE(v_max, 3)
V_CHOOSE(v_min, 4)

static void v_from_s32(struct ir_env *env, u128 *out, const u128 *a)
{
	u128 r = 0;

	for (unsigned at = 0; at < 128; at += 32) {
		uint64_t v = (uint64_t)(int64_t)(int32_t)(*a >> at);

		r |= (u128)p9_fpu_single(f_from_s64_single(env, v)) << at;
	}
	*out = r;
}

static void v_from_odd_s32(struct ir_env *env, u128 *out, const u128 *a)
{
	(void)env;
	*out = (u128)from_double((int32_t)(*a >> 96)) << 64 | from_double((int32_t)(*a >> 32));
}

/* By lanes: f of each, singles as doubles. */
static void each(struct ir_env *env, u128 *out, unsigned bits, const u128 *a,
		 uint64_t (*f)(struct ir_env *env, uint64_t a))
{
	u128 r = 0;

	for (unsigned at = 0; at < 128; at += bits)
		r |= bits == 64 ? (u128)f(env, (uint64_t)(*a >> at)) << at :
				  (u128)p9_fpu_single(f(env, p9_fpu_double((uint32_t)(*a >> at)))) << at;
	*out = r;
}

/* The same to integers of 32 bits. */
static void each_to_32(struct ir_env *env, u128 *out, unsigned bits, const u128 *a,
		       uint64_t (*f)(struct ir_env *env, uint64_t a))
{
	u128 r = 0;

	for (unsigned at = 0; at < 128; at += bits)
		r |= bits == 64 ? (u128)f(env, (uint64_t)(*a >> at)) << at :
				  (u128)(uint32_t)f(env, p9_fpu_double((uint32_t)(*a >> at))) << at;
	*out = r;
}

#define V_EACH(id, to, bits, f)                                                                    \
	static void id(struct ir_env *env, u128 *out, const u128 *a)                               \
	{                                                                                          \
		to(env, out, bits, a, f);                                                          \
	}
V_EACH(v_truncate_64, each, 64, f_truncate)
V_EACH(v_ceiling_64, each, 64, f_ceiling)
V_EACH(v_floor_64, each, 64, f_floor)
V_EACH(v_round_away_64, each, 64, f_round_away)
V_EACH(v_round_current_64, each, 64, f_round_current)
V_EACH(v_truncate_32, each, 32, f_truncate)
V_EACH(v_ceiling_32, each, 32, f_ceiling)
V_EACH(v_floor_32, each, 32, f_floor)
V_EACH(v_round_away_32, each, 32, f_round_away)
V_EACH(v_round_current_32, each, 32, f_round_current)
V_EACH(v_to_s64, each, 64, f_to_s64_truncate)
V_EACH(v_to_u64, each, 64, f_to_u64_truncate)
V_EACH(v_to_s32, each_to_32, 32, f_to_s32_truncate)
V_EACH(v_to_u32, each_to_32, 32, f_to_u32_truncate)
V_EACH(v_to_s32_64, each_to_32, 64, f_to_s32_truncate)
V_EACH(v_to_u32_64, each_to_32, 64, f_to_u32_truncate)
V_EACH(v_from_s64, each, 64, f_from_s64)
V_EACH(v_from_u64, each, 64, f_from_u64)

static void v_from_u32(struct ir_env *env, u128 *out, const u128 *a)
{
	u128 r = 0;

	for (unsigned at = 0; at < 128; at += 32)
		r |= (u128)p9_fpu_single(f_from_u64_single(env, (uint32_t)(*a >> at))) << at;
	*out = r;
}

static void v_from_odd_u32(struct ir_env *env, u128 *out, const u128 *a)
{
	(void)env;
	*out = (u128)from_double((uint32_t)(*a >> 96)) << 64 | from_double((uint32_t)(*a >> 32));
}

static void v_widen(struct ir_env *env, u128 *out, const u128 *a)
{
	(void)env;
	*out = (u128)p9_fpu_double((uint32_t)(*a >> 96)) << 64 | p9_fpu_double((uint32_t)(*a >> 32));
}

static void v_narrow(struct ir_env *env, u128 *out, const u128 *a)
{
	u128 r = 0;

	for (unsigned at = 0; at < 128; at += 64) {
		uint32_t s = p9_fpu_single(f_round_single(env, (uint64_t)(*a >> at)));

		r |= (u128)((uint64_t)s << 32 | s) << at;
	}
	*out = r;
}

/* ---- without status: those of VMX are defined so ---- */

#define QUIET_2(id, f)                                                                             \
	static void id(struct ir_env *env, u128 *out, const u128 *a, const u128 *b, uint64_t flush) \
	{                                                                                          \
		u128 r = 0;                                                                        \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned at = 0; at < 128; at += 32)                                          \
			r |= (u128)f((uint32_t)(*a >> at), (uint32_t)(*b >> at), flush & 1) << at; \
		*out = r;                                                                          \
	}
QUIET_2(q_add, p9_vmx_addfp)
QUIET_2(q_sub, p9_vmx_subfp)
QUIET_2(q_max, p9_vmx_maxfp)
QUIET_2(q_min, p9_vmx_minfp)
QUIET_2(q_equal, p9_vmx_cmpeqfp)
QUIET_2(q_greater, p9_vmx_cmpgtfp)
QUIET_2(q_not_less, p9_vmx_cmpgefp)
QUIET_2(q_bounds, p9_vmx_cmpbfp)

#define QUIET_3(id, f)                                                                             \
	static void id(struct ir_env *env, u128 *out, const u128 *a, const u128 *b, const u128 *c, \
		       uint64_t flush)                                                             \
	{                                                                                          \
		u128 r = 0;                                                                        \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned at = 0; at < 128; at += 32)                                          \
			r |= (u128)f((uint32_t)(*a >> at), (uint32_t)(*b >> at),                   \
				     (uint32_t)(*c >> at), flush & 1) << at;                       \
		*out = r;                                                                          \
	}
QUIET_3(q_madd, p9_vmx_maddfp)
QUIET_3(q_nmsub, p9_vmx_nmsubfp)

/* v: a lane; n: the operand behind the vector */
#define QUIET_1(id, lane)                                                                          \
	static void id(struct ir_env *env, u128 *out, const u128 *a, uint64_t n)                   \
	{                                                                                          \
		bool sat = false;                                                                  \
		u128 r = 0;                                                                        \
                                                                                                   \
		(void)env;                                                                         \
		(void)sat;                                                                         \
		for (unsigned at = 0; at < 128; at += 32) {                                        \
			uint32_t v = (uint32_t)(*a >> at);                                         \
                                                                                                   \
			r |= (u128)(lane) << at;                                                   \
		}                                                                                  \
		*out = r;                                                                          \
	}
QUIET_1(q_truncate, p9_vmx_rfi(v, P9_ROUND_ZERO, n & 1))
QUIET_1(q_ceiling, p9_vmx_rfi(v, P9_ROUND_UP, n & 1))
QUIET_1(q_floor, p9_vmx_rfi(v, P9_ROUND_DOWN, n & 1))
QUIET_1(q_round_even, p9_vmx_rfi(v, P9_ROUND_NEAREST, n & 1))
QUIET_1(q_from_s32, p9_vmx_cfsx(v, n & 31))
QUIET_1(q_from_u32, p9_vmx_cfux(v, n & 31))
QUIET_1(q_to_s32, p9_vmx_ctsxs(v, n & 31, &sat, false))

#define FN(f)           ((void (*)(void))(f))
#define I1(f, n, flags) [n - IR_FLOAT_FIRST] = {#f, FN(f), 1, IR_I64, {IR_I64}, flags, n}
#define I2(f, n)        [n - IR_FLOAT_FIRST] = {#f, FN(f), 2, IR_I64, {IR_I64, IR_I64}, IR_H_FLOAT, n}
#define I3(f, n)                                                                                   \
	[n - IR_FLOAT_FIRST] = {#f, FN(f), 3, IR_I64, {IR_I64, IR_I64, IR_I64}, IR_H_FLOAT, n}
#define V1(f, n) [n - IR_FLOAT_FIRST] = {#f, FN(f), 1, IR_V128, {IR_V128}, IR_H_FLOAT, n}
#define PURE_V1(f, n)                                                                              \
	[n - IR_FLOAT_FIRST] = {#f, FN(f), 1, IR_V128, {IR_V128}, IR_H_PURE | IR_H_FLOAT, n}
#define QUIET(f, n, nargs, ...)                                                                    \
	[n - IR_FLOAT_FIRST] = {#f, FN(f), nargs, IR_V128, {__VA_ARGS__}, IR_H_PURE | IR_H_FLOAT, n}
#define Q1(f, n) QUIET(f, n, 2, IR_V128, IR_I64)
#define Q2(f, n) QUIET(f, n, 3, IR_V128, IR_V128, IR_I64)
#define Q3(f, n) QUIET(f, n, 4, IR_V128, IR_V128, IR_V128, IR_I64)
#define V2(f, n) [n - IR_FLOAT_FIRST] = {#f, FN(f), 2, IR_V128, {IR_V128, IR_V128}, IR_H_FLOAT, n}
#define V3(f, n)                                                                                   \
	[n - IR_FLOAT_FIRST] = {#f, FN(f), 3, IR_V128, {IR_V128, IR_V128, IR_V128}, IR_H_FLOAT, n}

const struct ir_helper machine_float[IR_FLOAT_END - IR_FLOAT_FIRST] = {
	I2(f_add, IR_FADD),
	I2(f_sub, IR_FSUB),
	I2(f_mul, IR_FMUL),
	I2(f_div, IR_FDIV),
	I1(f_sqrt, IR_FSQRT, IR_H_FLOAT),
	I3(f_madd, IR_FMADD),
	I3(f_msub, IR_FMSUB),
	I3(f_nmadd, IR_FNMADD),
	I3(f_nmsub, IR_FNMSUB),
	I2(f_add_single, IR_FADD_SINGLE),
	I2(f_sub_single, IR_FSUB_SINGLE),
	I2(f_mul_single, IR_FMUL_SINGLE),
	I2(f_div_single, IR_FDIV_SINGLE),
	I1(f_sqrt_single, IR_FSQRT_SINGLE, IR_H_FLOAT),
	I3(f_madd_single, IR_FMADD_SINGLE),
	I3(f_msub_single, IR_FMSUB_SINGLE),
	I3(f_nmadd_single, IR_FNMADD_SINGLE),
	I3(f_nmsub_single, IR_FNMSUB_SINGLE),
	I1(f_round_single, IR_FROUND_SINGLE, IR_H_FLOAT),
	I1(f_truncate, IR_FTRUNCATE, IR_H_FLOAT),
	I1(f_ceiling, IR_FCEILING, IR_H_FLOAT),
	I1(f_floor, IR_FFLOOR, IR_H_FLOAT),
	I1(f_round_away, IR_FROUND_AWAY, IR_H_FLOAT),
	I1(f_round_current, IR_FROUND_CURRENT, IR_H_FLOAT),
	I2(f_max, IR_FMAX),
	I2(f_min, IR_FMIN),
	I2(f_max, IR_FMAX_C),
	I2(f_min, IR_FMIN_C),
	I2(f_equal, IR_FEQUAL),
	I2(f_greater, IR_FGREATER),
	I2(f_not_less, IR_FNOT_LESS),
	I1(f_from_u64_single, IR_FFROM_U64_SINGLE, IR_H_FLOAT),
	I1(f_to_u64, IR_FTO_U64, IR_H_FLOAT),
	I1(f_to_u32, IR_FTO_U32, IR_H_FLOAT),
	I1(f_to_u64_truncate, IR_FTO_U64_TRUNCATE, IR_H_FLOAT),
	I1(f_to_u32_truncate, IR_FTO_U32_TRUNCATE, IR_H_FLOAT),
	I1(f_from_s64, IR_FFROM_S64, IR_H_FLOAT),
	I1(f_from_u64, IR_FFROM_U64, IR_H_FLOAT),
	I1(f_from_s64_single, IR_FFROM_S64_SINGLE, IR_H_FLOAT),
	I1(f_from_single, IR_FFROM_SINGLE, IR_H_FLOAT),
	I1(f_to_s64, IR_FTO_S64, IR_H_FLOAT),
	I1(f_to_s32, IR_FTO_S32, IR_H_FLOAT),
	I1(f_to_s64_truncate, IR_FTO_S64_TRUNCATE, IR_H_FLOAT),
	I1(f_to_s32_truncate, IR_FTO_S32_TRUNCATE, IR_H_FLOAT),
	I2(f_compare, IR_FCOMPARE),
	I1(f_from_single, IR_FWIDEN, IR_H_PURE | IR_H_FLOAT),
	I1(f_narrow, IR_FNARROW, IR_H_PURE | IR_H_FLOAT),
	V2(v_add_64, IR_VFADD_64),
	V2(v_sub_64, IR_VFSUB_64),
	V2(v_mul_64, IR_VFMUL_64),
	V2(v_div_64, IR_VFDIV_64),
	V1(v_sqrt_64, IR_VFSQRT_64),
	V3(v_madd_64, IR_VFMADD_64),
	V3(v_msub_64, IR_VFMSUB_64),
	V3(v_nmadd_64, IR_VFNMADD_64),
	V3(v_nmsub_64, IR_VFNMSUB_64),
	V2(v_add_32, IR_VFADD_32),
	V2(v_sub_32, IR_VFSUB_32),
	V2(v_mul_32, IR_VFMUL_32),
	V2(v_div_32, IR_VFDIV_32),
	V1(v_sqrt_32, IR_VFSQRT_32),
	V3(v_madd_32, IR_VFMADD_32),
	V3(v_msub_32, IR_VFMSUB_32),
	V3(v_nmadd_32, IR_VFNMADD_32),
	V3(v_nmsub_32, IR_VFNMSUB_32),
	V2(v_equal_64, IR_VFEQUAL_64),
	V2(v_greater_64, IR_VFGREATER_64),
	V2(v_not_less_64, IR_VFNOT_LESS_64),
	V2(v_equal_32, IR_VFEQUAL_32),
	V2(v_greater_32, IR_VFGREATER_32),
	V2(v_not_less_32, IR_VFNOT_LESS_32),
	V2(v_max_64, IR_VFMAX_64),
	V2(v_min_64, IR_VFMIN_64),
	V2(v_max_32, IR_VFMAX_32),
	V2(v_min_32, IR_VFMIN_32),
	V1(v_truncate_64, IR_VFTRUNCATE_64),
	V1(v_ceiling_64, IR_VFCEILING_64),
	V1(v_floor_64, IR_VFFLOOR_64),
	V1(v_round_away_64, IR_VFROUND_AWAY_64),
	V1(v_round_current_64, IR_VFROUND_CURRENT_64),
	V1(v_truncate_32, IR_VFTRUNCATE_32),
	V1(v_ceiling_32, IR_VFCEILING_32),
	V1(v_floor_32, IR_VFFLOOR_32),
	V1(v_round_away_32, IR_VFROUND_AWAY_32),
	V1(v_round_current_32, IR_VFROUND_CURRENT_32),
	V1(v_to_s64, IR_VFTO_S64_TRUNCATE),
	V1(v_to_u64, IR_VFTO_U64_TRUNCATE),
	V1(v_to_s32, IR_VFTO_S32_TRUNCATE),
	V1(v_to_u32, IR_VFTO_U32_TRUNCATE),
	V1(v_to_s32_64, IR_VFTO_S32_TRUNCATE_64),
	V1(v_to_u32_64, IR_VFTO_U32_TRUNCATE_64),
	V1(v_from_s64, IR_VFFROM_S64),
	V1(v_from_u64, IR_VFFROM_U64),
	V1(v_from_s32, IR_VFFROM_S32),
	V1(v_from_u32, IR_VFFROM_U32),
	PURE_V1(v_from_odd_s32, IR_VFFROM_ODD_S32),
	PURE_V1(v_from_odd_u32, IR_VFFROM_ODD_U32),
	V1(v_widen, IR_VFWIDEN),
	V1(v_narrow, IR_VFNARROW),
	Q2(q_add, IR_VFADD_QUIET),
	Q2(q_sub, IR_VFSUB_QUIET),
	Q3(q_madd, IR_VFMADD_QUIET),
	Q3(q_nmsub, IR_VFNMSUB_QUIET),
	Q2(q_max, IR_VFMAX_QUIET),
	Q2(q_min, IR_VFMIN_QUIET),
	Q2(q_equal, IR_VFEQUAL_QUIET),
	Q2(q_greater, IR_VFGREATER_QUIET),
	Q2(q_not_less, IR_VFNOT_LESS_QUIET),
	Q2(q_bounds, IR_VFBOUNDS_QUIET),
	Q1(q_truncate, IR_VFTRUNCATE_QUIET),
	Q1(q_ceiling, IR_VFCEILING_QUIET),
	Q1(q_floor, IR_VFFLOOR_QUIET),
	Q1(q_round_even, IR_VFROUND_EVEN_QUIET),
	Q1(q_from_s32, IR_VFFROM_S32_QUIET),
	Q1(q_from_u32, IR_VFFROM_U32_QUIET),
	Q1(q_to_s32, IR_VFTO_S32_QUIET),
};
