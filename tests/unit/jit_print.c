/*
 * The dump of compiled code: what stubs tell whom they call lies between instructions, and is shown as data; what follows it is
 * shown as the instructions that it is.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir_machine.h"
#include "jit/jit.h"
#include "jit/trace.h"

/* Loads and stores at addresses that have nothing to do with each other; those by `near` share a PROBE. */
static void make(struct ir_region *r, bool near)
{
	static const struct ir_memop word = {.size = 8};
	ir_val addr;

	ir_region_init(r);
	r->base = RAM_BASE;
	ir_begin_block(r, ir_create_block(r));
	ir_insn(r, RAM_BASE);
	addr = ir_get(r, IR_I64, OFF_STATE(0));
	for (unsigned n = 0; n < 4; n++) {
		ir_insn(r, RAM_BASE + 4 + 4 * n);
		if (!near)
			addr = ir_get(r, IR_I64, OFF_STATE(8 * n));
		if (n & 1)
			ir_store(r, word, ir_bin(r, IR_ADD, addr, ir_const(r, IR_I64, 8 * n)), addr);
		else
			ir_set(r, OFF_STATE(64 + 8 * n),
			       ir_load(r, IR_I64, word, ir_bin(r, IR_ADD, addr, ir_const(r, IR_I64, 8 * n))));
	}
	ir_exit_direct(r, RAM_BASE + 64);
	assert_null(ir_check(r));
	if (near)
		ir_optimise_shared(r);
	else
		ir_optimise(r);
}

/* Of a line: its instruction, and how many bytes it has. */
static const char *parse(const char *line, uint64_t *address, size_t *bytes)
{
	int at = 0, end = 0;

	if (sscanf(line, " 0x%" SCNx64 " %n%*[0-9a-f]%n", address, &at, &end) < 1 || end <= at)
		fail_msg("%s", line);
	*bytes = (size_t)(end - at) / 2;
	return line + end + strspn(line + end, " ");
}

static void check(struct jit *jit, bool near)
{
	unsigned calls = 0, data = 0;
	const char *before = "";
	struct ir_region r;
	struct jit_code *c;
	uint64_t next;
	char *text;
	size_t size;
	FILE *out;

	make(&r, near);
	c = jit_compile(jit, &r, RAM_BASE);
	assert_non_null(c);
	out = open_memstream(&text, &size);
	jit_print_cold(out, c);
	fclose(out);
	next = (uintptr_t)jit_code_cold(c);
	for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t address;
		size_t bytes;
		const char *insn = parse(line, &address, &bytes);

		assert_int_equal(address, next);
		next += bytes;
		if (!strncmp(insn, "call", 4))
			calls++;
		if (!strcmp(insn, ".byte") && !strncmp(before, "jmp", 3))
			data++;
		/* What stubs have, and nothing else. */
		if (strncmp(insn, "call", 4) && strncmp(insn, "mov", 3) && strncmp(insn, "jmp", 3) && strncmp(insn, "xor", 3) &&
		    strncmp(insn, "nop", 3) && strncmp(insn, "lea", 3) && insn[0] != '.')
			fail_msg("%s", line);
		before = insn;
	}
	assert_int_equal(next, (uintptr_t)jit_code_cold(c) + c->cold_size);
	assert_int_equal(calls, near ? 1 : 4);
	assert_int_equal(data, calls);
	free(text);
	jit_free(jit, c);
	ir_region_destroy(&r);
}

static void test_cold(void **state)
{
	const struct jit_layout layout = {.jump = offsetof(struct machine, jump), .jump_mask = 1, .insn_align = 4};
	struct jit *jit = jit_create(&layout, 1 << 20);

	(void)state;
	if (!jit)
		skip();
	for (unsigned level = 0; level < JIT_LEVELS; level++) {
		jit_limit(jit, level);
		check(jit, false);
		check(jit, true);
	}
	jit_destroy(jit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
