/*
 * What the IR interpreter takes for an operation, and what making its code takes.
 *
 * Each loop is written as a front end writes it, a few IR instructions for a guest instruction, and
 * runs as it is and after the optimiser. Printed for each: guest instructions and ops of a round,
 * and the best of many measurements in nanoseconds. Times of the lowering and the optimiser are
 * for the loop's region as a whole.
 *
 *   bench_ir_interp [measurements]
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ir/code.h"
#include "ir/interp.h"

#define RAM   65536
#define GUEST UINT64_C(0x10000000)

struct machine {
	struct ir_env env;
	uint64_t gpr[32], crf[8], so, ca, ctr;
	struct tlb tlb;
	_Alignas(4096) uint8_t ram[RAM];
};

#define GPR(n) ((uint32_t)(offsetof(struct machine, gpr) + 8 * (n)))
#define CRF(n) ((uint32_t)(offsetof(struct machine, crf) + 8 * (n)))
#define SO     ((uint32_t)offsetof(struct machine, so))
#define CA     ((uint32_t)offsetof(struct machine, ca))
#define CTR    ((uint32_t)offsetof(struct machine, ctr))

static bool fill(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like, void **host,
		 bool *slow)
{
	struct machine *m = container_of(d, struct machine, env.door);
	struct tlb_entry *e = tlb_slot(d->tlb, addr.v);

	(void)kind;
	(void)store_like;
	if (addr.v - GUEST >= RAM)
		return false;
	*host = &m->ram[addr.v - GUEST];
	*slow = false;
	for (unsigned i = 0; i < 3; i++)
		e->tag[i] = addr.v & ~TLB_BLOCK_MASK;
	e->addend = (uintptr_t)*host - addr.v;
	return true;
}

static const struct mem_door_ops door_ops = {.fill = fill};

static ir_val get(struct ir_region *r, uint32_t offset)
{
	return ir_get(r, IR_I64, offset);
}

static ir_val k64(struct ir_region *r, uint64_t v)
{
	return ir_const(r, IR_I64, v);
}

static ir_val add(struct ir_region *r, ir_val a, uint64_t b)
{
	return ir_bin(r, IR_ADD, a, k64(r, b));
}

/* cmpdi n, v, imm */
static void compare(struct ir_region *r, unsigned n, ir_val v, uint64_t imm)
{
	ir_val c = ir_bin(r, IR_CMP3S, v, k64(r, imm));

	ir_set(r, CRF(n), ir_bin(r, IR_OR, c, ir_get_bits(r, IR_I64, SO, 1)));
}

static ir_val cr_bit(struct ir_region *r, unsigned n, unsigned bit)
{
	return ir_extract(r, ir_get_bits(r, IR_I64, CRF(n), 4), bit, 1);
}

static void load(struct ir_region *r, unsigned rt, ir_val ea, unsigned size)
{
	ir_set(r, GPR(rt), ir_load(r, IR_I64, (struct ir_memop){.size = (uint8_t)size}, ea));
}

/* bdnz: ends the loop's block. */
static void count_down(struct ir_region *r, ir_block loop, ir_block out)
{
	ir_val ctr = add(r, get(r, CTR), UINT64_MAX);

	ir_set(r, CTR, ctr);
	ir_br(r, ir_bin(r, IR_NE, ctr, k64(r, 0)), loop, out);
}

/* lbzu r4,1(r3); cmpdi r4,0; beq out; addi r5,r5,1; b loop */
static void strlen_loop(struct ir_region *r, ir_block loop, ir_block out)
{
	ir_block next = ir_create_block(r);
	ir_val ea;

	ir_insn(r, 0x1000);
	ea = add(r, get(r, GPR(3)), 1);
	load(r, 4, ea, 1);
	ir_set(r, GPR(3), ea);
	ir_insn(r, 0x1004);
	compare(r, 0, get(r, GPR(4)), 0);
	ir_insn(r, 0x1008);
	ir_br(r, cr_bit(r, 0, 1), out, next);
	ir_begin_block(r, next);
	ir_insn(r, 0x100c);
	ir_set(r, GPR(5), add(r, get(r, GPR(5)), 1));
	ir_insn(r, 0x1010);
	ir_jump(r, loop);
}

/* ldx r4,r3,r6; stdx r4,r7,r6; addi r6,r6,8; bdnz loop */
static void copy_loop(struct ir_region *r, ir_block loop, ir_block out)
{
	ir_insn(r, 0x1000);
	load(r, 4, ir_bin(r, IR_ADD, get(r, GPR(3)), get(r, GPR(6))), 8);
	ir_insn(r, 0x1004);
	ir_store(r, (struct ir_memop){.size = 8}, ir_bin(r, IR_ADD, get(r, GPR(7)), get(r, GPR(6))),
		 get(r, GPR(4)));
	ir_insn(r, 0x1008);
	ir_set(r, GPR(6), add(r, get(r, GPR(6)), 8));
	ir_insn(r, 0x100c);
	count_down(r, loop, out);
}

