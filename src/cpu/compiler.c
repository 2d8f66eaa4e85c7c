/*
 * Compiling hot regions, on a thread of its own where the host has more than one processor: the
 * guest goes on interpreting meanwhile, and what has become hot again while it waited is found by
 * the next one that looks for the region's entry.
 *
 * What waits and is interpreted often meanwhile goes first; and who has interpreted it so often that compiling would have been
 * cheaper compiles it himself (CPU_SELF_AFTER).
 *
 * Paths (path.c) wait for all else: what they are made from is compiled already. More than a few are not waited for; those
 * that are hot for longer come again.
 *
 * A job has a copy of the guest's code, since the memory that it is in may be unmapped once the
 * processor that asked goes on. What has been written meanwhile has another version, so
 * its code is not attached (region_attach).
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"

#define JOBS  256 /* powers of two */
#define PATHS 16

struct job {
	struct region *region; /* held */
	uint64_t version;      /* of its block, before the code was copied */
	struct cpu_code code;
};

struct waiting {
	struct region *region; /* of the job */
	struct job *job;
};

struct cpu_compiler {
	struct cpu_system *system;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work; /* a job or stop */
	bool stop;
	uint32_t after_idle; /* the threshold when nothing waits */
	struct ir_region ir; /* the thread's own */
	/* A ring, from the one that is next; behind its end are free jobs. */
	uint32_t first, end;
	struct waiting waiting[JOBS];
	struct job job[JOBS];
	uint32_t first_path, end_path;
	struct cpu_path *path[PATHS];
};

/* ---- shared checks: see ir.h ---- */

