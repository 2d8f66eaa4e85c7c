/*
 * Loads and stores: the inline TLB hit of mem/tlb.h, and a stub for everything else.
 */
#include "ir/code.h"
#include "jit/slow.h"
#include "jit/x86_64/gen.h"

#define TAG(kind) ((int32_t)(offsetof(struct tlb_entry, tag) + 8 * (kind)))
#define ADDEND    ((int32_t)offsetof(struct tlb_entry, addend))

_Static_assert(sizeof(struct tlb_entry) == 32, "index is scaled by shifts");

/* A memory operand: [base + index + disp]; index NO_REG: none. */
struct operand {
	unsigned base, index;
	int32_t disp;
};

static void a_operand(struct assembler *a, bool w, unsigned op, unsigned reg, struct operand at)
{
	if (at.index == NO_REG)
		a_rm(a, w, op, reg, at.base, at.disp);
	else
		a_rx(a, w, op, reg, at.base, at.index, at.disp);
}

/* The same that far on. */
static struct operand beyond(struct operand at, int32_t disp)
{
	at.disp += disp;
	return at;
}

/* rdx := addr + last; rcx := where the TLB's entry for addr + disp lies, from its start */
static void entry_of(struct gen *g, unsigned addr, int32_t disp, int32_t last)
{
	struct assembler *a = &g->a;
	unsigned from = addr;

	if (last)
		a_lea(a, true, RDX, addr, last);
	else
		a_mov(a, true, RDX, addr);
	if (disp && disp == last)
		from = RDX; /* one sum does for both */
	if ((!disp || from == RDX) && g->host->bmi2) {
		a_rorx(a, false, RCX, from, TLB_BLOCK_SHIFT - 5);
	} else {
		if (disp && from == addr)
			a_lea(a, false, RCX, addr, disp);
		else
			a_mov(a, false, RCX, from);
		a_shift_imm(a, SH_SHR, false, RCX, TLB_BLOCK_SHIFT - 5);
	}
	a_alu_imm(a, ALU_AND, false, RCX, (TLB_ENTRIES - 1) << 5);
}

/*
 * Go on if the byte at rdx lies in the block that the entry at rcx is for, else jump: the position of the jump.
 * And if it is a multiple of `align`, with which no tag that is not of loads must be asked for.
 */
static uint32_t check_tag(struct gen *g, unsigned align, enum mem_access kind)
{
	struct assembler *a = &g->a;

	/* Tags of loads have low bits that are all 0 or all 1. */
	a_alu_imm(a, ALU_AND, true, RDX, -(int32_t)TLB_BLOCK_SIZE | (int32_t)(align - 1));
	/* cmp rdx, [r14 + rcx + tag] */
	a_rx(a, true, 0x3b, RDX, R14, RCX, TAG(kind));
	return a_jcc(a, CC_NE);
}

/*
 * Jumps to the stub unless `size` bytes at addr + disp hit; the operand to reach them with, then. from[]
 * are the jumps.
 */
static struct operand tlb_hit(struct gen *g, unsigned addr, int32_t disp, struct ir_memop m,
			      enum mem_access kind, uint32_t from[2])
{
	struct assembler *a = &g->a;

	from[1] = NO_INDEX;
	if (m.aligned && kind == MEM_READ) {
		entry_of(g, addr, disp, disp);
		from[0] = check_tag(g, m.size, kind);
		a_rx(a, true, 0x8b, RCX, R14, RCX, ADDEND);
		return (struct operand){ addr, RCX, disp };
	}
	entry_of(g, addr, disp, disp + m.size - 1);
	from[0] = check_tag(g, 1, kind);
	if (m.aligned && m.size > 1) {
		a_lea(a, false, RDX, addr, disp);
		a_test_imm(a, false, RDX, m.size - 1);
		from[1] = a_jcc(a, CC_NE);
	}
	a_rx(a, true, 0x8b, RCX, R14, RCX, ADDEND);
	return (struct operand){ addr, RCX, disp };
}

/* ---- windows ---- */

/*
 * Jumps to the stub unless `size` bytes at addr + disp lie in the window. *addend is the register that has its
 * addend then. The position of the jump.
 */
