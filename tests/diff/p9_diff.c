/*
 * The differential test: random instructions of isa.def's rows, executed by this project's
 * translator, interpreter and JIT (with the optimiser off and on) and by a reference, and the states
 * compared.
 *
 *   p9_diff [--seed N] [--cases N] [--row MNEMONIC]... [--sequences N] [--endian little|big]
 *           [--runner FILE] [--emulator COMMAND] [--fp-enables] [--keep-going] [--list]
 *
 * The reference is the runner (runner.c) under `qemu-ppc64le -cpu POWER9` (qemu-ppc64 for
 * big-endian), or run natively with --emulator none. Exits 0 when all is equal, 1 at a mismatch,
 * which is printed, 2 when the test could not run. Rows may be given as shell patterns.
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/core.h"
#include "cpu/power9/insn.h"
#include "generate.h"
#include "remote.h"
#include "unit/power9_harness.h"
#include "util/compiler.h"

#define MAX_ROWS_GIVEN 1024
#define MAX_SHOWN      3 /* mismatches of one row, and twenty times as many sequences */

struct options {
	uint64_t seed;
	unsigned cases, sequences;
	const char *rows[MAX_ROWS_GIVEN];
	unsigned nrows;
	bool big_endian, fp_enables, keep_going, list;
	const char *runner, *emulator;
};

struct exclusion {
	const char *mnemonic; /* a shell pattern; empty: all, and sequences too */
	size_t offset;        /* of a member of diff_state, or one of those below */
	uint64_t mask, mask1;
	const char *reason;
};

#define ALL_OF_IT        SIZE_MAX
#define ALL_OF_IT_LITTLE (SIZE_MAX - 1)
#define TARGET           (SIZE_MAX - 2) /* mask, mask1: of the doublewords of the VSR written */
#define TARGET_IF_SO     (SIZE_MAX - 3) /* the same, when CR6 ends with its last bit set */
#define SEQUENCES        (SIZE_MAX - 4) /* only not to be put into sequences */

static const struct exclusion exclusions[] = {
#define SKIP(mnemonic, reason, covered_by) {mnemonic, ALL_OF_IT, 0, 0, reason},
#define SKIP_LITTLE(mnemonic, reason)      {mnemonic, ALL_OF_IT_LITTLE, 0, 0, reason},
#define IGNORE(mnemonic, member, mask, reason)                                                     \
	{mnemonic, offsetof(struct diff_state, member), mask, 0, reason},
#define IGNORE_ALWAYS(member, mask, reason)         IGNORE("", member, mask, reason)
#define TARGET_BITS(mnemonic, mask0, mask1, reason) {mnemonic, TARGET, mask0, mask1, reason},
#define TARGET_UNDEFINED_IF_SO(mnemonic, reason)                                                   \
	{mnemonic, TARGET_IF_SO, UINT64_MAX, UINT64_MAX, reason},
#define DW1_UNDEFINED(mnemonic, reason)   {mnemonic, TARGET, 0, UINT64_MAX, reason},
#define NOT_IN_SEQUENCE(mnemonic, reason) {mnemonic, SEQUENCES, 0, 0, reason},
#include "exclude.def"
#undef SKIP
#undef SKIP_LITTLE
#undef IGNORE
#undef DW1_UNDEFINED
#undef NOT_IN_SEQUENCE
#undef TARGET_BITS
#undef IGNORE_ALWAYS
#undef TARGET_UNDEFINED_IF_SO
};

/* d is NULL for a sequence. */
static bool matches(const struct exclusion *e, const struct p9_insn_desc *d)
{
	if (!*e->mnemonic)
		return true;
	return d && !fnmatch(e->mnemonic, d->mnemonic, 0);
}

static bool is_skipped(const struct options *o, const struct p9_insn_desc *d)
{
	for (unsigned n = 0; n < ARRAY_SIZE(exclusions); n++)
		if ((exclusions[n].offset == ALL_OF_IT ||
		     (exclusions[n].offset == ALL_OF_IT_LITTLE && !o->big_endian)) &&
		    matches(&exclusions[n], d))
			return true;
	return false;
}

/* ---- our side ---- */

