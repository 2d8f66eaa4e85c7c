/*
 * Compiling a region for x86-64: see gen.h. Also entering compiled code.
 */
#include <errno.h>
#include <stdlib.h>

#include "ir/scratch.h"
#include "jit/region.h"
#include "jit/x86_64/gen.h"
#include "jit/x86_64/jit.h"

#define CODE_MAX    (64 << 10) /* of one region */
#define FEW_PINS    4          /* leave enough for every instruction */
#define ENTER_UNITS 4          /* for what make_enter makes */

/* Registers 0 to 31 of the guest, of 8 bytes each, then lie in reach of one byte. */
int32_t gen_bias(const struct jit_layout *layout)
{
	return (int32_t)layout->pin_first + 128;
}

/*
 * Where exit_lookup did not find the guest address, which is in rax, in the first half of the jump cache, at rcx: by
 * the second, or to the run loop.
 */
static void make_second_lookup(struct jit *j, struct assembler *a)
{
	int32_t half = (int32_t)((j->layout.jump_mask + 1) * sizeof(struct region_jump));
	uint32_t none;

	a_mov(a, false, RDX, RAX);
	a_shift_imm(a, SH_SHR, false, RDX, REGION_JUMP_FOLD);
	a_alu(a, ALU_XOR, false, RDX, RAX);
	a_alu_imm(a, ALU_AND, false, RDX, (int32_t)(j->layout.jump_mask << 2));
	a_alu_imm(a, ALU_ADD, true, RCX, half);
	a_rx4(a, true, 0x3b, RAX, RCX, RDX, offsetof(struct region_jump, pc));
	none = a_jcc(a, CC_NE);
	a_alu_imm(a, ALU_AND, true, RAX, -(int32_t)TLB_BLOCK_SIZE);
	a_store(a, true, RAX, RBP, OFF_BASE);
	a_rx4(a, false, 0xff, 4, RCX, RDX, offsetof(struct region_jump, entry));
	a_patch_here(a, none);
	a_store(a, true, RAX, RBP, OFF_PC);
	a_mov_imm(a, RAX, IR_LEAVE_INDIRECT);
	a_1(a, 0xc3);
}

/* System V: keep rbx, rbp, r12-r15; call the region with the stack 8 off a multiple of 16. */
static bool make_enter(struct jit *j)
{
	static const unsigned saved[] = { RBX, RBP, R12, R13, R14, R15 };
	struct a_reference ref[4];
	struct assembler a = { .ref = ref, .cap_ref = ARRAY_SIZE(ref) };

	a.base = a.at = jit_memory_alloc(j->memory, JIT_HOT, ENTER_UNITS);
	if (!a.base)
		return false;
	a.end = a.base + ENTER_UNITS * JIT_UNIT(JIT_HOT);
	for (unsigned n = 0; n < 6; n++)
		a_push(&a, saved[n]);
	a_alu_imm(&a, ALU_SUB, true, RSP, 8);
	a.bias = gen_bias(&j->layout);
	a_lea(&a, true, RBP, RDI, a.bias);
	a_load(&a, true, R14, RBP, OFF_TLB);
	/* what compiled code's operations leave in MXCSR, C must not disturb, nor round as they do */
	a_mxcsr_enter(&a);
	a_call_reg(&a, RSI);
	a_mxcsr_leave(&a);
	a_alu_imm(&a, ALU_ADD, true, RSP, 8);
	for (unsigned n = 6; n-- > 0;)
		a_pop(&a, saved[n]);
	a_1(&a, 0xc3);
	j->enter = jit_memory_exec(j->memory, a.base);
	j->no_entry[1] = jit_memory_exec(j->memory, a.at);
	a_alu_imm(&a, ALU_AND, true, RAX, -(int32_t)j->layout.insn_align);
	j->no_entry[0] = jit_memory_exec(j->memory, a.at);
	make_second_lookup(j, &a);
	/* As a look-up has left rcx and rdx. */
	j->unentered = jit_memory_exec(j->memory, a.at);
	a_rx4(&a, true, 0x8b, RAX, RCX, RDX, offsetof(struct region_jump, pc));
	a_store(&a, true, RAX, RBP, OFF_PC);
	a_mov_imm(&a, RAX, IR_LEAVE_INDIRECT);
	a_1(&a, 0xc3);
	return !a.overflow;
}

