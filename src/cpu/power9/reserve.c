/*
 * Watched reservations: see reserve.h.
 */
#include "cpu/power9/reserve.h"

#include "cpu/power9/core.h"
#include "ir/code.h"

/* So many loads of an address are watched after one was given up, and at most, if that goes on. */
#define PATIENCE     4
#define PATIENCE_MAX 1024

/* So often is another's remapping put up with. */
#define TRIES 4

static unsigned size_of(uint64_t how)
{
	return how & 0xff;
}

static bool big_endian(uint64_t how)
{
	return !(how >> 16 & 1);
}

static void load_reserve(struct ir_env *env, uint64_t ea, uint64_t how)
{
	struct p9_cpu *p = p9_of_env(env);
	struct p9_regs *r = &p->regs;
	unsigned size = size_of(how);
	bool report, watched = false;
	u128 raw;
	void *at;

	for (unsigned n = 0; n < TRIES && !watched; n++) {
		at = mem_atomic_ptr(&env->door, ea, size, false, &report);
		if (!at)
			return;
		watched = cpu_watch_load(&p->cpu, HVA(at), size, &raw);
	}
	if (!watched) {
		at = mem_atomic_ptr(&env->door, ea, size, false, &report);
		if (!at)
			return;
		raw = code_raw_load(at, size);
	}
	count(&p->cpu.stats.reservations_watched);
	r->resv_addr = ea;
	r->resv_size = watched ? size : 0;
	r->resv_value = code_reorder(raw, size, big_endian(how));
	if (!--r->resv_left)
		r->resv_watch = P9_RESV_NOWHERE;
}

const struct ir_helper p9_h_load_reserve = {
	.name = "load_reserve",
	.fn = (void (*)(void))load_reserve,
	.nargs = 2,
	.result = IR_NONE,
	.arg = {IR_I64, IR_I64},
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};

/* The more loads are watched, the more often that is needed at an address. */
static void given_up(struct p9_cpu *p, uint64_t ea)
{
	struct p9_regs *r = &p->regs;
	uint64_t at = ea & P9_RESV_BITS;

	count(&p->cpu.stats.reservations_given_up);
	if (r->resv_given_up != at)
		r->resv_patience = PATIENCE;
	else if (r->resv_patience < PATIENCE_MAX)
		r->resv_patience *= 2;
	r->resv_given_up = at;
	r->resv_watch = at;
	r->resv_left = r->resv_patience;
}

static uint64_t store_conditional(struct ir_env *env, uint64_t ea, uint64_t how, uint64_t high, uint64_t low)
{
	struct p9_cpu *p = p9_of_env(env);
	struct p9_regs *r = &p->regs;
	unsigned size = size_of(how);
	bool stored = false, report;
	void *at;

	if (ea & (size - 1)) {
		env->door.ops->misaligned(&env->door, GVA(ea), true);
		return 0;
	}
	if (r->resv_size == size && !((r->resv_addr ^ ea) & P9_RESV_BITS)) {
		/* Whether that is the place, cpu_watch_swap knows. */
		at = mem_atomic_ptr(&env->door, ea, size, true, &report);
		if (!at)
			return 0;
		stored = cpu_watch_swap(&p->cpu, HVA(at), size,
					code_reorder(r->resv_value, size, big_endian(how)),
					code_reorder((u128)high << 64 | low, size, big_endian(how)));
		if (!stored)
			count(&p->cpu.stats.reservations_lost);
		else if (report)
			env->door.ops->code_write(&env->door, HVA(at), size);
	} else {
		given_up(p, ea);
	}
	return stored;
}

const struct ir_helper p9_h_store_conditional = {
	.name = "store_conditional",
	.fn = (void (*)(void))store_conditional,
	.nargs = 4,
	.result = IR_I64,
	.arg = {IR_I64, IR_I64, IR_I64, IR_I64},
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};
