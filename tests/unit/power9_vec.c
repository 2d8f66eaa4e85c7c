/*
 * VMX, VSX and floating-point semantics with known answers: published vectors (FIPS 197, FIPS
 * 180-4) and values worked out from Power ISA 3.0B. The differential test covers the breadth; here
 * is what it cannot reach: both byte orders, faults that must leave everything as it was, enabled
 * exceptions.
 *
 * Every case is interpreted and compiled, with the optimiser off and on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cpu/power9/cr.h"
#include "cpu/power9/core.h"
#include "cpu/power9/fpu.h"
#include "mem/endian.h"
#include "power9_harness.h"

#define PC   UINT64_C(0x10000000)
#define DATA UINT64_C(0x20000000) /* two pages */

/* Forms */
#define VX(xo, t, a, b)     (4u << 26 | (t) << 21 | (a) << 16 | (b) << 11 | (xo))
#define VA(xo, t, a, b, c)  (4u << 26 | (t) << 21 | (a) << 16 | (b) << 11 | (c) << 6 | (xo))
#define X(po, xo, t, a, b)  ((po) << 26 | (t) << 21 | (a) << 16 | (b) << 11 | (xo) << 1)
#define XX1(xo, t, a, b)    (X(31u, xo, (t) & 31, a, b) | (t) >> 5)
#define XX3(xo, t, a, b)                                                                           \
	(60u << 26 | ((t) & 31) << 21 | ((a) & 31) << 16 | ((b) & 31) << 11 | (xo) << 3 |          \
	 ((a) >> 5) << 2 | ((b) >> 5) << 1 | (t) >> 5)
#define A(po, xo, t, a, b, c)                                                                      \
	((po) << 26 | (t) << 21 | (a) << 16 | (b) << 11 | (c) << 6 | (xo) << 1)

static struct p9_harness *h;
static struct p9_regs *regs;
static _Alignas(4096) uint8_t page[2][4096];

static u128 q(uint64_t hi, uint64_t lo)
{
	return (u128)hi << 64 | lo;
}

static int setup(void **state)
{
	(void)state;
	h = p9_harness_create();
	assert_non_null(h);
	regs = p9_harness_regs(h);
	p9_harness_map(h, DATA, page[0], true);
	p9_harness_map(h, DATA + 4096, page[1], true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	p9_harness_destroy(h);
	return 0;
}

static struct p9_harness_result run_mode(uint32_t word, uint32_t mode, unsigned how)
{
	struct p9_harness_result r = p9_harness_run(h, &word, 1, PC, mode, how);

	if (r.end == P9_HARNESS_BROKEN)
		fail_msg("%08x: %s", word, r.why);
	return r;
}

static void run(uint32_t word)
{
	assert_int_equal(run_mode(word, P9_HARNESS_USER, 0).end, P9_HARNESS_DONE);
}

#define assert_vector(n, hi, lo)                                                                   \
	do {                                                                                       \
		assert_int_equal((uint64_t)(regs->vsr[n] >> 64), (hi));                            \
		assert_int_equal((uint64_t)regs->vsr[n], (lo));                                    \
	} while (0)

/* VRT 1 := instruction of VRA 2, VRB 3, VRC 4. */
static void vmx(uint32_t word, u128 a, u128 b, u128 c, uint64_t hi, uint64_t lo)
{
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		regs->vsr[34] = a;
		regs->vsr[35] = b;
		regs->vsr[36] = c;
		assert_int_equal(run_mode(word, P9_HARNESS_USER, how).end, P9_HARNESS_DONE);
		assert_vector(33, hi, lo);
	}
}

