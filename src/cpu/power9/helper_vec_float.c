/*
 * Vector floating point: VSX (Book I chapter 7) and VMX (6.10), lane by lane on the
 * floating-point unit. The exceptions of all lanes of a VSX instruction are gathered first; one
 * that is enabled suppresses the whole result.
 */
#include "cpu/power9/helper_float.h"

#define PURE_FLOAT (IR_H_PURE | IR_H_FLOAT)

/*
 * The body of a VSX helper: `put` computes element e of d, for e = 0..n - 1, from `fpscr` and
 * with exceptions added to `raised`.
 */
#define XV_BODY(n, put)                                                                            \
	uint64_t *state = &p9_of_env(env)->regs.fpscr, fpscr = *state, raised = 0;                 \
	union p9_vec d = {0};                                                                      \
                                                                                                   \
	for (unsigned e = 0; e < (n); e++)                                                         \
		put;                                                                               \
	*out = p9_fpv_commit(state, raised) ? d.q : *old

#define XV_BINARY(id, m, lane)                                                                     \
	static void p9_v_##id(P9_PARAMS_VV, const u128 *old)                                       \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb};                                                 \
                                                                                                   \
		XV_BODY(ARRAY_SIZE(d.m), d.m[e] = lane(fpscr, &raised, a.m[e], b.m[e]));           \
	}                                                                                          \
	P9_HELPER_V_VVV(id, P9_H_FPSCR)

XV_BINARY(xvadddp, d, p9_fpv_add_dp);
XV_BINARY(xvaddsp, w, p9_fpv_add_sp);
XV_BINARY(xvsubdp, d, p9_fpv_sub_dp);
XV_BINARY(xvsubsp, w, p9_fpv_sub_sp);
XV_BINARY(xvmuldp, d, p9_fpv_mul_dp);
XV_BINARY(xvmulsp, w, p9_fpv_mul_sp);
XV_BINARY(xvdivdp, d, p9_fpv_div_dp);
XV_BINARY(xvdivsp, w, p9_fpv_div_sp);
XV_BINARY(xvmaxdp, d, p9_fpv_max_dp);
XV_BINARY(xvmaxsp, w, p9_fpv_max_sp);
XV_BINARY(xvmindp, d, p9_fpv_min_dp);
XV_BINARY(xvminsp, w, p9_fpv_min_sp);
XV_BINARY(xvcmpeqdp, d, p9_fpv_cmpeq_dp);
XV_BINARY(xvcmpeqsp, w, p9_fpv_cmpeq_sp);
XV_BINARY(xvcmpgtdp, d, p9_fpv_cmpgt_dp);
XV_BINARY(xvcmpgtsp, w, p9_fpv_cmpgt_sp);
XV_BINARY(xvcmpgedp, d, p9_fpv_cmpge_dp);
XV_BINARY(xvcmpgesp, w, p9_fpv_cmpge_sp);

#define XV_FUSED(id, m, lane)                                                                      \
	static void p9_v_##id(P9_PARAMS_VVV, const u128 *old)                                      \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, c = {*pc};                                      \
                                                                                                   \
		XV_BODY(ARRAY_SIZE(d.m),                                                           \
			d.m[e] = lane(fpscr, &raised, a.m[e], b.m[e], c.m[e]));                    \
	}                                                                                          \
	P9_HELPER(id, P9_H_FPSCR, IR_V128, 4, IR_V128, IR_V128, IR_V128, IR_V128)

XV_FUSED(xvmadddp, d, p9_fpv_madd_dp);
XV_FUSED(xvmaddsp, w, p9_fpv_madd_sp);
XV_FUSED(xvmsubdp, d, p9_fpv_msub_dp);
XV_FUSED(xvmsubsp, w, p9_fpv_msub_sp);
XV_FUSED(xvnmadddp, d, p9_fpv_nmadd_dp);
XV_FUSED(xvnmaddsp, w, p9_fpv_nmadd_sp);
XV_FUSED(xvnmsubdp, d, p9_fpv_nmsub_dp);
XV_FUSED(xvnmsubsp, w, p9_fpv_nmsub_sp);