const void *jit_unentered(const struct jit *j)
{
	return j->unentered;
}

struct jit *jit_create(const struct jit_layout *layout, size_t bytes)
{
	struct jit *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->layout = *layout;
	features_detect(&j->host);
	j->memory = jit_memory_create(bytes);
	if (!j->memory || !make_enter(j) || !gen_shared_make(j)) {
		int err = errno ? errno : ENOMEM;

		jit_destroy(j);
		errno = err;
		return NULL;
	}
	return j;
}

void jit_destroy(struct jit *j)
{
	if (!j)
		return;
	jit_memory_destroy(j->memory);
	free(j);
}

void jit_limit(struct jit *j, unsigned level)
{
	features_detect(&j->host);
	features_limit(&j->host, level);
}

size_t jit_bytes(const struct jit *j)
{
	return jit_memory_used(j->memory);
}

/* What compiled code leaves in rax and rdx. */
struct left {
	uint64_t how; /* enum ir_leave, exit << 8 */
	struct jit_code *code;
};

enum ir_leave jit_run(struct jit *j, const void *entry, struct ir_env *env, struct jit_code **left,
		      uint32_t *exit_index)
{
	struct left (*enter)(struct ir_env *, const void *) =
		(struct left(*)(struct ir_env *, const void *))(uintptr_t)j->enter;
	struct left l;

	env->fp_host = MXCSR_MASKED;
	env->fp_status = (env->fp_status & IR_FP_INEXACT) | env->fp_round | MXCSR_MASKED;
	l = enter(env, entry);

	*exit_index = l.how >> 8;
	*left = l.code;
	return l.how & 0xff;
}

/* ---- control ---- */

void jump_to_block(struct gen *g, uint32_t where, uint32_t block)
{
	if (g->nfixup == g->cap_fixup) {
		g->failed = true;
		return;
	}
	g->fixup[g->nfixup++] = (struct fixup){ where, block };
}

/* Does a block no more than leave the region? Behind the others it is in nobody's way. */
static bool only_leaves(const struct ir_region *r, uint32_t b)
{
	const struct ir_inst *i = &r->inst[r->bb[b].first];

	for (uint32_t n = 1; n < r->bb[b].count; n++, i++)
		if (i->op != IR_INSN && ir_has_side(i))
			return false;
	return i->op == IR_EXIT_DIRECT || i->op == IR_EXIT_INDIRECT;
}

/* How far behind the region's block that of a pc begins. */
static int64_t blocks_off(const struct gen *g, uint64_t pc)
{
	return (int64_t)((pc & ~TLB_BLOCK_MASK) - (g->start & ~TLB_BLOCK_MASK));
}

static bool same_page(const struct gen *g, uint64_t pc)
{
	return (pc ^ g->start) >> g->span == 0;
}

/*
 * May a displacement be replaced while others execute it? All processors store what lies in an aligned doubleword
 * at once.
 */
static bool replaceable(uint32_t where)
{
	return where % 8 <= 4;
}

/* The displacement at `where` is that of the exit i, to be linked to another region. */
static void leave_from(struct gen *g, uint32_t where, const struct ir_inst *i, int64_t off)
{
	struct stub *s = add_stub(g, STUB_EXIT);

	s->from[0] = where;
	/* by the base that there is now */
	s->pc = i->imm - (uint64_t)off;
	s->exit = i->aux;
	g->exit_where[i->aux] = where;
}

static void exit_direct(struct gen *g, const struct ir_inst *i)
{
	int64_t off = blocks_off(g, i->imm);

	pins_write_back(g, g->dirty);
	if (off)
		a_alu_mem_imm(&g->a, ALU_ADD, true, RBP, OFF_BASE, (int32_t)off);
	while (!replaceable(a_pos(&g->a) + 1))
		a_1(&g->a, 0x90);
	leave_from(g, a_jmp(&g->a), i, off);
}

