/*
 * The door to memory and the TLB: splitting at block boundaries, the order of faults, reports of
 * writes to code, and flushing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mem/door.h"
#include "util/compiler.h"

#define GUEST UINT64_C(0x10000) /* of page 0 */

/* Guest pages 0..3 lie backwards on the host. */
struct place {
	struct mem_door door;
	struct tlb tlb;
	_Alignas(4096) uint8_t ram[4][4096];
	bool readable[4], writable[4], code[4];
	bool no_cache;
	unsigned fills, writes;
	uint64_t fault, last_host;
	unsigned last_size;
	bool fault_store, misaligned;
	uint8_t seen; /* the first byte of the store, when it was reported */
};

static struct place p;

static bool fill(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like, void **host,
		 bool *slow)
{
	uint64_t n = (addr.v - GUEST) / 4096, block = addr.v & ~TLB_BLOCK_MASK;
	struct tlb_entry *e = tlb_slot(d->tlb, addr.v);

	p.fills++;
	if (n > 3 || !(kind == MEM_WRITE ? p.writable : p.readable)[n]) {
		p.fault = addr.v;
		p.fault_store = store_like || kind == MEM_WRITE;
		return false;
	}
	*host = &p.ram[3 - n][addr.v % 4096];
	*slow = p.code[n];
	if (p.no_cache)
		return true;
	e->addend = (uintptr_t)*host - addr.v;
	e->tag[MEM_FETCH] = TLB_TAG_INVALID;
	e->tag[MEM_READ] = p.readable[n] ? block : TLB_TAG_INVALID;
	e->tag[MEM_WRITE] = !p.writable[n] ? TLB_TAG_INVALID
			    : p.code[n]    ? block | TLB_TAG_SLOW
					   : block;
	return true;
}

static void code_write(struct mem_door *d, hva_t host, unsigned size)
{
	(void)d;
	p.writes++;
	p.last_host = host.v;
	p.last_size = size;
	p.seen = *(uint8_t *)hva_ptr(host);
}

static void misaligned(struct mem_door *d, gva_t addr, bool store)
{
	(void)d;
	p.misaligned = true;
	p.fault = addr.v;
	p.fault_store = store;
}

static const struct mem_door_ops ops = {
	.fill = fill, .code_write = code_write, .misaligned = misaligned};

static int reset(void **state)
{
	(void)state;
	memset(&p, 0, sizeof(p));
	tlb_flush(&p.tlb);
	p.door = (struct mem_door){&p.tlb, &ops};
	for (unsigned i = 0; i < 4; i++) {
		p.readable[i] = p.writable[i] = true;
		for (unsigned k = 0; k < 4096; k++)
			p.ram[3 - i][k] = (uint8_t)(i * 64 + k);
	}
	return 0;
}

static uint8_t *at(uint64_t addr)
{
	return &p.ram[3 - (addr - GUEST) / 4096][addr % 4096];
}

static void test_hit_and_miss(void **state)
{
	uint32_t v, w = 0x12345678;

	(void)state;
	assert_true(mem_read(&p.door, GUEST + 8, &v, 4));
	assert_int_equal(p.fills, 1);
	assert_memory_equal(&v, at(GUEST + 8), 4);
	assert_true(mem_read(&p.door, GUEST + 4092, &v, 4));
	assert_true(mem_write(&p.door, GUEST + 33, &w, 4));
	assert_int_equal(p.fills, 1);
	assert_memory_equal(&w, at(GUEST + 33), 4);
}

