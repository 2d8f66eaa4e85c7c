/*
 * A field of the condition register as regs.crf keeps it: so that a comparison gives it by two
 * conditional bytes (IR_CMP3S, IR_CMP3U), without a look at XER[SO], which is a mode of translation.
 *
 *   byte 0, bit 0  LT      byte 1, bit 0  EQ
 *           bit 1  SO
 *           bit 2  GT is set though LT or EQ is, or clear though neither is
 *
 * GT is what says that LT and EQ are clear, but for that bit. All other bits are zero.
 */
#ifndef ANYKVM_CPU_POWER9_CR_H
#define ANYKVM_CPU_POWER9_CR_H

#include <stdint.h>

#define P9_CRF_LT  0x001u
#define P9_CRF_SO  0x002u
#define P9_CRF_ODD 0x004u
#define P9_CRF_EQ  0x100u

/* How many low bits can be one; and the place of each of them. */
#define P9_CRF_BITS    9
#define P9_CRF_LT_BIT  0
#define P9_CRF_SO_BIT  1
#define P9_CRF_ODD_BIT 2
#define P9_CRF_EQ_BIT  8

/*
 * Tables of four bits an entry. P9_CRF_LOW: byte 0, by the field's architected value (LT 8, GT 4, EQ 2,
 * SO 1). P9_CRF_VALUE: that value, by byte 0 with EQ as bit 3.
 */
#define P9_CRF_LOW   UINT64_C(0x7575313164202064)
#define P9_CRF_VALUE UINT64_C(0xf7e6b3a2d1c09584)

static inline uint64_t p9_crf_encode(unsigned v)
{
	return (P9_CRF_LOW >> 4 * (v & 15) & 7) | (v & 2) << 7;
}

static inline unsigned p9_crf_decode(uint64_t w)
{
	return P9_CRF_VALUE >> 4 * ((w | w >> 5) & 15) & 15;
}

#endif