struct ours {
	struct p9_harness *harness;
	/* Two pages around the test memory's page boundary, apart from each other. */
	uint8_t page[3][4096];
	struct diff_result result;
	struct p9_harness_result end;
};

static void memory_copy(struct ours *o, uint8_t *mem, bool in)
{
	const uint64_t first = DIFF_MEM & ~UINT64_C(4095);

	for (unsigned n = 0; n < DIFF_MEM_SIZE; n++) {
		uint64_t at = DIFF_MEM + n - first;
		uint8_t *p = &o->page[at / 4096 * 2][at % 4096];

		if (in)
			*p = mem[n];
		else
			mem[n] = *p;
	}
}

static void load_regs(struct p9_regs *r, const struct diff_state *s)
{
	memcpy(r->gpr, s->gpr, sizeof(r->gpr));
	p9_cr_set(r, (uint32_t)s->cr);
	p9_xer_set(r, s->xer);
	r->ctr = s->ctr;
	r->lr = s->lr;
	r->tar = s->tar;
	r->fpscr = s->fpscr;
	r->vscr = s->vscr[1];
	r->vrsave = s->vrsave;
	for (unsigned n = 0; n < 64; n++)
		r->vsr[n] = (u128)s->vsr[n][0] << 64 | s->vsr[n][1];
	r->resv_size = 0;
}

static void store_regs(const struct p9_regs *r, struct diff_state *s)
{
	memcpy(s->gpr, r->gpr, sizeof(s->gpr));
	s->cr = p9_cr_get(r);
	s->xer = p9_xer_get(r);
	s->ctr = r->ctr;
	s->lr = r->lr;
	s->tar = r->tar;
	s->fpscr = r->fpscr;
	s->vscr[1] = r->vscr;
	s->vrsave = r->vrsave;
	for (unsigned n = 0; n < 64; n++) {
		s->vsr[n][0] = (uint64_t)(r->vsr[n] >> 64);
		s->vsr[n][1] = (uint64_t)r->vsr[n];
	}
}

static void run_ours(struct ours *o, const struct diff_case *c, unsigned slot, uint32_t mode,
		     unsigned how)
{
	struct p9_regs *r = p9_harness_regs(o->harness);
	uint64_t pc = diff_address(slot, 0);
	uint32_t words[DIFF_WORDS];

	memset(&o->result, 0, sizeof(o->result));
	load_regs(r, &c->state);
	memory_copy(o, (uint8_t *)(uintptr_t)c->mem, true);
	for (unsigned n = 0; n < c->nwords; n++)
		words[n] = (uint32_t)c->word[n];
	o->end = p9_harness_run(o->harness, words, (unsigned)c->nwords, pc, mode, how);
	store_regs(r, &o->result.state);
	memory_copy(o, o->result.mem, false);
	o->result.signal = (uint64_t)p9_harness_signal(&o->end);
	o->result.where =
	    o->end.end == P9_HARNESS_DONE ? (o->end.pc - pc) / 4 - c->nwords : o->end.pc;
}

/* ---- comparison ---- */

static const struct {
	const char *name;
	size_t offset;
	unsigned count;   /* 64-bit numbers */
	bool with_signal; /* comparable then */
} members[] = {
#define MEMBER(name, count, with_signal)                                                           \
	{                                                                                          \
#name, offsetof(struct diff_state, name), count, with_signal                       \
	}
    MEMBER(gpr, 32, true),   MEMBER(cr, 1, true),    MEMBER(xer, 1, true),
    MEMBER(ctr, 1, true),    MEMBER(lr, 1, true),    MEMBER(tar, 1, false),
    MEMBER(fpscr, 1, false), MEMBER(vscr, 2, false), MEMBER(vrsave, 1, false),
    MEMBER(vsr, 128, false),
#undef MEMBER
};

static uint64_t ignored_bits(const struct p9_insn_desc *d, size_t offset, unsigned count)
{
	uint64_t mask = 0;

	for (unsigned n = 0; n < ARRAY_SIZE(exclusions); n++)
		if (matches(&exclusions[n], d) && exclusions[n].offset >= offset &&
		    exclusions[n].offset < offset + 8 * count)
			mask |= exclusions[n].mask;
	return mask;
}

