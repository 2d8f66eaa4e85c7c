/*
 * Properties of IR operations, for those who walk a region: printer, checker, optimiser, executors.
 */
#ifndef ANYKVM_IR_OP_H
#define ANYKVM_IR_OP_H

#include "ir/ir.h"

enum ir_op_flags {
	IR_OP_SIDE = 1,  /* has an effect or an order: never removed, nor moved over another */
	IR_OP_FAULT = 2, /* may leave the region with a fault */
	IR_OP_END = 4,   /* ends a block */
};

struct ir_op_info {
	const char *name;
	uint8_t nargs; /* value operands; for CALL the most that there are */
	char result;   /* 'V', 'T', 'L', 'W' or 'X', as in IR_OPS */
	uint8_t flags; /* enum ir_op_flags; those of a CALL depend on its helper */
};

extern const struct ir_op_info ir_op_info[IR_OP_COUNT];

static inline const struct ir_helper *ir_helper_of(const struct ir_inst *i)
{
	return (const struct ir_helper *)(uintptr_t)i->imm;
}

static inline unsigned ir_nargs(const struct ir_inst *i)
{
	return i->op == IR_CALL ? ir_helper_of(i)->nargs : ir_op_info[i->op].nargs;
}

/* Must it stay where it is, even if nobody uses its result? */
static inline bool ir_has_side(const struct ir_inst *i)
{
	if (i->op == IR_CALL)
		return !(ir_helper_of(i)->flags & IR_H_PURE);
	return ir_op_info[i->op].flags & IR_OP_SIDE;
}

static inline bool ir_may_fault(const struct ir_inst *i)
{
	if (i->op == IR_CALL)
		return ir_helper_of(i)->flags & IR_H_FAULTS;
	return ir_op_info[i->op].flags & IR_OP_FAULT;
}

static inline bool ir_ends_block(const struct ir_inst *i)
{
	return ir_op_info[i->op].flags & IR_OP_END;
}

static inline bool ir_calls_with(const struct ir_inst *i, unsigned helper_flags)
{
	return i->op == IR_CALL && (ir_helper_of(i)->flags & helper_flags);
}

/* Does it write guest state that is not named in it? */
static inline bool ir_clobbers_state(const struct ir_inst *i)
{
	return ir_calls_with(i, IR_H_WRITES_STATE);
}

/*
 * Inside a block: must all guest state be exact when it starts? An instruction that may fault
 * shows the state to the exception handler, a helper reads or partly overwrites it, a poll
 * hands it to the run loop.
 */
static inline bool ir_observes_state(const struct ir_inst *i)
{
	return ir_may_fault(i) || i->op == IR_POLL ||
	       ir_calls_with(i, IR_H_READS_STATE | IR_H_WRITES_STATE);
}

static inline unsigned ir_type_size(enum ir_type t)
{
	return t == IR_V128 ? 16 : t == IR_I64 ? 8 : 4;
}

static inline unsigned ir_type_bits(enum ir_type t)
{
	return 8 * ir_type_size(t);
}

/*
 * By block id: the guest instruction that the block starts in the middle of, UINT64_MAX for blocks that
 * start with one. It is carried from block to block; predecessors agree (ir_check).
 */
void ir_block_pcs(const struct ir_region *r, uint64_t *pcs);

/* The blocks that an instruction may branch to. */
static inline unsigned ir_targets(const struct ir_inst *i, uint32_t target[2])
{
	if (i->op == IR_BR) {
		target[0] = i->arg[1];
		target[1] = i->arg[2];
		return 2;
	}
	if (i->op == IR_JUMP) {
		target[0] = i->arg[1];
		return 1;
	}
	return 0;
}

/* Two constants of one value? */
static inline bool ir_same_constant(const struct ir_inst *a, const struct ir_inst *b)
{
	return (a->op == IR_CONST || a->op == IR_PC || a->op == IR_VCONST) && a->op == b->op && a->type == b->type &&
	       a->imm == b->imm;
}

/* What is added to the address of a LOAD or STORE, to the host address of a LOAD_HOST or STORE_HOST. */
static inline int32_t ir_disp_of(const struct ir_inst *i)
{
	return (int32_t)(i->imm >> 32);
}

/* The same access with another displacement. */
static inline uint64_t ir_with_disp(uint64_t imm, int32_t disp)
{
	return (uint32_t)imm | (uint64_t)(uint32_t)disp << 32;
}

/* What a PROBE asks for: see ir.h. */
struct ir_probe {
	enum mem_access kind; /* of the first access: MEM_READ, MEM_WRITE */
	bool both;            /* there are loads and stores */
	uint8_t size;
	int16_t at, low, high; /* from the base */
};

#define IR_PROBE_MAX 2048 /* bytes that one may span */

static inline struct ir_probe ir_probe_of(uint64_t imm, uint16_t aux)
{
	return (struct ir_probe){
		.kind = (enum mem_access)(aux & 3),
		.both = aux >> 2 & 1,
		.size = imm & 0xff,
		.at = (int16_t)(imm >> 16),
		.low = (int16_t)(imm >> 32),
		.high = (int16_t)(imm >> 48),
	};
}

static inline uint16_t ir_probe_aux(struct ir_probe p)
{
	return (uint16_t)(p.kind | p.both << 2);
}

static inline uint64_t ir_probe_imm(struct ir_probe p)
{
	return p.size | (uint64_t)(uint16_t)p.at << 16 | (uint64_t)(uint16_t)p.low << 32 |
	       (uint64_t)(uint16_t)p.high << 48;
}

/* Are there stores among what it answers for? */
static inline bool ir_probe_stores(struct ir_probe p)
{
	return p.both || p.kind == MEM_WRITE;
}

/*
 * Of LOAD, STORE and PROBE: the window of the TLB (tlb.h) that the access goes through first, plus 1; 0: none. A
 * hint, to which nobody need pay attention.
 */
static inline unsigned ir_window_of(uint64_t imm, enum ir_op op)
{
	return imm >> (op == IR_PROBE ? 8 : 16) & 0xff;
}

/* What it must allow: of LOAD, STORE and PROBE. */
static inline enum tlb_window_kind ir_window_kind(const struct ir_inst *i)
{
	struct ir_probe p;

	if (i->op != IR_PROBE)
		return i->op == IR_STORE ? TLB_WINDOW_WRITE : TLB_WINDOW_READ;
	p = ir_probe_of(i->imm, i->aux);
	if (p.both)
		return TLB_WINDOW_BOTH;
	return p.kind == MEM_WRITE ? TLB_WINDOW_WRITE : TLB_WINDOW_READ;
}

static inline uint64_t ir_with_window(uint64_t imm, enum ir_op op, unsigned window)
{
	unsigned at = op == IR_PROBE ? 8 : 16;

	return (imm & ~(UINT64_C(0xff) << at)) | (uint64_t)window << at;
}

/* Position and length of an EXTRACT's or a DEPOSIT's field. */
static inline unsigned ir_field_pos(const struct ir_inst *i)
{
	return i->imm & 0xff;
}

static inline unsigned ir_field_len(const struct ir_inst *i)
{
	return i->imm >> 8 & 0xff;
}

static inline uint64_t ir_low_mask(unsigned bits)
{
	return bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
}

#endif
