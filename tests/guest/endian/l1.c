/*
 * A hypervisor of one guest, of the other byte order (or the same): partition table and tree (which
 * are big-endian always), struct hv_guest_state and struct pt_regs (in L1's own order), and the
 * exits.
 */
#include "bare.h"

#define VALID        (1UL << 63)
#define LEAF         (1UL << 62)
#define ATTR         0x7UL /* read, write, execute; R and C are for the hypervisor below to set */
#define PATB         0x300000UL
#define ROOT         0x310000UL
#define LEVEL2       0x320000UL
#define LEVEL3       0x321000UL
#define SMALL        0x400000UL /* tables of 64 KiB pages */
#define L2_MEM       0x8000000UL
#define TRAP_HDSI    0xe00
#define TRAP_HDEC    0x980
#define TRAP_SYSCALL 0xc00
#define MSR_SF       (1UL << 63)
#define MSR_LE       1UL

struct hv_guest_state {
	u64 version;
	u32 lpid, vcpu_token;
	u64 lpcr, pcr, amor, dpdes, hfscr;
	long tb_offset;
	u64 dawr0, dawrx0, ciabr, hdec_expiry, purr, spurr, ic, vtb, hdar, hdsisr, heir, asdr;
	u64 srr0, srr1, sprg[4], pidr, cfar, ppr, dawr1, dawrx1;
};

struct pt_regs {
	u64 gpr[32], nip, msr, orig_gpr3, ctr, link, xer, ccr, softe, trap, dar, dsisr, result;
};

extern const u8 l2_image[], l2_image_end[];
static struct hv_guest_state hv __attribute__((aligned(4096)));
static struct pt_regs regs __attribute__((aligned(4096)));
static u64 faults, hdecs;

static u64 timebase(void)
{
	u64 tb;

	__asm__ volatile("mftb %0" : "=r"(tb));
	return tb;
}

static void store(u64 table, u64 i, u64 v)
{
	*(volatile u64 *)(table + 8 * i) = be64(v);
	__asm__ volatile("ptesync" ::: "memory");
}

static u64 load(u64 table, u64 i)
{
	return be64(*(volatile u64 *)(table + 8 * i));
}

static void build_tree(void)
{
	store(PATB, 2, VALID | 2UL << 61 | 5UL << 5 | ROOT | 13);
	store(PATB, 3, VALID);
	store(ROOT, 0, VALID | LEVEL2 | 9);
	store(LEVEL2, 0, VALID | LEVEL3 | 9);
	for (u64 i = 0; i < L2_FIXED >> 21; i++)
		store(LEVEL3, i, VALID | LEAF | (L2_MEM + (i << 21)) | ATTR);
}

/* One page of 64 KiB. */
static void map_page(u64 gpa)
{
	u64 i = gpa >> 21, small = SMALL + i * 256;

	if (!load(LEVEL3, i))
		store(LEVEL3, i, VALID | small | 5);
	store(small, gpa >> 16 & 31, VALID | LEAF | (L2_MEM + (gpa & ~0xffffUL)) | ATTR);
}

/* The token of a function of RTAS, out of the flattened device tree. */
static u32 rtas_token(const u8 *fdt, const char *name)
{
	const u8 *p = fdt + be32(*(const u32 *)(fdt + 8)),
		 *strings = fdt + be32(*(const u32 *)(fdt + 12));

	for (;;) {
		u32 token = be32(*(const u32 *)p), len;
		const char *s;
		u64 k = 0;

		p += 4;
		switch (token) {
		case 1: /* a node: its name */
			while (*p++)
				;
			p = (const u8 *)(((u64)p + 3) & ~3UL);
			break;
		case 3: /* a property: length, name, value */
			len = be32(*(const u32 *)p);
			s = (const char *)strings + be32(*(const u32 *)(p + 4));
			while (name[k] && name[k] == s[k])
				k++;
			if (name[k] == s[k])
				return be32(*(const u32 *)(p + 8));
			p += 8 + ((len + 3) & ~3u);
			break;
		case 9: /* the end */
			return 0;
		}
	}
}

static void power_off(const u8 *fdt)
{
	static volatile u32 args[6];

	args[0] = be32(rtas_token(fdt, "power-off"));
	args[1] = be32(2);
	args[2] = be32(1);
	hcall(H_RTAS, (u64)args, 0, 0, 0);
}

/* False: L2 has come to its end, or there is an exit that nothing asked for. */
static int handle(long trap)
{
	switch (trap) {
	case 0:
		return 1;
	case TRAP_HDEC:
		hdecs++;
		hv.hdec_expiry = timebase() + 512000;
		return 1;
	case TRAP_HDSI:
		faults++;
		map_page(hv.asdr & ~0xfffUL);
		return 1;
	case TRAP_SYSCALL:
		if (regs.gpr[3] == H_PUT_TERM_CHAR) {
			regs.gpr[3] = (u64)hcall(H_PUT_TERM_CHAR, regs.gpr[4], regs.gpr[5],
						 regs.gpr[6], regs.gpr[7]);
			return 1;
		}
		return 0;
	}
	return 0;
}

static int right(long trap, int swapped)
{
	u64 sum = 0;

	if (trap != TRAP_SYSCALL || regs.gpr[3] != H_L2_DONE || !faults || !hdecs)
		return 0;
	for (u64 i = 0; i < NR_WORDS; i++) {
		volatile u64 *p = (volatile u64 *)(L2_MEM + L2_WORDS + i * WORD_STEP);
		u64 v = swapped ? __builtin_bswap64(*p) : *p;

		if (v != word_of(i))
			return 0;
		sum += v ^ *(volatile u8 *)p;
	}
	return sum == regs.gpr[4];
}

void main(const u8 *fdt)
{
	long trap;

	print("L1 is " ORDER "-endian\r\n");
	build_tree();
	for (u64 i = 0; i < (u64)(l2_image_end - l2_image); i++)
		((volatile u8 *)L2_MEM)[i] = l2_image[i];
	if (hcall(H_SET_PARTITION_TABLE, PATB, 0, 0, 0)) {
		print("no nested guests here\r\n");
		power_off(fdt);
	}
	hv.version = 2;
	hv.lpid = 1;
	hv.amor = ~0UL;
	hv.hfscr = ~0UL >> 8;
	hv.lpcr = 1UL << 17;
	/* At once: the first exit is the hypervisor decrementer's. */
	hv.hdec_expiry = timebase();
	regs.msr = MSR_SF | (L2_LITTLE ? MSR_LE : 0);
	do {
		trap = hcall(H_ENTER_NESTED, (u64)&hv, (u64)&regs, 0, 0);
	} while (handle(trap));
#ifdef __LITTLE_ENDIAN__
	print(right(trap, !L2_LITTLE) ? "nested: right\r\n" : "nested: wrong\r\n");
#else
	print(right(trap, L2_LITTLE) ? "nested: right\r\n" : "nested: wrong\r\n");
#endif
	power_off(fdt);
}
