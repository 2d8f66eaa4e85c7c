/*
 * The code behind a region's own: misses, faults, polls, exits that are not linked.
 */
#include "jit/slow.h"
#include "jit/x86_64/gen.h"

struct stub *add_stub(struct gen *g, enum stub_kind kind)
{
	if (g->nstub == g->cap_stub) {
		g->failed = true;
		g->nstub = 0;
	}
	g->stub[g->nstub] = (struct stub){ .kind = kind };
	g->stub[g->nstub].dirty = g->dirty;
	defer_note(g, &g->stub[g->nstub]);
	g->stub[g->nstub].from[0] = g->stub[g->nstub].from[1] = NO_INDEX;
	return &g->stub[g->nstub++];
}

/* Put data behind the code: where; NO_INDEX when there is no room. */
static uint32_t place_data(struct gen *g, const void *data, uint32_t size)
{
	uint32_t at = (g->ndata + 15) & ~15u;

	/* the same masks are wanted again and again */
	for (uint32_t n = 0; n + size <= g->ndata && g->ndata_ref < ARRAY_SIZE(g->data_ref); n += 16)
		if (!memcmp(g->data + n, data, size))
			return n;

	if (at + size > sizeof(g->data) || g->ndata_ref == ARRAY_SIZE(g->data_ref)) {
		g->failed = true;
		return NO_INDEX;
	}
	memset(g->data + g->ndata, 0, at - g->ndata);
	memcpy(g->data + at, data, size);
	g->ndata = at + size;
	return at;
}

/* ModRM of reg, [rip + displacement] that leads to data */
static void modrm_data(struct gen *g, unsigned reg, uint32_t at)
{
	a_1(&g->a, (reg & 7) << 3 | 5);
	g->data_ref[g->ndata_ref].where = a_pos(&g->a);
	g->data_ref[g->ndata_ref++].at = at;
	a_4(&g->a, 0);
}

void gen_lea_data(struct gen *g, unsigned reg, const void *data, uint32_t size)
{
	uint32_t at = place_data(g, data, size);

	if (at == NO_INDEX)
		return;
	a_rex(&g->a, true, reg, 0, 0, false);
	a_1(&g->a, 0x8d);
	modrm_data(g, reg, at);
}

void gen_sse_data(struct gen *g, uint8_t prefix, unsigned op, unsigned reg, u128 data)
{
	uint32_t at = place_data(g, &data, sizeof(data));

	if (at == NO_INDEX)
		return;
	if (prefix)
		a_1(&g->a, prefix);
	a_rex(&g->a, false, reg, 0, 0, false);
	a_opcode(&g->a, op);
	modrm_data(g, reg, at);
}

/* rdx: the piece, whose address is where the cold part begins (a copy has another). */
static void load_self(struct gen *g)
{
	a_rex(&g->a, true, RDX, 0, 0, false);
	a_1(&g->a, 0x8b);
	a_1(&g->a, RDX << 3 | 5);
	a_4(&g->a, g->cold - (a_pos(&g->a) + 4));
}

/* Save what is in caller-saved registers; the stack stays aligned for the call (8 off before it). */
uint32_t stub_save(struct gen *g, const struct stub *s)
{
	uint32_t n = __builtin_popcount(s->live), nx = __builtin_popcount(s->live_xmm);
	uint32_t bytes = 8 * n + 16 * nx + 16, at = 16;

	/* 16 bytes for a vector at the bottom */
	if (bytes % 16 != 8)
		bytes += 8;
	a_alu_imm(&g->a, ALU_SUB, true, RSP, (int32_t)bytes);
	for (uint32_t m = s->live_xmm; m; m &= m - 1, at += 16)
		a_sse_mem(&g->a, 0, 0x0f29, __builtin_ctz(m), RSP, (int32_t)at);
	for (uint32_t m = s->live; m; m &= m - 1, at += 8)
		a_store(&g->a, true, __builtin_ctz(m), RSP, (int32_t)at);
	return bytes;
}

