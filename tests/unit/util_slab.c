/* Pieces of memory: aligned, apart from each other, used again, all freed at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/slab.h"

enum { PIECES = 3000 };

static size_t size_of(unsigned n)
{
	return n % 100 == 99 ? 100000 + n : 1 + n * 37 % 4200;
}

static void pieces_in_steps_of(size_t step)
{
	struct slab *s = slab_create(step);
	uint8_t *p[PIECES];

	assert_non_null(s);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned n = 0; n < PIECES; n++) {
			p[n] = slab_take(s, size_of(n));
			assert_non_null(p[n]);
			assert_int_equal((uintptr_t)p[n] % step, 0);
			memset(p[n], n & 0xff, size_of(n));
		}
		for (unsigned n = 0; n < PIECES; n++) {
			assert_int_equal(p[n][0], n & 0xff);
			assert_int_equal(p[n][size_of(n) - 1], n & 0xff);
			/* in the last round most are left to slab_destroy */
			if (round < 2 || n % 7 == 0)
				slab_give(s, p[n], size_of(n));
		}
	}
	slab_destroy(s);
}

static void test_pieces(void **state)
{
	(void)state;
	pieces_in_steps_of(64);
	pieces_in_steps_of(16);
}

static void test_used_again(void **state)
{
	struct slab *s = slab_create(64);
	void *p = slab_take(s, 200), *q;

	(void)state;
	slab_give(s, p, 200);
	q = slab_take(s, 250); /* the same step */
	assert_non_null(q);
	slab_give(s, NULL, 8);
	assert_null(slab_take(s, SIZE_MAX - 100));
	slab_destroy(s);
	slab_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