/* All sizes and places around the end of a block. */
static void test_crossing(void **state)
{
	uint8_t buf[16], want[16];

	(void)state;
	for (unsigned size = 1; size <= 16; size++) {
		for (uint64_t a = GUEST + 4096 - 17; a < GUEST + 4096 + 2; a++) {
			for (unsigned k = 0; k < size; k++)
				want[k] = *at(a + k);
			assert_true(mem_read(&p.door, a, buf, size));
			assert_memory_equal(buf, want, size);
			for (unsigned k = 0; k < size; k++)
				want[k] = (uint8_t)(want[k] * 7 + size);
			assert_true(mem_write(&p.door, a, want, size));
			for (unsigned k = 0; k < size; k++)
				assert_int_equal(*at(a + k), want[k]);
		}
	}
	/* Both blocks are in the TLB: no more walks, though each such access is slow. */
	assert_int_equal(p.fills, 2);
}

static void test_crossing_fault(void **state)
{
	uint64_t v = 0, edge = GUEST + 2 * 4096;
	uint8_t before[8];

	(void)state;
	for (unsigned k = 0; k < 8; k++)
		before[k] = *at(edge - 4 + k);
	p.writable[2] = false;
	assert_false(mem_write(&p.door, edge - 4, &v, 8));
	assert_int_equal(p.fault, edge);
	assert_true(p.fault_store);
	for (unsigned k = 0; k < 8; k++)
		assert_int_equal(*at(edge - 4 + k), before[k]);
	/* The first of two faults is the one that counts. */
	p.writable[1] = false;
	tlb_flush(&p.tlb);
	assert_false(mem_write(&p.door, edge - 4, &v, 8));
	assert_int_equal(p.fault, edge - 4);
	p.readable[2] = false;
	tlb_flush(&p.tlb);
	assert_false(mem_read(&p.door, edge - 1, &v, 2));
	assert_int_equal(p.fault, edge);
	assert_false(p.fault_store);
	/* Round the end of the address space. */
	assert_false(mem_read(&p.door, UINT64_MAX, &v, 8));
	assert_true(p.fault == UINT64_MAX);
}

static void test_not_cached(void **state)
{
	uint16_t v = 0x5555;

	(void)state;
	p.no_cache = true;
	for (unsigned k = 1; k < 4; k++) {
		assert_true(mem_write(&p.door, GUEST + 10, &v, 2));
		assert_int_equal(p.fills, k);
	}
	assert_memory_equal(at(GUEST + 10), &v, 2);
}

/* Each store to code is reported, after it, for its part of a crossing one. */
static void test_code_writes(void **state)
{
	uint64_t v = 0x1122334455667788, edge = GUEST + 4096;

	(void)state;
	p.code[1] = true;
	for (unsigned k = 1; k < 4; k++) {
		v++;
		assert_true(mem_write(&p.door, edge + 24, &v, 8));
		assert_int_equal(p.writes, k);
		assert_int_equal(p.last_host, (uintptr_t)at(edge + 24));
		assert_int_equal(p.last_size, 8);
		assert_int_equal(p.seen, *(uint8_t *)&v);
	}
	assert_true(mem_write(&p.door, edge - 3, &v, 8));
	assert_int_equal(p.writes, 4);
	assert_int_equal(p.last_host, (uintptr_t)at(edge));
	assert_int_equal(p.last_size, 5);
	p.writes = 0;
	assert_true(mem_write(&p.door, edge - 8, &v, 8));
	assert_int_equal(p.writes, 0);
	/* Reading code is as fast as reading anything. */
	p.fills = 0;
	assert_true(mem_read(&p.door, edge + 24, &v, 8));
	assert_int_equal(p.fills, 0);
}

