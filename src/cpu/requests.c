/*
 * Processors of a system, and what they ask of each other: see core.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"
#include "cpu/lockstep.h"

/* How often a region is interpreted where compiled code is to be proved: more of it is. */
#define LOCKSTEP_AFTER 4

/*
 * What translations may take if nobody says: what all else leaves of 64 MiB for one processor. Each further one has tables
 * of its own, which go off that, down to the least.
 */
#define TRANSLATIONS	   (UINT64_C(42) << 20)
#define TABLES		   (UINT64_C(4) << 20)
#define TRANSLATIONS_LEAST (UINT64_C(28) << 20)

/*
 * How many sixteenths of it those that are not compiled may take: they are cheap to
 * make again. Address space for code: some is dead for a while, some is lost between pieces, and the two zones
 * (jit/memory.h) need not fill alike.
 */
#define INTERPRETED	 3
#define JIT_BYTES(limit) ((limit) + (limit) / 2 + (UINT64_C(4) << 20))

/* How often samples are taken, in microseconds. */
#define SAMPLE_US 1000

static int64_t sample_ns(const struct cpu_system *s, const struct cpu_system_config *config)
{
	/* In lockstep runs are counted. */
	if (!s->jit || s->lockstep || !s->arch->translate_path || config->sample_us == UINT32_MAX)
		return 0;
	return (int64_t)(config->sample_us ? config->sample_us : SAMPLE_US) * 1000;
}

_Static_assert(CPU_HOST_LEVELS == JIT_LEVELS - 1, "all but the least");

/* Of a system that has so many processors. */
static struct region_limits limits(size_t asked, bool jit, unsigned ncpus)
{
	const unsigned most = (TRANSLATIONS - TRANSLATIONS_LEAST) / TABLES, further = ncpus ? ncpus - 1 : 0;
	const size_t all = asked ? asked : TRANSLATIONS - (further < most ? further : most) * TABLES;

	return (struct region_limits){
		.interpreted = jit ? all / 16 * INTERPRETED : all,
		.compiled = jit ? all - all / 16 * INTERPRETED : 0,
	};
}

/* Lock held. */
static void count_cpus(struct cpu_system *s, int more)
{
	struct region_limits limit;

	s->ncpus += (unsigned)more;
	limit = limits(s->translation_bytes, s->jit, s->ncpus);
	region_cache_limit(s->regions, limit.interpreted, limit.compiled);
}

/* The compiler, if it is wanted and there is one. False: with errno. */
static bool create_jit(struct cpu_system *s, const struct cpu_system_config *config, size_t bytes)
{
	const struct jit_layout layout = {
		.jump = offsetof(struct cpu, jump),
		.jump_mask = CPU_JUMP_HALF - 1,
		.insn_align = s->arch->insn_align,
		.pin_first = s->arch->pin_first,
		.pin_end = s->arch->pin_end,
		.vec_first = s->arch->vec_first,
		.vec_end = s->arch->vec_end,
		.count_polls = config->lockstep,
		.no_copies = config->no_twins,
	};
	const struct jit_trace_to perf_map = {config->perf_map_fd, config->perf_map_error};
	const struct jit_trace_to dump = {config->jit_dump_fd, config->jit_dump_error};
	bool traced = config->perf_map_fd || config->jit_dump_fd;

	if (!config->jit)
		return true;
	s->jit = jit_create(&layout, bytes);
	/* Without a back end the interpreter serves; not if what was asked for is about compiled code. */
	if (!s->jit)
		return errno == ENOTSUP && !config->lockstep && !traced;
	s->lockstep = config->lockstep;
	if (config->jit_without)
		jit_limit(s->jit, CPU_HOST_LEVELS - config->jit_without);
	if (traced)
		s->trace = jit_trace_create(perf_map, dump);
	return !traced || s->trace;
}