/* FIPS 197, appendix B: rounds 1, 9 and 10. */
static void aes(void **state)
{
	(void)state;
	/* vcipher */
	vmx(VX(1288u, 1u, 2u, 3u), q(0x193de3bea0f4e22b, 0x9ac68d2ae9f84808),
	    q(0xa0fafe1788542cb1, 0x23a339392a6c7605), 0, 0xa49c7ff2689f352b, 0x6b5bea43026a5049);
	/* vcipherlast */
	vmx(VX(1289u, 1u, 2u, 3u), q(0xeb40f21e592e3884, 0x8ba113e71bc342d2),
	    q(0xd014f9a8c9ee2589, 0xe13f0cc8b6630ca6), 0, 0x3925841d02dc09fb, 0xdc118597196a0b32);
	/* vncipher undoes round 10, then MixColumns of round 9 */
	vmx(VX(1352u, 1u, 2u, 3u), q(0xe9317db5cb322c72, 0x3d2e895faf090794),
	    q(0xac7766f319fadc21, 0x28d12941575c006e), 0, 0x876e46a6f24ce78c, 0x4d904ad897ecc395);
	/* vncipherlast with a key of zero undoes SubBytes and ShiftRows of round 9 */
	vmx(VX(1353u, 1u, 2u, 3u), q(0x876e46a6f24ce78c, 0x4d904ad897ecc395), 0, 0,
	    0xea835cf00445332d, 0x655d98ad8596b0c5);
	/* vsbox, round 1 */
	vmx(VX(1480u, 1u, 2u, 0u), q(0x193de3bea0f4e22b, 0x9ac68d2ae9f84808), 0, 0,
	    0xd42711aee0bf98f1, 0xb8b45de51e415230);
}

/* The message schedule of "abc" (W16, W17, W15 to W18, W19, W17), and functions of 1. */
static void sha(void **state)
{
	(void)state;
	/* vshasigmaw, ST = 0, SIX = 15: sigma 1 */
	vmx(VX(1666u, 1u, 2u, 15u), q(0x61626380000f0000, 0x0000001800000000), 0, 0,
	    0x7da86405600003c6, 0x000f000000000000);
	/* words 0, 2: sigma 0; 1, 3: sigma 1 */
	vmx(VX(1666u, 1u, 2u, 5u), q(0x0000000100000001, 0x0000000100000018), 0, 0,
	    0x020040000000a000, 0x02004000000f0000);
	/* ST = 1: Sigma 0, Sigma 1 by turns */
	vmx(VX(1666u, 1u, 2u, 0x15u), q(0x0000000100000001, 0x0000000100000001), 0, 0,
	    0x4008040004200080, 0x4008040004200080);
	/* vshasigmad: bits 0 and 2 of SIX; sigma 0 and 1, then Sigma 0 and 1 */
	vmx(VX(1730u, 1u, 2u, 2u), q(1, 1), 0, 0, 0x8100000000000000, 0x0000200000000008);
	vmx(VX(1730u, 1u, 2u, 0x12u), q(1, 1), 0, 0, 0x0000001042000000, 0x0004400000800000);
}

static void carryless(void **state)
{
	(void)state;
	/* vpmsumd: 3 * 3 ^ x^63 * x^63 */
	vmx(VX(1224u, 1u, 2u, 3u), q(3, BIT64(63)), q(3, BIT64(63)), 0, 0x4000000000000000, 5);
	/* vpmsumb: 0xff * 0xff ^ 0x02 * 0x03 in the first halfword */
	vmx(VX(1032u, 1u, 2u, 3u), q(0xff02000000000000, 7), q(0xff03000000000000, 7), 0,
	    0x5553000000000000, 0x15);
	/* vpmsumh and vpmsumw */
	vmx(VX(1096u, 1u, 2u, 3u), q(0x8000000100000000, 3), q(0x8000000100000000, 2), 0,
	    0x4000000100000000, 6);
	vmx(VX(1160u, 1u, 2u, 3u), q(0x8000000000000001, 3), q(0x8000000000000001, 2), 0,
	    0x4000000000000001, 6);
}

#define BYTES_A q(0x0001020304050607, 0x08090a0b0c0d0e0f)
#define BYTES_B q(0x1011121314151617, 0x18191a1b1c1d1e1f)

