/*
 * VMX decimal integers (Book I 6.17): signed packed decimal has 31 digits and, in the last four
 * bits, a sign code; the unsigned kind has 32 digits; national decimal has 7 halfword characters
 * and a sign; zoned decimal has 16 bytes, the sign in the zone of the last one.
 *
 * Each of these instructions writes VRT and CR field 6, so the helpers write VRT themselves and
 * return the CR field: `where` is VRT's number and, in bit 8, PS, which chooses the code of a
 * positive sign. An invalid code gives CR6 = 0b0001 and an undefined VRT (here what could be
 * computed, or zero); overflow sets the last bit beside the sign of the result.
 */
#include "cpu/power9/helper_vec.h"

enum { CR_LT = 8, CR_GT = 4, CR_EQ = 2, CR_SO = 1 };

#define SIGNED_DIGITS 31

struct decimal {
	uint8_t digit[32]; /* 0 is the units */
	bool negative;
	bool valid;
};

static void put_vrt(struct ir_env *env, uint64_t where, u128 v)
{
	p9_of_env(env)->regs.vsr[32 + (where & 31)] = v;
}

static bool where_ps(uint64_t where)
{
	return where >> 8 & 1;
}

/* Sign codes: B and D negative; A, C, E, F positive; the digits 0..9 are no signs. */
static struct decimal get_signed(u128 v)
{
	struct decimal d = {.valid = (v & 15) >= 10, .negative = (v & 15) == 11 || (v & 15) == 13};

	for (unsigned n = 0; n < SIGNED_DIGITS; n++) {
		d.digit[n] = v >> (4 * n + 4) & 15;
		d.valid &= d.digit[n] <= 9;
	}
	return d;
}

static struct decimal get_unsigned(u128 v)
{
	struct decimal d = {.valid = true};

	for (unsigned n = 0; n < 32; n++) {
		d.digit[n] = v >> 4 * n & 15;
		d.valid &= d.digit[n] <= 9;
	}
	return d;
}

static u128 make_signed(const struct decimal *d, bool ps)
{
	u128 v = d->negative ? 13 : ps ? 15 : 12;

	for (unsigned n = 0; n < SIGNED_DIGITS; n++)
		v |= (u128)d->digit[n] << (4 * n + 4);
	return v;
}

static u128 make_unsigned(const struct decimal *d)
{
	u128 v = 0;

	for (unsigned n = 0; n < 32; n++)
		v |= (u128)d->digit[n] << 4 * n;
	return v;
}

/* Are digits first..31 all zero? A signed number's digit 31 is zero always. */
static bool zero_from(const struct decimal *d, unsigned first)
{
	for (unsigned n = first; n < 32; n++) {
		if (d->digit[n])
			return false;
	}
	return true;
}

static unsigned compare_zero(const struct decimal *d)
{
	return zero_from(d, 0) ? CR_EQ : d->negative ? CR_LT : CR_GT;
}

static int compare_magnitude(const struct decimal *a, const struct decimal *b)
{
	for (int n = SIGNED_DIGITS - 1; n >= 0; n--) {
		if (a->digit[n] != b->digit[n])
			return a->digit[n] < b->digit[n] ? -1 : 1;
	}
	return 0;
}

/* a + b, signs apart, to 31 digits. Returns the carry. */
static bool add_magnitude(struct decimal *sum, const struct decimal *a, const struct decimal *b)
{
	unsigned carry = 0;

	for (unsigned n = 0; n < SIGNED_DIGITS; n++) {
		unsigned v = a->digit[n] + b->digit[n] + carry;

		carry = v >= 10;
		sum->digit[n] = v - 10 * carry;
	}
	return carry;
}

/* a - b, for a >= b. */
static void sub_magnitude(struct decimal *diff, const struct decimal *a, const struct decimal *b)
{
	unsigned borrow = 0;

	for (unsigned n = 0; n < SIGNED_DIGITS; n++) {
		unsigned v = 10 + a->digit[n] - b->digit[n] - borrow;

		borrow = v < 10;
		diff->digit[n] = v % 10;
	}
}

static uint64_t add_signed(struct ir_env *env, struct decimal a, struct decimal b, uint64_t where)
{
	struct decimal r = {0};
	bool overflow = false;
	unsigned cr;
	int order;

	if (!a.valid || !b.valid) {
		put_vrt(env, where, ~(u128)0);
		return CR_SO;
	}
	if (a.negative == b.negative) {
		r.negative = a.negative;
		overflow = add_magnitude(&r, &a, &b);
	} else {
		order = compare_magnitude(&a, &b);
		r.negative = order && (order > 0 ? a.negative : b.negative);
		if (order >= 0)
			sub_magnitude(&r, &a, &b);
		else
			sub_magnitude(&r, &b, &a);
	}
	/* CR6 tells of the unbounded result, which is not zero when it overflows. */
	cr = overflow ? (r.negative ? CR_LT : CR_GT) | CR_SO : compare_zero(&r);
	put_vrt(env, where, make_signed(&r, where_ps(where)));
	return cr;
}

