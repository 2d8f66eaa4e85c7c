/*
 * What the optimiser makes of small regions, as text. That it keeps their meaning is for
 * ir_random.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/op.h"
#include "ir_machine.h"
#include "mem/endian.h"

static struct ir_region r;

/* Offsets that are the same in the expected texts whatever the machine's layout is. */
#define R(n) (0x2000 + 8 * (n))
#define V(n) (0x3000 + 16 * (n))
#define CR   0x4000
#define SO   0x4008

static ir_val get(unsigned n)
{
	return ir_get(&r, IR_I64, R(n));
}

static void set(unsigned n, ir_val v)
{
	ir_set(&r, R(n), v);
}

static ir_val k64(uint64_t v)
{
	return ir_const(&r, IR_I64, v);
}

static ir_val bin(enum ir_op op, ir_val a, ir_val b)
{
	return ir_bin(&r, op, a, b);
}

static void begin(void)
{
	ir_region_reset(&r);
	ir_begin_block(&r, ir_create_block(&r));
	ir_insn(&r, 0x1000);
}

static void begin_block(ir_block b)
{
	ir_begin_block(&r, b);
}

/* Optimise, and compare without the marks. */
static void expect(const char *want)
{
	char *text = NULL, *out, *line;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (ir_block_open(&r))
		ir_exit_direct(&r, 0x2000);
	assert_null(ir_check(&r));
	ir_optimise(&r);
	assert_null(ir_check(&r));
	ir_print(&r, f);
	fclose(f);
	out = calloc(1, size + 1);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		line += strspn(line, " ");
		if (!strncmp(line, "insn", 4) || !strcmp(line, "b0:"))
			continue;
		strcat(out, line);
		strcat(out, "\n");
	}
	assert_string_equal(out, want);
	free(text);
	free(out);
}

