/*
 * Decimal tests (Power ISA 3.0B, Book I 5.6.3): no exceptions.
 */
#include "cpu/power9/dfp_core.h"

/* The CR field of dtstdc and dtstdg: the sign, and whether a class asked for is the number's. */
static unsigned sign_and_match(uint64_t *fpscr, const struct p9_dfp_num *a, bool match)
{
	return p9_dfp_set_fpcc(fpscr, (a->neg ? 8u : 0) | (match ? 2u : 0));
}

unsigned p9_dfp_tstdc(P9_DFP_ARGS, p9_u128 bits, unsigned dcm)
{
	struct p9_dfp_num a = p9_dfp_unpack(f, bits);
	unsigned class;

	if (a.cls == P9_DFP_SNAN)
		class = 0x01;
	else if (a.cls == P9_DFP_QNAN)
		class = 0x02;
	else if (a.cls == P9_DFP_INF)
		class = 0x04;
	else if (!a.coef)
		class = 0x20;
	else
		class = p9_dfp_is_subnormal(f, &a) ? 0x10 : 0x08;
	return sign_and_match(fpscr, &a, dcm & class);
}

unsigned p9_dfp_tstdg(P9_DFP_ARGS, p9_u128 bits, unsigned dgm)
{
	struct p9_dfp_num a = p9_dfp_unpack(f, bits);
	bool extreme = a.exp == p9_dfp_min_exp(f) || a.exp == f->emax;
	unsigned class;

	if (a.cls != P9_DFP_FINITE)
		class = 0x01;
	else if (!a.coef)
		class = extreme ? 0x10 : 0x20;
	else if (extreme || p9_dfp_is_subnormal(f, &a))
		class = 0x08;
	else
		class = p9_dfp_digits(a.coef) < f->digits ? 0x04 : 0x02;
	return sign_and_match(fpscr, &a, dgm & class);
}

unsigned p9_dfp_tstex(P9_DFP_ARGS, p9_u128 abits, p9_u128 bbits)
{
	struct p9_dfp_num a = p9_dfp_unpack(f, abits), b = p9_dfp_unpack(f, bbits);
	unsigned cr = P9_CR_EQ;

	/* Infinities have equal exponents, and so have NaNs of both kinds. */
	if (a.cls != P9_DFP_FINITE || b.cls != P9_DFP_FINITE) {
		if ((a.cls == P9_DFP_INF) != (b.cls == P9_DFP_INF) ||
		    p9_dfp_is_nan(&a) != p9_dfp_is_nan(&b))
			cr = P9_CR_UN;
	} else if (a.exp != b.exp) {
		cr = a.exp < b.exp ? P9_CR_LT : P9_CR_GT;
	}
	return p9_dfp_set_fpcc(fpscr, cr);
}

/* How does k compare with the number of significant digits, which zero has none of? */
unsigned p9_dfp_tstsf(P9_DFP_ARGS, uint64_t k, p9_u128 bits)
{
	struct p9_dfp_num b = p9_dfp_unpack(f, bits);
	int wanted = (int)(k & 63), digits = p9_dfp_digits(b.coef);
	unsigned cr = P9_CR_EQ;

	if (b.cls != P9_DFP_FINITE)
		cr = P9_CR_UN;
	else if (!wanted || wanted > digits)
		cr = P9_CR_GT;
	else if (wanted < digits)
		cr = P9_CR_LT;
	return p9_dfp_set_fpcc(fpscr, cr);
}
