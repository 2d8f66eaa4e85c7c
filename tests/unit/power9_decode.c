/*
 * The POWER9 instruction table and its decoder: the table's own consistency, the index against a
 * plain search, known words, and the field accessors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cpu/power9/insn.h"
#include "util/compiler.h"

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

static void each_row_is_well_formed(void **state)
{
	size_t count;
	const struct p9_insn_desc *table = p9_insn_table(&count);

	(void)state;
	assert_int_equal(count, P9_OP_COUNT);
	for (size_t r = 0; r < count; r++) {
		const struct p9_insn_desc *d = &table[r];
		bool end = false;
		uint32_t used;

		assert_int_equal(d->op, r);
		assert_true(d->mnemonic && d->mnemonic[0]);
		assert_int_equal(d->mask >> 26, 63);
		assert_int_equal(d->value & ~d->mask, 0);

		/* operands lie outside the opcode and apart from each other */
		used = d->mask;
		for (unsigned n = 0; n < P9_OPERANDS_MAX; n++) {
			uint32_t bits;

			if (d->operands[n] == P9_OPND_NONE) {
				end = true;
				continue;
			}
			assert_false(end);
			assert_in_range(d->operands[n], 1, P9_OPND_COUNT - 1);
			bits = p9_operand_mask(d->operands[n]);
			assert_int_not_equal(bits, 0);
			if (bits & used)
				fail_msg("%s: operand %u overlaps", d->mnemonic, n);
			used |= bits;
			/* D(RA): a displacement has its base register behind it */
			if (p9_operand(d->operands[n])->kind == P9_KIND_DISP) {
				assert_true(n + 1 < P9_OPERANDS_MAX);
				assert_int_equal(p9_operand(d->operands[n + 1])->field,
						 P9_FIELD_RA);
			}
		}
		/* so do the modifiers */
		if (d->flags & (P9_FLAG_RC | P9_FLAG_RC_CR1 | P9_FLAG_LK | P9_FLAG_RO | P9_FLAG_EX))
			assert_false(used & 1);
		if (d->flags & P9_FLAG_AA)
			assert_false(used & 2);
		if (d->flags & (P9_FLAG_OE | P9_FLAG_RC_CR6))
			assert_false(used & 1 << 10);
		/* a dot in the mnemonic is a fixed Rc, not a modifier */
		if (d->mnemonic[strlen(d->mnemonic) - 1] == '.')
			assert_false(d->flags & (P9_FLAG_RC | P9_FLAG_RC_CR1 | P9_FLAG_RC_CR6));
		if (d->flags & P9_FLAG_UPDATE)
			assert_true(d->flags & P9_FLAG_INVALID_RA_0);
	}
}

/* Two rows of which both match a word must differ in specificity; in fact none overlap. */
static void no_two_rows_overlap(void **state)
{
	size_t count;
	const struct p9_insn_desc *table = p9_insn_table(&count);

	(void)state;
	for (size_t a = 0; a < count; a++) {
		for (size_t b = 0; b < a; b++) {
			if (!((table[a].value ^ table[b].value) & table[a].mask & table[b].mask))
				fail_msg("%s and %s overlap", table[a].mnemonic, table[b].mnemonic);
		}
	}
}

static void each_row_decodes_to_itself(void **state)
{
	size_t count;
	const struct p9_insn_desc *table = p9_insn_table(&count);

	(void)state;
	for (size_t r = 0; r < count; r++) {
		const struct p9_insn_desc *d = &table[r];

		for (int n = 0; n < 64; n++) {
			uint32_t raw = d->value | (random32() & ~d->mask);
			struct p9_insn i;

			assert_true(p9_decode(raw, &i));
			assert_int_equal(i.raw, raw);
			assert_int_equal(i.op, r);
			assert_ptr_equal(i.desc, d);
		}
	}
}

/* The index finds what a search of the whole table finds. */
static void index_agrees_with_search(void **state)
{
	size_t count;
	const struct p9_insn_desc *table = p9_insn_table(&count);

	(void)state;
	for (int n = 0; n < 200000; n++) {
		uint32_t raw = random32();
		const struct p9_insn_desc *found = NULL;
		struct p9_insn i;

		for (size_t r = 0; r < count && !found; r++) {
			if ((raw & table[r].mask) == table[r].value)
				found = &table[r];
		}
		assert_int_equal(p9_decode(raw, &i), found != NULL);
		assert_ptr_equal(i.desc, found);
	}
}

