/*
 * The run loop: find the region at the program counter, execute it, see why it was left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpu/core.h"
#include "cpu/lockstep.h"

static bool fail(struct cpu *c, const char *what)
{
	snprintf(c->error, sizeof(c->error), "%s", what);
	return false;
}

/* A processor holds no region here: say so, and free what nobody can hold. */
static void quiescent(struct cpu *c)
{
	struct cpu_system *s = c->system;
	uint64_t epoch = region_epoch(s->regions), oldest = epoch;
	uint32_t round;

	if (atomic_load(&c->epoch_seen) == epoch)
		return;
	/*
	 * Those that were retired before this epoch are dead by now, and still there until it is told; but for one
	 * that did not run nobody has waited.
	 */
	round = region_round(s->regions);
	if (c->was_idle)
		cpu_jumps_clear(c);
	else
		cpu_jumps_purge(c, round != c->round_seen);
	c->round_seen = round;
	atomic_store(&c->epoch_seen, epoch);
	pthread_mutex_lock(&s->lock);
	for (struct cpu *o = s->cpus; o; o = o->next) {
		uint64_t seen = atomic_load(&o->epoch_seen);

		/* One that does not run clears its jump cache when it enters. */
		if (atomic_load(&o->running) && seen < oldest)
			oldest = seen;
	}
	pthread_mutex_unlock(&s->lock);
	region_cache_reclaim(s->regions, oldest);
}

/* When enough regions were killed, start an epoch and have all processors pass it, so that they are freed. */
static void maybe_advance(struct cpu *c)
{
	struct cpu_system *s = c->system;

	if (!region_epoch_advance(s->regions))
		return;
	pthread_mutex_lock(&s->lock);
	for (struct cpu *o = s->cpus; o; o = o->next)
		atomic_store(&o->env.exit_request, 1);
	pthread_mutex_unlock(&s->lock);
}

bool cpu_stores_reported(struct cpu *c, hva_t block)
{
	/* in lockstep, every store */
	return c->lockstep || region_block_has_code(c->system->regions, block) ||
	       cpu_watches_block(&c->system->watches, block);
}

uint32_t cpu_stores_reported_in(struct cpu *c, hva_t group)
{
	uint32_t blocks = TLB_GROUP_ALL, reported = 0;

	if (!c->lockstep && !cpu_watches_any(&c->system->watches))
		blocks = region_group_seen(c->system->regions, group);
	for (; blocks; blocks &= blocks - 1) {
		unsigned n = (unsigned)__builtin_ctz(blocks);

		if (cpu_stores_reported(c, HVA(group.v + n * TLB_BLOCK_SIZE)))
			reported |= 1u << n;
	}
	return reported;
}

void cpu_code_write(struct cpu *c, hva_t host, unsigned size)
{
	if (!region_block_has_code(c->system->regions, HVA(host.v & ~TLB_BLOCK_MASK)))
		return;
	count(&c->stats.code_writes);
	if (region_kill_range(c->system->regions, host, size))
		maybe_advance(c);
}

/* At most max_insns instructions. */
void cpu_copy_code(const struct cpu_system *s, hva_t host, uint32_t max_insns, struct cpu_code *code)
{
	uint32_t bytes = max_insns * s->arch->insn_bytes;
	uint32_t left = TLB_BLOCK_SIZE - (uint32_t)(host.v & TLB_BLOCK_MASK);

	if (bytes > left)
		bytes = left;
	code->size = bytes < sizeof(code->bytes) ? bytes : sizeof(code->bytes);
	memcpy(code->bytes, hva_ptr(host), code->size);
}

/*
 * Make interpretable code of at most max_insns instructions of c->code, where pc leads now; *len is how many
 * bytes it depends on. once: for ir_code_free; otherwise for region_insert. NULL: c->error says why.
 */
static struct ir_code *lower_guest(struct cpu *c, uint64_t pc, uint32_t max_insns, bool once,
				   uint32_t *len)
{
	struct cpu_system *s = c->system;

	for (;; max_insns /= 2) {
		struct ir_code *code;
		bool well_formed;

		ir_region_reset(&c->ir);
		c->ir.base = pc & ~TLB_BLOCK_MASK;
		*len = c->arch->translate(c->mode, &c->ir, pc, c->code.bytes, c->code.size, max_insns);
		if (c->ir.failed) {
			fail(c, "out of memory while translating");
			return NULL;
		}
		well_formed = cpu_well_formed(s, &c->ir, "a region");
		/* Most code runs a few times only; what is hot is optimised when it is compiled. */
		if (well_formed && s->optimise && !s->jit) {
			ir_optimise(&c->ir);
			well_formed = cpu_well_formed(s, &c->ir, "an optimised region");
		}
		if (!well_formed) {
			fail(c, "malformed IR");
			return NULL;
		}
		code = once ? ir_lower(&c->ir) :
			      ir_lower_in(&c->ir, region_slab(s->regions), REGION_TEXT_FRONT);
		if (code)
			return code;
		if (errno != E2BIG || max_insns == 1) {
			fail(c, "out of memory for translated code");
			return NULL;
		}
	}
}

