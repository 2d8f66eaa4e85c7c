/*
 * Interpreter and compiled code side by side: see lockstep.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/lockstep.h"
#include "cpu/lockstep_log.h"

#define POLLS  64  /* a run goes round loops as often */
#define VALUES 256 /* a run takes from outside */
#define SAMPLE 16  /* runs a sample */

/* Bytes kept of what a store may change: from a multiple of 32 on, for helpers that store beside. */
#define KEEP       64
#define KEEP_ALIGN 32

/* What a run starts with and leaves. */
struct state {
	uint64_t pc;
	uint32_t fault, fp_status, polls_left;
	uint8_t bytes[]; /* [arch->state_first, arch->state_end) of the processor */
};

/* A place that a store is about to change. */
struct pending {
	uint8_t *at;
	uint32_t size;
	uint8_t old[KEEP];
};

enum run { RUN_NONE, RUN_FIRST, RUN_SECOND };

struct lockstep {
	const struct mem_door_ops *inner;
	struct cpu *cpu;
	enum run run;
	bool once;
	struct store_log log[2]; /* of the interpreter, of the compiled code */
	struct pending pending[2]; /* a store lies in two blocks at most */
	unsigned next_pending;
	uint64_t value[VALUES];
	uint32_t nvalue, next_value;
	struct state *before, *first, *second;
	/* Of runs of compiled regions: */
	uint64_t compared, alone_once, alone_changed, alone_asked, alone_died;
	uint64_t alone_unshared;
	uint64_t cold; /* runs of regions that are not compiled */
	uint64_t regions;
	uint32_t runs; /* of compiled regions, counted for samples */
};

/* The one whose two runs are under way on this thread. */
static _Thread_local struct lockstep *active;

uint64_t cpu_lockstep_value(uint64_t value)
{
	struct lockstep *l = active;

	if (LIKELY(!l))
		return value;
	if (l->run == RUN_SECOND) {
		uint32_t n = l->next_value++;

		return n < l->nvalue ? l->value[n] : value;
	}
	if (l->nvalue == VALUES)
		l->once = true;
	else
		l->value[l->nvalue++] = value;
	return value;
}

void cpu_lockstep_once(void)
{
	if (active)
		active->once = true;
}

/* ---- stores ---- */

static struct lockstep *of_door(struct mem_door *d)
{
	return ((struct cpu *)container_of(d, struct ir_env, door))->lockstep;
}

static bool door_fill(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like,
		      void **host, bool *slow)
{
	struct lockstep *l = of_door(d);
	struct pending *p = &l->pending[l->next_pending];
	uint64_t from, room;

	if (!l->inner->fill(d, addr, kind, store_like, host, slow))
		return false;
	if (kind != MEM_WRITE || l->run == RUN_NONE)
		return true;
	from = (uintptr_t)*host & ~(uint64_t)(KEEP_ALIGN - 1);
	room = TLB_BLOCK_SIZE - (from & TLB_BLOCK_MASK);
	p->at = hva_ptr(HVA(from));
	p->size = room < KEEP ? (uint32_t)room : KEEP;
	memcpy(p->old, p->at, p->size);
	l->next_pending ^= 1;
	return true;
}

static void door_code_write(struct mem_door *d, hva_t host, unsigned size)
{
	struct lockstep *l = of_door(d);
	uint8_t *at = hva_ptr(host);

	if (l->run != RUN_NONE)
		/* the later one first: the other may be of a store before this */
		for (unsigned n = 0; n < 2; n++) {
			struct pending *p = &l->pending[l->next_pending ^ 1 ^ n];

			if (!p->size || at < p->at || at + size > p->at + p->size)
				continue;
			store_log_add(&l->log[l->run == RUN_SECOND], at, size,
				      p->old + (at - p->at));
			/* a second store there finds the first */
			memcpy(p->old + (at - p->at), at, size);
			break;
		}
	if (region_block_has_code(l->cpu->system->regions, host))
		l->inner->code_write(d, host, size);
}

static void door_misaligned(struct mem_door *d, gva_t addr, bool store)
{
	of_door(d)->inner->misaligned(d, addr, store);
}

static const struct mem_door_ops lockstep_door_ops = {
	.fill = door_fill,
	.code_write = door_code_write,
	.misaligned = door_misaligned,
};

