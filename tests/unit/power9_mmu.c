/*
 * Radix translation and storage interrupts: exact DSISR, SRR1, HDSISR, ASDR bits, reference and
 * change bits, keys, invalidation. Expectations are from Power ISA 3.0B Book III chapters 5 and 6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>

#include "mem/endian.h"
#include "power9_machine.h"

#define LD_R3_R4  0xe8640000u
#define STD_R3_R4 0xf8640000u
#define NOP       0x60000000u

#define EAA_PRIV 8
#define EAA_R    4
#define EAA_RW   6
#define EAA_X    1
#define R        0x100
#define C        0x80

#define PID    7
#define EA     UINT64_C(0x0000123400000000)
#define KEA    UINT64_C(0xc000000000000000)
#define DATA   UINT64_C(0x800000)

static struct machine m;

static int setup(void **state)
{
	/* mfspr r31,SRR0; mfspr r30,SRR1; sc 1, which writes both */
	static const uint32_t handler[] = { 0x7ffa02a6u, 0x7fdb02a6u, M_HCALL };
	static const uint32_t load[] = { LD_R3_R4, M_HCALL };
	static const uint32_t store[] = { STD_R3_R4, M_HCALL };

	(void)state;
	machine_create(&m, 2);
	for (unsigned v = 0x100; v < 0x1000; v += 0x20)
		machine_code(&m, v, handler, 3);
	machine_code(&m, M_CODE, load, 2);
	machine_code(&m, M_CODE + 0x100, store, 2);
	machine_process(&m, 0);
	machine_process(&m, PID);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

static struct p9_regs *regs(void)
{
	return p9_regs(m.cpu[0]);
}

/* Data accesses translated for PID, in supervisor or problem state; code in real mode. */
static void data_mode(bool problem)
{
	struct p9_regs *r = regs();

	r->pidr = PID;
	r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME | P9_MSR_DR;
	if (problem)
		r->msr |= P9_MSR_PR | P9_MSR_IR | P9_MSR_EE;
	p9_state_changed(m.cpu[0]);
}

enum { LOAD = 0, STORE = 0x100 };

/* Run one access; 0 when it succeeded, or the vector at which the guest's handler was reached. */
static uint32_t access_at(uint64_t ea, unsigned what)
{
	struct p9_regs *r = regs();
	uint32_t vector;
	uint64_t pc;

	r->gpr[4] = ea;
	r->srr0 = r->srr1 = 0;
	vector = machine_run(&m, 0, M_CODE + what);
	if (vector != P9_VEC_SYSCALL)
		return vector;
	pc = p9_pc(m.cpu[0]) - 12;
	return pc < 0x1000 ? (uint32_t)pc : 0;
}

static void test_load_and_store(void **state)
{
	uint64_t *pte = machine_map(&m, PID, EA, DATA, 16, EAA_RW);

	(void)state;
	st_le64(m.ram + DATA + 0x1238, UINT64_C(0x1122334455667788));
	data_mode(false);
	assert_int_equal(access_at(EA + 0x1238, LOAD), 0);
	assert_int_equal(regs()->gpr[3], UINT64_C(0x1122334455667788));
	/* A load sets R and leaves C. */
	assert_int_equal(be64toh(*pte) & (R | C), R);
	regs()->gpr[3] = 42;
	data_mode(false);
	assert_int_equal(access_at(EA + 0x1240, STORE), 0);
	assert_int_equal(be64toh(*pte) & (R | C), R | C);
	assert_int_equal(ld_le64(m.ram + DATA + 0x1240), 42);
	assert_true(be64toh(*machine_partition_pte(&m, DATA)) & C);
}

static void test_page_sizes(void **state)
{
	static const unsigned shift[] = { 12, 16, 21 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t ea = EA + (UINT64_C(1) << 32) * (i + 1);

		machine_map(&m, PID, ea, DATA, shift[i], EAA_RW);
		st_le64(m.ram + DATA + (UINT64_C(1) << shift[i]) - 8, shift[i]);
		data_mode(false);
		assert_int_equal(access_at(ea + (UINT64_C(1) << shift[i]) - 8, LOAD), 0);
		assert_int_equal(regs()->gpr[3], shift[i]);
		data_mode(false);
		assert_int_equal(access_at(ea + (UINT64_C(1) << shift[i]), LOAD), P9_VEC_DSI);
	}
}

static void check_dsi(uint64_t ea, uint32_t dsisr, uint64_t pc)
{
	assert_int_equal(regs()->dar, ea);
	assert_int_equal(regs()->dsisr, dsisr);
	assert_int_equal(regs()->gpr[31], pc);
}

static void test_data_storage(void **state)
{
	(void)state;
	machine_map(&m, PID, EA, DATA, 16, EAA_R);
	data_mode(false);
	assert_int_equal(access_at(EA + 0x20000, LOAD), P9_VEC_DSI);
	check_dsi(EA + 0x20000, P9_DSISR_NOHPTE, M_CODE);
	data_mode(false);
	assert_int_equal(access_at(EA + 0x20000, STORE), P9_VEC_DSI);
	check_dsi(EA + 0x20000, P9_DSISR_NOHPTE | P9_DSISR_ISSTORE, M_CODE + STORE);
	/* a store to a page that can only be read */
	data_mode(false);
	assert_int_equal(access_at(EA + 8, STORE), P9_VEC_DSI);
	check_dsi(EA + 8, P9_DSISR_PROTFAULT | P9_DSISR_ISSTORE, M_CODE + STORE);
	/* an access over the end reports the page that is missing, and stores nothing */
	machine_map(&m, PID, EA, DATA, 16, EAA_RW);
	memset(m.ram + DATA + 0xfff8, 0xaa, 8);
	regs()->gpr[3] = 0;
	data_mode(false);
	assert_int_equal(access_at(EA + 0xfffc, STORE), P9_VEC_DSI);
	check_dsi(EA + 0x10000, P9_DSISR_NOHPTE | P9_DSISR_ISSTORE, M_CODE + STORE);
	assert_int_equal(ld_le64(m.ram + DATA + 0xfff8), UINT64_C(0xaaaaaaaaaaaaaaaa));
}