static void permutes(void **state)
{
	(void)state;
	/* vperm: also bits of the control that do not count; vpermr counts from the right */
	vmx(VA(43u, 1u, 2u, 3u, 4u), BYTES_A, BYTES_B, q(0x001f1005e0ff0f01, 0x0203040506070809),
	    0x001f1005001f0f01, 0x0203040506070809);
	vmx(VA(59u, 1u, 2u, 3u, 4u), BYTES_A, BYTES_B, q(0x001f1005e0ff0f01, 0x0203040506070809),
	    0x1f000f1a1f00101e, 0x1d1c1b1a19181716);
	/* vsldoi by 5; vmrghb, vmrglh; vpkuhum; vpkuwum */
	vmx(VA(44u, 1u, 2u, 3u, 5u), BYTES_A, BYTES_B, 0, 0x05060708090a0b0c,
	    0x0d0e0f1011121314);
	vmx(VX(12u, 1u, 2u, 3u), BYTES_A, BYTES_B, 0, 0x0010011102120313, 0x0414051506160717);
	vmx(VX(332u, 1u, 2u, 3u), BYTES_A, BYTES_B, 0, 0x080918190a0b1a1b, 0x0c0d1c1d0e0f1e1f);
	vmx(VX(14u, 1u, 2u, 3u), BYTES_A, BYTES_B, 0, 0x01030507090b0d0f, 0x11131517191b1d1f);
	vmx(VX(78u, 1u, 2u, 3u), BYTES_A, BYTES_B, 0, 0x020306070a0b0e0f, 0x121316171a1b1e1f);
	/* vupkhsb, vupklsh */
	vmx(VX(526u, 1u, 0u, 3u), 0, q(0x80017fff00fe0102, 0), 0, 0xff800001007fffff,
	    0x0000fffe00010002);
	vmx(VX(718u, 1u, 0u, 3u), 0, q(0, 0x80017fff00fe0102), 0, 0xffff800100007fff,
	    0x000000fe00000102);
	/* vspltb 3, vsplth 1, vspltw 2, vspltish -16 */
	vmx(VX(524u, 1u, 3u, 3u), 0, BYTES_B, 0, 0x1313131313131313, 0x1313131313131313);
	vmx(VX(588u, 1u, 1u, 3u), 0, BYTES_B, 0, 0x1213121312131213, 0x1213121312131213);
	vmx(VX(652u, 1u, 2u, 3u), 0, BYTES_B, 0, 0x18191a1b18191a1b, 0x18191a1b18191a1b);
	vmx(VX(844u, 1u, 16u, 0u), 0, 0, 0, 0xfff0fff0fff0fff0, 0xfff0fff0fff0fff0);
	/* vextractuh 3, vinsertw 2 */
	vmx(VX(589u, 1u, 3u, 3u), 0, BYTES_B, 0, 0x1314, 0);
	regs->vsr[33] = BYTES_A;
	regs->vsr[35] = BYTES_B;
	run(VX(909u, 1u, 2u, 3u));
	assert_vector(33, 0x0001141516170607, 0x08090a0b0c0d0e0f);
	/* vpermxor: halves of the control */
	vmx(VA(45u, 1u, 2u, 3u, 4u), BYTES_A, BYTES_B, q(0x0ff0120000000000, 0), 0x1f1f131010101010,
	    0x1010101010101010);
	/* vbpermq: bit 0 of VRA is set; 0x80 and above give 0 */
	vmx(VX(1356u, 1u, 2u, 3u), q(BIT64(63), 1), q(0x00017f80ff000101, 0x010101010101007f), 0,
	    0xa403, 0);
	/* vgbbd: a row becomes a column */
	vmx(VX(1292u, 1u, 0u, 3u), 0, q(0xff00000000000000, 0x8040201008040201), 0,
	    0x8080808080808080, 0x8040201008040201);
	/* vrldmi, vrlwmi: bits outside the mask stay; a mask that wraps around */
	regs->vsr[33] = ~(u128)0;
	regs->vsr[34] = q(0x00000000000000f0, 0x0123456789abcdef);
	regs->vsr[35] = q(0x0000000000303f04, 0x0000000000380708);
	run(VX(197u, 1u, 2u, 3u));
	assert_vector(33, 0xffffffffffff0f00, 0x23ffffffffffff01);
	regs->vsr[33] = 0;
	regs->vsr[34] = q(0x12345678ffffffff, 0x80000001ffffffff);
	regs->vsr[35] = q(0x0018070400001f00, 0x0000000000080f00);
	run(VX(133u, 1u, 2u, 3u));
	assert_vector(33, 0x23000081ffffffff, 0x8000000000ff0000);
	/* vslv, vsrv; vslo by 3 octets; vsr by 4 */
	vmx(VX(1860u, 1u, 2u, 3u), q(0x8180000000000000, 0xff), q(0x0107000000000000, 4), 0,
	    0x0300000000000000, 0xf0);
	vmx(VX(1796u, 1u, 2u, 3u), q(0x8180000000000000, 0xff), q(0x0107010000000000, 4), 0,
	    0x4003000000000000, 0x0f);
	vmx(VX(1036u, 1u, 2u, 3u), BYTES_A, 0x18, 0, 0x030405060708090a, 0x0b0c0d0e0f000000);
	vmx(VX(708u, 1u, 2u, 3u), BYTES_A, q(0x0404040404040404, 0x0404040404040404), 0,
	    0x0000102030405060, 0x708090a0b0c0d0e0);
}

