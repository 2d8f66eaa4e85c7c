/*
 * Which guest registers a region keeps in host registers, from block to block: pins.
 *
 * A cell of guest state is a candidate if all that names it in the region is I64 reads and writes; a line of 16 bytes,
 * if all are V128; a constant vector may be written to both. There are two kinds of pins: in general registers, and in xmm (vectors, floating-point numbers). What a
 * pin saves and costs is counted in instructions, each weighted by how often its block is likely to run:
 * saved are reads and writes of memory, paid are the load at the region's entry, the
 * write-backs at exits and around calls that look at state, and what the loss of a register for values
 * costs blocks that need many.
 *
 * Regions without a loop have pins, too: where all goes one way a value is in a register from block to block without them
 * (tree.c), but code that branches to and fro takes a tenth less time with them (LZMA's decoder).
 *
 * Members of windows of the TLB are candidates, too, which are only ever read: each spares an instruction in every access
 * by that window in a loop. They are loaded in the blocks that lead into the loop.
 *
 * Pins of which no block has both may be in the same register.
 *
 * Three sets of pins are known for each block (struct pin_block): those that carry something into it, those
 * that are taken in it, which are not for values there, and those that may be newer than
 * memory where it starts. A write-back is a use, so what may have been written on one way to an exit
 * is loaded at the entry for the others.
 */
#include "ir/scratch.h"
#include "jit/x86_64/pins.h"

/* Bits in VALUE_GPR, VALUE_XMM. */
static const uint8_t registers[KINDS] = {10, 13};

/* By gain; those that calls keep first. */
static const uint8_t pin_reg[KINDS][PIN_REGS] = {
	{RBX, R12, R13, R15, R11, R10, R9, R8},
	{14, 13, 12, 11, 10, 9, 8, 7},
};

static enum ir_type type_of(const struct choice *c, unsigned candidate)
{
	return c->vec >> candidate & 1 ? IR_V128 : IR_I64;
}

/* ---- values made where they are to be ---- */

/* Is v needed for nothing behind an instruction of its block? */
static bool ends_with(const struct choice *c, uint32_t v, uint32_t user)
{
	uint32_t uses = 0;

	for (uint32_t n = v + 1; n <= user; n++)
		for (unsigned k = 0, nargs = nargs_of(c->g, n); k < nargs; k++)
			uses += c->r->inst[n].arg[k] == v;
	return uses == c->g->val[v].uses;
}

/* Can value v of a block be made in the register of a candidate, which is written at the end of `until`? */
static bool may_be_in(const struct choice *c, uint32_t b, uint32_t v, uint32_t until,
		      unsigned candidate)
{
	const struct value *x = &c->g->val[v];
	const struct ir_inst *def = &c->r->inst[v];

	if (x->block != b || x->fused || x->pin != NO_PIN || (x->crosses && !x->via_state) ||
	    def->type != type_of(c, candidate) || x->vec != (c->xmm >> candidate & 1) ||
	    def->op == IR_CONST || def->op == IR_VCONST || def->op == IR_GET)
		return false;
	/* A step on the way is soon overwritten: what is needed longer would have to be copied. */
	if (c->r->inst[until].op != IR_SET && !ends_with(c, v, until))
		return false;
	/* Nothing may come between that sees it too early. */
	for (uint32_t n = v + 1; n < until; n++)
		if (observes(&c->r->inst[n]) || (named_set(c, &c->r->inst[n]) & bit(candidate)))
			return false;
	return true;
}

/*
 * Have the value that a candidate is set to made in its register, and the values that it is made of
 * step by step, each an operand that the next one can start with. Returns whether that can be.
 */
static bool make_in_place(struct choice *c, uint32_t b, uint32_t set)
{
	unsigned candidate = named_by(c, &c->r->inst[set]);
	uint32_t v = c->r->inst[set].arg[0], until = set;
	bool any = false;

	/* What is written may be candidates' by its second half only. */
	if (candidate == NONE)
		return false;
	while (may_be_in(c, b, v, until, candidate)) {
		const struct ir_inst *i = &c->r->inst[v];

		c->g->val[v].pin = candidate;
		any = true;
		if (!gen_is_int(i->op) || observes(i) || !nargs_of(c->g, v))
			break;
		until = v;
		v = i->arg[i->op == IR_SELECT];
		if ((i->op == IR_ADD || i->op == IR_ADDC || i->op == IR_MUL || i->op == IR_AND ||
		     i->op == IR_OR || i->op == IR_XOR) &&
		    !may_be_in(c, b, v, until, candidate))
			v = i->arg[1];
	}
	return any;
}

