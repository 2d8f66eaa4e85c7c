/*
 * Path regions in the region cache: found at their beginning, in place of what was there; gone with any of their pieces.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jit/jit.h"
#include "jit/region.h"
#include "util/bits.h"

/* Host addresses of guest code, which the cache does not look at. */
#define HOST  UINT64_C(0x7000000000)
#define BLOCK UINT64_C(0x1000)
#define PC    UINT64_C(0x40000)
#define MODE  (2u << REGION_SPAN_BIT)

static const struct jit_layout layout = {.jump = 0, .jump_mask = 63, .insn_align = 4};
static const uint8_t bytes[64] = {1, 2, 3, 4};

struct setup {
	struct jit *jit;
	struct region_cache *rc;
};

static void create(struct setup *s, size_t compiled)
{
	const struct region_limits limit = {.interpreted = 1 << 20, .compiled = compiled};

	s->jit = jit_create(&layout, 8 << 20);
	if (!s->jit)
		skip(); /* no back end */
	s->rc = region_cache_create(s->jit, &limit);
	assert_non_null(s->rc);
}

static void destroy(struct setup *s)
{
	region_cache_destroy(s->rc);
	jit_destroy(s->jit);
}

static uint64_t host_of(unsigned block, unsigned at)
{
	return HOST + block * BLOCK + at;
}

static void mark(struct setup *s, unsigned block)
{
	bool ok;

	region_mark_block(s->rc, HVA(host_of(block, 0)), &ok);
	assert_true(ok);
}

static struct jit_code *code(struct setup *s, uint64_t pc)
{
	struct ir_region r;
	struct jit_code *c;

	ir_region_init(&r);
	r.base = pc & ~(BLOCK - 1);
	r.span = 21;
	ir_begin_block(&r, ir_create_block(&r));
	ir_insn(&r, pc);
	ir_exit_direct(&r, pc + 3 * BLOCK);
	assert_false(r.failed);
	c = jit_compile(s->jit, &r, pc);
	assert_non_null(c);
	ir_region_destroy(&r);
	return c;
}

static struct region_source source(struct setup *s, unsigned block)
{
	return (struct region_source){
		.host = HVA(host_of(block, 0)),
		.pc = PC + block * BLOCK,
		.mode = MODE,
		.size = sizeof(bytes),
		.bytes = bytes,
		.version = region_block_version(s->rc, HVA(host_of(block, 0))),
	};
}

static struct region *plain(struct setup *s, unsigned block)
{
	struct region_source from;
	struct region_product p;
	struct region *g;

	mark(s, block);
	from = source(s, block);
	region_product_init(s->rc, &p, code(s, from.pc), &from, 16, 0);
	g = region_insert_compiled(s->rc, &from, &p);
	assert_non_null(g);
	return g;
}

/* From block 0 over 1 to 2, and another place in 0. */
static void pieces(struct setup *s, struct region_path_source *piece)
{
	for (unsigned n = 0; n < 4; n++) {
		hva_t host = HVA(host_of(n % 3, n < 3 ? 0 : 0x800));

		mark(s, n % 3);
		piece[n] = (struct region_path_source){
			.host = host,
			.len = 32,
			.version = region_block_version(s->rc, host),
		};
	}
}

static struct region *enter(struct setup *s, const struct region_path_source *piece)
{
	const struct region_source from = source(s, 0);

	return region_enter_path(s->rc, &from, piece, 4, code(s, from.pc), NULL, 1);
}

static struct region *at(struct setup *s, unsigned block)
{
	return region_lookup(s->rc, HVA(host_of(block, 0)), PC + block * BLOCK, MODE);
}

/* All that was retired is freed. */
static void reclaim(struct setup *s)
{
	for (unsigned n = 0; n < 3; n++) {
		region_epoch_advance(s->rc);
		region_cache_reclaim(s->rc, region_epoch(s->rc));
	}
}

