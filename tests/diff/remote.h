/*
 * The runner as a child process, under an emulator or natively.
 */
#ifndef ANYKVM_TESTS_DIFF_REMOTE_H
#define ANYKVM_TESTS_DIFF_REMOTE_H

#include <stdbool.h>
#include <sys/types.h>
#include "record.h"

struct remote {
	pid_t pid;
	int to, from;
	bool swap; /* its byte order is not ours */
};

/* argv: the command and its arguments, NULL at the end. False: errno. */
bool remote_start(struct remote *r, char *const argv[], bool big_endian);

/* Have the cases run. False: the runner died or hangs. At most DIFF_BATCH. */
bool remote_run(struct remote *r, const struct diff_case *cases, unsigned count,
		struct diff_result *results);

void remote_stop(struct remote *r);

#endif
