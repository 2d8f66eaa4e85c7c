/*
 * The POWER9 disassembler: known lines, and a comparison with binutils on random words.
 *
 * binutils is an independent reading of the ISA. Its objdump with "-M power9,raw" (base
 * mnemonics) must print what we print, for random operands of every row of the table; a word
 * that it does not know must be illegal for us, and vice versa. What differs on purpose is
 * listed below with the reason.
 */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cpu/power9/insn.h"
#include "util/compiler.h"

#define LINE_MAX_LEN  128
#define WORDS_PER_ROW 16
#define RANDOM_WORDS  60000

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

static void known_lines(void **state)
{
	static const struct {
		uint32_t raw;
		const char *text;
	} lines[] = {
	    {0x48000100, "b 0x10100"},
	    {0x4bfffffd, "bl 0xfffc"},
	    {0x4bfffffe, "ba 0xfffffffffffffffc"},
	    {0x418a0043, "bcla 12,4*cr2+eq,0x40"},
	    {0x4e801821, "bclrl 20,lt,3"},
	    {0x4c22f902, "crandc gt,eq,4*cr7+so"},
	    {0x44000022, "sc 1"},
	    {0x3860ffff, "addi r3,0,-1"},
	    {0x3863ffff, "addi r3,r3,-1"},
	    {0x4cffffc4, "addpcis r7,-2"},
	    {0x7c642e15, "addo. r3,r4,r5"},
	    {0x70830001, "andi. r3,r4,1"},
	    {0x2ba3ffff, "cmpli cr7,1,r3,65535"},
	    {0x7c60299e, "isel r3,0,r5,4*cr1+eq"},
	    {0x78835863, "rldicl. r3,r4,43,33"},
	    {0xe8618000, "ld r3,-32768(r1)"},
	    {0x80600010, "lwz r3,16(0)"},
	    {0x94210010, "stwu r1,16(r1)"},
	    {0xf8850012, "stq r4,16(r5)"},
	    {0x7fe02b67, "mtvsrdd vs63,0,r5"},
	    {0x7c7042a6, "mfspr r3,272"},
	    {0x7c642829, "lwarx r3,r4,r5,1"},
	    {0x7cc7416d, "stqcx. r6,r7,r8"},
	    {0x4c00012c, "isync"},
	    {0x7c8b1a64, "tlbie r3,r4,2,1,1"},
	    {0xfc2220fb, "fmadd. f1,f2,f3,f4"},
	    {0xec702486, "dquai -16,f3,f4,2"},
	    {0x10221cc7, "vcmpequd. v1,v2,v3"},
	    {0x1030038c, "vspltisw v1,-16"},
	    {0xf463fff9, "lxv vs35,-16(r3)"},
	    {0xf0221f5f, "xvcmpgtdp. vs33,vs34,vs35"},
	    {0xfc221809, "xsaddqpo v1,v2,v3"},
	    {0xfc411e0b, "xsrqpix 1,v2,v3,3"},
	    {0x00000000, ".long 0x00000000"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(lines); n++) {
		char buf[LINE_MAX_LEN];
		int len = p9_disasm(lines[n].raw, 0x10000, buf, sizeof(buf));

		assert_string_equal(buf, lines[n].text);
		assert_int_equal(len, strlen(lines[n].text));
	}
}

static void short_buffers(void **state)
{
	char buf[LINE_MAX_LEN];

	(void)state;
	for (size_t size = 0; size < 20; size++) {
		const char *all = "addo. r3,r4,r5";

		memset(buf, '#', sizeof(buf));
		assert_int_equal(p9_disasm(0x7c642e15, 0, buf, size), strlen(all));
		if (size) {
			size_t len = strlen(all) < size ? strlen(all) : size - 1;

			assert_int_equal(strlen(buf), len);
			assert_memory_equal(buf, all, len);
		}
		assert_int_equal(buf[size > strlen(all) ? strlen(all) + 1 : size], '#');
	}
}

/* Rows of ours for which binutils prints another mnemonic, or none, on every word. */
static const struct {
	const char *mnemonic;
	const char *theirs; /* NULL: any */
	const char *reason;
} known_otherwise[] = {
    {"lfdp", ".long", "phased out of the ISA: binutils drops it after POWER7"},
    {"lfdpx", ".long", "as lfdp"},
    {"stfdp", ".long", "as lfdp"},
    {"stfdpx", ".long", "as lfdp"},
    {"mftb", ".long", "phased out in favour of mfspr: binutils drops it after POWER4"},
    {"reserved_no_op", NULL, "has no mnemonic; binutils shows those that ISA 3.1 gave to some"},
};

/* Extended mnemonics of ours that "raw" does not turn off. */
static const struct {
	const char *mnemonic;
	const char *theirs;
} extended[] = {
    {"dss", "dssall"},
    {"dst", "dstt"},
    {"dstst", "dststt"},
    {"tend.", "tendall."},
};

/*
 * Mnemonics that binutils knows for POWER9 and ISA 3.0B does not; illegal here. Those marked
 * "no-op" are reserved_no_op here.
 */
static const struct {
	const char *mnemonic;
	const char *reason;
} not_in_isa[] = {
    {"attn", "service processor attention: illegal unless the implementation enables it"},
    {"rfi", "32-bit processors only"},
    {"urfid", "ultravisor: ISA 3.0C"},
    {"msgsndu", "ultravisor: ISA 3.0C"},
    {"msgclru", "ultravisor: ISA 3.0C"},
    {"mtsrd", "bridge to segment registers of early 64-bit processors"},
    {"mtsrdin", "as mtsrd"},
    {"mtsle", "ISA 2.07 only"},
    {"eciwx", "external control: removed from the ISA"},
    {"ecowx", "as eciwx"},
    {"tlbia", "removed from the ISA"},
    {"tlbld", "PowerPC 603"},
    {"tlbli", "PowerPC 603"},
    {"dcbi", "removed from the ISA"},
    {"icswx", "coprocessor initiation: removed in ISA 3.0"},
    {"icswx.", "as icswx"},
    {"pbt.", "as icswx"},
    {"rmieg", "POWER9's own, not in the ISA"},
    {"hashst", "ISA 3.1; no-op"},
    {"hashchk", "ISA 3.1; no-op"},
    {"hashstp", "ISA 3.1; no-op"},
    {"hashchkp", "ISA 3.1; no-op"},
};

static bool is_known_otherwise(const char *mnemonic, const char *theirs)
{
	for (size_t n = 0; n < ARRAY_SIZE(known_otherwise); n++) {
		const char *t = known_otherwise[n].theirs;

		if (!strcmp(known_otherwise[n].mnemonic, mnemonic) && (!t || !strcmp(t, theirs)))
			return true;
	}
	return false;
}

static bool is_extended(const char *mnemonic, const char *theirs)
{
	for (size_t n = 0; n < ARRAY_SIZE(extended); n++) {
		if (!strcmp(extended[n].mnemonic, mnemonic) && !strcmp(extended[n].theirs, theirs))
			return true;
	}
	return false;
}

static bool is_not_in_isa(const char *mnemonic)
{
	for (size_t n = 0; n < ARRAY_SIZE(not_in_isa); n++) {
		if (!strcmp(not_in_isa[n].mnemonic, mnemonic))
			return true;
	}
	return false;
}

/* Operands that binutils prints in its own way. */
static bool operands_differ_on_purpose(enum p9_op op)
{
	switch (op) {
	case P9_OP_mfcr:  /* prints the FXM of mfocrf, -1 */
	case P9_OP_mcrfs: /* prints the FPSCR field as a CR field */
		return true;
	default:
		return false;
	}
}

/*
 * The nearest word of the same instruction that is a valid form also for binutils: reserved
 * bits 0, no invalid form, no reserved operand value.
 */
static uint32_t make_valid(uint32_t raw)
{
	struct p9_insn i;
	uint32_t flags;

	assert_true(p9_decode(raw, &i));
	flags = i.desc->flags;
	raw &= ~p9_insn_reserved(i.desc);

	if (flags & P9_FLAG_INVALID_RA_IN_RT) {
		raw = p9_operand_set(raw, P9_OPND_RT, 30);
		raw = p9_operand_set(raw, P9_OPND_RA, 1);
		if (i.op != P9_OP_lmw)
			raw = p9_operand_set(raw, P9_OPND_RB, 2);
	}
	for (unsigned n = 0; n < P9_OPERANDS_MAX && i.desc->operands[n] != P9_OPND_NONE; n++) {
		enum p9_operand op = i.desc->operands[n];
		uint8_t kind = p9_operand(op)->kind;
		int64_t v = p9_operand_get(raw, op);

		if (kind == P9_KIND_GPR_PAIR || kind == P9_KIND_FPR_PAIR)
			raw = p9_operand_set(raw, op, v & ~1);
		/* objdump prints targets of a raw binary with 32 bits */
		if (kind == P9_KIND_TARGET)
			raw = p9_operand_set(raw, op, v & 0x7ffc);
		if (op == P9_OPND_BO) /* no reserved BO, no hints */
			raw = p9_operand_set(raw, op, v & 0x14);
		/* 0 stands for 32 bytes: binutils prints that */
		if (op == P9_OPND_NB && !v)
			raw = p9_operand_set(raw, op, 1);
	}
	if (flags & P9_FLAG_INVALID_RA_0 && !p9_operand_get(raw, P9_OPND_RA))
		raw = p9_operand_set(raw, P9_OPND_RA, 1);
	if (flags & P9_FLAG_INVALID_RA_EQ_RT &&
	    p9_operand_get(raw, P9_OPND_RA) == p9_operand_get(raw, P9_OPND_RT))
		raw ^= p9_operand_set(0, P9_OPND_RT, 2);

	switch ((enum p9_op)i.op) {
	case P9_OP_bcctr: /* cannot decrement CTR */
		return raw | p9_operand_set(0, P9_OPND_BO, 4);
	case P9_OP_mtocrf: /* one field */
	case P9_OP_mfocrf:
		return p9_operand_set(raw, P9_OPND_FXM_W, 0x80 >> random32() % 8);
	case P9_OP_mftb:
		return p9_operand_set(raw, P9_OPND_TBR, 268 + random32() % 2);
	case P9_OP_sync: /* 3 is reserved */
		return p9_operand_set(raw, P9_OPND_L_X2, random32() % 3);
	case P9_OP_dcbf: /* 2 is reserved */
		return p9_operand_set(raw, P9_OPND_L_X2, random32() % 2);
	case P9_OP_wait: /* 0 alone is defined */
		return p9_operand_set(raw, P9_OPND_WC, 0);
	/* the bit that makes an extended mnemonic of it */
	case P9_OP_dss:
	case P9_OP_dst:
	case P9_OP_dstst:
		return raw & ~(UINT32_C(1) << 25);
	case P9_OP_tend_dot:
		return p9_operand_set(raw, P9_OPND_A, 0);
	default:
		return raw;
	}
}

static const char *const objdumps[] = {"powerpc64le-linux-gnu-objdump",
				       "powerpc64-linux-gnu-objdump"};

static const char *find_objdump(void)
{
	for (size_t n = 0; n < ARRAY_SIZE(objdumps); n++) {
		char command[LINE_MAX_LEN];

		snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", objdumps[n]);
		if (!system(command))
			return objdumps[n];
	}
	return NULL;
}

/* What objdump prints for each word, as if they stood at 0, 4, ... Blanks become one space. */
static void run_objdump(const uint32_t *words, size_t count, char (*lines)[LINE_MAX_LEN])
{
	const char *objdump = find_objdump();
	char path[] = "/tmp/power9_disasm.XXXXXX", command[256], *line = NULL;
	size_t size = 0, n = 0;
	FILE *f;
	int fd;

	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	f = fdopen(fd, "wb");
	assert_non_null(f);
	for (size_t k = 0; k < count; k++) {
		for (int shift = 0; shift < 32; shift += 8)
			fputc(words[k] >> shift & 0xff, f);
	}
	assert_int_equal(fclose(f), 0);

	snprintf(command, sizeof(command),
		 "%s -D -z -b binary -m powerpc:common64 -EL -M power9,raw %s", objdump, path);
	f = popen(command, "r");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		/* "  address:\tbytes\tmnemonic operands" */
		char *tab = strchr(line, '\t'), *out;
		bool blank = false;

		tab = tab ? strchr(tab + 1, '\t') : NULL;
		if (!tab)
			continue;
		assert_true(n < count);
		out = lines[n++];
		for (const char *in = tab + 1; *in && out < lines[n - 1] + LINE_MAX_LEN - 2; in++) {
			if (isspace((unsigned char)*in)) {
				blank = true;
				continue;
			}
			if (blank)
				*out++ = ' ';
			blank = false;
			*out++ = *in;
		}
		*out = 0;
	}
	free(line);
	assert_int_equal(pclose(f), 0);
	unlink(path);
	assert_int_equal(n, count);
}

