/*
 * A hypervisor as a guest, gone mad: H_ENTER_NESTED with any state, L2 code out of the input, trees
 * that are written over while L2 runs, invalidations and copies of any kind, memory slots that come
 * and go. No crash, no access outside the guest's memory, no hang.
 *
 * Some inputs race: while one vCPU enters L2 again and again, another thread (struct racer) writes
 * all that the hypervisor reads of L1's memory, makes hypercalls on, and enters L2 with, the other
 * vCPU, and takes the memory slot away, the memory inaccessible meanwhile. What it does follows
 * from the input; when, does not, so a finding may take several tries to show again (-runs=1000).
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "cpu/core.h"
#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"
#include "kvm_fuzz.h"
#include "power9_words.h"

#define MAX_STEPS 24

/* Where things lie in L1's memory. */
#define PATB   UINT64_C(0x10000)
#define ROOT   UINT64_C(0x20000) /* 64 KiB */
#define LEVEL2 UINT64_C(0x30000)
#define LEVEL3 UINT64_C(0x31000)
#define HV     UINT64_C(0x40000)
#define PT     UINT64_C(0x41000)
#define CODE   UINT64_C(0x50000)
#define LPIDS  4

static void put64(struct fuzz_vm *f, uint64_t at, uint64_t v)
{
	v = htobe64(v);
	memcpy(f->mem + at, &v, sizeof(v));
}

/* A partition table whose guests all have L1's own memory at their address 0, in 4 KiB pages. */
static void make_tables(struct fuzz_vm *f)
{
	for (uint64_t i = 0; i < LPIDS; i++) {
		put64(f, PATB + 16 * i, PATB_HR | PATB_RTS_52 | ROOT | ROOT_BITS);
		put64(f, PATB + 16 * i + 8, BIT64(63) | UINT64_C(0x60000));
	}
	put64(f, ROOT, RADIX_VALID | LEVEL2 | 9);
	put64(f, LEVEL2, RADIX_VALID | LEVEL3 | 9);
	put64(f, LEVEL3, RADIX_VALID | UINT64_C(0x32000) | 9);
	put64(f, LEVEL3 + 8, RADIX_VALID | RADIX_LEAF | RADIX_READ | RADIX_WRITE);
	for (uint64_t i = 0; i < 512; i++)
		put64(f, 0x32000 + 8 * i, RADIX_VALID | RADIX_LEAF | i << 12 | 7);
}

/* L2's code, in front of words that are no instructions: it ends by itself, mostly. */
static void write_code(struct fuzz_vm *f, struct fuzz_input *in)
{
	uint8_t how = (uint8_t)fuzz_take(in, 1);
	size_t bytes = (size_t)(how & 15) * FUZZ_ROW_BYTES;

	if (bytes > in->size)
		bytes = in->size;
	memset(f->mem + CODE, 0, 64);
	fuzz_code(f->mem + CODE, 16, in->data, bytes, how & 16, !(how & 32));
	in->data += bytes;
	in->size -= bytes;
}

#define HDEC_TICKS (P9_TB_HZ / 10000)

/* As KVM_RUN does it, until L2 is left or a few interrupts were handled. */
static void enter(struct ppc_vcpu *v, uint64_t hv, uint64_t pt)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);

	r->gpr[3] = H_ENTER_NESTED;
	r->gpr[4] = hv;
	r->gpr[5] = pt;
	v->pending = PPC_PENDING_NONE;
	ppc_hcall(v);
	/* Whatever L1 said, its time is up soon, so that nothing runs for ever. */
	if (v->nested && (int64_t)p9_hdec_get(r) > (int64_t)HDEC_TICKS)
		p9_hdec_set(v->vcpu.cpu, HDEC_TICKS);
	for (unsigned k = 0; k < 32 && v->nested; k++) {
		enum cpu_exit exit;

		if (kvm_check_request(&v->vcpu, PPC_REQ_MMU))
			nested_load_partition(v);
		exit = cpu_run(v->vcpu.cpu);
		if (exit == CPU_EXIT_ERROR)
			abort();
		if (exit == CPU_EXIT_HYPERVISOR)
			nested_handle_exit(v);
	}
	if (v->nested)
		nested_leave(v, 0);
	v->pending = PPC_PENDING_NONE;
}

/* --- another processor of L1's, and the VMM --- */

/* What the racer's vCPU enters L2 with. */
#define RACER_HV UINT64_C(0x42000)
#define RACER_PT UINT64_C(0x43000)

static struct racer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct fuzz_vm *f; /* what to do; NULL: nothing */
	unsigned vcpu, ops;
	uint64_t seed;
	_Atomic bool done;
} racer = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

