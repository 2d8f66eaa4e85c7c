/*
 * Homes of values: temporaries of the env, and guest state that they equal.
 */
#include "jit/x86_64/alloc.h"

/*
 * Temporaries of values that stay in their block are used again and again, from below. One that
 * crosses blocks may be alive while any other block executes, so it shares with none: from above.
 */
static uint32_t temp_alloc(struct gen *g, bool crosses)
{
	unsigned n = IR_MAX_TEMPS;

	if (crosses) {
		if (g->temp_crossing < IR_MAX_TEMPS - g->temp_high)
			n = IR_MAX_TEMPS - ++g->temp_crossing;
	} else {
		for (unsigned w = 0; w < IR_MAX_TEMPS / 64 && n == IR_MAX_TEMPS; w++) {
			if (~g->temp_used[w]) {
				n = 64 * w + __builtin_ctzll(~g->temp_used[w]);
				g->temp_used[w] |= UINT64_C(1) << (n % 64);
			}
		}
		if (n >= IR_MAX_TEMPS - g->temp_crossing)
			n = IR_MAX_TEMPS;
		else if (n >= g->temp_high)
			g->temp_high = n + 1;
	}
	if (n == IR_MAX_TEMPS) {
		g->failed = true;
		n = 0;
	}
	return offsetof(struct ir_env, temp) + n * sizeof(union ir_slot);
}

void alloc_free_temp(struct gen *g, uint32_t at)
{
	unsigned n = (at - offsetof(struct ir_env, temp)) / sizeof(union ir_slot);

	g->temp_used[n / 64] &= ~(UINT64_C(1) << (n % 64));
}

uint32_t own_temp(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	x->home = HOME_TEMP;
	x->home_at = temp_alloc(g, x->crosses && !x->via_state);
	return x->home_at;
}

static void store_home(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (is_vec(g, v))
		gen_store_xmm(g, inst_of(g, v)->type, x->reg, RBP, (int32_t)x->home_at);
	else
		a_store(&g->a, true, x->reg, RBP, x->home_at);
}

/* The register's value can be found again elsewhere: make it so. */
void alloc_spill(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->home == HOME_NONE) {
		x->home = HOME_TEMP;
		x->home_at = temp_alloc(g, x->crosses && !x->via_state);
		store_home(g, v);
	}
}

/* A temporary of its own, which no change of guest state touches. */
void need_own_home(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->home == HOME_TEMP || x->home == HOME_CONST)
		return;
	if (x->reg == NO_REG)
		use_reg(g, v);
	if (x->reg == NO_REG) {
		/* a pinned register */
		unsigned reg = alloc_take(g, v);

		alloc_load_home(g, v, reg);
		alloc_put(g, v, reg);
		use_reg(g, v);
	}
	alloc_forget_state(g, v);
	x->home = HOME_NONE;
	alloc_spill(g, v);
}

uint32_t need_home(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->home == HOME_CONST || (x->home == HOME_STATE && pin_at(g, x->home_at))) {
		uint32_t at = temp_alloc(g, false);

		/* Its own home stays; this copy lasts for the region. */
		if (is_vec(g, v)) {
			unsigned reg = use_reg(g, v);

			gen_store_xmm(g, inst_of(g, v)->type, reg, RBP, (int32_t)at);
		} else {
			use_into(g, v, RAX);
			a_store(&g->a, true, RAX, RBP, at);
		}
		return at;
	}
	if (x->home == HOME_NONE)
		alloc_spill(g, v);
	return x->home_at;
}

void alloc_forget_state(struct gen *g, uint32_t v)
{
	for (unsigned n = 0; n < g->nstate; n++) {
		if (g->state_vals[n] == v) {
			g->state_vals[n] = g->state_vals[--g->nstate];
			return;
		}
	}
}

void bind_state(struct gen *g, uint32_t v, uint32_t offset)
{
	struct value *x = &g->val[v];

	if (x->home != HOME_NONE || g->nstate == ARRAY_SIZE(g->state_vals))
		return;
	x->home = HOME_STATE;
	x->home_at = offset;
	g->state_vals[g->nstate++] = v;
}

void alloc_leave_state(struct gen *g, uint32_t offset, uint32_t size, bool dying)
{
	for (unsigned n = 0; n < g->nstate;) {
		uint32_t v = g->state_vals[n];
		struct value *x = &g->val[v];

		if (x->home_at >= offset + size ||
		    x->home_at + ir_type_size(inst_of(g, v)->type) <= offset) {
			n++;
			continue;
		}
		if (x->reg == NO_REG && (dying || !dies(g, v))) {
			unsigned reg = alloc_take(g, v);

			alloc_load_home(g, v, reg);
			/* not locked: if registers run short it goes to a temporary */
			alloc_put(g, v, reg);
		}
		/* Taking a register may have changed the list: look the place up again. */
		alloc_forget_state(g, v);
		x->home = HOME_NONE;
		n = 0;
	}
}

void state_changes(struct gen *g, uint32_t offset, uint32_t size)
{
	alloc_leave_state(g, offset, size, true);
}

void spill_for_call(struct gen *g)
{
	for (unsigned n = 0; n < 16; n++) {
		uint32_t v = g->in_gpr[n];

		if (v != NO_INDEX && (CALLER_SAVED_GPR >> n & 1)) {
			if (!dies(g, v))
				alloc_spill(g, v);
			alloc_drop(g, v);
		}
		v = g->in_xmm[n];
		if (v != NO_INDEX) {
			if (!dies(g, v))
				alloc_spill(g, v);
			alloc_drop(g, v);
		}
	}
}

void save_for_call(struct gen *g)
{
	for (unsigned n = 0; n < 16; n++) {
		uint32_t v = g->in_gpr[n];

		if (v != NO_INDEX && (CALLER_SAVED_GPR >> n & 1) && !dies(g, v))
			alloc_spill(g, v);
		v = g->in_xmm[n];
		if (v != NO_INDEX && !dies(g, v))
			alloc_spill(g, v);
	}
}
