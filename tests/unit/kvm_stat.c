/*
 * What a VM tells about itself: KVM_GET_STATS_FD's descriptors, what is counted when, reading while
 * a vCPU runs; and KVM_ANYKVM_GET_MAPPINGS.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "kvm/abi/mappings.h"
#include "kvm/powerpc/radix_tree.h"
#include "kvm_test.h"

static int64_t pread_at(struct test_vm *t, int fd, void *buf, size_t size, uint64_t offset)
{
	return be->pread(t->kvm, fd, buf, size, offset);
}

static int stats_fd(struct test_vm *t, int of)
{
	int fd = test_ioctl(t, of, KVM_GET_STATS_FD, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* A named value, read by the descriptors as a stranger would. Fails if there is none. */
static uint64_t value(struct test_vm *t, int fd, const char *name)
{
	struct kvm_stats_header h;
	union {
		struct kvm_stats_desc desc;
		char bytes[512];
	} d;
	uint64_t v;

	assert_int_equal(pread_at(t, fd, &h, sizeof(h), 0), sizeof(h));
	for (uint32_t i = 0; i < h.num_desc; i++) {
		size_t size = sizeof(d.desc) + h.name_size;

		assert_int_equal(pread_at(t, fd, &d, size, h.desc_offset + i * size), size);
		if (strcmp(d.desc.name, name))
			continue;
		assert_int_equal(pread_at(t, fd, &v, sizeof(v), h.data_offset + d.desc.offset),
				 sizeof(v));
		return v;
	}
	fail_msg("there is no value \"%s\"", name);
	return 0;
}

static void check_descriptor(struct test_vm *t, int fd, const char *id)
{
	uint8_t *all = malloc(1 << 20), *again = malloc(1 << 20);
	const struct kvm_stats_header *h = (const void *)all;
	int64_t size = pread_at(t, fd, all, 1 << 20, 0);
	size_t step;

	assert_true(size > (int64_t)sizeof(*h));
	assert_int_equal(h->flags, 0);
	assert_int_equal(h->name_size, KVM_STATS_NAME_SIZE);
	assert_true(h->num_desc > 0);
	assert_int_equal(h->id_offset % 8 + h->desc_offset % 8 + h->data_offset % 8, 0);
	assert_string_equal((char *)all + h->id_offset, id);
	step = sizeof(struct kvm_stats_desc) + h->name_size;
	assert_true(h->desc_offset + h->num_desc * step <= h->data_offset);
	assert_int_equal(size, h->data_offset + 8 * h->num_desc);
	for (uint32_t i = 0; i < h->num_desc; i++) {
		const struct kvm_stats_desc *d = (const void *)(all + h->desc_offset + i * step);

		assert_int_equal(d->size, 1);
		assert_int_equal(d->offset, 8 * i);
		assert_true(strlen(d->name) > 0 && strlen(d->name) < h->name_size - 1);
		assert_true((d->flags & KVM_STATS_TYPE_MASK) <= KVM_STATS_TYPE_INSTANT);
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(
				d->name,
				((const struct kvm_stats_desc *)(const void *)(all +
									       h->desc_offset +
									       k * step))
					->name);
	}
	/* Odd pieces make the same whole. */
	for (int64_t at = 0, n; at < size; at += n) {
		n = pread_at(t, fd, again + at, 37, (uint64_t)at);
		assert_true(n == 37 || at + n == size);
	}
	assert_memory_equal(all, again, size);
	assert_int_equal(pread_at(t, fd, all, 8, (uint64_t)size), 0);
	assert_int_equal(pread_at(t, fd, all, 8, UINT64_MAX), 0);
	assert_int_equal(pread_at(t, fd, all, 0, 0), 0);
	assert_int_equal(pread_at(t, fd, NULL, 8, 0), -EFAULT);
	assert_int_equal(pread_at(t, fd, (void *)16, 8, 0), -EFAULT);
	free(all);
	free(again);
}