static void test_atomic_ptr(void **state)
{
	bool report;

	(void)state;
	assert_ptr_equal(mem_atomic_ptr(&p.door, GUEST + 16, 8, true, &report), at(GUEST + 16));
	assert_false(report);
	p.code[1] = true;
	for (unsigned k = 0; k < 2; k++) {
		assert_ptr_equal(mem_atomic_ptr(&p.door, GUEST + 4096, 16, true, &report),
				 at(GUEST + 4096));
		assert_true(report);
		assert_ptr_equal(mem_atomic_ptr(&p.door, GUEST + 4096, 16, false, &report),
				 at(GUEST + 4096));
		assert_false(report);
	}
	assert_null(mem_atomic_ptr(&p.door, GUEST + 4, 8, true, &report));
	assert_true(p.misaligned && p.fault == GUEST + 4 && p.fault_store);
	assert_null(mem_atomic_ptr(&p.door, GUEST + 2, 4, false, &report));
	assert_false(p.fault_store);
	/* Only half of the rights. */
	p.readable[2] = false;
	p.fault_store = false;
	assert_null(mem_atomic_ptr(&p.door, GUEST + 2 * 4096, 4, true, &report));
	assert_true(p.fault_store);
	p.writable[3] = false;
	assert_null(mem_atomic_ptr(&p.door, GUEST + 3 * 4096, 4, true, &report));
	assert_non_null(mem_atomic_ptr(&p.door, GUEST + 3 * 4096, 4, false, &report));
}

static bool cached(uint64_t addr)
{
	return tlb_lookup(&p.tlb, addr, 1, MEM_READ);
}

static void load_all(void)
{
	uint8_t b;

	for (unsigned i = 0; i < 4; i++)
		assert_true(mem_read(&p.door, GUEST + 4096 * i, &b, 1));
}

static void expect_cached(const char *which)
{
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(cached(GUEST + 4096 * i), which[i] == '1');
}

static void test_flush(void **state)
{
	(void)state;
	load_all();
	expect_cached("1111");
	tlb_flush_range(&p.tlb, GUEST + 4096, 1);
	expect_cached("1011");
	load_all();
	tlb_flush_range(&p.tlb, GUEST + 4095, 2);
	expect_cached("0011");
	load_all();
	tlb_flush_range(&p.tlb, GUEST + 4096, 8192);
	expect_cached("1001");
	load_all();
	/* It ends inside of the second page. */
	tlb_flush_range(&p.tlb, 0, GUEST + 4097);
	expect_cached("0011");
	load_all();
	/* More blocks than there are entries. */
	tlb_flush_range(&p.tlb, GUEST + 2 * 4096, UINT64_C(0x40000000));
	expect_cached("1100");
	load_all();
	/* Another address in the same entry. */
	tlb_flush_range(&p.tlb, GUEST + TLB_ENTRIES * TLB_BLOCK_SIZE, 4096);
	expect_cached("1111");
	tlb_flush_range(&p.tlb, 0, 0);
	expect_cached("0000");
	load_all();
	tlb_flush_range(&p.tlb, UINT64_MAX, 2);
	expect_cached("0000");
	load_all();
	tlb_flush(&p.tlb);
	expect_cached("0000");
}

static void test_flush_host(void **state)
{
	(void)state;
	load_all();
	/* On the host page 3 comes first. */
	tlb_flush_host(&p.tlb, HVA(p.ram[0]), 1);
	expect_cached("1110");
	tlb_flush_host(&p.tlb, HVA(&p.ram[1][4095]), 2);
	expect_cached("1000");
	load_all();
	tlb_flush_host(&p.tlb, HVA(p.ram[0] - 4096), 4096);
	tlb_flush_host(&p.tlb, HVA(p.ram[0] + sizeof(p.ram)), 4096);
	tlb_flush_host(&p.tlb, HVA(p.ram[0]), 0);
	expect_cached("1111");
	tlb_flush_host(&p.tlb, HVA(p.ram[1]), 8192);
	expect_cached("1001");
}

static enum mem_probe probe(uint64_t addr, uint64_t first, uint64_t last, enum mem_access kind,
			    void **host)
{
	return mem_probe(&p.door, addr, 8, first, last, kind, false, host);
}

