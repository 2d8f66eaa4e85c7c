/*
 * One thread a system that wakes processors at their deadline: it sets timer_fired and
 * exit_request of a running processor, which then looks at its own clocks.
 *
 * While processors run it also has them pass their run loop now and then, to see where they are (hot.c): often while paths
 * are being found, seldom when none have been for a while. Those that do not run are left alone, and when there have been none
 * that do for some time the thread sleeps, until one arms.
 *
 * A processor arms by storing its deadline; only when that is earlier than the time for which the thread
 * sleeps is the thread woken, so the usual re-arming of a decrementer costs one store.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cpu/core.h"
#include "cpu/lockstep.h"

#define SAMPLES_SLOWER	64 /* without anything new, after which samples are half as often, */
#define SAMPLE_SLOWEST	4  /* down to this share */
#define SAMPLES_ALONE	16 /* of nobody, before there are no more */

struct sampling {
	int64_t period, least, next; /* in ns; least 0: there are no samples */
	uint32_t promising, since, alone;
};

struct cpu_timer {
	struct cpu_system *system;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	_Atomic int64_t wake_ns; /* the thread sleeps until then */
	_Atomic bool resting;    /* there are no samples: who begins to run wakes it */
	struct sampling sampling;
	bool stop;
};

int64_t cpu_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)cpu_lockstep_value(ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec);
}

/* system->lock is held. Ask those that run for a sample if it is time; when it is the next time. */
static int64_t sample(struct cpu_timer *t, int64_t now)
{
	struct sampling *s = &t->sampling;
	uint32_t promising = atomic_load_explicit(&t->system->promising, memory_order_relaxed);
	bool any = false;

	if (!s->least)
		return INT64_MAX;
	if (now < s->next)
		return s->next;
	/* Before it is looked who runs: who begins to meanwhile sees it and waits for the lock. */
	atomic_store(&t->resting, s->alone >= SAMPLES_ALONE);
	for (struct cpu *c = t->system->cpus; c; c = c->next)
		if (atomic_load(&c->running)) {
			atomic_store(&c->env.exit_request, 1);
			any = true;
		}
	if (!any && atomic_load(&t->resting))
		return INT64_MAX;
	atomic_store(&t->resting, false);
	s->alone = any ? 0 : s->alone + 1;
	if (promising != s->promising) {
		s->promising = promising;
		s->period = s->least;
		s->since = 0;
	} else if (any && ++s->since == SAMPLES_SLOWER) {
		s->since = 0;
		if (s->period < s->least * SAMPLE_SLOWEST)
			s->period *= 2;
	}
	s->next = now + s->period;
	return s->next;
}

static void *timer_thread(void *arg)
{
	struct cpu_timer *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		int64_t next = INT64_MAX, now;

		/*
		 * While deadlines are collected every time to come counts as early: who arms one
		 * meanwhile, perhaps after it was looked at, takes the lock, so waits for the sleep
		 * below to begin, and signals.
		 */
		atomic_store(&t->wake_ns, INT64_MAX);
		now = cpu_clock_ns();
		pthread_mutex_lock(&t->system->lock);
		for (struct cpu *c = t->system->cpus; c; c = c->next) {
			int64_t at = atomic_load(&c->deadline_ns);

			if (at <= now) {
				atomic_compare_exchange_strong(&c->deadline_ns, &at, INT64_MAX);
				atomic_store(&c->timer_fired, true);
				atomic_store(&c->env.exit_request, 1);
			} else if (at < next) {
				next = at;
			}
		}
		now = sample(t, now);
		if (now < next)
			next = now;
		pthread_mutex_unlock(&t->system->lock);
		atomic_store(&t->wake_ns, next);
		if (next == INT64_MAX) {
			pthread_cond_wait(&t->cond, &t->lock);
		} else {
			struct timespec ts = { next / 1000000000, next % 1000000000 };

			pthread_cond_timedwait(&t->cond, &t->lock, &ts);
		}
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct cpu_timer *cpu_timer_create(struct cpu_system *s, int64_t sample_ns)
{
	struct cpu_timer *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return NULL;
	t->system = s;
	t->sampling.least = t->sampling.period = sample_ns;
	atomic_store(&t->wake_ns, INT64_MAX);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&t->thread, NULL, timer_thread, t)) {
		pthread_cond_destroy(&t->cond);
		pthread_mutex_destroy(&t->lock);
		free(t);
		return NULL;
	}
	return t;
}

void cpu_timer_destroy(struct cpu_timer *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->cond);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void cpu_timer_arm(struct cpu *c, int64_t deadline_ns)
{
	struct cpu_timer *t = c->system->timer;

	atomic_store(&c->deadline_ns, deadline_ns);
	if (deadline_ns < atomic_load(&t->wake_ns) || atomic_load(&t->resting)) {
		pthread_mutex_lock(&t->lock);
		pthread_cond_signal(&t->cond);
		pthread_mutex_unlock(&t->lock);
	}
}
