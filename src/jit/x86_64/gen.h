/*
 * Generating x86-64 code from one region: the state of it, and what its parts offer each other.
 *
 * Host registers while compiled code runs:
 *   rbp  the env (+ bias)   r14  the TLB of the current data context (only ends of regions change it)
 *   rax rcx rdx, xmm0 xmm1  scratch within one IR instruction
 *   the others              values, or guest registers pinned for the whole region
 *
 * A number of 64 bits that floating-point operations make or take, and nothing else needs, is in xmm
 * registers as vectors are, in the low half (scalars.c); what the upper half has is not said.
 *
 * Values are allocated block by block. A value has a home where it can be read again (a temporary
 * of the env, guest state that it equals, or it is a constant), and perhaps a register. A block that one
 * other leads to goes on with what is where (tree.c); where ways join, no value is in a register. What is
 * used behind such a place has a temporary from the start, unless guest state holds it wherever a
 * block that uses it begins (ir/avail.h).
 *
 * Pins: guest registers, vectors and floating-point numbers among them, that stay in host registers from block to block, where that saves more than it costs
 * (pins.c). They are loaded at the region's entry and written back, if they may have changed, where the
 * region is left; helpers and faults that look at state find it exact. And, within loops, members of windows of the TLB, which only
 * the stub of an access by that window changes; it loads them again. (What an access is compared with, the limit, is always
 * read from memory, so that a window is forgotten takes effect at once.)
 */
#ifndef ANYKVM_JIT_X86_64_GEN_H
#define ANYKVM_JIT_X86_64_GEN_H

#include "ir/cfg.h"
#include "ir/op.h"
#include "jit/jit.h"
#include "jit/x86_64/asm.h"

#define NO_INDEX UINT32_MAX
#define BLOCK_END (UINT32_MAX - 1) /* next use: some block below (tree.c) */

enum home { HOME_NONE, HOME_TEMP, HOME_STATE, HOME_CONST };

struct value {
	uint32_t next;    /* instruction that uses it next, NO_INDEX: dead, BLOCK_END */
	uint32_t block;
	uint32_t home_at; /* offset from the env */
	uint8_t home;     /* enum home */
	uint8_t reg;      /* xmm if .vec, else gpr; NO_REG */
	bool vec;         /* when it is in a register, that is an xmm: all V128, some I64 (scalars.c) */
	bool crosses;     /* used in blocks that are not below its own */
	bool via_state;   /* there it is read from guest state, at state_at, which holds it still */
	uint32_t state_at;
	uint32_t state_cell; /* as of state.h */
	uint8_t pin;      /* it is made in its register, if that can be; NO_PIN */
	uint32_t uses;    /* by instructions that read it, each operand for itself */
	bool fused;       /* computed where it is used: comparison of a branch, select, SET, carry; half of a choice of bits */
	bool tested;      /* something asks whether it is zero */
	uint8_t field;    /* a shift to the left by n of which n to n + this - 1 are used, 0: all */
	bool carries;     /* a sum: it must leave the flags for that */
	bool in_flags;    /* a carry that is in the host's until its last use, and nowhere else */
	uint32_t sum;     /* a carry: the addition before it, whose flags have it; else NO_INDEX */
	bool deferred;    /* a SET that is not made, or the comparison that it would write (defer.c) */
};

/* One of the two that are compared. */
struct side {
	uint8_t kind; /* SIDE_* */
	uint32_t at;  /* a cell's offset; a value */
	uint64_t imm; /* a constant; what is to be added to the cell, which fits 32 bits */
};

enum { SIDE_CONST, SIDE_CELL, SIDE_VALUE };

/* What a cell of flags is the result of. */
struct compared {
	uint8_t op; /* enum ir_op, a comparison; IR_CONST: not known */
	bool wide;
	struct side a, b;
	uint32_t va, vb; /* the values that were compared; NO_INDEX: they may be others by now */
};

#define DEFER_CELLS 8 /* of flags, in a region */