/* ---- gains ---- */

static void add_gain(struct choice *c, uint64_t set, float gain)
{
	for (; set; set &= set - 1)
		c->gain[__builtin_ctzll(set)] += gain;
}

static void count_block(struct choice *c, uint32_t b)
{
	struct flow *f = &c->flow[b];
	uint64_t dirty = f->dirty, known = 0; /* known: some register has it anyway */
	float runs = c->g->runs[b];

	add_gain(c, f->enter, -runs);
	for (uint32_t id = c->r->bb[b].first; id < c->r->bb[b].first + c->r->bb[b].count; id++) {
		const struct ir_inst *i = &c->r->inst[id];
		uint64_t read = pins_foreign(c, b, i);

		if (i->op == IR_GET)
			read |= named_set(c, i);
		add_gain(c, read & ~known, runs);
		add_gain(c, window_set(c, b, i), runs);
		known |= read;
		if (i->op == IR_SET && named_set(c, i)) {
			/* no store, but perhaps a copy */
			add_gain(c, named_set(c, i),
				 make_in_place(c, b, id) ? runs : runs / 2);
			known |= named_set(c, i);
		}
		if (is_seeing_call(i) || (observes(i) && ir_ends_block(i)))
			add_gain(c, dirty, -runs);
		if (is_call(i, IR_H_WRITES_STATE)) {
			add_gain(c, pins_taken_in(c, b), -runs);
			known = 0;
		}
		if (i->op == IR_CALL && !ir_helper_of(i)->intrinsic)
			c->calls += runs;
		dirty = pins_dirty_after(c, i, dirty);
	}
	add_gain(c, (dirty & f->clean) | f->fetch, -runs);
}

/* The best of each kind. */
static void sort(struct choice *c)
{
	for (unsigned k = 0; k < c->n; k++) {
		unsigned kind = c->xmm >> k & 1, at = c->count[kind];
		uint8_t *order = c->order[kind];

		if (c->bad >> k & 1 || c->gain[k] <= 0 ||
		    (at == MAX_PINS && c->gain[order[--at]] >= c->gain[k]))
			continue;
		c->count[kind] = at + 1;
		while (at > 0 && c->gain[order[at - 1]] < c->gain[k]) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = (uint8_t)k;
	}
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (unsigned k = 0; k < c->count[kind]; k++)
			c->top |= bit(c->order[kind][k]);
}

/* Is the value one that needs no register but that of a pin? */
static bool is_pinned(const struct choice *c, uint32_t b, uint32_t v)
{
	const struct value *x = &c->g->val[v];
	uint64_t of = 0;

	if (x->pin != NO_PIN)
		of = bit(x->pin);
	else if (x->block != b)
		of = x->via_state ? bit(c->of_cell[x->state_cell]) : 0;
	else if (c->r->inst[v].op == IR_GET)
		of = named_set(c, &c->r->inst[v]);
	return of & c->top;
}

/* The most values of a block that want a register of a kind at the same time. */
static void find_pressure(struct choice *c, uint32_t b, uint32_t *alive)
{
	unsigned now[KINDS] = {0}, most[KINDS] = {0};

	for (uint32_t n = c->r->bb[b].count; n-- > 0;) {
		uint32_t id = c->r->bb[b].first + n;
		const struct ir_inst *i = &c->r->inst[id];

		if (alive[id] == b + 1)
			now[c->g->val[id].vec]--;
		for (unsigned k = 0, nargs = nargs_of(c->g, id); k < nargs; k++) {
			uint32_t v = i->arg[k];
			const struct ir_inst *def = &c->r->inst[v];

			if (alive[v] == b + 1 || def->op == IR_CONST || def->op == IR_VCONST ||
			    c->g->val[v].fused || is_pinned(c, b, v))
				continue;
			alive[v] = b + 1;
			now[c->g->val[v].vec]++;
		}
		for (unsigned kind = 0; kind < KINDS; kind++)
			if (now[kind] > most[kind])
				most[kind] = now[kind];
	}
	for (unsigned kind = 0; kind < KINDS; kind++)
		c->flow[b].pressure[kind] = most[kind];
}

/* What having pins costs in registers for values. */
static float pressure_cost(const struct choice *c, unsigned kind, uint64_t set)
{
	float cost = 0;

	for (uint32_t k = 0; k < c->cfg->nrpo; k++) {
		uint32_t b = c->cfg->rpo[k];
		int wanted = c->flow[b].pressure[kind] +
			     __builtin_popcountll(pins_taken_in(c, b) & set);

		if (wanted > registers[kind])
			cost += 2 * c->g->runs[b] * (float)(wanted - registers[kind]);
	}
	return cost;
}

