/*
 * C helpers of the vector instructions: VMX integer and permute, and what VSX adds for storage.
 *
 * A vector is a u128 whose most significant byte is the ISA's byte element 0, whatever the host
 * is. `union p9_vec` gives the lanes; VE() takes the ISA's element number, plain indexing visits
 * all lanes in an order that does not matter when each lane is computed alone.
 *
 * The helpers are listed by their operands, so that one list declares them here and makes the
 * semantic functions of the rows that only call them (emit_vmx_simple.c). A helper reads its
 * operands before it writes its result, since both may be the same memory.
 *
 * All are pure but for those that saturate, which set VSCR[SAT], and the loads and stores of a
 * computed length, which may fault.
 */
#ifndef ANYKVM_CPU_POWER9_HELPER_VEC_H
#define ANYKVM_CPU_POWER9_HELPER_VEC_H

#include "cpu/power9/core.h"
#include "ir/intrinsic.h"
#include "ir/ir.h"
#include "mem/endian.h"
#include "util/compiler.h"

union p9_vec {
	u128 q;
	uint8_t b[16];
	int8_t sb[16];
	uint16_t h[8];
	int16_t sh[8];
	uint32_t w[4];
	int32_t sw[4];
	uint64_t d[2];
	int64_t sd[2];
};

ASSERT_SIZE(union p9_vec, 16);

/* Element e, as the ISA numbers elements, of the lanes m (b, h, w, d, sb ...) of v. */
#define VE(v, m, e) ((v).m[HOST_LITTLE_ENDIAN ? ARRAY_SIZE((v).m) - 1 - (size_t)(e) : (size_t)(e)])

#define P9_VSCR_NJ  UINT64_C(0x10000)
#define P9_VSCR_SAT UINT64_C(1)

static inline void p9_set_sat(struct ir_env *env)
{
	p9_of_env(env)->regs.vscr |= P9_VSCR_SAT;
}

/* What a helper that saturates does to the state. */
#define P9_H_SATURATES (IR_H_READS_STATE | IR_H_WRITES_STATE)

/*
 * Descriptors: P9_HELPER_<result>_<operands>(name, flags) describes the function p9_v_<name>,
 * P9_INTRINSIC_...(name, number) a pure one that back ends may know (ir/intrinsic.h).
 * V is V128, I is I64.
 */
#define P9_HELPER_AS(id, intrinsic_, flags_, result_, nargs_, ...)                                 \
	const struct ir_helper p9_h_##id = {                                                       \
		.name = #id,                                                                       \
		.fn = (void (*)(void))p9_v_##id,                                                   \
		.nargs = nargs_,                                                                   \
		.result = result_,                                                                 \
		.arg = {__VA_ARGS__},                                                              \
		.flags = flags_,                                                                   \
		.intrinsic = intrinsic_,                                                           \
	}

#define P9_HELPER(id, flags, ...) P9_HELPER_AS(id, IR_NOT_INTRINSIC, flags, __VA_ARGS__)

#define P9_HELPER_V_V(id, flags)   P9_HELPER(id, flags, IR_V128, 1, IR_V128)
#define P9_HELPER_V_VV(id, flags)  P9_HELPER(id, flags, IR_V128, 2, IR_V128, IR_V128)
#define P9_HELPER_V_VVV(id, flags) P9_HELPER(id, flags, IR_V128, 3, IR_V128, IR_V128, IR_V128)
#define P9_HELPER_V_VI(id, flags)  P9_HELPER(id, flags, IR_V128, 2, IR_V128, IR_I64)
#define P9_HELPER_V_VII(id, flags) P9_HELPER(id, flags, IR_V128, 3, IR_V128, IR_I64, IR_I64)
#define P9_HELPER_V_II(id, flags)  P9_HELPER(id, flags, IR_V128, 2, IR_I64, IR_I64)
#define P9_HELPER_V_I(id, flags)   P9_HELPER(id, flags, IR_V128, 1, IR_I64)
#define P9_HELPER_I_V(id, flags)   P9_HELPER(id, flags, IR_I64, 1, IR_V128)
#define P9_HELPER_I_VI(id, flags)  P9_HELPER(id, flags, IR_I64, 2, IR_V128, IR_I64)

#define P9_INTRINSIC_V_V(id, number) P9_HELPER_AS(id, number, IR_H_PURE, IR_V128, 1, IR_V128)
#define P9_INTRINSIC_V_VV(id, number)                                                              \
	P9_HELPER_AS(id, number, IR_H_PURE, IR_V128, 2, IR_V128, IR_V128)
#define P9_INTRINSIC_V_VVV(id, number)                                                             \
	P9_HELPER_AS(id, number, IR_H_PURE, IR_V128, 3, IR_V128, IR_V128, IR_V128)