/* `put` in terms of b, d, e, fpscr and raised. */
#define XV_UNARY(id, n, put)                                                                       \
	static void p9_v_##id(P9_PARAMS_V, const u128 *old)                                        \
	{                                                                                          \
		union p9_vec b = {*pa};                                                            \
                                                                                                   \
		XV_BODY(n, put);                                                                   \
	}                                                                                          \
	P9_HELPER_V_VV(id, P9_H_FPSCR)

#define XV_SAME(id, m, lane)                                                                       \
	XV_UNARY(id, ARRAY_SIZE(d.m), d.m[e] = lane(fpscr, &raised, b.m[e]))

XV_SAME(xvsqrtdp, d, p9_fpv_sqrt_dp);
XV_SAME(xvsqrtsp, w, p9_fpv_sqrt_sp);
XV_SAME(xvredp, d, p9_fpv_re_dp);
XV_SAME(xvresp, w, p9_fpv_re_sp);
XV_SAME(xvrsqrtedp, d, p9_fpv_rsqrte_dp);
XV_SAME(xvrsqrtesp, w, p9_fpv_rsqrte_sp);
XV_SAME(xvcvdpsxds, d, p9_fpv_cvdpsxds);
XV_SAME(xvcvdpuxds, d, p9_fpv_cvdpuxds);
XV_SAME(xvcvspsxws, w, p9_fpv_cvspsxws);
XV_SAME(xvcvspuxws, w, p9_fpv_cvspuxws);
XV_SAME(xvcvsxddp, d, p9_fpv_cvsxddp);
XV_SAME(xvcvuxddp, d, p9_fpv_cvuxddp);
XV_SAME(xvcvsxwsp, w, p9_fpv_cvsxwsp);
XV_SAME(xvcvuxwsp, w, p9_fpv_cvuxwsp);

#define XV_ROUND(id, m, lane, mode, exact)                                                         \
	XV_UNARY(id, ARRAY_SIZE(d.m), d.m[e] = lane(fpscr, &raised, b.m[e], mode, exact))

XV_ROUND(xvrdpi, d, p9_fpv_ri_dp, P9_ROUND_AWAY, false);
XV_ROUND(xvrdpic, d, p9_fpv_ri_dp, (enum p9_fp_round)(fpscr & P9_FPSCR_RN), true);
XV_ROUND(xvrdpim, d, p9_fpv_ri_dp, P9_ROUND_DOWN, false);
XV_ROUND(xvrdpip, d, p9_fpv_ri_dp, P9_ROUND_UP, false);
XV_ROUND(xvrdpiz, d, p9_fpv_ri_dp, P9_ROUND_ZERO, false);
XV_ROUND(xvrspi, w, p9_fpv_ri_sp, P9_ROUND_AWAY, false);
XV_ROUND(xvrspic, w, p9_fpv_ri_sp, (enum p9_fp_round)(fpscr & P9_FPSCR_RN), true);
XV_ROUND(xvrspim, w, p9_fpv_ri_sp, P9_ROUND_DOWN, false);
XV_ROUND(xvrspip, w, p9_fpv_ri_sp, P9_ROUND_UP, false);
XV_ROUND(xvrspiz, w, p9_fpv_ri_sp, P9_ROUND_ZERO, false);

/*
 * Between lanes of different sizes the narrow element stands in the left half of the wide one's
 * place. The ISA leaves the right half of a narrow result undefined; the processor repeats
 * it there.
 */
#define XV_NARROW(id, lane)                                                                        \
	XV_UNARY(id, 2, VE(d, w, 2 * e) = VE(d, w, 2 * e + 1) = lane(fpscr, &raised, VE(b, d, e)))
#define XV_WIDEN(id, lane) XV_UNARY(id, 2, VE(d, d, e) = lane(fpscr, &raised, VE(b, w, 2 * e)))

