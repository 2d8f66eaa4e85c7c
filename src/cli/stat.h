/*
 * `anykvm stat` inside: what a machine answers on its control socket (vmm/control.h), and how it is
 * shown.
 */
#ifndef ANYKVM_CLI_STAT_H
#define ANYKVM_CLI_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Ask, and give each line of the answer to `line` (without its end; it may be changed). 0; 1 if the
 * process runs no machine; -1 after complaining: it broke off, or said why it has no answer.
 */
int stat_ask(pid_t pid, const char *request, void (*line)(char *line, void *arg), void *arg,
	     bool quiet);

/* One counter of a machine: of each vCPU, or of the machine. */
struct stat_row {
	char name[64];
	char unit[8];
	bool gauge;
	bool of_vm;
	uint64_t *value; /* by vCPU; of_vm: one */
};

/* All of them at one time. */
struct stat_sample {
	struct stat_row *row;
	size_t nrows;
	unsigned *vcpu; /* identifiers */
	unsigned nvcpus;
	uint64_t time_ns;
	bool failed; /* out of memory, or no sense in it */
};

/* As stat_ask. */
int stat_read(pid_t pid, struct stat_sample *s, bool quiet);
void stat_free(struct stat_sample *s);

uint64_t stat_total(const struct stat_sample *s, const struct stat_row *r);

/* What is shown: all rows, or those that are not 0. `before`: an earlier sample, for rates; NULL:
 * none. */
void stat_show_table(const struct stat_sample *s, const struct stat_sample *before, bool all);
/* One object, on one line. */
void stat_show_json(const struct stat_sample *s, pid_t pid, bool all);

void json_string(FILE *out, const char *s);

#endif