/* Code that is rarely reached, put behind the region's own. */
enum stub_kind {
	STUB_ENTRY,
	STUB_LOAD,
	STUB_STORE,
	STUB_CAS,
	STUB_PROBE,
	STUB_FAULT,
	STUB_POLL,
	STUB_EXIT,
	STUB_FLOAT,
	STUB_EDGE
};

/* Where an operand is while its instruction is under way. */
struct place {
	uint8_t kind; /* PLACE_* */
	uint8_t reg;
	int32_t disp; /* from the env */
	uint64_t imm;
};

enum { PLACE_REG, PLACE_XMM, PLACE_MEM, PLACE_CONST };

#define MAX_FLOAT_ARGS 4 /* of intrinsics of floating point */

struct stub {
	uint8_t kind;
	uint8_t reg;         /* of the value loaded or stored, */
	bool xmm;            /* which is an xmm */
	uint8_t addr;        /* register */
	uint8_t desired;     /* STUB_CAS: register; rax has what is expected */
	uint64_t imm;        /* the memop as in the IR */
	uint16_t aux;
	uint8_t type;        /* enum ir_type */
	uint32_t from[2];    /* jumps that lead here; NO_INDEX */
	uint32_t back;       /* where to go on */
	uint32_t live, live_xmm; /* caller-saved registers to be kept */
	uint32_t dirty;      /* pins that are newer than memory */
	uint32_t window_pins; /* of the window that is missed */
	uint32_t flags;      /* cells of flags that are to be made, as of gen.shown */
	uint32_t shown;
	uint32_t block;      /* STUB_EDGE: where to go on */
	uint64_t pc;
	uint32_t exit;       /* STUB_EXIT: its index */
	uint32_t at;         /* STUB_FLOAT: the call, and where its operands are */
	struct place arg[MAX_FLOAT_ARGS];
	uint32_t tie, resume; /* another jump that leads here, NO_INDEX; where it may go on */
};

/* A value, and where it is, at the end of a block. */
struct carried {
	uint32_t v, home_at;
	uint8_t home, reg;
};

/* Of a block: */
struct tree {
	uint32_t above;        /* the one that leads to it; NO_INDEX: none, or several */
	bool has_below;        /* what is known at its end is wanted again */
	uint32_t first, count; /* of gen.carried */
	uint64_t temp_used[IR_MAX_TEMPS / 64];
};

struct pin {
	uint32_t offset; /* of guest state; PIN_OF_TLB: from the TLB */
	uint8_t reg;
	uint8_t type;    /* enum ir_type: IR_I64, IR_V128 */
	bool xmm;        /* reg is one; an I64 is in its low half */
};

#define PIN_REGS 8  /* of each kind */
#define MAX_PINS 16 /* the same: those that are nowhere taken together may share a register */
#define NO_PIN   0xff

#define PIN_OF_TLB (UINT32_C(1) << 31)

/* Sets of pins, of a block. */
struct pin_block {
	uint32_t live;  /* have a value at its start */
	uint32_t taken; /* are in their registers, or come there */
	uint32_t dirty; /* may be newer than memory at its start */
	uint32_t enter; /* of windows: are loaded at its start */
	uint32_t clean; /* are written back at its end, if they are newer than memory */
	uint32_t fetch; /* are loaded at its end */
};

struct features {
	bool ssse3, sse41, sse42, avx, avx2, bmi1, bmi2, lzcnt, movbe, popcnt;
	bool aes, pclmul, sha, fma;
	bool avx512; /* F, DQ, BW and VL */
	bool avx512vbmi;
};

/* features.c */
void features_detect(struct features *f);
/* See jit_limit (jit.h). */
void features_limit(struct features *f, unsigned level);

/* Code that all pieces have together (shared.c). */
struct shared {
	const uint8_t *miss[2];              /* [are xmm registers to be kept, or the value's] */
	const uint8_t *leave, *fault, *poll; /* rax: the pc from env->base; leave: rcx says how */
};