static uint64_t racer_number(void)
{
	racer.seed ^= racer.seed << 13;
	racer.seed ^= racer.seed >> 7;
	racer.seed ^= racer.seed << 17;
	return racer.seed;
}

/* A doubleword that another vCPU may be reading. */
static void race64(struct fuzz_vm *f, uint64_t at, uint64_t v)
{
	__atomic_store_n((uint64_t *)(void *)(f->mem + at), htobe64(v), __ATOMIC_RELAXED);
}

static void racer_write(struct fuzz_vm *f)
{
	static const uint64_t tables[] = {PATB, ROOT, LEVEL2, LEVEL3, 0x32000, 0x32000};
	uint64_t r = racer_number(), v = racer_number();
	uint64_t entry = (v >> 62 | 2) << 62 | (v & 0x1ff000) | (r >> 48 & 7);
	uint64_t level = RADIX_VALID | (r & 256 ? LEVEL3 : UINT64_C(0x32000)) | 9;
	unsigned which = r >> 8 & 7;

	switch (r % 8) {
	case 0: /* the guest states, of either vCPU; the version, above all */
		race64(f, (r & 256 ? HV : RACER_HV) + (r >> 16 & 3 ? 8 * (r >> 24 & 31) : 0),
		       r >> 32 & 3 ? r >> 40 & 7 : v);
		break;
	case 1:
		race64(f, (r & 256 ? PT : RACER_PT) + 8 * (r >> 16 & 63) % 39, v);
		break;
	case 2:
		race64(f, CODE + 8 * (r >> 16 & 7), v);
		break;
	case 3:
		race64(f, tables[which % 4] + 8 * (r >> 16 & 7), r >> 32 & 1 ? level : v);
		break;
	default:
		race64(f, tables[which % 6] + 8 * (r >> 16 & 511), entry);
		break;
	}
}

static void racer_hcall(struct fuzz_vm *f, struct ppc_vcpu *v)
{
	uint64_t r = racer_number(), gpa = racer_number() & 0x1ff000;
	uint64_t *gpr = p9_regs(v->vcpu.cpu)->gpr;

	gpr[5] = r >> 16 & 7;
	switch (r % 4) {
	case 0:
		gpr[3] = H_SET_PARTITION_TABLE;
		gpr[4] = r >> 8 & 7 ? PATB : 0;
		break;
	case 1:
		gpr[3] = H_COPY_TOFROM_GUEST;
		gpr[4] = r >> 16 & 7;
		gpr[5] = 0;
		gpr[6] = gpa;
		gpr[7] = r & 256 ? UINT64_C(0x80000) : 0;
		gpr[8] = r & 256 ? 0 : UINT64_C(0x80000);
		gpr[9] = r >> 32 & 0x3fff;
		break;
	case 2:
		gpr[3] = H_RPT_INVALIDATE;
		gpr[4] = r >> 16 & 7;
		gpr[5] = H_RPTI_TARGET_CMMU;
		gpr[6] = H_RPTI_TYPE_NESTED | (r & 256 ? H_RPTI_TYPE_PRT : H_RPTI_TYPE_TLB);
		gpr[7] = H_RPTI_PAGE_ALL;
		gpr[8] = gpa;
		gpr[9] = gpa + (r >> 32 & 0x1ffff);
		break;
	default: /* R, any RIC, IS and page size */
		gpr[3] = H_TLB_INVALIDATE;
		gpr[4] = 1 << 16 | (r >> 24 & 3) << 18;
		gpr[6] = gpa | (r >> 32 & 3) << 10 | (r >> 40 & 7) << 5;
		break;
	}
	ppc_hcall(v);
	v->pending = PPC_PENDING_NONE;
	(void)f;
}

