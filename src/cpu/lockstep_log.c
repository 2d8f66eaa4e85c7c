#include <string.h>

#include "cpu/lockstep_log.h"

void store_log_add(struct store_log *log, uint8_t *at, uint32_t size, const uint8_t *old)
{
	struct store *s = &log->store[log->count];

	if (log->count == STORE_LOG_MAX || size > STORE_MAX) {
		log->full = true;
		return;
	}
	log->count++;
	s->at = at;
	s->size = size;
	memcpy(s->old, old, size);
	memcpy(s->new, at, size);
}

bool store_log_undo(const struct store_log *log)
{
	for (uint32_t n = log->count; n-- > 0;) {
		const struct store *s = &log->store[n];

		if (!memcmp(s->at, s->new, s->size)) {
			memcpy(s->at, s->old, s->size);
			continue;
		}
		while (++n < log->count)
			memcpy(log->store[n].at, log->store[n].new, log->store[n].size);
		return false;
	}
	return true;
}

void store_log_redo(const struct store_log *log)
{
	for (uint32_t n = 0; n < log->count; n++)
		memcpy(log->store[n].at, log->store[n].new, log->store[n].size);
}

static bool same_order(const struct store_log *a, const struct store_log *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t n = 0; n < a->count; n++) {
		const struct store *x = &a->store[n], *y = &b->store[n];

		if (x->at != y->at || x->size != y->size || memcmp(x->new, y->new, x->size))
			return false;
	}
	return true;
}

static void note_end(struct store_log *log)
{
	for (uint32_t n = 0; n < log->count; n++)
		memcpy(log->store[n].end, log->store[n].at, log->store[n].size);
}

static bool at_end(const struct store_log *log)
{
	for (uint32_t n = 0; n < log->count; n++)
		if (memcmp(log->store[n].end, log->store[n].at, log->store[n].size))
			return false;
	return true;
}

bool store_logs_same(struct store_log *a, struct store_log *b)
{
	if (same_order(a, b))
		return true;
	/* Another order, or in other pieces: it is the bytes in the end that count. */
	note_end(a);
	note_end(b);
	if (!store_log_undo(b))
		return false;
	store_log_redo(a);
	return at_end(a) && at_end(b);
}
