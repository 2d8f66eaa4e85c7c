/*
 * One thread a system that wakes processors at their deadline: it sets timer_fired and
 * exit_request of a running processor, which then looks at its own clocks.
 *
 * A processor arms by storing its deadline; only when that is earlier than the time for which the thread
 * sleeps is the thread woken, so the usual re-arming of a decrementer costs one store.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cpu/core.h"
#include "cpu/lockstep.h"

struct cpu_timer {
	struct cpu_system *system;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	_Atomic int64_t wake_ns; /* the thread sleeps until then */
	bool stop;
};

int64_t cpu_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)cpu_lockstep_value(ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec);
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

struct cpu_timer *cpu_timer_create(struct cpu_system *s)
{
	struct cpu_timer *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return NULL;
	t->system = s;
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
	if (deadline_ns < atomic_load(&t->wake_ns)) {
		pthread_mutex_lock(&t->lock);
		pthread_cond_signal(&t->cond);
		pthread_mutex_unlock(&t->lock);
	}
}
