/*
 * A clock for programs under valgrind, which makes them hundreds of times slower: preloaded, it has
 * the monotonic clock go as much slower, so that a guest's timers come as often in its
 * instructions as without. Waits for that clock are stretched in turn. See
 * bench/nested-switch-count.
 */
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLOWER 500
#define NS     1000000000

static struct timespec of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / NS, .tv_nsec = ns % NS};
}

static struct timespec stretched(const struct timespec *t)
{
	return of((t->tv_sec * (int64_t)NS + t->tv_nsec) * SLOWER);
}

static long real_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	static long (*next)(long, ...);

	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return next(n, a, b, c, d, e, f);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int ret = (int)real_syscall(SYS_clock_gettime, clock, (long)t, 0, 0, 0, 0);

	if (!ret && clock == CLOCK_MONOTONIC)
		*t = of((t->tv_sec * (int64_t)NS + t->tv_nsec) / SLOWER);
	return ret;
}

/* Of anykvm's, the timer thread's goes by this clock; another by the time of day. */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *t)
{
	static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	struct timespec now, until = *t;

	if (!next)
		next = (int (*)(pthread_cond_t *, pthread_mutex_t *,
				const struct timespec *))dlsym(RTLD_NEXT, "pthread_cond_timedwait");
	real_syscall(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0, 0, 0);
	if (t->tv_sec < now.tv_sec / 2)
		until = stretched(t);
	return next(cond, mutex, &until);
}

long syscall(long n, ...)
{
	struct timespec t;
	va_list ap;
	long a[6];

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (n == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT && a[3]) {
		t = stretched((const struct timespec *)a[3]);
		a[3] = (long)&t;
	}
	return real_syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}
