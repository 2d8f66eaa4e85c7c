/* Reports of a machine: see report.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kvm/abi/mappings.h"
#include "vmm/report.h"
#include "vmm/vm.h"

/* Of a hypervisor that may be another: more than that makes no sense. */
#define MAX_DESCRIPTORS 4096
#define MAX_NAME        256

/* Ranges of one piece. */
#define RANGES 256

/* One statistics descriptor (KVM_GET_STATS_FD), its immutable blocks read. */
struct stats {
	int fd; /* -1: the hypervisor has none */
	struct kvm_stats_header header;
	char *descs;
	uint64_t *values;
	size_t nvalues;
};

struct report_source {
	struct vm *vm;
	struct stats of_vm;
	struct stats *of_vcpu;
	int64_t opened_ns;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* --- statistics descriptors --- */

static bool read_all(struct vm *vm, int fd, void *buf, size_t size, uint64_t offset)
{
	return vm->backend->pread(vm->kvm, fd, buf, size, offset) == (int64_t)size;
}

static const struct kvm_stats_desc *desc_at(const struct stats *s, uint32_t i)
{
	return (const void *)(s->descs + i * (sizeof(struct kvm_stats_desc) + s->header.name_size));
}

/* Values behind the last that a descriptor names; 0: the descriptors make no sense. */
static size_t count_values(const struct stats *s)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->header.num_desc; i++) {
		const struct kvm_stats_desc *d = desc_at(s, i);
		size_t end = d->offset / 8 + (size_t)d->size;

		if (d->offset % 8 || end > 64 * MAX_DESCRIPTORS ||
		    !memchr(d->name, 0, s->header.name_size))
			return 0;
		if (end > n)
			n = end;
	}
	return n;
}

static void stats_close(struct vm *vm, struct stats *s)
{
	if (s->fd >= 0)
		vm->backend->close(vm->kvm, s->fd);
	free(s->descs);
	free(s->values);
	*s = (struct stats){.fd = -1};
}

/* Without statistics, s->fd stays -1. */
static void stats_open(struct vm *vm, int of, struct stats *s)
{
	size_t size;

	*s = (struct stats){.fd = -1};
	if (!vm->backend->pread)
		return;
	s->fd = device_ioctl(vm, of, KVM_GET_STATS_FD, NULL);
	if (s->fd < 0) {
		s->fd = -1;
		return;
	}
	if (!read_all(vm, s->fd, &s->header, sizeof(s->header), 0) || s->header.name_size % 8 ||
	    !s->header.name_size || s->header.name_size > MAX_NAME ||
	    s->header.num_desc > MAX_DESCRIPTORS)
		goto bad;
	size = s->header.num_desc * (sizeof(struct kvm_stats_desc) + s->header.name_size);
	s->descs = malloc(size + 1);
	if (!s->descs || !read_all(vm, s->fd, s->descs, size, s->header.desc_offset))
		goto bad;
	s->nvalues = count_values(s);
	s->values = calloc(s->nvalues + 1, sizeof(*s->values));
	if (s->nvalues && s->values)
		return;
bad:
	stats_close(vm, s);
}

struct report_source *report_open(struct vm *vm)
{
	struct report_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->vm = vm;
	s->opened_ns = now_ns();
	s->of_vcpu = calloc(vm->nr_vcpus + 1, sizeof(*s->of_vcpu));
	if (!s->of_vcpu) {
		free(s);
		return NULL;
	}
	stats_open(vm, vm->fd, &s->of_vm);
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		stats_open(vm, vm->vcpus[i].fd, &s->of_vcpu[i]);
	return s;
}

void report_close(struct report_source *s)
{
	if (!s)
		return;
	stats_close(s->vm, &s->of_vm);
	for (unsigned i = 0; i < s->vm->nr_vcpus; i++)
		stats_close(s->vm, &s->of_vcpu[i]);
	free(s->of_vcpu);
	free(s);
}

static const char *unit_of(const struct kvm_stats_desc *d)
{
	switch (d->flags & KVM_STATS_UNIT_MASK) {
	case KVM_STATS_UNIT_NONE:
		return "-";
	case KVM_STATS_UNIT_BOOLEAN:
		return "bool";
	case KVM_STATS_UNIT_BYTES:
		return d->exponent ? "other" : "bytes";
	case KVM_STATS_UNIT_SECONDS:
		return d->exponent == -9 ? "ns" : "other";
	}
	return "other";
}

/* `who` with a space behind it. Histograms are left out: each line has one value. */
static int write_stats(struct vm *vm, struct stats *s, const char *who, FILE *out, struct error *e)
{
	if (s->fd < 0)
		return error_set(e, -ENOTSUP, "the hypervisor \"%s\" keeps no statistics.",
				 vm->backend->name);
	if (!read_all(vm, s->fd, s->values, 8 * s->nvalues, s->header.data_offset))
		return error_set(e, -EIO, "the hypervisor's statistics cannot be read.");
	for (uint32_t i = 0; i < s->header.num_desc; i++) {
		const struct kvm_stats_desc *d = desc_at(s, i);
		bool gauge = (d->flags & KVM_STATS_TYPE_MASK) != KVM_STATS_TYPE_CUMULATIVE;

		if (d->size == 1)
			fprintf(out, "%s%s %s %s %" PRIu64 "\n", who, d->name,
				gauge ? "gauge" : "counter", unit_of(d), s->values[d->offset / 8]);
	}
	return 0;
}

