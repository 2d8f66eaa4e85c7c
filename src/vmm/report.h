/*
 * What a machine tells about itself, through the KVM API, as the lines of control.h. Piece by
 * piece: a large machine's report is never in memory at once.
 *
 * All calls for one VM are made by one thread at a time; its vCPUs may run.
 */
#ifndef ANYKVM_VMM_REPORT_H
#define ANYKVM_VMM_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "util/error.h"

struct vm;
struct report_source;

/* Opens the VM's statistics. Before its vCPUs run. NULL: out of memory. */
struct report_source *report_open(struct vm *vm);
void report_close(struct report_source *s);

enum report_kind { REPORT_INFO, REPORT_STAT, REPORT_MAPPINGS };

/* Where a report is; begin with {.kind = ...}. */
struct report {
	enum report_kind kind;
	bool one_guest; /* REPORT_MAPPINGS: only nested guest `lpid` */
	uint32_t lpid;
	/* kept by report_next */
	uint32_t step;
	bool nested, announced;
	uint64_t start;
};

/* Writes the next piece: 1 if there is more, 0 if it was the last, -errno with a sentence. */
int report_next(struct report_source *s, struct report *r, FILE *out, struct error *e);

#endif