struct gen {
	struct assembler a;
	const struct ir_region *r;
	struct ir_cfg cfg;
	const struct jit_layout *layout;
	const struct features *host;
	struct jit_code *code; /* what this becomes: its address names it on exits */
	struct value *val;   /* by instruction */
	uint32_t (*next)[4]; /* by instruction and operand: the next use after this one */
	uint32_t *block_at;  /* by block: position of its code, NO_INDEX */
	uint64_t *block_pc;  /* by block: ir_block_pcs */
	float *runs;         /* by block: how often it is likely to run for one run of the region, */
	float *share;        /* and how much of that goes on with the first block that it may branch to */
	struct fixup {
		uint32_t where, block;
	} *fixup;
	uint32_t nfixup, cap_fixup;
	struct stub *stub;
	uint32_t nstub, cap_stub;
	uint32_t in_gpr[16], in_xmm[16]; /* values, NO_INDEX */
	uint32_t locked, locked_xmm;     /* in use by the current instruction */
	uint32_t pinned, pinned_xmm;     /* registers that hold pins in this block: not for values */
	struct pin pin[2 * MAX_PINS];
	unsigned npin, pin_regs; /* pin_regs: of each kind, at most */
	struct pin_block *pin_block;
	uint32_t taken, dirty;           /* sets of pins; dirty: at the current instruction */
	uint32_t early;                  /* hold what their SET is still to come for */
	/* Deferred comparisons: cells of flags, and for the current instruction */
	const struct defer *defer;       /* NULL: there are none */
	uint32_t defer_at[DEFER_CELLS];
	unsigned ndefer;
	uint32_t next_event;
	uint32_t pending;                /* what memory may not have, */
	struct compared now[DEFER_CELLS]; /* and what all are the result of */
	struct compared *shown;          /* the same, for stubs: DEFER_CELLS each */
	uint32_t nshown, cap_shown;
	bool shown_now;                  /* the last are as now */
	uint32_t *available;             /* ir_available, if it was wanted */
	uint32_t in_rdx;                 /* a value that scratch rdx still has (mulx); NO_INDEX */
	unsigned nstate, nvia;
	struct tree *tree;       /* by block */
	uint64_t *wanted;        /* by block: a bit for each value that blocks below use */
	struct carried *carried;
	uint32_t ncarried, cap_carried;
	uint64_t temp_used[IR_MAX_TEMPS / 64];
	uint32_t temp_high, temp_crossing; /* how many from below, from above */
	struct host_flags {
		enum { FLAGS_COMPARE, FLAGS_SUM, FLAGS_CARRY } kind;
		uint32_t a, b; /* compared (b NO_INDEX: with zero); a: the sum; the carry */
		bool w;
		uint32_t zero; /* a value that is zero if ZF says so; NO_INDEX */
	} flags;             /* what they are while a_flags_hold */
	struct host_flags *flags_in; /* where a block begins that one way leads to; FLAGS_SUM: not known */
	uint32_t at;         /* current instruction */
	bool read;           /* it has called operands_read, */
	uint32_t released, released_xmm; /* which gave these up, though they are still to be read */
	uint32_t block;
	uint64_t pc;         /* of the current guest instruction */
	uint64_t start;      /* of the region */
	unsigned span;       /* as in ir_region; at least a block */
	uint32_t entry_stub; /* where it leaves when it is not to be run */
	uint32_t cold;       /* position where the stubs begin */
	const void *no_entry[2]; /* to the guest address in rax by other means than the code's own (compile.c) */
	const struct shared *shared;
	/* Jumps to what lies outside of the piece: positions of displacements. */
	struct {
		uint32_t where;
		const void *target;
	} *outside;
	uint32_t noutside, cap_outside;
	bool failed;         /* cannot be compiled: out of memory or of temporaries */
	uint32_t ndata, ndata_ref;
	/* Filled for the exits. */
	uint32_t *exit_where; /* by index: position of the displacement */