/* The number of the VSR that an instruction writes, or -1. */
static int target_vsr(const struct p9_insn_desc *d, uint32_t raw)
{
	for (unsigned k = 0; k < P9_OPERANDS_MAX && d->operands[k] != P9_OPND_NONE; k++) {
		const struct p9_operand_desc *o = p9_operand(d->operands[k]);
		int v = (int)p9_operand_get(raw, d->operands[k]);

		if (o->access != P9_ACCESS_WRITE && o->access != P9_ACCESS_RW)
			continue;
		if (o->kind == P9_KIND_VR)
			return 32 + v;
		if (o->kind == P9_KIND_VSR || o->kind == P9_KIND_FPR)
			return v;
	}
	return -1;
}

/* What of the VSR written is not compared. */
struct target {
	int vsr;
	uint64_t ignore[2];
};

static struct target undefined_target(const struct p9_insn_desc *d, const struct diff_case *c,
				      const struct diff_result *reference)
{
	struct target t = {.vsr = -1};

	if (!d)
		return t;
	t.vsr = target_vsr(d, (uint32_t)c->word[c->nwords - 1]);
	for (unsigned n = 0; n < ARRAY_SIZE(exclusions); n++) {
		const struct exclusion *e = &exclusions[n];
		bool so = reference->state.cr & 0x10; /* of CR6 */

		if ((e->offset == TARGET || (e->offset == TARGET_IF_SO && so)) && matches(e, d)) {
			t.ignore[0] |= e->mask;
			t.ignore[1] |= e->mask1;
		}
	}
	return t;
}

/* Those bits of the number at `offset` of the state that do not count. */
static uint64_t target_ignored(const struct target *t, size_t offset)
{
	size_t at = offset - offsetof(struct diff_state, vsr);

	if (t->vsr < 0 || offset < offsetof(struct diff_state, vsr) || at / 16 != (size_t)t->vsr)
		return 0;
	return t->ignore[at / 8 % 2];
}

static const uint64_t *number(const struct diff_state *s, size_t offset)
{
	return (const uint64_t *)((const char *)s + offset);
}

/* Calls back for each number that differs; returns how many do. */
static unsigned compare(const struct p9_insn_desc *d, const struct diff_case *c,
			const struct diff_result *a, const struct diff_result *b, bool print)
{
	unsigned differ = a->signal != b->signal || a->where != b->where;
	struct target target = undefined_target(d, c, b);

	if (differ && print)
		printf("    end      ours: signal %" PRIu64 " at %#" PRIx64
		       "   reference: signal %" PRIu64 " at %#" PRIx64 "\n",
		       a->signal, a->where, b->signal, b->where);
	for (unsigned m = 0; m < ARRAY_SIZE(members); m++) {
		uint64_t ignore = ignored_bits(d, members[m].offset, members[m].count);

		if (a->signal != b->signal || (a->signal && !members[m].with_signal))
			continue;
		for (unsigned n = 0; n < members[m].count; n++) {
			size_t at = members[m].offset + 8 * n;
			uint64_t x = *number(&a->state, at), y = *number(&b->state, at);

			if (!((x ^ y) & ~ignore & ~target_ignored(&target, at)))
				continue;
			differ++;
			if (!print)
				continue;
			if (!strcmp(members[m].name, "vsr"))
				printf("    vsr%u.%u", n / 2, n % 2);
			else
				printf("    %s%u", members[m].name, n);
			printf("\twas %016" PRIx64 " ours %016" PRIx64 " reference %016" PRIx64
			       "\n",
			       *number(&c->state, at), x, y);
		}
	}
	for (unsigned n = 0; n < DIFF_MEM_SIZE; n++) {
		if (a->mem[n] == b->mem[n])
			continue;
		differ++;
		if (print)
			printf("    mem[%#x]\twas %02x ours %02x reference %02x\n", DIFF_MEM + n,
			       c->mem[n], a->mem[n], b->mem[n]);
	}
	return differ;
}