static void mnemonic_of(const char *line, char *mnemonic)
{
	size_t len = strcspn(line, " ");

	memcpy(mnemonic, line, len);
	mnemonic[len] = 0;
}

/* Compare the words' lines; each word is legal for us and a valid form. */
static void compare_valid(const uint32_t *words, size_t count)
{
	char(*theirs)[LINE_MAX_LEN] = calloc(count, sizeof(*theirs));
	unsigned bad = 0;

	assert_non_null(theirs);
	run_objdump(words, count, theirs);
	for (size_t n = 0; n < count; n++) {
		char ours[LINE_MAX_LEN], mnemonic[LINE_MAX_LEN], their_mnemonic[LINE_MAX_LEN];
		bool otherwise, same;
		struct p9_insn i;

		assert_true(p9_decode(words[n], &i));
		p9_disasm(words[n], 4 * n, ours, sizeof(ours));
		mnemonic_of(ours, mnemonic);
		mnemonic_of(theirs[n], their_mnemonic);
		same = operands_differ_on_purpose(i.op) ? !strcmp(mnemonic, their_mnemonic)
							: !strcmp(ours, theirs[n]);
		otherwise = is_known_otherwise(mnemonic, their_mnemonic);
		if (same != otherwise)
			continue;
		if (same)
			print_error("%08x: %s is listed as printed otherwise, but is not\n",
				    words[n], ours);
		else
			print_error("%08x: we: %s; binutils: %s\n", words[n], ours, theirs[n]);
		bad++;
	}
	free(theirs);
	assert_int_equal(bad, 0);
}

