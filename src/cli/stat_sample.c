/* Asking machines, and their statistics in memory: see stat.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/stat.h"
#include "vmm/control.h"

/* More makes no sense, whoever answers. */
#define MAX_ROWS  8192
#define MAX_VCPUS 1024

static int ask_lines(FILE *in, void (*line)(char *line, void *arg), void *arg, pid_t pid)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t n;
	bool greeted = false;
	int ret = -1;

	while ((n = getline(&text, &room, in)) > 0) {
		if (text[n - 1] == '\n')
			text[n - 1] = 0;
		if (!strcmp(text, "end") && greeted) {
			ret = 0;
			break;
		}
		if (!strncmp(text, "error ", 6)) {
			complain("%s", text + 6);
			free(text);
			return -1;
		}
		if (greeted) {
			line(text, arg);
		} else if (!strcmp(text, CONTROL_GREETING)) {
			greeted = true;
		} else {
			complain("the virtual machine of process %d speaks another version of the "
				 "protocol; use the anykvm that runs it.",
				 (int)pid);
			free(text);
			return -1;
		}
	}
	free(text);
	if (ret)
		complain("the virtual machine of process %d broke off its answer.", (int)pid);
	return ret;
}

int stat_ask(pid_t pid, const char *request, void (*line)(char *line, void *arg), void *arg,
	     bool quiet)
{
	struct error e;
	FILE *in;
	int fd, ret;

	fd = control_request(pid, request, &e);
	if (fd < 0) {
		if (!quiet || fd != -ENOENT)
			complain("%s", e.text);
		return fd == -ENOENT ? 1 : -1;
	}
	in = fdopen(fd, "r");
	if (!in) {
		close(fd);
		complain("the host has no memory.");
		return -1;
	}
	ret = ask_lines(in, line, arg, pid);
	fclose(in);
	return ret;
}

/* --- samples --- */

static struct stat_row *find_row(struct stat_sample *s, const char *name, bool of_vm, size_t hint)
{
	/* Each vCPU's come in the same order. */
	if (hint < s->nrows && s->row[hint].of_vm == of_vm && !strcmp(s->row[hint].name, name))
		return &s->row[hint];
	for (size_t i = 0; i < s->nrows; i++)
		if (s->row[i].of_vm == of_vm && !strcmp(s->row[i].name, name))
			return &s->row[i];
	return NULL;
}

static struct stat_row *add_row(struct stat_sample *s, const char *name, bool of_vm,
				const char *kind, const char *unit)
{
	struct stat_row *r;

	if (s->nrows == MAX_ROWS)
		return NULL;
	if (!(s->nrows & (s->nrows - 1))) {
		r = realloc(s->row, (s->nrows ? 2 * s->nrows : 1) * sizeof(*r));
		if (!r)
			return NULL;
		s->row = r;
	}
	r = &s->row[s->nrows];
	*r = (struct stat_row){.of_vm = of_vm, .gauge = !strcmp(kind, "gauge")};
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->unit, sizeof(r->unit), "%s", unit);
	s->nrows++;
	return r;
}

struct reading {
	struct stat_sample *s;
	size_t next; /* row that is likely to be named next */
};

/* The index of a vCPU; UINT_MAX when there is no memory. */
static unsigned vcpu_index(struct stat_sample *s, unsigned id)
{
	unsigned *more;

	for (unsigned i = s->nvcpus; i-- > 0;)
		if (s->vcpu[i] == id)
			return i;
	if (s->nvcpus == MAX_VCPUS)
		return UINT32_MAX;
	more = realloc(s->vcpu, (s->nvcpus + 1) * sizeof(*more));
	if (!more)
		return UINT32_MAX;
	s->vcpu = more;
	s->vcpu[s->nvcpus] = id;
	return s->nvcpus++;
}

static bool set_value(struct reading *rd, const char *name, const char *kind, const char *unit,
		      unsigned index, bool of_vm, uint64_t value)
{
	struct stat_sample *s = rd->s;
	struct stat_row *r = find_row(s, name, of_vm, rd->next);

	if (!r)
		r = add_row(s, name, of_vm, kind, unit);
	if (!r)
		return false;
	rd->next = (size_t)(r - s->row) + 1;
	if (!r->value)
		r->value = calloc(of_vm ? 1 : MAX_VCPUS, sizeof(*r->value));
	if (!r->value)
		return false;
	r->value[index] = value;
	return true;
}

static void read_line(char *line, void *arg)
{
	struct reading *rd = arg;
	struct stat_sample *s = rd->s;
	char name[64], kind[8], unit[8];
	uint64_t value;
	unsigned id, index;

	if (s->failed || sscanf(line, "time %" SCNu64, &s->time_ns) == 1)
		return;
	if (sscanf(line, "vm %63s %7s %7s %" SCNu64, name, kind, unit, &value) == 4) {
		s->failed = !set_value(rd, name, kind, unit, 0, true, value);
	} else if (sscanf(line, "vcpu %u %63s %7s %7s %" SCNu64, &id, name, kind, unit, &value) ==
		   5) {
		index = vcpu_index(s, id);
		s->failed = index == UINT32_MAX ||
			    !set_value(rd, name, kind, unit, index, false, value);
	}
}

int stat_read(pid_t pid, struct stat_sample *s, bool quiet)
{
	struct reading rd = {.s = s};
	int ret;

	*s = (struct stat_sample){0};
	ret = stat_ask(pid, "stat", read_line, &rd, quiet);
	if (!ret && s->failed) {
		complain("the answer of process %d cannot be understood, or memory is out.",
			 (int)pid);
		ret = -1;
	}
	if (ret)
		stat_free(s);
	return ret;
}

void stat_free(struct stat_sample *s)
{
	for (size_t i = 0; i < s->nrows; i++)
		free(s->row[i].value);
	free(s->row);
	free(s->vcpu);
	*s = (struct stat_sample){0};
}

uint64_t stat_total(const struct stat_sample *s, const struct stat_row *r)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < (r->of_vm ? 1 : s->nvcpus); i++)
		sum += r->value[i];
	return sum;
}
