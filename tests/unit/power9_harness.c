#include "power9_harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/core.h"
#include "cpu/power9/exception.h"
#include "cpu/power9/float_status.h"
#include "cpu/power9/region.h"
#include "ir/interp.h"
#include "jit/jit.h"
#include "ir/ir.h"
#include "mem/endian.h"
#include "util/bits.h"

#define PAGES     16
#define MAX_WORDS 64
#define MAX_STEPS 10000

struct page {
	uint64_t ea;
	void *host;
	bool writable;
};

struct p9_harness {
	struct p9_cpu *p;
	struct tlb tlb;
	struct page page[PAGES];
	struct ir_region region;
	struct cpu_system system; /* for reservations */
	struct jit *jit; /* NULL: no back end for this host */
	uint32_t polls; /* before a region is left at one; 0: compiled code counts none */
	const struct p9_harness_path *path; /* NULL: ordinary regions alone */
};

/* The door is a member of the env, which begins the processor. */
static struct p9_cpu *cpu_of(struct mem_door *d)
{
	return p9_of_env(container_of(d, struct ir_env, door));
}

/* The TLB is a member of the harness. */
static struct p9_harness *harness_of(struct mem_door *d)
{
	return container_of(d->tlb, struct p9_harness, tlb);
}

static bool fill(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like, void **host,
		 bool *slow)
{
	struct p9_harness *h = harness_of(d);
	struct p9_cpu *p = cpu_of(d);
	uint64_t ea = align_down(addr.v, TLB_BLOCK_SIZE);
	bool store = kind == MEM_WRITE || store_like;

	for (unsigned n = 0; n < PAGES; n++) {
		struct page *page = &h->page[n];
		struct tlb_entry *e = tlb_slot(d->tlb, ea);

		if (!page->host || page->ea != ea || (store && !page->writable))
			continue;
		e->tag[MEM_READ] = ea;
		e->tag[MEM_WRITE] = page->writable ? ea : TLB_TAG_INVALID;
		e->tag[MEM_FETCH] = TLB_TAG_INVALID;
		e->addend = (uintptr_t)page->host - ea;
		*host = (char *)page->host + (addr.v - ea);
		*slow = false;
		return true;
	}
	p->regs.dar = addr.v;
	p->regs.dsisr = P9_DSISR_NOHPTE | (store ? P9_DSISR_ISSTORE : 0);
	p9_raise(p, P9_VEC_DSI, 0);
	return false;
}

static void code_write(struct mem_door *d, hva_t host, unsigned size)
{
	(void)d, (void)host, (void)size;
}

static void misaligned(struct mem_door *d, gva_t addr, bool store)
{
	struct p9_cpu *p = cpu_of(d);

	(void)store;
	p->regs.dar = addr.v;
	p9_raise(p, P9_VEC_ALIGNMENT, 0);
}

static const struct mem_door_ops door_ops = {
    .fill = fill,
    .code_write = code_write,
    .misaligned = misaligned,
};

static void create_jit(struct p9_harness *h)
{
	const struct jit_layout layout = {
		.jump = offsetof(struct p9_cpu, cpu.jump),
		.jump_mask = CPU_JUMP_HALF - 1,
		.insn_align = p9_arch.insn_align,
		.pin_first = p9_arch.pin_first,
		.pin_end = p9_arch.pin_end,
		.vec_first = p9_arch.vec_first,
		.vec_end = p9_arch.vec_end,
		.count_polls = h->polls != 0,
	};

	jit_destroy(h->jit);
	h->jit = jit_create(&layout, 1 << 20);
	if (h->jit && getenv("ANYKVM_JIT_LEVEL"))
		jit_limit(h->jit, (unsigned)atoi(getenv("ANYKVM_JIT_LEVEL")));
}

void p9_harness_count_polls(struct p9_harness *h, uint32_t polls)
{
	h->polls = polls;
	create_jit(h);
}

struct p9_harness *p9_harness_create(void)
{
	struct p9_harness *h = calloc(1, sizeof(*h));
	/* Aligned as the processor is: the state holds 16-byte registers. */
	size_t size = align_up(sizeof(struct p9_cpu), 64);
	struct p9_cpu *p = aligned_alloc(64, size);

	if (!h || !p) {
		free(h);
		free(p);
		return NULL;
	}
	memset(p, 0, size);
	h->p = p;
	p->cpu.arch = &p9_arch;
	p->cpu.system = &h->system;
	cpu_watches_init(&h->system.watches);
	cpu_watches_join(&h->system.watches);
	p->cpu.env.door = (struct mem_door){&h->tlb, &door_ops};
	p->regs.fscr = p->regs.hfscr = ~UINT64_C(0);
	tlb_flush(&h->tlb);
	ir_region_init(&h->region);
	p->cpu.jump = cpu_no_jumps;
	create_jit(h);
	return h;
}