	/* From here on what is cleared by nobody: counted above. */

	uint32_t state_vals[192]; /* values whose home is guest state */
	uint32_t via_state[64];   /* values with that mark */
	/* Constant data behind the code, and the displacements that lead to it. */
	struct {
		uint32_t where, at;
	} data_ref[512];
	_Alignas(16) uint8_t data[4096];
};

#define OFF_EXIT_REQUEST offsetof(struct ir_env, exit_request)
#define OFF_FAULT        offsetof(struct ir_env, fault)
#define OFF_PC           offsetof(struct ir_env, pc)
#define OFF_FP_STATUS    offsetof(struct ir_env, fp_status)
#define OFF_FP_HOST      offsetof(struct ir_env, fp_host)
#define OFF_BASE         offsetof(struct ir_env, base)
#define OFF_TLB          (offsetof(struct ir_env, door) + offsetof(struct mem_door, tlb))

static inline const struct ir_inst *inst_of(const struct gen *g, uint32_t v)
{
	return &g->r->inst[v];
}

/* Is it in an xmm when it is in a register? */
static inline bool is_vec(const struct gen *g, uint32_t v)
{
	return g->val[v].vec;
}

/* What a block ends with. */
static inline const struct ir_inst *last_of(const struct gen *g, uint32_t block)
{
	return &g->r->inst[g->r->bb[block].first + g->r->bb[block].count - 1];
}

/* The operands that its code reads: a carry that is in the flags needs none, nor what is deferred. */
static inline unsigned nargs_of(const struct gen *g, uint32_t n)
{
	return g->val[n].sum != NO_INDEX || g->val[n].deferred ? 0 : ir_nargs(inst_of(g, n));
}

static inline bool wide(const struct ir_inst *i)
{
	return i->type != IR_I32;
}

/* ---- uses.c ---- */

bool alloc_init(struct gen *g);

/* ---- scalars.c ---- */

/* Sets val[].vec; needs val[].block. */
void find_scalars(struct gen *g);

/* ---- defer.c, defer_make.c ---- */

/* False: out of memory. Needs what is fused; what is deferred is not used any more. */
bool defer_init(struct gen *g);
void defer_begin_block(struct gen *g, uint32_t block);
/* Before an instruction's code: make flags that it sees, unless that is left to a stub. */
void defer_before(struct gen *g, const struct ir_inst *i);
/* Behind it. */
void defer_after(struct gen *g, uint32_t at);
/* Cells of flags to be made on the way to target t (ir_targets) of the block that ends here, */
uint32_t defer_edge(const struct gen *g, unsigned t);
/* and made here. */
void defer_make_here(struct gen *g, uint32_t flags);
/* For a stub that may see state, or has some made. */
void defer_note(struct gen *g, struct stub *s);
/* In the stub: with the pins in memory, all registers are kept; STUB_EDGE: where they are, rax and rcx are lost. */
void defer_make(struct gen *g, const struct stub *s);

/* ---- runs.c ---- */

/* Sets g->runs. False: out of memory. */
bool runs_find(struct gen *g);

/* ---- tree.c ---- */

/* False: out of memory. The blocks of values are known; finds which of them cross. */
bool tree_init(struct gen *g);
/* Is v of this block, or of one above it? */
bool tree_comes_from(const struct gen *g, uint32_t block, uint32_t v);
void tree_begin_block(struct gen *g, uint32_t block);
void tree_end_block(struct gen *g, uint32_t block);

/* ---- alloc.c, alloc_home.c, alloc_inst.c ---- */

void alloc_begin_block(struct gen *g, uint32_t block);
void alloc_free_temp(struct gen *g, uint32_t at);
/* v is no longer among those whose home is guest state. */
void alloc_forget_state(struct gen *g, uint32_t v);
/* A value, if it is one, leaves its register for memory. */
void alloc_empty(struct gen *g, uint32_t v);
/* A value in the register of a pin gets one of its own. */
void alloc_leave_pin(struct gen *g, uint32_t v);

