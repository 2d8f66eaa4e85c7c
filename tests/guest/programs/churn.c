/*
 * Work that changes the machine under itself, with checked results: churn SECONDS
 *
 * Signals (sent, and of faults), fork and wait, memory mapped, changed and unmapped, code written and run,
 * threads. Prints `churn: N rounds` and exits with 0, or what was wrong and with 1.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(good)                                                                                \
	do {                                                                                       \
		if (!(good)) {                                                                     \
			printf("churn: wrong at line %d: %s\n", __LINE__, #good);                  \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static uint64_t state = 88172645463325252;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* ---- signals ---- */

static volatile int sent;
static sigjmp_buf back;
static volatile uintptr_t fault_at;

static void on_sent(int number)
{
	sent += number == SIGUSR1;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	fault_at = (uintptr_t)info->si_addr;
	siglongjmp(back, 1);
}

static void signals(void)
{
	char *page = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int before = sent;
	volatile double x = 1.5, y;

	for (int n = 0; n < 20; n++) {
		y = x;
		raise(SIGUSR1);
		CHECK(y == x);
		x = x * 1.25 + n;
	}
	CHECK(sent == before + 20);
	CHECK(page != MAP_FAILED);
	for (int n = 0; n < 10; n++) {
		uintptr_t at = (uintptr_t)page + draw() % 65536;

		fault_at = 0;
		if (!sigsetjmp(back, 1)) {
			*(volatile char *)at = 1;
			CHECK(!"the store faults");
		}
		CHECK(fault_at == at);
	}
	munmap(page, 65536);
}

/* ---- processes ---- */

static void processes(void)
{
	volatile uint64_t *shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t own = draw();

	CHECK(shared != MAP_FAILED);
	for (unsigned n = 0; n < 4; n++) {
		pid_t pid = fork();
		int status;

		CHECK(pid >= 0);
		if (!pid) {
			uint64_t copy = own;

			own = n; /* the parent's stays */
			shared[n] = copy ^ n;
			_exit(40 + n);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (int)(40 + n));
		CHECK(shared[n] == (own ^ n));
	}
	munmap((void *)shared, 65536);
}

/* ---- memory ---- */

static void memory(void)
{
	enum { PIECES = 8 };
	size_t size[PIECES];
	uint64_t *at[PIECES], seed[PIECES];

	for (unsigned n = 0; n < PIECES; n++) {
		size[n] = (draw() % 16 + 1) * 65536;
		seed[n] = draw();
		at[n] = mmap(NULL, size[n], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		CHECK(at[n] != MAP_FAILED);
		for (size_t k = 0; k < size[n] / 8; k += 97) {
			CHECK(!at[n][k]);
			at[n][k] = seed[n] + k;
		}
	}
	for (unsigned n = 0; n < PIECES; n++) {
		size_t larger = size[n] * 2;

		if (n % 3 == 0)
			CHECK(!mprotect(at[n], size[n], PROT_READ));
		if (n % 3 == 1) {
			at[n] = mremap(at[n], size[n], larger, MREMAP_MAYMOVE);
			CHECK(at[n] != MAP_FAILED);
		}
		for (size_t k = 0; k < size[n] / 8; k += 97)
			CHECK(at[n][k] == seed[n] + k);
		if (n % 3 == 2) {
			CHECK(!madvise(at[n], size[n], MADV_DONTNEED));
			CHECK(!at[n][0] && !at[n][97]);
		}
		CHECK(!munmap(at[n], n % 3 == 1 ? larger : size[n]));
	}
}

/* ---- code ---- */

static void code(void)
{
	uint32_t *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned slot = draw() % 1000 * 4;

	CHECK(page != MAP_FAILED);
	for (unsigned n = 0; n < 60; n++) {
		uint16_t value = draw() % 30000;
		long (*function)(long) = (long (*)(long))(page + slot);

		/* addi r3,r3,value; blr. Some stay long enough to be compiled. */
		page[slot] = 14u << 26 | 3 << 21 | 3 << 16 | value;
		page[slot + 1] = 0x4e800020;
		__builtin___clear_cache((char *)(page + slot), (char *)(page + slot + 2));
		for (unsigned k = 0; k < (n % 20 ? 3 : 200); k++)
			CHECK(function(k) == (long)k + value);
	}
	munmap(page, 65536);
}

/* ---- threads ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t locked;
static _Atomic uint64_t counted;

static void *worker(void *arg)
{
	for (unsigned n = 0; n < 500; n++) {
		pthread_mutex_lock(&lock);
		locked += n;
		pthread_mutex_unlock(&lock);
		counted += n;
	}
	return arg;
}

static void threads(void)
{
	pthread_t thread[4];
	uint64_t sum = 4 * (499 * 500 / 2);

	locked = counted = 0;
	for (unsigned n = 0; n < 4; n++)
		CHECK(!pthread_create(&thread[n], NULL, worker, (void *)(uintptr_t)n));
	for (unsigned n = 0; n < 4; n++) {
		void *result;

		CHECK(!pthread_join(thread[n], &result) && (uintptr_t)result == n);
	}
	CHECK(locked == sum && counted == sum);
}

int main(int argc, char **argv)
{
	struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	struct sigaction user = {.sa_handler = on_sent};
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	unsigned rounds = 0;

	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGUSR1, &user, NULL);
	state ^= (uint64_t)getpid() << 32;
	do {
		signals();
		processes();
		memory();
		code();
		threads();
		rounds++;
	} while (time(NULL) < end);
	printf("churn: %u rounds\n", rounds);
	return 0;
}
