/*
 * Code that all pieces have together, so that each has less: what their stubs do when an access misses the TLB, and leaving
 * for the run loop. It is made once, in front of all pieces.
 *
 * A stub calls miss, behind which it says what is to be done (struct site). All registers are saved as a block of memory,
 * and C does the rest by their numbers: that costs a dozen stores and loads more than if the stub knew what lives, and a
 * stub is a fifth as long. Misses are looked up in tables of the guest's, and are rare; the memory that stubs take could hold
 * other pieces.
 */
#include <string.h>

#include "ir/op.h"
#include "jit/slow.h"
#include "jit/x86_64/jit.h"

#define UNITS 14 /* of code memory, for all of this */

/* What `miss` saves, at the bottom of the stack. */
struct saved {
	uint64_t gpr[16]; /* but rsp, and rbp and r14, which are nobody's */
	u128 xmm[16];     /* if that is asked for */
};

_Static_assert(sizeof(struct saved) % 16 == 0, "the stack stays aligned");

enum site_flags { SITE_XMM = 8, SITE_PROBE = 16, SITE_STORE = 32 };

/* What is to be done, behind the jump back that follows the call; of a PROBE, struct probe_site follows. */
struct site {
	uint64_t imm;
	int32_t pc; /* from env->base */
	uint8_t addr, reg;
	uint8_t flags; /* enum ir_type, enum site_flags */
	uint8_t unused;
};

struct probe_site {
	uint32_t self; /* how far before it the cold part begins */
	uint32_t aux;
};

#define JUMP_BACK 5 /* bytes */

/* True: leave as rax and rdx say. */
static bool leave_with(struct ir_env *env, struct saved *s, const struct site *w, enum ir_leave how, uint64_t code)
{
	env->pc = env->base + (uint64_t)(int64_t)w->pc;
	s->gpr[RAX] = how;
	s->gpr[RDX] = code;
	return true;
}

static bool probe(struct ir_env *env, struct saved *s, const struct site *w, const uint8_t *at)
{
	struct slow_result r;
	struct probe_site p;
	uint64_t code;

	memcpy(&p, at, sizeof(p));
	r = slow_probe(env, s->gpr[w->addr], w->imm, p.aux);
	switch ((enum mem_probe)r.ok) {
	case MEM_PROBE_OK:
		s->gpr[w->reg] = r.value;
		return false;
	case MEM_PROBE_FAULT:
		return leave_with(env, s, w, IR_LEAVE_FAULT, 0);
	default:
		memcpy(&code, at - p.self, sizeof(code));
		return leave_with(env, s, w, IR_LEAVE_UNSHARED, code);
	}
}

static bool store(struct ir_env *env, struct saved *s, const struct site *w, uint64_t addr)
{
	if ((w->flags & 7) == IR_V128)
		return slow_store_v(env, addr, (uint32_t)w->imm, &s->xmm[w->reg]);
	return slow_store(env, addr, (uint32_t)w->imm, w->flags & SITE_XMM ? (uint64_t)s->xmm[w->reg] : s->gpr[w->reg]);
}

static bool load(struct ir_env *env, struct saved *s, const struct site *w, uint64_t addr)
{
	struct slow_result r;

	if ((w->flags & 7) == IR_V128)
		return slow_load_v(env, addr, (uint32_t)w->imm, &s->xmm[w->reg]);
	r = slow_load(env, addr, (uint32_t)w->imm, w->flags & 7);
	if (!r.ok)
		return false;
	if (w->flags & SITE_XMM)
		s->xmm[w->reg] = r.value;
	else
		s->gpr[w->reg] = r.value;
	return true;
}

/* What a stub called from before `back` wants. True: leave, as the saved rax and rdx say. */
static uint64_t serve(struct ir_env *env, struct saved *s, const uint8_t *back)
{
	struct site w;
	uint64_t addr;

	memcpy(&w, back + JUMP_BACK, sizeof(w));
	if (w.flags & SITE_PROBE)
		return probe(env, s, &w, back + JUMP_BACK + sizeof(w));
	addr = s->gpr[w.addr] + (uint64_t)(int64_t)(int32_t)(w.imm >> 32);
	if (w.flags & SITE_STORE ? store(env, s, &w, addr) : load(env, s, &w, addr))
		return false;
	return leave_with(env, s, &w, IR_LEAVE_FAULT, 0);
}

static bool is_saved(unsigned r)
{
	return r != RSP && r != RBP && r != R14;
}