static void test_constants(void **state)
{
	(void)state;
	/* lis r3,1; ori r3,r3,2; addi r3,r3,-1 */
	begin();
	set(3, k64(0x10000));
	ir_insn(&r, 0x1004);
	set(3, bin(IR_OR, get(3), k64(2)));
	ir_insn(&r, 0x1008);
	set(3, bin(IR_ADD, get(3), k64(UINT64_MAX)));
	expect("%3 = const.i64 0x10001\n"
	       "set.i64 [0x2018] %3\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

/* Of doublewords whose low words are compared the high ones do not count. */
static void test_low_constants(void **state)
{
	(void)state;
	begin();
	set(3, ir_compare_low(&r, IR_EQ, k64(UINT64_MAX), ir_const(&r, IR_I32, UINT32_MAX)));
	set(4, ir_compare_low(&r, IR_CMP3S, k64(UINT64_C(0x1ffffffff)), k64(0)));
	set(5, ir_compare_low(&r, IR_LTU, get(6), k64(UINT64_C(0x100000000))));
	set(7, ir_compare_low(&r, IR_EQ, ir_un(&r, IR_ZEXT8, get(6)), k64(UINT64_C(0x100000000))));
	expect("%1 = const.i64 0x1\n"
	       "set.i64 [0x2018] %1\n"
	       "%3 = const.i64 0x0\n"
	       "set.i64 [0x2020] %1\n"
	       "%5 = get.i64 [0x2030]\n"
	       "%6 = const.i32 0x0\n"
	       "set.i64 [0x2028] %3\n"
	       "%8 = const.i64 0xff\n"
	       "%9 = and.i64 %5, %8\n"
	       "%10 = eq.i64 %9, %6\n"
	       "set.i64 [0x2038] %10\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

/* Addresses of code are the same wherever it runs, or are not; they are aligned as the code is. */
static void test_pcs(void **state)
{
	ir_block away, here;

	(void)state;
	begin();
	away = ir_create_block(&r);
	here = ir_create_block(&r);
	set(3, ir_pc(&r, 0x1238));
	set(4, bin(IR_EQ, ir_pc(&r, 0x1238), ir_pc(&r, 0x11238)));
	ir_br(&r, bin(IR_EQ, bin(IR_AND, get(3), k64(~UINT64_C(3))), ir_pc(&r, 0x1238)), here, away);
	begin_block(away);
	ir_insn(&r, 0x1004);
	ir_exit_indirect(&r, get(3));
	begin_block(here);
	ir_insn(&r, 0x1238);
	set(5, bin(IR_AND, get(3), k64(0xff)));
	expect("%1 = pc.i64 0x1238\n"
	       "set.i64 [0x2018] %1\n"
	       "%3 = const.i64 0x0\n"
	       "set.i64 [0x2020] %3\n"
	       "jump b2\n"
	       "b2:\n"
	       "%7 = const.i64 0xff\n"
	       "%8 = and.i64 %1, %7\n"
	       "set.i64 [0x2028] %8\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

/* What a branch has found once is known behind it: not where its ways have met, nor of what was read anew. */
static void test_decided(void **state)
{
	ir_block yes, no, again, other, meet, last;

	(void)state;
	begin();
	yes = ir_create_block(&r);
	no = ir_create_block(&r);
	again = ir_create_block(&r);
	other = ir_create_block(&r);
	meet = ir_create_block(&r);
	last = ir_create_block(&r);
	ir_br(&r, bin(IR_EQ, get(3), ir_pc(&r, 0x1238)), yes, no);
	begin_block(no);
	ir_insn(&r, 0x1004);
	ir_br(&r, bin(IR_EQ, get(3), ir_pc(&r, 0x1238)), again, meet);
	begin_block(yes);
	ir_insn(&r, 0x1008);
	ir_br(&r, bin(IR_EQ, get(3), ir_pc(&r, 0x1238)), meet, other);
	begin_block(again);
	ir_insn(&r, 0x100c);
	ir_exit_direct(&r, 0x3000);
	begin_block(other);
	ir_insn(&r, 0x1010);
	ir_exit_direct(&r, 0x4000);
	begin_block(meet);
	ir_insn(&r, 0x1014);
	ir_br(&r, bin(IR_EQ, get(3), ir_pc(&r, 0x1238)), last, last);
	begin_block(last);
	ir_insn(&r, 0x1018);
	ir_br(&r, bin(IR_EQ, get(3), ir_pc(&r, 0x1238)), again, other);
	expect("%1 = pc.i64 0x1238\n"
	       "%2 = get.i64 [0x2018]\n"
	       "%3 = eq.i64 %1, %2\n"
	       "br %3, b1, b2\n"
	       "b2:\n"
	       "jump b5\n"
	       "b1:\n"
	       "jump b5\n"
	       "b3:\n"
	       "exit_direct 0x3000 (exit 0)\n"
	       "b4:\n"
	       "exit_direct 0x4000 (exit 1)\n"
	       "b5:\n"
	       "jump b6\n"
	       "b6:\n"
	       "%16 = pc.i64 0x1238\n"
	       "%17 = eq.i64 %2, %16\n"
	       "br %17, b3, b4\n");
}

static void test_forwarding(void **state)
{
	(void)state;
	begin();
	set(3, bin(IR_ADD, get(4), get(5)));
	set(6, bin(IR_XOR, get(3), get(4)));
	/* This puts back what is there. */
	set(4, get(4));
	expect("%1 = get.i64 [0x2028]\n"
	       "%2 = get.i64 [0x2020]\n"
	       "%3 = add.i64 %1, %2\n"
	       "set.i64 [0x2018] %3\n"
	       "%5 = xor.i64 %2, %3\n"
	       "set.i64 [0x2030] %5\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

static void test_parts(void **state)
{
	ir_val v;

	(void)state;
	begin();
	v = bin(IR_ADD, get(4), get(4));
	set(3, v);
	set(5, ir_un(&r, IR_ZEXT32, ir_get(&r, IR_I32, R(3) + (HOST_LITTLE_ENDIAN ? 0 : 4))));
	/* Half of it is written: the whole has to be read. */
	ir_set(&r, R(3), ir_const(&r, IR_I32, 7));
	set(6, get(3));
	expect("%1 = get.i64 [0x2020]\n"
	       "%2 = add.i64 %1, %1\n"
	       "set.i64 [0x2018] %2\n"
	       "%4 = zext32.i64 %2\n"
	       "set.i64 [0x2028] %4\n"
	       "%6 = const.i32 0x7\n"
	       "set.i32 [0x2018] %6\n"
	       "%8 = get.i64 [0x2018]\n"
	       "set.i64 [0x2030] %8\n"
	       "exit_direct 0x2000 (exit 0)\n");
	begin();
	ir_set(&r, V(1), ir_bin(&r, IR_VXOR, ir_get(&r, IR_V128, V(2)), ir_get(&r, IR_V128, V(3))));
	set(3, ir_get(&r, IR_I64, V(1) + (HOST_LITTLE_ENDIAN ? 8 : 0)));
	expect("%1 = get.v128 [0x3030]\n"
	       "%2 = get.v128 [0x3020]\n"
	       "%3 = vxor.v128 %1, %2\n"
	       "set.v128 [0x3010] %3\n"
	       "%5 = vhi.i64 %3\n"
	       "set.i64 [0x2018] %5\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

static void compare(uint64_t imm)
{
	ir_val c = bin(IR_CMP3S, get(3), k64(imm));

	ir_set(&r, CR, bin(IR_OR, c, bin(IR_SHL, ir_get_bits(&r, IR_I64, SO, 1), k64(1))));
}

/* Of two comparisons into one field only the last is made, unless something may look between. */
static void test_dead_sets(void **state)
{
	const struct ir_memop m = {.size = 8};

	(void)state;
	begin();
	compare(5);
	ir_insn(&r, 0x1004);
	compare(6);
	expect("%1 = get.i64 [0x2018]\n"
	       "%2 = const.i64 0x1\n"
	       "%3 = get.i64 [0x4008] bits 1\n"
	       "%4 = shl.i64 %3, %2\n"
	       "%6 = const.i64 0x6\n"
	       "%7 = cmp3s.i64 %1, %6\n"
	       "%8 = or.i64 %4, %7\n"
	       "set.i64 [0x4000] %8\n"
	       "exit_direct 0x2000 (exit 0)\n");
	begin();
	set(4, k64(1));
	ir_insn(&r, 0x1004);
	ir_load(&r, IR_I64, m, get(3));
	set(4, k64(2));
	ir_insn(&r, 0x1008);
	ir_poll(&r);
	set(4, k64(3));
	ir_insn(&r, 0x100c);
	ir_call(&r, &machine_helper[H_READ], NULL, 0);
	set(4, k64(4));
	ir_fence(&r);
	set(4, k64(5));
	expect("%1 = const.i64 0x1\n"
	       "set.i64 [0x2020] %1\n"
	       "%4 = get.i64 [0x2018]\n"
	       "%5 = load.i64 u64le %4\n"
	       "%6 = const.i64 0x2\n"
	       "set.i64 [0x2020] %6\n"
	       "poll 0x1008\n"
	       "%10 = const.i64 0x3\n"
	       "set.i64 [0x2020] %10\n"
	       "%13 = call.i64 read\n"
	       "fence\n"
	       "%15 = const.i64 0x5\n"
	       "set.i64 [0x2020] %15\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

/* A branch on a bit of a comparison compares; the field is dead if it is set on both ways. */
static void test_compare_and_branch(void **state)
{
	ir_block yes, no;
	ir_val bit;

	(void)state;
	begin();
	compare(5);
	ir_insn(&r, 0x1004);
	bit = ir_extract(&r, ir_get_bits(&r, IR_I64, CR, 9), 0, 1);
	yes = ir_create_block(&r);
	no = ir_create_block(&r);
	ir_br(&r, bin(IR_EQ, bit, k64(0)), yes, no);
	begin_block(no);
	ir_set(&r, CR, k64(1));
	ir_exit_direct(&r, 0x3000);
	begin_block(yes);
	ir_set(&r, CR, k64(2));
	expect("%1 = const.i64 0x5\n"
	       "%2 = get.i64 [0x2018]\n"
	       "%4 = lts.i64 %2, %1\n"
	       "br %4, b2, b1\n"
	       "b2:\n"
	       "%6 = const.i64 0x1\n"
	       "set.i64 [0x4000] %6\n"
	       "exit_direct 0x3000 (exit 0)\n"
	       "b1:\n"
	       "%9 = const.i64 0x2\n"
	       "set.i64 [0x4000] %9\n"
	       "exit_direct 0x2000 (exit 1)\n");
}

static void test_branches(void **state)
{
	ir_block a, b, c;

	(void)state;
	/* A constant condition, and a way through an empty block. */
	begin();
	a = ir_create_block(&r);
	b = ir_create_block(&r);
	c = ir_create_block(&r);
	ir_br(&r, bin(IR_LTU, k64(2), k64(1)), a, b);
	begin_block(a);
	set(1, k64(1));
	ir_jump(&r, c);
	begin_block(b);
	ir_jump(&r, c);
	begin_block(c);
	expect("jump b3\n"
	       "b3:\n"
	       "exit_direct 0x2000 (exit 0)\n");
	/* Both ways lead to one place. */
	begin();
	a = ir_create_block(&r);
	ir_br(&r, get(1), a, a);
	begin_block(a);
	expect("jump b1\n"
	       "b1:\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

/* Registers that a loop does not change need not be read in it again. */
static void test_loop(void **state)
{
	ir_block loop, out;
	ir_val v;

	(void)state;
	begin();
	loop = ir_create_block(&r);
	out = ir_create_block(&r);
	set(2, bin(IR_ADD, get(1), k64(8)));
	ir_jump(&r, loop);
	begin_block(loop);
	ir_poll(&r);
	ir_insn(&r, 0x1004);
	v = bin(IR_ADD, get(3), get(2));
	set(3, v);
	ir_br(&r, bin(IR_LTU, v, get(1)), loop, out);
	begin_block(out);
	expect("%1 = const.i64 0x8\n"
	       "%2 = get.i64 [0x2008]\n"
	       "%3 = add.i64 %2, %1\n"
	       "set.i64 [0x2010] %3\n"
	       "jump b1\n"
	       "b1:\n"
	       "poll 0x1004\n"
	       "%8 = get.i64 [0x2018]\n"
	       "%9 = add.i64 %3, %8\n"
	       "set.i64 [0x2018] %9\n"
	       "%11 = ltu.i64 %9, %2\n"
	       "br %11, b1, b2\n"
	       "b2:\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

static void test_calls(void **state)
{
	ir_val args[2];

	(void)state;
	begin();
	args[0] = get(1);
	args[1] = k64(3);
	set(2, ir_call(&r, &machine_helper[H_PURE], args, 2));
	args[1] = k64(3);
	set(3, ir_call(&r, &machine_helper[H_PURE], args, 2));
	ir_call(&r, &machine_helper[H_PURE], args, 2);
	/* Whoever writes state makes all of it unknown. */
	ir_call(&r, &machine_helper[H_WRITE], args, 1);
	set(4, get(1));
	expect("%1 = get.i64 [0x2008]\n"
	       "%2 = const.i64 0x3\n"
	       "%3 = call.i64 pure %1, %2\n"
	       "set.i64 [0x2010] %3\n"
	       "set.i64 [0x2018] %3\n"
	       "call write %1\n"
	       "%7 = get.i64 [0x2008]\n"
	       "set.i64 [0x2020] %7\n"
	       "exit_direct 0x2000 (exit 0)\n");
}

/* One operation on registers 1 and 2, and what becomes of it. */
static void one(ir_val v, const char *want)
{
	char text[400];

	if (ir_type_of(&r, v) == IR_I32)
		v = ir_un(&r, IR_ZEXT32, v);
	set(3, v);
	snprintf(text, sizeof(text), "%sexit_direct 0x2000 (exit 0)\n", want);
	expect(text);
}

#define X  "%1 = get.i64 [0x2008]\n"
#define Y  "%2 = get.i64 [0x2010]\n"
#define Y1 "%1 = get.i64 [0x2010]\n"

static void test_algebra(void **state)
{
	ir_val x, y;

	(void)state;
#define ONE(expr, want)                                                                            \
	begin();                                                                                   \
	x = get(1);                                                                                \
	y = get(2);                                                                                \
	(void)y;                                                                                   \
	one(expr, want)

	ONE(bin(IR_ADD, x, k64(0)), X "set.i64 [0x2018] %1\n");
	ONE(bin(IR_SUB, x, x), "%1 = const.i64 0x0\nset.i64 [0x2018] %1\n");
	ONE(bin(IR_SUB, x, k64(8)), X "%2 = const.i64 0xfffffffffffffff8\n"
				      "%3 = add.i64 %1, %2\nset.i64 [0x2018] %3\n");
	ONE(bin(IR_MUL, x, k64(16)), X "%2 = const.i64 0x4\n%3 = shl.i64 %1, %2\n"
				       "set.i64 [0x2018] %3\n");
	/* subf as its carrying relatives are defined */
	ONE(bin(IR_ADD, bin(IR_ADD, ir_un(&r, IR_NOT, x), y), k64(1)),
	    X Y "%3 = sub.i64 %2, %1\nset.i64 [0x2018] %3\n");
	ONE(ir_addcarry(&r, ir_un(&r, IR_NOT, x), y, k64(1)),
	    X Y "%3 = leu.i64 %1, %2\nset.i64 [0x2018] %3\n");
	/* sums with a carry that are only the carry: addic, subfe as a test for zero; subfe of one register */
	ONE(ir_addcarry(&r, x, k64(UINT64_MAX), k64(0)),
	    X "%2 = const.i64 0x0\n%3 = ne.i64 %1, %2\nset.i64 [0x2018] %3\n");
	ONE(ir_addc(&r, ir_un(&r, IR_NOT, bin(IR_ADD, x, k64(UINT64_MAX))), x,
		    ir_get_bits(&r, IR_I64, SO, 1)),
	    "%1 = get.i64 [0x4008] bits 1\nset.i64 [0x2018] %1\n");
	ONE(ir_addc(&r, ir_un(&r, IR_NOT, x), x, ir_get_bits(&r, IR_I64, SO, 1)),
	    "%1 = get.i64 [0x4008] bits 1\n%2 = const.i64 0xffffffffffffffff\n%3 = add.i64 %1, %2\n"
	    "set.i64 [0x2018] %3\n");
	ONE(ir_addcarry(&r, ir_un(&r, IR_NOT, x), x, ir_get_bits(&r, IR_I64, SO, 1)),
	    "%1 = get.i64 [0x4008] bits 1\nset.i64 [0x2018] %1\n");
	ONE(ir_addc(&r, ir_un(&r, IR_NOT, x), y, k64(1)),
	    X Y "%3 = sub.i64 %2, %1\nset.i64 [0x2018] %3\n");
	ONE(bin(IR_XOR, x, ir_un(&r, IR_NOT, x)),
	    "%1 = const.i64 0xffffffffffffffff\nset.i64 [0x2018] %1\n");
	ONE(ir_un(&r, IR_NOT, bin(IR_ADD, x, k64(UINT64_MAX))), X "%2 = neg.i64 %1\nset.i64 [0x2018] %2\n");
	/* greater: neither less nor equal */
	ONE(bin(IR_EQ, bin(IR_AND, bin(IR_CMP3S, x, y), k64(0x101)), k64(0)),
	    X Y "%3 = lts.i64 %2, %1\nset.i64 [0x2018] %3\n");
	/* rotate and mask */
	ONE(bin(IR_AND, bin(IR_ROTL, x, k64(60)), k64(0xff)),
	    X "%2 = extract.i64 4+8 %1\nset.i64 [0x2018] %2\n");
	ONE(bin(IR_AND, bin(IR_ROTL, x, k64(8)), k64(UINT64_MAX << 8)),
	    X "%2 = const.i64 0x8\n%3 = shl.i64 %1, %2\nset.i64 [0x2018] %3\n");
	ONE(bin(IR_SHR, bin(IR_SHL, x, k64(32)), k64(32)),
	    X "%2 = zext32.i64 %1\nset.i64 [0x2018] %2\n");
	/* is it zero? */
	ONE(bin(IR_SHR, ir_un(&r, IR_CLZ, x), k64(6)),
	    X "%2 = const.i64 0x0\n%3 = eq.i64 %1, %2\nset.i64 [0x2018] %3\n");
	ONE(ir_un(&r, IR_SEXT32, ir_un(&r, IR_SEXT8, x)),
	    X "%2 = sext8.i64 %1\nset.i64 [0x2018] %2\n");
	ONE(ir_un(&r, IR_ZEXT32, ir_un(&r, IR_TRUNC32, ir_un(&r, IR_ZEXT8, x))),
	    X "%2 = const.i64 0xff\n%3 = and.i64 %1, %2\nset.i64 [0x2018] %3\n");
	/* comparisons of words */
	ONE(bin(IR_CMP3S, ir_un(&r, IR_SEXT32, x), ir_un(&r, IR_SEXT32, y)),
	    X Y "%3 = cmp3s.i64 %1, %2\nset.i64 [0x2018] %3\n");
	ONE(bin(IR_EQ, bin(IR_LTS, x, y), k64(0)),
	    X Y "%3 = les.i64 %2, %1\nset.i64 [0x2018] %3\n");
	ONE(bin(IR_LTU, bin(IR_AND, x, k64(0xff)), k64(0x100)),
	    "%1 = const.i64 0x1\nset.i64 [0x2018] %1\n");
	ONE(ir_select(&r, bin(IR_LTU, x, y), k64(1), k64(0)),
	    X Y "%3 = ltu.i64 %1, %2\nset.i64 [0x2018] %3\n");
	ONE(ir_extract(&r, ir_deposit(&r, x, y, 8, 16), 12, 4),
	    Y1 "%2 = extract.i64 4+4 %1\nset.i64 [0x2018] %2\n");
}

static ir_val getv(unsigned n)
{
	return ir_get(&r, IR_V128, V(n));
}

static ir_val select_bytes(ir_val high, ir_val low, uint64_t upper, uint64_t lower)
{
	return ir_vperm2(&r, high, low, ir_vconst(&r, (u128)upper << 64 | lower));
}

#define TURN    0x0001020304050607, 0x08090a0b0c0d0e0f
#define SWAP    0x0706050403020100, 0x0f0e0d0c0b0a0908
#define LOWEST  0x1716151413121110, 0x0706050403020100 /* the lower halves of two */
#define HIGHEST 0x1f1e1d1c1b1a1918, 0x0f0e0d0c0b0a0908

static void test_permutations(void **state)
{
	ir_val a, b, c;

	(void)state;
#define VECTOR(expr, want)                                                                         \
	begin();                                                                                   \
	a = getv(1);                                                                               \
	b = getv(2);                                                                               \
	c = getv(4);                                                                               \
	(void)b;                                                                                   \
	(void)c;                                                                                   \
	ir_set(&r, V(3), expr);                                                                    \
	expect(want "exit_direct 0x2000 (exit 0)\n")

#define A   "%1 = get.v128 [0x3010]\n"
#define B   "%2 = get.v128 [0x3020]\n"
#define SET "set.v128 [0x3030] "

	/* A big-endian element load of a little-endian program, and its exchange of the halves. */
	VECTOR(select_bytes(select_bytes(a, a, SWAP), select_bytes(a, a, SWAP), SWAP), A SET "%1\n");
	VECTOR(select_bytes(b, a, 0x0f0e0d0c0b0a0908, 0x0706050403020100), A SET "%1\n");
	VECTOR(ir_bin(&r, IR_VMAKE, ir_un(&r, IR_VLO, a), ir_un(&r, IR_VLO, b)),
	       A B "%3 = vconst.v128 0x17161514131211100706050403020100\n"
		   "%4 = vperm2.v128 %1, %2, %3\n" SET "%4\n");
	/* Halves of halves of two. */
	VECTOR(select_bytes(select_bytes(a, b, HIGHEST), select_bytes(a, b, LOWEST), HIGHEST),
	       A SET "%1\n");
	/* What is made of three is left alone. */
	VECTOR(select_bytes(select_bytes(a, b, LOWEST), c, 0x1f1e1d1c13121110,
			    0x0706050403020100),
	       A B "%3 = get.v128 [0x3040]\n%4 = vconst.v128 0x17161514131211100706050403020100\n"
		   "%5 = vperm2.v128 %1, %2, %4\n"
		   "%6 = vconst.v128 0x1f1e1d1c131211100706050403020100\n"
		   "%7 = vperm2.v128 %5, %3, %6\n" SET "%7\n");
	/* The half of a permutation is a half. */
	VECTOR(ir_vun(&r, IR_VDUP, 3, ir_un(&r, IR_VHI, select_bytes(b, a, LOWEST))),
	       "%1 = get.v128 [0x3020]\n%2 = vlo.i64 %1\n%3 = vdup.v128.64 %2\n" SET "%3\n");
	/* Constants. */
	VECTOR(select_bytes(ir_vconst(&r, 0), ir_vconst(&r, (u128)1 << 120), TURN),
	       "%1 = vconst.v128 0x00000000000000000000000000000001\n" SET "%1\n");
	VECTOR(ir_bin(&r, IR_VXOR, a, a),
	       "%1 = vconst.v128 0x00000000000000000000000000000000\n" SET "%1\n");
	VECTOR(ir_bin(&r, IR_VAND, a, ir_un(&r, IR_VNOT, b)),
	       A B "%3 = vandn.v128 %1, %2\n" SET "%3\n");
}

/* The windows of the region's accesses, in their order, plus 1. */
static void expect_windows(const bool *has, unsigned n)
{
	unsigned at = 0, seen[8] = { 0 };

	ir_exit_direct(&r, 0x2000);
	assert_null(ir_check(&r));
	ir_optimise_shared(&r);
	assert_null(ir_check(&r));
	for (uint32_t id = 0; id < r.ninst; id++) {
		const struct ir_inst *i = &r.inst[id];

		if (i->op != IR_LOAD && i->op != IR_STORE && i->op != IR_PROBE)
			continue;
		assert_true(at < n);
		seen[at] = ir_window_of(i->imm, (enum ir_op)i->op);
		assert_int_equal(seen[at] != 0, has[at]);
		for (unsigned k = 0; k < at; k++)
			assert_true(!seen[at] || seen[at] != seen[k]);
		at++;
	}
	assert_int_equal(at, n);
}

static void test_windows(void **state)
{
	static const struct ir_memop byte = { .size = 1 }, wide = { .size = 8 };
	static const bool want[] = { false, true, false, true, false, true };
	ir_val small, v;

	(void)state;
	begin();
	/* a pointer, a table by what is there, a large index, stores by the same, and two of an entry */
	small = ir_load(&r, IR_I64, byte, get(1));
	set(2, ir_load(&r, IR_I64, wide, bin(IR_ADD, get(3), bin(IR_SHL, small, k64(3)))));
	ir_insn(&r, 0x1004);
	set(4, ir_load(&r, IR_I64, wide, bin(IR_ADD, get(3), bin(IR_SHL, get(4), k64(3)))));
	ir_insn(&r, 0x1008);
	ir_store(&r, wide, bin(IR_ADD, bin(IR_AND, get(5), k64(0xff8)), get(6)), small);
	ir_insn(&r, 0x100c);
	ir_store(&r, wide, bin(IR_ADD, bin(IR_AND, get(5), get(7)), get(6)), small);
	ir_insn(&r, 0x1010);
	v = bin(IR_ADD, get(8), ir_extract(&r, get(9), 20, 12));
	set(10, ir_load(&r, IR_I64, wide, v));
	ir_insn(&r, 0x1014);
	set(11, ir_load(&r, IR_I64, wide, bin(IR_ADD, v, k64(16))));
	expect_windows(want, 6);
}

/* In a loop: an array by an index, the same again, what is at a pointer that steps, and what one finds there. */
static void test_stepping_windows(void **state)
{
	static const struct ir_memop byte = { .size = 1 }, wide = { .size = 8 };
	unsigned seen[8] = { 0 }, n = 0;
	ir_block head, out;

	(void)state;
	begin();
	head = ir_create_block(&r);
	out = ir_create_block(&r);
	set(9, ir_load(&r, IR_I64, wide, get(1)));
	ir_jump(&r, head);
	ir_begin_block(&r, head);
	ir_insn(&r, 0x1004);
	ir_store(&r, byte, bin(IR_ADD, get(1), get(2)), get(3));
	ir_insn(&r, 0x1008);
	ir_store(&r, wide, bin(IR_ADD, bin(IR_ADD, get(2), get(1)), k64(4096)), get(3));
	ir_insn(&r, 0x100c);
	set(2, bin(IR_ADD, get(2), get(4)));
	ir_insn(&r, 0x1010);
	set(5, ir_load(&r, IR_I64, wide, get(6)));
	ir_insn(&r, 0x1014);
	set(6, bin(IR_SUB, get(6), k64(8)));
	ir_insn(&r, 0x1018);
	set(7, ir_load(&r, IR_I64, wide, get(5)));
	/* The next of a list; a place in a table, by bits of something. */
	ir_insn(&r, 0x101c);
	set(8, ir_load(&r, IR_I64, wide, get(8)));
	ir_insn(&r, 0x1020);
	set(10, ir_load(&r, IR_I64, wide, bin(IR_ADD, get(1), bin(IR_MUL, get(7), get(3)))));
	ir_insn(&r, 0x1024);
	ir_br(&r, get(7), head, out);
	ir_begin_block(&r, out);
	ir_insn(&r, 0x1028);
	ir_exit_direct(&r, 0x2000);
	assert_null(ir_check(&r));
	ir_optimise_shared(&r);
	assert_null(ir_check(&r));
	for (uint32_t id = 0; id < r.ninst; id++) {
		const struct ir_inst *i = &r.inst[id];

		if ((i->op == IR_LOAD || i->op == IR_STORE) && n < ARRAY_SIZE(seen))
			seen[n++] = ir_window_of(i->imm, (enum ir_op)i->op);
	}
	assert_int_equal(n, 7);
	assert_int_equal(seen[0], 0);
	assert_int_equal(tlb_window_kind(seen[1] - 1), TLB_WINDOW_WRITE);
	assert_int_equal(seen[2], seen[1]);
	assert_in_range(seen[3], 1, TLB_WINDOWS_OF_KIND);
	for (unsigned k = 4; k < n; k++)
		assert_int_equal(seen[k], 0);
}

static struct ir_probe only_probe(void)
{
	struct ir_probe p = { 0 };
	unsigned n = 0;

	assert_null(ir_check(&r));
	ir_optimise_shared(&r);
	assert_null(ir_check(&r));
	for (uint32_t id = 0; id < r.ninst; id++) {
		const struct ir_inst *i = &r.inst[id];

		if (i->op == IR_PROBE) {
			p = ir_probe_of(i->imm, i->aux);
			n++;
		}
	}
	assert_true(n <= 1);
	return p;
}

/* A load, and then a store at an offset, off a sum that is made for each: perhaps in another block. */
static struct ir_probe load_and_store(bool elsewhere, uint64_t offset)
{
	static const struct ir_memop wide = { .size = 8 };
	ir_block yes, no;

	begin();
	set(4, ir_load(&r, IR_I64, wide, bin(IR_ADD, get(1), get(2))));
	ir_insn(&r, 0x1004);
	if (elsewhere) {
		yes = ir_create_block(&r);
		no = ir_create_block(&r);
		ir_br(&r, get(3), yes, no);
		begin_block(no);
		ir_exit_direct(&r, 0x2000);
		begin_block(yes);
		ir_insn(&r, 0x1008);
	}
	ir_store(&r, wide, bin(IR_ADD, bin(IR_ADD, get(2), get(1)), k64(offset)), get(3));
	ir_exit_direct(&r, 0x3000);
	return only_probe();
}

/* A load's check is one for stores, too, if these are sure to follow or store what was loaded; it faults as a load. */
static void test_shared_stores(void **state)
{
	struct ir_probe p;

	(void)state;
	p = load_and_store(false, 16);
	assert_int_equal(p.size, 8);
	assert_int_equal(p.kind, MEM_READ);
	assert_true(p.both);
	assert_int_equal(p.high, 24);
	p = load_and_store(true, 0);
	assert_int_equal(p.size, 8);
	assert_int_equal(p.kind, MEM_READ);
	assert_true(p.both);
	assert_int_equal(p.high, 8);
	assert_int_equal(load_and_store(true, 16).size, 0);
}

/* What is steady has a window for loads and one for all else, each the same in all regions; tables have the others. */
static void test_steady_windows(void **state)
{
	static const struct ir_memop wide = { .size = 8 };
	unsigned seen[4] = { 0 }, n = 0;

	(void)state;
	begin();
	r.steady[1] = R(1);
	set(2, ir_load(&r, IR_I64, wide, get(1)));
	ir_insn(&r, 0x1004);
	set(3, ir_load(&r, IR_I64, wide, get(2)));
	ir_insn(&r, 0x1008);
	ir_store(&r, wide, bin(IR_ADD, get(1), k64(2400)), get(4));
	ir_insn(&r, 0x100c);
	/* Where it pointed to before is no more than a value; what it has been set to is not where it was. */
	set(1, get(5));
	ir_insn(&r, 0x1010);
	set(6, ir_load(&r, IR_I64, wide, get(1)));
	ir_exit_direct(&r, 0x2000);
	ir_optimise_shared(&r);
	assert_null(ir_check(&r));
	for (uint32_t id = 0; id < r.ninst; id++) {
		const struct ir_inst *i = &r.inst[id];

		if (i->op == IR_LOAD || i->op == IR_STORE)
			seen[n++] = ir_window_of(i->imm, (enum ir_op)i->op);
	}
	assert_int_equal(n, 4);
	assert_int_equal(seen[0], TLB_WINDOWS_OF_KIND);
	assert_int_equal(seen[1], 0);
	assert_int_equal(seen[2], TLB_WINDOWS);
	assert_int_equal(seen[3], 0);
	ir_region_reset(&r);
	assert_int_equal(r.steady[1], 0);
}

/* Each selection tests the masked bits itself, and nothing is left of what they shared; another user's stays. */
static void test_shared_conditions(void **state)
{
	uint32_t ands = 0, selects = 0;
	ir_val bit;

	(void)state;
	for (unsigned kept = 0; kept < 2; kept++) {
		begin();
		bit = bin(IR_AND, get(1), k64(64));
		set(2, ir_select(&r, bit, k64(0), bin(IR_SHL, get(3), get(1))));
		set(4, ir_select(&r, bit, k64(0), bin(IR_SHR, get(5), get(1))));
		if (kept)
			set(6, bit);
		ir_exit_direct(&r, 0x2000);
		ir_optimise_shared(&r);
		assert_null(ir_check(&r));
		ands = selects = 0;
		for (uint32_t id = 0; id < r.ninst; id++) {
			const struct ir_inst *i = &r.inst[id];

			ands += i->op == IR_AND;
			if (i->op != IR_SELECT)
				continue;
			selects++;
			assert_int_equal(i->arg[0], id - 1);
			assert_int_equal(r.inst[id - 1].op, IR_AND);
		}
		assert_int_equal(selects, 2);
		assert_int_equal(ands, 2 + kept);
	}
}

static int setup(void **state)
{
	(void)state;
	ir_region_init(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ir_region_destroy(&r);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_low_constants),
		cmocka_unit_test(test_pcs),
		cmocka_unit_test(test_decided),
		cmocka_unit_test(test_forwarding),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_dead_sets),
		cmocka_unit_test(test_compare_and_branch),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_algebra), cmocka_unit_test(test_permutations),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_steady_windows),
		cmocka_unit_test(test_stepping_windows),
		cmocka_unit_test(test_shared_stores),
		cmocka_unit_test(test_shared_conditions),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