/* ldu r4,8(r3); adde r5,r5,r4; bdnz loop */
static void checksum_loop(struct ir_region *r, ir_block loop, ir_block out)
{
	ir_val ea, a, b, c;

	ir_insn(r, 0x1000);
	ea = add(r, get(r, GPR(3)), 8);
	load(r, 4, ea, 8);
	ir_set(r, GPR(3), ea);
	ir_insn(r, 0x1004);
	a = get(r, GPR(5));
	b = get(r, GPR(4));
	c = ir_get_bits(r, IR_I64, CA, 1);
	ir_set(r, CA, ir_addcarry(r, a, b, c));
	ir_set(r, GPR(5), ir_bin(r, IR_ADD, ir_bin(r, IR_ADD, a, b), c));
	ir_insn(r, 0x1008);
	count_down(r, loop, out);
}

/* mulld r5,r5,r6; rldicl r7,r5,23,41; xor r5,r5,r7; extsw r8,r5; cmpdi cr1,r8,0; bdnz loop */
static void hash_loop(struct ir_region *r, ir_block loop, ir_block out)
{
	ir_insn(r, 0x1000);
	ir_set(r, GPR(5), ir_bin(r, IR_MUL, get(r, GPR(5)), get(r, GPR(6))));
	ir_insn(r, 0x1004);
	ir_set(r, GPR(7), ir_extract(r, get(r, GPR(5)), 41, 23));
	ir_insn(r, 0x1008);
	ir_set(r, GPR(5), ir_bin(r, IR_XOR, get(r, GPR(5)), get(r, GPR(7))));
	ir_insn(r, 0x100c);
	ir_set(r, GPR(8), ir_un(r, IR_SEXT32, get(r, GPR(5))));
	ir_insn(r, 0x1010);
	compare(r, 1, get(r, GPR(8)), 0);
	ir_insn(r, 0x1014);
	count_down(r, loop, out);
}

struct bench {
	const char *name;
	unsigned insns, rounds; /* of a run */
	void (*build)(struct ir_region *r, ir_block loop, ir_block out);
};

static const struct bench benches[] = {
	{"strlen", 5, 4096, strlen_loop},
	{"copy", 4, 2048, copy_loop},
	{"checksum", 3, 4096, checksum_loop},
	{"hash", 6, 4096, hash_loop},
};

static void build(struct ir_region *r, const struct bench *b)
{
	ir_block entry, loop, out;

	ir_region_reset(r);
	entry = ir_create_block(r);
	loop = ir_create_block(r);
	out = ir_create_block(r);
	ir_begin_block(r, entry);
	ir_jump(r, loop);
	ir_begin_block(r, loop);
	ir_poll(r);
	b->build(r, loop, out);
	ir_begin_block(r, out);
	ir_exit_direct(r, 0x2000);
}

static void set_up(struct machine *m, const struct bench *b)
{
	memset(m->gpr, 0, sizeof(m->gpr));
	memset(m->ram, 1, sizeof(m->ram));
	m->ram[b->rounds] = 0;
	m->gpr[3] = GUEST - (b->build == strlen_loop);
	m->gpr[6] = b->build == hash_loop ? 0x9e3779b97f4a7c15 : 0;
	m->gpr[7] = GUEST + RAM / 2;
	m->ctr = b->rounds;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void keep_best(double *best, double t)
{
	if (t < *best)
		*best = t;
}

static void measure(struct machine *m, struct ir_region *r, const struct bench *b, bool optimise,
		    unsigned measurements)
{
	double run = 1e18, lower = 1e18, opt = 1e18, t;
	unsigned ops = 0;

	for (unsigned k = 0; k < measurements; k++) {
		uint32_t exit_index;
		struct ir_code *c;

		build(r, b);
		t = now();
		if (optimise)
			ir_optimise(r);
		keep_best(&opt, now() - t);
		t = now();
		c = ir_lower(r);
		keep_best(&lower, now() - t);
		if (!c)
			abort();
		/* The first op is the loop's: the entry only falls into it. The last is the exit.
		 */
		ops = c->nop - 1;
		m->env.polls_left = UINT32_MAX;
		for (unsigned n = 0; n < 4; n++) {
			set_up(m, b);
			t = now();
			if (ir_interp(c, &m->env, &exit_index) != IR_LEAVE_DIRECT)
				abort();
			keep_best(&run, now() - t);
		}
		ir_code_free(c);
	}
	run /= b->rounds;
	printf("%-9s %-9s %3u insns %3u ops %7.2f ns/round %6.2f ns/insn %5.2f ns/op   lower %5.0f "
	       "ns",
	       b->name, optimise ? "optimised" : "as it is", b->insns, ops, run, run / b->insns,
	       run / ops, lower);
	if (optimise)
		printf(", optimise %5.0f ns", opt);
	putchar('\n');
}

int main(int argc, char **argv)
{
	unsigned measurements = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 300;
	struct machine *m = aligned_alloc(4096, (sizeof(*m) + 4095) / 4096 * 4096);
	struct ir_region r;

	if (!m)
		abort();
	memset(m, 0, sizeof(*m));
	tlb_flush(&m->tlb);
	m->env.door = (struct mem_door){&m->tlb, &door_ops};
	ir_region_init(&r);
	for (unsigned k = 0; k < ARRAY_SIZE(benches); k++) {
		measure(m, &r, &benches[k], false, measurements);
		measure(m, &r, &benches[k], true, measurements);
	}
	ir_region_destroy(&r);
	free(m);
	return 0;
}