static void saturation(void **state)
{
	(void)state;
	/* vpkshss without and with saturation: SAT is sticky */
	regs->vscr = 0;
	vmx(VX(398u, 1u, 2u, 3u), q(0x0001ffff007fff80, 0), 0, 0, 0x01ff7f8000000000, 0);
	assert_int_equal(regs->vscr, 0);
	vmx(VX(398u, 1u, 2u, 3u), q(0x00800000ff7f0000, 0), q(0, 0x7fff800000000001), 0,
	    0x7f00800000000000, 0x000000007f800001);
	assert_int_equal(regs->vscr, 1);
	vmx(VX(398u, 1u, 2u, 3u), 0, 0, 0, 0, 0);
	assert_int_equal(regs->vscr, 1);
	/* mtvscr keeps two bits, mfvscr reads them */
	regs->vsr[35] = ~(u128)0;
	run(VX(1604u, 0u, 0u, 3u));
	assert_int_equal(regs->vscr, 0x10001);
	vmx(VX(1540u, 1u, 0u, 0u), 0, 0, 0, 0, 0x10001);
	regs->vscr = 0;
	/* vsumsws overflows; vmhraddshs of the extreme */
	vmx(VX(1928u, 1u, 2u, 3u), q(0x7fffffff00000001, 0), 0, 0, 0, 0x7fffffff);
	assert_int_equal(regs->vscr, 1);
	vmx(VA(33u, 1u, 2u, 3u, 4u), q(0x8000000000000000, 0), q(0x8000000000000000, 0),
	    q(0xffff000000000000, 0), 0x7fff000000000000, 0);
	regs->vscr = 0;
	vmx(VX(1230u, 1u, 2u, 3u), q(BIT64(63), 0xffffffff), q(1, 2), 0, 0xffffffffffffffff,
	    0x0000000100000002);
	assert_int_equal(regs->vscr, 1);
}

static void comparisons(void **state)
{
	(void)state;
	regs->crf[6] = p9_crf_encode(0);
	/* vcmpequb. */
	vmx(VX(6u | 1024, 1u, 2u, 3u), BYTES_A, BYTES_A, 0, ~0ull, ~0ull);
	assert_int_equal(p9_crf_decode(regs->crf[6]), 8);
	vmx(VX(6u | 1024, 1u, 2u, 3u), BYTES_A, BYTES_B, 0, 0, 0);
	assert_int_equal(p9_crf_decode(regs->crf[6]), 2);
	vmx(VX(6u | 1024, 1u, 2u, 3u), BYTES_A, q(0, 0), 0, 0xff00000000000000, 0);
	assert_int_equal(p9_crf_decode(regs->crf[6]), 0);
	/* without Rc the field stays */
	regs->crf[6] = p9_crf_encode(5);
	vmx(VX(6u, 1u, 2u, 3u), BYTES_A, BYTES_A, 0, ~0ull, ~0ull);
	assert_int_equal(p9_crf_decode(regs->crf[6]), 5);
	/* vcmpnezb: different, or a zero */
	vmx(VX(263u, 1u, 2u, 3u), q(0x0101000200000000, 0), q(0x0102000000000000, 0), 0,
	    0x00ffffffffffffff, ~0ull);
	/* vcmpbfp.: all within bounds */
	vmx(VX(966u | 1024, 1u, 2u, 3u), q(0x3f800000bf800000, 0), q(0x3f8000003f800000, 0), 0, 0,
	    0);
	assert_int_equal(p9_crf_decode(regs->crf[6]), 2);
	vmx(VX(966u | 1024, 1u, 2u, 3u), q(0x40000000c0000000, 0x7fc00000), q(0x3f8000003f800000, 0),
	    0, 0x8000000040000000, 0x00000000c0000000);
	assert_int_equal(p9_crf_decode(regs->crf[6]), 0);
}