static void descriptors(void **state)
{
	struct test_vm t;
	char id[64];
	int vm, vcpu;

	(void)state;
	test_vm_create(&t, 2);
	assert_int_equal(test_ioctl_n(&t, t.sys, KVM_CHECK_EXTENSION, KVM_CAP_STATS_BINARY_FD), 1);
	assert_int_equal(test_ioctl_n(&t, t.fd, KVM_GET_STATS_FD, 1), -EINVAL);
	assert_int_equal(test_ioctl_n(&t, t.vcpu[0], KVM_GET_STATS_FD, 1), -EINVAL);
	vm = stats_fd(&t, t.fd);
	vcpu = stats_fd(&t, t.vcpu[1]);
	snprintf(id, sizeof(id), "kvm-%d", (int)getpid());
	check_descriptor(&t, vm, id);
	snprintf(id, sizeof(id), "kvm-%d/vcpu-1", (int)getpid());
	check_descriptor(&t, vcpu, id);
	/* It is for reading, and nothing else is. */
	assert_int_equal(test_ioctl(&t, vcpu, KVM_RUN, NULL), -ENOTTY);
	assert_int_equal(pread_at(&t, t.vcpu[1], id, 8, 0), -EINVAL);
	assert_int_equal(pread_at(&t, 4000, id, 8, 0), -EBADF);
	/* It holds the VM. */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(be->close(t.kvm, t.vcpu[i]), 0);
	assert_int_equal(be->close(t.kvm, t.fd), 0);
	assert_int_equal(value(&t, vcpu, "runs"), 0);
	assert_int_equal(value(&t, vm, "shootdowns"), 0);
	assert_int_equal(be->close(t.kvm, vm), 0);
	assert_int_equal(be->close(t.kvm, vcpu), 0);
	assert_int_equal(pread_at(&t, vcpu, id, 8, 0), -EBADF);
	test_vm_destroy(&t);
}

static void counts(void **state)
{
	struct test_vm t;
	int fd, vm;

	(void)state;
	test_vm_create(&t, 1);
	fd = stats_fd(&t, t.vcpu[0]);
	vm = stats_fd(&t, t.fd);
	/* H_SET_DABR is served inside; H_PUT_TERM_CHAR by the caller; 0x1234 has no name. */
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(4u, 0), INSN_LI(3u, H_SET_DABR), INSN_SC1,
		  INSN_LI(3u, H_SET_DABR), INSN_SC1, INSN_LI(3u, H_PUT_TERM_CHAR), INSN_SC1,
		  INSN_LI(3u, 0x1234), INSN_SC1, 0 /* illegal */);
	/* The handler at 0x700 makes the last hypercall. */
	st_be32(t.mem + 0x700, INSN_LI(3u, H_GET_TERM_CHAR));
	st_be32(t.mem + 0x704, INSN_SC1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(test_run(&t, 0), 0);
		assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	}
	assert_int_equal(value(&t, fd, "hcall_H_SET_DABR"), 2);
	assert_int_equal(value(&t, fd, "hcall_H_PUT_TERM_CHAR"), 1);
	assert_int_equal(value(&t, fd, "hcall_H_GET_TERM_CHAR"), 1);
	assert_int_equal(value(&t, fd, "hcall_other"), 1);
	assert_int_equal(value(&t, fd, "exit_SYSCALL"), 5);
	assert_int_equal(value(&t, fd, "user_exit_PAPR_HCALL"), 3);
	/* The test's own KVM_RUN with immediate_exit is one, too. */
	assert_int_equal(value(&t, fd, "runs"), 4);
	assert_int_equal(value(&t, fd, "signal_exits"), 1);
	/* All memory is one page's fault; the illegal instruction is the hypervisor's, then the
	 * guest's. */
	assert_int_equal(value(&t, fd, "page_fault_mapped"), 1);
	assert_int_equal(value(&t, fd, "exit_H_INST_STORAGE"), 1);
	assert_int_equal(value(&t, fd, "exit_H_EMUL_ASSIST"), 1);
	assert_int_equal(value(&t, fd, "interrupt_PROGRAM"), 1);
	assert_int_equal(value(&t, fd, "exits"), 7);
	assert_int_equal(value(&t, fd, "exit_other"), 0);
	assert_int_equal(value(&t, fd, "l2_exits"), 0);
	assert_true(value(&t, fd, "tlb_misses") > value(&t, fd, "tlb_refills"));
	assert_true(value(&t, fd, "tlb_refills") > 0);
	assert_true(value(&t, fd, "regions_translated") >= 2);
	assert_int_equal(value(&t, vm, "regions"), value(&t, fd, "regions_translated"));
	/* Its code goes: so do its translations. */
	assert_int_equal(test_set_slot(&t, 0, 0, 0, 0, NULL), 0);
	assert_int_equal(value(&t, vm, "regions"), 0);
	assert_int_equal(value(&t, vm, "regions_killed"), value(&t, fd, "regions_translated"));
	assert_true(value(&t, vm, "shootdowns") > 0);
	test_vm_destroy(&t);
}