static void each_row_against_binutils(void **state)
{
	size_t rows;
	const struct p9_insn_desc *table = p9_insn_table(&rows);
	uint32_t *words;

	(void)state;
	if (!find_objdump()) {
		print_message("no objdump for powerpc: install binutils-powerpc64le-linux-gnu\n");
		skip();
	}
	words = calloc(rows * WORDS_PER_ROW, sizeof(*words));
	assert_non_null(words);
	for (size_t r = 0; r < rows; r++) {
		for (size_t n = 0; n < WORDS_PER_ROW; n++)
			words[r * WORDS_PER_ROW + n] =
			    make_valid(table[r].value | (random32() & ~table[r].mask));
	}
	compare_valid(words, rows * WORDS_PER_ROW);
	free(words);
}

/*
 * Random words: what one of the two does not know, the other must not know either, once reserved
 * bits and invalid forms, which binutils refuses and the hardware does not, are out of the way.
 */
static void random_words_against_binutils(void **state)
{
	/* primary opcodes with many instructions come often */
	static const uint8_t dense[] = {4, 19, 30, 31, 31, 57, 58, 59, 60, 61, 62, 63};
	char(*theirs)[LINE_MAX_LEN];
	uint32_t *words;
	size_t legal = 0;
	unsigned bad = 0;

	(void)state;
	if (!find_objdump()) {
		print_message("no objdump for powerpc: install binutils-powerpc64le-linux-gnu\n");
		skip();
	}
	words = calloc(RANDOM_WORDS, sizeof(*words));
	theirs = calloc(RANDOM_WORDS, sizeof(*theirs));
	assert_non_null(words);
	assert_non_null(theirs);
	for (size_t n = 0; n < RANDOM_WORDS; n++) {
		uint32_t primary = n % 4 ? dense[random32() % ARRAY_SIZE(dense)] : random32() % 64;

		words[n] = primary << 26 | (random32() & 0x03ffffff);
	}
	run_objdump(words, RANDOM_WORDS, theirs);

	for (size_t n = 0; n < RANDOM_WORDS; n++) {
		char ours[LINE_MAX_LEN], mnemonic[LINE_MAX_LEN], their_mnemonic[LINE_MAX_LEN];
		bool known = strncmp(theirs[n], ".long", 5);
		struct p9_insn i;

		mnemonic_of(theirs[n], their_mnemonic);
		if (!p9_decode(words[n], &i)) {
			if (known && !is_not_in_isa(their_mnemonic)) {
				print_error("%08x: binutils: %s\n", words[n], theirs[n]);
				bad++;
			}
			continue;
		}
		p9_disasm(words[n], 4 * n, ours, sizeof(ours));
		mnemonic_of(ours, mnemonic);
		if (known && strcmp(mnemonic, their_mnemonic) &&
		    !is_known_otherwise(mnemonic, their_mnemonic) &&
		    !is_extended(mnemonic, their_mnemonic)) {
			print_error("%08x: we: %s; binutils: %s\n", words[n], ours, theirs[n]);
			bad++;
		}
		words[legal++] = make_valid(words[n]);
	}
	assert_int_equal(bad, 0);
	assert_true(legal > RANDOM_WORDS / 4);
	compare_valid(words, legal);
	free(theirs);
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_lines),
	    cmocka_unit_test(short_buffers),
	    cmocka_unit_test(each_row_against_binutils),
	    cmocka_unit_test(random_words_against_binutils),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