#define P9_INTRINSIC_V_VII(id, number)                                                             \
	P9_HELPER_AS(id, number, IR_H_PURE, IR_V128, 3, IR_V128, IR_I64, IR_I64)
#define P9_INTRINSIC_I_V(id, number) P9_HELPER_AS(id, number, IR_H_PURE, IR_I64, 1, IR_V128)

/* The parameter lists that go with them. */
#define P9_PARAMS_V  struct ir_env *env, u128 *out, const u128 *pa
#define P9_PARAMS_VV struct ir_env *env, u128 *out, const u128 *pa, const u128 *pb
#define P9_PARAMS_VVV                                                                              \
	struct ir_env *env, u128 *out, const u128 *pa, const u128 *pb, const u128 *pc

/*
 * A helper that computes each of the lanes `m` of the result alone: `expr` is the value of lane k
 * of d, from lanes k of a, b, c. Pure.
 */
#define P9_LANES1_AS(id, number, m, expr)                                                          \
	static void p9_v_##id(P9_PARAMS_V)                                                         \
	{                                                                                          \
		union p9_vec a = {*pa}, d;                                                         \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned k = 0; k < ARRAY_SIZE(d.m); k++)                                     \
			d.m[k] = expr;                                                             \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_INTRINSIC_V_V(id, number)

#define P9_LANES2_AS(id, number, m, expr)                                                          \
	static void p9_v_##id(P9_PARAMS_VV)                                                        \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, d;                                              \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned k = 0; k < ARRAY_SIZE(d.m); k++)                                     \
			d.m[k] = expr;                                                             \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_INTRINSIC_V_VV(id, number)

#define P9_LANES3_AS(id, number, m, expr)                                                          \
	static void p9_v_##id(P9_PARAMS_VVV)                                                       \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, c = {*pc}, d;                                   \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned k = 0; k < ARRAY_SIZE(d.m); k++)                                     \
			d.m[k] = expr;                                                             \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_INTRINSIC_V_VVV(id, number)

#define P9_LANES1(id, m, expr) P9_LANES1_AS(id, IR_NOT_INTRINSIC, m, expr)
#define P9_LANES2(id, m, expr) P9_LANES2_AS(id, IR_NOT_INTRINSIC, m, expr)
#define P9_LANES3(id, m, expr) P9_LANES3_AS(id, IR_NOT_INTRINSIC, m, expr)

/*
 * The same where lanes saturate: `expr` is an int64_t that is clamped to lo..hi, and a
 * clamped lane sets VSCR[SAT].
 */
#define P9_CLAMP(x, lo, hi, sat)                                                                   \
	({                                                                                         \
		int64_t x_ = (x);                                                                  \
                                                                                                   \
		(sat) |= x_ < (lo) || x_ > (hi);                                                   \
		x_ < (lo) ? (lo) : x_ > (hi) ? (hi) : x_;                                          \
	})

/* Without the bit, which the caller finds: pure. */
#define P9_SATURATE2_AS(id, number, m, lo, hi, expr)                                               \
	P9_LANES2_AS(id, number, m, ({                                                             \
			     bool unused = false;                                                  \
			     int64_t clamped = P9_CLAMP(expr, lo, hi, unused);                     \
                                                                                                   \
			     (void)unused;                                                         \
			     clamped;                                                              \
		     }))

#define P9_SATURATE2(id, m, lo, hi, expr)                                                          \
	static void p9_v_##id(P9_PARAMS_VV)                                                        \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, d;                                              \
		bool sat = false;                                                                  \
                                                                                                   \
		for (unsigned k = 0; k < ARRAY_SIZE(d.m); k++)                                     \
			d.m[k] = P9_CLAMP(expr, lo, hi, sat);                                      \
		if (sat)                                                                           \
			p9_set_sat(env);                                                           \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_HELPER_V_VV(id, P9_H_SATURATES)

#define P9_SATURATE3(id, m, lo, hi, expr)                                                          \
	static void p9_v_##id(P9_PARAMS_VVV)                                                       \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, c = {*pc}, d;                                   \
		bool sat = false;                                                                  \
                                                                                                   \
		for (unsigned k = 0; k < ARRAY_SIZE(d.m); k++)                                     \
			d.m[k] = P9_CLAMP(expr, lo, hi, sat);                                      \
		if (sat)                                                                           \
			p9_set_sat(env);                                                           \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_HELPER_V_VVV(id, P9_H_SATURATES)

/* clang-format off */

/* VRT from VRB */
#define P9_VMX_HELPERS_B(_)                                                                        \
	_(vclzb) _(vclzh) _(vclzw) _(vclzd)                                                        \
	_(vctzb) _(vctzh) _(vctzw) _(vctzd)                                                        \
	_(vpopcntb) _(vpopcnth) _(vpopcntw) _(vpopcntd)                                            \
	_(vprtybw) _(vprtybd) _(vprtybq)                                                           \
	_(vgbbd) _(vupkhpx) _(vupklpx)

