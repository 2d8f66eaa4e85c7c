/*
 * POWER9 instructions: their descriptions, the decoder, the fields of a decoded instruction, and
 * the disassembler. Power ISA 3.0B is the authority for all names.
 *
 * The instruction table is isa.def, one row per instruction; the comment there explains a row.
 * Fields and operands are tables too (isa/fields.def, isa/operands.def), of which the accessors
 * insn_<field>() below are made.
 *
 * Decoded fields are known when translating: they are plain numbers taken from a
 * `const struct p9_insn *`, never IR values.
 *
 * Ownership and locks: all tables are constant; the decoder's index is built once by whoever
 * decodes first and never changes afterwards. Every function may be called by any thread.
 */
#ifndef ANYKVM_CPU_POWER9_INSN_H
#define ANYKVM_CPU_POWER9_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct p9_translator;
struct p9_insn;

/* Emits the IR of one instruction. Defined by the semantics files, named in isa.def. */
typedef void p9_emit_fn(struct p9_translator *t, const struct p9_insn *i);

/* Members P9_OP_<id>, in the order of isa.def. */
enum p9_op {
#define P9_INSN(id, mnemonic, opc, operands, facility, privilege, flags, emit) P9_OP_##id,
#include "cpu/power9/isa.def"
#undef P9_INSN
	P9_OP_COUNT
};

/* Book I 1.6: instruction formats. */
enum p9_form {
	P9_FORM_A,
	P9_FORM_B,
	P9_FORM_D,
	P9_FORM_DQ,
	P9_FORM_DS,
	P9_FORM_DX,
	P9_FORM_I,
	P9_FORM_M,
	P9_FORM_MD,
	P9_FORM_MDS,
	P9_FORM_SC,
	P9_FORM_VA,
	P9_FORM_VC,
	P9_FORM_VX,
	P9_FORM_X,
	P9_FORM_XFL,
	P9_FORM_XFX,
	P9_FORM_XL,
	P9_FORM_XO,
	P9_FORM_XS,
	P9_FORM_XX1,
	P9_FORM_XX2,
	P9_FORM_XX3,
	P9_FORM_XX4,
	P9_FORM_Z22,
	P9_FORM_Z23,
};

/*
 * What must be enabled in MSR (and FSCR, HFSCR) for the instruction to execute; otherwise the
 * named unavailable interrupt. Three depend on the number n of the instruction's VSR operand.
 */
enum p9_facility {
	P9_FACILITY_BASE,
	P9_FACILITY_FP,
	P9_FACILITY_VEC,
	P9_FACILITY_VSX,
	P9_FACILITY_FP_OR_VEC,  /* n < 32: FP, else VEC */
	P9_FACILITY_VSX_OR_VEC, /* n < 32: VSX, else VEC */
	P9_FACILITY_DFP,        /* MSR[FP] */
	P9_FACILITY_TM,         /* MSR[TM]; FSCR, HFSCR[TM] */
	P9_FACILITY_BHRB,       /* FSCR, HFSCR[BHRB] */
	P9_FACILITY_EBB,        /* FSCR, HFSCR[EBB] */
	P9_FACILITY_TAR,        /* FSCR, HFSCR[TAR] */
	P9_FACILITY_SCV,        /* FSCR[SCV] */
	P9_FACILITY_MSGP,       /* HFSCR[MSGP] */
};

enum p9_privilege {
	P9_PRIV_USER,
	P9_PRIV_PRIV, /* privileged: MSR[PR] = 0 */
	P9_PRIV_HYPV, /* hypervisor privileged: MSR[HV PR] = 0b10 */
};