/* Descriptors of this file: the decimal operand or operands, and `where`. */
#define BCD_HELPER_BI(id)                                                                          \
	P9_HELPER(id, IR_H_READS_STATE | IR_H_WRITES_STATE, IR_I64, 2, IR_V128, IR_I64)
#define BCD_HELPER_ABI(id)                                                                         \
	P9_HELPER(id, IR_H_READS_STATE | IR_H_WRITES_STATE, IR_I64, 3, IR_V128, IR_V128, IR_I64)

static uint64_t p9_v_bcdadd(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	return add_signed(env, get_signed(*pa), get_signed(*pb), where);
}
BCD_HELPER_ABI(bcdadd);

static uint64_t p9_v_bcdsub(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	struct decimal b = get_signed(*pb);

	b.negative = !b.negative;
	return add_signed(env, get_signed(*pa), b, where);
}
BCD_HELPER_ABI(bcdsub);

/* Convert from national: halfwords 0..6 are '0'..'9', halfword 7 is '+' or '-'. */
static uint64_t p9_v_bcdcfn(struct ir_env *env, const u128 *pb, uint64_t where)
{
	union p9_vec b = {*pb};
	struct decimal d = {0};
	unsigned sign = VE(b, h, 7);

	d.valid = sign == '+' || sign == '-';
	d.negative = sign == '-';
	for (unsigned n = 0; n < 7; n++) {
		unsigned c = VE(b, h, 6 - n);

		d.valid &= c >= '0' && c <= '9';
		d.digit[n] = c & 15;
	}
	put_vrt(env, where, make_signed(&d, where_ps(where)));
	return d.valid ? compare_zero(&d) : CR_SO;
}
BCD_HELPER_BI(bcdcfn);

static uint64_t p9_v_bcdctn(struct ir_env *env, const u128 *pb, uint64_t where)
{
	struct decimal d = get_signed(*pb);
	union p9_vec r;

	VE(r, h, 7) = d.negative ? '-' : '+';
	for (unsigned n = 0; n < 7; n++)
		VE(r, h, 6 - n) = '0' + d.digit[n];
	put_vrt(env, where, r.q);
	if (!d.valid)
		return CR_SO;
	return compare_zero(&d) | (zero_from(&d, 7) ? 0 : CR_SO);
}
BCD_HELPER_BI(bcdctn);

/*
 * Zoned. PS = 0: zones are 3, and the sign is the second bit of the last zone; PS = 1: zones are
 * F and the last zone is a sign code.
 */
static uint64_t p9_v_bcdcfz(struct ir_env *env, const u128 *pb, uint64_t where)
{
	union p9_vec b = {*pb};
	bool ps = where_ps(where);
	unsigned sign = VE(b, b, 15) >> 4;
	struct decimal d = {0};

	d.valid = !ps || sign >= 10;
	d.negative = ps ? sign == 11 || sign == 13 : sign & 4;
	for (unsigned n = 0; n < 16; n++) {
		unsigned byte = VE(b, b, 15 - n);

		d.digit[n] = byte & 15;
		d.valid &= d.digit[n] <= 9 && (n == 0 || byte >> 4 == (ps ? 15 : 3));
	}
	put_vrt(env, where, make_signed(&d, false));
	return d.valid ? compare_zero(&d) : CR_SO;
}
BCD_HELPER_BI(bcdcfz);

static uint64_t p9_v_bcdctz(struct ir_env *env, const u128 *pb, uint64_t where)
{
	struct decimal d = get_signed(*pb);
	bool ps = where_ps(where);
	unsigned sign = ps ? (d.negative ? 13 : 12) : (d.negative ? 7 : 3);
	union p9_vec r;

	for (unsigned n = 0; n < 16; n++)
		VE(r, b, 15 - n) = (n == 0 ? sign : ps ? 15u : 3u) << 4 | d.digit[n];
	put_vrt(env, where, r.q);
	if (!d.valid)
		return CR_SO;
	return compare_zero(&d) | (zero_from(&d, 16) ? 0 : CR_SO);
}
BCD_HELPER_BI(bcdctz);

/* Binary, a signed quadword; 31 digits overflow. */
static uint64_t p9_v_bcdcfsq(struct ir_env *env, const u128 *pb, uint64_t where)
{
	struct decimal d = {.valid = true, .negative = *pb >> 127};
	u128 rest = d.negative ? -*pb : *pb;

	for (unsigned n = 0; n < SIGNED_DIGITS; n++) {
		d.digit[n] = rest % 10;
		rest /= 10;
	}
	put_vrt(env, where, make_signed(&d, where_ps(where)));
	if (rest)
		return (d.negative ? CR_LT : CR_GT) | CR_SO;
	return compare_zero(&d);
}
BCD_HELPER_BI(bcdcfsq);