static void test_probe(void **state)
{
	uint64_t a = GUEST + 4096 + 100, end = GUEST + 8192;
	void *host;

	(void)state;
	assert_int_equal(probe(a, a - 100, end - 1, MEM_READ, &host), MEM_PROBE_OK);
	assert_ptr_equal(host, at(a));
	assert_int_equal(probe(a, a, a + 7, MEM_WRITE, &host), MEM_PROBE_OK);
	assert_int_equal(p.fills, 1);
	/* The next block is not known, then known, but elsewhere on the host. */
	assert_int_equal(probe(a, a, end, MEM_READ, &host), MEM_PROBE_REFUSED);
	assert_int_equal(probe(end, end, end + 8, MEM_READ, &host), MEM_PROBE_OK);
	assert_int_equal(probe(a, a, end, MEM_READ, &host), MEM_PROBE_REFUSED);
	assert_int_equal(probe(end - 4, end - 4, end + 3, MEM_READ, &host), MEM_PROBE_REFUSED);
	/* As if they lay side by side. */
	tlb_slot(&p.tlb, end)->addend = tlb_slot(&p.tlb, a)->addend;
	assert_int_equal(probe(a, a, end, MEM_READ, &host), MEM_PROBE_OK);
	assert_ptr_equal(host, at(a));
	assert_int_equal(probe(end, a, end + 7, MEM_READ, &host), MEM_PROBE_OK);
	assert_int_equal(p.fault, 0);
}

static void test_probe_rights(void **state)
{
	uint64_t edge = GUEST + 4096;
	void *host;

	(void)state;
	p.writable[0] = p.readable[2] = false;
	assert_int_equal(probe(GUEST, GUEST, GUEST + 7, MEM_WRITE, &host), MEM_PROBE_FAULT);
	assert_int_equal(p.fault, GUEST);
	assert_true(p.fault_store);
	assert_int_equal(probe(GUEST, GUEST, GUEST + 7, MEM_READ, &host), MEM_PROBE_OK);
	/* Only the access itself faults, and on its first byte that cannot be had. */
	p.fault = 0;
	assert_int_equal(probe(edge, GUEST, edge + 7, MEM_WRITE, &host), MEM_PROBE_REFUSED);
	assert_int_equal(p.fault, 0);
	assert_int_equal(probe(edge + 4092, edge, edge + 4099, MEM_READ, &host), MEM_PROBE_FAULT);
	assert_int_equal(p.fault, edge + 4096);
	/* Code: each store is to be reported. */
	p.code[3] = true;
	assert_int_equal(probe(GUEST + 12288, GUEST + 12288, GUEST + 12303, MEM_WRITE, &host),
			 MEM_PROBE_REFUSED);
	assert_int_equal(probe(GUEST + 12288, GUEST + 12288, GUEST + 12303, MEM_READ, &host),
			 MEM_PROBE_OK);
	assert_int_equal(p.writes, 0);
	/* Page 2 can be stored to only. */
	assert_int_equal(probe(edge + 4096, edge + 4096, edge + 4103, MEM_WRITE, &host),
			 MEM_PROBE_OK);
	assert_int_equal(mem_probe(&p.door, edge + 4096, 8, edge + 4096, edge + 4103, MEM_WRITE,
				   true, &host),
			 MEM_PROBE_REFUSED);
	assert_int_equal(mem_probe(&p.door, edge, 8, edge, edge + 7, MEM_WRITE, true, &host),
			 MEM_PROBE_OK);
	/* What the TLB does not keep may not be kept by others. */
	reset(NULL);
	p.no_cache = true;
	assert_int_equal(probe(GUEST, GUEST, GUEST + 7, MEM_READ, &host), MEM_PROBE_REFUSED);
}