static void takes_place(void **state)
{
	struct region_path_source piece[4];
	struct region_cache_stats before, after;
	struct region *old, *other, *g;
	struct setup s;

	(void)state;
	create(&s, 1 << 20);
	old = plain(&s, 0);
	other = plain(&s, 1);
	region_link(s.rc, other, 0, old);
	pieces(&s, piece);
	region_cache_stats_read(s.rc, &before);
	g = enter(&s, piece);
	region_cache_stats_read(s.rc, &after);
	assert_non_null(g);
	assert_true(atomic_load(&old->dead));
	assert_false(atomic_load(&other->dead));
	assert_ptr_equal(at(&s, 0), g);
	assert_ptr_equal(at(&s, 1), other);
	assert_non_null(region_path(g));
	assert_int_equal(region_path(g)->n, 4);
	assert_int_equal(after.killed, before.killed + 1);
	assert_int_equal(after.live, before.live);
	/* and of another path */
	region_link(s.rc, other, 0, g);
	region_link(s.rc, g, 0, other);
	assert_non_null(enter(&s, piece));
	assert_true(atomic_load(&g->dead));
	destroy(&s);
}

/* A store to any piece ends it, in its own block and in others; beside them, none does. */
static void written(void **state)
{
	struct region_path_source piece[4];
	struct region_cache_stats stats;
	struct setup s;

	(void)state;
	create(&s, 1 << 20);
	for (unsigned n = 0; n < 4; n++) {
		size_t size = jit_bytes(s.jit);
		struct region *g;

		pieces(&s, piece);
		g = enter(&s, piece);
		assert_non_null(g);
		assert_false(region_kill_range(s.rc, HVA(piece[n].host.v + 32), 4));
		assert_ptr_equal(at(&s, 0), g);
		for (unsigned b = 0; b < 3; b++)
			assert_true(region_block_has_code(s.rc, HVA(host_of(b, 0))));
		assert_true(region_kill_range(s.rc, HVA(piece[n].host.v + 28), 4));
		assert_true(atomic_load(&g->dead));
		assert_null(at(&s, 0));
		/* The block written is free of code, so stores to it are at full speed again. */
		assert_false(region_block_has_code(s.rc, piece[n].host));
		/* Whatever is done to the others, it is not met there again. */
		assert_false(region_kill_range(s.rc, HVA(HOST), 3 * BLOCK));
		for (unsigned b = 0; b < 3; b++)
			assert_false(region_block_has_code(s.rc, HVA(host_of(b, 0))));
		for (unsigned k = 0; k < 3000; k++) {
			pieces(&s, piece);
			assert_non_null(enter(&s, piece));
			assert_true(region_kill_range(s.rc, piece[k % 4].host, 1));
		}
		reclaim(&s);
		assert_true(jit_bytes(s.jit) <= size);
	}
	region_cache_stats_read(s.rc, &stats);
	assert_int_equal(stats.live, 0);
	destroy(&s);
}

/* Code that was written after it was read is not entered, whichever piece it belongs to. */
static void written_meanwhile(void **state)
{
	struct region_path_source piece[4];
	struct region *old;
	struct setup s;

	(void)state;
	create(&s, 1 << 20);
	for (unsigned n = 0; n < 4; n++) {
		pieces(&s, piece);
		old = n % 3 ? plain(&s, 0) : NULL;
		region_kill_range(s.rc, HVA(piece[n].host.v + 0x400), 4);
		if (n == 2)
			mark(&s, 2);
		assert_null(enter(&s, piece));
		assert_int_equal(errno, EAGAIN);
		if (old)
			assert_ptr_equal(at(&s, 0), old);
		region_kill_all(s.rc);
	}
	destroy(&s);
}