/*
 * The exit that is all there is in a block, if whoever jumps to the block may as well leave from where he is:
 * nobody else goes there, and there is nothing to be done on the way. NULL: there is more to it.
 */
static const struct ir_inst *exit_at_once(const struct gen *g, uint32_t block)
{
	const struct ir_inst *i = last_of(g, block);

	if (i->op != IR_EXIT_DIRECT || !same_page(g, i->imm) || blocks_off(g, i->imm) ||
	    g->cfg.npred[block] != 1 || g->dirty || g->pin_block[block].dirty || g->pending ||
	    !only_leaves(g->r, block))
		return NULL;
	return i;
}

/* What the flags are is known where the way goes on, if no other leads there. */
static void keep_flags(struct gen *g, uint32_t block)
{
	if (g->cfg.npred[block] == 1 && a_flags_hold(&g->a) && g->flags.kind == FLAGS_COMPARE)
		g->flags_in[block] = g->flags;
}

static void take_flags(struct gen *g, uint32_t block)
{
	if (g->flags_in[block].kind != FLAGS_COMPARE)
		return;
	g->flags = g->flags_in[block];
	g->flags.zero = NO_INDEX;
	a_note_flags(&g->a);
}

/* A conditional jump to target t of the block. */
static void branch_to(struct gen *g, enum cond cc, uint32_t block, unsigned t)
{
	const uint8_t *start = g->a.at;
	uint32_t flags = defer_edge(g, t), where = a_jcc(&g->a, cc);
	const struct ir_inst *leave = exit_at_once(g, block);
	struct stub *s;

	a_flags_kept(&g->a, start);
	if (!flags && leave && replaceable(where)) {
		leave_from(g, where, leave, 0);
		g->block_at[block] = NO_INDEX;
		return;
	}
	if (!flags) {
		keep_flags(g, block);
		jump_to_block(g, where, block);
		return;
	}
	s = add_stub(g, STUB_EDGE);
	s->from[0] = where;
	s->block = block;
	s->flags = flags;
}

/* Go on with target t. */
static void go_to(struct gen *g, uint32_t block, unsigned t, uint32_t follows)
{
	const struct ir_inst *leave = exit_at_once(g, block);

	defer_make_here(g, defer_edge(g, t));
	keep_flags(g, block);
	if (block == follows)
		return;
	if (leave) {
		exit_direct(g, leave);
		g->block_at[block] = NO_INDEX;
		return;
	}
	jump_to_block(g, a_jmp(&g->a), block);
}

static void branch(struct gen *g, const struct ir_inst *i, uint32_t follows)
{
	enum cond cc = gen_condition(g, i->arg[0]);
	uint32_t yes = i->arg[1], no = i->arg[2];

	if (yes == follows) {
		branch_to(g, cc ^ 1, no, 1);
		go_to(g, yes, 0, follows);
		return;
	}
	branch_to(g, cc, yes, 0);
	go_to(g, no, 1, follows);
}

static void poll(struct gen *g, uint64_t pc)
{
	struct stub *s = add_stub(g, STUB_POLL);

	a_cmp_mem_imm(&g->a, false, RBP, OFF_EXIT_REQUEST, 0);
	s->from[0] = a_jcc(&g->a, CC_NE);
	if (g->layout->count_polls) {
		a_alu_mem_imm(&g->a, ALU_SUB, false, RBP, offsetof(struct ir_env, polls_left), 1);
		s->from[1] = a_jcc(&g->a, CC_B);
	}
	s->pc = pc;
}

void gen_first(struct assembler *a)
{
	a_cmp_mem_imm(a, false, RBP, OFF_EXIT_REQUEST, 0);
}

/* The first instruction, 7 bytes, is what jit_kill replaces by a jump to the same stub. */
static void entry_poll(struct gen *g)
{
	struct stub *s = add_stub(g, STUB_ENTRY);

	gen_first(&g->a);
	s->from[0] = a_jcc(&g->a, CC_NE);
	s->pc = g->start;
}