void p9_harness_destroy(struct p9_harness *h)
{
	if (!h)
		return;
	ir_region_destroy(&h->region);
	jit_destroy(h->jit);
	cpu_watches_destroy(&h->system.watches);
	free(h->p);
	free(h);
}

struct p9_regs *p9_harness_regs(struct p9_harness *h)
{
	return &h->p->regs;
}

void p9_harness_map(struct p9_harness *h, uint64_t ea, void *host, bool writable)
{
	struct page *free_page = NULL;

	tlb_flush(&h->tlb);
	for (unsigned n = 0; n < PAGES; n++) {
		if (h->page[n].host && h->page[n].ea == ea)
			h->page[n].host = NULL;
		if (!h->page[n].host)
			free_page = &h->page[n];
	}
	if (host && free_page)
		*free_page = (struct page){ea, host, writable};
}

static uint64_t msr_of_mode(uint32_t mode)
{
	static const struct {
		uint32_t mode;
		uint64_t msr;
	} bits[] = {
	    {P9_MODE_SF, P9_MSR_SF},
	    {P9_MODE_LE, P9_MSR_LE},
	    {P9_MODE_PR, P9_MSR_PR},
	    {P9_MODE_FP, P9_MSR_FP},
	    {P9_MODE_VEC, P9_MSR_VEC},
	    {P9_MODE_VSX, P9_MSR_VSX},
	    {P9_MODE_SE, P9_MSR_SE},
	    {P9_MODE_BE, P9_MSR_BE},
	    {P9_MODE_IR, P9_MSR_IR},
	    {P9_MODE_DR, P9_MSR_DR},
	    {P9_MODE_FE, P9_MSR_FE0 | P9_MSR_FE1},
	};
	uint64_t msr = 0;

	for (unsigned n = 0; n < ARRAY_SIZE(bits); n++)
		if (mode & bits[n].mode)
			msr |= bits[n].msr;
	return msr;
}

/* The IR of one region, from pc on. */
static void translate(struct p9_harness *h, const uint8_t *code, uint32_t bytes, uint64_t pc, unsigned how,
		      struct p9_harness_result *r)
{
	const struct p9_harness_path *path = h->path;
	uint64_t away = path ? path->away : 0;
	uint32_t mode = h->p->cpu.mode;

	ir_region_reset(&h->region);
	h->p->cpu.env.base = path ? pc & ~TLB_BLOCK_MASK : 0;
	h->region.base = path ? h->p->cpu.env.base + away : 0;
	if (path && pc == path->piece[0].pc && !(how & P9_HARNESS_PLAIN)) {
		struct cpu_piece piece[CPU_PIECES];

		for (unsigned k = 0; k < path->n; k++) {
			piece[k] = path->piece[k];
			piece[k].pc += away;
			for (unsigned m = 0; m < 2; m++)
				if (piece[k].next[m] != UINT64_MAX)
					piece[k].next[m] += away;
		}
		h->region.span = 21;
		p9_translate_path(mode, &h->region, piece, path->n);
		for (unsigned k = 0; k < path->n; k++)
			path->piece[k].len = piece[k].len;
		r->paths++;
		if (how & P9_HARNESS_OPTIMISED)
			ir_peel(&h->region, h->polls != 0);
	} else {
		p9_translate_region(mode, &h->region, pc + away, code, bytes, bytes / 4);
	}
}