static uint32_t window_hit(struct gen *g, unsigned window, unsigned addr, int32_t disp, unsigned size,
			   unsigned *addend)
{
	size_t limit = offsetof(struct tlb_window, limit) + 8 * tlb_span(size);
	int32_t minus_at = window_at(window, offsetof(struct tlb_window, minus));
	int32_t addend_at = window_at(window, offsetof(struct tlb_window, addend));
	unsigned minus = pin_of_window(g, minus_at);
	struct assembler *a = &g->a;
	uint32_t from;

	if (minus == NO_REG)
		a_load(a, true, RCX, R14, minus_at);
	if (disp || minus != NO_REG)
		a_rx(a, true, 0x8d, RCX, minus == NO_REG ? RCX : minus, addr, disp); /* lea */
	else
		a_alu(a, ALU_ADD, true, RCX, addr);
	a_alu_mem(a, ALU_CMP, true, RCX, R14, window_at(window, limit));
	from = a_jcc(a, CC_AE);
	*addend = pin_of_window(g, addend_at);
	if (*addend == NO_REG) {
		a_load(a, true, RCX, R14, addend_at);
		*addend = RCX;
	}
	return from;
}

/* What to reach memory with, by the access' window or the entry of the TLB. */
static struct operand hit(struct gen *g, const struct ir_inst *i, unsigned addr, enum mem_access kind,
			  uint32_t from[2])
{
	unsigned window = ir_window_of(i->imm, i->op), addend;
	struct ir_memop m = ir_memop_of(i);
	int32_t disp = ir_disp_of(i);

	if (!window)
		return tlb_hit(g, addr, disp, m, kind, from);
	from[0] = window_hit(g, window, addr, disp, m.size, &addend);
	from[1] = NO_INDEX;
	return (struct operand){ addr, addend, disp };
}

/* One instruction where to load and reverse takes two, and to store three: the value is to stay as it is. */
#define MOVBE_LOAD  0x0f38f0
#define MOVBE_STORE 0x0f38f1

static void load_value(struct gen *g, const struct ir_inst *i, struct ir_memop m, unsigned dst,
		       struct operand at)
{
	struct assembler *a = &g->a;
	bool w = wide(i), sx = m.sign_extend;

	if (m.big_endian && m.size >= 4 && g->host->movbe) {
		a_operand(a, m.size == 8, MOVBE_LOAD, dst, at);
		if (m.size == 4 && sx && w)
			a_rr(a, true, 0x63, dst, dst);
		return;
	}
	switch (m.size) {
	case 1:
		a_operand(a, w && sx, sx ? 0x0fbe : 0x0fb6, dst, at);
		break;
	case 2:
		if (!m.big_endian) {
			a_operand(a, w && sx, sx ? 0x0fbf : 0x0fb7, dst, at);
			break;
		}
		a_operand(a, false, 0x0fb7, dst, at);
		/* rol r16, 8 */
		a_1(a, 0x66);
		a_shift_imm(a, SH_ROL, false, dst, 8);
		if (sx)
			a_extend(a, w, 0x0fbf, dst, dst);
		break;
	case 4:
		if (!m.big_endian && sx && w) {
			a_operand(a, true, 0x63, dst, at);
			break;
		}
		a_operand(a, false, 0x8b, dst, at);
		if (m.big_endian)
			a_bswap(a, false, dst);
		if (sx && w)
			a_rr(a, true, 0x63, dst, dst);
		break;
	default:
		a_operand(a, true, 0x8b, dst, at);
		if (m.big_endian)
			a_bswap(a, true, dst);
		break;
	}
}

static void load_vector(struct gen *g, struct ir_memop m, unsigned dst, struct operand at)
{
	struct assembler *a = &g->a;

	if (!m.big_endian) {
		a_operand(a, false, 0x0f10, dst, at); /* movups */
		return;
	}
	a_operand(a, true, 0x8b, RAX, at);
	a_operand(a, true, 0x8b, RDX, beyond(at, 8));
	a_bswap(a, true, RAX);
	a_bswap(a, true, RDX);
	a_sse_w(a, 0x66, 0x0f6e, dst, RDX);
	a_sse_w(a, 0x66, 0x0f6e, 1, RAX);
	a_sse(a, 0x66, 0x0f6c, dst, 1); /* punpcklqdq */
}

static void store_value(struct gen *g, struct ir_memop m, unsigned src, struct operand at)
{
	struct assembler *a = &g->a;

	if (m.big_endian && m.size > 1 && g->host->movbe) {
		if (m.size == 2)
			a_1(a, 0x66);
		a_operand(a, m.size == 8, MOVBE_STORE, src, at);
		return;
	}
	if (m.big_endian && m.size > 1) {
		a_mov(a, true, RAX, src);
		if (m.size == 2) {
			a_1(a, 0x66);
			a_shift_imm(a, SH_ROL, false, RAX, 8);
		} else {
			a_bswap(a, m.size == 8, RAX);
		}
		src = RAX;
	}
	switch (m.size) {
	case 1:
		a_rex(a, false, src, at.index == NO_REG ? 0 : at.index, at.base, true);
		a_1(a, 0x88);
		if (at.index == NO_REG)
			a_modrm_mem(a, src, at.base, at.disp);
		else
			a_modrm_idx(a, src, at.base, at.index, at.disp);
		break;
	case 2:
		a_1(a, 0x66);
		a_operand(a, false, 0x89, src, at);
		break;
	case 4:
		a_operand(a, false, 0x89, src, at);
		break;
	default:
		a_operand(a, true, 0x89, src, at);
		break;
	}
}