/* ---- state ---- */

static size_t state_size(const struct cpu *c)
{
	return c->arch->state_end - c->arch->state_first;
}

static void save(const struct cpu *c, struct state *s)
{
	s->pc = c->env.pc;
	s->fault = c->env.fault;
	s->fp_status = c->env.fp_status & IR_FP_INEXACT;
	s->polls_left = c->env.polls_left;
	memcpy(s->bytes, (const char *)c + c->arch->state_first, state_size(c));
}

static void load(struct cpu *c, const struct state *s)
{
	c->env.pc = s->pc;
	c->env.fault = s->fault;
	c->env.fp_status = (c->env.fp_status & ~IR_FP_INEXACT) | s->fp_status;
	c->env.polls_left = s->polls_left;
	memcpy((char *)c + c->arch->state_first, s->bytes, state_size(c));
	c->arch->state_loaded(c);
}

static bool states_same(const struct cpu *c, const struct state *a, const struct state *b)
{
	return a->pc == b->pc && a->fault == b->fault && a->fp_status == b->fp_status &&
	       a->polls_left == b->polls_left && !memcmp(a->bytes, b->bytes, state_size(c));
}

/* The two may say the same in different words (arch->state_settle). The processor has the second. */
static bool settled_same(struct cpu *c)
{
	struct lockstep *l = c->lockstep;

	save(c, l->second);
	if (LIKELY(states_same(c, l->first, l->second)))
		return true;
	c->arch->state_settle(c);
	save(c, l->second);
	load(c, l->first);
	c->arch->state_settle(c);
	save(c, l->first);
	load(c, l->second);
	return states_same(c, l->first, l->second);
}

/* ---- telling ---- */

static const char *const leave_name[] = {
	[IR_LEAVE_DIRECT] = "left by a branch", [IR_LEAVE_INDIRECT] = "left by a branch",
	[IR_LEAVE_RESUME] = "left to resume",	[IR_LEAVE_FAULT] = "left by a fault",
	[IR_LEAVE_POLL] = "left at a poll",	[IR_LEAVE_UNSHARED] = "left at a PROBE",
};

static void tell_word(const char *name, uint64_t before, uint64_t a, uint64_t b)
{
	if (a != b)
		fprintf(stderr, "  %-12s before 0x%016" PRIx64 ", interpreted 0x%016" PRIx64
				", compiled 0x%016" PRIx64 "\n", name, before, a, b);
}

static void tell_stores(const char *who, const struct store_log *log)
{
	for (uint32_t n = 0; n < log->count; n++) {
		const struct store *s = &log->store[n];

		fprintf(stderr, "  %s: %u bytes at %p:", who, s->size, (void *)s->at);
		for (uint32_t k = 0; k < s->size; k++)
			fprintf(stderr, " %02x", s->new[k]);
		fprintf(stderr, "\n");
	}
}

static void tell_state(const struct cpu *c)
{
	const struct lockstep *l = c->lockstep;
	const struct state *s[] = {l->before, l->first, l->second};

	tell_word("pc", s[0]->pc, s[1]->pc, s[2]->pc);
	tell_word("fault", s[0]->fault, s[1]->fault, s[2]->fault);
	tell_word("inexact", s[0]->fp_status, s[1]->fp_status, s[2]->fp_status);
	tell_word("polls", s[0]->polls_left, s[1]->polls_left, s[2]->polls_left);
	for (size_t at = 0; at + 8 <= state_size(c); at += 8) {
		uint64_t word[3];
		char name[32];

		for (unsigned n = 0; n < 3; n++)
			memcpy(&word[n], s[n]->bytes + at, 8);
		c->arch->describe_state(c->arch->state_first + (uint32_t)at, name, sizeof(name));
		tell_word(name, word[0], word[1], word[2]);
	}
}

