/* The perf map and the dump: see trace.h. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jit/trace.h"

struct jit_trace {
	FILE *perf_map, *dump;
	pthread_mutex_t lock;
	int error; /* errno of the first write that failed */
};

/* A stream on a copy of fd; NULL with *ok true for none. */
static FILE *open_copy(int fd, bool *ok)
{
	int copy;
	FILE *f;

	*ok = true;
	if (!fd)
		return NULL;
	copy = dup(fd);
	f = copy < 0 ? NULL : fdopen(copy, "a");
	*ok = f;
	if (!f && copy >= 0)
		close(copy);
	return f;
}

struct jit_trace *jit_trace_create(int perf_map_fd, int dump_fd)
{
	struct jit_trace *t = calloc(1, sizeof(*t));
	bool map_ok, dump_ok;

	if (!t)
		return NULL;
	t->perf_map = open_copy(perf_map_fd, &map_ok);
	t->dump = open_copy(dump_fd, &dump_ok);
	if (map_ok && dump_ok) {
		pthread_mutex_init(&t->lock, NULL);
		return t;
	}
	if (t->perf_map)
		fclose(t->perf_map);
	if (t->dump)
		fclose(t->dump);
	free(t);
	return NULL;
}

void jit_trace_destroy(struct jit_trace *t)
{
	if (!t)
		return;
	if (t->perf_map && fclose(t->perf_map) && !t->error)
		t->error = errno;
	if (t->dump && fclose(t->dump) && !t->error)
		t->error = errno;
	if (t->error)
		fprintf(stderr, "jit: the perf map or the dump is not complete (%s).\n",
			strerror(t->error));
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void dump_region(FILE *out, const struct jit_trace_region *r)
{
	const struct jit_code *c = r->code;

	fprintf(out, "region 0x%016" PRIx64 " %s: %" PRIu32 " bytes of host code at %p\nguest:\n", r->pc,
		r->state, c->size, c->entry);
	r->guest(out, r->arg);
	fprintf(out, "ir:\n");
	if (r->ir)
		ir_print(r->ir, out);
	else
		fprintf(out, "  copied from another with the same guest code\n");
	fprintf(out, "host:\n");
	jit_print_host(out, c->entry, c->size, (uintptr_t)c->entry);
	fprintf(out, "rarely run: %" PRIu32 " bytes of host code at %p\n", c->cold_size, jit_code_cold(c));
	jit_print_host(out, jit_code_cold(c), c->cold_size, (uintptr_t)jit_code_cold(c));
	fputc('\n', out);
}

/* All of it now: what comes last is what matters after a crash. */
static void finish(struct jit_trace *t, FILE *f)
{
	if ((fflush(f) || ferror(f)) && !t->error)
		t->error = errno ? errno : EIO;
	clearerr(f);
}

void jit_trace_add(struct jit_trace *t, const struct jit_trace_region *r)
{
	pthread_mutex_lock(&t->lock);
	if (t->perf_map) {
		fprintf(t->perf_map, "%" PRIxPTR " %" PRIx32 " guest-%s:0x%016" PRIx64 "\n",
			(uintptr_t)r->code->entry, r->code->size, r->state, r->pc);
		fprintf(t->perf_map, "%" PRIxPTR " %" PRIx32 " guest-%s:0x%016" PRIx64 " (cold)\n",
			(uintptr_t)jit_code_cold(r->code), r->code->cold_size, r->state, r->pc);
		finish(t, t->perf_map);
	}
	if (t->dump) {
		dump_region(t->dump, r);
		finish(t, t->dump);
	}
	pthread_mutex_unlock(&t->lock);
}