static void store_vector(struct gen *g, struct ir_memop m, unsigned src, struct operand at)
{
	struct assembler *a = &g->a;

	if (!m.big_endian) {
		a_operand(a, false, 0x0f11, src, at);
		return;
	}
	a_sse_w(a, 0x66, 0x0f7e, src, RAX); /* movq rax, xmm */
	a_sse(a, 0x66, 0x0f70, 0, src);     /* pshufd xmm0, xmm, 0x4e: halves exchanged */
	a_1(a, 0x4e);
	a_sse_w(a, 0x66, 0x0f7e, 0, RDX);
	a_bswap(a, true, RAX);
	a_bswap(a, true, RDX);
	a_operand(a, true, 0x89, RDX, at);
	a_operand(a, true, 0x89, RAX, beyond(at, 8));
}

/* xmm: that is what dst is. */
static void load_to(struct gen *g, const struct ir_inst *i, bool xmm, unsigned dst, struct operand at)
{
	struct ir_memop m = ir_memop_of(i);

	if (!xmm) {
		load_value(g, i, m, dst, at);
	} else if (i->type == IR_V128) {
		load_vector(g, m, dst, at);
	} else {
		a_1(&g->a, 0xf3);
		a_operand(&g->a, false, 0x0f7e, dst, at); /* movq */
	}
}

static void store_from(struct gen *g, const struct ir_inst *i, bool xmm, unsigned src, struct operand at)
{
	struct ir_memop m = ir_memop_of(i);

	if (!xmm) {
		store_value(g, m, src, at);
	} else if (i->type == IR_V128) {
		store_vector(g, m, src, at);
	} else {
		a_1(&g->a, 0x66);
		a_operand(&g->a, false, 0x0fd6, src, at); /* movq */
	}
}

static struct stub *access_stub(struct gen *g, enum stub_kind kind, const struct ir_inst *i,
				const uint32_t from[2], uint32_t live, uint32_t live_xmm)
{
	struct stub *s = add_stub(g, kind);

	s->imm = i->imm;
	s->aux = i->aux;
	s->type = i->type;
	s->from[0] = from[0];
	s->from[1] = from[1];
	s->live = live;
	s->live_xmm = live_xmm;
	s->pc = g->pc;
	s->back = a_pos(&g->a);
	if (kind != STUB_CAS && ir_window_of(i->imm, (enum ir_op)i->op))
		s->window_pins = pins_of_window(g, ir_window_of(i->imm, (enum ir_op)i->op));
	return s;
}

static void load(struct gen *g, const struct ir_inst *i)
{
	unsigned addr = use_reg(g, i->arg[0]), dst;
	uint32_t from[2], live, live_xmm;
	struct operand at;
	struct stub *s;

	/* The address is read before the result is written, by the stub, too. */
	operands_read(g);
	dst = def_reg(g);
	live = live_gprs(g);
	live_xmm = live_xmms(g);
	if (is_vec(g, g->at))
		live_xmm &= ~(1u << dst);
	else
		live &= ~(1u << dst);
	at = hit(g, i, addr, MEM_READ, from);
	load_to(g, i, is_vec(g, g->at), dst, at);
	s = access_stub(g, STUB_LOAD, i, from, live, live_xmm);
	s->addr = addr;
	s->reg = dst;
	s->xmm = is_vec(g, g->at);
}

static void store(struct gen *g, const struct ir_inst *i)
{
	unsigned addr = use_reg(g, i->arg[0]), src = use_reg(g, i->arg[1]);
	uint32_t from[2];
	struct operand at;
	struct stub *s;

	at = hit(g, i, addr, MEM_WRITE, from);
	store_from(g, i, is_vec(g, i->arg[1]), src, at);
	s = access_stub(g, STUB_STORE, i, from, live_gprs(g), live_xmms(g));
	s->addr = addr;
	s->reg = src;
	s->xmm = is_vec(g, i->arg[1]);
}

/*
 * Find the host address of what a PROBE asks for in the TLB. The index is that of the first byte; the last one's
 * block must be the same.
 */