/* Problem state has no hypercalls, whatever is in GPR3. */
static void privilege(void **state)
{
	struct test_vm t;
	struct kvm_regs r;
	int fd;

	(void)state;
	test_vm_create(&t, 1);
	fd = stats_fd(&t, t.vcpu[0]);
	test_process(&t, 0);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_SC1);
	test_get_regs(&t, 0, &r);
	r.msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_PR | P9_MSR_IR | P9_MSR_DR;
	r.gpr[3] = H_CEDE;
	test_set_regs(&t, 0, &r);
	st_be32(t.mem + 0x700, INSN_LI(3u, H_GET_TERM_CHAR));
	st_be32(t.mem + 0x704, INSN_SC1);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(value(&t, fd, "exit_SYSCALL"), 2);
	assert_int_equal(value(&t, fd, "hcall_H_CEDE"), 0);
	assert_int_equal(value(&t, fd, "hcall_H_GET_TERM_CHAR"), 1);
	assert_int_equal(value(&t, fd, "interrupt_PROGRAM"), 1);
	test_vm_destroy(&t);
}

/* --- while it runs --- */

static void *run_thread(void *arg)
{
	struct test_vm *t = arg;

	return (void *)(intptr_t)test_run(t, 0);
}

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void live(void **state)
{
	uint64_t last = 0, now, start;
	struct test_vm t;
	pthread_t thread;
	void *ret;
	int fd;

	(void)state;
	test_vm_create(&t, 1);
	/* A hypercall that stays inside, for ever. */
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(4u, 0), INSN_LI(3u, H_SET_DABR), INSN_SC1, INSN_B(-8));
	assert_int_equal(pthread_create(&thread, NULL, run_thread, &t), 0);
	/* KVM_RUN does not hold it up. */
	fd = stats_fd(&t, t.vcpu[0]);
	start = value(&t, fd, "hcall_H_SET_DABR");
	for (unsigned i = 0; i < 10000 && last < start + 1000; i++) {
		now = value(&t, fd, "hcall_H_SET_DABR");
		assert_true(now >= last);
		assert_true(value(&t, fd, "exit_SYSCALL") >= now);
		last = now;
		if (i > 100)
			wait_a_little();
	}
	assert_true(last >= start + 1000);
	be->kick(t.kvm, t.vcpu[0]);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, -EINTR);
	assert_int_equal(value(&t, fd, "signal_exits"), 2);
	test_vm_destroy(&t);
}