/* One region, from pc on. False: the result is final. */
static bool step(struct p9_harness *h, const uint8_t *code, uint32_t bytes, uint64_t pc,
		 unsigned how, struct p9_harness_result *r)
{
	struct p9_cpu *p = h->p;
	struct jit_code *compiled, *left;
	struct ir_code *lowered;
	enum ir_leave leave;
	uint32_t index;

	p9_fp_control_changed(p);
	p9_so_changed(p);
	if (how & P9_HARNESS_EXACT)
		p->cpu.mode |= P9_MODE_FPX;
	translate(h, code, bytes, pc, how, r);
	r->why = h->region.failed ? "out of memory" : ir_check(&h->region);
	if (!r->why && (how & P9_HARNESS_OPTIMISED)) {
		ir_optimise(&h->region);
		r->why = ir_check(&h->region);
	}
	if (r->why) {
		r->end = P9_HARNESS_BROKEN;
		return false;
	}
	p->cpu.env.fault = 0;
	p->cpu.env.pc = pc;
	if (h->polls)
		p->cpu.env.polls_left = h->polls;
	if ((how & P9_HARNESS_COMPILED) && h->jit) {
		compiled = jit_compile(h->jit, &h->region, pc + (h->path ? h->path->away : 0));
		if (!compiled) {
			/* not "interpreted then": that would prove nothing of the compiler */
			r->end = P9_HARNESS_BROKEN;
			r->why = "the region was not compiled";
			return false;
		}
		leave = jit_run(h->jit, compiled->entry, &p->cpu.env, &left, &index);
		jit_free(h->jit, compiled);
	} else {
		lowered = ir_lower(&h->region);
		if (!lowered) {
			r->end = P9_HARNESS_BROKEN;
			r->why = P9_HARNESS_LARGE;
			return false;
		}
		leave = ir_interp(lowered, &p->cpu.env, &index);
		ir_code_free(lowered);
	}
	r->pc = p->cpu.env.pc;
	if (leave != IR_LEAVE_FAULT && !(p->cpu.mode & P9_MODE_SO) != !p->regs.so) {
		r->end = P9_HARNESS_BROKEN;
		r->why = "the mode is not that of XER[SO]";
		return false;
	}
	if (leave != IR_LEAVE_FAULT)
		return true;
	r->end = P9_HARNESS_FAULT;
	r->vector = p->exc.vector;
	r->srr1_bits = p->exc.srr1_bits;
	return false;
}

void p9_harness_limit(struct p9_harness *h, unsigned level)
{
	if (h->jit)
		jit_limit(h->jit, level);
}

struct p9_harness_result p9_harness_run(struct p9_harness *h, const uint32_t *words, unsigned count,
					uint64_t pc, uint32_t mode, unsigned how)
{
	struct p9_harness_result r = {.end = P9_HARNESS_ENDLESS, .pc = pc};
	uint8_t code[4 * MAX_WORDS];

	if (count > MAX_WORDS) {
		r.end = P9_HARNESS_BROKEN;
		r.why = "too many instructions";
		return r;
	}
	for (unsigned n = 0; n < count; n++) {
		if (mode & P9_MODE_LE)
			st_le32(code + 4 * n, words[n]);
		else
			st_be32(code + 4 * n, words[n]);
	}
	h->p->cpu.mode = mode;
	h->p->regs.msr = msr_of_mode(mode);
	for (unsigned n = 0; n < MAX_STEPS; n++) {
		uint64_t at = r.pc - pc;

		if (at >= 4 * count || at % 4) {
			r.end = P9_HARNESS_DONE;
			break;
		}
		if (!step(h, code + at, 4 * count - (uint32_t)at, r.pc, how, &r))
			break;
	}
	p9_fp_settle(h->p);
	return r;
}

struct p9_harness_result p9_harness_run_path(struct p9_harness *h, struct p9_harness_path *path,
					     uint64_t pc, uint32_t mode, unsigned how)
{
	struct p9_harness_result r = {.end = P9_HARNESS_ENDLESS, .pc = pc};

	h->p->cpu.mode = mode;
	h->p->regs.msr = msr_of_mode(mode);
	h->path = path;
	for (unsigned n = 0; n < MAX_STEPS; n++) {
		uint64_t at = r.pc - path->pc;
		uint32_t bytes = TLB_BLOCK_SIZE - (uint32_t)(r.pc & TLB_BLOCK_MASK);

		if (at >= path->size || at % 4) {
			r.end = P9_HARNESS_DONE;
			break;
		}
		if (path->seen && path->nseen < path->most_seen)
			path->seen[path->nseen++] = r.pc;
		if (bytes > 4 * CPU_REGION_INSNS)
			bytes = 4 * CPU_REGION_INSNS;
		if (bytes > path->size - at)
			bytes = (uint32_t)(path->size - at);
		if (!step(h, path->code + at, bytes, r.pc, how, &r))
			break;
	}
	h->path = NULL;
	h->p->cpu.env.base = 0;
	p9_fp_settle(h->p);
	return r;
}

int p9_harness_signal(const struct p9_harness_result *r)
{
	if (r->end != P9_HARNESS_FAULT)
		return 0;
	switch (r->vector) {
	case P9_VEC_DSI:
	case P9_VEC_DSEGI:
		return SIGSEGV;
	case P9_VEC_ALIGNMENT:
		return SIGBUS;
	case P9_VEC_PROGRAM:
		return r->srr1_bits & P9_PROG_TRAP ? SIGTRAP
		       : r->srr1_bits & P9_PROG_FP ? SIGFPE
						   : SIGILL;
	default:
		return SIGILL;
	}
}