static _Atomic uint64_t *unshared_word(struct cpu_system *s, hva_t host, uint64_t *bit)
{
	uint32_t hash = (host.v >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	*bit = UINT64_C(1) << hash % 64;
	return &s->unshared[hash / 64 % ARRAY_SIZE(s->unshared)];
}

bool cpu_shares_checks(struct cpu_system *s, hva_t host)
{
	uint64_t bit;

	return !(atomic_load_explicit(unshared_word(s, host, &bit), memory_order_relaxed) & bit);
}

void cpu_compile_unshared(struct cpu_system *s, hva_t host)
{
	uint64_t bit;
	_Atomic uint64_t *word = unshared_word(s, host, &bit);

	atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
}

bool cpu_well_formed(const struct cpu_system *s, const struct ir_region *ir, const char *what)
{
	const char *wrong = s->check_ir ? ir_check(ir) : NULL;

	if (!wrong)
		return true;
	flockfile(stderr);
	fprintf(stderr, "malformed IR of %s: %s\n", what, wrong);
	ir_print(ir, stderr);
	funlockfile(stderr);
	return false;
}

bool cpu_optimise(struct cpu_system *s, struct ir_region *ir, bool share)
{
	if (s->optimise)
		ir_peel(ir, s->lockstep);
	if (!ir->failed && s->optimise && share)
		ir_optimise_shared(ir);
	else if (!ir->failed && s->optimise)
		ir_optimise_unshared(ir);
	return !ir->failed && cpu_well_formed(s, ir, "what is to be compiled");
}

bool cpu_compile_emit(struct cpu_system *s, struct ir_region *ir, const struct region *g,
		      const uint8_t *bytes, uint32_t size, bool share, uint32_t *len)
{
	ir_region_reset(ir);
	ir->base = g->pc & ~TLB_BLOCK_MASK;
	ir->span = region_span_shift(g->mode);
	*len = s->arch->translate(g->mode & ~REGION_SPAN_MASK, ir, g->pc, bytes, size, CPU_COMPILED_INSNS);
	return cpu_optimise(s, ir, share);
}

static struct region_source source_of(const struct region *g, const uint8_t *bytes,
				      uint32_t size)
{
	return (struct region_source){
		.host = HVA(g->host),
		.pc = g->pc,
		.mode = g->mode,
		.bound = g->bound,
		.bytes = bytes,
		.size = size,
	};
}

const void *cpu_compile_emitted(struct cpu_system *s, const struct ir_region *ir, struct region *g,
				const uint8_t *bytes, uint32_t size, uint32_t len, bool share,
				uint64_t version)
{
	const struct region_source from = source_of(g, bytes, size);
	struct jit_code *code = jit_compile(s->jit, ir, g->pc);
	const void *entry = code ? code->entry : NULL;
	struct region_product p;

	if (!code)
		goto fail;
	if (UNLIKELY(s->trace))
		cpu_trace_region(s, g, ir, bytes, len, code);
	region_product_init(s->regions, &p, code, &from, len, share);
	if (!region_attach(s->regions, g, &p, version)) {
		/* Of what was written beside, no harm has come. */
		if (region_block_version(s->regions, HVA(g->host)) != version)
			region_set_runs(g, 0);
		goto fail;
	}
	count_shared(&s->regions_compiled);
	return entry;
fail:
	count_shared(&s->compile_failures);
	return NULL;
}

/* ---- copies ---- */

static void trace_copy(struct cpu_system *s, const struct region *g, const uint8_t *bytes,
		       const struct region_product *p)
{
	if (UNLIKELY(s->trace))
		cpu_trace_region(s, g, NULL, bytes, p->len, p->code);
}

struct region *cpu_find_twin(struct cpu_system *s, const struct region_source *from)
{
	const struct region like = {.host = from->host.v, .pc = from->pc, .mode = from->mode};
	struct region_product p;
	struct region *g = region_insert_twin(s->regions, from, cpu_shares_checks(s, from->host), &p);

	if (g || errno)
		return g;
	trace_copy(s, &like, from->bytes, &p);
	g = region_insert_compiled(s->regions, from, &p);
	if (g)
		count_shared(&s->regions_copied);
	return g;
}

const void *cpu_compile_copy(struct cpu_system *s, struct region *g, const uint8_t *bytes, uint32_t size,
			     uint64_t version)
{
	const struct region_source from = source_of(g, bytes, size);
	struct region_product p;
	const void *entry;

	if (!region_copy_twin(s->regions, &from, cpu_shares_checks(s, HVA(g->host)), &p))
		return NULL;
	trace_copy(s, g, bytes, &p);
	entry = p.code->entry;
	if (!region_attach(s->regions, g, &p, version))
		return NULL;
	count_shared(&s->regions_copied);
	return entry;
}

/* ir: scratch of the calling thread. */
static void compile(struct cpu_system *s, struct ir_region *ir, struct region *g,
		    const struct cpu_code *guest, uint64_t version)
{
	bool share = cpu_shares_checks(s, HVA(g->host));
	uint32_t len;

	if (cpu_compile_emit(s, ir, g, guest->bytes, guest->size, share, &len))
		cpu_compile_emitted(s, ir, g, guest->bytes, guest->size, len, share, version);
	else
		count_shared(&s->compile_failures);
}

/* What is hot depends on how much waits, and on the room there is for it; up to CPU_JIT_AFTER. The lock is held. */
static void set_threshold(struct cpu_compiler *p)
{
	uint32_t after = p->after_idle + p->end - p->first;

	if (region_cache_filling(p->system->regions))
		after = CPU_JIT_AFTER;

	atomic_store_explicit(&p->system->jit_after,
			      after < CPU_JIT_AFTER ? after : CPU_JIT_AFTER, memory_order_relaxed);
}

static struct waiting *waiting_at(struct cpu_compiler *p, uint32_t n)
{
	return &p->waiting[n & (JOBS - 1)];
}

/* Make the n-th the next one. The lock is held. */
static void put_first(struct cpu_compiler *p, uint32_t n)
{
	struct waiting w = *waiting_at(p, n);

	for (; n != p->first; n--)
		*waiting_at(p, n) = *waiting_at(p, n - 1);
	*waiting_at(p, n) = w;
}

/* The next one. The lock is held, and there is one. */
static void take_job(struct cpu_compiler *p, struct job *job)
{
	*job = *waiting_at(p, p->first++)->job;
	set_threshold(p);
}

/*
 * How much of its code is compiled. What was hardly run while it waited ends where other such code begins, and goes on in that: each
 * way into the same code would have a copy of it else, nearly half of all that is compiled when programs start. What is
 * hot is as long as it can be, and part of whatever leads to it: in a region with what is around it a loop is better off.
 */
static uint32_t size_of(struct cpu_system *s, const struct job *job)
{
	const struct region *g = job->region;

	if (region_runs(g) >= CPU_ASKED_HOT)
		return job->code.size;
	return region_until_compiled(s->regions, g, job->code.size, s->arch->insn_align, CPU_ASKED_HOT);
}

/* ir: scratch of the calling thread. */
static void do_job(struct cpu_system *s, struct ir_region *ir, struct job *job)
{
	if (!atomic_load(&job->region->dead)) {
		job->code.size = size_of(s, job);
		compile(s, ir, job->region, &job->code, job->version);
	}
	region_release(s->regions, job->region);
}

static void *compiler_thread(void *arg)
{
	struct cpu_compiler *p = arg;
	struct cpu_system *s = p->system;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct cpu_path *path = NULL;
		struct job job;

		while (p->first == p->end && p->first_path == p->end_path && !p->stop)
			pthread_cond_wait(&p->work, &p->lock);
		if (p->stop)
			break;
		if (p->first != p->end)
			take_job(p, &job);
		else
			path = p->path[p->first_path++ & (PATHS - 1)];
		pthread_mutex_unlock(&p->lock);
		if (path)
			cpu_path_make(s, &p->ir, path);
		else
			do_job(s, &p->ir, &job);
		free(path);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/*
 * Have g compiled by the thread. With as many waiting as can, the calling processor does one of them: the thread
 * does not get enough of the host's processors, and what is hot is interpreted meanwhile.
 */
static void queue(struct cpu_compiler *p, struct cpu *c, struct region *g, uint64_t version)
{
	struct job *job, next;
	bool full;

	pthread_mutex_lock(&p->lock);
	full = p->end - p->first == JOBS;
	if (full)
		take_job(p, &next);
	job = waiting_at(p, p->end)->job;
	waiting_at(p, p->end)->region = g;
	region_hold(p->system->regions, g);
	job->region = g;
	job->version = version;
	job->code.size = c->code.size;
	memcpy(job->code.bytes, c->code.bytes, c->code.size);
	if (p->end++ == p->first)
		pthread_cond_signal(&p->work);
	set_threshold(p);
	pthread_mutex_unlock(&p->lock);
	if (full)
		do_job(p->system, &c->ir, &next);
}

bool cpu_compile(struct cpu *c, struct region *g, bool hot)
{
	struct cpu_system *s = c->system;
	uint64_t version = region_block_version(s->regions, HVA(g->host));

	if (!hot && !region_finds_twins(s->regions))
		return false;
	cpu_copy_code(s, HVA(g->host), CPU_COMPILED_INSNS, &c->code);
	if (cpu_compile_copy(s, g, c->code.bytes, c->code.size, version))
		return true;
	if (!hot)
		return false;
	if (s->compiler)
		queue(s->compiler, c, g, version);
	else
		compile(s, &c->ir, g, &c->code, version);
	return true;
}

void cpu_compile_hurry(struct cpu *c, struct region *g)
{
	struct cpu_compiler *p = c->system->compiler;
	bool self = (region_runs(g) & ~CPU_RUNS_ASKED) >= CPU_SELF_AFTER, found;
	struct job job;
	uint32_t n;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	for (n = p->first; n != p->end && waiting_at(p, n)->region != g;)
		n++;
	found = n != p->end;
	if (found)
		put_first(p, n);
	if (found && self)
		take_job(p, &job);
	pthread_mutex_unlock(&p->lock);
	if (found && self)
		do_job(p->system, &c->ir, &job);
}

/* False: there are enough. */
static bool queue_path(struct cpu_compiler *p, struct cpu_path *path)
{
	bool room;

	pthread_mutex_lock(&p->lock);
	room = p->end_path - p->first_path < PATHS;
	if (room) {
		p->path[p->end_path++ & (PATHS - 1)] = path;
		pthread_cond_signal(&p->work);
	}
	pthread_mutex_unlock(&p->lock);
	return room;
}

void cpu_compile_path(struct cpu *c, struct cpu_path *path)
{
	struct cpu_system *s = c->system;

	if (s->compiler && queue_path(s->compiler, path))
		return;
	if (!s->compiler)
		cpu_path_make(s, &c->ir, path);
	free(path);
}

/* May this process use more than one of the host's processors? */
static bool several_processors(void)
{
	cpu_set_t set;

	/* More than a cpu_set_t can hold is several, too. */
	return sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) > 1;
}

struct cpu_compiler *cpu_compiler_create(struct cpu_system *s, uint32_t after_idle)
{
	struct cpu_compiler *p;

	if (!several_processors())
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->system = s;
	p->after_idle = after_idle;
	for (unsigned n = 0; n < JOBS; n++)
		p->waiting[n].job = &p->job[n];
	set_threshold(p);
	ir_region_init(&p->ir);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	if (pthread_create(&p->thread, NULL, compiler_thread, p)) {
		pthread_cond_destroy(&p->work);
		pthread_mutex_destroy(&p->lock);
		ir_region_destroy(&p->ir);
		free(p);
		return NULL;
	}
	return p;
}

void cpu_compiler_destroy(struct cpu_compiler *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	for (; p->first != p->end; p->first++)
		region_release(p->system->regions, waiting_at(p, p->first)->region);
	for (; p->first_path != p->end_path; p->first_path++)
		free(p->path[p->first_path & (PATHS - 1)]);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	ir_region_destroy(&p->ir);
	free(p);
}