static void test_segment(void **state)
{
	(void)state;
	data_mode(false);
	/* quadrants 1 and 2 are the hypervisor's */
	assert_int_equal(access_at(UINT64_C(0x4000000000000000), LOAD), P9_VEC_DSEGI);
	assert_int_equal(regs()->dar, UINT64_C(0x4000000000000000));
	data_mode(false);
	assert_int_equal(access_at(UINT64_C(0x8000000000000000), LOAD), P9_VEC_DSEGI);
	/* more bits than the tree translates */
	data_mode(false);
	assert_int_equal(access_at(UINT64_C(1) << 52, LOAD), P9_VEC_DSEGI);
}

static void test_quadrant_3_is_process_0(void **state)
{
	(void)state;
	machine_map(&m, 0, KEA, DATA, 21, EAA_RW | EAA_PRIV);
	st_le64(m.ram + DATA, 99);
	data_mode(false);
	assert_int_equal(access_at(KEA, LOAD), 0);
	assert_int_equal(regs()->gpr[3], 99);
}

static void test_privilege_and_keys(void **state)
{
	struct p9_regs *r = regs();

	(void)state;
	machine_map(&m, PID, EA, DATA, 16, EAA_RW);
	machine_map(&m, PID, EA + 0x10000, DATA, 16, EAA_RW | EAA_PRIV);
	/* code for problem state */
	machine_map(&m, PID, M_CODE, M_CODE, 16, EAA_R | EAA_X);
	data_mode(true);
	assert_int_equal(access_at(EA + 0x10000, LOAD), P9_VEC_DSI);
	check_dsi(EA + 0x10000, P9_DSISR_PROTFAULT, M_CODE);
	data_mode(true);
	assert_int_equal(access_at(EA, LOAD), 0);
	/* key 0 keeps the supervisor from problem-state pages: writes, then reads too */
	r->amr = UINT64_C(2) << 62;
	data_mode(false);
	assert_int_equal(access_at(EA, LOAD), 0);
	data_mode(false);
	assert_int_equal(access_at(EA, STORE), P9_VEC_DSI);
	check_dsi(EA, P9_DSISR_PROTFAULT | P9_DSISR_ISSTORE, M_CODE + STORE);
	r->amr = UINT64_C(3) << 62;
	data_mode(false);
	assert_int_equal(access_at(EA, LOAD), P9_VEC_DSI);
	/* not from its own pages, and not problem state */
	data_mode(false);
	assert_int_equal(access_at(EA + 0x10000, STORE), 0);
	data_mode(true);
	assert_int_equal(access_at(EA, STORE), 0);
}

/* What is fetched under one AMR is no leave to load under another. */
static void test_keys_and_fetches(void **state)
{
	const uint64_t code = UINT64_C(0x5670000);
	struct p9_regs *r = regs();

	(void)state;
	/* a page of problem state, which the supervisor runs and reads */
	machine_map(&m, PID, code, M_CODE, 16, EAA_RW | EAA_X);
	for (unsigned n = 0; n < 6; n++) {
		bool blocked = n & 1;

		r->amr = blocked ? UINT64_C(3) << 62 : 0;
		r->pidr = PID;
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME | P9_MSR_IR | P9_MSR_DR;
		r->gpr[4] = code + 0x8000;
		p9_state_changed(m.cpu[0]);
		assert_int_equal(machine_run(&m, 0, code), P9_VEC_SYSCALL);
		assert_int_equal(p9_pc(m.cpu[0]), (blocked ? P9_VEC_DSI + 12 : code + 8));
	}
}

/* AMR is written where code goes on in a straight line: each access is by what it is then. */
static void test_keys_in_a_line(void **state)
{
	/* mtspr AMR,r5; ld r3,0(r4); std r3,8(r4); mtspr AMR,r6; ld r8,8(r4); mtspr AMR,r5; ld r9,0(r4) */
	const uint32_t code[] = { 0x7cbd03a6u, LD_R3_R4, 0xf8640008u, 0x7cdd03a6u, 0xe9040008u,
				  0x7cbd03a6u, 0xe9240000u, M_HCALL };
	const uint64_t at = M_CODE + 0x3000;
	struct p9_regs *r = regs();

	(void)state;
	machine_map(&m, PID, EA, DATA, 16, EAA_RW);
	machine_code(&m, at, code, 8);
	for (unsigned n = 0; n < 8; n++) {
		bool blocked = n & 1;

		st_le64(m.ram + DATA, n + 1);
		data_mode(false);
		r->gpr[4] = EA;
		r->gpr[5] = 0;
		r->gpr[6] = blocked ? UINT64_C(1) << 62 : 0;
		r->gpr[8] = r->gpr[9] = 0;
		assert_int_equal(machine_run(&m, 0, at), P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[3], n + 1);
		assert_int_equal(ld_le64(m.ram + DATA + 8), n + 1);
		if (blocked) {
			assert_int_equal(p9_pc(m.cpu[0]), P9_VEC_DSI + 12);
			check_dsi(EA + 8, P9_DSISR_PROTFAULT, at + 16);
			assert_int_equal(r->amr, UINT64_C(1) << 62);
		} else {
			assert_int_equal(p9_pc(m.cpu[0]), at + 32);
			assert_int_equal(r->gpr[8], n + 1);
			assert_int_equal(r->gpr[9], n + 1);
		}
	}
}