/* An operand in a register (XMM if is_vec, else GPR), locked until the instruction ends. */
unsigned use_reg(struct gen *g, uint32_t v);

/* Is it a constant that fits a sign-extended 32-bit immediate? */
bool use_imm(const struct gen *g, uint32_t v, int32_t *imm);

/* Is it in memory only, at [rbp + *disp]? (Then it needs no register.) */
bool use_mem(struct gen *g, uint32_t v, int32_t *disp);

/* The same to an xmm, vectors included; rax and xmm1 may be lost for constants. */
void use_into_xmm(struct gen *g, uint32_t v, unsigned xmm);

/* xmm := a constant; as above. */
void use_constant(struct gen *g, u128 c, unsigned xmm);

/* Is it in the register of a pin only? */
bool in_pin(struct gen *g, uint32_t v);

/* Is it in the register where the current instruction's result is to be, and not needed there later? */
bool in_place(struct gen *g, uint32_t v);

/* Copy an operand of up to 64 bits to a given scratch GPR. */
void use_into(struct gen *g, uint32_t v, unsigned reg);

/* Does the current instruction use v for the last time, nowhere else needed? */
bool dies(struct gen *g, uint32_t v);

/*
 * The current instruction has read its operands, or will read them before it writes its result: the
 * registers of those that die may be the result's.
 */
void operands_read(struct gen *g);

/* A register for the result of the current instruction. */
unsigned def_reg(struct gen *g);

/* The same, starting as a copy of operand v: v's own register if it dies here. */
unsigned def_copy(struct gen *g, uint32_t v);

/* Before the instruction: what its operands are needed for after it. */
void begin_inst(struct gen *g, uint32_t at);

/* After the instruction: unlock, let go what died, store what crosses. */
void end_inst(struct gen *g);

/* The value is in memory (home) whatever happens to registers; returns the offset from the env. */
uint32_t need_home(struct gen *g, uint32_t v);

/* The same, and the home is a temporary of its own. */
void need_own_home(struct gen *g, uint32_t v);

/* Before guest state [offset, offset+size) changes: values that live there get registers of their own. */
void state_changes(struct gen *g, uint32_t offset, uint32_t size);

/* The value v now equals the guest state at offset. */
void bind_state(struct gen *g, uint32_t v, uint32_t offset);

/* Before a call: no value is in a caller-saved register any more. */
void spill_for_call(struct gen *g);

/* Before the arguments of a call are moved: what lives on gets a home. */
void save_for_call(struct gen *g);

/* Give v a temporary of its own as its home (not written yet); its offset. */
uint32_t own_temp(struct gen *g, uint32_t v);

#define CALLER_SAVED_GPR                                                                           \
	(1u << RSI | 1u << RDI | 1u << R8 | 1u << R9 | 1u << R10 | 1u << R11)
#define VALUE_GPR (CALLER_SAVED_GPR | 1u << RBX | 1u << R12 | 1u << R13 | 1u << R15)
#define VALUE_XMM 0x7ffcu /* xmm15 is scratch too (ops_float.c) */

/* ---- pins.c ---- */

/* False: out of memory. */
bool pins_choose(struct gen *g);
void pins_begin_block(struct gen *g, uint32_t block);
/* The same, when the registers of pins have been emptied of values. */
void pins_enter_block(struct gen *g, uint32_t block);
/* Before a block ends. */
void pins_end_block(struct gen *g);
struct pin *pin_at(struct gen *g, uint32_t offset);
/* The register that a member of a window is in here, given where it lies in the TLB; NO_REG. */
unsigned pin_of_window(struct gen *g, int32_t at);
/* Those of a window, its number plus 1, that are in registers here. */
uint32_t pins_of_window(struct gen *g, unsigned window);
void pins_write_back(struct gen *g, uint32_t pins);
void pins_load(struct gen *g, uint32_t pins);
/* Those in registers that a call loses. */
void pins_save_lost(struct gen *g);
void pins_reload_lost(struct gen *g);