enum p9_flag {
	/* bits of the instruction word that modify it, and so the mnemonic's suffixes */
	P9_FLAG_RC = 1 << 0,     /* Rc in bit 31 (".") sets CR0 */
	P9_FLAG_RC_CR1 = 1 << 1, /* Rc in bit 31 sets CR1 from FPSCR[FX FEX VX OX] */
	P9_FLAG_RC_CR6 = 1 << 2, /* Rc in bit 21 (VC and XX3 compares) sets CR6 */
	P9_FLAG_OE = 1 << 3,     /* OE in bit 21 ("o") sets XER[SO OV OV32] */
	P9_FLAG_LK = 1 << 4,     /* LK in bit 31 ("l") writes LR */
	P9_FLAG_AA = 1 << 5,     /* AA in bit 30 ("a") */
	P9_FLAG_RO = 1 << 6,     /* RO in bit 31 ("o"): round to odd */
	P9_FLAG_EX = 1 << 7,     /* EX in bit 31 ("x"): may set FPSCR[XX] */
	/* storage; atomic read-modify-writes have both LOAD and STORE */
	P9_FLAG_LOAD = 1 << 8,
	P9_FLAG_STORE = 1 << 9,
	P9_FLAG_UPDATE = 1 << 10,  /* RA := EA */
	P9_FLAG_RESERVE = 1 << 11, /* load and reserve, store conditional */
	/* control flow */
	P9_FLAG_BRANCH = 1 << 12,
	P9_FLAG_TRAP = 1 << 13, /* may cause a trap-type program interrupt */
	P9_FLAG_ENDS_BLOCK =
	    1 << 14, /* does not always go on at the next one in the same context */
	/* effects beside the operands */
	P9_FLAG_CR0 = 1 << 15,      /* always sets CR0 */
	P9_FLAG_CR6 = 1 << 16,      /* always sets CR6 */
	P9_FLAG_CR_READ = 1 << 17,  /* reads all of CR */
	P9_FLAG_CA_READ = 1 << 18,  /* reads CA (mcrxrx: and CA32) */
	P9_FLAG_CA_WRITE = 1 << 19, /* sets CA and CA32 */
	P9_FLAG_OV_READ = 1 << 20,  /* reads OV (mcrxrx: and OV32) */
	P9_FLAG_OV_WRITE = 1 << 21, /* always sets OV and OV32, not SO: addex */
	P9_FLAG_CTR = 1 << 22,      /* reads CTR; decrements it where BO says so */
	P9_FLAG_FPSCR = 1 << 23,    /* sets status or result bits of FPSCR */
	P9_FLAG_SAT = 1 << 24,      /* may set VSCR[SAT] */
	/* invalid forms: what the hardware does then is undefined, so random tests avoid them */
	P9_FLAG_INVALID_RA_0 = 1 << 25,
	P9_FLAG_INVALID_RA_EQ_RT = 1 << 26,
	P9_FLAG_INVALID_RA_IN_RT = 1 << 27, /* RA, or RB if any, among the registers loaded */
	P9_FLAG_INVALID_ODD = 1 << 28,      /* an odd register where a pair must be named */
};

#define P9_OPERANDS_MAX 6

enum p9_operand {
	P9_OPND_NONE,
#define P9_OPERAND(id, name, field, kind, access) P9_OPND_##id,
#include "cpu/power9/isa/operands.def"
#undef P9_OPERAND
	P9_OPND_COUNT
};

enum p9_kind {
	P9_KIND_GPR,
	P9_KIND_GPR_PAIR,  /* n (even) and n + 1 */
	P9_KIND_GPR_GROUP, /* several from n on */
	P9_KIND_FPR,
	P9_KIND_FPR_PAIR,
	P9_KIND_VR,
	P9_KIND_VSR,
	P9_KIND_CR_FIELD,
	P9_KIND_CR_BIT,
	P9_KIND_CR_MASK,
	P9_KIND_FPSCR_FIELD,
	P9_KIND_FPSCR_BIT,
	P9_KIND_FPSCR_MASK,
	P9_KIND_SPR,
	P9_KIND_SIMM,
	P9_KIND_UIMM,
	P9_KIND_DISP,   /* signed, in bytes; the next operand is the base register */
	P9_KIND_TARGET, /* signed, in bytes; relative to the instruction unless AA */
};

enum p9_access {
	P9_ACCESS_NONE,
	P9_ACCESS_READ,
	P9_ACCESS_READ0, /* register 0 stands for the number 0 */
	P9_ACCESS_WRITE,
	P9_ACCESS_RW,
};

/* One row of isa.def. */
struct p9_insn_desc {
	const char *mnemonic; /* without the suffixes that flags tell */
	p9_emit_fn *emit;     /* NULL: not implemented yet */
	uint32_t value;       /* a word is this instruction if (word & mask) == value, */
	uint32_t mask;        /* and no row with more mask bits matches */
	uint32_t flags;       /* P9_FLAG_* */
	uint16_t op;          /* enum p9_op */
	uint8_t form;         /* enum p9_form */
	uint8_t facility;     /* enum p9_facility */
	uint8_t privilege;    /* enum p9_privilege */
	uint8_t operands[P9_OPERANDS_MAX]; /* enum p9_operand in assembly order, then NONE */
};