/* Blocked in H_CEDE: it shows, and so does the time afterwards. */
static void halted(void **state)
{
	struct test_vm t;
	pthread_t thread;
	int fd;

	(void)state;
	test_vm_create(&t, 1);
	fd = stats_fd(&t, t.vcpu[0]);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, H_CEDE), INSN_SC1);
	assert_int_equal(pthread_create(&thread, NULL, run_thread, &t), 0);
	for (unsigned i = 0; i < 10000 && !value(&t, fd, "blocking"); i++)
		wait_a_little();
	assert_int_equal(value(&t, fd, "blocking"), 1);
	assert_int_equal(value(&t, fd, "hcall_H_CEDE"), 1);
	assert_int_equal(value(&t, fd, "halt_wait_ns"), 0);
	wait_a_little();
	be->kick(t.kvm, t.vcpu[0]);
	pthread_join(thread, NULL);
	assert_int_equal(value(&t, fd, "blocking"), 0);
	assert_int_equal(value(&t, fd, "halts"), 1);
	assert_true(value(&t, fd, "halt_wait_ns") >= 1000000);
	test_vm_destroy(&t);
}

/* --- page tables --- */

#define BOTH (KVM_MAPPING_READ | KVM_MAPPING_EXEC | KVM_MAPPING_REFERENCED)
#define ALL  (BOTH | KVM_MAPPING_WRITE | KVM_MAPPING_CHANGED)

/* All of a tree, `room` ranges a call; gives how many. */
static unsigned list(struct test_vm *t, uint32_t flags, uint32_t lpid, struct kvm_mapping *out,
		     unsigned max, uint32_t room)
{
	struct kvm_mappings m = {.flags = flags, .lpid = lpid};
	unsigned n = 0;

	for (unsigned calls = 0; !m.done; calls++) {
		assert_true(calls < 10000 && n + room <= max);
		m.entries = (uintptr_t)(out + n);
		m.nr = room;
		assert_int_equal(test_ioctl(t, t->fd, KVM_ANYKVM_GET_MAPPINGS, &m), 0);
		assert_true(m.nr <= room);
		n += m.nr;
	}
	return n;
}

static void check_range(const struct kvm_mapping *m, uint64_t gpa, uint64_t size, const void *host,
			unsigned shift, uint32_t flags)
{
	assert_int_equal(m->gpa, gpa);
	assert_int_equal(m->size, size);
	assert_int_equal(m->host, (uintptr_t)host);
	assert_int_equal(m->page_shift, shift);
	assert_int_equal(m->flags, flags);
}

static void map(struct test_vm *t, uint64_t gpa, bool write)
{
	assert_int_equal(radix_map(test_vm_inside(t), NULL, GPA(gpa), write), RADIX_MAPPED);
}