void gen_outside(struct gen *g, uint32_t where, const void *target)
{
	if (g->noutside == g->cap_outside) {
		g->failed = true;
		return;
	}
	g->outside[g->noutside].target = target;
	g->outside[g->noutside++].where = where;
}

/*
 * To the guest address in rax by the processor's jump cache, if it is there (then the region lives, or leaves);
 * else to the run loop. It is written out each time, since jumps in places of their own are what the host
 * predicts.
 *
 * rough: bits of rax are to be ignored that no address in the cache has. With one of them it is not found.
 */
static void exit_lookup(struct gen *g, bool rough)
{
	struct assembler *a = &g->a;

	_Static_assert(sizeof(struct region_jump) == 4 << 2, "region_jump_hash << 2, scaled by 4");
	a_load(a, true, RCX, RBP, (int32_t)g->layout->jump);
	a_mov(a, false, RDX, RAX);
	a_alu_imm(a, ALU_AND, false, RDX, (int32_t)(g->layout->jump_mask << 2));
	a_rx4(a, true, 0x3b, RAX, RCX, RDX, offsetof(struct region_jump, pc));
	gen_outside(g, a_jcc(a, CC_NE), g->no_entry[rough]);
	a_alu_imm(a, ALU_AND, true, RAX, -(int32_t)TLB_BLOCK_SIZE);
	a_store(a, true, RAX, RBP, OFF_BASE);
	a_rx4(a, false, 0xff, 4, RCX, RDX, offsetof(struct region_jump, entry));
}

static void exit_indirect(struct gen *g, const struct ir_inst *i)
{
	uint32_t v = i->arg[0];
	bool rough = g->val[v].fused;

	/* uses.c: what an AND clears */
	use_into(g, rough ? inst_of(g, v)->arg[0] : v, RAX);
	pins_write_back(g, g->dirty);
	exit_lookup(g, rough);
}

static void get(struct gen *g, const struct ir_inst *i)
{
	uint32_t off = (uint32_t)i->imm;
	const struct pin *p = pin_at(g, off & ~7u);
	unsigned dst;

	if (p && i->type != p->type) {
		g->failed = true;
		return;
	}
	if (dies(g, g->at))
		return;
	bind_state(g, g->at, off);
	if (g->val[g->at].home == HOME_STATE)
		return;
	/* no room to remember it */
	dst = def_reg(g);
	if (is_vec(g, g->at)) {
		if (!p)
			gen_load_xmm(g, i->type, dst, RBP, (int32_t)off);
		else if (p->xmm)
			a_sse(&g->a, 0, 0x0f28, dst, p->reg);
		else
			gen_to_xmm(g, dst, p->reg);
	} else if (!p) {
		a_load(&g->a, wide(i), dst, RBP, (int32_t)off);
	} else if (p->xmm) {
		gen_from_xmm(g, dst, p->reg);
	} else {
		a_mov(&g->a, true, dst, p->reg);
	}
}

static bool is_split(struct gen *g, const struct ir_inst *i)
{
	const struct pin *p = pin_at(g, (uint32_t)i->imm);

	return i->type == IR_V128 && inst_of(g, i->arg[0])->op == IR_VCONST && (!p || p->type != IR_V128) &&
	       (p || pin_at(g, (uint32_t)i->imm + 8));
}

/* A vector constant to where halves are pins. */
static void set_halves(struct gen *g, const struct ir_inst *i)
{
	u128 c = g->r->vconst[inst_of(g, i->arg[0])->imm];

	for (unsigned k = 0; k < 2; k++, c >>= 64) {
		uint32_t off = (uint32_t)i->imm + 8 * k;
		struct pin *p = pin_at(g, off);

		state_changes(g, off, 8);
		if (!p && fits32((int64_t)c)) {
			a_store_imm(&g->a, true, RBP, (int32_t)off, (int32_t)c);
			continue;
		}
		if (p) {
			g->dirty |= 1u << (p - g->pin);
			g->early &= ~(1u << (p - g->pin));
		}
		if (p && p->xmm) {
			use_constant(g, (uint64_t)c, p->reg);
			continue;
		}
		a_mov_imm(&g->a, p ? p->reg : RAX, (uint64_t)c);
		if (!p)
			a_store(&g->a, true, RAX, RBP, (int32_t)off);
	}
}