static int stat_next(struct report_source *s, struct report *r, FILE *out, struct error *e)
{
	unsigned i = r->step - 1;
	char who[32] = "vm ";
	int ret;

	if (!r->step)
		fprintf(out, "time %" PRId64 "\n", now_ns());
	else
		snprintf(who, sizeof(who), "vcpu %u ", s->vm->vcpus[i].id);
	ret = write_stats(s->vm, r->step ? &s->of_vcpu[i] : &s->of_vm, who, out, e);
	if (ret)
		return ret;
	return r->step++ < s->vm->nr_vcpus;
}

/* --- what it is --- */

/* A value to the end of the line: with nothing in it that would be another line. */
static void write_text(FILE *out, const char *key, const char *value)
{
	fprintf(out, "info %s ", key);
	for (; *value; value++)
		fputc((unsigned char)*value < ' ' || *value == 127 ? '?' : *value, out);
	fputc('\n', out);
}

static int info_next(struct report_source *s, FILE *out)
{
	const struct vmm_config *config = s->vm->config;

	write_text(out, "machine", s->vm->machine->name);
	write_text(out, "arch", s->vm->machine->arch_name);
	write_text(out, "backend", s->vm->backend->name);
	fprintf(out, "info vcpus %u\n", s->vm->nr_vcpus);
	fprintf(out, "info memory %" PRIu64 "\n", config->memory);
	fprintf(out, "info seconds %" PRId64 "\n", (now_ns() - s->opened_ns) / 1000000000);
	write_text(out, "kernel", config->kernel ? config->kernel : "");
	return 0;
}

/* --- page tables --- */

static void write_mapping(FILE *out, const struct kvm_mapping *m)
{
	static const char letters[] = "rwxRC";
	char flags[sizeof(letters)];

	for (unsigned i = 0; i < sizeof(letters); i++)
		flags[i] = !letters[i] ? 0 : m->flags >> i & 1 ? letters[i] : '-';
	fprintf(out, "map %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIu32 " %s\n", m->gpa,
		m->size, m->host, m->origin, m->page_shift, flags);
}

static int no_such_guest(const struct report *r, struct error *e)
{
	return error_set(e, -ENOENT, "there is no nested guest of LPID %" PRIu32 ".", r->lpid);
}

/* On to the next nested guest: 1, or 0 when there can be none. */
static int next_guest(struct report *r, uint32_t lpid)
{
	r->announced = false;
	r->start = 0;
	if (!r->nested) {
		r->nested = true;
		return 1;
	}
	r->lpid = lpid + 1;
	return !r->one_guest && r->lpid;
}

static int mappings_next(struct report_source *s, struct report *r, FILE *out, struct error *e)
{
	struct kvm_mapping range[RANGES];
	struct kvm_mappings m;
	int ret;

	if (r->one_guest)
		r->nested = true;
	m = (struct kvm_mappings){
		.flags = r->nested ? KVM_MAPPINGS_NESTED : 0,
		.lpid = r->lpid,
		.start = r->start,
		.entries = (uintptr_t)range,
		.nr = RANGES,
	};
	ret = vm_ioctl(s->vm, KVM_ANYKVM_GET_MAPPINGS, &m);
	if (ret == -ENOENT)
		return r->one_guest ? no_such_guest(r, e) : 0;
	if (ret < 0)
		return error_set(e, ret,
				 "the hypervisor \"%s\" does not show its page tables (%s).",
				 s->vm->backend->name, strerror(-ret));
	if (r->nested && m.lpid != r->lpid) {
		if (r->one_guest)
			return no_such_guest(r, e);
		/* The one that was being listed has gone, or is none: another begins. */
		r->lpid = m.lpid;
		r->announced = false;
	}
	if (!r->announced && r->nested)
		fprintf(out, "tree nested %" PRIu32 "\n", r->lpid);
	else if (!r->announced)
		fprintf(out, "tree own\n");
	r->announced = true;
	for (uint32_t i = 0; i < m.nr && i < RANGES; i++)
		write_mapping(out, &range[i]);
	r->start = m.start;
	return m.done ? next_guest(r, m.lpid) : 1;
}

int report_next(struct report_source *s, struct report *r, FILE *out, struct error *e)
{
	switch (r->kind) {
	case REPORT_INFO:
		return info_next(s, out);
	case REPORT_STAT:
		return stat_next(s, r, out, e);
	case REPORT_MAPPINGS:
		return mappings_next(s, r, out, e);
	}
	return 0;
}