static void mappings(void **state)
{
	const uint64_t high = UINT64_C(1) << 45, MiB = 1 << 20;
	struct kvm_mapping m[64];
	struct kvm_mappings args = {.nr = 64, .entries = (uintptr_t)m};
	struct test_vm t;

	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(list(&t, 0, 0, m, 64, 8), 0);
	/* Three large pages, two of them neighbours. */
	map(&t, 2 * MiB, true);
	map(&t, 4 * MiB + 5, true);
	map(&t, 62 * MiB, true);
	/* The same memory, logged: 4 KiB, clean until it is stored to; and read-only far away. */
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_LOG_DIRTY_PAGES, 128 * MiB, 16 * MiB, t.mem),
			 0);
	map(&t, 128 * MiB, false);
	map(&t, 128 * MiB + 0x1000, true);
	map(&t, 128 * MiB + 0x2000, true);
	assert_int_equal(test_set_slot(&t, 2, KVM_MEM_READONLY, high, 2 * MiB, t.mem + 8 * MiB), 0);
	map(&t, high + 0x1234, false);
	for (unsigned room = 1; room <= 8; room += 7) {
		assert_int_equal(list(&t, 0, 0, m, 64, room), 5);
		check_range(&m[0], 2 * MiB, 4 * MiB, t.mem + 2 * MiB, 21, ALL);
		check_range(&m[1], 62 * MiB, 2 * MiB, t.mem + 62 * MiB, 21, ALL);
		check_range(&m[2], 128 * MiB, 0x1000, t.mem, 12, BOTH | KVM_MAPPING_WRITE);
		check_range(&m[3], 128 * MiB + 0x1000, 0x2000, t.mem + 0x1000, 12, ALL);
		check_range(&m[4], high, 2 * MiB, t.mem + 8 * MiB, 21, BOTH);
	}
	/* From an address on: a page that it lies in is the first. */
	args.start = 129 * MiB;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), 0);
	assert_int_equal(args.nr, 1);
	assert_int_equal(args.done, 1);
	check_range(&m[0], high, 2 * MiB, t.mem + 8 * MiB, 21, BOTH);
	args = (struct kvm_mappings){.nr = 1, .entries = (uintptr_t)m, .start = 63 * MiB};
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), 0);
	check_range(&m[0], 62 * MiB, 2 * MiB, t.mem + 62 * MiB, 21, ALL);

	/* What makes no sense. */
	args = (struct kvm_mappings){.nr = 4, .entries = 16};
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), -EFAULT);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, NULL), -EFAULT);
	args.flags = 2;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), -EINVAL);
	args = (struct kvm_mappings){.nr = 0, .entries = (uintptr_t)m};
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), -EINVAL);
	args = (struct kvm_mappings){.nr = 4, .entries = (uintptr_t)m, .start = UINT64_MAX};
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), 0);
	assert_int_equal(args.done, 1);
	assert_int_equal(args.nr, 0);
	args = (struct kvm_mappings){
		.nr = 4, .entries = (uintptr_t)m, .flags = KVM_MAPPINGS_NESTED};
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), -ENOENT);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_ANYKVM_GET_MAPPINGS, &args), -EINVAL);
	test_vm_destroy(&t);
}

/* --- nested guests --- */

#define PATB  UINT64_C(0x300000)
#define TREES UINT64_C(0x400000) /* root, then a table for 1 GiB pages, one for 2 MiB, for 64 KiB  \
				  */
#define HV      UINT64_C(0x20000)
#define PT      UINT64_C(0x24000)
#define L2_MEM  UINT64_C(0x1000000)
#define L2_CODE UINT64_C(0x10000)
#define LPID    5

/* L2 of LPID 5 has 64 KiB at L2_CODE, which are L1's at L2_MEM, and begins there in real mode. */
static void prepare_l2(struct test_vm *t, uint64_t access)
{
	const uint64_t dir = RADIX_VALID;
	struct kvm_regs r;

	assert_int_equal(test_enable_cap(t, t->fd, KVM_CAP_PPC_NESTED_HV, 1, 0), 0);
	st_be64(t->mem + PATB + 16 * LPID, PATB_HR | PATB_RTS_52 | TREES | ROOT_BITS);
	st_be64(t->mem + TREES, dir | (TREES + 0x10000) | 9);
	st_be64(t->mem + TREES + 0x10000, dir | (TREES + 0x11000) | 9);
	st_be64(t->mem + TREES + 0x11000, dir | (TREES + 0x12000) | 5);
	st_be64(t->mem + TREES + 0x12000 + 8 * (L2_CODE >> 16),
		RADIX_VALID | RADIX_LEAF | L2_MEM | access);
	assert_int_equal(HCALL(t, 0, H_SET_PARTITION_TABLE, PATB), H_SUCCESS);
	/* H_CEDE, which is L1's to serve */
	st_le32(t->mem + L2_MEM, INSN_LI(3u, H_CEDE));
	st_le32(t->mem + L2_MEM + 4, INSN_SC1);
	TEST_CODE(t, 0, GUEST_CODE, INSN_SC1, INSN_LI(3u, 0x54), INSN_SC1);
	memset(t->mem + HV, 0, 248);
	memset(t->mem + PT, 0, 352);
	st_le64(t->mem + HV, 2);
	st_le32(t->mem + HV + 8, LPID);
	st_le64(t->mem + HV + 16, P9_LPCR_LD);
	st_le64(t->mem + HV + 40 + 48, UINT64_MAX); /* hdec_expiry */
	st_le64(t->mem + PT + 32 * 8, L2_CODE);
	st_le64(t->mem + PT + 33 * 8, P9_MSR_SF | P9_MSR_LE);
	test_get_regs(t, 0, &r);
	r.gpr[3] = H_ENTER_NESTED;
	r.gpr[4] = HV;
	r.gpr[5] = PT;
	test_set_regs(t, 0, &r);
}