static void known_words(void **state)
{
	static const struct {
		uint32_t raw;
		enum p9_op op;
	} words[] = {
	    /* branch */
	    {0x48000100, P9_OP_b},
	    {0x418a0043, P9_OP_bc},
	    {0x4e801821, P9_OP_bclr},
	    {0x4e800461, P9_OP_bctar},
	    {0x4c22f902, P9_OP_crandc},
	    {0x44000022, P9_OP_sc},
	    {0x440000a1, P9_OP_scv},
	    /* fixed-point */
	    {0x3860ffff, P9_OP_addi},
	    {0x4cffffc4, P9_OP_addpcis},
	    {0x7c642e15, P9_OP_add},
	    {0x7c642954, P9_OP_addex},
	    {0x10221933, P9_OP_maddld},
	    {0x7c60299e, P9_OP_isel},
	    {0x78835863, P9_OP_rldicl},
	    {0x7c83fe77, P9_OP_sradi},
	    {0x7c830ef6, P9_OP_extswsli},
	    {0xe8618000, P9_OP_ld},
	    {0xf8850012, P9_OP_stq},
	    {0xe0c7fff0, P9_OP_lq},
	    {0x7fe02b67, P9_OP_mtvsrdd},
	    {0x7c7042a6, P9_OP_mfspr},
	    {0x7c708120, P9_OP_mtocrf},
	    {0x7c6fe120, P9_OP_mtcrf},
	    {0x7cb04de5, P9_OP_reserved_no_op_754}, /* hashchk of ISA 3.1 */
	    /* storage */
	    {0x7c642829, P9_OP_lwarx},
	    {0x7cc7416d, P9_OP_stqcx_dot},
	    {0x7c23260c, P9_OP_copy},
	    {0x7c23270d, P9_OP_paste_dot},
	    {0x7c6484cc, P9_OP_ldat},
	    {0x7c6205e6, P9_OP_darn},
	    {0x7c0004ac, P9_OP_sync},
	    {0x7e00066c, P9_OP_dss}, /* dssall, as Linux has it */
	    /* transactional memory */
	    {0x7c20051d, P9_OP_tbegin_dot},
	    {0x7ca6ee9d, P9_OP_tabortwci_dot},
	    {0x7c03075d, P9_OP_treclaim_dot},
	    /* Book III */
	    {0x4c000024, P9_OP_rfid},
	    {0x4c000224, P9_OP_hrfid},
	    {0x4c0002e4, P9_OP_stop},
	    {0x7c8b1a64, P9_OP_tlbie},
	    {0x7c851a24, P9_OP_tlbiel},
	    {0x7c6027a7, P9_OP_slbfee_dot},
	    {0x7c00199c, P9_OP_msgsnd},
	    {0x7c610164, P9_OP_mtmsrd},
	    /* floating-point */
	    {0xfc2220fb, P9_OP_fmadd},
	    {0xfc2220ee, P9_OP_fsel},
	    {0xfc77148e, P9_OP_mffscrni},
	    {0xfffe1d8e, P9_OP_mtfsf},
	    {0xff811040, P9_OP_fcmpo},
	    {0x7c642eae, P9_OP_lfiwax},
	    /* decimal */
	    {0xfc443005, P9_OP_daddq},
	    {0xec702486, P9_OP_dquai},
	    {0xecbf1d46, P9_OP_dtstsfi},
	    /* vector */
	    {0x10221bec, P9_OP_vsldoi},
	    {0x10221cc7, P9_OP_vcmpequd},
	    {0x10221923, P9_OP_vmsumudm},
	    {0x10221e01, P9_OP_bcdadd_dot},
	    {0x103a1602, P9_OP_vextsw2d},
	    {0x1022fec2, P9_OP_vshasigmad},
	    /* vector-scalar */
	    {0xf463fff9, P9_OP_lxv},
	    {0xf784002d, P9_OP_stxv},
	    {0x7c202219, P9_OP_lxvx},
	    {0xf0221a53, P9_OP_xxpermdi},
	    {0xf0221f5f, P9_OP_xvcmpgtdp},
	    {0xf022193c, P9_OP_xxsel},
	    {0xf03517eb, P9_OP_xvtstdcdp},
	    {0xfc221809, P9_OP_xsaddqp},
	    {0xfc411e0b, P9_OP_xsrqpi},
	    {0xfc341689, P9_OP_xscvqpdp},
	    {0xf027fad1, P9_OP_xxspltib},
	    {0xf0600d6e, P9_OP_xsxexpdp},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(words); n++) {
		struct p9_insn i;

		assert_true(p9_decode(words[n].raw, &i));
		assert_int_equal(i.op, words[n].op);
	}
}

