/*
 * A world switch as a hypervisor in a guest has it: see bench/nested-switch --in-guest. It runs in
 * a guest of anykvm and uses Linux's KVM there. Its own guest makes hypercalls that KVM serves
 * itself, and touches memory. Each line is: name, nanoseconds of the wall clock, how many.
 *
 *   nested-guest DEPTH          both, twice, and what they took
 *   nested-guest DEPTH marks    each once, between two lines that it prints, and with a line read
 *                               before, so that somebody can count (bench/nested-switch-count)
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEM_SIZE (UINT64_C(128) << 20)
#define CODE     0x10000
#define TOUCH    0x11000
#define FROM     (UINT64_C(32) << 20)
#define STEP     65536 /* the size of the kernel's pages */
#define H_PROD   0xe8
#define DONE     0x3ffc
#define MSR_SF   (UINT64_C(1) << 63)

static struct kvm_run *run;
static uint32_t *mem;
static int vcpu;

static int try(int fd, unsigned long request, void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret >= 0)
		return ret;
	perror(what);
	exit(1);
}

/*
 * No floating point across KVM_RUN: Linux 6.1's KVM loses the caller's floating-point and vector
 * registers at times, under QEMU as well.
 */
static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Runs from pc with the counter and address given, to the hypercall at its end. Nanoseconds. */
static uint64_t go(uint64_t pc, uint64_t count)
{
	struct kvm_regs regs = {.pc = pc, .msr = MSR_SF | 1, .ctr = count};
	uint64_t start;

	regs.gpr[8] = FROM;
	regs.gpr[9] = STEP;
	try(vcpu, KVM_SET_REGS, &regs, "KVM_SET_REGS");
	start = now();
	try(vcpu, KVM_RUN, NULL, "KVM_RUN");
	start = now() - start;
	if (run->exit_reason != KVM_EXIT_PAPR_HCALL || run->papr_hcall.nr != DONE) {
		fprintf(stderr, "nested_guest: the guest left for reason %u.\n", run->exit_reason);
		exit(1);
	}
	run->immediate_exit = 1;
	ioctl(vcpu, KVM_RUN, NULL);
	run->immediate_exit = 0;
	return start;
}

/* Somebody begins to count, or ends; a line says that it goes on. */
static void mark(const char *name, uint64_t n)
{
	int c;

	printf("mark %s %llu\n", name, (unsigned long long)n);
	fflush(stdout);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
}

static int marked(uint64_t n, uint64_t pages)
{
	go(CODE, n);
	mark("nothing", 1);
	go(CODE, 1);
	mark("hypercall", n);
	go(CODE, n);
	mark("nothing", 1);
	mark("first-touch-of-64K", pages);
	go(TOUCH, pages);
	mark("second-touch", pages);
	go(TOUCH, pages);
	mark("end", 1);
	return 0;
}

static int measure(const char *depth, bool marks)
{
	static const uint32_t switches[] = {
		0x38600000 | H_PROD, /* li 3,H_PROD */
		0x38800000,          /* li 4,0: itself */
		0x44000022,          /* sc 1 */
		0x4200fff4,          /* bdnz -12 */
		0x38603ffc,          /* li 3,DONE */
		0x44000022,
	};
	static const uint32_t touch[] = {
		0xf9080000, /* std 8,0(8) */
		0x7d084a14, /* add 8,8,9 */
		0x4200fff8, /* bdnz -8 */
		0x38603ffc, 0x44000022,
	};
	struct kvm_ppc_mmuv3_cfg mmu = {
		.flags = KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE,
		.process_table = UINT64_C(1) << 63,
	};
	struct kvm_enable_cap papr = {.cap = KVM_CAP_PPC_PAPR};
	struct kvm_userspace_memory_region slot = {.memory_size = MEM_SIZE};
	uint64_t n = 20000, pages = (MEM_SIZE - FROM) / STEP;
	int sys = open("/dev/kvm", O_RDWR), vm;

	if (sys < 0) {
		perror("/dev/kvm");
		return 1;
	}
	mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	/* Pages of 64 KiB, whatever the kernel would rather have. */
	madvise(mem, MEM_SIZE, MADV_NOHUGEPAGE);
	slot.userspace_addr = (uintptr_t)mem;
	vm = try(sys, KVM_CREATE_VM, (void *)1, "KVM_CREATE_VM");
	try(vm, KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");
	try(vm, KVM_PPC_CONFIGURE_V3_MMU, &mmu, "KVM_PPC_CONFIGURE_V3_MMU");
	vcpu = try(vm, KVM_CREATE_VCPU, (void *)0, "KVM_CREATE_VCPU");
	try(vcpu, KVM_ENABLE_CAP, &papr, "KVM_CAP_PPC_PAPR");
	run = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED) {
		perror("kvm_run");
		return 1;
	}
	memcpy(mem + CODE / 4, switches, sizeof(switches));
	memcpy(mem + TOUCH / 4, touch, sizeof(touch));
	if (marks)
		return marked(n / 2, pages);
	go(CODE, 2000);
	printf("result depth-%s-hypercall %llu %llu\n", depth,
	       (unsigned long long)(go(CODE, n) / n), (unsigned long long)n);
	printf("result depth-%s-first-touch-of-64K %llu %llu\n", depth,
	       (unsigned long long)(go(TOUCH, pages) / pages), (unsigned long long)pages);
	printf("result depth-%s-second-touch %llu %llu\n", depth,
	       (unsigned long long)(go(TOUCH, pages) / pages), (unsigned long long)pages);
	return 0;
}

/*
 * Twice, the first time in silence and in a process of its own: the kernel then gives out memory
 * that it has had before, so that the hypervisors under it have it, too, and the host. Code is
 * compiled then, too, which a machine that was saved at the first mark and restored has not.
 */
int main(int argc, char **argv)
{
	const char *depth = argc > 1 ? argv[1] : "1";
	bool marks = argc > 2 && !strcmp(argv[2], "marks");
	pid_t child;
	int status;

	if (marks)
		mark("begin", 1);
	child = fork();
	if (child < 0) {
		perror("fork");
		return 1;
	}
	if (!child) {
		if (!freopen("/dev/null", "w", stdout))
			return 1;
		return measure(depth, false);
	}
	if (waitpid(child, &status, 0) != child || status)
		return 1;
	return measure(depth, marks);
}