static void test_instruction_storage(void **state)
{
	struct p9_regs *r = regs();
	static const struct {
		uint64_t bits, srr1;
		bool map;
	} cases[] = {
		{ 0, P9_DSISR_NOHPTE, false },
		{ EAA_RW, P9_DSISR_NOEXEC, true },
		{ EAA_RW | EAA_X | 0x20, P9_DSISR_NOEXEC, true }, /* guarded */
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t ea = EA + 0x10000 * i;

		if (cases[i].map)
			machine_map(&m, PID, ea, M_CODE, 16, cases[i].bits);
		r->pidr = PID;
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME | P9_MSR_IR;
		p9_state_changed(m.cpu[0]);
		assert_int_equal(machine_run(&m, 0, ea), P9_VEC_SYSCALL);
		assert_int_equal(p9_pc(m.cpu[0]), P9_VEC_ISI + 12);
		assert_int_equal(r->gpr[31], ea);
		assert_int_equal(r->gpr[30] & 0x783f0000u, cases[i].srr1);
	}
	/* a supervisor page from problem state: protection, not no-execute */
	machine_map(&m, PID, EA + 0x80000, M_CODE, 16, EAA_RW | EAA_X | EAA_PRIV);
	r->msr |= P9_MSR_PR | P9_MSR_IR;
	p9_state_changed(m.cpu[0]);
	assert_int_equal(machine_run(&m, 0, EA + 0x80000), P9_VEC_SYSCALL);
	assert_int_equal(r->gpr[30] & 0x783f0000u, P9_DSISR_PROTFAULT);
}

static void test_hypervisor_storage(void **state)
{
	struct p9_regs *r = regs();
	uint64_t *pte = machine_partition_pte(&m, DATA), saved = *pte;

	(void)state;
	machine_map(&m, PID, EA, DATA, 16, EAA_RW | R | C);
	*pte = 0;
	data_mode(false);
	assert_int_equal(access_at(EA + 0x2468, LOAD), P9_VEC_HDSI);
	assert_int_equal(r->hdar, EA + 0x2468);
	assert_int_equal(r->hdsisr, P9_DSISR_NOHPTE);
	assert_int_equal(r->asdr, DATA + 0x2000);
	assert_int_equal(r->hsrr0, M_CODE);
	assert_int_equal(p9_pc(m.cpu[0]), M_CODE);
	/* read-only in the second scope */
	*pte = saved & ~htobe64(2);
	assert_int_equal(access_at(EA + 0x2468, STORE), P9_VEC_HDSI);
	assert_int_equal(r->hdsisr, P9_DSISR_PROTFAULT | P9_DSISR_ISSTORE);
	*pte = saved;
	/* the hypervisor mended it: the same instruction goes on */
	assert_int_equal(access_at(EA + 0x2468, STORE), 0);
	/* a table of the guest's that is not there: the process table itself */
	*machine_partition_pte(&m, M_PROCTAB) = 0;
	cpu_shoot_all(m.system, NULL);
	data_mode(false);
	assert_int_equal(access_at(EA, LOAD), P9_VEC_HDSI);
	assert_int_equal(r->hdsisr, P9_DSISR_NOHPTE | P9_DSISR_PRTABLE_FAULT);
	assert_int_equal(r->asdr, M_PROCTAB);
	assert_int_equal(r->hdar, EA);
}

static void test_out_of_reach(void **state)
{
	(void)state;
	/* Real mode: beyond memory there is nothing mapped; the high four bits are ignored. */
	assert_int_equal(access_at(M_SIZE + 0x1000, LOAD), P9_VEC_HDSI);
	assert_int_equal(regs()->asdr, M_SIZE + 0x1000);
	st_le64(m.ram + DATA, 5);
	assert_int_equal(access_at(DATA | UINT64_C(0xf) << 60, LOAD), 0);
	assert_int_equal(regs()->gpr[3], 5);
	/* more address bits than a tree has */
	assert_int_equal(access_at(UINT64_C(1) << 55, LOAD), P9_VEC_HDSI);
	assert_int_equal(regs()->hdsisr, P9_DSISR_NOHPTE);
}

static void test_malformed_tree(void **state)
{
	uint64_t *entry = (uint64_t *)(m.ram + M_PROCTAB + 16 * PID);
	uint64_t saved = *entry;
	static const uint64_t bad[] = {
		0,                                    /* size 2^31, no level */
		UINT64_C(3) << 61 | 7 << 5 | 13,      /* larger than 2^52 */
		UINT64_C(2) << 61 | 5 << 5 | 4,       /* level of 4 bits */
		UINT64_C(2) << 61 | 5 << 5 | 31,      /* of 31 bits */
	};

	(void)state;
	data_mode(false);
	for (unsigned i = 0; i < 4; i++) {
		*entry = htobe64(bad[i] | M_TREE);
		cpu_shoot_all(m.system, NULL);
		data_mode(false);
		assert_int_equal(access_at(0x1000, LOAD), P9_VEC_DSI);
		assert_int_equal(regs()->dsisr, P9_DSISR_UNSUPP_MMU);
	}
	*entry = saved;
}

static uint32_t tlbie(bool local, unsigned ric, unsigned prs)
{
	/* tlbie(l) RB=r5, RS=r6, RIC, PRS, R=1 */
	return 31u << 26 | 6u << 21 | ric << 18 | prs << 17 | 1u << 16 | 5u << 11 |
	       (local ? 274u : 306u) << 1;
}