/* VRT from VRA */
#define P9_VMX_HELPERS_A(_) _(vsbox) _(vmul10uq) _(vmul10cuq)

/* VRT from VRA, VRB */
#define P9_VMX_HELPERS_AB(_)                                                                       \
	_(vaddcuw) _(vaddsws) _(vadduws) _(vsubcuw) _(vsubsws) _(vsubuws)                          \
	_(vadduqm) _(vaddcuq) _(vsubuqm) _(vsubcuq)                                                \
	_(vavgsb) _(vavgsh) _(vavgsw) _(vavgub) _(vavguh) _(vavguw)                                \
	_(vsumsws) _(vsum2sws) _(vsum4sbs) _(vsum4shs) _(vsum4ubs)                                 \
	_(vmulesb) _(vmulesh) _(vmulesw) _(vmuleub) _(vmuleuh) _(vmuleuw)                          \
	_(vmulosb) _(vmulosh) _(vmulosw) _(vmuloub) _(vmulouh) _(vmulouw) _(vmuluwm)               \
	_(vmul10euq) _(vmul10ecuq)                                                                 \
	_(vpkpx) _(vpkshss) _(vpkshus) _(vpkswss) _(vpkswus) _(vpksdss) _(vpksdus)                 \
	_(vpkuhus) _(vpkuwus) _(vpkudus)                                                           \
	_(vsl) _(vslo) _(vslv) _(vsr) _(vsro) _(vsrv)                                              \
	_(vbpermq) _(vbpermd) _(vrlwnm) _(vrldnm)                                                  \
	_(vpmsumb) _(vpmsumh) _(vpmsumw) _(vpmsumd)

/* The same, with the IR's modulo operation: VSCR[SAT] is set where it gives something else. */
#define P9_VMX_SATURATE(_)                                                                         \
	_(vaddsbs, VADD, B) _(vaddshs, VADD, H) _(vaddubs, VADD, B) _(vadduhs, VADD, H)            \
	_(vsubsbs, VSUB, B) _(vsubshs, VSUB, H) _(vsububs, VSUB, B) _(vsubuhs, VSUB, H)

/* VRT from VRA, VRB, VRC */
#define P9_VMX_HELPERS_ABC(_)                                                                      \
	_(vaddeuqm) _(vaddecuq) _(vsubeuqm) _(vsubecuq)                                            \
	_(vmhaddshs) _(vmhraddshs) _(vmladduhm)                                                    \
	_(vmsumubm) _(vmsummbm) _(vmsumshm) _(vmsumshs) _(vmsumuhm) _(vmsumuhs) _(vmsumudm)        \
	_(vpermxor)

/* VRT from VRA, VRB, VRT */
#define P9_VMX_HELPERS_ABT(_) _(vrlwmi) _(vrldmi)

/* Decimal, from VRB or from VRA and VRB; see helper_vec_bcd.c. */
#define P9_VMX_DECIMAL_B(_)                                                                        \
	_(bcdcfn) _(bcdctn) _(bcdcfz) _(bcdctz) _(bcdcfsq) _(bcdctsq) _(bcdsetsgn)
#define P9_VMX_DECIMAL_AB(_)                                                                       \
	_(bcdadd) _(bcdsub) _(bcdcpsgn) _(bcds) _(bcdus) _(bcdsr) _(bcdtrunc) _(bcdutrunc)

/* Other shapes; the arguments stand at the definitions. */
#define P9_VEC_HELPERS_OTHER(_)                                                                    \
	_(vec_signs) _(vec_insert) _(vec_extract)                                                  \
	_(vclzlsbb) _(vctzlsbb) _(vshasigmaw) _(vshasigmad)                                        \
	_(aes_encrypt) _(aes_encrypt_last) _(aes_decrypt) _(aes_decrypt_last)                      \
	_(vec_load_len) _(vec_store_len)

/* clang-format on */

#define P9_DECLARE_HELPER(id, ...) extern const struct ir_helper p9_h_##id;
P9_VMX_HELPERS_B(P9_DECLARE_HELPER)
P9_VMX_HELPERS_A(P9_DECLARE_HELPER)
P9_VMX_HELPERS_AB(P9_DECLARE_HELPER)
P9_VMX_SATURATE(P9_DECLARE_HELPER)
P9_VMX_HELPERS_ABC(P9_DECLARE_HELPER)
P9_VMX_HELPERS_ABT(P9_DECLARE_HELPER)
P9_VMX_DECIMAL_B(P9_DECLARE_HELPER)
P9_VMX_DECIMAL_AB(P9_DECLARE_HELPER)
P9_VEC_HELPERS_OTHER(P9_DECLARE_HELPER)

#endif