void stub_restore(struct gen *g, const struct stub *s, uint32_t bytes)
{
	uint32_t at = 16;

	for (uint32_t m = s->live_xmm; m; m &= m - 1, at += 16)
		a_sse_mem(&g->a, 0, 0x0f28, __builtin_ctz(m), RSP, (int32_t)at);
	for (uint32_t m = s->live; m; m &= m - 1, at += 8)
		a_load(&g->a, true, __builtin_ctz(m), RSP, (int32_t)at);
	a_alu_imm(&g->a, ALU_ADD, true, RSP, (int32_t)bytes);
}

/* Guest state, as a fault is to find it. */
static void make_exact(struct gen *g, const struct stub *s)
{
	pins_write_back(g, s->dirty);
	defer_make(g, s);
}

static void call(struct gen *g, const void *fn)
{
	a_lea(&g->a, true, RDI, RBP, 0);
	a_mov_imm(&g->a, RAX, (uintptr_t)fn);
	a_call_reg(&g->a, RAX);
}

/* Behind a call, to the access's own code if rcx is not 0, else with the fault that it met. */
static void go_back(struct gen *g, const struct stub *s, uint32_t bytes)
{
	uint32_t fault;

	stub_restore(g, s, bytes);
	pins_load(g, s->window_pins);
	a_test(&g->a, true, RCX, RCX);
	fault = a_jcc(&g->a, CC_E);
	a_patch(&g->a, a_jmp(&g->a), s->back);
	a_patch_here(&g->a, fault);
	gen_leave_fault(g, s->pc);
}

/* A compare and swap that missed, or is misaligned, or must be reported. */
static void cas(struct gen *g, const struct stub *s)
{
	uint32_t bytes;

	make_exact(g, s);
	bytes = stub_save(g, s);
	/* Either register may be an argument's. */
	a_mov(&g->a, true, RCX, RAX);
	a_mov(&g->a, true, RDX, s->desired);
	a_mov(&g->a, true, RSI, s->addr);
	a_mov(&g->a, true, R8, RDX);
	a_mov_imm(&g->a, RDX, (uint32_t)s->imm);
	call(g, (const void *)slow_cas);
	a_mov(&g->a, true, RCX, RDX);
	a_mov(&g->a, true, s->reg, RAX);
	go_back(g, s, bytes);
}

static void by_window(struct gen *g, const struct stub *s)
{
	uint32_t from[3];

	if (!ir_window_of(s->imm, s->kind == STUB_PROBE ? IR_PROBE : IR_LOAD))
		return;
	gen_window_missed(g, s, from);
	for (unsigned n = 0; n < 3; n++)
		if (from[n] != NO_INDEX)
			a_patch_here(&g->a, from[n]);
}

static void gen_stub(struct gen *g, const struct stub *s)
{
	for (unsigned n = 0; n < 2; n++)
		if (s->from[n] != NO_INDEX)
			a_patch_here(&g->a, s->from[n]);
	switch ((enum stub_kind)s->kind) {
	case STUB_ENTRY:
		g->entry_stub = a_pos(&g->a);
		gen_leave_poll(g, s->pc);
		break;
	case STUB_LOAD:
	case STUB_STORE:
	case STUB_PROBE:
		by_window(g, s);
		make_exact(g, s);
		gen_miss(g, s);
		break;
	case STUB_CAS:
		cas(g, s);
		break;
	case STUB_FAULT:
		defer_make(g, s);
		gen_leave_fault(g, s->pc);
		break;
	case STUB_POLL:
		make_exact(g, s);
		gen_leave_poll(g, s->pc);
		break;
	case STUB_FLOAT:
		gen_float_stub(g, s);
		break;
	case STUB_EDGE:
		defer_make(g, s);
		jump_to_block(g, a_jmp(&g->a), s->block);
		break;
	case STUB_EXIT:
		load_self(g);
		gen_leave(g, s->pc, IR_LEAVE_DIRECT, s->exit);
		break;
	}
}

void gen_stubs(struct gen *g)
{
	a_8(&g->a, (uintptr_t)g->code);
	for (uint32_t n = 0; n < g->nstub; n++)
		gen_stub(g, &g->stub[n]);
	while (a_pos(&g->a) & 15)
		a_1(&g->a, 0x90);
	for (uint32_t n = 0; n < g->ndata_ref; n++)
		a_patch(&g->a, g->data_ref[n].where, a_pos(&g->a) + g->data_ref[n].at);
	a_bytes(&g->a, g->data, g->ndata);
}