static void set(struct gen *g, const struct ir_inst *i)
{
	uint32_t off = (uint32_t)i->imm, v = i->arg[0];
	struct pin *p = pin_at(g, off & ~7u);
	int32_t imm;

	if (is_split(g, i)) {
		set_halves(g, i);
		return;
	}
	if (p && (i->type != p->type || g->failed)) {
		g->failed = true;
		return;
	}
	if (p && (g->val[v].fused || i->aux)) {
		g->failed = true; /* pins.c leaves out what is written by bytes */
		return;
	}
	if (g->val[v].fused) {
		state_changes(g, off, ir_type_size(i->type));
		if (g->val[g->at].deferred)
			return;
		gen_set_compare(g, inst_of(g, v), off);
		return;
	}
	if (g->val[v].in_flags) {
		state_changes(g, off, ir_type_size(i->type));
		g->failed |= !gen_set_flag(g, v, off);
		return;
	}
	if (p) {
		g->dirty |= 1u << (p - g->pin);
		g->early &= ~(1u << (p - g->pin));
	}
	/* Storing a register's own value changes nothing. */
	if (g->val[v].home == HOME_STATE && g->val[v].home_at == off &&
	    inst_of(g, v)->type == i->type)
		return;
	if (g->val[v].reg != NO_REG) {
		if (is_vec(g, v))
			g->locked_xmm |= 1u << g->val[v].reg;
		else
			g->locked |= 1u << g->val[v].reg;
	}
	state_changes(g, off, ir_type_size(i->type));
	if (p) {
		if (p->xmm)
			use_into_xmm(g, v, p->reg);
		else
			use_into(g, v, p->reg);
		if (!dies(g, v))
			bind_state(g, v, off);
		return;
	}
	if (is_vec(g, v)) {
		gen_store_xmm(g, i->type, use_reg(g, v), RBP, (int32_t)off);
	} else if (use_imm(g, v, &imm)) {
		a_store_imm(&g->a, wide(i), RBP, (int32_t)off, imm);
	} else {
		a_store(&g->a, wide(i), use_reg(g, v), RBP, (int32_t)off);
	}
	if (!dies(g, v))
		bind_state(g, v, off);
}

static void instruction(struct gen *g, uint32_t at, uint32_t follows)
{
	const struct ir_inst *i = inst_of(g, at);

	if (g->val[at].fused)
		return;
	defer_before(g, i);
	begin_inst(g, at);
	switch ((enum ir_op)i->op) {
	case IR_CONST:
	case IR_VCONST:
		g->val[at].home = HOME_CONST;
		return;
	case IR_PC:
		gen_pc(g, def_reg(g), i->imm);
		break;
	case IR_GET:
		get(g, i);
		break;
	case IR_SET:
		set(g, i);
		break;
	case IR_INSN:
		g->pc = i->imm;
		return;
	case IR_POLL:
		poll(g, i->imm);
		break;
	case IR_LOAD:
	case IR_STORE:
	case IR_CAS:
	case IR_RMW:
	case IR_FENCE:
	case IR_PROBE:
	case IR_LOAD_HOST:
	case IR_STORE_HOST:
		gen_memory(g, i);
		break;
	case IR_CALL:
		gen_call(g, i);
		break;
	case IR_BR:
		pins_end_block(g);
		branch(g, i, follows);
		break;
	case IR_JUMP:
		pins_end_block(g);
		go_to(g, i->arg[1], 0, follows);
		break;
	case IR_EXIT_DIRECT:
		if (!same_page(g, i->imm)) {
			/* another page: its translation may change */
			pins_write_back(g, g->dirty);
			gen_pc(g, RAX, i->imm);
			exit_lookup(g, false);
		} else {
			exit_direct(g, i);
		}
		break;
	case IR_EXIT_INDIRECT:
		exit_indirect(g, i);
		break;
	case IR_EXIT_RESUME:
		pins_write_back(g, g->dirty);
		a_mov_imm(&g->a, RAX, IR_LEAVE_RESUME);
		a_1(&g->a, 0xc3);
		break;
	default:
		if (gen_is_int(i->op) && !is_vec(g, at))
			gen_int(g, i);
		else
			gen_vector(g, i);
		break;
	}
	if (!gen_keeps_rdx(g, i))
		g->in_rdx = NO_INDEX;
	end_inst(g);
}