static void decimal(uint32_t word, u128 a, u128 b, uint64_t hi, uint64_t lo, unsigned cr6)
{
	vmx(word, a, b, 0, hi, lo);
	assert_int_equal(p9_crf_decode(regs->crf[6]), cr6);
}

static void decimals(void **state)
{
	const u128 nines = q(0x9999999999999999, 0x999999999999999c);

	(void)state;
	/* bcdadd.: 5 + 7, 5 - 7, 99...9 + 1, an invalid digit; PS = 1 */
	decimal(VX(1025u, 1u, 2u, 3u), 0x5c, 0x7c, 0, 0x12c, 4);
	decimal(VX(1025u, 1u, 2u, 3u), 0x5c, 0x7d, 0, 0x2d, 8);
	decimal(VX(1025u | 512, 1u, 2u, 3u), 0x5a, 0x5d, 0, 0xf, 2);
	decimal(VX(1025u, 1u, 2u, 3u), nines, 0x1c, 0, 0xc, 5);
	run(VX(1025u, 1u, 2u, 3u));
	regs->vsr[34] = 0xac;
	run(VX(1025u, 1u, 2u, 3u));
	assert_int_equal(p9_crf_decode(regs->crf[6]), 1);
	/* bcdsub.: 5 - 7 */
	decimal(VX(1089u, 1u, 2u, 3u), 0x5c, 0x7c, 0, 0x2d, 8);
	/* bcdcfsq., bcdctsq.: -123 there and back */
	decimal(VX(1025u | 384, 1u, 2u, 3u), 0, -(u128)123, 0, 0x123d, 8);
	decimal(VX(1025u | 384, 1u, 0u, 3u), 0, 0x123d, ~0ull, -123ull, 8);
	/* bcdcfn. of +1234567, bcdctz. of -12 */
	decimal(VX(1025u | 384, 1u, 7u, 3u), 0, q(0x0031003200330034, 0x003500360037002b), 0,
		0x1234567c, 4);
	decimal(VX(1025u | 384, 1u, 4u, 3u), 0, 0x12d, 0x3030303030303030, 0x3030303030303172, 8);
	/* bcds. left by 2, bcdsr. right by 1 rounds, bcdtrunc. to 2 digits, bcdus. right by 1 */
	decimal(VX(1025u | 192, 1u, 2u, 3u), q(2, 0), 0x123c, 0, 0x12300c, 4);
	decimal(VX(1025u | 448, 1u, 2u, 3u), q(0xff, 0), 0x125d, 0, 0x13d, 8);
	decimal(VX(1025u | 256, 1u, 2u, 3u), q(2, 0), 0x123c, 0, 0x23c, 5);
	decimal(VX(1025u | 128, 1u, 2u, 3u), q(0xff, 0), 0x123, 0, 0x12, 4);
	/* vmul10ecuq, vmul10euq */
	vmx(VX(65u, 1u, 2u, 3u), ~(u128)0, 9, 0, 0, 9);
	vmx(VX(577u, 1u, 2u, 3u), q(0, 0x1999999999999999), 6, 0, 1, 0);
}

/* Storage: every form in both byte orders, on bytes 0x10, 0x11 ... */

static void load(uint32_t word, uint32_t mode, uint64_t hi, uint64_t lo)
{
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		regs->vsr[33] = 0;
		assert_int_equal(run_mode(word, mode, how).end, P9_HARNESS_DONE);
		assert_vector(33, hi, lo);
	}
}

static void store(uint32_t word, uint32_t mode, uint64_t hi, uint64_t lo, const char *bytes)
{
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		memset(page[0], 0xee, 64);
		regs->vsr[33] = q(hi, lo);
		assert_int_equal(run_mode(word, mode, how).end, P9_HARNESS_DONE);
		assert_memory_equal(page[0] + 16, bytes, 17);
	}
}

