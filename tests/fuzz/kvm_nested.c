/*
 * A hypervisor as a guest, gone mad: H_ENTER_NESTED with any state, L2 code out of the input, trees
 * that are written over while L2 runs, invalidations and copies of any kind, memory slots that come
 * and go. No crash, no access outside the guest's memory, no hang.
 */
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

/* A vCPU of L1's at H_ENTER_NESTED, and some of its state as the input wants it. */
static void run(struct fuzz_vm *f, struct fuzz_input *in)
{
	unsigned i = fuzz_take(in, 1) & 1;
	struct ppc_vcpu *v = fuzz_vcpu(f, i);
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	unsigned n = fuzz_take(in, 1) & 15;

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
	/* L1's time is up soon, so that nothing runs for ever; most of L2's code ends earlier. */
	put64(f, HV + 88, p9_tb(r) + P9_TB_HZ / 10000);
	write_code(f, in);
	/* New code, as after icbi; its translations of addresses may be old, as the guest's are. */
	region_kill_all(v->vcpu.vm->system->regions);
	r->gpr[3] = H_ENTER_NESTED;
	r->gpr[4] = fuzz_take(in, 1) & 31 ? HV : fuzz_number(in);
	r->gpr[5] = fuzz_take(in, 1) & 31 ? PT : fuzz_number(in);
	v->pending = PPC_PENDING_NONE;
	ppc_hcall(v);
	if (!v->nested)
		return;
	/* As KVM_RUN does it, until L2 is left or a few interrupts were handled. */
	for (unsigned k = 0; k < 32 && v->nested; k++) {
		enum cpu_exit exit = cpu_run(v->vcpu.cpu);

		if (exit == CPU_EXIT_ERROR)
			abort();
		if (exit == CPU_EXIT_HYPERVISOR)
			nested_handle_exit(v);
	}
	if (v->nested)
		nested_leave(v, 0);
	v->pending = PPC_PENDING_NONE;
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
			run(&f, &in);
			break;
		}
	}
	/* A reverse map that leads nowhere is a bug of ours. */
	if (atomic_load(&fuzz_vcpu(&f, 0)->vcpu.vm->bugged))
		abort();
	return 0;
}