/*
 * Have stores to a block told, by whoever does them: others are waited for. version: what it was before. False: out of
 * memory.
 */
static bool mark(struct cpu *c, hva_t block, uint64_t version)
{
	struct cpu_request req = {
		.kind = CPU_REQ_PROTECT_HOST,
		.arg = { block.v, TLB_BLOCK_SIZE },
	};
	bool ok;

	if (region_mark_block(c->system->regions, block, &ok)) {
		cpu_broadcast(c->system, c, &req);
		region_block_told(c->system->regions, block, version);
	}
	return ok || fail(c, "out of memory for the translation cache");
}

/* So often code is read again that was written, or whose mapping was taken away, while it was translated. */
#define REREADS 4

/*
 * Translate the code at `host` (where pc led in `context`) for a mode with its span. NULL: c->error says why; or, if the
 * context is another now, what was at `host` may be gone; or else other processors write beside it all the time.
 */
static struct region *translate(struct cpu *c, hva_t host, uint64_t pc, uint32_t mode, uint32_t context)
{
	struct cpu_system *s = c->system;
	/* In lockstep, as it is compiled. */
	uint32_t max_insns = !s->jit ? CPU_REGION_INSNS : s->lockstep ? CPU_COMPILED_INSNS : CPU_COLD_INSNS;
	hva_t block = HVA(host.v & ~TLB_BLOCK_MASK);
	struct region_source from = {
		.host = host,
		.pc = pc,
		.mode = mode,
		.bound = !(mode & c->arch->mode_movable),
		.bytes = c->code.bytes,
	};

	/* Not only where code is written: shootdowns kill, too, and some guests never write code. */
	maybe_advance(c);
	for (unsigned n = 0; n < REREADS; n++) {
		struct region *g;
		struct ir_code *code;
		uint32_t len;

		/* First of all: what takes the mark away later makes it another. */
		from.version = region_block_version(s->regions, block);
		/* While others were waited for, a request that takes the mapping away may have been served. */
		if (!mark(c, block, from.version) || UNLIKELY(context != c->fetch_context))
			return NULL;
		cpu_copy_code(s, host, max_insns, &c->code);
		from.size = c->code.size;
		g = cpu_find_twin(s, &from);
		if (g) {
			count(&c->stats.regions_translated);
			count(&c->stats.translations_shared);
			return g;
		}
		if (errno == ENOENT) {
			code = lower_guest(c, pc, max_insns, false, &len);
			if (!code)
				return NULL;
			count(&c->stats.regions_translated);
			g = region_insert(s->regions, &from, code, len);
		}
		if (g)
			return g;
		if (errno != EAGAIN) {
			fail(c, "out of memory for translated code");
			return NULL;
		}
		/* The code was written meanwhile: read it again. */
	}
	return NULL;
}

void *cpu_mark_code(struct cpu *c, uint32_t *mode, uint64_t *version)
{
	struct cpu_system *s = c->system;
	unsigned page_shift;
	uint32_t context;
	unsigned n = 0;
	void *host;

	do {
		hva_t block;

		if (n++ == REREADS)
			return NULL;
		context = c->fetch_context;
		host = c->arch->fetch(c, &page_shift);
		if (!host)
			return NULL;
		*mode = c->mode | region_span_bits(page_shift);
		block = HVA(HVA(host).v & ~TLB_BLOCK_MASK);
		*version = region_block_version(s->regions, block);
		if (!mark(c, block, *version))
			return NULL;
		/* As in translate(). */
	} while (UNLIKELY(context != c->fetch_context));
	return host;
}

/*
 * Code made for this has no PROBE; the region there may have no other form than the compiled one.
 */
bool cpu_interpret_once(struct cpu *c, enum ir_leave *leave)
{
	unsigned page_shift;
	void *host = c->arch->fetch(c, &page_shift);
	struct ir_code *code;
	uint32_t len, index;
	bool kept = true;

	if (!host)
		return false;
	cpu_copy_code(c->system, HVA(host), CPU_REGION_INSNS, &c->code);
	code = cpu_once_find(c, c->env.pc);
	if (!code) {
		code = lower_guest(c, c->env.pc, CPU_REGION_INSNS, true, &len);
		if (!code)
			return false;
		kept = cpu_once_keep(c, c->env.pc, len, code);
	}
	c->env.base = c->env.pc & ~TLB_BLOCK_MASK;
	c->env.polls_left = CPU_JIT_AFTER;
	*leave = ir_interp(code, &c->env, &index);
	if (!kept)
		ir_code_free(code);
	return true;
}

