/* The perf map and the dump: see trace.h. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "jit/trace.h"

struct sink {
	FILE *file; /* NULL: none */
	int *error;
};

struct jit_trace {
	struct sink perf_map, dump;
	pthread_mutex_t lock;
};

/* A stream on a copy of the descriptor. False: with errno. */
static bool open_sink(struct sink *s, struct jit_trace_to to)
{
	int copy;

	s->error = to.error;
	if (!to.fd)
		return true;
	copy = dup(to.fd);
	s->file = copy < 0 ? NULL : fdopen(copy, "a");
	if (!s->file && copy >= 0)
		close(copy);
	return s->file;
}

static void failed(struct sink *s, int error)
{
	if (s->error && !*s->error)
		*s->error = error ? error : EIO;
}

static void close_sink(struct sink *s)
{
	if (s->file && fclose(s->file))
		failed(s, errno);
}

struct jit_trace *jit_trace_create(struct jit_trace_to perf_map, struct jit_trace_to dump)
{
	struct jit_trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (open_sink(&t->perf_map, perf_map) && open_sink(&t->dump, dump)) {
		pthread_mutex_init(&t->lock, NULL);
		return t;
	}
	close_sink(&t->perf_map);
	free(t);
	return NULL;
}

void jit_trace_destroy(struct jit_trace *t)
{
	if (!t)
		return;
	close_sink(&t->perf_map);
	close_sink(&t->dump);
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
	jit_print_hot(out, c);
	fprintf(out, "rarely run: %" PRIu32 " bytes of host code at %p\n", c->cold_size, jit_code_cold(c));
	jit_print_cold(out, c);
	fputc('\n', out);
}

/* All of it now: what comes last is what matters after a crash. */
static void finish(struct sink *s)
{
	if (fflush(s->file) || ferror(s->file))
		failed(s, errno);
	clearerr(s->file);
}

void jit_trace_add(struct jit_trace *t, const struct jit_trace_region *r)
{
	pthread_mutex_lock(&t->lock);
	if (t->perf_map.file) {
		fprintf(t->perf_map.file, "%" PRIxPTR " %" PRIx32 " guest-%s:0x%016" PRIx64 "\n",
			(uintptr_t)r->code->entry, r->code->size, r->state, r->pc);
		fprintf(t->perf_map.file, "%" PRIxPTR " %" PRIx32 " guest-%s:0x%016" PRIx64 " (cold)\n",
			(uintptr_t)jit_code_cold(r->code), r->code->cold_size, r->state, r->pc);
		finish(&t->perf_map);
	}
	if (t->dump.file) {
		dump_region(t->dump.file, r);
		finish(&t->dump);
	}
	pthread_mutex_unlock(&t->lock);
}