/*
 * The blocks in the order of their code: the guest's, those that only leave last. Those that are never reached have none: what is
 * known of how blocks are reached (exit_at_once) is not known of them. Returns how many.
 */
static uint32_t order_blocks(const struct gen *g, uint32_t *order)
{
	const struct ir_region *r = g->r;
	uint32_t count = 0;

	for (unsigned last = 0; last < 2; last++) {
		for (uint32_t n = 0; n < r->ninst;) {
			uint32_t b = g->val[n].block;

			if (b == NO_INDEX) {
				n++;
				continue;
			}
			if (g->cfg.number[b] != CFG_NONE && (b && only_leaves(r, b)) == last)
				order[count++] = b;
			n = r->bb[b].first + r->bb[b].count;
		}
	}
	return count;
}

/* order: room for the region's blocks */
static void generate(struct gen *g, uint32_t *order)
{
	const struct ir_region *r = g->r;
	uint32_t count;

	entry_poll(g);
	g->code->polled = (uint16_t)a_pos(&g->a);
	pins_load(g, g->pin_block[0].live);
	count = order_blocks(g, order);
	for (uint32_t k = 0; k < count; k++) {
		uint32_t b = order[k], first = r->bb[b].first, after = k + 1, follows;

		/* Whoever goes there has left at once. */
		if (g->block_at[b] == NO_INDEX)
			continue;
		while (after < count && g->block_at[order[after]] == NO_INDEX)
			after++;
		follows = after < count ? order[after] : NO_INDEX;
		g->block_at[b] = a_pos(&g->a);
		g->pc = g->block_pc[b];
		pins_begin_block(g, b);
		defer_begin_block(g, b);
		alloc_begin_block(g, b);
		/* Pins are loaded, which leaves the flags alone. */
		pins_enter_block(g, b);
		take_flags(g, b);
		for (uint32_t n = 0; n < r->bb[b].count && !g->failed && !g->a.overflow; n++) {
			instruction(g, first + n, follows);
			defer_after(g, first + n);
		}
		if (g->failed || g->a.overflow)
			return;
		tree_end_block(g, b);
	}
	/* Constants behind the stubs keep their alignment. */
	while (a_pos(&g->a) & 15)
		a_1(&g->a, 0xcc);
	g->cold = a_pos(&g->a);
	gen_stubs(g);
	for (uint32_t n = 0; n < g->nfixup; n++)
		a_patch(&g->a, g->fixup[n].where, g->block_at[g->fixup[n].block]);
}

