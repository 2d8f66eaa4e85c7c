/*
 * Statistics descriptors: see stat.h. Header, identifier, descriptors and data lie one behind
 * the other; only what a read asks for is made.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/internal.h"
#include "kvm/stat.h"

/* --- the values that all architectures have --- */

static const struct kvm_stat common_vm_stats[] = {
	KVM_STAT_INSTANT("regions"),
	KVM_STAT_BYTES("region_bytes"),
	KVM_STAT_BYTES("code_bytes"),
	KVM_STAT_COUNTER("regions_killed"),
	KVM_STAT_COUNTER("regions_evicted"),
	KVM_STAT_COUNTER("shootdowns"),
	KVM_STAT_COUNTER("regions_compiled"),
	KVM_STAT_COUNTER("compile_failures"),
	KVM_STAT_COUNTER("regions_copied"),
	KVM_STAT_COUNTER("regions_path"),
};

static void read_common_vm(const struct kvm_vm *vm, uint64_t *out)
{
	struct cpu_system_stats s;

	cpu_system_stats_read(vm->system, &s);
	out[0] = s.regions;
	out[1] = s.region_bytes;
	out[2] = s.code_bytes;
	out[3] = s.regions_killed;
	out[4] = s.regions_evicted;
	out[5] = s.shootdowns;
	out[6] = s.regions_compiled;
	out[7] = s.compile_failures;
	out[8] = s.regions_copied;
	out[9] = s.regions_path;
}

/* What leaves KVM_RUN, by the ABI's names. */
#define USER_EXITS(_)                                                                              \
	_(UNKNOWN) _(EXCEPTION) _(DEBUG) _(HLT) _(MMIO) _(SHUTDOWN) _(FAIL_ENTRY)                  \
	_(NMI) _(INTERNAL_ERROR) _(PAPR_HCALL) _(SYSTEM_EVENT)

#define ONE(name) +1
enum { NR_USER_EXITS = 0 USER_EXITS(ONE) };
#undef ONE

static const struct kvm_stat common_vcpu_stats[] = {
	KVM_STAT_COUNTER("runs"),
	KVM_STAT_COUNTER("signal_exits"),
	KVM_STAT_COUNTER("halts"),
	KVM_STAT_NS("halt_wait_ns"),
	{.name = "blocking", .flags = KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BOOLEAN},
#define _(name) KVM_STAT_COUNTER("user_exit_" #name),
	USER_EXITS(_)
#undef _
#define _(name) KVM_STAT_COUNTER(#name),
	CPU_COUNTERS(_)
#undef _
};

static void read_common_vcpu(const struct kvm_vcpu *v, uint64_t *out)
{
	const struct kvm_vcpu_stat *s = &v->stat;
	struct cpu_stats cpu;

	*out++ = counter_read(&s->runs);
	*out++ = counter_read(&s->signal_exits);
	*out++ = counter_read(&s->halts);
	*out++ = counter_read(&s->halt_wait_ns);
	*out++ = atomic_load(&v->blocked);
#define _(name) *out++ = counter_read(&s->user_exit[KVM_EXIT_##name]);
	USER_EXITS(_)
#undef _
	cpu_stats_read(v->cpu, &cpu);
#define _(name) *out++ = cpu.name;
	CPU_COUNTERS(_)
#undef _
}

_Static_assert(KVM_EXIT_SYSTEM_EVENT < KVM_STAT_USER_EXITS, "an exit has no counter");

/* --- a descriptor's blocks --- */

struct source {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	const struct kvm_stat *common, *arch;
	uint32_t ncommon, narch;
};

static struct source source_of(struct kvm_vm *vm, struct kvm_vcpu *vcpu)
{
	const struct kvm_arch_ops *ops = vm->arch;

	if (vcpu)
		return (struct source){vm, vcpu, common_vcpu_stats, ops->vcpu_stats->stat,
				       ARRAY_SIZE(common_vcpu_stats), ops->vcpu_stats->n};
	return (struct source){vm, NULL, common_vm_stats, ops->vm_stats->stat,
			       ARRAY_SIZE(common_vm_stats), ops->vm_stats->n};
}

static void read_values(const struct source *s, uint64_t *out)
{
	if (s->vcpu) {
		read_common_vcpu(s->vcpu, out);
		s->vm->arch->vcpu_stats_read(s->vcpu, out + s->ncommon);
	} else {
		read_common_vm(s->vm, out);
		s->vm->arch->vm_stats_read(s->vm, out + s->ncommon);
	}
}