/* Those of the caller-saved registers that hold something. */
uint32_t live_gprs(const struct gen *g);
uint32_t live_xmms(const struct gen *g);

/* ---- flags.c ---- */

/* May the comparison `def` be made where it is written to guest state? */
bool may_set_bytes(const struct ir_inst *set, const struct ir_inst *def);

/* Does what is made of a LOAD_HOST or STORE_HOST leave the flags alone? */
bool access_keeps_flags(const struct ir_inst *i);

/* Which carries are in the flags. Needs val[].block and uses; sets sum, carries and in_flags, and takes from uses what is not read so. */
void find_carries(struct gen *g);

/* ---- the instructions ---- */

void gen_int(struct gen *g, const struct ir_inst *i);     /* ops_int*.c */
bool gen_is_int(enum ir_op op);
bool gen_keeps_rdx(const struct gen *g, const struct ir_inst *i); /* ops_int_mul.c */
enum cond gen_compare(struct gen *g, const struct ir_inst *i); /* flags of a comparison */
bool gen_set_flag(struct gen *g, uint32_t v, uint32_t off);
enum cond gen_cond_of(enum ir_op op);                     /* of a comparison; CMP3: of `less` */
enum cond gen_swapped_cond_of(enum ir_op op);             /* the same, if the operands have changed places */
/* What is compared, by the flags, to guest state of which the other bytes are zero already. */
void gen_store_compare(struct gen *g, enum ir_op op, enum cond cc, uint32_t off);
enum cond gen_condition(struct gen *g, uint32_t v);       /* flags: v is not zero */
void gen_set_compare(struct gen *g, const struct ir_inst *c, uint32_t off);
void gen_vector(struct gen *g, const struct ir_inst *i);  /* ops_vec.c */
void gen_memory(struct gen *g, const struct ir_inst *i);  /* ops_mem.c */
/* Where members of a window lie, its number plus 1, from the TLB. */
static inline int32_t window_at(unsigned window, size_t member)
{
	return (int32_t)(offsetof(struct tlb, window) + (window - 1) * sizeof(struct tlb_window) + member);
}

/* In the stub of an access by a window (mem/tlb.h): positions of jumps to what does without the TLB; NO_INDEX. */
void gen_window_missed(struct gen *g, const struct stub *s, uint32_t from[3]);
void gen_call(struct gen *g, const struct ir_inst *i);    /* ops_call.c */
/* Expand a call of a helper that is an intrinsic. False: nothing was made. ops_intrinsic.c */
bool gen_intrinsic(struct gen *g, const struct ir_inst *i);
/* The same for those of ir/intrinsic_float.h (ops_float.c), and their STUB_FLOAT (ops_float_stub.c). */
bool gen_float(struct gen *g, const struct ir_inst *i);
/* Is it one that gen_float expands, */
bool gen_float_makes(const struct gen *g, const struct ir_inst *i); /* with an I64 in an xmm as its result? */
bool gen_float_takes(const struct gen *g, const struct ir_inst *i); /* and takes such operands? */
void gen_float_stub(struct gen *g, const struct stub *s);
/* Between a register and memory: 64 bits or a vector, by the type. */
static inline void gen_load_xmm(struct gen *g, enum ir_type t, unsigned xmm, unsigned base, int32_t disp)
{
	if (t == IR_V128)
		a_sse_mem(&g->a, 0, 0x0f28, xmm, base, disp); /* movaps */
	else
		a_sse_mem(&g->a, 0xf3, 0x0f7e, xmm, base, disp); /* movq */
}

static inline void gen_store_xmm(struct gen *g, enum ir_type t, unsigned xmm, unsigned base, int32_t disp)
{
	if (t == IR_V128)
		a_sse_mem(&g->a, 0, 0x0f29, xmm, base, disp);
	else
		a_sse_mem(&g->a, 0x66, 0x0fd6, xmm, base, disp);
}