static void test_tlbie(void **state)
{
	struct p9_regs *r = regs();

	(void)state;
	for (unsigned form = 0; form < 4; form++) {
		uint32_t code[] = { tlbie(form & 1, 0, 1), LD_R3_R4, M_HCALL };
		uint64_t *pte = machine_map(&m, PID, EA, DATA, 16, EAA_RW | R | C);

		machine_code(&m, M_CODE + 0x1000 + 0x100 * form, code, 3);
		st_le64(m.ram + DATA, 1);
		st_le64(m.ram + DATA + 0x10000, 2);
		cpu_shoot_all(m.system, NULL);
		data_mode(false);
		assert_int_equal(access_at(EA, LOAD), 0);
		assert_int_equal(r->gpr[3], 1);
		*pte = htobe64((be64toh(*pte) & ~UINT64_C(0x01fffffffffff000)) | (DATA + 0x10000));
		/* by address with AP 5 (64 KiB), then by PID */
		r->gpr[5] = form < 2 ? EA | 5 << 5 : 1 << 10;
		r->gpr[6] = (uint64_t)PID << 32;
		r->gpr[4] = EA;
		data_mode(false);
		assert_int_equal(machine_run(&m, 0, M_CODE + 0x1000 + 0x100 * form),
				 P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[3], 2);
		assert_int_equal(p9_pc(m.cpu[0]), M_CODE + 0x1000 + 0x100 * form + 12);
	}
	/* partition-scoped, hash, and without GTSE: not the guest's */
	uint32_t code[] = { tlbie(false, 0, 0), M_HCALL };

	machine_code(&m, M_CODE + 0x2000, code, 2);
	data_mode(false);
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x2000), P9_VEC_SYSCALL);
	assert_int_equal(p9_pc(m.cpu[0]), P9_VEC_PROGRAM + 12);
}

static uint64_t misses(void)
{
	struct cpu_stats s;

	cpu_stats_read(m.cpu[0], &s);
	return s.tlb_misses;
}

/*
 * Code that exchanges its page: what follows is of the new one. It does so itself, or calls another, in a page of its own,
 * which returns to the new page then.
 */
static void exchange_own_page(bool by_call)
{
	/* std r9,0(r8); ptesync; tlbie; isync; blr */
	const uint32_t exchange[] = { 0xf9280000u, 0x7c4004acu, tlbie(false, 0, 1), 0x4c00012cu, 0x4e800020u };
	/* those, or bl to the next page; li r3,PAGE; sc 1 */
	uint32_t code[] = { exchange[0], exchange[1], exchange[2], exchange[3], 0x38600000u, M_HCALL };
	const uint64_t page[2] = { 0x900000, 0xa00000 }, function = 0xb00000, table = EA + 0x200000;
	struct p9_regs *r = regs();
	uint64_t *pte, entry[2];

	pte = machine_map(&m, PID, EA, page[0], 16, EAA_R | EAA_X | R);
	entry[0] = be64toh(*pte);
	entry[1] = entry[0] - page[0] + page[1];
	machine_map(&m, PID, EA + 0x10000, function, 16, EAA_R | EAA_X | R);
	machine_code(&m, function, exchange, 5);
	machine_map(&m, PID, table, ((uint8_t *)pte - m.ram) & ~UINT64_C(0xffff), 16,
		    EAA_RW | R | C);
	for (unsigned n = 0; n < 4 && by_call; n++)
		code[n] = n < 3 ? 0x60000000u : 0x48000001u | (0x10000 - 12); /* nop */
	for (unsigned n = 0; n < 2; n++) {
		code[4] = 0x38600000u | n;
		machine_code(&m, page[n], code, 6);
	}
	/* Often from one to itself, while another page is named: by then all is compiled and linked. */
	for (unsigned n = 0; n < 40; n++) {
		unsigned from = n / 10 & 1, to = n % 10 == 9 ? !from : from;

		r->gpr[3] = 2;
		r->gpr[5] = (from == to ? table : EA) | 5 << 5;
		r->gpr[6] = (uint64_t)PID << 32;
		r->gpr[8] = table + (((uint8_t *)pte - m.ram) & 0xffff);
		r->gpr[9] = htobe64(entry[to]);
		r->pidr = PID;
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME | P9_MSR_IR | P9_MSR_DR;
		p9_state_changed(m.cpu[0]);
		assert_int_equal(machine_run(&m, 0, EA), P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[3], to);
		assert_int_equal(p9_pc(m.cpu[0]), EA + 24);
	}
}

static void test_tlbie_of_own_code(void **state)
{
	(void)state;
	exchange_own_page(false);
}

static void test_tlbie_by_call(void **state)
{
	(void)state;
	exchange_own_page(true);
}

/*
 * A call in real mode, and rfid to code that returns: in real mode, and translated, where it returns to the address, but not to
 * the code, that the call meant.
 */
static void test_return_elsewhere(void **state)
{
	/* bl, li r3,0; sc 1; at +0x40: mtsrr0 r20; mtsrr1 r21; rfid */
	static const uint32_t call[] = { 0x48000041u, 0x38600000u, M_HCALL };
	static const uint32_t change[] = { 0x7e9a03a6u, 0x7ebb03a6u, 0x4c000024u };
	/* li r3,1; sc 1; at +0x80: blr */
	static const uint32_t other[] = { 0x38600001u, M_HCALL };
	static const uint32_t blr = 0x4e800020u;
	const uint64_t at = M_CODE + 0x6000, page = 0x900000;
	struct p9_regs *r = regs();

	(void)state;
	machine_code(&m, at, call, 3);
	machine_code(&m, at + 0x40, change, 3);
	machine_code(&m, page + 0x6004, other, 2);
	machine_code(&m, page + 0x6080, &blr, 1);
	machine_code(&m, at + 0x80, &blr, 1);
	machine_map(&m, PID, M_CODE, page, 16, EAA_R | EAA_X | R);
	for (unsigned n = 0; n < 20; n++) {
		r->pidr = PID;
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME;
		r->gpr[20] = at + 0x80;
		r->gpr[21] = r->msr | (n % 5 == 4 ? P9_MSR_IR : 0);
		r->gpr[3] = 2;
		p9_state_changed(m.cpu[0]);
		assert_int_equal(machine_run(&m, 0, at), P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[3], n % 5 == 4);
	}
}