/* The pieces of g, as it is run at pc: one but for path regions. Returns how many. */
static unsigned pieces(const struct cpu *c, const struct region *g, uint64_t pc, struct cpu_piece *piece)
{
	const struct region_path *path = region_path(g);

	piece[0] = (struct cpu_piece){.pc = pc, .bytes = hva_ptr(HVA(g->host)), .len = g->len};
	for (unsigned n = 0; path && n < path->n; n++) {
		const struct region_piece *p = &path->piece[n];
		uint64_t left = TLB_BLOCK_SIZE - (p->host & TLB_BLOCK_MASK);
		uint64_t most = (uint64_t)CPU_REGION_INSNS * c->arch->insn_bytes;

		piece[n] = (struct cpu_piece){
			.pc = pc + (p->host - g->host),
			.bytes = hva_ptr(HVA(p->host)),
			.size = (uint32_t)(left < most ? left : most),
			.next = {CPU_NO_NEXT, CPU_NO_NEXT},
			.len = p->len,
		};
		for (unsigned k = 0; k < ARRAY_SIZE(p->next); k++)
			if (p->next[k])
				piece[n].next[k] = pc + (p->next[k] - g->host);
	}
	return path ? path->n : 1;
}

/* Emit the region's IR once more: as it is compiled, and from no more code than was interpreted. */
static bool emit(struct cpu *c, const struct region *g, bool share)
{
	uint32_t len;

	return cpu_compile_emit(c->system, &c->ir, g, hva_ptr(HVA(g->host)), g->len, share, &len) &&
	       len == g->len;
}

static bool differ(struct cpu *c, const struct region *g, enum ir_leave a, enum ir_leave b)
{
	const struct lockstep *l = c->lockstep;
	struct cpu_piece piece[CPU_PIECES];
	unsigned n = pieces(c, g, l->before->pc, piece);
	bool ir;

	snprintf(c->error, sizeof(c->error),
		 "interpreter and compiled code differ in the region at 0x%" PRIx64
		 ", entered at 0x%" PRIx64, g->pc, l->before->pc);
	fprintf(stderr, "lockstep: %s: interpreted %s, compiled %s\nguest code:\n", c->error,
		leave_name[a], leave_name[b]);
	for (unsigned k = 0; k < n; k++)
		cpu_print_guest(stderr, c->arch, g->mode, piece[k].pc, piece[k].bytes, piece[k].len);
	ir = n > 1 ? cpu_path_emit(c->system, &c->ir, g->mode, piece, n) :
		     emit(c, g, cpu_shares_checks(c->system, HVA(g->host)));
	if (ir) {
		fprintf(stderr, "IR, as compiled:\n");
		ir_print(&c->ir, stderr);
	}
	fprintf(stderr, "state that differs:\n");
	tell_state(c);
	fprintf(stderr, "values from outside: interpreted %u, compiled %u\nstores:\n", l->nvalue,
		l->next_value);
	tell_stores("interpreted", &l->log[0]);
	tell_stores("compiled", &l->log[1]);
	return false;
}

/* ---- running ---- */

/* An exit to a fixed address is one or the other (ir_leave): the pc says where it went. */
static bool same_leave(enum ir_leave a, enum ir_leave b)
{
	return (a == IR_LEAVE_INDIRECT ? IR_LEAVE_DIRECT : a) ==
	       (b == IR_LEAVE_INDIRECT ? IR_LEAVE_DIRECT : b);
}

/* The compiled code of a region that is hot; NULL: there is none, or not yet. */
static const void *compiled(struct cpu *c, struct region *g)
{
	const void *entry = region_entry(g);
	struct cpu_system *s = c->system;
	uint64_t version;
	bool share;

	if (LIKELY(entry) ||
	    !cpu_count_run(g, atomic_load_explicit(&s->jit_after, memory_order_relaxed)))
		return entry;
	version = region_block_version(s->regions, HVA(g->host));
	share = cpu_shares_checks(s, HVA(g->host));
	entry = cpu_compile_copy(s, g, hva_ptr(HVA(g->host)), g->len, version);
	if (entry)
		;
	else if (emit(c, g, share))
		entry = cpu_compile_emitted(s, &c->ir, g, hva_ptr(HVA(g->host)), g->len, g->len, share,
					    version);
	else
		count_shared(&s->compile_failures);
	c->lockstep->regions += entry != NULL;
	return entry;
}

static void start(struct lockstep *l, enum run run)
{
	l->run = run;
	l->log[run == RUN_SECOND].count = 0;
	l->log[run == RUN_SECOND].full = false;
	l->pending[0].size = l->pending[1].size = 0;
	active = l;
}

static void stop(struct lockstep *l)
{
	l->run = RUN_NONE;
	active = NULL;
}