struct cpu_system *cpu_system_create(const struct cpu_system_config *config)
{
	struct region_limits limit = limits(config->translation_bytes, config->jit, 0);
	struct cpu_system *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	limit.keep_interpreted = config->lockstep;
	limit.no_twins = config->no_twins;
	s->translation_bytes = config->translation_bytes;
	s->arch = config->arch;
	s->optimise = config->optimise;
	s->check_ir = config->check_ir;
	atomic_init(&s->jit_after, config->jit_after > REGION_RUNS_MAX ? REGION_RUNS_MAX :
				   config->jit_after			? config->jit_after :
				   config->lockstep			? LOCKSTEP_AFTER :
									  CPU_JIT_AFTER);
	pthread_mutex_init(&s->lock, NULL);
	cpu_watches_init(&s->watches);
	if (!create_jit(s, config, JIT_BYTES(limit.compiled)))
		goto fail;
	s->regions = region_cache_create(s->jit, &limit);
	if (!s->regions)
		goto no_memory;
	s->clock = region_cache_clock(s->regions);
	s->timer = cpu_timer_create(s, sample_ns(s, config));
	if (!s->timer)
		goto no_memory;
	if (s->jit && config->background && !s->lockstep)
		s->compiler = cpu_compiler_create(
			s, config->jit_after ? config->jit_after : CPU_JIT_AFTER_IDLE);
	return s;
no_memory:
	errno = ENOMEM;
fail:
	err = errno;
	cpu_system_destroy(s);
	errno = err;
	return NULL;
}