/* The registers that an instruction names, before it. */
static void print_operands(const struct p9_insn *i, const struct diff_state *s)
{
	for (unsigned n = 0; n < P9_OPERANDS_MAX && i->desc->operands[n] != P9_OPND_NONE; n++) {
		const struct p9_operand_desc *o = p9_operand(i->desc->operands[n]);
		unsigned v = (unsigned)p9_operand_get(i->raw, i->desc->operands[n]) & 63;

		switch (o->kind) {
		case P9_KIND_GPR:
		case P9_KIND_GPR_PAIR:
		case P9_KIND_GPR_GROUP:
			printf("    %s: gpr%u = %016" PRIx64 "\n", o->name, v, s->gpr[v & 31]);
			break;
		case P9_KIND_VR:
			v = 32 + (v & 31);
			/* fall through */
		case P9_KIND_FPR:
		case P9_KIND_FPR_PAIR:
		case P9_KIND_VSR:
			printf("    %s: vsr%u = %016" PRIx64 " %016" PRIx64 "\n", o->name, v,
			       s->vsr[v][0], s->vsr[v][1]);
			break;
		default:
			break;
		}
	}
}

#define NO_OP UINT32_C(0x60000000)

static void print_case(const struct diff_case *c, unsigned slot, uint64_t number_of_case)
{
	printf("  case %" PRIu64 ":\n", number_of_case);
	for (unsigned n = 0; n < c->nwords; n++) {
		uint32_t raw = (uint32_t)c->word[n];
		struct p9_insn i;
		char text[128];

		if (raw == NO_OP)
			continue;
		p9_disasm(raw, diff_address(slot, n), text, sizeof(text));
		printf("    %08" PRIx32 "  %s\n", raw, text);
		if (p9_decode(raw, &i))
			print_operands(&i, &c->state);
	}
	printf("    cr %08" PRIx64 " xer %08" PRIx64 " ctr %016" PRIx64 " lr %016" PRIx64
	       " fpscr %016" PRIx64 " vscr %08" PRIx64 "\n",
	       c->state.cr, c->state.xer, c->state.ctr, c->state.lr, c->state.fpscr,
	       c->state.vscr[1]);
}

/* ---- the test ---- */

struct test {
	struct options opt;
	struct generator gen;
	struct remote remote;
	struct ours ours;
	struct diff_case cases[DIFF_BATCH];
	struct diff_result results[DIFF_BATCH];
	uint64_t run, failed;
	bool broken;
};

static bool start_runner(struct test *t)
{
	const char *emulator = t->opt.emulator;
	char *argv[5];
	unsigned n = 0;

	if (!emulator)
		emulator = t->opt.big_endian ? "qemu-ppc64" : "qemu-ppc64le";
	if (strcmp(emulator, "none")) {
		argv[n++] = (char *)(uintptr_t)emulator;
		argv[n++] = "-cpu";
		argv[n++] = "POWER9";
	}
	argv[n++] = (char *)(uintptr_t)t->opt.runner;
	argv[n] = NULL;
	if (remote_start(&t->remote, argv, t->opt.big_endian))
		return true;
	fprintf(stderr, "p9_diff: cannot start the runner: %s\n", strerror(errno));
	return false;
}

/* One case on our side against the reference's result: does it differ? */
static bool differs(struct test *t, const struct p9_insn_desc *d, const struct diff_case *c,
		    unsigned slot, const struct diff_result *reference, unsigned how)
{
	uint32_t mode = (t->opt.big_endian ? P9_HARNESS_USER_BE : P9_HARNESS_USER) |
			(t->opt.fp_enables ? P9_MODE_FE : 0);

	run_ours(&t->ours, c, slot, mode, how);
	if (t->ours.end.end == P9_HARNESS_BROKEN || t->ours.end.end == P9_HARNESS_ENDLESS)
		return true;
	return compare(d, c, &t->ours.result, reference, false);
}

/*
 * Replace instructions of a sequence that differs by no-ops, as long as it still does. *c then runs
 * in slot 0, with the reference's result in *reference.
 */
static void shrink(struct test *t, struct diff_case *c, struct diff_result *reference,
		   unsigned how)
{
	struct diff_case smaller;
	struct diff_result result;

	for (unsigned n = (unsigned)c->nwords; n-- > 0;) {
		smaller = *c;
		smaller.word[n] = NO_OP;
		if (!remote_run(&t->remote, &smaller, 1, &result))
			return;
		if (!differs(t, NULL, &smaller, 0, &result, how))
			continue;
		*c = smaller;
		*reference = result;
	}
}