#define LE P9_HARNESS_USER
#define BE P9_HARNESS_USER_BE

static void storage(void **state)
{
	const uint32_t t = 33, a = 3, b = 4;

	(void)state;
	for (unsigned n = 0; n < 64; n++)
		page[0][n] = n;
	regs->gpr[3] = DATA;
	regs->gpr[4] = 16;
	load(XX1(268u, t, a, b), BE, 0x1011121314151617, 0x18191a1b1c1d1e1f); /* lxvx */
	load(XX1(268u, t, a, b), LE, 0x1f1e1d1c1b1a1918, 0x1716151413121110);
	load(XX1(844u, t, a, b), BE, 0x1011121314151617, 0x18191a1b1c1d1e1f); /* lxvd2x */
	load(XX1(844u, t, a, b), LE, 0x1716151413121110, 0x1f1e1d1c1b1a1918);
	load(XX1(780u, t, a, b), BE, 0x1011121314151617, 0x18191a1b1c1d1e1f); /* lxvw4x */
	load(XX1(780u, t, a, b), LE, 0x1312111017161514, 0x1b1a19181f1e1d1c);
	load(XX1(812u, t, a, b), LE, 0x1110131215141716, 0x19181b1a1d1c1f1e); /* lxvh8x */
	load(XX1(876u, t, a, b), LE, 0x1011121314151617, 0x18191a1b1c1d1e1f); /* lxvb16x */
	load(XX1(332u, t, a, b), LE, 0x1716151413121110, 0x1716151413121110); /* lxvdsx */
	load(XX1(364u, t, a, b), BE, 0x1011121310111213, 0x1011121310111213); /* lxvwsx */
	load(XX1(76u, t, a, b), LE, 0x13121110, 0);                          /* lxsiwax */
	regs->gpr[4] = 0x1b;
	load(X(31u, 103u, 1u, a, b), LE, 0x1f1e1d1c1b1a1918, 0x1716151413121110); /* lvx aligns */
	load(X(31u, 7u, 1u, a, b), LE, 0x000000001b000000, 0);                    /* lvebx */
	load(X(31u, 7u, 1u, a, b), BE, 0, 0x0000001b00000000);
	load(X(31u, 71u, 1u, a, b), LE, 0x000000001b1a1918, 0); /* lvewx */
	load(X(31u, 71u, 1u, a, b), BE, 0, 0x18191a1b00000000);
	load(X(31u, 6u, 1u, a, b), LE, 0x0b0c0d0e0f101112, 0x131415161718191a); /* lvsl */
	load(X(31u, 38u, 1u, a, b), LE, 0x05060708090a0b0c, 0x0d0e0f1011121314); /* lvsr */
	regs->gpr[3] = DATA + 16;
	regs->gpr[4] = UINT64_C(3) << 56;
	load(XX1(269u, t, a, b), LE, 0, 0x121110); /* lxvl */
	load(XX1(269u, t, a, b), BE, 0x1011120000000000, 0);
	load(XX1(301u, t, a, b), LE, 0x1011120000000000, 0); /* lxvll */
	regs->gpr[4] = UINT64_C(200) << 56;
	load(XX1(269u, t, a, b), LE, 0x1f1e1d1c1b1a1918, 0x1716151413121110);

	regs->gpr[4] = 0;
#define V 0x0102030405060708, 0x090a0b0c0d0e0f10
	store(XX1(972u, t, a, b), LE, V, "\10\7\6\5\4\3\2\1\20\17\16\15\14\13\12\11\356"); /* stxvd2x */
	store(XX1(908u, t, a, b), LE, V, "\4\3\2\1\10\7\6\5\14\13\12\11\20\17\16\15\356"); /* stxvw4x */
	store(XX1(940u, t, a, b), LE, V, "\2\1\4\3\6\5\10\7\12\11\14\13\16\15\20\17\356"); /* stxvh8x */
	store(XX1(1004u, t, a, b), LE, V, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\356");
	store(XX1(396u, t, a, b), LE, V, "\20\17\16\15\14\13\12\11\10\7\6\5\4\3\2\1\356"); /* stxvx */
	store(XX1(396u, t, a, b), BE, V, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\356");
	store(X(31u, 199u, 1u, a, b), LE, V,
	      "\20\17\16\15\356\356\356\356\356\356\356\356\356\356\356\356\356"); /* stvewx */
	regs->gpr[4] = UINT64_C(3) << 56;
	store(XX1(397u, t, a, b), LE, V,
	      "\20\17\16\356\356\356\356\356\356\356\356\356\356\356\356\356\356"); /* stxvl */
	store(XX1(429u, t, a, b), LE, V,
	      "\1\2\3\356\356\356\356\356\356\356\356\356\356\356\356\356\356"); /* stxvll */
}

/* A store over two pages of which the second is read-only changes neither. */
static void faults(void **state)
{
	static const uint32_t stores[] = {396, 972, 908, 940, 1004};
	struct p9_harness_result r;

	(void)state;
	p9_harness_map(h, DATA + 4096, page[1], false);
	regs->gpr[3] = DATA + 4088;
	regs->gpr[4] = 0;
	for (unsigned n = 0; n < ARRAY_SIZE(stores); n++) {
		memset(page, 0x55, sizeof(page));
		regs->vsr[33] = 0;
		r = run_mode(XX1(stores[n], 33u, 3u, 4u), LE, n & 1);
		assert_int_equal(r.end, P9_HARNESS_FAULT);
		assert_int_equal(r.vector, P9_VEC_DSI);
		for (unsigned k = 4088; k < 4096; k++)
			assert_int_equal(page[0][k], 0x55);
	}
	regs->gpr[4] = UINT64_C(9) << 56;
	assert_int_equal(run_mode(XX1(397u, 33u, 3u, 4u), LE, false).end, P9_HARNESS_FAULT);
	assert_int_equal(page[0][4095], 0x55);
	/* eight bytes fit, none need no storage */
	regs->gpr[4] = UINT64_C(8) << 56;
	assert_int_equal(run_mode(XX1(397u, 33u, 3u, 4u), LE, false).end, P9_HARNESS_DONE);
	regs->gpr[3] = 0x40000000;
	regs->gpr[4] = 0;
	assert_int_equal(run_mode(XX1(397u, 33u, 3u, 4u), LE, false).end, P9_HARNESS_DONE);
	/* a load that faults leaves its target */
	regs->vsr[33] = q(1, 2);
	assert_int_equal(run_mode(XX1(844u, 33u, 3u, 4u), LE, true).end, P9_HARNESS_FAULT);
	assert_vector(33, 1, 2);
	regs->gpr[4] = UINT64_C(4) << 56;
	assert_int_equal(run_mode(XX1(269u, 33u, 3u, 4u), LE, true).end, P9_HARNESS_FAULT);
	assert_vector(33, 1, 2);
	p9_harness_map(h, DATA + 4096, page[1], true);
}

#define ONE  UINT64_C(0x3ff0000000000000)
#define TWO  UINT64_C(0x4000000000000000)
#define SNAN UINT64_C(0x7ff0000000000001)
#define QNAN UINT64_C(0x7ff8000000000001)

/* FPR 1 := fadd of FPR 2 and 3, VSR 33 := xsadddp of VSR 34 and 35. */
static void floating(void **state)
{
	(void)state;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		regs->fpscr = 0;
		regs->vsr[1] = q(7, 7);
		regs->vsr[2] = q(ONE, 0);
		regs->vsr[3] = q(TWO, 0);
		run_mode(A(63u, 21u, 1u, 2u, 3u, 0u) | 1, LE, how); /* fadd. */
		assert_vector(1, 0x4008000000000000, 0);
		assert_int_equal(regs->fpscr, P9_FPSCR_FG);
		assert_int_equal(p9_crf_decode(regs->crf[1]), 0);

		/* VE: FRT and a VSX target keep their values, CR1 shows FX FEX VX */
		regs->fpscr = P9_FPSCR_VE;
		regs->vsr[1] = q(7, 7);
		regs->vsr[2] = q(SNAN, 0);
		run_mode(A(63u, 21u, 1u, 2u, 3u, 0u) | 1, LE, how);
		assert_int_equal((uint64_t)(regs->vsr[1] >> 64), 7);
		assert_int_equal(p9_crf_decode(regs->crf[1]), 14);
		regs->vsr[33] = q(7, 8);
		run_mode(XX3(32u, 33u, 2u, 3u), LE, how); /* xsadddp */
		assert_vector(33, 7, 8);
		run_mode(XX3(96u, 33u, 2u, 3u), LE, how); /* xvadddp */
		assert_vector(33, 7, 8);

		/* without VE: the NaN, quiet */
		regs->fpscr = 0;
		run_mode(XX3(96u, 33u, 2u, 3u), LE, how);
		assert_vector(33, QNAN, 0);
		assert_int_equal(regs->fpscr, P9_FPSCR_FX | P9_FPSCR_VX | P9_FPSCR_VXSNAN);
	}
}

static void enabled_exceptions(void **state)
{
	struct p9_harness_result r;

	(void)state;
	/* Overflow: the result is written before the interrupt is taken. */
	regs->vsr[2] = q(0x7fe0000000000000, 0);
	for (int fe = 0; fe < 2; fe++) {
		regs->fpscr = P9_FPSCR_OE;
		regs->vsr[1] = q(7, 7);
		r = run_mode(A(63u, 25u, 1u, 2u, 0u, 2u), LE | (fe ? P9_MODE_FE : 0), fe);
		assert_int_not_equal((uint64_t)(regs->vsr[1] >> 64), 7);
		assert_true(regs->fpscr & P9_FPSCR_FEX);
		if (fe) {
			assert_int_equal(r.end, P9_HARNESS_FAULT);
			assert_int_equal(r.vector, P9_VEC_PROGRAM);
			assert_int_equal(r.srr1_bits, P9_PROG_FP);
			assert_int_equal(r.pc, PC);
		} else {
			assert_int_equal(r.end, P9_HARNESS_DONE);
		}
	}
	/* mtfsb1 of an enable bit whose exception is there already */
	regs->fpscr = P9_FPSCR_ZX | P9_FPSCR_FX;
	r = run_mode(X(63u, 38u, 27u, 0u, 0u), LE | P9_MODE_FE, true);
	assert_int_equal(r.end, P9_HARNESS_FAULT);
	assert_true(regs->fpscr & P9_FPSCR_ZE);
}

static void singles(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < 2; mode++) {
		uint32_t order = mode ? LE : BE;

		regs->gpr[3] = DATA;
		if (mode)
			st_le32(page[0], 0x40490fdb);
		else
			st_be32(page[0], 0x40490fdb);
		run_mode(48u << 26 | 1u << 21 | 3u << 16, order, false); /* lfs */
		assert_vector(1, 0x400921fb60000000, 0);
		run_mode(53u << 26 | 1u << 21 | 3u << 16 | 8, order, false); /* stfsu */
		assert_memory_equal(page[0], page[0] + 8, 4);
		assert_int_equal(regs->gpr[3], DATA + 8);
		/* an update form with RA = 0 is invalid */
		assert_int_equal(run_mode(51u << 26 | 1u << 21, order, false).end,
				 P9_HARNESS_FAULT);
	}
	/* a denormal single is a normal double; a signalling NaN stays one */
	regs->gpr[3] = DATA;
	st_le32(page[0], 1);
	run(48u << 26 | 1u << 21 | 3u << 16);
	assert_vector(1, 0x36a0000000000000, 0);
	st_le32(page[0], 0x7f800001);
	run(48u << 26 | 1u << 21 | 3u << 16);
	assert_vector(1, 0x7ff0000020000000, 0);
	/* lfdp, little-endian: the even register from the higher address */
	st_le64(page[0], 1);
	st_le64(page[0] + 8, 2);
	run(57u << 26 | 4u << 21 | 3u << 16);
	assert_vector(4, 2, 0);
	assert_vector(5, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aes),          cmocka_unit_test(sha),
		cmocka_unit_test(carryless),    cmocka_unit_test(permutes),
		cmocka_unit_test(saturation),   cmocka_unit_test(comparisons),
		cmocka_unit_test(decimals),     cmocka_unit_test(storage),
		cmocka_unit_test(faults),       cmocka_unit_test(floating),
		cmocka_unit_test(enabled_exceptions), cmocka_unit_test(singles),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