/* The region of code that is run at pc, if it was before in the same place. */
static struct region *found_before(struct cpu *c, hva_t code, uint64_t pc, uint32_t mode)
{
	for (unsigned n = 0; n < 2; n++) {
		struct region *g = cpu_jumps_before(c, pc, n);

		if (g && g->host == code.v && g->mode == mode && (!g->bound || g->pc == pc) &&
		    !atomic_load_explicit(&g->dead, memory_order_relaxed)) {
			region_use(c->system->clock, g);
			return g;
		}
	}
	return NULL;
}

/*
 * The region at the program counter, which is in the jump cache then. NULL with env.fault set: the fetch
 * faulted; without: c->error says why, or is empty if there cannot be one at the moment.
 */
static struct region *find_region(struct cpu *c)
{
	uint64_t pc = c->env.pc;
	struct region *g = cpu_jumps_find(c, pc);
	uint32_t context, mode;
	unsigned page_shift;
	void *code;

	if (LIKELY(g && !atomic_load_explicit(&g->dead, memory_order_relaxed)))
		return g;
	for (unsigned n = 0;; n++) {
		context = c->fetch_context;
		code = c->arch->fetch(c, &page_shift);
		if (!code)
			return NULL;
		mode = c->mode | region_span_bits(page_shift);
		/* After an invalidation most code is where it was. */
		g = found_before(c, HVA(code), pc, mode);
		if (g)
			break;
		g = region_lookup(c->system->regions, HVA(code), pc, mode);
		if (!g)
			g = translate(c, HVA(code), pc, mode, context);
		if (LIKELY(context == c->fetch_context))
			break;
		if (c->error[0] || n == REREADS)
			return NULL;
	}
	if (!g)
		return NULL;
	cpu_jumps_set(c, pc, g);
	return g;
}

/*
 * So often, in so many nanoseconds (log2), may a region's compiled code be left for a PROBE that was refused. Code that
 * runs a million times a second meets the end of a page now and then; at this rate going on as it is costs half a
 * percent.
 */
#define UNSHARED_MAX	   64
#define UNSHARED_TIME_LOG2 24

/*
 * Compiled code of g was left where it could not do accesses together: they meet memory that is no
 * memory, or in two pieces. If that goes on it is to be compiled without.
 */
static void count_unshared(struct cpu *c, struct region *g)
{
	struct cpu_system *s = c->system;
	struct region_compiled *r = g->compiled;
	uint16_t now = (uint16_t)(cpu_clock_ns() >> UNSHARED_TIME_LOG2);

	count(&c->stats.left_unshared);
	if (r->unshared_in != now) {
		r->unshared_in = now;
		r->unshared = 0;
	}
	if (++r->unshared < UNSHARED_MAX)
		return;
	cpu_compile_unshared(s, HVA(g->host));
	if (region_kill_range(s->regions, HVA(g->host), 4))
		maybe_advance(c);
}

/* The host code of a region, which is compiled if it has become hot, by `runs` of it; NULL: interpret it. */
static const void *compiled_entry(struct cpu *c, struct region *g, uint32_t runs)
{
	const void *entry = region_entry(g);
	struct cpu_system *s = c->system;
	uint32_t after;

	if (LIKELY(entry))
		return entry;
	region_use(s->clock, g);
	if (!s->jit)
		return NULL;
	after = atomic_load_explicit(&s->jit_after, memory_order_relaxed);
	switch (cpu_count_runs(g, runs, after)) {
	case CPU_RUNS_FEW:
		if (region_runs(g) == CPU_COPY_AFTER && cpu_compile(c, g, false))
			region_set_runs(g, CPU_RUNS_ASKED);
		break;
	case CPU_RUNS_HOT:
		cpu_compile(c, g, true);
		break;
	case CPU_RUNS_WAIT:
		cpu_compile_hurry(c, g);
		break;
	}
	return region_entry(g);
}

/* True: leave cpu_run with *exit. */
static bool serve_exit_request(struct cpu *c, enum cpu_exit *exit)
{
	atomic_store(&c->env.exit_request, 0);
	cpu_serve_requests(c);
	quiescent(c);
	c->was_idle = false;
	if (atomic_exchange(&c->kicked, false)) {
		*exit = CPU_EXIT_KICK;
		return true;
	}
	if (atomic_exchange(&c->timer_fired, false))
		c->arch->timer(c);
	if (c->arch->events(c)) {
		*exit = CPU_EXIT_HYPERVISOR;
		return true;
	}
	return false;
}

enum cpu_exit cpu_run(struct cpu *c)
{
	enum cpu_exit exit;
	struct region *from = NULL; /* whose exit is to be linked to what is found next */
	uint32_t from_exit = 0;
	bool hot = false;
	bool unshared = false; /* what is next is interpreted without a region */
	bool sampled = false, recording = false; /* hot.c, record.c */

