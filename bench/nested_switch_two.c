/*
 * World switches and shadow faults at depth 2: L2 is a hypervisor, too, and L3 its guest. L2's H_ENTER_NESTED goes to L1,
 * which enters L3 on its behalf with what it reads from L2's memory, as Linux's KVM does: L2's leaving and L3's end L1's
 * own H_ENTER_NESTED in turn. L1 keeps a shadow tree for L3, filled by its guest's tree when L3 faults.
 *
 * So a switch of L2 is two of L1, and 600 instructions of L1 that copy states; and a page that no shadow tree has is
 * one switch of L1 and two shadow faults of L0, the first of which finds nothing.
 */
#include <errno.h>
#include <string.h>

#include "mem/endian.h"
#include "nested_switch.h"
#include "util/compiler.h"

/* L1's: state of L3. */
#define HV3 UINT64_C(0x28000)
#define PT3 UINT64_C(0x2c000)
#define CODE (L1_CODE + 0x1000)

/* L2's real addresses. */
#define L2_HYPERVISOR UINT64_C(0x3000)
#define L2_ROOT	      MIB
#define L2_LEVEL      (MIB + 0x10000)
#define L2_LAST	      (MIB + 0x11000)
#define L2_LEAVES     (MIB + 0x12000)
#define L2_HV	      (MIB + 0x20000)
#define L2_PT	      (MIB + 0x21000)
#define L2_ENTRY      (MIB + 0x22000) /* the partition-table entry of L3 */
#define L3_MEM	      (32 * MIB)
#define L3_SIZE	      (32 * MIB)
#define PAGE_SHIFT    16

#define HV_WORDS 31
#define PT_WORDS 39

/*
 * GPR21, GPR22: states for L2; GPR23, GPR24: for L3; GPR25: L2's memory; GPR26: L3's LPID; GPR27: L2's entry for L3;
 * GPR29: L1's leaves for L3; GPR30, GPR31: words of the states.
 */