XV_NARROW(xvcvdpsp, p9_fpv_cvdpsp);
XV_NARROW(xvcvdpsxws, p9_fpv_cvdpsxws);
XV_NARROW(xvcvdpuxws, p9_fpv_cvdpuxws);
XV_NARROW(xvcvsxdsp, p9_fpv_cvsxdsp);
XV_NARROW(xvcvuxdsp, p9_fpv_cvuxdsp);
XV_WIDEN(xvcvspdp, p9_fpv_cvspdp);
XV_WIDEN(xvcvspsxds, p9_fpv_cvspsxds);
XV_WIDEN(xvcvspuxds, p9_fpv_cvspuxds);

/* The deferred forms (float_status.h): no exception is enabled, nothing suppressed. */

#define XVF_HELPER(id, number, nargs_, ...)                                                        \
	const struct ir_helper p9_h_fpf_##id = {                                                   \
		.name = "fpf_" #id,                                                                \
		.fn = (void (*)(void))fpf_##id,                                                    \
		.nargs = nargs_,                                                                   \
		.result = IR_V128,                                                                 \
		.arg = {__VA_ARGS__},                                                              \
		.flags = IR_H_FLOAT,                                                               \
		.intrinsic = number,                                                               \
	};

#define XVF_UNARY(id, number)                                                                      \
	static void fpf_##id(P9_PARAMS_V)                                                          \
	{                                                                                          \
		p9_v_##id(env, out, pa, pa);                                                       \
	}                                                                                          \
	XVF_HELPER(id, number, 1, IR_V128)
P9_XVF_UNARY(XVF_UNARY)

#define XVF_BINARY(id, number)                                                                     \
	static void fpf_##id(P9_PARAMS_VV)                                                         \
	{                                                                                          \
		p9_v_##id(env, out, pa, pb, pa);                                                   \
	}                                                                                          \
	XVF_HELPER(id, number, 2, IR_V128, IR_V128)
P9_XVF_BINARY(XVF_BINARY)
P9_XVF_COMPARE(XVF_BINARY)

#define XVF_FUSED(id, number)                                                                      \
	static void fpf_##id(P9_PARAMS_VVV)                                                        \
	{                                                                                          \
		p9_v_##id(env, out, pa, pb, pc, pa);                                               \
	}                                                                                          \
	XVF_HELPER(id, number, 3, IR_V128, IR_V128, IR_V128)
P9_XVF_FUSED(XVF_FUSED)

/* Halves stand in the right half of a word; the left half is zero. */
XV_UNARY(xvcvsphp, 4, VE(d, h, 2 * e + 1) = p9_fpv_cvsphp(fpscr, &raised, VE(b, w, e)));
XV_UNARY(xvcvhpsp, 4, VE(d, w, e) = p9_fpv_cvhpsp(fpscr, &raised, VE(b, h, 2 * e + 1)));

static void p9_v_xvcvsxwdp(P9_PARAMS_V)
{
	union p9_vec b = {*pa}, d;

	(void)env;
	for (unsigned e = 0; e < 2; e++)
		VE(d, d, e) = p9_fpv_cvsxwdp(VE(b, w, 2 * e));
	*out = d.q;
}
P9_HELPER_AS(xvcvsxwdp, IR_VFFROM_ODD_S32, PURE_FLOAT, IR_V128, 1, IR_V128);

static void p9_v_xvcvuxwdp(P9_PARAMS_V)
{
	union p9_vec b = {*pa}, d;

	(void)env;
	for (unsigned e = 0; e < 2; e++)
		VE(d, d, e) = p9_fpv_cvuxwdp(VE(b, w, 2 * e));
	*out = d.q;
}
P9_HELPER_AS(xvcvuxwdp, IR_VFFROM_ODD_U32, PURE_FLOAT, IR_V128, 1, IR_V128);

/* Exponents and significands; VRB and XB alike are called a here. */
P9_LANES1(xvxexpdp, d, p9_fpu_xexp(a.d[k]));
P9_LANES1(xvxexpsp, w, p9_fpv_xexp_sp(a.w[k]));
P9_LANES1(xvxsigdp, d, p9_fpu_xsig(a.d[k]));
P9_LANES1(xvxsigsp, w, p9_fpv_xsig_sp(a.w[k]));
P9_LANES2(xviexpdp, d, p9_fpu_iexp(a.d[k], b.d[k]));
P9_LANES2(xviexpsp, w, p9_fpv_iexp_sp(a.w[k], b.w[k]));

