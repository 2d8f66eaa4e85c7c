/*
 * Lane conversions of VSX vector instructions. A single goes the way of a double: p9_fpu_double
 * gives the double of the same value, or NaN of the same kind, and p9_fpu_single takes it back.
 */
#include "cpu/power9/fpu_core.h"
#include "cpu/power9/fpu_fast.h"

static void gather(uint64_t *raised, const struct p9_fp_op *op)
{
	*raised |= op->raised & P9_FPSCR_STICKY;
}

uint64_t p9_fpv_ri_dp(uint64_t fpscr, uint64_t *raised, uint64_t b, enum p9_fp_round mode,
		      bool exact)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, &p9_fp_double);
	uint64_t r = p9_fp_double_integral(&op, b, mode, exact);

	gather(raised, &op);
	return r;
}

uint32_t p9_fpv_ri_sp(uint64_t fpscr, uint64_t *raised, uint32_t b, enum p9_fp_round mode,
		      bool exact)
{
	return p9_fpu_single(p9_fpv_ri_dp(fpscr, raised, p9_fpu_double(b), mode, exact));
}

static uint64_t convert(uint64_t fpscr, uint64_t *raised, uint64_t b,
			const struct p9_fp_format *from, const struct p9_fp_format *to)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, to);
	struct p9_fp_num r = p9_fp_convert(&op, from, b);

	gather(raised, &op);
	return (uint64_t)p9_fp_pack(to, &r);
}

uint32_t p9_fpv_cvdpsp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	struct p9_fast r = {.bits = b};

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_narrow(&r))) {
		*raised |= r.error ? P9_FPSCR_XX : 0;
		return p9_fast_to_single(r.bits);
	}
	return (uint32_t)convert(fpscr, raised, b, &p9_fp_double, &p9_fp_single);
}

uint64_t p9_fpv_cvspdp(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	/* Exact, unless there is a NaN to be quieted. */
	if (LIKELY((b & 0x7f800000) != 0x7f800000))
		return p9_fpu_double(b);
	return convert(fpscr, raised, b, &p9_fp_single, &p9_fp_double);
}

uint16_t p9_fpv_cvsphp(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	return (uint16_t)convert(fpscr, raised, b, &p9_fp_single, &p9_fp_half);
}

uint32_t p9_fpv_cvhpsp(uint64_t fpscr, uint64_t *raised, uint16_t b)
{
	return (uint32_t)convert(fpscr, raised, b, &p9_fp_half, &p9_fp_single);
}

static uint64_t to_int(uint64_t fpscr, uint64_t *raised, uint64_t b, unsigned bits, bool is_signed)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, &p9_fp_double);
	uint64_t r = p9_fp_double_to_int(&op, b, P9_ROUND_ZERO, bits, is_signed);

	gather(raised, &op);
	return r;
}

uint64_t p9_fpv_cvdpsxds(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return to_int(fpscr, raised, b, 64, true);
}

uint64_t p9_fpv_cvdpuxds(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return to_int(fpscr, raised, b, 64, false);
}

uint32_t p9_fpv_cvdpsxws(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return (uint32_t)to_int(fpscr, raised, b, 32, true);
}

uint32_t p9_fpv_cvdpuxws(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return (uint32_t)to_int(fpscr, raised, b, 32, false);
}

uint64_t p9_fpv_cvspsxds(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	return to_int(fpscr, raised, p9_fpu_double(b), 64, true);
}

uint64_t p9_fpv_cvspuxds(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	return to_int(fpscr, raised, p9_fpu_double(b), 64, false);
}

uint32_t p9_fpv_cvspsxws(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	return (uint32_t)to_int(fpscr, raised, p9_fpu_double(b), 32, true);
}

uint32_t p9_fpv_cvspuxws(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	return (uint32_t)to_int(fpscr, raised, p9_fpu_double(b), 32, false);
}

static uint64_t from_int(uint64_t fpscr, uint64_t *raised, uint64_t v, bool is_signed, int prec)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, &p9_fp_double);
	uint64_t r = p9_fp_double_from_int(&op, v, is_signed, prec);

	gather(raised, &op);
	return r;
}

uint64_t p9_fpv_cvsxddp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return from_int(fpscr, raised, b, true, 53);
}

uint64_t p9_fpv_cvuxddp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return from_int(fpscr, raised, b, false, 53);
}

uint32_t p9_fpv_cvsxdsp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return p9_fpu_single(from_int(fpscr, raised, b, true, 24));
}

uint32_t p9_fpv_cvuxdsp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	return p9_fpu_single(from_int(fpscr, raised, b, false, 24));
}

uint64_t p9_fpv_cvsxwdp(uint32_t b)
{
	uint64_t none = 0;

	return from_int(0, &none, sext64(b, 32), true, 53);
}

uint64_t p9_fpv_cvuxwdp(uint32_t b)
{
	uint64_t none = 0;

	return from_int(0, &none, b, false, 53);
}

uint32_t p9_fpv_cvsxwsp(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	return p9_fpu_single(from_int(fpscr, raised, sext64(b, 32), true, 24));
}

uint32_t p9_fpv_cvuxwsp(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	return p9_fpu_single(from_int(fpscr, raised, b, false, 24));
}