/* Between registers of 64 bits. */
static inline void gen_to_xmm(struct gen *g, unsigned xmm, unsigned gpr)
{
	a_sse_w(&g->a, 0x66, 0x0f6e, xmm, gpr);
}

static inline void gen_from_xmm(struct gen *g, unsigned gpr, unsigned xmm)
{
	a_sse_w(&g->a, 0x66, 0x0f7e, xmm, gpr);
}

/* ---- MXCSR: env->fp_status while compiled code runs, the host's default while C does that looks at it, or computes ---- */

#define MXCSR_MASKED UINT32_C(0x1f80) /* all exceptions masked, rounding to nearest: as the processor starts */

static inline void a_mxcsr_load(struct assembler *a, int32_t off)
{
	a_rm(a, false, 0x0fae, 2, RBP, off);
}

static inline void a_mxcsr_store(struct assembler *a)
{
	a_rm(a, false, 0x0fae, 3, RBP, (int32_t)OFF_FP_STATUS);
}

static inline void a_mxcsr_enter(struct assembler *a)
{
	a_mxcsr_load(a, (int32_t)OFF_FP_STATUS);
}

/* What is noted there does not matter to C: it has a value of its own only if the guest rounds otherwise. */
static inline void a_mxcsr_leave(struct assembler *a)
{
	uint32_t load;

	a_mxcsr_store(a);
	a_rm(a, false, 0xf6, 0, RBP, (int32_t)OFF_FP_STATUS + 1); /* test */
	a_1(a, IR_FP_ROUND >> 8);
	a_1(a, 0x70 | CC_E);
	a_1(a, 0);
	load = a_pos(a);
	a_mxcsr_load(a, (int32_t)OFF_FP_HOST);
	if (!a->overflow)
		a->base[load - 1] = (uint8_t)(a_pos(a) - load);
	a->flags_at = NULL;
}

void gen_stubs(struct gen *g);                            /* stubs.c */

/* ---- shared.c ---- */

/* In a stub, with guest state exact: the rest of an access or PROBE that missed. */
void gen_miss(struct gen *g, const struct stub *s);
/* Of that call: the bytes that are no instructions, behind the jump that follows it; at most `size`. */
size_t gen_miss_data(const uint8_t *at, size_t size);
/* Leave at a pc. gen_leave: rdx is the piece, `index` an exit's. */
void gen_leave_fault(struct gen *g, uint64_t pc);
void gen_leave_poll(struct gen *g, uint64_t pc);
void gen_leave(struct gen *g, uint64_t pc, enum ir_leave how, uint32_t index);

/* The displacement at `where` leads out of the piece (compile.c). */
void gen_outside(struct gen *g, uint32_t where, const void *target);

struct stub *add_stub(struct gen *g, enum stub_kind kind);
/* The displacement at `where` is that of a jump to a block. */
void jump_to_block(struct gen *g, uint32_t where, uint32_t block);

/* In a stub: save what s says is live, and make the stack right for a call; and back. */
uint32_t stub_save(struct gen *g, const struct stub *s);
void stub_restore(struct gen *g, const struct stub *s, uint32_t bytes);

/* Call a C function whose arguments are in place; rax rcx rdx rsi rdi r8-r11 are lost. */
void gen_call_c(struct gen *g, const void *fn);

/* reg := address of constant data put behind the code */
void gen_lea_data(struct gen *g, unsigned reg, const void *data, uint32_t size);

/* An SSE operation on a register and 16 bytes of constant data behind the code. */
void gen_sse_data(struct gen *g, uint8_t prefix, unsigned op, unsigned reg, u128 data);

/* reg := a pc of the region, at the base it runs at */
void gen_pc(struct gen *g, unsigned reg, uint64_t pc);

/* env->pc = pc; rax is lost */
void gen_store_pc(struct gen *g, uint64_t pc);

#endif