/* Memory for all that is by instruction and by block, in the region's scratch memory as the rest is. */
static bool allot(struct gen *g)
{
	const struct ir_region *r = g->r;
	struct ir_scratch *s = r->scratch;
	uint8_t *buffer = scratch_take(s, 1, CODE_MAX);

	g->a.base = g->a.at = buffer;
	g->a.end = buffer + CODE_MAX;
	g->val = scratch_take(s, r->ninst + 1, sizeof(*g->val));
	g->next = scratch_take(s, r->ninst + 1, sizeof(*g->next));
	g->block_at = scratch_take(s, r->nbb + 1, sizeof(*g->block_at));
	g->cap_fixup = 2 * r->nbb + 2;
	g->fixup = scratch_take(s, g->cap_fixup, sizeof(*g->fixup));
	g->cap_stub = r->ninst + 2;
	g->stub = scratch_take(s, g->cap_stub, sizeof(*g->stub));
	g->exit_where = scratch_take(s, r->nexit + 1, sizeof(*g->exit_where));
	/* A stub has one, an exit's code another. */
	g->cap_outside = 2 * r->ninst + 2;
	g->outside = scratch_take(s, g->cap_outside, sizeof(*g->outside));
	g->a.cap_ref = 8 * r->ninst + 600;
	g->a.ref = scratch_take(s, g->a.cap_ref, sizeof(*g->a.ref));
	g->block_pc = scratch_take(s, r->nbb + 1, sizeof(*g->block_pc));
	g->pin_block = scratch_take(s, r->nbb + 1, sizeof(*g->pin_block));
	g->flags_in = scratch_take(s, r->nbb + 1, sizeof(*g->flags_in));
	if (!buffer || !g->val || !g->next || !g->block_at || !g->flags_in || !g->fixup || !g->stub ||
	    !g->exit_where || !g->outside || !g->a.ref || !g->block_pc || !g->pin_block)
		return false;
	memset(g->val, 0, (r->ninst + 1) * sizeof(*g->val));
	memset(g->block_at, 0, (r->nbb + 1) * sizeof(*g->block_at));
	for (uint32_t b = 0; b < r->nbb; b++)
		g->flags_in[b].kind = FLAGS_SUM;
	memset(g->pin_block, 0, (r->nbb + 1) * sizeof(*g->pin_block));
	for (unsigned n = 0; n < 16; n++)
		g->in_gpr[n] = g->in_xmm[n] = NO_INDEX;
	for (uint32_t n = 0; n < r->nexit; n++)
		g->exit_where[n] = NO_INDEX;
	return true;
}

/*
 * With so many pins at most. ENOBUFS: the generator gave up, mostly since an instruction needs more registers than they
 * leave.
 */
static struct jit_code *compile(struct jit *j, const struct ir_region *r, uint64_t pc, unsigned pin_regs)
{
	struct scratch_mark mark = scratch_mark(r->scratch);
	struct gen *g = scratch_take(r->scratch, 1, sizeof(*g));
	uint32_t *order = scratch_take(r->scratch, r->nbb + 1, sizeof(*order));
	struct jit_code *c = NULL;
	int err = ENOMEM;

	if (!g || !order)
		goto out;
	memset(g, 0, offsetof(struct gen, state_vals));
	g->r = r;
	g->layout = &j->layout;
	g->host = &j->host;
	g->start = g->pc = pc;
	g->pin_regs = pin_regs;
	g->span = r->span > TLB_BLOCK_SHIFT ? r->span : TLB_BLOCK_SHIFT;
	g->a.bias = gen_bias(&j->layout);
	g->no_entry[0] = j->no_entry[0];
	g->no_entry[1] = j->no_entry[1];
	g->shared = &j->shared;
	if (!allot(g) || !ir_cfg_init(&g->cfg, r) || !runs_find(g) || !alloc_init(g) || !pins_choose(g))
		goto out;
	c = calloc(1, sizeof(*c) + r->nexit * sizeof(c->exit[0]));
	if (!c)
		goto out;
	g->code = c;
	ir_block_pcs(r, g->block_pc);
	generate(g, order);
	if (g->failed || g->a.overflow) {
		free(c);
		c = NULL;
		err = g->a.overflow ? ENOSPC : ENOBUFS;
		goto out;
	}
	c->nexit = (uint16_t)r->nexit;
	if (!gen_place(g, j->memory, c)) {
		free(c);
		c = NULL;
		err = ENOSPC;
	}
out:
	scratch_release(r->scratch, mark);
	if (!c)
		errno = err;
	return c;
}

struct jit_code *jit_compile(struct jit *j, const struct ir_region *r, uint64_t pc)
{
	struct jit_code *c = compile(j, r, pc, PIN_REGS);

	return c || errno != ENOBUFS ? c : compile(j, r, pc, FEW_PINS);
}