/* Before another instruction than that of the access: nothing may fault. */
static void test_probe_early(void **state)
{
	uint64_t a = GUEST + 4096 + 100, end = GUEST + 8192;
	void *host;

	(void)state;
	assert_int_equal(mem_probe(&p.door, a, 0, a, a + 7, MEM_READ, false, &host), MEM_PROBE_REFUSED);
	assert_int_equal(p.fills, 0);
	assert_int_equal(probe(a, a, a + 7, MEM_READ, &host), MEM_PROBE_OK);
	assert_int_equal(mem_probe(&p.door, a, 0, a, a + 7, MEM_WRITE, true, &host), MEM_PROBE_OK);
	assert_ptr_equal(host, at(a));
	/* Up to the end of what is known. */
	assert_int_equal(mem_probe(&p.door, end - 8, 0, end - 8, end - 1, MEM_READ, false, &host), MEM_PROBE_OK);
	assert_int_equal(mem_probe(&p.door, end - 8, 0, end - 8, end, MEM_READ, false, &host), MEM_PROBE_REFUSED);
	p.writable[0] = false;
	assert_int_equal(probe(GUEST, GUEST, GUEST + 7, MEM_READ, &host), MEM_PROBE_OK);
	assert_int_equal(mem_probe(&p.door, GUEST, 0, GUEST, GUEST + 7, MEM_WRITE, false, &host), MEM_PROBE_REFUSED);
	assert_int_equal(p.fills, 2);
	assert_int_equal(p.fault, 0);
}

/* Does an access of `size` bytes hit in window n? */
static bool hits(unsigned n, uint64_t addr, unsigned size)
{
	const struct tlb_window *w = &p.tlb.window[n];
	bool hit = addr + w->minus < w->limit[tlb_span(size)];

	if (hit)
		assert_ptr_equal(at(addr), (void *)(uintptr_t)(addr + w->addend));
	return hit;
}

/* An access that has missed window n, as often as is needed. */
static void miss(unsigned n, uint64_t addr)
{
	uint8_t b = 0;

	if (tlb_window_kind(n) != TLB_WINDOW_WRITE)
		assert_true(mem_read(&p.door, addr, &b, 1));
	if (tlb_window_kind(n) != TLB_WINDOW_READ)
		assert_true(mem_write(&p.door, addr, &b, 1));
	p.tlb.window[n].misses = UINT32_MAX;
	mem_window_missed(&p.door, n + 1, addr);
}

static void test_windows(void **state)
{
	const unsigned write = TLB_WINDOW_WRITE * TLB_WINDOWS_OF_KIND;
	uint64_t a = GUEST + 4096;

	(void)state;
	assert_false(hits(0, GUEST, 1));
	miss(0, a + 5);
	assert_true(hits(0, a, 512) && hits(0, a + 4095, 1) && hits(0, a + 4080, 16));
	assert_false(hits(0, a - 1, 1) || hits(0, a + 4096, 1) || hits(0, a + 4081, 16) || hits(0, a - 1, 16));
	/* 33 is as 64 */
	assert_true(hits(0, a + 4032, 33));
	assert_false(hits(0, a + 4033, 33));
	/* It is not made anew at each miss. */
	mem_window_missed(&p.door, 1, GUEST);
	assert_false(hits(0, GUEST, 1));
	mem_window_missed(&p.door, 0, GUEST);
	/* next to it: soon; elsewhere: the later the more often */
	miss(0, GUEST);
	assert_int_equal(p.tlb.window[0].misses, 2);
	miss(0, GUEST + 3 * 4096);
	miss(0, GUEST);
	assert_true(p.tlb.window[0].misses > 10);
	for (unsigned n = 0; n < 20; n++)
		miss(0, GUEST + (n & 1) * 3 * 4096);
	assert_int_equal(p.tlb.window[0].misses, 1024);

	/* Stores: not where they are reported. What could not be made is not tried at each miss. */
	miss(write, a);
	assert_true(hits(write, a, 8));
	p.code[0] = true;
	tlb_flush(&p.tlb);
	miss(write, GUEST);
	assert_false(hits(write, GUEST, 1));
	assert_int_equal(p.tlb.window[write].misses, 2);
	for (unsigned n = 0; n < 20; n++)
		miss(write, GUEST);
	assert_int_equal(p.tlb.window[write].misses, 1024);
}

