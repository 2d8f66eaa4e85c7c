/*
 * C helpers of the fixed-point and storage instructions: what is long, rare, or depends on
 * registers known only when running. Called from IR (ir.h says how); the env is the processor.
 */
#ifndef ANYKVM_CPU_POWER9_HELPER_FIXED_H
#define ANYKVM_CPU_POWER9_HELPER_FIXED_H

#include "ir/ir.h"

/* Quotients of RA:0 by RB, 0 where it does not fit or RB is 0, and whether the signed one does not.
 */
extern const struct ir_helper p9_h_divde, p9_h_divdeu, p9_h_divde_overflows;

/* Bits and decimal digits: (RS), bpermd (RS, RB). */
extern const struct ir_helper p9_h_popcntb, p9_h_bpermd, p9_h_cdtbcd, p9_h_cbcdtd;

/* (EA, store): an alignment interrupt, always. */
extern const struct ir_helper p9_h_misaligned;

/* (EA, size, store): an alignment interrupt unless EA is a multiple of size. */
extern const struct ir_helper p9_h_check_aligned;

/* (EA, first register, byte count): load and store string, big-endian. */
extern const struct ir_helper p9_h_load_string, p9_h_store_string;

/* (EA): 128 bytes of zeros at EA, a multiple of 128. */

/* (EA): forget translations of the code in the 128 bytes around EA, on all processors. */
extern const struct ir_helper p9_h_invalidate_code;

/* (EA, FC | size << 8 | little-endian << 16, RT+1, RT+2) -> RT: lwat, ldat beyond IR's RMW. */
extern const struct ir_helper p9_h_amo_load;
/* (EA, the same, RS): store twin. */
extern const struct ir_helper p9_h_amo_store_twin;

#endif