static const uint32_t l1_code[] = {
	0x3860f804, /* enter_l2: li 3,H_ENTER_NESTED */
	0x5463043e, /* clrlwi 3,3,16 */
	0x7ea4ab78, /* mr 4,21 */
	0x7ec5b378, /* mr 5,22 */
	0x44000022, /* sc 1 */
	0x2c230c00, /* cmpdi 3,0xc00 */
	0x40820120, /* bne end */
	0xe8d60018, /* ld 6,24(22) */
	0x38e0f804, /* li 7,H_ENTER_NESTED */
	0x54e7043e, /* clrlwi 7,7,16 */
	0x7c263840, /* cmpld 6,7 */
	0x4082010c, /* bne end */
	0xe8f60020, /* ld 7,32(22) */
	0x7ce7ca14, /* add 7,7,25 */
	0xe9160028, /* ld 8,40(22) */
	0x7d08ca14, /* add 8,8,25 */
	0x83870008, /* lwz 28,8(7) */
	0x7ce43b78, /* mr 4,7 */
	0x7ee5bb78, /* mr 5,23 */
	0x7fc6f378, /* mr 6,30 */
	0x48000071, /* bl copy */
	0x93570008, /* stw 26,8(23) */
	0x7d044378, /* mr 4,8 */
	0x7f05c378, /* mr 5,24 */
	0x7fe6fb78, /* mr 6,31 */
	0x4800005d, /* bl copy */
	0x3860f804, /* enter_l3: li 3,H_ENTER_NESTED */
	0x5463043e, /* clrlwi 3,3,16 */
	0x7ee4bb78, /* mr 4,23 */
	0x7f05c378, /* mr 5,24 */
	0x44000022, /* sc 1 */
	0x2c230e00, /* cmpdi 3,0xe00 */
	0x4182005c, /* beq fault */
	0x2c230e20, /* cmpdi 3,0xe20 */
	0x41820054, /* beq fault */
	0x2c230c00, /* cmpdi 3,0xc00 */
	0x408200a8, /* bne end */
	0x93970008, /* stw 28,8(23) */
	0x7ee4bb78, /* mr 4,23 */
	0x7ce53b78, /* mr 5,7 */
	0x7fc6f378, /* mr 6,30 */
	0x4800001d, /* bl copy */
	0x7f04c378, /* mr 4,24 */
	0x7d054378, /* mr 5,8 */
	0x7fe6fb78, /* mr 6,31 */
	0x4800000d, /* bl copy */
	0xf8760018, /* std 3,24(22) */
	0x4bffff44, /* b enter_l2 */
	0x7cc903a6, /* copy: mtctr 6 */
	0x38c00000, /* li 6,0 */
	0x7d24302a, /* ldx 9,4,6 */
	0x7d25312a, /* stdx 9,5,6 */
	0x38c60008, /* addi 6,6,8 */
	0x4200fff4, /* bdnz copy+0x8 */
	0x4e800020, /* blr */
	0xe9370098, /* fault: ld 9,152(23) */
	0x39400034, /* li 10,52 */
	0x7d60dc28, /* ldbrx 11,0,27 */
	0x796c06e0, /* clrldi 12,11,59 */
	0x7d4c5050, /* subf 10,12,10 */
	0x796b05e4, /* clrrdi 11,11,8 */
	0x796b0200, /* clrldi 11,11,8 */
	0x7d2e5436, /* srd 14,9,10 */
	0x39e00001, /* li 15,1 */
	0x7def6036, /* sld 15,15,12 */
	0x39efffff, /* addi 15,15,-1 */
	0x7dce7838, /* and 14,14,15 */
	0x79ce1f24, /* sldi 14,14,3 */
	0x7d6b7214, /* add 11,11,14 */
	0x7d6bca14, /* add 11,11,25 */
	0x7d605c28, /* ldbrx 11,0,11 */
	0x796c17e1, /* rldicl. 12,11,2,63 */
	0x4182ffc8, /* beq fault+0xc */
	0x7d6bca14, /* add 11,11,25 */
	0x79298402, /* srdi 9,9,16 */
	0x79291f24, /* sldi 9,9,3 */
	0x7d69ed28, /* stdbrx 11,9,29 */
	0x4bffff34, /* b enter_l3 */
	0x7c641b78, /* end: mr 4,3 */
	0x38603ffc, /* li 3,DONE */
	0x44000022, /* sc 1 */
};

/* GPR21, GPR22: states for L3; CTR: how often */
static const uint32_t l2_code[] = {
	0x3860f804, /* l2: li 3,H_ENTER_NESTED */
	0x5463043e, /* clrlwi 3,3,16 */
	0x7ea4ab78, /* mr 4,21 */
	0x7ec5b378, /* mr 5,22 */
	0x44000022, /* sc 1 */
	0x2c230c00, /* cmpdi 3,0xc00 */
	0x4082000c, /* bne l2+0x24 */
	0x4200ffe4, /* bdnz l2 */
	0x38603ffc, /* li 3,DONE */
	0x44000022, /* sc 1 */
};

/* A tree whose levels are there, with one root entry in each but the last; its leaves are not. */
static void put_levels(uint64_t memory, uint64_t root, uint64_t level, uint64_t last, uint64_t leaves)
{
	st_be64(mem + memory + root, VALID | level | 9);
	st_be64(mem + memory + level, VALID | last | 9);
	for (uint64_t i = 0; i < L3_SIZE >> 21; i++)
		st_be64(mem + memory + last + i * 8,
			VALID | (leaves + (i << (21 - PAGE_SHIFT) << 3)) | (21 - PAGE_SHIFT));
}

/* L1's leaves for L3: where. */
static uint64_t put_trees(unsigned l3_lpid)
{
	uint64_t root = new_table(ROOT_SIZE), level = new_table(4096), last = new_table(4096);
	uint64_t leaves = new_table(L3_SIZE >> PAGE_SHIFT << 3);

	put_levels(0, root, level, last, leaves);
	st_be64(mem + PATB + l3_lpid * 16, PATB_DW0 | root);
	st_be64(mem + PATB + l3_lpid * 16 + 8, VALID);
	put_levels(L2_MEM, L2_ROOT, L2_LEVEL, L2_LAST, L2_LEAVES);
	for (uint64_t i = 0; i < L3_SIZE >> PAGE_SHIFT; i++)
		st_be64(mem + L2_MEM + L2_LEAVES + i * 8,
			VALID | LEAF | (L3_MEM + (i << PAGE_SHIFT)) | ATTR);
	st_be64(mem + L2_MEM + L2_ENTRY, PATB_DW0 | L2_ROOT);
	return leaves;
}

