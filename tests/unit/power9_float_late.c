/*
 * Floating-point status that is computed late (cpu/power9/float_status.h): random programs of
 * floating-point instructions leave the same registers, FPSCR and memory behind as when each
 * computes its status at once, interpreted and compiled, optimised or not, for hosts with
 * more and with fewer instructions. Among the instructions are those that read and change the
 * FPSCR, record forms, comparisons, loads and stores, some of which fault.
 *
 * ANYKVM_FLOAT_CASES says how many programs are tried (default 20000), ANYKVM_IR_SEED which is
 * first.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/core.h"
#include "cpu/power9/float_status.h"
#include "cpu/power9/fpu.h"
#include "cpu/power9/helper_vec.h"
#include "cpu/power9/region.h"
#include "ir/op.h"
#include "jit/jit.h"
#include "mem/endian.h"
#include "power9_harness.h"

#define PC   UINT64_C(0x10000000)
#define DATA UINT64_C(0x20000000)

enum { MAX_WORDS = 24, REGS = 8 };

static struct p9_harness *harness[JIT_LEVELS];
static struct p9_regs *regs; /* of the harness in use */
static _Alignas(4096) uint8_t page[4096];
static uint64_t state_of_random;

static uint64_t rnd(void)
{
	uint64_t z = state_of_random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned below(unsigned n)
{
	return (unsigned)(rnd() >> 33) % n;
}

/* ---- programs ---- */

/* A form: opcode, XO; which of FRA, FRB, FRC it has does not matter, the rest is zero. */
#define A(po, xo, a, b, c) ((po) << 26 | (a) << 16 | (b) << 11 | (c) << 6 | (xo) << 1)
#define X(po, xo)          ((po) << 26 | (xo) << 1)

enum { HAS_A = 1, HAS_B = 2, HAS_C = 4, RECORDS = 8 };

struct row {
	uint32_t word;
	unsigned operands;
};

static const struct row scalar[] = {
	{A(63u, 21u, 0u, 0u, 0u), HAS_A | HAS_B | RECORDS},         /* fadd */
	{A(63u, 20u, 0u, 0u, 0u), HAS_A | HAS_B | RECORDS},         /* fsub */
	{A(63u, 25u, 0u, 0u, 0u), HAS_A | HAS_C | RECORDS},         /* fmul */
	{A(63u, 18u, 0u, 0u, 0u), HAS_A | HAS_B | RECORDS},         /* fdiv */
	{A(63u, 22u, 0u, 0u, 0u), HAS_B | RECORDS},                 /* fsqrt */
	{A(63u, 29u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS}, /* fmadd */
	{A(63u, 28u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS}, /* fmsub */
	{A(63u, 31u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS}, /* fnmadd */
	{A(63u, 30u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS}, /* fnmsub */
	{A(59u, 21u, 0u, 0u, 0u), HAS_A | HAS_B | RECORDS},         /* the same, singles */
	{A(59u, 20u, 0u, 0u, 0u), HAS_A | HAS_B | RECORDS},
	{A(59u, 25u, 0u, 0u, 0u), HAS_A | HAS_C | RECORDS},
	{A(59u, 18u, 0u, 0u, 0u), HAS_A | HAS_B | RECORDS},
	{A(59u, 22u, 0u, 0u, 0u), HAS_B | RECORDS},
	{A(59u, 29u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS},
	{A(59u, 28u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS},
	{A(59u, 31u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS},
	{A(59u, 30u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C | RECORDS},
	{A(63u, 26u, 0u, 0u, 0u), HAS_B | RECORDS},       /* frsqrte: never late */
	{A(63u, 23u, 0u, 0u, 0u), HAS_A | HAS_B | HAS_C}, /* fsel */
	{X(63u, 12u), HAS_B | RECORDS},                   /* frsp */
	{X(63u, 14u), HAS_B | RECORDS},                   /* fctiw */
	{X(63u, 15u), HAS_B | RECORDS},                   /* fctiwz */
	{X(63u, 814u), HAS_B | RECORDS},                  /* fctid */
	{X(63u, 815u), HAS_B | RECORDS},                  /* fctidz */
	{X(63u, 142u), HAS_B | RECORDS},                  /* fctiwu */
	{X(63u, 143u), HAS_B | RECORDS},                  /* fctiwuz */
	{X(63u, 942u), HAS_B | RECORDS},                  /* fctidu */
	{X(63u, 943u), HAS_B | RECORDS},                  /* fctiduz */
	{X(63u, 846u), HAS_B | RECORDS},                  /* fcfid */
	{X(63u, 974u), HAS_B | RECORDS},                  /* fcfidu */
	{X(59u, 846u), HAS_B | RECORDS},                  /* fcfids */
	{X(59u, 974u), HAS_B | RECORDS},                  /* fcfidus */
	{X(63u, 392u), HAS_B | RECORDS},                  /* frin */
	{X(63u, 424u), HAS_B | RECORDS},                  /* friz */
	{X(63u, 456u), HAS_B | RECORDS},                  /* frip */
	{X(63u, 488u), HAS_B | RECORDS},                  /* frim */
	{X(63u, 40u), HAS_B | RECORDS},                   /* fneg */
	{X(63u, 583u), RECORDS},                          /* mffs */
};

/* XX2 and XX3 forms, VSRs 0 to 7; XT is an operand of the multiply-adds. */
#define XX3(xo) (60u << 26 | (xo) << 3)
#define XX2(xo) (60u << 26 | (xo) << 2)

static const struct row vector[] = {
	{XX3(96u), HAS_A | HAS_B},  {XX3(104u), HAS_A | HAS_B}, /* xvadddp, xvsubdp */
	{XX3(112u), HAS_A | HAS_B}, {XX3(120u), HAS_A | HAS_B}, /* xvmuldp, xvdivdp */
	{XX3(64u), HAS_A | HAS_B},  {XX3(72u), HAS_A | HAS_B},  /* the same, singles */
	{XX3(80u), HAS_A | HAS_B},  {XX3(88u), HAS_A | HAS_B},
	{XX3(97u), HAS_A | HAS_B},  {XX3(105u), HAS_A | HAS_B}, /* xvmaddadp, xvmaddmdp */
	{XX3(113u), HAS_A | HAS_B}, {XX3(225u), HAS_A | HAS_B}, /* xvmsubadp, xvnmaddadp */
	{XX3(241u), HAS_A | HAS_B}, {XX3(65u), HAS_A | HAS_B},  /* xvnmsubadp, xvmaddasp */
	{XX3(73u), HAS_A | HAS_B},  {XX3(209u), HAS_A | HAS_B}, /* xvmaddmsp, xvnmsubasp */
	{XX2(203u), HAS_B},         {XX2(139u), HAS_B},         /* xvsqrtdp, xvsqrtsp */
	{XX3(32u), HAS_A | HAS_B},  {XX3(0u), HAS_A | HAS_B},   /* xsadddp, xsaddsp */
	{XX3(33u), HAS_A | HAS_B},  {XX3(41u), HAS_A | HAS_B},  /* xsmaddadp, xsmaddmdp */
	{XX2(329u), HAS_B},         {XX2(265u), HAS_B},         /* xscvspdp, xscvdpsp */
	{XX2(344u), HAS_B},         {XX2(88u), HAS_B},          /* xscvdpsxds, xscvdpsxws */
	{XX2(376u), HAS_B},         {XX2(281u), HAS_B},         /* xscvsxddp, xsrsp */
	{XX2(472u), HAS_B},         {XX2(216u), HAS_B},         /* xvcvdpsxds, xvcvdpsxws */
	{XX3(99u), HAS_A | HAS_B},  {XX3(227u), HAS_A | HAS_B}, /* xvcmpeqdp, xvcmpeqdp. */
	{XX3(107u), HAS_A | HAS_B}, {XX3(115u), HAS_A | HAS_B}, /* xvcmpgtdp, xvcmpgedp */
	{XX3(67u), HAS_A | HAS_B},  {XX3(75u), HAS_A | HAS_B},  /* xvcmpeqsp, xvcmpgtsp */
	{XX3(83u), HAS_A | HAS_B},  {XX3(211u), HAS_A | HAS_B}, /* xvcmpgesp, xvcmpgesp. */
	{XX3(224u), HAS_A | HAS_B}, {XX3(232u), HAS_A | HAS_B}, /* xvmaxdp, xvmindp */
	{XX3(192u), HAS_A | HAS_B}, {XX3(200u), HAS_A | HAS_B}, /* xvmaxsp, xvminsp */
	{XX2(184u), HAS_B},         {XX2(248u), HAS_B},         /* xvcvsxwsp, xvcvsxwdp */
	{XX2(168u), HAS_B},         {XX2(232u), HAS_B},         /* xvcvuxwsp, xvcvuxwdp */
	{XX2(504u), HAS_B},         {XX2(488u), HAS_B},         /* xvcvsxddp, xvcvuxddp */
	{XX2(456u), HAS_B},         {XX2(200u), HAS_B},         /* xvcvdpuxds, xvcvdpuxws */
	{XX2(152u), HAS_B},         {XX2(136u), HAS_B},         /* xvcvspsxws, xvcvspuxws */
	{XX2(457u), HAS_B},         {XX2(393u), HAS_B},         /* xvcvspdp, xvcvdpsp */
	{XX2(217u), HAS_B},         {XX2(233u), HAS_B},         /* xvrdpiz, xvrdpip */
	{XX2(249u), HAS_B},         {XX2(201u), HAS_B},         /* xvrdpim, xvrdpi */
	{XX2(235u), HAS_B},         {XX2(171u), HAS_B},         /* xvrdpic, xvrspic */
	{XX2(153u), HAS_B},         {XX2(169u), HAS_B},         /* xvrspiz, xvrspip */
	{XX2(185u), HAS_B},         {XX2(137u), HAS_B},         /* xvrspim, xvrspi */
	{XX2(73u), HAS_B},          {XX2(107u), HAS_B},         /* xsrdpi, xsrdpic */
	{XX2(328u), HAS_B},         {XX2(72u), HAS_B},          /* xscvdpuxds, xscvdpuxws */
	{XX2(296u), HAS_B},         {XX3(3u), HAS_A | HAS_B},   /* xscvuxdsp, xscmpeqdp */
	{XX3(11u), HAS_A | HAS_B},  {XX3(19u), HAS_A | HAS_B},  /* xscmpgtdp, xscmpgedp */
	{XX3(160u), HAS_A | HAS_B}, {XX3(168u), HAS_A | HAS_B}, /* xsmaxdp, xsmindp */
	{XX3(128u), HAS_A | HAS_B}, {XX3(136u), HAS_A | HAS_B}, /* xsmaxcdp, xsmincdp */
	{XX3(144u), HAS_A | HAS_B}, {XX3(152u), HAS_A | HAS_B}, /* xsmaxjdp, xsminjdp */
};

/* VMX, VRs 0 to 7: no status in the FPSCR, whatever the host's has. */
#define VX(xo) (4u << 26 | (xo))

static const struct row vmx[] = {
	{VX(10u), HAS_A | HAS_B},         {VX(74u), HAS_A | HAS_B},         /* vaddfp, vsubfp */
	{VX(46u), HAS_A | HAS_B | HAS_C}, {VX(47u), HAS_A | HAS_B | HAS_C}, /* vmaddfp, vnmsubfp */
	{VX(1034u), HAS_A | HAS_B},       {VX(1098u), HAS_A | HAS_B},       /* vmaxfp, vminfp */
	{VX(198u), HAS_A | HAS_B},        {VX(454u), HAS_A | HAS_B},        /* vcmpeqfp, vcmpgefp */
	{VX(710u), HAS_A | HAS_B},        {VX(966u), HAS_A | HAS_B},        /* vcmpgtfp, vcmpbfp */
	{VX(1222u), HAS_A | HAS_B},       {VX(1478u), HAS_A | HAS_B},       /* vcmpeqfp., vcmpgefp. */
	{VX(1734u), HAS_A | HAS_B},       {VX(1990u), HAS_A | HAS_B},       /* vcmpgtfp., vcmpbfp. */
	{VX(522u), HAS_B},                {VX(586u), HAS_B},                /* vrfin, vrfiz */
	{VX(650u), HAS_B},                {VX(714u), HAS_B},                /* vrfip, vrfim */
	{VX(970u), HAS_A | HAS_B},        {VX(906u), HAS_A | HAS_B},        /* vctsxs, vctuxs: UIM as A */
	{VX(842u), HAS_A | HAS_B},        {VX(778u), HAS_A | HAS_B},        /* vcfsx, vcfux */
	{VX(266u), HAS_B},                {VX(330u), HAS_B},                /* vrefp, vrsqrtefp */
	{VX(1604u), HAS_B},                                                 /* mtvscr */
};

static uint32_t one_of(const struct row *rows, unsigned n, bool may_record)
{
	const struct row *r = &rows[below(n)];
	uint32_t w = r->word | below(REGS) << 21;

	if (r->operands & HAS_A)
		w |= below(REGS) << 16;
	if (r->operands & HAS_B)
		w |= below(REGS) << 11;
	if (r->operands & HAS_C)
		w |= below(REGS) << 6;
	/* some results and operands of VSX are VRs */
	if (w >> 26 == 60 && !below(4))
		w |= r->operands & HAS_A ? below(8) : below(4);
	if (may_record && (r->operands & RECORDS) && !below(12))
		w |= 1;
	return w;
}

/* Comparisons, logic of their results, FPSCR moves, loads and stores. GPR 3 is where the data is. */
static uint32_t another(void)
{
	unsigned f = below(REGS);
	uint32_t at = 8 * below(16);

	switch (below(16)) {
	case 14:
	case 15: /* cror */
		return X(19u, 449u) | below(32) << 21 | below(32) << 16 | below(32) << 11;
	case 0:
	case 1:
		return X(63u, 0u) | below(8) << 23 | f << 16 | below(REGS) << 11; /* fcmpu */
	case 2:
		return X(63u, 32u) | below(8) << 23 | f << 16 | below(REGS) << 11; /* fcmpo */
	case 3:
		return X(63u, 583u) | f << 21; /* mffs */
	case 4:
		return X(63u, 64u) | below(8) << 23 | below(8) << 18; /* mcrfs */
	case 5:
		return X(63u, below(2) ? 70u : 38u) | below(32) << 21; /* mtfsb0, mtfsb1 */
	case 6:
		return X(63u, 134u) | 7u << 23 | below(4) << 12; /* mtfsfi 7: NI, RN */
	case 7:
		return X(63u, 711u) | 1u << (17 + below(8)) | f << 11; /* mtfsf */
	case 8:
		return 48u << 26 | f << 21 | 3u << 16 | at; /* lfs */
	case 9:
		return 52u << 26 | f << 21 | 3u << 16 | at; /* stfs */
	case 10:
	case 11:
		return 50u << 26 | f << 21 | 3u << 16 | at; /* lfd */
	case 12:
		return 54u << 26 | f << 21 | 3u << 16 | at; /* stfd */
	default:
		/* lfd that faults, most often past the program's interesting part */
		return below(4) ? 50u << 26 | f << 21 | 3u << 16 | at
				: 50u << 26 | f << 21 | 4u << 16 | at;
	}
}

static unsigned make_program(uint32_t *word)
{
	unsigned n = 2 + below(MAX_WORDS - 3), others = below(3) ? 6 : 2;

	for (unsigned k = 0; k < n; k++)
		word[k] = !below(others)  ? another()
			  : below(3) == 0 ? one_of(vector, sizeof(vector) / sizeof(*vector), false)
			  : below(5) == 0 ? one_of(vmx, sizeof(vmx) / sizeof(*vmx), false)
					  : one_of(scalar, sizeof(scalar) / sizeof(*scalar), true);
	if (!below(4)) {
		word[n] = 16u << 26 | 16u << 21 | (-4 * n & 0xfffc); /* bdnz to the start */
		n++;
	}
	return n;
}

/* ---- data ---- */

static uint64_t number(void)
{
	static const uint64_t list[] = {
		0,
		UINT64_C(0x3ff0000000000000),
		UINT64_C(0x7ff0000000000000),
		UINT64_C(0x7ff8000000000000),
		UINT64_C(0x7ff4000000000123),
		UINT64_C(0x7fefffffffffffff),
		UINT64_C(0x0010000000000000),
		1,
		UINT64_C(0x000fffffffffffff),
		UINT64_C(0x0020000000000000),
		UINT64_C(0x3810000000000000),
		UINT64_C(0x47efffffe0000000),
		UINT64_C(0x36a0000000000000),
		UINT64_C(0x43e0000000000000),
		UINT64_C(0x41dfffffffc00000),
		UINT64_C(0x3ff0000010000000),
		UINT64_C(0x3ff0000030000000),
		UINT64_C(0x4330000000000001),
		UINT64_C(0x3fe0000000000000),
		UINT64_C(0x3fdfffffffffffff),
		UINT64_C(0x4004000000000000),
		UINT64_C(0x43dfffffffffffff),
		UINT64_C(0x43efffffffffffff),
		UINT64_C(0x43f0000000000000),
		UINT64_C(0x41efffffffe00000),
		UINT64_C(0x41efffffffffffff),
		UINT64_C(0x41f0000000000000),
		UINT64_C(0x41e0000000200000),
		/* pairs of singles */
		UINT64_C(0x3f0000003effffff),
		UINT64_C(0x4f000000ceffffff),
		UINT64_C(0x4f7fffff4f800000),
		UINT64_C(0x7f8000017fc12345),
		UINT64_C(0x7f80000080000000),
		UINT64_C(0x0080000000000001),
		UINT64_C(0x807fffff007fffff),
		UINT64_C(0x402000004b000001),
	};
	uint64_t sign = rnd() & UINT64_C(1) << 63, v;

	switch (below(12)) {
	case 10: { /* halves */
		double d = below(64) / 2.0;

		memcpy(&v, &d, 8);
		return v | sign;
	}
	case 11: { /* singles of that kind */
		float s[2] = {(float)below(64) / 2.0f, -(float)below(64) / 2.0f};

		memcpy(&v, s, 8);
		return v;
	}
	case 0:
		return list[below(sizeof(list) / sizeof(*list))] | sign;
	case 1:
		return rnd();
	case 2: { /* a small integer */
		double d = below(2048);

		memcpy(&v, &d, 8);
		return v | sign;
	}
	case 3: /* singles, in words */
		return (uint64_t)(0x3f000000 + below(0x2000000)) << 32 |
		       (0x3f000000 + below(0x2000000));
	case 4:
	case 5: /* near one, a single */
		return ((UINT64_C(0x3f0) + below(32)) << 52 |
			(rnd() >> 12 & ~UINT64_C(0x1fffffff))) |
		       sign;
	case 6: /* the edges of the single range */
		return ((below(2) ? UINT64_C(0x368) : UINT64_C(0x460)) + below(32)) << 52 |
		       rnd() >> 12 | sign;
	default:
		return ((UINT64_C(0x3e0) + below(64)) << 52 | rnd() >> 12) | sign;
	}
}

struct machine {
	struct p9_regs r;
	uint8_t page[256];
	struct p9_harness_result end;
};

static void start(const struct machine *m)
{
	*regs = m->r;
	memcpy(page, m->page, sizeof(m->page));
}

static void random_start(struct machine *m)
{
	m->r = *regs;
	for (unsigned n = 0; n < REGS; n++)
		m->r.vsr[n] = (u128)number() << 64 | number();
	for (unsigned n = 32; n < 32 + REGS; n++)
		m->r.vsr[n] = (u128)number() << 64 | number();
	m->r.vscr = below(4) ? P9_VSCR_NJ : 0;
	for (unsigned n = 0; n < 8; n++)
		m->r.crf[n] = 0;
	m->r.gpr[3] = DATA;
	m->r.gpr[4] = DATA + 8192;
	m->r.ctr = 1 + below(5);
	/* mostly the state of a fresh program, or one in which XX is set long since */
	m->r.fpscr = 0;
	if (below(2))
		m->r.fpscr = P9_FPSCR_XX | P9_FPSCR_FX;
	if (!below(4))
		m->r.fpscr = p9_fpscr_summarise(rnd() & ~(P9_FPSCR_ENABLES | P9_FPSCR_RN));
	if (!below(2))
		m->r.fpscr = p9_fpscr_summarise(m->r.fpscr | (rnd() & P9_FPSCR_RN));
	if (!below(6))
		m->r.fpscr = p9_fpscr_summarise(m->r.fpscr | (rnd() & P9_FPSCR_ENABLES));
	for (unsigned n = 0; n < sizeof(m->page); n += 8) {
		uint64_t v = number();

		memcpy(m->page + n, &v, 8);
	}
}

static void finish(struct machine *m, struct p9_harness_result end)
{
	m->r = *regs;
	m->end = end;
	memcpy(m->page, page, sizeof(m->page));
}

static const char *differ(const struct machine *a, const struct machine *b)
{
	if (a->end.end != b->end.end || a->end.pc != b->end.pc || a->end.vector != b->end.vector)
		return "the end";
	if (a->r.fpscr != b->r.fpscr)
		return "the FPSCR";
	if (memcmp(a->r.vsr, b->r.vsr, sizeof(a->r.vsr)))
		return "a VSR";
	if (memcmp(a->r.crf, b->r.crf, sizeof(a->r.crf)))
		return "the CR";
	if (a->r.vscr != b->r.vscr)
		return "the VSCR";
	if (memcmp(a->page, b->page, sizeof(a->page)))
		return "memory";
	return NULL;
}

/* The program in all ways, against the one in which nothing is late. True: it faulted. */
static bool run_all_ways(struct p9_harness *h, const struct machine *begin, const uint32_t *word,
			 unsigned n, uint32_t mode, uint64_t seed)
{
	static struct machine want, got;

	start(begin);
	finish(&want, p9_harness_run(h, word, n, PC, mode, P9_HARNESS_EXACT));
	assert_int_not_equal(want.end.end, P9_HARNESS_BROKEN);
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		const char *what;

		start(begin);
		finish(&got, p9_harness_run(h, word, n, PC, mode, how));
		what = differ(&want, &got);
		if (!what)
			continue;
		for (unsigned k = 0; k < n; k++)
			fprintf(stderr, "%08" PRIx32 "\n", word[k]);
		for (unsigned k = 0; k < 32 + REGS; k = k == REGS - 1 ? 32 : k + 1)
			fprintf(stderr,
				"%u: %016" PRIx64 "%016" PRIx64 ": %016" PRIx64 "%016" PRIx64
				", not %016" PRIx64 "%016" PRIx64 "\n",
				k, (uint64_t)(begin->r.vsr[k] >> 64), (uint64_t)begin->r.vsr[k],
				(uint64_t)(got.r.vsr[k] >> 64), (uint64_t)got.r.vsr[k],
				(uint64_t)(want.r.vsr[k] >> 64), (uint64_t)want.r.vsr[k]);
		fail_msg("seed %" PRIu64 ", how %u: %s differs: FPSCR %08" PRIx64 ", %08" PRIx64
			 ", not %08" PRIx64 "; ends %d %" PRIx64 ", not %d %" PRIx64,
			 seed, how, what, begin->r.fpscr, got.r.fpscr, want.r.fpscr, got.end.end,
			 got.end.pc, want.end.end, want.end.pc);
	}
	return want.end.end == P9_HARNESS_FAULT;
}

static void random_programs(void **state)
{
	const char *s = getenv("ANYKVM_FLOAT_CASES"), *f = getenv("ANYKVM_IR_SEED");
	uint64_t cases = s ? strtoull(s, NULL, 0) : 20000, first = f ? strtoull(f, NULL, 0) : 1;
	unsigned faults = 0;

	(void)state;
	for (uint64_t seed = first; seed < first + cases; seed++) {
		static struct machine begin;
		struct p9_harness *h = harness[seed % JIT_LEVELS];
		uint32_t mode = P9_HARNESS_USER | (seed % 16 == 0 ? P9_MODE_FE : 0);
		uint32_t word[MAX_WORDS];
		unsigned n;

		state_of_random = seed * UINT64_C(0x2545f4914f6cdd1d);
		regs = p9_harness_regs(h);
		n = make_program(word);
		random_start(&begin);
		faults += run_all_ways(h, &begin, word, n, mode, seed);
	}
	print_message("%u faults\n", faults);
}

/* What random numbers do not meet; from FPSCR 0. The FPSCR is that of the exact computation. */
static void edges(void **state)
{
	static const struct {
		uint32_t word; /* target 0, operands 1, 2, 3 */
		uint64_t a, b, c;
		uint64_t result, fpscr;
	} row[] = {
		/* fmadds: exact in double, in the middle between singles */
		{A(59u, 29u, 1u, 2u, 3u), UINT64_C(0x3ff0010000000000), 0,
		 UINT64_C(0x3ff0010000000000), UINT64_C(0x3ff0020000000000),
		 P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FG},
		/* and a little more than that, which a double does not show */
		{A(59u, 29u, 1u, 2u, 3u), UINT64_C(0x3ff0010000000000),
		 UINT64_C(0x3c30000000000000), UINT64_C(0x3ff0010000000000),
		 UINT64_C(0x3ff0020020000000),
		 P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FR | P9_FPSCR_FI | P9_FPSCR_FG},
		{A(59u, 29u, 1u, 2u, 3u), UINT64_C(0x3d70000000000000),
		 UINT64_C(0x3ff0000010000000), UINT64_C(0x3d70000000000000),
		 UINT64_C(0x3ff0000020000000),
		 P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FR | P9_FPSCR_FI | P9_FPSCR_FG},
		/* a little less */
		{A(59u, 28u, 1u, 2u, 3u), UINT64_C(0x3ff0010000000000),
		 UINT64_C(0x3c30000000000000), UINT64_C(0x3ff0010000000000),
		 UINT64_C(0x3ff0020000000000),
		 P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FG},
		/* the same, but less than any double */
		{A(59u, 29u, 1u, 2u, 3u), UINT64_C(0xb690000000000000),
		 UINT64_C(0x3ff0000030000000), UINT64_C(0x0010000000000000),
		 UINT64_C(0x3ff0000020000000),
		 P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FG},
		/* fmul: tiny, then rounded up to the least normal number */
		{A(63u, 25u, 1u, 0u, 3u), UINT64_C(0x3fefffffffffffff), 0,
		 UINT64_C(0x0010000000000000), UINT64_C(0x0010000000000000),
		 P9_FPSCR_FX | P9_FPSCR_UX | P9_FPSCR_XX | P9_FPSCR_FR | P9_FPSCR_FI | P9_FPSCR_FG},
		/* fmuls, the same */
		{A(59u, 25u, 1u, 0u, 3u), UINT64_C(0x3fefffffe0000000), 0,
		 UINT64_C(0x3810000000000000), UINT64_C(0x3810000000000000),
		 P9_FPSCR_FX | P9_FPSCR_UX | P9_FPSCR_XX | P9_FPSCR_FR | P9_FPSCR_FI | P9_FPSCR_FG},
		/* fmadd: a zero that is none */
		{A(63u, 29u, 1u, 2u, 3u), UINT64_C(0xbfefffffffffffff), 1, 1, 0,
		 P9_FPSCR_FX | P9_FPSCR_UX | P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FE},
		{A(63u, 29u, 1u, 2u, 3u), UINT64_C(0xbfefffffffffffff),
		 UINT64_C(0x0010000000000000), UINT64_C(0x0010000000000000), 0,
		 P9_FPSCR_FX | P9_FPSCR_UX | P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FE},
		/* and one that is */
		{A(63u, 29u, 1u, 2u, 3u), UINT64_C(0xbff0000000000000),
		 UINT64_C(0x3ff0000000000000), UINT64_C(0x3ff0000000000000), 0, P9_FPSCR_FE},
		/* fnmadd: its sign */
		{A(63u, 31u, 1u, 2u, 3u), UINT64_C(0xbff0000000000000),
		 UINT64_C(0x3ff0000000000000), UINT64_C(0x3ff0000000000000), UINT64_C(1) << 63,
		 P9_FPSCR_C | P9_FPSCR_FE},
		/* fmul: 0 * -1, and an underflow to zero */
		{A(63u, 25u, 1u, 0u, 3u), 0, 0, UINT64_C(0xbff0000000000000), UINT64_C(1) << 63,
		 P9_FPSCR_C | P9_FPSCR_FE},
		{A(63u, 25u, 1u, 0u, 3u), 1, 0, 1, 0,
		 P9_FPSCR_FX | P9_FPSCR_UX | P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FE},
		/* fctidz, fctiwz of the least integers, and of what is just too little */
		{X(63u, 815u) | 1u << 11, UINT64_C(0xc3e0000000000000), 0, 0, UINT64_C(1) << 63, 0},
		{X(63u, 815u) | 1u << 11, UINT64_C(0xc3e0000000000001), 0, 0, UINT64_C(1) << 63,
		 P9_FPSCR_FX | P9_FPSCR_VX | P9_FPSCR_VXCVI},
		{X(63u, 15u) | 1u << 11, UINT64_C(0xc1e0000000100000), 0, 0,
		 UINT64_C(0x8000000080000000), P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FI},
	};

	(void)state;
	for (unsigned k = 0; k < sizeof(row) / sizeof(*row); k++) {
		for (unsigned level = 0; level < JIT_LEVELS; level++) {
			/* Another operation behind it hides what the first could do late. */
			const uint32_t word[] = {row[k].word, A(63u, 21u, 4u, 4u, 0u) | 4u << 21};
			static struct machine begin;

			regs = p9_harness_regs(harness[level]);
			begin.r = *regs;
			begin.r.fpscr = 0;
			begin.r.vsr[0] = 0;
			begin.r.vsr[1] = (u128)row[k].a << 64;
			begin.r.vsr[2] = (u128)row[k].b << 64;
			begin.r.vsr[3] = (u128)row[k].c << 64;
			begin.r.vsr[4] = (u128)UINT64_C(0x3ff0000000000000) << 64;
			run_all_ways(harness[level], &begin, word, 2, P9_HARNESS_USER, k);
			run_all_ways(harness[level], &begin, word, 1, P9_HARNESS_USER, k);
			assert_int_equal((uint64_t)(regs->vsr[0] >> 64), row[k].result);
			assert_int_equal(regs->fpscr, row[k].fpscr);
		}
	}
}

/* Toward zero, up and down. The rest of the FPSCR is 0 at first. */
static void directed(void **state)
{
	enum { XX = P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FI, UP = XX | P9_FPSCR_FR };
	static const uint64_t one = UINT64_C(0x3ff0000000000000), least = 1, minus = UINT64_C(1) << 63,
			      infinity = UINT64_C(0x7ff0000000000000), greatest = UINT64_C(0x7fefffffffffffff),
			      great_single = UINT64_C(0x47efffffe0000000), small = UINT64_C(0x3c30000000000000);
	const struct {
		uint32_t word; /* target 0, operands 1, 2, 3 */
		uint64_t a, b, c;
		struct {
			uint64_t result, fpscr;
		} want[3];
	} row[] = {
		/* fadd, fsub: a little more than one, and less; fnmadd: negated after it was rounded */
		{A(63u, 21u, 1u, 2u, 0u), one, small, 0,
		 {{one, XX | P9_FPSCR_FG}, {one + 1, UP | P9_FPSCR_FG}, {one, XX | P9_FPSCR_FG}}},
		{A(63u, 20u, 1u, 2u, 0u), one, small, 0,
		 {{one - 1, XX | P9_FPSCR_FG}, {one, UP | P9_FPSCR_FG}, {one - 1, XX | P9_FPSCR_FG}}},
		{A(63u, 31u, 1u, 2u, 3u), one, small, one,
		 {{one | minus, XX | P9_FPSCR_FL},
		  {(one + 1) | minus, UP | P9_FPSCR_FL},
		  {one | minus, XX | P9_FPSCR_FL}}},
		/* fsub: x - x */
		{A(63u, 20u, 1u, 1u, 0u), one, 0, 0,
		 {{0, P9_FPSCR_FE}, {0, P9_FPSCR_FE}, {minus, P9_FPSCR_FE | P9_FPSCR_C}}},
		/* fadd: the greatest number and a little; fmul: a negative overflow */
		{A(63u, 21u, 1u, 2u, 0u), greatest, one, 0,
		 {{greatest, XX | P9_FPSCR_FG},
		  {infinity, UP | P9_FPSCR_OX | P9_FPSCR_FG | P9_FPSCR_FU},
		  {greatest, XX | P9_FPSCR_FG}}},
		{A(63u, 25u, 1u, 0u, 3u), greatest | minus, 0, greatest,
		 {{greatest | minus, XX | P9_FPSCR_OX | P9_FPSCR_FL},
		  {greatest | minus, XX | P9_FPSCR_OX | P9_FPSCR_FL},
		  {infinity | minus, UP | P9_FPSCR_OX | P9_FPSCR_FL | P9_FPSCR_FU}}},
		/* fadds: the same of singles */
		{A(59u, 21u, 1u, 2u, 0u), great_single, one, 0,
		 {{great_single, XX | P9_FPSCR_FG},
		  {infinity, UP | P9_FPSCR_OX | P9_FPSCR_FG | P9_FPSCR_FU},
		  {great_single, XX | P9_FPSCR_FG}}},
		/* frsp: above a number of twice the greatest single; in the middle between two singles */
		{X(63u, 12u) | 1u << 11, UINT64_C(0x47ffffffffffffff), 0, 0,
		 {{great_single, XX | P9_FPSCR_OX | P9_FPSCR_FG},
		  {infinity, UP | P9_FPSCR_OX | P9_FPSCR_FG | P9_FPSCR_FU},
		  {great_single, XX | P9_FPSCR_OX | P9_FPSCR_FG}}},
		{X(63u, 12u) | 1u << 11, UINT64_C(0x3ff0000010000000), 0, 0,
		 {{one, XX | P9_FPSCR_FG},
		  {UINT64_C(0x3ff0000020000000), UP | P9_FPSCR_FG},
		  {one, XX | P9_FPSCR_FG}}},
		/* fmul: less than any number */
		{A(63u, 25u, 1u, 0u, 3u), least, 0, least | minus,
		 {{minus, XX | P9_FPSCR_UX | P9_FPSCR_C | P9_FPSCR_FE},
		  {minus, XX | P9_FPSCR_UX | P9_FPSCR_C | P9_FPSCR_FE},
		  {least | minus, UP | P9_FPSCR_UX | P9_FPSCR_C | P9_FPSCR_FL}}},
		/* fctid, fctiw, of which what does not fit depends on it */
		{X(63u, 814u) | 1u << 11, UINT64_C(0xc004000000000000), 0, 0,
		 {{-UINT64_C(2), XX}, {-UINT64_C(2), XX}, {-UINT64_C(3), UP}}},
		{X(63u, 14u) | 1u << 11, UINT64_C(0x41dfffffffe00000), 0, 0,
		 {{UINT64_C(0x7fffffff7fffffff), XX},
		  {UINT64_C(0x7fffffff7fffffff), P9_FPSCR_FX | P9_FPSCR_VX | P9_FPSCR_VXCVI},
		  {UINT64_C(0x7fffffff7fffffff), XX}}},
		/* fcfid, fcfids */
		{X(63u, 846u) | 1u << 11, UINT64_C(0xff00000000000001), 0, 0,
		 {{UINT64_C(0xc36fffffffffffff), XX | P9_FPSCR_FL},
		  {UINT64_C(0xc36fffffffffffff), XX | P9_FPSCR_FL},
		  {UINT64_C(0xc370000000000000), UP | P9_FPSCR_FL}}},
		{X(59u, 846u) | 1u << 11, UINT64_C(0x4000000000000001), 0, 0,
		 {{UINT64_C(0x43d0000000000000), XX | P9_FPSCR_FG},
		  {UINT64_C(0x43d0000020000000), UP | P9_FPSCR_FG},
		  {UINT64_C(0x43d0000000000000), XX | P9_FPSCR_FG}}},
		/* a NaN */
		{A(63u, 21u, 1u, 2u, 0u), UINT64_C(0x7ff4000000000000), one, 0,
		 {{UINT64_C(0x7ffc000000000000), P9_FPSCR_FX | P9_FPSCR_VX | P9_FPSCR_VXSNAN | P9_FPSCR_C | P9_FPSCR_FU},
		  {UINT64_C(0x7ffc000000000000), P9_FPSCR_FX | P9_FPSCR_VX | P9_FPSCR_VXSNAN | P9_FPSCR_C | P9_FPSCR_FU},
		  {UINT64_C(0x7ffc000000000000), P9_FPSCR_FX | P9_FPSCR_VX | P9_FPSCR_VXSNAN | P9_FPSCR_C | P9_FPSCR_FU}}},
	};

	(void)state;
	for (unsigned k = 0; k < 3 * JIT_LEVELS * sizeof(row) / sizeof(*row); k++) {
		const uint32_t word[] = {row[k / 3 / JIT_LEVELS].word, A(63u, 21u, 4u, 4u, 0u) | 4u << 21};
		struct p9_harness *h = harness[k / 3 % JIT_LEVELS];
		static struct machine begin;
		unsigned rn = 1 + k % 3;

		regs = p9_harness_regs(h);
		begin.r = *regs;
		begin.r.fpscr = rn;
		begin.r.vsr[0] = 0;
		begin.r.vsr[1] = (u128)row[k / 3 / JIT_LEVELS].a << 64;
		begin.r.vsr[2] = (u128)row[k / 3 / JIT_LEVELS].b << 64;
		begin.r.vsr[3] = (u128)row[k / 3 / JIT_LEVELS].c << 64;
		begin.r.vsr[4] = (u128)one << 64;
		run_all_ways(h, &begin, word, 2, P9_HARNESS_USER, k);
		run_all_ways(h, &begin, word, 1, P9_HARNESS_USER, k);
		if ((uint64_t)(regs->vsr[0] >> 64) != row[k / 3 / JIT_LEVELS].want[rn - 1].result ||
		    regs->fpscr != (row[k / 3 / JIT_LEVELS].want[rn - 1].fpscr | rn))
			fail_msg("row %u, RN %u: %016" PRIx64 ", FPSCR %08" PRIx64, k / 3 / JIT_LEVELS, rn,
				 (uint64_t)(regs->vsr[0] >> 64), regs->fpscr);
	}
}

/* How many operations of a program, in the mode that an FPSCR asks for, a back end may do on its own. */
static unsigned left_to_host(uint64_t fpscr)
{
	static const uint32_t word[] = {A(63u, 21u, 1u, 2u, 0u), A(59u, 29u, 1u, 2u, 3u), X(63u, 814u) | 1u << 11,
					XX3(96u) | 1u << 16 | 2u << 11};
	uint8_t code[sizeof(word)];
	struct ir_region r;
	unsigned n = 0;

	for (unsigned k = 0; k < sizeof(word) / sizeof(*word); k++)
		st_le32(code + 4 * k, word[k]);
	ir_region_init(&r);
	p9_translate_region(P9_HARNESS_USER | p9_fp_mode(fpscr), &r, PC, code, sizeof(code), sizeof(word) / sizeof(*word));
	for (uint32_t k = 0; k < r.ninst; k++)
		n += r.inst[k].op == IR_CALL && ir_helper_of(&r.inst[k])->intrinsic >= IR_FLOAT_FIRST;
	ir_region_destroy(&r);
	return n;
}

static void on_the_host(void **state)
{
	(void)state;
	for (unsigned rn = 0; rn < 4; rn++) {
		assert_int_equal(left_to_host(rn), 4);
		assert_int_equal(left_to_host(rn | P9_FPSCR_XE), 0);
	}
}

static int setup(void **state)
{
	(void)state;
	for (unsigned level = 0; level < JIT_LEVELS; level++) {
		harness[level] = p9_harness_create();
		assert_non_null(harness[level]);
		p9_harness_limit(harness[level], level);
		p9_harness_map(harness[level], DATA, page, true);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned level = 0; level < JIT_LEVELS; level++)
		p9_harness_destroy(harness[level]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges),
		cmocka_unit_test(directed),
		cmocka_unit_test(on_the_host),
		cmocka_unit_test(random_programs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