static uint64_t p9_v_bcdctsq(struct ir_env *env, const u128 *pb, uint64_t where)
{
	struct decimal d = get_signed(*pb);
	u128 v = 0;

	for (int n = SIGNED_DIGITS - 1; n >= 0; n--)
		v = v * 10 + d.digit[n];
	put_vrt(env, where, d.negative ? -v : v);
	return d.valid ? compare_zero(&d) : CR_SO;
}
BCD_HELPER_BI(bcdctsq);

/* VRA with the sign code of VRB, as it is. */
static uint64_t p9_v_bcdcpsgn(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	struct decimal a = get_signed(*pa), b = get_signed(*pb);
	u128 v = (*pa & ~(u128)15) | (*pb & 15);

	a.negative = b.negative;
	put_vrt(env, where, v);
	return a.valid && b.valid ? compare_zero(&a) : CR_SO;
}
BCD_HELPER_ABI(bcdcpsgn);

static uint64_t p9_v_bcdsetsgn(struct ir_env *env, const u128 *pb, uint64_t where)
{
	struct decimal d = get_signed(*pb);

	put_vrt(env, where, make_signed(&d, where_ps(where)));
	return d.valid ? compare_zero(&d) : CR_SO;
}
BCD_HELPER_BI(bcdsetsgn);

/*
 * Shift the low `digits` digits by the count in VRA's byte 7: to the left if positive. Returns
 * whether a digit other than 0 went out on the left; *last is the last digit that went out on
 * the right.
 */
static bool shift_digits(struct decimal *d, unsigned digits, const u128 *pa, unsigned *last)
{
	union p9_vec a = {*pa};
	int count = VE(a, sb, 7);
	struct decimal from = *d;
	bool lost = false;

	*last = 0;
	for (int n = 0; n < (int)digits; n++) {
		int to = n + count;

		if (to >= (int)digits)
			lost |= from.digit[n] != 0;
		else if (to == -1)
			*last = from.digit[n];
	}
	for (int n = 0; n < (int)digits; n++)
		d->digit[n] = n - count >= 0 && n - count < (int)digits ? from.digit[n - count] : 0;
	return lost;
}

static uint64_t shift_signed(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where,
			     bool round)
{
	struct decimal d = get_signed(*pb), one = {.digit = {1}};
	unsigned last;
	bool lost = shift_digits(&d, SIGNED_DIGITS, pa, &last);

	if (round && last >= 5)
		add_magnitude(&d, &d, &one);
	put_vrt(env, where, make_signed(&d, where_ps(where)));
	if (!d.valid)
		return CR_SO;
	return compare_zero(&d) | (lost ? CR_SO : 0);
}

static uint64_t p9_v_bcds(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	return shift_signed(env, pa, pb, where, false);
}
BCD_HELPER_ABI(bcds);

static uint64_t p9_v_bcdsr(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	return shift_signed(env, pa, pb, where, true);
}
BCD_HELPER_ABI(bcdsr);

static uint64_t p9_v_bcdus(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	struct decimal d = get_unsigned(*pb);
	unsigned last;
	bool lost = shift_digits(&d, 32, pa, &last);

	put_vrt(env, where, make_unsigned(&d));
	if (!d.valid)
		return CR_SO;
	return compare_zero(&d) | (lost ? CR_SO : 0);
}
BCD_HELPER_ABI(bcdus);

/* Truncate to the number of digits in VRA's halfword 3. Returns whether digits were lost. */
static bool truncate_digits(struct decimal *d, const u128 *pa)
{
	union p9_vec a = {*pa};
	unsigned keep = VE(a, h, 3);
	bool lost;

	if (keep >= 32)
		return false;
	lost = !zero_from(d, keep);
	for (unsigned n = keep; n < 32; n++)
		d->digit[n] = 0;
	return lost;
}

static uint64_t p9_v_bcdtrunc(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	struct decimal d = get_signed(*pb);
	bool lost = truncate_digits(&d, pa);

	put_vrt(env, where, make_signed(&d, where_ps(where)));
	if (!d.valid)
		return CR_SO;
	return compare_zero(&d) | (lost ? CR_SO : 0);
}
BCD_HELPER_ABI(bcdtrunc);

static uint64_t p9_v_bcdutrunc(struct ir_env *env, const u128 *pa, const u128 *pb, uint64_t where)
{
	struct decimal d = get_unsigned(*pb);
	bool lost = truncate_digits(&d, pa);

	put_vrt(env, where, make_unsigned(&d));
	if (!d.valid)
		return CR_SO;
	return compare_zero(&d) | (lost ? CR_SO : 0);
}
BCD_HELPER_ABI(bcdutrunc);