static const char *const how_name[P9_HARNESS_HOWS] = {
	"interpreted", "optimised and interpreted", "compiled", "optimised and compiled"};


static void report(struct test *t, const struct p9_insn_desc *d, unsigned slot, unsigned how)
{
	uint64_t number_of_case = t->run + slot;
	struct diff_case c = t->cases[slot];
	struct diff_result reference = t->results[slot];
	bool malformed;

	if (!d) {
		slot = 0;
		if (remote_run(&t->remote, &c, 1, &reference))
			shrink(t, &c, &reference, how);
	}
	differs(t, d, &c, slot, &reference, how);
	malformed = t->ours.end.end == P9_HARNESS_BROKEN || t->ours.end.end == P9_HARNESS_ENDLESS;
	printf("MISMATCH %s (%s)", d ? d->mnemonic : "sequence",
	       how_name[how]);
	if (malformed)
		printf(": %s", t->ours.end.why ? t->ours.end.why : "endless");
	printf("\n");
	print_case(&c, slot, number_of_case);
	if (!malformed)
		compare(d, &c, &t->ours.result, &reference, true);
}

/* One case on our side, in both modes, against the result. Counts and prints mismatches. */
static bool check(struct test *t, const struct p9_insn_desc *d, unsigned slot, unsigned *shown)
{
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		if (!differs(t, d, &t->cases[slot], slot, &t->results[slot], how))
			continue;
		t->failed++;
		if ((*shown)++ < (d ? MAX_SHOWN : 20 * MAX_SHOWN))
			report(t, d, slot, how);
		return false;
	}
	return true;
}

/* Run what t->cases holds. False: stop. */
static bool run_batch(struct test *t, const struct p9_insn_desc *d, unsigned count, unsigned *shown)
{
	bool equal = true;

	if (!remote_run(&t->remote, t->cases, count, t->results)) {
		printf("MISMATCH %s: the runner died or hangs\n", d ? d->mnemonic : "sequence");
		t->failed++;
		remote_stop(&t->remote);
		t->broken = !t->opt.keep_going || !start_runner(t);
		return !t->broken;
	}
	for (unsigned n = 0; n < count; n++)
		equal &= check(t, d, n, shown);
	t->run += count;
	return equal || t->opt.keep_going;
}

static bool run_row(struct test *t, const struct p9_insn_desc *d)
{
	unsigned shown = 0, before = (unsigned)t->failed;
	bool go_on = true;

	/* A row's cases do not depend on which other rows are run. */
	t->gen.rng.state = t->opt.seed * UINT64_C(1000003) + d->op;
	for (unsigned done = 0; go_on && done < t->opt.cases;) {
		unsigned count =
		    t->opt.cases - done < DIFF_BATCH ? t->opt.cases - done : DIFF_BATCH;

		for (t->gen.slot = 0; t->gen.slot < count; t->gen.slot++)
			generate_case(&t->gen, d, &t->cases[t->gen.slot]);
		go_on = run_batch(t, d, count, &shown);
		done += count;
	}
	if (t->failed != before)
		printf("row %s: %u of %u cases differ\n", d->mnemonic, (unsigned)t->failed - before,
		       t->opt.cases);
	return go_on;
}

static bool is_wanted(const struct options *o, const struct p9_insn_desc *d)
{
	if (!o->nrows)
		return true;
	for (unsigned n = 0; n < o->nrows; n++)
		if (!fnmatch(o->rows[n], d->mnemonic, 0))
			return true;
	return false;
}

static bool run_rows(struct test *t)
{
	size_t count;
	const struct p9_insn_desc *d = p9_insn_table(&count);

	for (size_t n = 0; n < count; n++) {
		if (!is_wanted(&t->opt, &d[n]) || !generate_supports(&d[n]) ||
		    is_skipped(&t->opt, &d[n]))
			continue;
		if (t->opt.list)
			printf("%s\n", d[n].mnemonic);
		else if (!run_row(t, &d[n]))
			return false;
	}
	return true;
}

/* Is anything of the row excluded? Then it would spoil what follows. */
static bool is_excluded(const struct p9_insn_desc *d)
{
	for (unsigned n = 0; n < ARRAY_SIZE(exclusions); n++)
		if (*exclusions[n].mnemonic && matches(&exclusions[n], d))
			return true;
	return false;
}