static void illegal_words(void **state)
{
	static const uint32_t words[] = {
	    0x00000000, /* always illegal: Book I 1.8 */
	    0x00000200, /* attn: only where an implementation enables it */
	    0x04000000, /* primary opcode 1: prefixes, ISA 3.1 */
	    0x18000000, /* primary opcode 6: lxvp, ISA 3.1 */
	    0x4c000064, /* rfi */
	    0x4c000264, /* urfid: ISA 3.0C */
	    0x7c0001a4, /* mtsr */
	    0x7c00032c, /* icswx */
	    0x7c00012c, /* stwcx. without its 1 in bit 31 */
	    0x7c00060c, /* copy without its 1 in bit 10 */
	    0x7c000400, /* mcrxr */
	    0xf00000d8, /* xscmpnedp: not in 3.0B */
	    0xfc1f048e, /* mffs with unassigned bits 11:15 */
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(words); n++) {
		struct p9_insn i;

		assert_false(p9_decode(words[n], &i));
		assert_null(i.desc);
	}
}

static struct p9_insn insn(uint32_t raw)
{
	struct p9_insn i;

	assert_true(p9_decode(raw, &i));
	return i;
}

static void fields(void **state)
{
	struct p9_insn i;

	(void)state;
	i = insn(0x3860ffff); /* addi r3,0,-1 */
	assert_int_equal(insn_RT(&i), 3);
	assert_int_equal(insn_RA(&i), 0);
	assert_int_equal(insn_SI(&i), -1);
	assert_int_equal(insn_UI(&i), 0xffff);
	i = insn(0x4cffffc4); /* addpcis r7,-2 */
	assert_int_equal(insn_DX(&i), -2);
	i = insn(0x4bfffffd); /* bl .-4 */
	assert_int_equal(insn_LI(&i), -4);
	assert_int_equal(insn_LK(&i), 1);
	assert_int_equal(insn_AA(&i), 0);
	i = insn(0x418a0043); /* bcla 12,10,0x40 */
	assert_int_equal(insn_BO(&i), 12);
	assert_int_equal(insn_BI(&i), 10);
	assert_int_equal(insn_BD(&i), 0x40);
	assert_int_equal(insn_AA(&i), 1);
	i = insn(0x4e801821); /* bclrl 20,0,3 */
	assert_int_equal(insn_BH(&i), 3);
	i = insn(0x44000022); /* sc 1 */
	assert_int_equal(insn_LEV(&i), 1);
	i = insn(0xe8618000); /* ld r3,-32768(r1) */
	assert_int_equal(insn_DS(&i), -32768);
	i = insn(0xe0c7fff0); /* lq r6,-16(r7) */
	assert_int_equal(insn_DQ(&i), -16);
	i = insn(0x78835863); /* rldicl. r3,r4,43,33 */
	assert_int_equal(insn_RS(&i), 4);
	assert_int_equal(insn_SH6(&i), 43);
	assert_int_equal(insn_MB6(&i), 33);
	assert_int_equal(insn_Rc(&i), 1);
	i = insn(0x5483801e); /* rlwinm r3,r4,16,0,15 */
	assert_int_equal(insn_SH(&i), 16);
	assert_int_equal(insn_MB(&i), 0);
	assert_int_equal(insn_ME(&i), 15);
	i = insn(0x7c7042a6); /* mfspr r3,272 */
	assert_int_equal(insn_SPR(&i), 272);
	i = insn(0x7c708120); /* mtocrf 8,r3 */
	assert_int_equal(insn_FXM(&i), 8);
	i = insn(0x7c642e15); /* addo. r3,r4,r5 */
	assert_int_equal(insn_OE(&i), 1);
	i = insn(0x7c2004ac); /* sync 1 */
	assert_int_equal(insn_L_X2(&i), 1);
	i = insn(0x7c8b1a64); /* tlbie r3,r4,2,1,1 */
	assert_int_equal(insn_RB(&i), 3);
	assert_int_equal(insn_RS(&i), 4);
	assert_int_equal(insn_RIC(&i), 2);
	assert_int_equal(insn_PRS(&i), 1);
	assert_int_equal(insn_R(&i), 1);
	i = insn(0xec702486); /* dquai -16,f3,f4,2 */
	assert_int_equal(insn_TE(&i), -16);
	assert_int_equal(insn_FRT(&i), 3);
	assert_int_equal(insn_FRB(&i), 4);
	assert_int_equal(insn_RMC(&i), 2);
	i = insn(0xf463fff9); /* lxv vs35,-16(r3) */
	assert_int_equal(insn_XT_DQ(&i), 35);
	assert_int_equal(insn_DQ(&i), -16);
	i = insn(0xf022193c); /* xxsel vs1,vs34,vs3,vs36 */
	assert_int_equal(insn_XT(&i), 1);
	assert_int_equal(insn_XA(&i), 34);
	assert_int_equal(insn_XB(&i), 3);
	assert_int_equal(insn_XC(&i), 36);
	i = insn(0xf03517eb); /* xvtstdcdp vs33,vs34,85 */
	assert_int_equal(insn_DCMX_XV(&i), 85);
	i = insn(0x10221bec); /* vsldoi v1,v2,v3,15 */
	assert_int_equal(insn_SHB(&i), 15);
	i = insn(0x1030038c); /* vspltisw v1,-16 */
	assert_int_equal(insn_SIM(&i), -16);
	i = insn(0xf027fad1); /* xxspltib vs33,255 */
	assert_int_equal(insn_IMM8(&i), 255);
}