static void probe_tlb(struct gen *g, struct ir_probe p, unsigned base, unsigned dst, uint32_t from[2])
{
	entry_of(g, base, p.low, p.high - 1);
	from[0] = check_tag(g, 1, ir_probe_stores(p) ? MEM_WRITE : MEM_READ);
	if (p.both) {
		/* cmp rdx, [r14 + rcx + tag] */
		a_rx(&g->a, true, 0x3b, RDX, R14, RCX, TAG(MEM_READ));
		from[1] = a_jcc(&g->a, CC_NE);
	}
	if (dst == base) {
		a_rx(&g->a, true, 0x03, dst, R14, RCX, ADDEND);
	} else {
		a_rx(&g->a, true, 0x8b, dst, R14, RCX, ADDEND);
		a_alu(&g->a, ALU_ADD, true, dst, base);
	}
}

static void probe(struct gen *g, const struct ir_inst *i)
{
	struct ir_probe p = ir_probe_of(i->imm, i->aux);
	unsigned base = use_reg(g, i->arg[0]), dst, window = ir_window_of(i->imm, IR_PROBE);
	uint32_t from[2] = { NO_INDEX, NO_INDEX }, live;
	struct stub *s;

	operands_read(g);
	dst = def_reg(g);
	live = live_gprs(g) & ~(1u << dst);
	if (window) {
		unsigned addend;

		from[0] = window_hit(g, window, base, p.low, (unsigned)(p.high - p.low), &addend);
		a_rx(&g->a, true, 0x8d, dst, addend, base, 0); /* lea */
	} else {
		probe_tlb(g, p, base, dst, from);
	}
	s = access_stub(g, STUB_PROBE, i, from, live, live_xmms(g));
	s->addr = base;
	s->reg = dst;
}

/* What was written from `start` on are moves, and perhaps bswap: see flags.c. */
static void keep_flags(struct gen *g, const struct ir_inst *i, const uint8_t *start)
{
	if (access_keeps_flags(i))
		a_flags_kept(&g->a, start);
}

/*
 * In the stub of an access that missed its window: by the TLB, most times. from[] are the jumps for when that
 * does not do.
 */
void gen_window_missed(struct gen *g, const struct stub *s, uint32_t from[3])
{
	enum ir_op op = s->kind == STUB_LOAD ? IR_LOAD : s->kind == STUB_STORE ? IR_STORE : IR_PROBE;
	const struct ir_inst i = { .op = op, .type = s->type, .aux = s->aux, .imm = s->imm };
	int32_t misses = window_at(ir_window_of(s->imm, op), offsetof(struct tlb_window, misses));
	struct ir_memop m = ir_memop_of(&i);
	struct operand at;

	a_alu_mem_imm(&g->a, ALU_SUB, false, R14, misses, 1);
	from[2] = a_jcc(&g->a, CC_B);
	if (op == IR_PROBE) {
		from[1] = NO_INDEX;
		probe_tlb(g, ir_probe_of(i.imm, i.aux), s->addr, s->reg, from);
	} else {
		at = tlb_hit(g, s->addr, ir_disp_of(&i), m, op == IR_LOAD ? MEM_READ : MEM_WRITE, from);
		if (op == IR_LOAD)
			load_to(g, &i, s->xmm, s->reg, at);
		else
			store_from(g, &i, s->xmm, s->reg, at);
	}
	a_patch(&g->a, a_jmp(&g->a), s->back);
}

static void load_host(struct gen *g, const struct ir_inst *i)
{
	struct operand at = { use_reg(g, i->arg[0]), NO_REG, ir_disp_of(i) };
	const uint8_t *start;
	unsigned dst;

	operands_read(g);
	dst = def_reg(g);
	start = g->a.at;
	load_to(g, i, is_vec(g, g->at), dst, at);
	keep_flags(g, i, start);
}

static void store_host(struct gen *g, const struct ir_inst *i)
{
	struct operand at = { use_reg(g, i->arg[0]), NO_REG, ir_disp_of(i) };
	unsigned src = use_reg(g, i->arg[1]);
	const uint8_t *start = g->a.at;

	store_from(g, i, is_vec(g, i->arg[1]), src, at);
	keep_flags(g, i, start);
}