/* Tests: the flags of all lanes together. */
#define XV_TEST(id, args, params, expr, n)                                                         \
	static uint64_t p9_v_##id params                                                           \
	{                                                                                          \
		unsigned cr = 0;                                                                   \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned k = 0; k < n; k++)                                                   \
			cr |= expr;                                                                \
		return cr;                                                                         \
	}                                                                                          \
	P9_HELPER(id, PURE_FLOAT, IR_I64, args, IR_V128, IR_V128)

#define TEST_AB (struct ir_env * env, const u128 *pa, const u128 *pb)
#define TEST_B  (struct ir_env * env, const u128 *pb)

XV_TEST(xvtdivdp, 2, TEST_AB,
	p9_fpu_tdiv(((union p9_vec){*pa}).d[k], ((union p9_vec){*pb}).d[k]), 2);
XV_TEST(xvtdivsp, 2, TEST_AB,
	p9_fpv_tdiv_sp(((union p9_vec){*pa}).w[k], ((union p9_vec){*pb}).w[k]), 4);
XV_TEST(xvtsqrtdp, 1, TEST_B, p9_fpu_tsqrt(((union p9_vec){*pb}).d[k]), 2);
XV_TEST(xvtsqrtsp, 1, TEST_B, p9_fpv_tsqrt_sp(((union p9_vec){*pb}).w[k]), 4);

static void p9_v_xvtstdcdp(P9_PARAMS_V, uint64_t dcmx)
{
	union p9_vec b = {*pa}, d;

	(void)env;
	for (unsigned k = 0; k < 2; k++)
		d.d[k] = p9_fpv_tstdc_dp(b.d[k], dcmx);
	*out = d.q;
}
P9_HELPER_V_VI(xvtstdcdp, IR_H_PURE);

static void p9_v_xvtstdcsp(P9_PARAMS_V, uint64_t dcmx)
{
	union p9_vec b = {*pa}, d;

	(void)env;
	for (unsigned k = 0; k < 4; k++)
		d.w[k] = p9_fpv_tstdc_sp(b.w[k], dcmx);
	*out = d.q;
}
P9_HELPER_V_VI(xvtstdcsp, IR_H_PURE);

/* VMX: pure, with VSCR[NJ] as an operand. */

#define VMX_AB(id, number, lane)                                                                           \
	static void p9_v_##id(P9_PARAMS_VV, uint64_t nj)                                           \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, d;                                              \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned k = 0; k < 4; k++)                                                   \
			d.w[k] = lane(a.w[k], b.w[k], nj);                                         \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_HELPER_AS(id, number, PURE_FLOAT, IR_V128, 3, IR_V128, IR_V128, IR_I64)

VMX_AB(vaddfp, IR_VFADD_QUIET, p9_vmx_addfp);
VMX_AB(vsubfp, IR_VFSUB_QUIET, p9_vmx_subfp);
VMX_AB(vmaxfp, IR_VFMAX_QUIET, p9_vmx_maxfp);
VMX_AB(vminfp, IR_VFMIN_QUIET, p9_vmx_minfp);
VMX_AB(vcmpbfp, IR_VFBOUNDS_QUIET, p9_vmx_cmpbfp);
VMX_AB(vcmpeqfp, IR_VFEQUAL_QUIET, p9_vmx_cmpeqfp);
VMX_AB(vcmpgefp, IR_VFNOT_LESS_QUIET, p9_vmx_cmpgefp);
VMX_AB(vcmpgtfp, IR_VFGREATER_QUIET, p9_vmx_cmpgtfp);

#define VMX_ABC(id, number, lane)                                                                          \
	static void p9_v_##id(P9_PARAMS_VVV, uint64_t nj)                                          \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, c = {*pc}, d;                                   \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned k = 0; k < 4; k++)                                                   \
			d.w[k] = lane(a.w[k], b.w[k], c.w[k], nj);                                 \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_HELPER_AS(id, number, PURE_FLOAT, IR_V128, 4, IR_V128, IR_V128, IR_V128, IR_I64)