	/* Before the queue is looked at: who posts after that sees `running` and waits. */
	atomic_store(&c->running, true);
	c->was_idle = true;
	c->error[0] = 0;
	c->env.fault = 0;
	c->arch->enter(c);
	atomic_store(&c->timer_fired, true);
	atomic_store(&c->env.exit_request, 1);
	for (;;) {
		struct region *g;
		struct jit_code *code;
		const void *entry = NULL;
		enum ir_leave leave;
		uint32_t index, runs;

		if (UNLIKELY(atomic_load_explicit(&c->env.exit_request, memory_order_relaxed))) {
			uint64_t pc = c->env.pc;

			from = NULL;
			cpu_record_end(c, true);
			recording = false;
			if (serve_exit_request(c, &exit))
				break;
			/* Where an interrupt goes nothing else was run. */
			sampled = sampled && c->env.pc == pc;
		} else {
			sampled = false;
		}
		if (UNLIKELY(recording))
			switch (cpu_record_step(c, &leave)) {
			case CPU_STEP_RUN:
				goto left;
			case CPU_STEP_OVER:
				recording = false;
				break;
			case CPU_STEP_FAULT:
				recording = false;
				goto fault;
			case CPU_STEP_ERROR:
				exit = CPU_EXIT_ERROR;
				goto out;
			}
		if (UNLIKELY(unshared)) {
			unshared = false;
			if (cpu_interpret_once(c, &leave))
				goto left;
			if (c->env.fault)
				goto fault;
			exit = CPU_EXIT_ERROR;
			break;
		}
		g = find_region(c);
		if (UNLIKELY(!g)) {
			if (c->env.fault)
				goto fault;
			if (c->error[0]) {
				exit = CPU_EXIT_ERROR;
				break;
			}
			/* Go on, after a look at requests: whoever writes there must hold up neither this one nor a kick. */
			from = NULL;
			unshared = true;
			continue;
		}
		if (UNLIKELY(sampled) || UNLIKELY(c->lockstep && cpu_lockstep_sampled(c, g))) {
			sampled = false;
			recording = cpu_hot_sample(c, g);
			if (recording)
				continue;
		}
		/* A loop that has gone round often has been run often. */
		runs = hot ? CPU_JIT_AFTER : 1;
		hot = false;
		if (UNLIKELY(c->lockstep)) {
			c->env.base = c->env.pc & ~TLB_BLOCK_MASK;
			if (cpu_lockstep_run(c, g, runs, &leave))
				goto left;
			exit = CPU_EXIT_ERROR;
			break;
		}
		entry = compiled_entry(c, g, runs);
		if (entry)
			cpu_jumps_compiled(c, c->env.pc, entry);
		if (from && entry)
			region_link(c->system->regions, from, from_exit, g);
		from = NULL;
		c->env.base = c->env.pc & ~TLB_BLOCK_MASK;
		c->env.polls_left = c->system->jit ? CPU_JIT_AFTER : UINT32_MAX;
		leave = entry ? jit_run(c->system->jit, entry, &c->env, &code, &index) :
				ir_interp(g->code, &c->env, &index);
	left:
		switch (leave) {
		case IR_LEAVE_DIRECT:
			count(&c->stats.left_direct);
			if (entry) {
				/* Its target, found next, may become a direct jump. */
				from = code->owner;
				from_exit = index;
			}
			continue;
		case IR_LEAVE_INDIRECT:
			count(&c->stats.left_indirect);
			continue;
		case IR_LEAVE_POLL:
			count(&c->stats.left_poll);
			/* A loop that has gone round often is compiled, from its head. */
			if (!entry && !c->env.exit_request)
				hot = true;
			sampled = entry;
			continue;
		case IR_LEAVE_RESUME:
			count(&c->stats.left_resume);
			if (c->arch->events(c)) {
				exit = CPU_EXIT_HYPERVISOR;
				goto out;
			}
			continue;
		case IR_LEAVE_UNSHARED:
			count_unshared(c, code->owner);
			unshared = true;
			continue;
		case IR_LEAVE_FAULT:
			break;
		}
	fault:
		from = NULL;
		count(&c->stats.left_fault);
		c->env.fault = 0;
		if (c->arch->fault(c)) {
			exit = CPU_EXIT_HYPERVISOR;
			break;
		}
	}
out:
	cpu_record_end(c, false);
	c->arch->leave(c);
	atomic_store(&c->running, false);
	return exit;
}

const char *cpu_error(const struct cpu *c)
{
	return c->error;
}

void cpu_stats_read(const struct cpu *c, struct cpu_stats *out)
{
#define _(name) out->name = counter_read(&c->stats.name);
	CPU_COUNTERS(_)
#undef _
}
