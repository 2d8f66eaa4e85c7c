/*
 * The opcode column of isa.def: each OPC_ macro names a form and gives its opcode fields, in the
 * order in which they stand in the word, and becomes the initialisers of .form, .value and .mask.
 *
 * Where a form has opcode fields besides the primary and the extended opcode, the macro's name
 * has a suffix:
 *   _RC1  bit 31 is part of the opcode and 1 (the mnemonic's dot is not optional)
 *   _EO   bits 11:15 extend the opcode
 */
#ifndef ANYKVM_CPU_POWER9_ISA_FORMS_H
#define ANYKVM_CPU_POWER9_ISA_FORMS_H

/* A value in bits first..last of the word, in the manual's numbers. */
#define P9_AT(first, last, v) ((uint32_t)(v) << (31 - (last)))
#define P9_ONES(first, last)  (UINT32_C(0xffffffff) >> (31 - (last) + (first)) << (31 - (last)))

#define P9_PATTERN0(f, po) .form = P9_FORM_##f, .value = P9_AT(0, 5, po), .mask = P9_ONES(0, 5)

#define P9_PATTERN1(f, po, b1, e1, v1)                                                             \
	.form = P9_FORM_##f, .value = P9_AT(0, 5, po) | P9_AT(b1, e1, v1),                         \
	.mask = P9_ONES(0, 5) | P9_ONES(b1, e1)

#define P9_PATTERN2(f, po, b1, e1, v1, b2, e2, v2)                                                 \
	.form = P9_FORM_##f, .value = P9_AT(0, 5, po) | P9_AT(b1, e1, v1) | P9_AT(b2, e2, v2),     \
	.mask = P9_ONES(0, 5) | P9_ONES(b1, e1) | P9_ONES(b2, e2)

#define P9_PATTERN3(f, po, b1, e1, v1, b2, e2, v2, b3, e3, v3)                                     \
	.form = P9_FORM_##f,                                                                       \
	.value = P9_AT(0, 5, po) | P9_AT(b1, e1, v1) | P9_AT(b2, e2, v2) | P9_AT(b3, e3, v3),      \
	.mask = P9_ONES(0, 5) | P9_ONES(b1, e1) | P9_ONES(b2, e2) | P9_ONES(b3, e3)

#define P9_OPC_I(po)       P9_PATTERN0(I, po)
#define P9_OPC_B(po)       P9_PATTERN0(B, po)
#define P9_OPC_SC(po)      P9_PATTERN1(SC, po, 30, 30, 1)
#define P9_OPC_SCV(po)     P9_PATTERN1(SC, po, 30, 31, 1)
#define P9_OPC_D(po)       P9_PATTERN0(D, po)
#define P9_OPC_DS(po, xo)  P9_PATTERN1(DS, po, 30, 31, xo)
#define P9_OPC_DQ(po, xo)  P9_PATTERN1(DQ, po, 29, 31, xo)
#define P9_OPC_DQ_LQ(po)   P9_PATTERN0(DQ, po)
#define P9_OPC_DX(po, xo)  P9_PATTERN1(DX, po, 26, 30, xo)
#define P9_OPC_M(po)       P9_PATTERN0(M, po)
#define P9_OPC_MD(po, xo)  P9_PATTERN1(MD, po, 27, 29, xo)
#define P9_OPC_MDS(po, xo) P9_PATTERN1(MDS, po, 27, 30, xo)
#define P9_OPC_A(po, xo)   P9_PATTERN1(A, po, 26, 30, xo)
#define P9_OPC_XO(po, xo)  P9_PATTERN1(XO, po, 22, 30, xo)
#define P9_OPC_XS(po, xo)  P9_PATTERN1(XS, po, 21, 29, xo)
#define P9_OPC_XL(po, xo)  P9_PATTERN1(XL, po, 21, 30, xo)
#define P9_OPC_XFX(po, xo) P9_PATTERN1(XFX, po, 21, 30, xo)
#define P9_OPC_XFL(po, xo) P9_PATTERN1(XFL, po, 21, 30, xo)
#define P9_OPC_Z22(po, xo) P9_PATTERN1(Z22, po, 22, 30, xo)
#define P9_OPC_Z23(po, xo) P9_PATTERN1(Z23, po, 23, 30, xo)