static void enter_two(unsigned l2_lpid, unsigned l3_lpid, uint64_t leaves, uint64_t times,
		      uint64_t nip, uint64_t pages, struct cost *cost)
{
	struct kvm_regs regs = {.pc = CODE, .msr = MSR_SF | 1};
	uint64_t l2_pt = L2_MEM + L2_PT;

	put_state(HV, PT, l2_lpid, L2_HYPERVISOR);
	st_le64(mem + PT + 21 * 8, L2_HV);
	st_le64(mem + PT + 22 * 8, L2_PT);
	st_le64(mem + PT + PT_CTR_OFF, times);
	put_state(L2_MEM + L2_HV, l2_pt, 1, nip);
	st_le64(mem + l2_pt + 4 * 8, TOUCH_FROM);
	st_le64(mem + l2_pt + 5 * 8, pages);
	st_le64(mem + l2_pt + 6 * 8, UINT64_C(1) << PAGE_SHIFT);
	regs.gpr[21] = HV;
	regs.gpr[22] = PT;
	regs.gpr[23] = HV3;
	regs.gpr[24] = PT3;
	regs.gpr[25] = L2_MEM;
	regs.gpr[26] = l3_lpid;
	regs.gpr[27] = L2_MEM + L2_ENTRY;
	regs.gpr[29] = leaves;
	regs.gpr[30] = HV_WORDS;
	regs.gpr[31] = PT_WORDS;
	run_l1(&regs, cost);
	/* L2's GPR3: it came to its own end. */
	if (ld_le64(mem + PT + 3 * 8) != DONE)
		die("L2 did not come to its end", EIO);
}

void bench_two(unsigned l2_lpid, unsigned l3_lpid, unsigned rounds)
{
	static const char touch[] = "depth-2-touch-64K", fault[] = "depth-2-touch-64K-not-in-shadow";
	uint64_t pages = (L3_SIZE - TOUCH_FROM) >> PAGE_SHIFT, times = (uint64_t)rounds * 10000;
	struct cost switches = {0}, there = {0}, faults = {0};
	uint64_t leaves;

	if (!wanted("depth-2-switch") && !wanted(touch) && !wanted(fault))
		return;
	leaves = put_trees(l3_lpid);
	put_code(CODE, l1_code, ARRAY_SIZE(l1_code));
	put_code(L2_MEM + L2_HYPERVISOR, l2_code, ARRAY_SIZE(l2_code));
	put_leaving_guest(L2_MEM + L3_MEM + L2_CODE, L2_MEM + L3_MEM + L2_TOUCH);
	flush();
	if (wanted("depth-2-switch")) {
		enter_two(l2_lpid, l3_lpid, leaves, 1000, L2_CODE, 0, NULL);
		enter_two(l2_lpid, l3_lpid, leaves, times, L2_CODE, 0, &switches);
		report("depth-2-switch", &switches, times);
	}
	if (!wanted(touch) && !wanted(fault))
		return;
	enter_two(l2_lpid, l3_lpid, leaves, 1, L2_TOUCH, pages, NULL);
	for (unsigned i = 0; i < rounds * 10; i++) {
		if (wanted(touch))
			enter_two(l2_lpid, l3_lpid, leaves, 1, L2_TOUCH, pages, &there);
		if (wanted(fault)) {
			memset(mem + leaves, 0, L3_SIZE >> PAGE_SHIFT << 3);
			flush();
			enter_two(l2_lpid, l3_lpid, leaves, 1, L2_TOUCH, pages, &faults);
		}
	}
	if (wanted(touch))
		report(touch, &there, pages * rounds * 10);
	if (wanted(fault))
		report(fault, &faults, pages * rounds * 10);
}