void cpu_system_destroy(struct cpu_system *s)
{
	if (!s)
		return;
	cpu_timer_destroy(s->timer);
	cpu_compiler_destroy(s->compiler);
	region_cache_destroy(s->regions);
	jit_trace_destroy(s->trace);
	jit_destroy(s->jit);
	cpu_watches_destroy(&s->watches);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void cpu_system_stats_read(const struct cpu_system *s, struct cpu_system_stats *out)
{
	struct region_cache_stats r;

	region_cache_stats_read(s->regions, &r);
	*out = (struct cpu_system_stats){
		.regions = r.live,
		.region_bytes = region_cache_bytes(s->regions),
		.code_bytes = s->jit ? jit_bytes(s->jit) : 0,
		.regions_killed = r.killed,
		.regions_evicted = r.evicted,
		.regions_compiled = counter_read(&s->regions_compiled),
		.regions_copied = counter_read(&s->regions_copied),
		.regions_path = counter_read(&s->regions_path),
		.compile_failures = counter_read(&s->compile_failures),
		.shootdowns = counter_read(&s->shootdowns),
	};
}

struct cpu *cpu_create(struct cpu_system *s)
{
	/* calloc, not a stack of initialisers: all state that is not said otherwise starts as zero. */
	size_t size = align_up(s->arch->size, 64);
	struct cpu *c = aligned_alloc(64, size);

	if (!c)
		return NULL;
	memset(c, 0, size);
	c->arch = s->arch;
	c->system = s;
	pthread_mutex_init(&c->req_lock, NULL);
	atomic_store(&c->deadline_ns, INT64_MAX);
	ir_region_init(&c->ir);
	if (!cpu_jumps_create(c) || s->arch->init(c)) {
		cpu_jumps_destroy(c);
		ir_region_destroy(&c->ir);
		pthread_mutex_destroy(&c->req_lock);
		free(c);
		errno = ENOMEM;
		return NULL;
	}
	if (s->lockstep && !cpu_lockstep_create(c)) {
		s->arch->fini(c);
		cpu_jumps_destroy(c);
		ir_region_destroy(&c->ir);
		pthread_mutex_destroy(&c->req_lock);
		free(c);
		errno = ENOMEM;
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	c->next = s->cpus;
	s->cpus = c;
	count_cpus(s, 1);
	pthread_mutex_unlock(&s->lock);
	cpu_watches_join(&s->watches);
	return c;
}

void cpu_destroy(struct cpu *c)
{
	struct cpu_system *s;
	struct cpu **link;

	if (!c)
		return;
	s = c->system;
	pthread_mutex_lock(&s->lock);
	for (link = &s->cpus; *link != c; link = &(*link)->next)
		;
	*link = c->next;
	count_cpus(s, -1);
	pthread_mutex_unlock(&s->lock);
	cpu_watches_leave(&s->watches);
	cpu_lockstep_destroy(c);
	cpu_once_destroy(c);
	cpu_record_destroy(c);
	cpu_hot_destroy(c);
	c->arch->fini(c);
	cpu_jumps_destroy(c);
	ir_region_destroy(&c->ir);
	pthread_mutex_destroy(&c->req_lock);
	free(c);
}

static void serve(struct cpu *c, const struct cpu_request *req)
{
	count(&c->stats.tlb_requests);
	c->arch->request(c, req);
}

/* Of memory that may be gone by now: before others make the processor look at what is there. */
static bool of_host(const struct cpu_request *req)
{
	return req->kind == CPU_REQ_FLUSH_HOST || req->kind == CPU_REQ_FLUSH_ALL;
}

void cpu_serve_requests(struct cpu *c)
{
	pthread_mutex_lock(&c->req_lock);
	for (uint32_t i = 0; i < c->nreq; i++)
		if (of_host(&c->req[i]))
			serve(c, &c->req[i]);
	for (uint32_t i = 0; i < c->nreq; i++)
		if (!of_host(&c->req[i]))
			serve(c, &c->req[i]);
	c->nreq = 0;
	atomic_store(&c->req_served, c->req_posted);
	pthread_mutex_unlock(&c->req_lock);
}

/* Append to c's queue; returns the ticket to wait for. */
static uint64_t post(struct cpu *c, const struct cpu_request *req)
{
	uint64_t ticket;

	pthread_mutex_lock(&c->req_lock);
	if (c->nreq == CPU_REQUESTS) {
		/* One flush of everything stands for all that were waiting. */
		c->req[0] = (struct cpu_request){ .kind = CPU_REQ_FLUSH_ALL };
		c->nreq = 1;
	} else {
		c->req[c->nreq++] = *req;
	}
	ticket = ++c->req_posted;
	pthread_mutex_unlock(&c->req_lock);
	atomic_store(&c->env.exit_request, 1);
	return ticket;
}

static void wait_served(struct cpu *c, struct cpu *self, uint64_t ticket)
{
	unsigned spins = 0;

	/* A processor that is not running serves its queue before it executes anything. */
	while (atomic_load(&c->running) && atomic_load(&c->req_served) < ticket) {
		if (self)
			cpu_serve_requests(self);
		if (++spins > 64)
			sched_yield();
	}
}

void cpu_broadcast(struct cpu_system *s, struct cpu *self, const struct cpu_request *req)
{
	struct cpu *c;
	struct {
		struct cpu *cpu;
		uint64_t ticket;
	} waiting[64];
	unsigned n = 0;

	count_shared(&s->shootdowns);
	if (self)
		serve(self, req);
	/*
	 * The list's lock is not held while waiting: processors are created and destroyed only
	 * by threads that know none of them is being shot (a VM that is going away runs nothing).
	 */
	pthread_mutex_lock(&s->lock);
	for (c = s->cpus; c; c = c->next) {
		uint64_t ticket;

		if (c == self)
			continue;
		ticket = post(c, req);
		if (!atomic_load(&c->running))
			continue;
		if (n == 64) {
			/* Many processors: wait for this one at once. */
			pthread_mutex_unlock(&s->lock);
			wait_served(c, self, ticket);
			pthread_mutex_lock(&s->lock);
			continue;
		}
		waiting[n].cpu = c;
		waiting[n++].ticket = ticket;
	}
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < n; i++)
		wait_served(waiting[i].cpu, self, waiting[i].ticket);
}

void cpu_shoot_host(struct cpu_system *s, struct cpu *self, hva_t start, uint64_t len)
{
	struct cpu_request req = { .kind = CPU_REQ_FLUSH_HOST, .arg = { start.v, len } };

	cpu_broadcast(s, self, &req);
	region_kill_range(s->regions, start, len);
	cpu_watch_forget(&s->watches, start, len);
}

void cpu_shoot_all(struct cpu_system *s, struct cpu *self)
{
	struct cpu_request req = { .kind = CPU_REQ_FLUSH_ALL };

	cpu_broadcast(s, self, &req);
}

void cpu_kick(struct cpu *c)
{
	atomic_store(&c->kicked, true);
	atomic_store(&c->env.exit_request, 1);
}