/* All that are taken somewhere where a candidate is. */
static uint64_t meets(const struct choice *c, unsigned candidate)
{
	uint64_t set = 0;

	for (uint32_t k = 0; k < c->cfg->nrpo; k++) {
		uint64_t taken = pins_taken_in(c, c->cfg->rpo[k]);

		if (taken & bit(candidate))
			set |= taken;
	}
	return set;
}

/* The first register where a candidate meets none of those that are there. False: there is none. */
static bool find_register(const struct choice *c, unsigned candidate, const uint64_t *in, unsigned *reg)
{
	uint64_t others = meets(c, candidate);

	for (*reg = 0; *reg < c->g->pin_regs && *reg < PIN_REGS; ++*reg)
		if (!(in[*reg] & others))
			return true;
	return false;
}

/* Which of a kind are to be pins, and where: by register. The better ones choose first. */
static void find_best(const struct choice *c, unsigned kind, uint64_t *in)
{
	float paid = 0;
	uint64_t set = 0;

	for (unsigned k = 0; k < c->count[kind]; k++) {
		unsigned candidate = c->order[kind][k], reg;
		float cost, gain = c->gain[candidate];

		if (!find_register(c, candidate, in, &reg))
			continue;
		if (kind == XMM || CALLER_SAVED_GPR >> pin_reg[kind][reg] & 1)
			gain -= c->calls * 1.5f;
		cost = pressure_cost(c, kind, set | bit(candidate));
		if (gain <= cost - paid)
			continue;
		paid = cost;
		set |= bit(candidate);
		in[reg] |= bit(candidate);
	}
}

/* pin_of: by candidate */
static uint32_t pins_of(const uint8_t *pin_of, uint64_t set)
{
	uint32_t pins = 0;

	for (; set; set &= set - 1) {
		unsigned pin = pin_of[__builtin_ctzll(set)];

		if (pin != NO_PIN)
			pins |= UINT32_C(1) << pin;
	}
	return pins;
}

static void choose(struct choice *c)
{
	struct gen *g = c->g;
	uint8_t pin_of[CANDIDATES];

	memset(pin_of, NO_PIN, sizeof(pin_of));
	for (unsigned kind = 0; kind < KINDS; kind++) {
		uint64_t in[PIN_REGS] = {0};

		find_best(c, kind, in);
		for (unsigned reg = 0; reg < PIN_REGS; reg++) {
			for (uint64_t m = in[reg]; m; m &= m - 1) {
				unsigned candidate = (unsigned)__builtin_ctzll(m);

				pin_of[candidate] = g->npin;
				g->pin[g->npin++] = (struct pin){
					.offset = c->offset[candidate],
					.reg = pin_reg[kind][reg],
					.type = type_of(c, candidate),
					.xmm = kind == XMM,
				};
			}
		}
	}
	for (uint32_t v = 0; v < c->r->ninst; v++)
		if (g->val[v].pin != NO_PIN)
			g->val[v].pin = pin_of[g->val[v].pin];
	for (uint32_t k = 0; g->npin && k < c->cfg->nrpo; k++) {
		uint32_t b = c->cfg->rpo[k];

		g->pin_block[b] = (struct pin_block){
			.live = pins_of(pin_of, c->flow[b].live),
			.taken = pins_of(pin_of, pins_taken_in(c, b)),
			.dirty = pins_of(pin_of, c->flow[b].dirty),
			.enter = pins_of(pin_of, c->flow[b].enter),
			.clean = pins_of(pin_of, c->flow[b].clean),
			.fetch = pins_of(pin_of, c->flow[b].fetch),
		};
	}
}

