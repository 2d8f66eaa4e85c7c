/*
 * What was stored in a run, so that it can be taken back and done again. A processor's own: no locks.
 */
#ifndef ANYKVM_CPU_LOCKSTEP_LOG_H
#define ANYKVM_CPU_LOCKSTEP_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define STORE_MAX 16 /* bytes of one store; the door splits what crosses blocks */

struct store {
	uint8_t *at; /* in host memory */
	uint32_t size;
	uint8_t old[STORE_MAX], new[STORE_MAX];
	uint8_t end[STORE_MAX]; /* scratch of store_logs_same */
};

#define STORE_LOG_MAX 8192

struct store_log {
	uint32_t count;
	bool full; /* not all are here: nothing can be taken back */
	struct store store[STORE_LOG_MAX];
};

void store_log_add(struct store_log *log, uint8_t *at, uint32_t size, const uint8_t *old);

/* Put back what was there. False: somebody else has changed it since; then all is as it was. */
bool store_log_undo(const struct store_log *log);

/* Store it all again. */
void store_log_redo(const struct store_log *log);

/*
 * Memory is as after b; was it the same after a? If it is not clear at once, b is undone and a is done
 * again to see. False as well if b cannot be undone.
 */
bool store_logs_same(struct store_log *a, struct store_log *b);

#endif