/* The VMM takes the memory away, and brings it back: for good, logged, or once logged. */
static void racer_slot(struct fuzz_vm *f)
{
	struct kvm_userspace_memory_region r = {.userspace_addr = (uintptr_t)f->mem};
	uint64_t bitmap[FUZZ_MEM / 4096 / 64], how = racer_number();
	struct kvm_dirty_log log = {.dirty_bitmap = (uintptr_t)bitmap};

	if (how & 1) {
		fuzz_ioctl(f, f->vm, KVM_GET_DIRTY_LOG, &log);
		return;
	}
	fuzz_ioctl(f, f->vm, KVM_SET_USER_MEMORY_REGION, &r);
	if (how >> 8 & 1) {
		/* Nobody reads what is no longer a slot's. */
		fuzz_must(!mprotect(f->mem, FUZZ_MEM, PROT_NONE));
		sched_yield();
		fuzz_must(!mprotect(f->mem, FUZZ_MEM, PROT_READ | PROT_WRITE));
	}
	r.memory_size = FUZZ_MEM;
	r.flags = how >> 16 & 1;
	fuzz_ioctl(f, f->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void race(struct fuzz_vm *f)
{
	struct ppc_vcpu *v = fuzz_vcpu(f, racer.vcpu);

	for (unsigned i = 0; i < racer.ops; i++) {
		uint64_t r = racer_number();

		switch (r >> 16 & 15) {
		case 0:
		case 1:
			racer_hcall(f, v);
			break;
		case 2:
			racer_slot(f);
			break;
		case 3:
			race64(f, RACER_HV, 2);
			race64(f, RACER_HV + 8, (r >> 24) % LPIDS << 32 | (r >> 32 & 3));
			race64(f, RACER_HV + 48, UINT64_MAX >> 8);
			race64(f, RACER_HV + 88, UINT64_MAX);
			race64(f, RACER_PT + 32 * 8, CODE);
			race64(f, RACER_PT + 33 * 8, P9_MSR_SF);
			enter(v, RACER_HV, RACER_PT);
			break;
		default:
			racer_write(f);
			break;
		}
	}
}

static void *racer_thread(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&racer.lock);
	for (;;) {
		while (!racer.f)
			pthread_cond_wait(&racer.cond, &racer.lock);
		race(racer.f);
		racer.f = NULL;
		atomic_store(&racer.done, true);
	}
	return NULL;
}

/* Have the racer act on what follows from `seed`, with vCPU i. */
static void racer_start(struct fuzz_vm *f, unsigned i, uint64_t seed)
{
	pthread_mutex_lock(&racer.lock);
	if (!racer.thread)
		fuzz_must(!pthread_create(&racer.thread, NULL, racer_thread, NULL));
	racer.f = f;
	racer.vcpu = i;
	racer.ops = 8 + (seed & 31);
	racer.seed = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	atomic_store(&racer.done, false);
	pthread_cond_signal(&racer.cond);
	pthread_mutex_unlock(&racer.lock);
}

/* Enter until the racer has done its work. */
static void enter_racing(struct fuzz_vm *f, unsigned i, uint64_t seed, uint64_t hv, uint64_t pt)
{
	struct ppc_vcpu *v = fuzz_vcpu(f, i);

	racer_start(f, !i, seed);
	while (!atomic_load(&racer.done)) {
		enter(v, hv, pt);
		/* On a busy host, the other thread may need this processor. */
		sched_yield();
	}
}

/* A vCPU of L1's at H_ENTER_NESTED, and some of its state as the input wants it. */
static void run(struct fuzz_vm *f, struct fuzz_input *in, bool *raced)
{
	unsigned how = (unsigned)fuzz_take(in, 1), i = how & 1;
	struct ppc_vcpu *v = fuzz_vcpu(f, i);
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	unsigned n = fuzz_take(in, 1) & 15;
	uint64_t hv, pt;

	memset(f->mem + HV, 0, 248);
	memset(f->mem + PT, 0, 352);
	put64(f, HV, 2);
	put64(f, HV + 8, (fuzz_take(in, 1) % LPIDS) << 32 | (fuzz_take(in, 1) & 3));
	put64(f, HV + 32, UINT64_MAX);
	put64(f, HV + 48, UINT64_MAX >> 8);
	put64(f, PT + 32 * 8, CODE);
	put64(f, PT + 33 * 8, P9_MSR_SF);
	for (unsigned k = 0; k < n; k++) {
		uint64_t at = fuzz_take(in, 1);

		if (at == 11)
			continue; /* not its time */
		put64(f, at & 1 ? HV + (at >> 1) % 31 * 8 : PT + (at >> 1) % 39 * 8,
		      fuzz_number(in));
	}
	put64(f, HV + 88, p9_tb(r) + HDEC_TICKS);
	write_code(f, in);
	/* New code, as after icbi; its translations of addresses may be old, as the guest's are. */
	region_kill_all(v->vcpu.vm->system->regions);
	hv = fuzz_take(in, 1) & 31 ? HV : fuzz_number(in);
	pt = fuzz_take(in, 1) & 31 ? PT : fuzz_number(in);
	/* Once an input at most: it takes as long as a hundred others. */
	if ((how & 0xf8) == 0xf8 && !*raced) {
		*raced = true;
		enter_racing(f, i, fuzz_take(in, 4), hv, pt);
	} else {
		enter(v, hv, pt);
	}
}

static void hcall(struct fuzz_vm *f, struct fuzz_input *in)
{
	static const uint64_t numbers[] = {H_SET_PARTITION_TABLE, H_TLB_INVALIDATE,
					   H_COPY_TOFROM_GUEST, H_RPT_INVALIDATE};
	struct ppc_vcpu *v = fuzz_vcpu(f, fuzz_take(in, 1) & 1);
	uint64_t *gpr = p9_regs(v->vcpu.cpu)->gpr;

	gpr[3] = numbers[fuzz_take(in, 1) & 3];
	for (unsigned i = 4; i <= 9; i++)
		gpr[i] = fuzz_number(in);
	if (gpr[3] == H_TLB_INVALIDATE) {
		gpr[4] = fuzz_take(in, 1) << 16;
		gpr[5] %= LPIDS + 1;
	}
	if (gpr[3] == H_RPT_INVALIDATE)
		gpr[6] |= H_RPTI_TYPE_NESTED;
	ppc_hcall(v);
	v->pending = PPC_PENDING_NONE;
}

/* A page fault by itself, of any address. */
static void fault(struct fuzz_vm *f, struct fuzz_input *in)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(fuzz_vcpu(f, 0));
	uint64_t lpid = fuzz_take(in, 1) % LPIDS, gpa = fuzz_number(in);
	enum nested_need need = (enum nested_need)(1u << fuzz_take(in, 1) % 3);
	struct nested_translation t;
	struct nested_guest *g;
	long error;

	nested_lock(vm);
	g = nested_get(vm, lpid, true, &error);
	if (g) {
		shadow_map(vm, NULL, g, gpa, need, &t);
		nested_put(vm, NULL, g);
	}
	nested_unlock(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void prepare(struct fuzz_vm *f)
{
	struct kvm_enable_cap nested = {.cap = KVM_CAP_PPC_NESTED_HV, .args = {1}};
	struct kvm_enable_cap rpt = {.cap = KVM_CAP_PPC_ENABLE_HCALL,
				     .args = {H_RPT_INVALIDATE, 1}};

	fuzz_must(!fuzz_ioctl(f, f->vm, KVM_ENABLE_CAP, &nested) &&
		  !fuzz_ioctl(f, f->vm, KVM_ENABLE_CAP, &rpt));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_vm f;
	struct fuzz_input in = {data, size};
	bool raced = false;
	uint64_t *gpr;

	fuzz_vm_begin(&f, prepare);
	make_tables(&f);
	gpr = p9_regs(fuzz_vcpu(&f, 0)->vcpu.cpu)->gpr;
	gpr[3] = H_SET_PARTITION_TABLE;
	gpr[4] = PATB;
	ppc_hcall(fuzz_vcpu(&f, 0));
	for (unsigned step = 0; in.size && step < MAX_STEPS; step++) {
		switch (fuzz_take(&in, 1) % 8) {
		case 0: { /* L1 writes its memory: tables, mostly */
			uint64_t at = PATB + fuzz_take(&in, 3) % 0x23000;
			uint64_t value = fuzz_number(&in);

			put64(&f, at & ~UINT64_C(7), value);
			break;
		}
		case 1: { /* an entry that is likely to be walked */
			static const uint64_t at[] = {PATB, ROOT, LEVEL2, LEVEL3, 0x32000};
			uint64_t where = at[fuzz_take(&in, 1) % 5] + 8 * (fuzz_take(&in, 1) & 255);
			uint64_t page = fuzz_take(&in, 2) << 12, attr = fuzz_take(&in, 2) & 0xfff;

			put64(&f, where, (fuzz_take(&in, 1) & 3) << 62 | page | attr);
			break;
		}
		case 2: { /* memory goes, comes, is logged */
			uint64_t flags = fuzz_take(&in, 1);
			struct kvm_userspace_memory_region r = {
				.userspace_addr = (uintptr_t)f.mem,
				.memory_size = flags & 4   ? FUZZ_MEM
					       : flags & 8 ? 0x80000
							   : 0,
				.flags = flags & 3,
			};

			fuzz_ioctl(&f, f.vm, KVM_SET_USER_MEMORY_REGION, &r);
			break;
		}
		case 3: {
			uint64_t bitmap[FUZZ_MEM / 4096 / 64];
			struct kvm_dirty_log log = {.dirty_bitmap = (uintptr_t)bitmap};

			fuzz_ioctl(&f, f.vm, KVM_GET_DIRTY_LOG, &log);
			break;
		}
		case 4:
			hcall(&f, &in);
			break;
		case 5:
			fault(&f, &in);
			break;
		default:
			run(&f, &in, &raced);
			break;
		}
	}
	/* A reverse map that leads nowhere is a bug of ours. */
	if (atomic_load(&fuzz_vcpu(&f, 0)->vcpu.vm->bugged))
		abort();
	return 0;
}