/* Sequences show what the optimiser does across instructions. */
static bool run_sequences(struct test *t)
{
	size_t count;
	const struct p9_insn_desc *d = p9_insn_table(&count);
	const struct p9_insn_desc **rows = calloc(count, sizeof(*rows));
	unsigned nrows = 0, shown = 0, done = 0;
	bool go_on = true;

	if (!rows)
		return false;
	for (size_t n = 0; n < count; n++) {
		if (is_wanted(&t->opt, &d[n]) && generate_in_sequence(&d[n]) && !is_excluded(&d[n]))
			rows[nrows++] = &d[n];
	}
	t->gen.rng.state = t->opt.seed * UINT64_C(7919);
	while (nrows && go_on && done < t->opt.sequences) {
		unsigned batch =
		    t->opt.sequences - done < DIFF_BATCH ? t->opt.sequences - done : DIFF_BATCH;

		for (t->gen.slot = 0; t->gen.slot < batch; t->gen.slot++)
			generate_sequence(&t->gen, rows, nrows,
					  2 + rng_below(&t->gen.rng, DIFF_WORDS - 1),
					  &t->cases[t->gen.slot]);
		go_on = run_batch(t, NULL, batch, &shown);
		done += batch;
	}
	free(rows);
	return go_on;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
	    {"seed", required_argument, NULL, 's'},
	    {"cases", required_argument, NULL, 'n'},
	    {"row", required_argument, NULL, 'r'},
	    {"sequences", required_argument, NULL, 'q'},
	    {"endian", required_argument, NULL, 'e'},
	    {"runner", required_argument, NULL, 'R'},
	    {"emulator", required_argument, NULL, 'E'},
	    {"fp-enables", no_argument, NULL, 'f'},
	    {"keep-going", no_argument, NULL, 'k'},
	    {"list", no_argument, NULL, 'l'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o->seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			o->cases = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'r':
			if (o->nrows < MAX_ROWS_GIVEN)
				o->rows[o->nrows++] = optarg;
			break;
		case 'q':
			o->sequences = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'e':
			o->big_endian = !strcmp(optarg, "big");
			break;
		case 'R':
			o->runner = optarg;
			break;
		case 'E':
			o->emulator = optarg;
			break;
		case 'f':
			o->fp_enables = true;
			break;
		case 'k':
			o->keep_going = true;
			break;
		case 'l':
			o->list = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

static bool start(struct test *t)
{
	const uint64_t page = DIFF_MEM & ~UINT64_C(4095);

	t->ours.harness = p9_harness_create();
	if (!t->ours.harness) {
		fprintf(stderr, "p9_diff: out of memory\n");
		return false;
	}
	p9_harness_map(t->ours.harness, page, t->ours.page[0], true);
	p9_harness_map(t->ours.harness, page + 4096, t->ours.page[2], true);
	return start_runner(t);
}

int main(int argc, char **argv)
{
	struct test *t = calloc(1, sizeof(*t));
	int status = 2;

	if (!t)
		return 2;
	t->opt = (struct options){.seed = 1, .cases = 100};
	if (!parse_options(argc, argv, &t->opt) || (!t->opt.list && !t->opt.runner)) {
		fprintf(stderr,
			"usage: p9_diff --runner FILE [--seed N] [--cases N] [--row NAME]... "
			"[--sequences N] [--endian little|big] [--emulator COMMAND|none] "
			"[--fp-enables] [--keep-going] [--list]\n");
		goto out;
	}
	t->gen.fp_enables = t->opt.fp_enables;
	if (t->opt.list) {
		run_rows(t);
		status = 0;
		goto out;
	}
	if (!start(t))
		goto out;
	if (run_rows(t) && t->opt.sequences)
		run_sequences(t);
	if (!t->broken) {
		printf("%" PRIu64 " cases, %" PRIu64 " mismatches (seed %" PRIu64 ")\n", t->run,
		       t->failed, t->opt.seed);
		status = t->failed ? 1 : 0;
	}
	remote_stop(&t->remote);
out:
	p9_harness_destroy(t->ours.harness);
	free(t);
	return status;
}