/* What may be stored to only has windows for stores, but none for both. */
static void test_window_rights(void **state)
{
	const unsigned write = TLB_WINDOW_WRITE * TLB_WINDOWS_OF_KIND, both = TLB_WINDOW_BOTH * TLB_WINDOWS_OF_KIND;
	uint64_t a = GUEST + 2 * 4096;
	uint8_t b = 0;

	(void)state;
	miss(both, a);
	assert_true(hits(both, a, 8));
	p.readable[2] = false;
	tlb_flush(&p.tlb);
	assert_true(mem_write(&p.door, a, &b, 1));
	assert_false(mem_read(&p.door, a, &b, 1));
	for (unsigned n = 0; n < 3; n++) {
		p.tlb.window[n * TLB_WINDOWS_OF_KIND].misses = UINT32_MAX;
		mem_window_missed(&p.door, n * TLB_WINDOWS_OF_KIND + 1, a);
	}
	assert_false(hits(0, a, 1));
	assert_true(hits(write, a, 8));
	assert_false(hits(both, a, 1));
	/* The right to store goes, from those who use it. */
	tlb_protect_host(&p.tlb, HVA(p.ram[1]), 1);
	assert_false(hits(write, a, 8));
}

/* The first two windows for loads, and for stores, on pages 0 and 1. */
static void fill_windows(void)
{
	for (unsigned n = 0; n < 4; n++)
		miss((n & 1) + (n & 2) / 2 * TLB_WINDOWS_OF_KIND, GUEST + (n & 1) * 4096);
}

static void expect_windows(const char *which)
{
	for (unsigned n = 0; n < 4; n++)
		assert_int_equal(hits((n & 1) + (n & 2) / 2 * TLB_WINDOWS_OF_KIND, GUEST + (n & 1) * 4096 + 100, 4), which[n] == '1');
}

static void test_flush_windows(void **state)
{
	(void)state;
	fill_windows();
	expect_windows("1111");
	tlb_flush_range(&p.tlb, GUEST + 4095, 1);
	expect_windows("0101");
	fill_windows();
	tlb_flush_range(&p.tlb, GUEST + 4095, 2);
	expect_windows("0000");
	fill_windows();
	tlb_flush_range(&p.tlb, GUEST + 4096, UINT64_C(0x40000000));
	expect_windows("1010");
	fill_windows();
	tlb_flush_range(&p.tlb, 1, UINT64_MAX - 1);
	expect_windows("0000");
	fill_windows();
	tlb_flush_range(&p.tlb, GUEST + 8192, 4096);
	expect_windows("1111");
	tlb_flush_host(&p.tlb, HVA(&p.ram[3][4095]), 1);
	expect_windows("0101");
	fill_windows();
	tlb_protect_host(&p.tlb, HVA(&p.ram[2][4095]), 2);
	expect_windows("1100");
	fill_windows();
	tlb_protect_host(&p.tlb, HVA(p.ram[2]), 1);
	expect_windows("1110");
	tlb_forget_windows(&p.tlb, GUEST + 1);
	expect_windows("0100");
	tlb_flush(&p.tlb);
	expect_windows("0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hit_and_miss, reset),
		cmocka_unit_test_setup(test_crossing, reset),
		cmocka_unit_test_setup(test_crossing_fault, reset),
		cmocka_unit_test_setup(test_not_cached, reset),
		cmocka_unit_test_setup(test_code_writes, reset),
		cmocka_unit_test_setup(test_atomic_ptr, reset),
		cmocka_unit_test_setup(test_probe, reset),
		cmocka_unit_test_setup(test_probe_rights, reset),
		cmocka_unit_test_setup(test_probe_early, reset),
		cmocka_unit_test_setup(test_flush, reset),
		cmocka_unit_test_setup(test_flush_host, reset),
		cmocka_unit_test_setup(test_windows, reset),
		cmocka_unit_test_setup(test_window_rights, reset),
		cmocka_unit_test_setup(test_flush_windows, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