/* A descriptor with the name that its structure ends in. */
union kvm_stats_entry {
	struct kvm_stats_desc desc;
	char bytes[sizeof(struct kvm_stats_desc) + KVM_STATS_NAME_SIZE];
};

ASSERT_SIZE(union kvm_stats_entry, 64);
_Static_assert(sizeof(struct kvm_stats_header) % 8 == 0, "blocks are aligned to 8 bytes");

static void fill_entry(const struct source *s, uint32_t i, union kvm_stats_entry *e)
{
	const struct kvm_stat *stat = i < s->ncommon ? &s->common[i] : &s->arch[i - s->ncommon];

	memset(e, 0, sizeof(*e));
	*e = (union kvm_stats_entry){
		.desc = {.flags = stat->flags,
			 .exponent = stat->exponent,
			 .size = 1,
			 .offset = 8 * i},
	};
	snprintf(e->bytes + sizeof(e->desc), KVM_STATS_NAME_SIZE, "%s", stat->name);
}

/* The read's window, and the file's piece at `at`: copies what they share. */
struct window {
	uint8_t *buf;
	uint64_t start, end;
};

static bool wanted(const struct window *w, uint64_t at, uint64_t size)
{
	return at < w->end && at + size > w->start;
}

static void put(struct window *w, uint64_t at, const void *piece, uint64_t size)
{
	uint64_t from = at > w->start ? at : w->start;
	uint64_t to = at + size < w->end ? at + size : w->end;

	if (from < to)
		memcpy(w->buf + (from - w->start), (const uint8_t *)piece + (from - at), to - from);
}

static int fill(const struct source *s, struct window *w)
{
	const uint32_t n = s->ncommon + s->narch;
	const struct kvm_stats_header header = {
		.name_size = KVM_STATS_NAME_SIZE,
		.num_desc = n,
		.id_offset = sizeof(header),
		.desc_offset = sizeof(header) + KVM_STATS_NAME_SIZE,
		.data_offset = sizeof(header) + KVM_STATS_NAME_SIZE +
			       n * (uint32_t)sizeof(union kvm_stats_entry),
	};
	char id[KVM_STATS_NAME_SIZE] = "";

	/* As the kernel names them: by the process. */
	if (s->vcpu)
		snprintf(id, sizeof(id), "kvm-%d/vcpu-%" PRIu32, (int)getpid(), s->vcpu->id);
	else
		snprintf(id, sizeof(id), "kvm-%d", (int)getpid());
	put(w, 0, &header, sizeof(header));
	put(w, header.id_offset, id, sizeof(id));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = header.desc_offset + i * sizeof(union kvm_stats_entry);
		union kvm_stats_entry e;

		if (!wanted(w, at, sizeof(e)))
			continue;
		fill_entry(s, i, &e);
		put(w, at, &e, sizeof(e));
	}
	if (wanted(w, header.data_offset, 8 * (uint64_t)n)) {
		uint64_t *values = malloc(8 * (uint64_t)n);

		if (!values)
			return -ENOMEM;
		read_values(s, values);
		put(w, header.data_offset, values, 8 * (uint64_t)n);
		free(values);
	}
	return 0;
}

int kvm_stats_open(struct kvm_vm *vm, struct kvm_vcpu *vcpu)
{
	int fd;

	kvm_vm_get(vm);
	fd = kvm_file_install(vm->kvm, KVM_FILE_STATS, vm, vcpu, NULL);
	if (fd < 0)
		kvm_vm_put(vm);
	return fd;
}

int64_t kvm_stats_pread(struct kvm_vm *vm, struct kvm_vcpu *vcpu, void *buf, size_t size,
			uint64_t offset)
{
	const struct source s = source_of(vm, vcpu);
	const uint64_t n = s.ncommon + s.narch;
	const uint64_t end = sizeof(struct kvm_stats_header) + KVM_STATS_NAME_SIZE +
			     n * (sizeof(union kvm_stats_entry) + 8);
	struct window w = {.start = offset};
	int ret;

	if (offset >= end || !size)
		return 0;
	if (size > end - offset)
		size = end - offset;
	w.end = offset + size;
	w.buf = malloc(size);
	if (!w.buf)
		return -ENOMEM;
	ret = fill(&s, &w);
	if (!ret)
		ret = kvm_copy_out(buf, w.buf, size);
	free(w.buf);
	return ret ? ret : (int64_t)size;
}