/* tlbie of all of process 0, then a load and a store: r4 and r8 */
static void invalidate_kernel(void)
{
	const uint32_t code[] = { tlbie(false, 2, 1), LD_R3_R4, 0xf9080000u /* std r8,0(r8) */,
				  M_HCALL };
	struct p9_regs *r = regs();

	machine_code(&m, M_CODE + 0x3000, code, 4);
	r->gpr[5] = 1 << 10;
	r->gpr[6] = 0;
	data_mode(false);
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x3000), P9_VEC_SYSCALL);
	assert_int_equal(p9_pc(m.cpu[0]), M_CODE + 0x3000 + 16);
}

/* What an invalidation finds unchanged stays; whatever has changed, at any level, is seen. */
static void test_tlbie_of_unchanged(void **state)
{
	const uint64_t rpn = UINT64_C(0x01fffffffffff000);
	struct p9_regs *r = regs();
	uint64_t *a, *b, *process0 = (uint64_t *)(m.ram + M_PROCTAB), before, old;

	(void)state;
	a = machine_map(&m, 0, KEA, DATA, 16, EAA_RW | R | C);
	b = machine_map(&m, 0, KEA + 0x10000, DATA + 0x10000, 16, EAA_RW | R | C);
	machine_process(&m, 9);
	machine_map(&m, 9, KEA, DATA + 0x30000, 16, EAA_RW | R | C);
	machine_map(&m, 9, KEA + 0x10000, DATA + 0x40000, 16, EAA_RW | R | C);
	for (unsigned n = 0; n < 5; n++)
		st_le64(m.ram + DATA + n * 0x10000, n + 1);
	r->gpr[4] = KEA;
	r->gpr[8] = KEA + 0x10008;
	invalidate_kernel();
	assert_int_equal(r->gpr[3], 1);
	before = misses();
	invalidate_kernel();
	assert_int_equal(r->gpr[3], 1);
	/* the code is put there anew, in real mode; data, translated, is not looked up */
	assert_true(misses() - before <= 1);
	/* one page changes */
	*a = htobe64((be64toh(*a) & ~rpn) | (DATA + 0x20000));
	invalidate_kernel();
	assert_int_equal(r->gpr[3], 3);
	/* it changes and changes back, used in between without an invalidation */
	old = *a;
	*a = htobe64((be64toh(*a) & ~rpn) | DATA);
	invalidate_kernel();
	assert_int_equal(r->gpr[3], 1);
	*a = old;
	invalidate_kernel();
	assert_int_equal(r->gpr[3], 3);
	/* C is taken away: a store sets it again */
	*b &= ~htobe64(C);
	invalidate_kernel();
	assert_true(be64toh(*b) & C);
	assert_int_equal(ld_le64(m.ram + DATA + 0x10008), KEA + 0x10008);
	/* another tree altogether */
	old = process0[0];
	process0[0] = process0[2 * 9];
	invalidate_kernel();
	assert_int_equal(r->gpr[3], 4);
	assert_int_equal(ld_le64(m.ram + DATA + 0x40008), KEA + 0x10008);
	process0[0] = old;
	invalidate_kernel();
	assert_int_equal(r->gpr[3], 3);
	/* an invalid entry is not used any more */
	*a = 0;
	r->gpr[4] = KEA;
	r->gpr[5] = 1 << 10;
	r->gpr[6] = 0;
	data_mode(false);
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x3000), P9_VEC_SYSCALL);
	assert_int_equal(p9_pc(m.cpu[0]), P9_VEC_DSI + 12);
}

/*
 * Once a process that is not the current one was invalidated, nothing of it may be left, though its tables
 * are as they were: they may change now, and nobody is told.
 */
static void test_tlbie_of_another_process(void **state)
{
	/* of PID, and of all processes; here or everywhere */
	const uint32_t code[] = { tlbie(false, 2, 1), tlbie(true, 2, 1), M_HCALL };
	struct p9_regs *r = regs();
	uint64_t *pte;

	(void)state;
	pte = machine_map(&m, PID, EA, DATA, 16, EAA_RW | R | C);
	machine_map(&m, PID, M_CODE, M_CODE, 16, EAA_R | EAA_X);
	machine_process(&m, 9);
	for (unsigned n = 0; n < 4; n++)
		st_le64(m.ram + DATA + n * 0x10000, n);
	for (unsigned n = 0; n < 4; n++) {
		bool all = n & 1;

		*pte = htobe64((be64toh(*pte) & ~UINT64_C(0x01fffffffffff000)) |
			       (DATA + n * 0x10000));
		data_mode(n & 2);
		assert_int_equal(access_at(EA, LOAD), 0);
		assert_int_equal(r->gpr[3], n);
		r->pidr = 9;
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME;
		p9_state_changed(m.cpu[0]);
		machine_code(&m, M_CODE + 0x3000, code + (n == 2), 1);
		machine_code(&m, M_CODE + 0x3004, code + 2, 1);
		r->gpr[5] = all ? 2 << 10 : 1 << 10;
		r->gpr[6] = (uint64_t)PID << 32;
		assert_int_equal(machine_run(&m, 0, M_CODE + 0x3000), P9_VEC_SYSCALL);
	}
}