VMX_ABC(vmaddfp, IR_VFMADD_QUIET, p9_vmx_maddfp);
VMX_ABC(vnmsubfp, IR_VFNMSUB_QUIET, p9_vmx_nmsubfp);

#define VMX_B(id, number, expr)                                                                            \
	static void p9_v_##id(P9_PARAMS_V, uint64_t nj)                                            \
	{                                                                                          \
		union p9_vec b = {*pa}, d;                                                         \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned k = 0; k < 4; k++)                                                   \
			d.w[k] = expr;                                                             \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_HELPER_AS(id, number, PURE_FLOAT, IR_V128, 2, IR_V128, IR_I64)

VMX_B(vrefp, IR_NOT_INTRINSIC, p9_vmx_refp(b.w[k], nj));
VMX_B(vrsqrtefp, IR_NOT_INTRINSIC, p9_vmx_rsqrtefp(b.w[k], nj));
VMX_B(vlogefp, IR_NOT_INTRINSIC, p9_vmx_logefp(b.w[k], nj));
VMX_B(vexptefp, IR_NOT_INTRINSIC, p9_vmx_exptefp(b.w[k], nj));
VMX_B(vrfin, IR_VFROUND_EVEN_QUIET, p9_vmx_rfi(b.w[k], P9_ROUND_NEAREST, nj));
VMX_B(vrfiz, IR_VFTRUNCATE_QUIET, p9_vmx_rfi(b.w[k], P9_ROUND_ZERO, nj));
VMX_B(vrfip, IR_VFCEILING_QUIET, p9_vmx_rfi(b.w[k], P9_ROUND_UP, nj));
VMX_B(vrfim, IR_VFFLOOR_QUIET, p9_vmx_rfi(b.w[k], P9_ROUND_DOWN, nj));

static void p9_v_vcfsx(P9_PARAMS_V, uint64_t uim)
{
	union p9_vec b = {*pa}, d;

	(void)env;
	for (unsigned k = 0; k < 4; k++)
		d.w[k] = p9_vmx_cfsx(b.w[k], uim);
	*out = d.q;
}
P9_HELPER_AS(vcfsx, IR_VFFROM_S32_QUIET, PURE_FLOAT, IR_V128, 2, IR_V128, IR_I64);

static void p9_v_vcfux(P9_PARAMS_V, uint64_t uim)
{
	union p9_vec b = {*pa}, d;

	(void)env;
	for (unsigned k = 0; k < 4; k++)
		d.w[k] = p9_vmx_cfux(b.w[k], uim);
	*out = d.q;
}
P9_HELPER_AS(vcfux, IR_VFFROM_U32_QUIET, PURE_FLOAT, IR_V128, 2, IR_V128, IR_I64);

/* Which lanes were out of range can be seen by the result; and denormals become 0 in any case. */
static void p9_v_vctsxs(P9_PARAMS_V, uint64_t uim)
{
	union p9_vec b = {*pa}, d;
	bool sat;

	(void)env;
	for (unsigned k = 0; k < 4; k++)
		d.w[k] = p9_vmx_ctsxs(b.w[k], uim, &sat, false);
	*out = d.q;
}
P9_HELPER_AS(vctsxs, IR_VFTO_S32_QUIET, PURE_FLOAT, IR_V128, 2, IR_V128, IR_I64);

static void p9_v_vctuxs(P9_PARAMS_V, uint64_t uim)
{
	bool nj = p9_of_env(env)->regs.vscr & P9_VSCR_NJ, sat = false;
	union p9_vec b = {*pa}, d;

	for (unsigned k = 0; k < 4; k++)
		d.w[k] = p9_vmx_ctuxs(b.w[k], uim, &sat, nj);
	if (sat)
		p9_set_sat(env);
	*out = d.q;
}
P9_HELPER_V_VI(vctuxs, P9_H_SATURATES | IR_H_FLOAT);