static void make_miss(struct assembler *a, bool xmm)
{
	int32_t bytes = (int32_t)(xmm ? sizeof(struct saved) : offsetof(struct saved, xmm));
	uint32_t leaves;

	a_alu_imm(a, ALU_SUB, true, RSP, bytes);
	for (unsigned r = 0; r < 16; r++)
		if (is_saved(r))
			a_store(a, true, r, RSP, (int32_t)(8 * r));
	for (unsigned r = 0; xmm && r < 16; r++)
		a_sse_mem(a, 0, 0x0f29, r, RSP, (int32_t)(offsetof(struct saved, xmm) + 16 * r));
	a_lea(a, true, RDI, RBP, 0);
	a_mov(a, true, RSI, RSP);
	a_load(a, true, RDX, RSP, bytes);
	a_mov_imm(a, RAX, (uintptr_t)serve);
	a_call_reg(a, RAX);
	a_test(a, true, RAX, RAX);
	/* Which leaves the flags as they are: */
	for (unsigned r = 0; xmm && r < 16; r++)
		a_sse_mem(a, 0, 0x0f28, r, RSP, (int32_t)(offsetof(struct saved, xmm) + 16 * r));
	for (unsigned r = 0; r < 16; r++)
		if (is_saved(r))
			a_load(a, true, r, RSP, (int32_t)(8 * r));
	a_lea(a, true, RSP, RSP, bytes);
	leaves = a_jcc(a, CC_NE);
	a_1(a, 0xc3);
	a_patch_here(a, leaves);
	a_lea(a, true, RSP, RSP, 8);
	a_1(a, 0xc3);
}

bool gen_shared_make(struct jit *j)
{
	struct a_reference ref[8];
	struct assembler a = {.ref = ref, .cap_ref = ARRAY_SIZE(ref), .bias = gen_bias(&j->layout)};
	uint32_t to_end;

	a.base = a.at = jit_memory_alloc(j->memory, JIT_HOT, UNITS);
	if (!a.base)
		return false;
	a.end = a.base + UNITS * JIT_UNIT(JIT_HOT);
	j->shared.miss[false] = jit_memory_exec(j->memory, a.at);
	make_miss(&a, false);
	j->shared.miss[true] = jit_memory_exec(j->memory, a.at);
	make_miss(&a, true);
	j->shared.fault = jit_memory_exec(j->memory, a.at);
	a_mov_imm(&a, RCX, IR_LEAVE_FAULT);
	to_end = a_jmp(&a);
	j->shared.poll = jit_memory_exec(j->memory, a.at);
	a_mov_imm(&a, RCX, IR_LEAVE_POLL);
	a_patch_here(&a, to_end);
	j->shared.leave = jit_memory_exec(j->memory, a.at);
	a_rm(&a, true, 0x03, RAX, RBP, OFF_BASE);
	a_store(&a, true, RAX, RBP, OFF_PC);
	a_mov(&a, true, RAX, RCX);
	a_1(&a, 0xc3);
	return !a.overflow;
}

/* jmp or call */
static void go_outside(struct gen *g, uint8_t op, const uint8_t *target)
{
	a_1(&g->a, op);
	a_4(&g->a, 0);
	gen_outside(g, a_pos(&g->a) - 4, target);
}

/* rax := what `leave` and its like take. */
static void relative_pc(struct gen *g, uint64_t pc)
{
	a_mov_imm(&g->a, RAX, pc - g->r->base);
}

void gen_leave_fault(struct gen *g, uint64_t pc)
{
	relative_pc(g, pc);
	go_outside(g, 0xe9, g->shared->fault);
}

void gen_leave_poll(struct gen *g, uint64_t pc)
{
	relative_pc(g, pc);
	go_outside(g, 0xe9, g->shared->poll);
}

void gen_leave(struct gen *g, uint64_t pc, enum ir_leave how, uint32_t index)
{
	relative_pc(g, pc);
	a_mov_imm(&g->a, RCX, (uint32_t)how | index << 8);
	go_outside(g, 0xe9, g->shared->leave);
}

size_t gen_miss_data(const uint8_t *at, size_t size)
{
	struct site w;
	size_t n = sizeof(w);

	if (size < n)
		return size;
	memcpy(&w, at, n);
	if (w.flags & SITE_PROBE)
		n += sizeof(struct probe_site);
	return n < size ? n : size;
}

void gen_miss(struct gen *g, const struct stub *s)
{
	uint64_t relative = s->pc - g->r->base;
	uint32_t jump;
	bool vec = s->kind != STUB_PROBE && (s->type == IR_V128 || s->xmm);
	struct site w = {
		.imm = s->imm,
		.pc = (int32_t)relative,
		.addr = s->addr,
		.reg = s->reg,
		.flags = (uint8_t)((s->kind == STUB_PROBE ? SITE_PROBE : s->type | (s->xmm ? SITE_XMM : 0)) |
				   (s->kind == STUB_STORE ? SITE_STORE : 0)),
	};

	/* No code of a page lies so far from the base (ir.h). */
	if (!fits32((int64_t)relative))
		g->failed = true;
	go_outside(g, 0xe8, g->shared->miss[vec || s->live_xmm]);
	jump = a_jmp(&g->a);
	a_bytes(&g->a, &w, sizeof(w));
	if (s->kind == STUB_PROBE) {
		struct probe_site p = {.self = a_pos(&g->a) - g->cold, .aux = s->aux};

		a_bytes(&g->a, &p, sizeof(p));
	}
	if (s->window_pins) {
		a_patch_here(&g->a, jump);
		pins_load(g, s->window_pins);
		jump = a_jmp(&g->a);
	}
	a_patch(&g->a, jump, s->back);
}