/* More pages than are watched: nothing is kept by mistake. */
static void test_tlbie_of_many(void **state)
{
	enum { PAGES = 200 };
	struct p9_regs *r = regs();
	uint64_t *pte[PAGES];

	(void)state;
	for (unsigned n = 0; n < PAGES; n++) {
		pte[n] = machine_map(&m, 0, KEA + n * UINT64_C(0x200000), DATA + n * 4096, 12,
				     EAA_RW | R | C);
		st_le64(m.ram + DATA + n * 4096, n);
	}
	r->gpr[8] = KEA + 0x10;
	for (unsigned round = 0; round < 2; round++) {
		data_mode(false);
		for (unsigned n = 0; n < PAGES; n++) {
			assert_int_equal(access_at(KEA + n * UINT64_C(0x200000), LOAD), 0);
			assert_int_equal(r->gpr[3], round ? PAGES - 1 - n : n);
		}
		for (unsigned n = 0; n < PAGES && !round; n++)
			*pte[n] = htobe64((be64toh(*pte[n]) & ~UINT64_C(0x01fffffffffff000)) |
					  (DATA + (PAGES - 1 - n) * 4096));
		r->gpr[4] = KEA;
		invalidate_kernel();
	}
}

/*
 * What leads to host memory is forgotten when that is taken away, and the rest stays; whether the context's
 * list of what was filled is complete or not.
 */
static void test_shoot_host(void **state)
{
	static const unsigned many[] = { 4, 64, 200 };
	struct p9_regs *r = regs();
	uint64_t *pte[200];

	(void)state;
	for (unsigned n = 0; n < 200; n++) {
		pte[n] = machine_map(&m, PID, EA + n * 4096, DATA + n * 4096, 12, EAA_RW | R | C);
		st_le64(m.ram + DATA + n * 4096, n);
	}
	/* Moved there, for who looks at the tables. */
	memset(m.ram + DATA + 200 * 4096, 0xff, 200 * 4096);
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++) {
		cpu_shoot_host(m.system, NULL, HVA(m.ram), M_SIZE);
		for (unsigned n = 0; n < many[i]; n++) {
			data_mode(false);
			assert_int_equal(access_at(EA + n * 4096, LOAD), 0);
		}
		for (unsigned n = 0; n < many[i]; n++)
			*pte[n] = htobe64(be64toh(*pte[n]) + 200 * 4096);
		cpu_shoot_host(m.system, NULL, HVA(m.ram + DATA + 2 * 4096), 4096);
		for (unsigned n = 0; n < many[i]; n++) {
			data_mode(false);
			assert_int_equal(access_at(EA + n * 4096, LOAD), 0);
			assert_int_equal(r->gpr[3], n == 2 ? UINT64_MAX : n);
		}
		for (unsigned n = 0; n < many[i]; n++)
			*pte[n] = htobe64(be64toh(*pte[n]) - 200 * 4096);
	}
}

/*
 * Tables are accessed by windows of the TLB (mem/tlb.h) once code is compiled: they forget what the TLB forgets. r6
 * is the offset in the table at r4.
 */
enum { TABLE_LOAD = 0x5000, TABLE_STORE = 0x5100 };

static uint32_t table_at(uint64_t ea, uint64_t offset, unsigned what)
{
	regs()->gpr[6] = offset;
	data_mode(false);
	return access_at(ea, what);
}

/* andi. r5,r6,0x1ff8; ldx r3,r4,r5 or stdx r3,r4,r5 */
static const uint32_t table_load[] = { 0x70c51ff8u, 0x7c64282au, M_HCALL };
static const uint32_t table_store[] = { 0x70c51ff8u, 0x7c64292au, M_HCALL };

/* li r7,1; sc 1: code that stores are to replace. */
static const uint32_t first[] = { 0x38e00001u, M_HCALL };

/* Runs code in the data's memory, with relocation off. r7 is what it leaves there. */
static uint64_t run_data(uint64_t at)
{
	regs()->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME;
	p9_state_changed(m.cpu[0]);
	assert_int_equal(machine_run(&m, 0, at), P9_VEC_SYSCALL);
	return regs()->gpr[7];
}

