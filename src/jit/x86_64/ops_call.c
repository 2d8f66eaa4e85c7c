/*
 * Calls of helpers: System V AMD64 ABI. The env is the first argument; a V128 goes by pointer, a
 * V128 result by a pointer behind the env.
 */
#include "ir/intrinsic_float.h"
#include "jit/x86_64/gen.h"

void gen_call_c(struct gen *g, const void *fn)
{
	/* compiled code runs with the stack 8 bytes off, as after a call */
	a_alu_imm(&g->a, ALU_SUB, true, RSP, 8);
	a_mov_imm(&g->a, RAX, (uintptr_t)fn);
	a_call_reg(&g->a, RAX);
	a_alu_imm(&g->a, ALU_ADD, true, RSP, 8);
}

void gen_pc(struct gen *g, unsigned reg, uint64_t pc)
{
	uint64_t relative = pc - g->r->base;

	if (fits32((int64_t)relative)) {
		a_load(&g->a, true, reg, RBP, OFF_BASE);
		a_alu_imm(&g->a, ALU_ADD, true, reg, (int32_t)relative);
	} else {
		a_mov_imm(&g->a, reg, relative);
		a_rm(&g->a, true, 0x03, reg, RBP, OFF_BASE);
	}
}

void gen_store_pc(struct gen *g, uint64_t pc)
{
	gen_pc(g, RAX, pc);
	a_store(&g->a, true, RAX, RBP, OFF_PC);
}

/* An argument register and where its value comes from. */
struct move {
	unsigned dst;
	uint32_t value; /* NO_INDEX: the address env + home */
	uint32_t home;
	bool done;
};

static unsigned source_reg(struct gen *g, const struct move *m)
{
	const struct value *x;
	struct pin *p;

	if (m->value == NO_INDEX)
		return NO_REG;
	x = &g->val[m->value];
	if (x->reg != NO_REG)
		return x->reg;
	p = x->home == HOME_STATE ? pin_at(g, x->home_at) : NULL;
	return p && !p->xmm ? p->reg : (unsigned)NO_REG;
}

/* All at once: no move overwrites what another still needs. */
static void parallel_moves(struct gen *g, struct move *m, unsigned n)
{
	unsigned left = n;
	unsigned parked = NO_REG; /* its value is in rax */

	while (left) {
		bool progress = false;

		for (unsigned i = 0; i < n; i++) {
			bool blocked = false;
			unsigned src;

			if (m[i].done)
				continue;
			for (unsigned k = 0; k < n; k++)
				if (k != i && !m[k].done && m[i].dst != parked &&
				    source_reg(g, &m[k]) == m[i].dst)
					blocked = true;
			if (blocked)
				continue;
			src = source_reg(g, &m[i]);
			if (src != NO_REG)
				a_mov(&g->a, true, m[i].dst, src == parked ? RAX : src);
			else if (m[i].value == NO_INDEX)
				a_lea(&g->a, true, m[i].dst, RBP, (int32_t)m[i].home);
			else
				use_into(g, m[i].value, m[i].dst);
			m[i].done = progress = true;
			left--;
		}
		if (!progress) {
			/* A cycle: one of its registers waits in rax. */
			for (unsigned i = 0; i < n && !progress; i++) {
				if (m[i].done)
					continue;
				parked = m[i].dst;
				a_mov(&g->a, true, RAX, parked);
				progress = true;
			}
		}
	}
}

void gen_call(struct gen *g, const struct ir_inst *i)
{
	static const unsigned arg_reg[] = { RSI, RDX, RCX, R8, R9 };
	const struct ir_helper *h = ir_helper_of(i);
	struct move m[5];
	unsigned n = 0;
	bool sees = h->flags & (IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_FAULTS);

	if (h->intrinsic >= IR_FLOAT_FIRST ? gen_float(g, i) : h->intrinsic && gen_intrinsic(g, i))
		return;
	if (h->flags & IR_H_WRITES_STATE)
		state_changes(g, 0, UINT32_MAX);
	if (h->result == IR_V128) {
		m[n] = (struct move){ .dst = arg_reg[n], .value = NO_INDEX,
				      .home = own_temp(g, g->at) };
		n++;
	}
	for (unsigned k = 0; k < h->nargs; k++, n++) {
		m[n] = (struct move){ .dst = arg_reg[n], .value = i->arg[k] };
		if (h->arg[k] == IR_V128) {
			m[n].home = need_home(g, i->arg[k]);
			m[n].value = NO_INDEX;
		}
	}
	/* What lives on is in memory; arguments are still in their registers. */
	save_for_call(g);
	if (sees) {
		pins_write_back(g, g->dirty);
		g->dirty = 0;
	} else {
		pins_save_lost(g);
	}
	if (h->flags & (IR_H_FAULTS | IR_H_READS_STATE))
		gen_store_pc(g, g->pc);
	parallel_moves(g, m, n);
	spill_for_call(g);
	if (h->flags & IR_H_FLOAT)
		a_mxcsr_leave(&g->a);
	a_lea(&g->a, true, RDI, RBP, 0);
	gen_call_c(g, (const void *)(uintptr_t)h->fn);
	if (h->flags & IR_H_FLOAT)
		a_mxcsr_enter(&g->a);
	if (h->flags & IR_H_DOOR)
		a_load(&g->a, true, R14, RBP, OFF_TLB);
	if (h->flags & IR_H_FAULTS) {
		struct stub *s = add_stub(g, STUB_FAULT);

		a_cmp_mem_imm(&g->a, false, RBP, OFF_FAULT, 0);
		s->from[0] = a_jcc(&g->a, CC_NE);
		s->from[1] = NO_INDEX;
		s->pc = g->pc;
	}
	if (h->flags & IR_H_WRITES_STATE)
		pins_load(g, g->taken);
	else
		pins_reload_lost(g);
	if (h->result == IR_I64 || h->result == IR_I32) {
		unsigned dst = def_reg(g);

		a_mov(&g->a, h->result == IR_I64, dst, RAX);
	}
}