/* A decoded instruction. */
struct p9_insn {
	uint32_t raw; /* the word, in host byte order */
	uint16_t op;  /* enum p9_op */
	const struct p9_insn_desc *desc;
};

/*
 * Decode a word. False: an illegal instruction (then *out has no description and must not be
 * used further).
 */
bool p9_decode(uint32_t raw, struct p9_insn *out);

/* All rows; element n is that of enum p9_op n. */
const struct p9_insn_desc *p9_insn_table(size_t *count);

/*
 * The reserved bits of a row's words: neither opcode, nor operand, nor modifier (Rc, OE, ...).
 * The hardware ignores them; programs, and so random tests, should have them 0.
 */
uint32_t p9_insn_reserved(const struct p9_insn_desc *d);

/*
 * Write the instruction at address pc in the ISA's assembly syntax, base mnemonics only, as
 * "mnemonic operands", or ".long 0x..." for an illegal one. Returns the length as snprintf does.
 */
int p9_disasm(uint32_t raw, uint64_t pc, char *buf, size_t len);

/*
 * The accessors: unsigned insn_RT(i), int64_t insn_SI(i) ... See isa/fields.def.
 */
#define P9_BITS(first, last)                                                                       \
	v = v << ((last) - (first) + 1);                                                           \
	v |= i->raw >> (31 - (last)) & UINT32_C(0xffffffff) >> (31 - (last) + (first));            \
	width += (last) - (first) + 1;
#define P9_FIELD_U(name, scale, pieces)                                                            \
	static inline unsigned insn_##name(const struct p9_insn *i)                                \
	{                                                                                          \
		uint32_t v = 0, width = 0;                                                         \
		pieces;                                                                            \
		(void)width;                                                                       \
		return v << (scale);                                                               \
	}
#define P9_FIELD_S(name, scale, pieces)                                                            \
	static inline int64_t insn_##name(const struct p9_insn *i)                                 \
	{                                                                                          \
		uint32_t v = 0, width = 0;                                                         \
		pieces;                                                                            \
		v <<= 32 - width;                                                                  \
		return (int64_t)((int32_t)v >> (32 - width)) * (1 << (scale));                     \
	}
#include "cpu/power9/isa/fields.def"
#undef P9_FIELD_S
#undef P9_FIELD_U
#undef P9_BITS

enum p9_field_id {
#define P9_FIELD_U(name, scale, pieces) P9_FIELD_##name,
#define P9_FIELD_S(name, scale, pieces) P9_FIELD_##name,
#include "cpu/power9/isa/fields.def"
#undef P9_FIELD_S
#undef P9_FIELD_U
	P9_FIELD_COUNT
};

/* One row of isa/operands.def. */
struct p9_operand_desc {
	const char *name; /* the manual's */
	uint8_t field;    /* enum p9_field_id */
	uint8_t kind;     /* enum p9_kind */
	uint8_t access;   /* enum p9_access */
};

/* The description of an operand; op is not P9_OPND_NONE. */
const struct p9_operand_desc *p9_operand(enum p9_operand op);

/* All of the operand's bits in the word. */
uint32_t p9_operand_mask(enum p9_operand op);

/* The operand's value: register number, number, or byte displacement. */
int64_t p9_operand_get(uint32_t raw, enum p9_operand op);

/* The word with that operand replaced; what does not fit the field is cut off. */
uint32_t p9_operand_set(uint32_t raw, enum p9_operand op, int64_t value);

/* Prototypes p9_emit_<name> of all semantic functions that isa.def names. */
#define P9_PROTOTYPE_NONE
#define P9_PROTOTYPE_EMIT(name) p9_emit_fn p9_emit_##name;

#define P9_INSN(id, mnemonic, opc, operands, facility, privilege, flags, emit) P9_PROTOTYPE_##emit
#include "cpu/power9/isa.def"
#undef P9_INSN
#undef P9_PROTOTYPE_EMIT
#undef P9_PROTOTYPE_NONE

#endif