#define P9_OPC_X(po, xo)     P9_PATTERN1(X, po, 21, 30, xo)
#define P9_OPC_X_RC1(po, xo) P9_PATTERN2(X, po, 21, 30, xo, 31, 31, 1)
/* EO before XO, as they stand in the word. */
#define P9_OPC_X_EO(po, eo, xo) P9_PATTERN2(X, po, 11, 15, eo, 21, 30, xo)
/* copy, paste.: bit 10 is 1 */
#define P9_OPC_X_L1(po, xo)     P9_PATTERN2(X, po, 10, 10, 1, 21, 30, xo)
#define P9_OPC_X_L1_RC1(po, xo) P9_PATTERN3(X, po, 10, 10, 1, 21, 30, xo, 31, 31, 1)
/* xxspltib: bits 11:12 */
#define P9_OPC_X_EO2(po, eo, xo) P9_PATTERN2(X, po, 11, 12, eo, 21, 30, xo)
/* mfcr and mfocrf, mtcrf and mtocrf: bit 11 */
#define P9_OPC_XFX_BIT11(po, b, xo) P9_PATTERN2(XFX, po, 11, 11, b, 21, 30, xo)

#define P9_OPC_VA(po, xo)        P9_PATTERN1(VA, po, 26, 31, xo)
#define P9_OPC_VC(po, xo)        P9_PATTERN1(VC, po, 22, 31, xo)
#define P9_OPC_VX(po, xo)        P9_PATTERN1(VX, po, 21, 31, xo)
#define P9_OPC_VX_EO(po, eo, xo) P9_PATTERN2(VX, po, 11, 15, eo, 21, 31, xo)
/* decimal: bit 21 is 1, PS (or reserved) in bit 22, XO in bits 23:31 */
#define P9_OPC_VX_BCD(po, xo)        P9_PATTERN2(VX, po, 21, 21, 1, 23, 31, xo)
#define P9_OPC_VX_BCD_EO(po, eo, xo) P9_PATTERN3(VX, po, 11, 15, eo, 21, 21, 1, 23, 31, xo)

#define P9_OPC_XX1(po, xo) P9_PATTERN1(XX1, po, 21, 30, xo)
/* lxvx: bits 21:24 and 26:30, bit 25 reserved */
#define P9_OPC_XX1_LXVX(po, xo1, xo2) P9_PATTERN2(XX1, po, 21, 24, xo1, 26, 30, xo2)
#define P9_OPC_XX2(po, xo)            P9_PATTERN1(XX2, po, 21, 29, xo)
#define P9_OPC_XX2_EO(po, eo, xo)     P9_PATTERN2(XX2, po, 11, 15, eo, 21, 29, xo)
/* xvtstdcsp, xvtstdcdp: XO around the pieces of DCMX */
#define P9_OPC_XX2_DCMX(po, xo1, xo2) P9_PATTERN2(XX2, po, 21, 24, xo1, 26, 28, xo2)
#define P9_OPC_XX3(po, xo)            P9_PATTERN1(XX3, po, 21, 28, xo)
/* compares: Rc in bit 21 */
#define P9_OPC_XX3_RC(po, xo) P9_PATTERN1(XX3, po, 22, 28, xo)
/* xxsldwi, xxpermdi: bit 21 is 0, SHW or DM in bits 22:23 */
#define P9_OPC_XX3_DM(po, xo) P9_PATTERN2(XX3, po, 21, 21, 0, 24, 28, xo)
#define P9_OPC_XX4(po, xo)    P9_PATTERN1(XX4, po, 26, 27, xo)

#endif