/* Whether the interpreter's run has to stand alone, and in which count. */
static uint64_t *alone(struct lockstep *l, const struct region *g)
{
	if (l->once || l->log[0].full)
		return &l->alone_once;
	if (atomic_load(&g->dead))
		return &l->alone_died;
	if (atomic_load(&l->cpu->env.exit_request))
		return &l->alone_asked;
	return NULL;
}

bool cpu_lockstep_sampled(struct cpu *c, const struct region *g)
{
	return region_entry(g) && c->lockstep->runs++ % SAMPLE == 0;
}

bool cpu_lockstep_run(struct cpu *c, struct region *g, enum ir_leave *leave)
{
	struct lockstep *l = c->lockstep;
	const void *entry = compiled(c, g);
	struct jit_code *left;
	enum ir_leave first;
	uint64_t *why;
	uint32_t index;

	if (!entry) {
		l->cold++;
		c->env.polls_left = c->system->jit_after;
		*leave = ir_interp(g->code, &c->env, &index);
		return true;
	}
	c->env.polls_left = POLLS;
	l->once = false;
	l->nvalue = l->next_value = 0;
	save(c, l->before);
	start(l, RUN_FIRST);
	*leave = first = ir_interp(g->code, &c->env, &index);
	stop(l);
	why = alone(l, g);
	if (why) {
		++*why;
		return true;
	}
	save(c, l->first);
	if (!store_log_undo(&l->log[0])) {
		l->alone_changed++;
		return true;
	}
	load(c, l->before);
	start(l, RUN_SECOND);
	*leave = jit_run(c->system->jit, entry, &c->env, &left, &index);
	stop(l);
	/*
	 * Asked to leave meanwhile, it may have done so sooner; and PROBEs of stores are refused here,
	 * so the code is to be compiled without. The first run stands.
	 */
	why = *leave == IR_LEAVE_UNSHARED				       ? &l->alone_unshared :
	      *leave == IR_LEAVE_POLL && atomic_load(&c->env.exit_request) ? &l->alone_asked :
									       NULL;
	if (why) {
		if (!store_log_undo(&l->log[1]))
			return differ(c, g, first, *leave);
		store_log_redo(&l->log[0]);
		load(c, l->first);
		if (*leave == IR_LEAVE_UNSHARED) {
			cpu_compile_unshared(c->system, HVA(g->host));
			region_kill_range(c->system->regions, HVA(g->host), 4);
		}
		++*why;
		*leave = first;
		return true;
	}
	l->compared++;
	if (UNLIKELY(!same_leave(first, *leave) || l->next_value != l->nvalue ||
		     l->log[1].full || !settled_same(c) ||
		     !store_logs_same(&l->log[0], &l->log[1])))
		return differ(c, g, first, *leave);
	return true;
}

uint64_t cpu_lockstep_compared(const struct cpu *c)
{
	return c->lockstep->compared;
}

/* ---- life ---- */

bool cpu_lockstep_create(struct cpu *c)
{
	struct lockstep *l = calloc(1, sizeof(*l));
	size_t size = (sizeof(struct state) + state_size(c) + 15) & ~(size_t)15;
	char *states = calloc(3, size);

	if (!l || !states) {
		free(l);
		free(states);
		return false;
	}
	l->before = (struct state *)(void *)states;
	l->first = (struct state *)(void *)(states + size);
	l->second = (struct state *)(void *)(states + 2 * size);
	l->cpu = c;
	l->inner = c->env.door.ops;
	c->env.door.ops = &lockstep_door_ops;
	c->lockstep = l;
	return true;
}

void cpu_lockstep_destroy(struct cpu *c)
{
	struct lockstep *l = c->lockstep;

	if (!l)
		return;
	fprintf(stderr,
		"lockstep: %" PRIu64 " runs of %" PRIu64 " compiled regions compared, %s; not compared: "
		"%" PRIu64 " that cannot be done twice, %" PRIu64 " that ended their own code, %" PRIu64
		" interrupted, %" PRIu64 " refused a PROBE, %" PRIu64
		" whose stores changed, %" PRIu64 " of cold code\n",
		l->compared, l->regions, c->error[0] ? c->error : "no difference", l->alone_once,
		l->alone_died, l->alone_asked, l->alone_unshared, l->alone_changed, l->cold);
	c->lockstep = NULL;
	free(l->before);
	free(l);
}
