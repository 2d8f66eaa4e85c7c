/*
 * What nesting costs the hypervisor, with no guest kernel in the way: see bench/nested-switch.
 *
 *   nested_switch [--guests N] [--rounds N] [--only NAME]
 *
 * L1 is a few instructions that enter an L2 again and again; L2 is `sc 1`, or touches pages that
 * its shadow tree does not have. Each line is: name, nanoseconds of the vCPU's own time, how many;
 * where the host counts instructions (perf_event_open), also NAME-instructions, of user state.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "nested_switch.h"
#include "kvm/abi/papr.h"
#include "kvm/kvm.h"
#include "mem/endian.h"

#define MAX_GUESTS 1023
#define MANY       5 /* the first LPID of those of --guests */

static const struct kvm_backend *const be = &kvm_backend_anykvm;
static struct kvm *kvm;
static int vm, vcpu;
static struct kvm_run *run;
uint8_t *mem;
static uint64_t next_table = TREES;
static const char *only;
static int counter = -1;

void die(const char *what, int err)
{
	fprintf(stderr, "nested_switch: %s (%s).\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static int ioctl_on(int fd, uint32_t request, void *arg)
{
	int ret = be->ioctl(kvm, fd, kvm_request(KVM_GUEST_PPC64, request), arg);

	if (ret < 0)
		die("the hypervisor refuses a request", ret);
	return ret;
}

static void create(void)
{
	struct kvm_enable_cap nested = {.cap = KVM_CAP_PPC_NESTED_HV, .args = {1}};
	struct kvm_enable_cap papr = {.cap = KVM_CAP_PPC_PAPR};
	struct kvm_userspace_memory_region slot = {.memory_size = MEM_SIZE};
	uint8_t *map;
	int sys, err;

	map = mmap(NULL, MEM_SIZE * 5, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		die("no memory", errno);
	mem = (uint8_t *)(((uintptr_t)map + (1 << 30) - 1) & ~(uintptr_t)((1 << 30) - 1));
	slot.userspace_addr = (uintptr_t)mem;
	sys = be->open(KVM_GUEST_PPC64, &kvm);
	if (sys < 0)
		die("no hypervisor", sys);
	vm = ioctl_on(sys, KVM_CREATE_VM, NULL);
	ioctl_on(vm, KVM_SET_USER_MEMORY_REGION, &slot);
	ioctl_on(vm, KVM_ENABLE_CAP, &nested);
	vcpu = ioctl_on(vm, KVM_CREATE_VCPU, NULL);
	run = be->map_run(kvm, vcpu, 4096, &err);
	if (!run)
		die("no kvm_run", err);
	ioctl_on(vcpu, KVM_ENABLE_CAP, &papr);
}

uint64_t new_table(uint64_t size)
{
	uint64_t at = (next_table + size - 1) & ~(size - 1);

	next_table = at + size;
	if (next_table > L2_MEM)
		die("no room for tables", ENOMEM);
	return at;
}

void make_guest(unsigned lpid, unsigned shift)
{
	static uint64_t shared[32]; /* below the root, trees of one page size are the same */
	uint64_t root = new_table(ROOT_SIZE);

	if (!shared[shift]) {
		uint64_t l1 = new_table(4096), l2 = new_table(4096);

		shared[shift] = l1;
		st_be64(mem + l1, VALID | l2 | 9);
		for (uint64_t i = 0; i < L2_SIZE >> 21; i++) {
			uint64_t at = L2_MEM + (i << 21), n = UINT64_C(1) << (21 - shift), table;

			if (shift == 21) {
				st_be64(mem + l2 + i * 8, VALID | LEAF | at | ATTR);
				continue;
			}
			table = new_table(n * 8 < 256 ? 256 : n * 8);
			st_be64(mem + l2 + i * 8, VALID | table | (21 - shift));
			for (uint64_t k = 0; k < n; k++)
				st_be64(mem + table + k * 8,
					VALID | LEAF | (at + (k << shift)) | ATTR);
		}
	}
	st_be64(mem + root, VALID | shared[shift] | 9);
	st_be64(mem + PATB + lpid * 16, PATB_DW0 | root);
	st_be64(mem + PATB + lpid * 16 + 8, VALID);
}

void put_code(uint64_t at, const uint32_t *insn, size_t n)
{
	for (size_t i = 0; i < n; i++)
		st_le32(mem + at + 4 * i, insn[i]);
}

void put_leaving_guest(uint64_t code, uint64_t touch_code)
{
	static const uint32_t leave[] = {0x44000022, 0x4bfffffc}; /* sc 1; b -4 */
	static const uint32_t touch[] = {
		0x7ca903a6, /* mtctr 5 */
		0x90a40000, /* stw 5,0(4) */
		0x7c843214, /* add 4,4,6 */
		0x4200fff8, /* bdnz -8 */
		0x44000022, /* sc 1 */
	};

	put_code(code, leave, ARRAY_SIZE(leave));
	put_code(touch_code, touch, ARRAY_SIZE(touch));
}

static void put_all_code(void)
{
	/*
	 * GPR20: how often; GPR23: added to the LPID after each, GPR24: the LPID behind the last,
	 * GPR25: the first. GPR21, GPR22: HV, PT. (sc 1 leaves them.)
	 */
	static const uint32_t l1[] = {
		0x7e8903a6, /* mtctr 20 */
		0x3860f804, /* loop: li 3,H_ENTER_NESTED */
		0x5463043e, /* clrlwi 3,3,16 */
		0x7ea4ab78, /* mr 4,21 */
		0x7ec5b378, /* mr 5,22 */
		0x44000022, /* sc 1 */
		0x7f5aba14, /* add 26,26,23 */
		0x7c3ac040, /* cmpld 26,24 */
		0x41800008, /* blt +8 */
		0x7f3acb78, /* mr 26,25 */
		0x93550008, /* stw 26,8(21) */
		0x4200ffd8, /* bdnz loop */
		0x38603ffc, /* li 3,DONE */
		0x44000022, /* sc 1 */
	};

	put_code(L1_CODE, l1, ARRAY_SIZE(l1));
	put_leaving_guest(L2_MEM + L2_CODE, L2_MEM + L2_TOUCH);
}

void flush(void)
{
	uint64_t ptcr = PATB | PATS;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_PTCR, .addr = (uintptr_t)&ptcr};

	ioctl_on(vcpu, KVM_SET_ONE_REG, &reg);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void open_counter(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	counter = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t instructions(void)
{
	uint64_t n;

	return counter >= 0 && read(counter, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

void put_state(uint64_t hv, uint64_t pt, unsigned lpid, uint64_t nip)
{
	memset(mem + hv, 0, 4096);
	memset(mem + pt, 0, 4096);
	st_le64(mem + hv, 2);
	st_le32(mem + hv + HV_LPID, lpid);
	st_le64(mem + hv + HV_AMOR, UINT64_MAX);
	st_le64(mem + hv + HV_HFSCR, UINT64_MAX >> 8);
	st_le64(mem + hv + HV_HDEC, UINT64_MAX);
	st_le64(mem + hv + HV_LPCR, LPCR_LD);
	st_le64(mem + pt + PT_NIP_OFF, nip);
	st_le64(mem + pt + PT_MSR_OFF, MSR_SF | 1);
}

void run_l1(struct kvm_regs *regs, struct cost *cost)
{
	uint64_t instructions_before;
	double start;
	int ret;

	ioctl_on(vcpu, KVM_SET_REGS, regs);
	instructions_before = instructions();
	start = seconds();
	ret = be->ioctl(kvm, vcpu, kvm_request(KVM_GUEST_PPC64, KVM_RUN), NULL);
	if (ret < 0)
		die("KVM_RUN failed", ret);
	if (run->exit_reason != KVM_EXIT_PAPR_HCALL || run->papr_hcall.nr != DONE)
		die("L1 did not come to its end", EIO);
	if (cost) {
		cost->seconds += seconds() - start;
		cost->instructions += instructions() - instructions_before;
	}
	/* Take over the hypercall's result. */
	run->immediate_exit = 1;
	be->ioctl(kvm, vcpu, kvm_request(KVM_GUEST_PPC64, KVM_RUN), NULL);
	run->immediate_exit = 0;
}

/* Enter LPIDs first..last - 1 in turn, `times` altogether; L2 begins at `nip`. Added to *cost. */
static void enter(uint64_t times, unsigned first, unsigned last, uint64_t nip, uint64_t pages,
		  uint64_t step, struct cost *cost)
{
	struct kvm_regs regs = {.pc = L1_CODE, .msr = MSR_SF | 1};

	put_state(HV, PT, first, nip);
	st_le64(mem + PT + 4 * 8, TOUCH_FROM);
	st_le64(mem + PT + 5 * 8, pages);
	st_le64(mem + PT + 6 * 8, step);
	regs.gpr[20] = times;
	regs.gpr[21] = HV;
	regs.gpr[22] = PT;
	regs.gpr[23] = 1;
	regs.gpr[24] = last;
	regs.gpr[25] = first;
	regs.gpr[26] = first;
	run_l1(&regs, cost);
}

static uint64_t resident(void)
{
	unsigned long total, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%lu %lu", &total, &rss) != 2)
		rss = 0;
	if (f)
		fclose(f);
	return (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE);
}

void report(const char *name, const struct cost *cost, uint64_t n)
{
	printf("%s %.1f %llu\n", name, cost->seconds * 1e9 / (double)n, (unsigned long long)n);
	if (cost->instructions)
		printf("%s-instructions %llu %llu\n", name,
		       (unsigned long long)(cost->instructions / n), (unsigned long long)n);
	fflush(stdout);
}

bool wanted(const char *name)
{
	return !only || !strcmp(only, name);
}

/*
 * Pages of 4 KiB, or of `step`, each touched once: with all in the shadow tree, and with nothing
 * there.
 */
static void bench_faults(const char *size, unsigned lpid, uint64_t step, unsigned rounds)
{
	uint64_t pages = (L2_SIZE - TOUCH_FROM) / step;
	struct cost there = {0}, faults = {0};
	char touch[64], fault[64];

	snprintf(touch, sizeof(touch), "touch-%s", size);
	snprintf(fault, sizeof(fault), "touch-%s-not-in-shadow", size);
	if (!wanted(touch) && !wanted(fault))
		return;
	enter(1, lpid, lpid + 1, L2_TOUCH, pages, step, NULL);
	for (unsigned i = 0; i < rounds; i++) {
		if (wanted(touch))
			enter(1, lpid, lpid + 1, L2_TOUCH, pages, step, &there);
		if (wanted(fault)) {
			flush();
			enter(1, lpid, lpid + 1, L2_TOUCH, pages, step, &faults);
		}
	}
	if (wanted(touch))
		report(touch, &there, pages * rounds);
	if (wanted(fault))
		report(fault, &faults, pages * rounds);
}

static void bench_switch(const char *name, uint64_t times, unsigned first, unsigned last)
{
	struct cost cost = {0};

	enter(times, first, last, L2_CODE, 0, 0, &cost);
	report(name, &cost, times);
}

static void bench_guests(unsigned guests, uint64_t times)
{
	uint64_t before, after;
	char name[64];

	/* L1's own tables are memory, too: made, and touched, before. */
	for (unsigned i = MANY; i < guests + MANY && i < 1024; i++)
		make_guest(i, 21);
	flush();
	enter(8, MANY, MANY + 1, L2_CODE, 0, 0, NULL);
	before = resident();
	enter(guests, MANY, guests + MANY, L2_CODE, 0, 0, NULL);
	after = resident();
	printf("idle-guest-bytes %.0f %u\n", (double)(after - before) / (guests - 1), guests);
	snprintf(name, sizeof(name), "switch-%u-guests-there", guests);
	bench_switch(name, times, MANY, MANY + 1);
	snprintf(name, sizeof(name), "switch-among-%u-guests", guests);
	bench_switch(name, times, MANY, guests + MANY);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"guests", required_argument, NULL, 'g'},
		{"rounds", required_argument, NULL, 'r'},
		{"only", required_argument, NULL, 'o'},
		{0},
	};
	unsigned guests = 1000, rounds = 10;
	uint64_t times;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'g')
			guests = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			only = optarg;
		else
			return 2;
	}
	if (guests < 2 || guests > MAX_GUESTS - 4 || !rounds)
		die("--guests takes 2 to 1019, --rounds 1 and more", EINVAL);
	times = (uint64_t)rounds * 20000;
	create();
	put_all_code();
	make_guest(1, 12);
	make_guest(2, 16);
	make_guest(3, 21);
	flush();
	open_counter();
	enter(1000, 3, 4, L2_CODE, 0, 0, NULL);
	if (wanted("switch"))
		bench_switch("switch", times, 3, 4);
	bench_faults("4K", 1, 4096, rounds);
	bench_faults("64K", 2, 65536, rounds * 10);
	bench_faults("2M", 3, 2 * MIB, rounds * 50);
	bench_two(3, 4, rounds);
	if (!only)
		bench_guests(guests, times);
	be->destroy(kvm);
	return 0;
}