static void test_windows(void **state)
{
	/* tlbie by PID, PRS */
	const uint32_t flush[] = { tlbie(true, 2, 1), M_HCALL };
	struct p9_regs *r = regs();
	uint64_t *pte;

	(void)state;
	machine_code(&m, M_CODE + TABLE_LOAD, table_load, 3);
	machine_code(&m, M_CODE + TABLE_STORE, table_store, 3);
	machine_code(&m, M_CODE + 0x5200, flush, 2);
	pte = machine_map(&m, PID, EA, DATA, 16, EAA_RW | R | C);
	machine_map(&m, PID, EA + 0x10000, DATA + 0x10000, 16, EAA_R | R | C);
	for (uint64_t n = 0; n < 0x40000; n += 8)
		st_le64(m.ram + DATA + n, n);
	data_mode(false);
	for (uint64_t n = 0; n < 0x20000; n += 0x1008) {
		for (uint64_t k = 0; k < 0x2000; k += 0x778) {
			assert_int_equal(table_at(EA + n, k, TABLE_LOAD), n + k > 0x1fff8 ? P9_VEC_DSI : 0);
			if (n + k <= 0x1fff8)
				assert_int_equal(r->gpr[3], n + k);
		}
	}
	/* Only the first page may be stored to, and nothing of an access that goes beyond is done. */
	r->gpr[3] = 5;
	for (unsigned n = 0; n < 8; n++)
		assert_int_equal(table_at(EA + 0xf000, 8 * n, TABLE_STORE), 0);
	assert_int_equal(ld_le64(m.ram + DATA + 0xf038), 5);
	assert_int_equal(table_at(EA + 0xfffc, 0, TABLE_STORE), P9_VEC_DSI);
	assert_int_equal(table_at(EA + 0xf008, 0xff8, TABLE_STORE), P9_VEC_DSI);
	assert_int_equal(ld_le64(m.ram + DATA + 0xfff8), 0xfff8);
	assert_int_equal(ld_le64(m.ram + DATA + 0x10000), 0x10000);

	/* What was stored to by a window becomes code. */
	machine_code(&m, DATA + 0x2000, first, 2);
	for (unsigned v = 2; v < 8; v++) {
		assert_int_equal(run_data(DATA + 0x2000), v - 1);
		r->gpr[3] = (uint64_t)M_HCALL << 32 | 0x38e00000u | v;
		assert_int_equal(table_at(EA + 0x1000, 0x1000, TABLE_STORE), 0);
	}
	data_mode(false);

	/* The page lies elsewhere. */
	*pte = htobe64((be64toh(*pte) & ~UINT64_C(0x01fffffffffff000)) | (DATA + 0x20000));
	r->gpr[5] = 1 << 10;
	r->gpr[6] = (uint64_t)PID << 32;
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x5200), P9_VEC_SYSCALL);
	assert_int_equal(table_at(EA + 0x100, 8, TABLE_LOAD), 0);
	assert_int_equal(r->gpr[3], 0x20108);
	r->gpr[3] = 6;
	assert_int_equal(table_at(EA + 0x100, 8, TABLE_STORE), 0);
	assert_int_equal(ld_le64(m.ram + DATA + 0x108), 0x108);
	assert_int_equal(ld_le64(m.ram + DATA + 0x20108), 6);
	/* Nowhere. */
	*pte = 0;
	cpu_shoot_all(m.system, NULL);
	assert_int_equal(table_at(EA + 0x100, 8, TABLE_LOAD), P9_VEC_DSI);
	assert_int_equal(table_at(EA + 0x100, 8, TABLE_STORE), P9_VEC_DSI);
	assert_int_equal(table_at(EA + 0x10100, 8, TABLE_LOAD), 0);
	/* The hypervisor takes the memory. */
	*machine_partition_pte(&m, DATA) = 0;
	cpu_shoot_host(m.system, NULL, HVA((uintptr_t)m.ram + DATA), 2 << 20);
	assert_int_equal(table_at(EA + 0x10100, 8, TABLE_LOAD), P9_VEC_HDSI);
}

/* Self-modifying code: a store to an instruction that has been translated. */
static void check_code_write(void)
{
	/* stw r3,0(r4); isync; at +0x40: li r7,1; sc 1 */
	static const uint32_t first[] = { 0x38e00001u, M_HCALL };
	static const uint32_t patch[] = { 0x90640000u, 0x4c00012cu, 0x48000038u };
	struct p9_regs *r = regs();

	machine_code(&m, M_CODE + 0x3040, first, 2);
	machine_code(&m, M_CODE + 0x3000, patch, 3);
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x3040), P9_VEC_SYSCALL);
	assert_int_equal(r->gpr[7], 1);
	for (unsigned v = 2; v < 50; v++) {
		r->gpr[3] = 0x38e00000u | v; /* li r7,v */
		r->gpr[4] = M_CODE + 0x3040;
		assert_int_equal(machine_run(&m, 0, M_CODE + 0x3000), P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[7], v);
	}
}

/* Windows for stores end where code is: on either side of it, and if another block between has some. */
static void test_windows_beside_code(void **state)
{
	static const uint64_t beside[] = { 0x4000, 0x6000, 0x0, 0xe000, 0x1f000 };
	struct p9_regs *r = regs();

	(void)state;
	machine_code(&m, M_CODE + TABLE_STORE, table_store, 3);
	machine_map(&m, PID, EA, DATA, 16, EAA_RW | R | C);
	machine_map(&m, PID, EA + 0x10000, DATA + 0x10000, 16, EAA_RW | R | C);
	for (unsigned n = 0; n < ARRAY_SIZE(beside); n++) {
		machine_code(&m, DATA + 0x5000, first, 2);
		machine_code(&m, DATA + 0xb000, first, 2);
		for (unsigned v = 2; v < 20; v++) {
			assert_int_equal(run_data(DATA + 0xb000), 1);
			run_data(DATA + 0x5000);
			for (unsigned k = 0; k < 8; k++)
				assert_int_equal(table_at(EA + beside[n], 8 * k, TABLE_STORE), 0);
			r->gpr[3] = (uint64_t)M_HCALL << 32 | 0x38e00000u | v;
			assert_int_equal(table_at(EA + 0x4800, 0x800, TABLE_STORE), 0);
			assert_int_equal(run_data(DATA + 0x5000), v);
		}
	}
}

static void test_code_write(void **state)
{
	(void)state;
	check_code_write();
}

/* The same where the block is one of many that may be stored to. */
static void test_code_write_of_many(void **state)
{
	struct p9_regs *r = regs();

	(void)state;
	r->gpr[3] = 0;
	for (unsigned n = 0; n < 200; n++) {
		r->gpr[4] = DATA + n * 4096;
		assert_int_equal(machine_run(&m, 0, M_CODE + STORE), P9_VEC_SYSCALL);
	}
	r->gpr[4] = M_CODE + 0x3ff8;
	assert_int_equal(machine_run(&m, 0, M_CODE + STORE), P9_VEC_SYSCALL);
	check_code_write();
}