/* All at once, and for room. */
static void gone(void **state)
{
	struct region_path_source piece[4];
	struct region_cache_stats stats;
	struct region *g;
	struct setup s;

	(void)state;
	create(&s, 16 << 10);
	pieces(&s, piece);
	g = enter(&s, piece);
	assert_non_null(g);
	region_kill_all(s.rc);
	assert_true(atomic_load(&g->dead));
	pieces(&s, piece);
	g = enter(&s, piece);
	for (unsigned n = 3; n < 1000; n++)
		plain(&s, n);
	region_cache_stats_read(s.rc, &stats);
	assert_true(stats.evicted > 900 / 2);
	assert_null(at(&s, 0));
	/* Its pieces' blocks are as any. */
	for (unsigned n = 0; n < 3; n++) {
		region_kill_range(s.rc, HVA(host_of(n, 0)), BLOCK);
		assert_false(region_block_has_code(s.rc, HVA(host_of(n, 0))));
	}
	reclaim(&s);
	pieces(&s, piece);
	assert_non_null(enter(&s, piece));
	destroy(&s);
}

/* Limits that are lowered while regions live, and raised again. */
static void limited(void **state)
{
	struct region_cache_stats before, after;
	struct setup s;

	(void)state;
	create(&s, 4 << 20);
	for (unsigned n = 0; n < 500; n++)
		plain(&s, n);
	region_cache_stats_read(s.rc, &before);
	assert_int_equal(before.evicted, 0);
	region_cache_limit(s.rc, 16 << 10, 16 << 10);
	for (unsigned n = 500; n < 1000; n++)
		plain(&s, n);
	region_cache_stats_read(s.rc, &before);
	assert_true(before.evicted > 700);
	region_cache_limit(s.rc, 1 << 20, 4 << 20);
	for (unsigned n = 1000; n < 1500; n++)
		plain(&s, n);
	region_cache_stats_read(s.rc, &after);
	assert_int_equal(after.evicted, before.evicted);
	destroy(&s);
}

/* Where nothing is to be copied, the code takes less, and is not. */
static void not_copied(void **state)
{
	struct jit_layout other = layout;
	struct jit_code *c, *copy;
	struct setup s, t;
	size_t size;

	(void)state;
	create(&s, 1 << 20);
	c = code(&s, PC);
	copy = jit_copy(s.jit, c);
	assert_non_null(copy);
	size = jit_code_size(c);
	jit_free(s.jit, copy);
	jit_free(s.jit, c);
	destroy(&s);
	other.no_copies = true;
	t.jit = jit_create(&other, 8 << 20);
	c = code(&t, PC);
	assert_true(jit_code_size(c) < size);
	errno = 0;
	assert_null(jit_copy(t.jit, c));
	assert_int_equal(errno, ENOTSUP);
	jit_free(t.jit, c);
	jit_destroy(t.jit);
}

/* Who marks a block while another has processors told of it has to wait for them, too; and so has who marks it anew. */
static void marked_by_two(void **state)
{
	hva_t block = HVA(host_of(7, 0));
	struct setup s;
	uint64_t before;
	bool ok;

	(void)state;
	create(&s, 1 << 20);
	before = region_block_version(s.rc, block);
	assert_true(region_mark_block(s.rc, block, &ok));
	assert_true(region_block_has_code(s.rc, block));
	assert_true(region_mark_block(s.rc, block, &ok));
	region_block_told(s.rc, block, before);
	assert_false(region_mark_block(s.rc, block, &ok));
	/* The mark goes while somebody waits, and comes again. */
	region_kill_range(s.rc, block, 4);
	assert_false(region_block_has_code(s.rc, block));
	before = region_block_version(s.rc, block);
	assert_true(region_mark_block(s.rc, block, &ok));
	region_kill_range(s.rc, block, 4);
	assert_true(region_mark_block(s.rc, block, &ok));
	region_block_told(s.rc, block, before);
	assert_true(region_mark_block(s.rc, block, &ok));
	region_block_told(s.rc, block, before + 1);
	assert_false(region_mark_block(s.rc, block, &ok));
	destroy(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_place),
		cmocka_unit_test(written),
		cmocka_unit_test(written_meanwhile),
		cmocka_unit_test(gone), cmocka_unit_test(limited), cmocka_unit_test(not_copied),
		cmocka_unit_test(marked_by_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
