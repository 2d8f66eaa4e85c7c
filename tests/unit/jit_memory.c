/* Code memory: each piece is where the first free run that is long enough begins; none can be written where it can be run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "jit/memory.h"

#define BYTES  65536u /* of a zone */
#define UNITS  4096   /* of one, at most */
#define PIECES 800

static struct jit_memory *memory;
static uint8_t *start;

struct zone {
	bool taken[UNITS];
	struct {
		uint32_t at, units;
	} piece[PIECES];
	unsigned count;
};

/* UNITS: none */
static uint32_t first_fit(const struct zone *z, enum jit_zone which, uint32_t units)
{
	uint32_t free = 0;

	for (uint32_t n = 0; n < BYTES / JIT_UNIT(which); n++) {
		free = z->taken[n] ? 0 : free + 1;
		if (free == units)
			return n + 1 - units;
	}
	return UNITS;
}

static uint8_t *address(enum jit_zone which, uint32_t at)
{
	return start + (size_t)BYTES * which + (size_t)at * JIT_UNIT(which);
}

static void mark(struct zone *z, uint32_t at, uint32_t units, bool taken)
{
	for (uint32_t n = 0; n < units; n++)
		z->taken[at + n] = taken;
}

static void take(struct zone *z, enum jit_zone which, uint32_t units)
{
	uint32_t at = first_fit(z, which, units);
	uint8_t *p = jit_memory_alloc(memory, which, units);

	if (at == UNITS) {
		assert_null(p);
		return;
	}
	assert_ptr_equal(p, address(which, at));
	mark(z, at, units, true);
	z->piece[z->count].at = at;
	z->piece[z->count++].units = units;
}

static void give(struct zone *z, enum jit_zone which, unsigned n)
{
	uint32_t at = z->piece[n].at, units = z->piece[n].units;

	jit_memory_free(memory, which, address(which, at), units);
	mark(z, at, units, false);
	z->piece[n] = z->piece[--z->count];
}

static uint32_t some_units(void)
{
	switch (rand() % 8) {
	case 0:
		return 1 + (uint32_t)rand() % 200;
	case 1:
		return 30 + (uint32_t)rand() % 5;
	default:
		return 1 + (uint32_t)rand() % 12;
	}
}

static void test_first_fit(void **state)
{
	static struct zone zone[JIT_ZONES];

	(void)state;
	memory = jit_memory_create((size_t)BYTES * JIT_ZONES);
	assert_non_null(memory);
	start = jit_memory_alloc(memory, JIT_HOT, 1);
	jit_memory_free(memory, JIT_HOT, start, 1);
	srand(1);
	for (unsigned n = 0; n < 200000; n++) {
		enum jit_zone which = (enum jit_zone)(rand() % JIT_ZONES);
		struct zone *z = &zone[which];

		/* now fuller, now emptier */
		if (z->count < PIECES && (!z->count || rand() % 100 < 35 + (int)(n / 20000 % 2) * 30))
			take(z, which, some_units());
		else
			give(z, which, (unsigned)rand() % z->count);
	}
	for (unsigned k = 0; k < JIT_ZONES; k++)
		while (zone[k].count)
			give(&zone[k], (enum jit_zone)k, 0);
	assert_int_equal(jit_memory_used(memory), 0);
	jit_memory_destroy(memory);
}

/* What the process may do where p points: as in /proc/self/maps; "" where nothing is. *both: how many ranges are both. */
static void rights_of(const void *p, char rights[5], unsigned *both)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t first, end;
	char line[512], may[5];

	assert_non_null(maps);
	rights[0] = 0;
	*both = 0;
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &first, &end, may) == 3) {
			if ((uintptr_t)p >= first && (uintptr_t)p < end)
				snprintf(rights, 5, "%s", may);
			*both += may[1] == 'w' && may[2] == 'x';
		}
	fclose(maps);
}

static void test_never_both(void **state)
{
	unsigned before, both;
	char rights[5];
	uint8_t *p;

	(void)state;
	rights_of(&both, rights, &before);
	memory = jit_memory_create((size_t)BYTES * JIT_ZONES);
	assert_non_null(memory);
	for (unsigned zone = 0; zone < JIT_ZONES; zone++) {
		p = jit_memory_alloc(memory, (enum jit_zone)zone, 1);
		assert_non_null(p);
		*p = 1;
		rights_of(p, rights, &both);
		assert_int_equal(both, before);
		assert_string_equal(rights, "rw-s");
		rights_of(jit_memory_exec(memory, p), rights, &both);
		assert_string_equal(rights, "r-xs");
		/* to be changed later on */
		assert_ptr_equal(jit_memory_write(memory, jit_memory_exec(memory, p)), p);
		rights_of(jit_memory_exec(memory, p), rights, &both);
		assert_string_equal(rights, "r-xs");
		assert_int_equal(*jit_memory_exec(memory, p), 1);
		jit_memory_free(memory, (enum jit_zone)zone, p, 1);
	}
	jit_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_fit),
		cmocka_unit_test(test_never_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
