/*
 * The FPSCR and the instructions that move it (Power ISA 3.0B, 4.2.2 and 4.6.10).
 */
#include "cpu/power9/fpu.h"

/* What mffsl, mffscdrn[i] and mffscrn[i] return. */
#define CONTROL (P9_FPSCR_DRN | P9_FPSCR_ENABLES | P9_FPSCR_NI | P9_FPSCR_RN)

uint64_t p9_fpscr_summarise(uint64_t fpscr)
{
	fpscr &= P9_FPSCR_WRITABLE;
	if (fpscr & P9_FPSCR_VX_ANY)
		fpscr |= P9_FPSCR_VX;
	/* VX OX UX ZX XX stand in the order of VE OE UE ZE XE, 22 bits higher. */
	if ((fpscr >> 22) & fpscr & P9_FPSCR_ENABLES)
		fpscr |= P9_FPSCR_FEX;
	return fpscr;
}

uint64_t p9_fpscr_mffs(uint64_t fpscr)
{
	return fpscr;
}

uint64_t p9_fpscr_mffsl(uint64_t fpscr)
{
	return fpscr & (CONTROL | P9_FPSCR_FR | P9_FPSCR_FI | P9_FPSCR_FPRF);
}

uint64_t p9_fpscr_mffsce(uint64_t *fpscr)
{
	uint64_t before = *fpscr;

	*fpscr = p9_fpscr_summarise(before & ~P9_FPSCR_ENABLES);
	return before;
}

uint64_t p9_fpscr_mffscdrn(uint64_t *fpscr, uint64_t frb)
{
	uint64_t before = *fpscr;

	*fpscr = (before & ~P9_FPSCR_DRN) | (frb & P9_FPSCR_DRN);
	return before & CONTROL;
}

uint64_t p9_fpscr_mffscdrni(uint64_t *fpscr, unsigned drn)
{
	return p9_fpscr_mffscdrn(fpscr, (uint64_t)drn << 32);
}

uint64_t p9_fpscr_mffscrn(uint64_t *fpscr, uint64_t frb)
{
	uint64_t before = *fpscr;

	*fpscr = (before & ~P9_FPSCR_RN) | (frb & P9_FPSCR_RN);
	return before & CONTROL;
}

uint64_t p9_fpscr_mffscrni(uint64_t *fpscr, unsigned rn)
{
	return p9_fpscr_mffscrn(fpscr, rn);
}

/* Four-bit field n of the FPSCR, 0 being the most significant of the 64 bits. */
static uint64_t field_mask(unsigned n)
{
	return UINT64_C(15) << (60 - 4 * n);
}

void p9_fpscr_mtfsf(uint64_t *fpscr, uint64_t frb, unsigned flm, unsigned l, unsigned w)
{
	uint64_t mask = 0;

	if (l) {
		mask = ~UINT64_C(0);
	} else {
		for (unsigned i = 0; i < 8; i++) {
			if (flm & 0x80 >> i)
				mask |= field_mask(i + 8 * !w);
		}
	}
	*fpscr = p9_fpscr_summarise((*fpscr & ~mask) | (frb & mask));
}

void p9_fpscr_mtfsfi(uint64_t *fpscr, unsigned bf, unsigned u, unsigned w)
{
	unsigned n = (bf & 7) + 8 * !w;

	*fpscr = p9_fpscr_summarise((*fpscr & ~field_mask(n)) | (uint64_t)(u & 15) << (60 - 4 * n));
}

void p9_fpscr_mtfsb0(uint64_t *fpscr, unsigned bt)
{
	*fpscr = p9_fpscr_summarise(*fpscr & ~BIT64_BE(32 + (bt & 31)));
}

void p9_fpscr_mtfsb1(uint64_t *fpscr, unsigned bt)
{
	uint64_t bit = BIT64_BE(32 + (bt & 31));

	/* FEX and VX cannot be set by name; summarise computes them anyway. */
	if (bit & P9_FPSCR_STICKY & ~*fpscr)
		*fpscr |= P9_FPSCR_FX;
	*fpscr = p9_fpscr_summarise(*fpscr | bit);
}

unsigned p9_fpscr_mcrfs(uint64_t *fpscr, unsigned bfa)
{
	unsigned n = 8 + (bfa & 7);
	uint64_t field = *fpscr & field_mask(n);

	*fpscr = p9_fpscr_summarise(*fpscr & ~(field & (P9_FPSCR_FX | P9_FPSCR_STICKY)));
	return (unsigned)(field >> (60 - 4 * n));
}