/* Another processor writes the code that this one runs in a loop, until it sees the change. */
static void *run_loop(void *arg)
{
	machine_run(arg, 1, M_CODE + 0x4000);
	return NULL;
}

static void test_cross_modify(void **state)
{
	/* loop: li r7,1; cmpdi r7,1; beq loop; sc 1 */
	static const uint32_t loop[] = { 0x38e00001u, 0x2c270001u, 0x4182fff8u, M_HCALL };
	static const uint32_t patch[] = { 0x90640000u, M_HCALL };
	pthread_t thread;

	(void)state;
	machine_code(&m, M_CODE + 0x4000, loop, 4);
	machine_code(&m, M_CODE + 0x5000, patch, 2);
	assert_int_equal(pthread_create(&thread, NULL, run_loop, &m), 0);
	struct cpu_stats stats;

	do {
		cpu_stats_read(m.cpu[1], &stats);
	} while (!stats.regions_translated);
	regs()->gpr[3] = 0x38e00005u;
	regs()->gpr[4] = M_CODE + 0x4000;
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x5000), P9_VEC_SYSCALL);
	/* The other leaves its region at the next poll and finds the new code. */
	cpu_kick(m.cpu[1]);
	pthread_join(thread, NULL);
	assert_int_equal(p9_regs(m.cpu[1])->gpr[7], 5);
}

/*
 * Code that something other than a processor wrote (a device, the VMM): it is seen after icbi of
 * its block and isync, by whatever address the block has, on all processors.
 */
static void test_icbi(void **state)
{
	const uint64_t at = M_CODE + 0x6040;
	/* li r7,1; sc 1 */
	static const uint32_t first[] = { 0x38e00001u, M_HCALL };
	/* icbi 0,r4; sync; isync; b M_CODE + 0x6040 */
	static const uint32_t flush[] = { 0x7c0027acu, 0x7c0004acu, 0x4c00012cu, 0x4bfff034u };
	struct p9_regs *r = regs();
	uint64_t *pte;

	(void)state;
	machine_code(&m, at, first, 2);
	machine_code(&m, M_CODE + 0x7000, flush, 4);
	pte = machine_map(&m, PID, EA, 0, 21, EAA_RW | R | C);
	for (unsigned v = 1; v < 20; v++) {
		bool real = v % 2;

		st_le32(m.ram + at, 0x38e00000u | v); /* li r7,v */
		/* by its real address, and by another than it is executed at */
		if (real) {
			r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME;
			p9_state_changed(m.cpu[0]);
		} else {
			data_mode(false);
		}
		r->gpr[4] = (real ? at : EA + at) + 0x3f; /* any byte of the block */
		assert_int_equal(machine_run(&m, 0, M_CODE + 0x7000), P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[7], v);
		assert_int_equal(machine_run(&m, 1, at), P9_VEC_SYSCALL);
		assert_int_equal(p9_regs(m.cpu[1])->gpr[7], v);
	}
	/* It translates as a load: without read access it is a data storage interrupt. */
	*pte &= ~htobe64(EAA_RW);
	p9_invalidate(m.system, NULL, M_LPID, PID, false, 0, 0);
	data_mode(false);
	r->gpr[4] = EA + at;
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x7000), P9_VEC_SYSCALL);
	assert_int_equal(p9_pc(m.cpu[0]), P9_VEC_DSI + 12);
	assert_int_equal(r->dar, EA + at);
	assert_int_equal(r->dsisr, P9_DSISR_PROTFAULT);
}

static size_t memory_in_use(void)
{
	struct mallinfo2 i = mallinfo2();

	return i.uordblks + i.hblkhd;
}

/*
 * Translations that the hypervisor's shootdowns killed are freed, though no processor ever wrote to
 * code: memory does not grow with what a guest has had run.
 */
static void test_killed_code_is_freed(void **state)
{
	enum { WORDS = 60, RUNS = 8000 };
	uint32_t words[WORDS + 1];
	size_t before = 0;

	(void)state;
	for (unsigned n = 0; n < WORDS; n++)
		words[n] = 0x38630001u; /* addi r3,r3,1 */
	words[WORDS] = M_HCALL;
	for (unsigned n = 0; n < RUNS; n++) {
		machine_code(&m, M_CODE + 0x8000, words, WORDS + 1);
		assert_int_equal(machine_run(&m, 0, M_CODE + 0x8000), P9_VEC_SYSCALL);
		/* The first ones pile up, as they may. */
		if (n == RUNS / 4)
			before = memory_in_use();
	}
	assert_in_range(memory_in_use(), 0, before + (8 << 20));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_load_and_store),
		T(test_page_sizes),
		T(test_data_storage),
		T(test_segment),
		T(test_quadrant_3_is_process_0),
		T(test_privilege_and_keys),
		T(test_keys_and_fetches),
		T(test_instruction_storage),
		T(test_hypervisor_storage),
		T(test_out_of_reach),
		T(test_malformed_tree),
		T(test_tlbie),
		T(test_tlbie_of_own_code),
		T(test_tlbie_by_call),
		T(test_return_elsewhere),
		T(test_keys_in_a_line),
		T(test_tlbie_of_unchanged),
		T(test_tlbie_of_another_process),
		T(test_tlbie_of_many),
		T(test_shoot_host),
		T(test_windows),
		T(test_windows_beside_code),
		T(test_code_write),
		T(test_code_write_of_many),
		T(test_cross_modify),
		T(test_icbi),
		T(test_killed_code_is_freed),
	};

	return machine_run_tests(tests);
}