static bool look_for_pins(struct gen *g)
{
	const struct ir_region *r = g->r;
	struct scratch_mark mark = scratch_mark(r->scratch);
	struct choice c = {.g = g, .r = r, .cfg = &g->cfg};
	uint32_t *alive = scratch_take(r->scratch, r->ninst + 1, sizeof(*alive));
	bool ok = false;

	c.of_cell = scratch_take(r->scratch, state_ncells(r) + 1, sizeof(*c.of_cell));
	c.flow = scratch_take(r->scratch, r->nbb + 1, sizeof(*c.flow));
	c.line = scratch_take(r->scratch, r->nlines + 1, sizeof(*c.line));
	if (!alive || !c.of_cell || !c.flow || !c.line)
		goto out;
	memset(c.line, 0, (r->nlines + 1) * sizeof(*c.line));
	memset(alive, 0, (r->ninst + 1) * sizeof(*alive));
	memset(c.flow, 0, (r->nbb + 1) * sizeof(*c.flow));
	pins_flow(&c);
	ok = true;
	if (!c.n)
		goto out;
	add_gain(&c, c.flow[c.cfg->rpo[0]].live, -1);
	for (uint32_t k = 0; k < c.cfg->nrpo; k++)
		count_block(&c, c.cfg->rpo[k]);
	sort(&c);
	if (c.top) {
		for (uint32_t k = 0; k < c.cfg->nrpo; k++)
			find_pressure(&c, c.cfg->rpo[k], alive);
	}
	choose(&c);
out:
	scratch_release(r->scratch, mark);
	return ok;
}

bool pins_choose(struct gen *g)
{
	for (uint32_t v = 0; v < g->r->ninst; v++)
		g->val[v].pin = NO_PIN;
	return look_for_pins(g);
}

/* ---- moving them ---- */

struct pin *pin_at(struct gen *g, uint32_t offset)
{
	for (unsigned i = 0; i < g->npin; i++)
		if (g->pin[i].offset == offset)
			return &g->pin[i];
	return NULL;
}

unsigned pin_of_window(struct gen *g, int32_t at)
{
	const struct pin *p = pin_at(g, PIN_OF_TLB | (uint32_t)at);

	return p && (g->taken >> (p - g->pin) & 1) ? p->reg : NO_REG;
}

uint32_t pins_of_window(struct gen *g, unsigned window)
{
	uint32_t first = PIN_OF_TLB | (uint32_t)window_at(window, 0), pins = 0;

	for (unsigned n = 0; n < g->npin; n++)
		if (g->pin[n].offset - first < sizeof(struct tlb_window))
			pins |= 1u << n;
	return pins & g->taken;
}

static uint32_t regs_of(const struct gen *g, uint32_t pins, bool xmm)
{
	uint32_t regs = 0;

	for (; pins; pins &= pins - 1) {
		const struct pin *p = &g->pin[__builtin_ctz(pins)];

		if (p->xmm == xmm)
			regs |= 1u << p->reg;
	}
	return regs;
}

void pins_begin_block(struct gen *g, uint32_t block)
{
	g->taken = g->pin_block[block].taken;
	g->dirty = g->pin_block[block].dirty;
	g->early = 0;
	g->pinned = regs_of(g, g->taken, false);
	g->pinned_xmm = regs_of(g, g->taken, true);
}

void pins_enter_block(struct gen *g, uint32_t block)
{
	pins_load(g, g->pin_block[block].enter);
}

void pins_write_back(struct gen *g, uint32_t pins)
{
	for (; pins; pins &= pins - 1) {
		const struct pin *p = &g->pin[__builtin_ctz(pins)];

		if (p->xmm)
			gen_store_xmm(g, p->type, p->reg, RBP, (int32_t)p->offset);
		else
			a_store(&g->a, true, p->reg, RBP, (int32_t)p->offset);
	}
}

void pins_end_block(struct gen *g)
{
	uint32_t clean = g->dirty & g->pin_block[g->block].clean;

	pins_write_back(g, clean);
	g->dirty &= ~clean;
	pins_load(g, g->pin_block[g->block].fetch);
}

void pins_load(struct gen *g, uint32_t pins)
{
	for (; pins; pins &= pins - 1) {
		const struct pin *p = &g->pin[__builtin_ctz(pins)];

		if (p->offset & PIN_OF_TLB)
			a_load(&g->a, true, p->reg, R14, (int32_t)(p->offset & ~PIN_OF_TLB));
		else if (p->xmm)
			gen_load_xmm(g, p->type, p->reg, RBP, (int32_t)p->offset);
		else
			a_load(&g->a, true, p->reg, RBP, (int32_t)p->offset);
	}
}

static uint32_t lost(const struct gen *g)
{
	uint32_t pins = 0;

	for (unsigned n = 0; n < g->npin; n++)
		if (g->pin[n].xmm || (CALLER_SAVED_GPR >> g->pin[n].reg & 1))
			pins |= 1u << n;
	return pins & g->taken;
}

void pins_save_lost(struct gen *g)
{
	pins_write_back(g, lost(g) & (g->dirty | g->early));
}

void pins_reload_lost(struct gen *g)
{
	pins_load(g, lost(g));
}