static void nested(void **state)
{
	struct kvm_mapping m[64];
	struct kvm_mappings args = {.flags = KVM_MAPPINGS_NESTED,
				    .lpid = 1,
				    .start = 0x80000,
				    .nr = 64,
				    .entries = (uintptr_t)m};
	struct test_vm t;
	int fd, vm;

	(void)state;
	test_vm_create(&t, 1);
	fd = stats_fd(&t, t.vcpu[0]);
	vm = stats_fd(&t, t.fd);
	prepare_l2(&t, RADIX_READ | RADIX_EXEC);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	assert_int_equal(t.run[0]->papr_hcall.nr, 0x54);

	assert_int_equal(value(&t, fd, "nested_entries"), 1);
	assert_int_equal(value(&t, fd, "nested_entries_refused"), 0);
	assert_int_equal(value(&t, fd, "nested_exit_SYSCALL"), 1);
	assert_int_equal(value(&t, fd, "nested_exit_again"), 0);
	assert_int_equal(value(&t, fd, "l2_exit_SYSCALL"), 1);
	assert_int_equal(value(&t, fd, "l2_exit_H_INST_STORAGE"), 1);
	assert_int_equal(value(&t, fd, "l2_exits"), 2);
	assert_int_equal(value(&t, fd, "l2_hcall_H_CEDE"), 1);
	assert_int_equal(value(&t, fd, "hcall_H_CEDE"), 0);
	assert_int_equal(value(&t, fd, "hcall_H_ENTER_NESTED"), 1);
	assert_int_equal(value(&t, fd, "shadow_fault_mapped"), 1);
	assert_int_equal(value(&t, fd, "shadow_fault_to_l1"), 0);
	assert_int_equal(value(&t, vm, "nested_guests"), 1);
	assert_true(value(&t, vm, "shadow_table_bytes") > 0);

	/* The shadow: L1's 64 KiB in pages of 4 KiB; of the next guest that there is, from its
	 * start. */
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), 0);
	assert_int_equal(args.lpid, LPID);
	assert_int_equal(args.done, 1);
	assert_int_equal(args.nr, 1);
	check_range(&m[0], L2_CODE, 0x10000, t.mem + L2_MEM, 12, BOTH);
	assert_int_equal(m[0].origin, L2_MEM);
	assert_int_equal(list(&t, KVM_MAPPINGS_NESTED, LPID, m, 64, 1), 1);
	args.lpid = LPID + 1;
	args.nr = 64;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ANYKVM_GET_MAPPINGS, &args), -ENOENT);

	/* An entry that is refused: no such LPID. */
	test_complete(&t, 0);
	prepare_l2(&t, RADIX_READ | RADIX_EXEC);
	st_le32(t.mem + HV + 8, 60000);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(value(&t, fd, "nested_entries_refused"), 1);
	assert_int_equal(value(&t, fd, "nested_entries"), 1);
	test_vm_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors), cmocka_unit_test(counts),
		cmocka_unit_test(privilege),   cmocka_unit_test(live),
		cmocka_unit_test(halted),      cmocka_unit_test(mappings),
		cmocka_unit_test(nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