/* p9_operand_get() and the accessor of the same field agree; p9_operand_set() is their inverse. */
static void operands_and_accessors_agree(void **state)
{
	(void)state;
	for (int n = 0; n < 200; n++) {
		struct p9_insn i = {.raw = random32()};
		int64_t by_accessor[P9_FIELD_COUNT];

#define P9_FIELD_U(name, scale, pieces) by_accessor[P9_FIELD_##name] = insn_##name(&i);
#define P9_FIELD_S(name, scale, pieces) by_accessor[P9_FIELD_##name] = insn_##name(&i);
#include "cpu/power9/isa/fields.def"
#undef P9_FIELD_S
#undef P9_FIELD_U

		for (enum p9_operand op = P9_OPND_NONE + 1; op < P9_OPND_COUNT; op++) {
			int64_t v = p9_operand_get(i.raw, op);
			uint32_t other = random32(), set = p9_operand_set(other, op, v);

			assert_true(v == by_accessor[p9_operand(op)->field]);
			assert_true(p9_operand_get(set, op) == v);
			assert_int_equal((set ^ other) & ~p9_operand_mask(op), 0);
		}
	}
}

static void reserved_bits(void **state)
{
	struct p9_insn i;

	(void)state;
	i = insn(0x7c632a14); /* add: none */
	assert_int_equal(p9_insn_reserved(i.desc), 0);
	i = insn(0x7c632896); /* mulhw: bit 21 */
	assert_int_equal(p9_insn_reserved(i.desc), 0x00000400);
	i = insn(0x7c031800); /* cmp: bits 9 and 31 */
	assert_int_equal(p9_insn_reserved(i.desc), 0x00400001);
	i = insn(0x4c00012c); /* isync: bits 6:20 and 31 */
	assert_int_equal(p9_insn_reserved(i.desc), 0x03fff801);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_is_well_formed),
	    cmocka_unit_test(no_two_rows_overlap),
	    cmocka_unit_test(each_row_decodes_to_itself),
	    cmocka_unit_test(index_agrees_with_search),
	    cmocka_unit_test(known_words),
	    cmocka_unit_test(illegal_words),
	    cmocka_unit_test(fields),
	    cmocka_unit_test(operands_and_accessors_agree),
	    cmocka_unit_test(reserved_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
