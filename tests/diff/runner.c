/*
 * The runner: executes cases that come on standard input, as record.h says. No library, since a
 * test may leave any register, FPSCR and VSCR in any state.
 */
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "record.h"

#define SYS_exit_group   234
#define SYS_read         3
#define SYS_write        4
#define SYS_rt_sigaction 173
#define SYS_sigaltstack  185

/* CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM */
#define CLONE_FLAGS 0x50f00

extern uint32_t slot_prologue[DIFF_PROLOGUE], slot_pads[DIFF_PADS];
long runner_syscall(long number, long a, long b, long c, long d);
void run_slot(uint64_t address);
_Noreturn void run_resume(void);
void runner_handler(int sig);
void runner_thread(long flags, void *stack);
_Noreturn void runner_main(void);
_Noreturn void runner_signal(int sig, siginfo_t *info, void *context);

#define INIT ((struct diff_state *)DIFF_INIT)
#define OUT  ((volatile struct diff_state *)DIFF_OUT)
#define PAD  (*(volatile uint64_t *)(DIFF_KEEP + 272))

static struct diff_case cases[DIFF_BATCH];
static struct diff_result results[DIFF_BATCH];
static uint32_t slots[DIFF_BATCH][DIFF_SLOT_SIZE / 4] __attribute__((section(".slots")));
static char signal_stack[65536] __attribute__((aligned(16)));
static char thread_stack[4096] __attribute__((aligned(16)));
static volatile uint64_t fault_signal, fault_where;

static void copy(volatile void *to, const volatile void *from, uint64_t size)
{
	volatile uint64_t *d = to;
	const volatile uint64_t *s = from;

	for (uint64_t n = 0; n < size / 8; n++)
		d[n] = s[n];
}

_Noreturn static void leave(int status)
{
	for (;;)
		runner_syscall(SYS_exit_group, status, 0, 0, 0);
}

static void transfer(long number, long fd, void *buf, uint64_t size)
{
	char *p = buf;

	while (size) {
		long n = runner_syscall(number, fd, (long)p, (long)size, 0);

		if (n <= 0)
			leave(n ? 1 : 0);
		p += n;
		size -= (uint64_t)n;
	}
}

void runner_signal(int sig, siginfo_t *info, void *context)
{
	const uint64_t *regs = ((ucontext_t *)context)->uc_mcontext.gp_regs;

	(void)info;
	copy(OUT->gpr, regs, sizeof(OUT->gpr));
	OUT->ctr = regs[35];
	OUT->lr = regs[36];
	OUT->xer = regs[37];
	OUT->cr = regs[38];
	fault_signal = (uint64_t)sig;
	fault_where = regs[32];
	run_resume();
}

static void catch_signals(void)
{
	static const int numbers[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
	stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
	struct {
		uint64_t handler, flags, restorer, mask;
	} action = {(uint64_t)&runner_handler, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, 0, 0};

	runner_syscall(SYS_sigaltstack, (long)&stack, 0, 0, 0);
	for (unsigned n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++)
		runner_syscall(SYS_rt_sigaction, numbers[n], (long)&action, 0, 8);
}

static void write_code(uint64_t count)
{
	for (uint64_t n = 0; n < count; n++) {
		uint32_t *p = slots[n];

		for (unsigned k = 0; k < DIFF_PROLOGUE; k++)
			*p++ = slot_prologue[k];
		for (uint64_t k = 0; k < cases[n].nwords && k < DIFF_WORDS; k++)
			*p++ = (uint32_t)cases[n].word[k];
		for (unsigned k = 0; k < DIFF_PADS; k++)
			*p++ = slot_pads[k];
	}
	for (char *p = (char *)slots; p < (char *)(slots + count); p += 32)
		__asm__ volatile("dcbst 0,%0; sync; icbi 0,%0" : : "r"(p) : "memory");
	__asm__ volatile("sync; isync" : : : "memory");
}

static void run(uint64_t n)
{
	struct diff_result *r = &results[n];

	copy(INIT, &cases[n].state, sizeof(*INIT));
	copy((void *)DIFF_MEM, cases[n].mem, DIFF_MEM_SIZE);
	fault_signal = 0;
	run_slot((uint64_t)slots[n]);
	r->signal = fault_signal;
	r->where = fault_signal ? fault_where : PAD;
	copy(&r->state, OUT, sizeof(r->state));
	copy(r->mem, (void *)DIFF_MEM, DIFF_MEM_SIZE);
}

void runner_main(void)
{
	struct diff_batch batch;

	catch_signals();
	/* An emulator that sees only one thread may not bother to be atomic. */
	runner_thread(CLONE_FLAGS, thread_stack + sizeof(thread_stack) - 512);
	for (;;) {
		transfer(SYS_read, 0, &batch, sizeof(batch));
		if (batch.count > DIFF_BATCH)
			leave(2);
		transfer(SYS_read, 0, cases, batch.count * sizeof(cases[0]));
		write_code(batch.count);
		for (uint64_t n = 0; n < batch.count; n++)
			run(n);
		transfer(SYS_write, 1, results, batch.count * sizeof(results[0]));
	}
}