/* Atomics: the interpreter's own functions, on the homes of the operands. */
static void atomic(struct gen *g, const struct ir_inst *i)
{
	struct code_atomic how = {
		.size = ir_memop_of(i).size,
		.kind = i->aux,
		.type = i->type,
		.big_endian = ir_memop_of(i).big_endian,
		.sign_extend = ir_memop_of(i).sign_extend,
	};
	struct code_wide op = { .imm = code_atomic_imm(how) };
	unsigned nargs = ir_nargs(i);
	uint32_t at[3] = { 0 }, out;
	struct stub *s;

	for (unsigned k = 0; k < nargs; k++)
		at[k] = need_home(g, i->arg[k]);
	out = own_temp(g, g->at);
	op.a = at[0] / CODE_UNIT;
	op.b = at[1] / CODE_UNIT;
	op.c = nargs > 2 ? at[2] / CODE_UNIT : 0;
	op.d = out / CODE_UNIT;
	for (unsigned k = 0; k < nargs; k++)
		if (at[k] >= CODE_REACH)
			g->failed = true;
	spill_for_call(g);
	pins_write_back(g, g->dirty);
	a_lea(&g->a, true, RDI, RBP, 0);
	gen_lea_data(g, RSI, &op, sizeof(op));
	gen_call_c(g, i->op == IR_CAS ? (const void *)code_cas : (const void *)code_rmw);
	pins_reload_lost(g);
	a_1(&g->a, 0x84); /* test al, al */
	a_1(&g->a, 0xc0);
	s = add_stub(g, STUB_FAULT);
	s->from[0] = a_jcc(&g->a, CC_E);
	s->from[1] = NO_INDEX;
	s->pc = g->pc;
}

/* lock cmpxchg: rax is what is expected, and then what was there */
static void cmpxchg(struct gen *g, unsigned size, unsigned desired, struct operand at)
{
	struct assembler *a = &g->a;

	a_1(a, 0xf0);
	switch (size) {
	case 1:
		a_rex(a, false, desired, at.index, at.base, true);
		a_opcode(a, 0x0fb0);
		a_modrm_idx(a, desired, at.base, at.index, at.disp);
		break;
	case 2:
		a_1(a, 0x66);
		a_operand(a, false, 0x0fb1, desired, at);
		break;
	default:
		a_operand(a, size == 8, 0x0fb1, desired, at);
		break;
	}
}

/* Where the TLB allows loads and stores: at once. */
static void cas(struct gen *g, const struct ir_inst *i)
{
	unsigned addr = use_reg(g, i->arg[0]), desired = use_reg(g, i->arg[2]), dst;
	struct ir_memop m = ir_memop_of(i);
	struct assembler *a = &g->a;
	uint32_t from[2], live;
	struct stub *s;

	use_into(g, i->arg[1], RAX);
	/* What stays of it, where the swap writes less than the register. */
	if (m.size <= 2)
		a_extend(a, false, m.size == 1 ? 0x0fb6 : 0x0fb7, RAX, RAX);
	else if (m.size == 4)
		a_mov(a, false, RAX, RAX);
	operands_read(g);
	dst = def_reg(g);
	live = live_gprs(g) & ~(1u << dst);
	entry_of(g, addr, 0, 0);
	from[0] = check_tag(g, m.size, MEM_READ);
	/* cmp rdx, [r14 + rcx + tag] */
	a_rx(a, true, 0x3b, RDX, R14, RCX, TAG(MEM_WRITE));
	from[1] = a_jcc(a, CC_NE);
	a_rx(a, true, 0x8b, RCX, R14, RCX, ADDEND);
	cmpxchg(g, m.size, desired, (struct operand){ addr, RCX, 0 });
	a_mov(a, m.size == 8, dst, RAX);
	s = access_stub(g, STUB_CAS, i, from, live, live_xmms(g));
	s->addr = addr;
	s->desired = desired;
	s->reg = dst;
}

static bool can_cas(const struct ir_inst *i)
{
	struct ir_memop m = ir_memop_of(i);

	return i->type != IR_V128 && !m.sign_extend && (!m.big_endian || m.size == 1);
}

/* lock or dword [rsp], 0: orders all accesses to ordinary memory as mfence does, in half the time. */
static void fence(struct assembler *a)
{
	static const uint8_t code[] = { 0xf0, 0x83, 0x0c, 0x24, 0x00 };

	a_bytes(a, code, sizeof(code));
}

void gen_memory(struct gen *g, const struct ir_inst *i)
{
	switch ((enum ir_op)i->op) {
	case IR_LOAD:
		load(g, i);
		break;
	case IR_STORE:
		store(g, i);
		break;
	case IR_PROBE:
		probe(g, i);
		break;
	case IR_LOAD_HOST:
		load_host(g, i);
		break;
	case IR_STORE_HOST:
		store_host(g, i);
		break;
	case IR_CAS:
		if (can_cas(i))
			cas(g, i);
		else
			atomic(g, i);
		break;
	case IR_RMW:
		atomic(g, i);
		break;
	default: /* IR_FENCE */
		fence(&g->a);
		break;
	}
}
