/* Statistics as a table, and as JSON: see stat.h. */
#include <inttypes.h>
#include <string.h>

#include "cli/stat.h"

/* Columns of single vCPUs, beside the total: as many as lines have room for. */
#define VCPU_COLUMNS 4

static bool shown(const struct stat_sample *s, const struct stat_row *r, bool all)
{
	return all || stat_total(s, r);
}

/* The row of the same name in another sample. */
static const struct stat_row *same_row(const struct stat_sample *s, const struct stat_row *r)
{
	for (size_t i = 0; s && i < s->nrows; i++)
		if (s->row[i].of_vm == r->of_vm && !strcmp(s->row[i].name, r->name))
			return &s->row[i];
	return NULL;
}

static void show_rate(const struct stat_sample *s, const struct stat_row *r,
		      const struct stat_sample *before)
{
	const struct stat_row *old = same_row(before, r);
	uint64_t ns = before ? s->time_ns - before->time_ns : 0;
	uint64_t now = stat_total(s, r), then = old ? stat_total(before, old) : 0;

	if (!old || r->gauge || !ns || now < then)
		printf(" %12s", "");
	else
		printf(" %12.0f", (double)(now - then) * 1e9 / (double)ns);
}

static void show_row(const struct stat_sample *s, const struct stat_row *r,
		     const struct stat_sample *before)
{
	unsigned n = s->nvcpus > 1 && s->nvcpus <= VCPU_COLUMNS && !r->of_vm ? s->nvcpus : 0;

	printf("%-32s %16" PRIu64, r->name, stat_total(s, r));
	if (before)
		show_rate(s, r, before);
	for (unsigned i = 0; i < n; i++)
		printf(" %14" PRIu64, r->value[i]);
	putchar('\n');
}

void stat_show_table(const struct stat_sample *s, const struct stat_sample *before, bool all)
{
	printf("%-32s %16s", "", "total");
	if (before)
		printf(" %12s", "a second");
	for (unsigned i = 0; s->nvcpus > 1 && s->nvcpus <= VCPU_COLUMNS && i < s->nvcpus; i++) {
		char name[24];

		snprintf(name, sizeof(name), "vCPU %u", s->vcpu[i]);
		printf(" %14s", name);
	}
	putchar('\n');
	for (size_t i = 0; i < s->nrows; i++)
		if (shown(s, &s->row[i], all))
			show_row(s, &s->row[i], before);
}

void json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			fprintf(out, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

/* The rows of the machine, of one vCPU, or (UINT32_MAX) the sums over all. */
static void show_object(const struct stat_sample *s, bool of_vm, unsigned vcpu, bool all)
{
	const char *separator = "";

	putchar('{');
	for (size_t i = 0; i < s->nrows; i++) {
		const struct stat_row *r = &s->row[i];
		uint64_t v = vcpu == UINT32_MAX ? stat_total(s, r) : r->value[of_vm ? 0 : vcpu];

		if (r->of_vm != of_vm || (!v && !all))
			continue;
		printf("%s", separator);
		json_string(stdout, r->name);
		printf(":%" PRIu64, v);
		separator = ",";
	}
	putchar('}');
}

void stat_show_json(const struct stat_sample *s, pid_t pid, bool all)
{
	printf("{\"pid\":%d,\"time_ns\":%" PRIu64 ",\"vm\":", (int)pid, s->time_ns);
	show_object(s, true, 0, all);
	printf(",\"total\":");
	show_object(s, false, UINT32_MAX, all);
	printf(",\"vcpus\":[");
	for (unsigned i = 0; i < s->nvcpus; i++) {
		printf("%s{\"id\":%u,\"stats\":", i ? "," : "", s->vcpu[i]);
		show_object(s, false, i, all);
		putchar('}');
	}
	printf("]}\n");
}
