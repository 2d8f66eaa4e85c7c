/*
 * Algebra: shifts, fields, widths.
 */
#include "ir/opt.h"

static unsigned bits_of(const struct ir_inst *i)
{
	return ir_type_bits((enum ir_type)i->type);
}

static enum simpler shift(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	struct ir_inst a = o->inst[i->arg[0]];
	enum ir_type t = (enum ir_type)i->type;
	unsigned bits = bits_of(i), n, n1;
	uint64_t c;

	if (!opt_const(o, i->arg[1], &c))
		return AS_IT_IS;
	n = (unsigned)c & (bits - 1);
	if (n == 0)
		return opt_to_value(i->arg[0], value);
	if (n != c)
		return opt_to_bin(i, i->op, i->arg[0], opt_make_const(o, t, n));
	if (i->op == IR_SAR && !(opt_ones(o, i->arg[0]) >> (bits - 1) & 1))
		return opt_to_bin(i, IR_SHR, i->arg[0], i->arg[1]);
	if (i->op == IR_SHR && !(opt_ones(o, i->arg[0]) >> n))
		return opt_to_const(o, i, 0, value);
	/* The count of leading zeros is the width for zero alone. */
	if (i->op == IR_SHR && a.op == IR_CLZ && 1u << n == bits) {
		uint32_t zero = opt_make_const(o, t, 0);
		uint32_t eq = opt_make_compare(o, IR_EQ, a.arg[0], zero);

		return t == IR_I64 ? opt_to_value(eq, value) : opt_to_un(i, IR_TRUNC32, eq);
	}
	if (!ir_nargs(&a) || !opt_const(o, ir_nargs(&a) > 1 ? a.arg[1] : a.arg[0], &c))
		return AS_IT_IS;
	n1 = (unsigned)c & (bits - 1);
	if (a.op == i->op && i->op == IR_ROTL)
		return opt_to_bin(i, IR_ROTL, a.arg[0],
				  opt_make_const(o, t, (n + n1) & (bits - 1)));
	if (a.op == i->op) {
		if (n + n1 < bits)
			return opt_to_bin(i, i->op, a.arg[0], opt_make_const(o, t, n + n1));
		if (i->op != IR_SAR)
			return opt_to_const(o, i, 0, value);
		return opt_to_bin(i, IR_SAR, a.arg[0], opt_make_const(o, t, bits - 1));
	}
	if (i->op == IR_SHR && a.op == IR_SHL && n1 <= n)
		return opt_to_field(i, a.arg[0], n - n1, bits - n);
	return AS_IT_IS;
}

static enum simpler extract(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	struct ir_inst a = o->inst[i->arg[0]];
	enum ir_type t = (enum ir_type)i->type;
	unsigned pos = ir_field_pos(i), len = ir_field_len(i), bits = bits_of(i), n;
	uint64_t mask = ir_low_mask(len) << pos, c;

	if (!(opt_ones(o, i->arg[0]) & mask))
		return opt_to_const(o, i, 0, value);
	if (pos == 0)
		return opt_to_bin(i, IR_AND, i->arg[0], opt_make_const(o, t, mask));
	if (pos + len == bits)
		return opt_to_bin(i, IR_SHR, i->arg[0], opt_make_const(o, t, pos));
	switch (a.op) {
	case IR_OR:
	case IR_XOR:
		for (unsigned k = 0; k < 2; k++) {
			if (!(opt_ones(o, a.arg[k]) & mask))
				return opt_to_field(i, a.arg[1 - k], pos, len);
		}
		return AS_IT_IS;
	case IR_AND:
		if (opt_const(o, a.arg[1], &c) && !(mask & ~c))
			return opt_to_field(i, a.arg[0], pos, len);
		return AS_IT_IS;
	case IR_EXTRACT:
		/* Beyond the inner field there is nothing. */
		n = ir_field_len(&a) - pos;
		return opt_to_field(i, a.arg[0], ir_field_pos(&a) + pos, len < n ? len : n);
	case IR_DEPOSIT:
		n = ir_field_pos(&a);
		if (!(mask & ir_low_mask(ir_field_len(&a)) << n))
			return opt_to_field(i, a.arg[0], pos, len);
		if (pos >= n && pos + len <= n + ir_field_len(&a))
			return opt_to_field(i, a.arg[1], pos - n, len);
		return AS_IT_IS;
	case IR_SHR:
		if (!opt_const(o, a.arg[1], &c))
			return AS_IT_IS;
		n = pos + ((unsigned)c & (bits - 1));
		return n >= bits ? AS_IT_IS
				 : opt_to_field(i, a.arg[0], n, len < bits - n ? len : bits - n);
	case IR_SHL:
		if (!opt_const(o, a.arg[1], &c) || ((unsigned)c & (bits - 1)) > pos)
			return AS_IT_IS;
		return opt_to_field(i, a.arg[0], pos - ((unsigned)c & (bits - 1)), len);
	case IR_ZEXT32:
		/* A count of leading zeros is the width for zero alone. */
		a = o->inst[a.arg[0]];
		if (a.op != IR_CLZ || a.type != IR_I32 || pos != 5)
			return AS_IT_IS;
		return opt_to_value(opt_make_compare(o, IR_EQ, a.arg[0], opt_make_const(o, IR_I32, 0)), value);
	case IR_CMP3S:
	case IR_CMP3U:
		/* One bit of a three-way comparison. (Less is bit 0: see opt_compare.) */
		if (len != 1)
			return AS_IT_IS;
		opt_to_bin(i, IR_EQ, a.arg[0], a.arg[1]);
		i->aux = a.aux;
		return CHANGED;
	default:
		return AS_IT_IS;
	}
}

static enum simpler deposit(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	unsigned pos = ir_field_pos(i), len = ir_field_len(i);
	struct ir_inst b = o->inst[i->arg[1]];
	uint64_t c;

	if (len == bits_of(i))
		return opt_to_value(i->arg[1], value);
	/* Only the low bits of the field's value count. */
	if (b.op == IR_AND && opt_const(o, b.arg[1], &c) && !(ir_low_mask(len) & ~c)) {
		i->arg[1] = b.arg[0];
		return CHANGED;
	}
	if (opt_is(o, i->arg[0], 0) && !(opt_ones(o, i->arg[1]) & ~ir_low_mask(len)))
		return opt_to_bin(i, IR_SHL, i->arg[1],
				  opt_make_const(o, (enum ir_type)i->type, pos));
	return AS_IT_IS;
}

/* From how many bits is it extended? */
static unsigned extends_from(enum ir_op op)
{
	return op == IR_SEXT8 || op == IR_ZEXT8 ? 8 : op == IR_SEXT16 || op == IR_ZEXT16 ? 16 : 32;
}

bool opt_keeps_low(const struct opt *o, uint32_t id, unsigned n)
{
	const struct ir_inst *a = &o->inst[id];
	uint64_t c;

	switch (a->op) {
	case IR_SEXT8:
	case IR_SEXT16:
	case IR_SEXT32:
	case IR_ZEXT8:
	case IR_ZEXT16:
	case IR_ZEXT32:
		return extends_from(a->op) >= n;
	case IR_TRUNC32:
		return n <= 32;
	case IR_AND:
		return opt_const(o, a->arg[1], &c) && !(ir_low_mask(n) & ~c);
	case IR_DEPOSIT:
		return ir_field_pos(a) >= n;
	default:
		return false;
	}
}

/* An extension, or a truncation. */
static enum simpler extend(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	unsigned n = extends_from(i->op);
	uint32_t a = i->arg[0], inner = o->inst[a].arg[0];
	bool is_signed = i->op == IR_SEXT8 || i->op == IR_SEXT16 || i->op == IR_SEXT32;
	bool same_type = opt_type(o, a) == i->type;

	if (same_type && is_signed && o->fact[a].sign <= n)
		return opt_to_value(a, value);
	if (same_type && !is_signed && !(opt_ones(o, a) & ~ir_low_mask(n)))
		return opt_to_value(a, value);
	if (opt_keeps_low(o, a, n)) {
		/* Look at what is below; types must fit. */
		bool any = i->op == IR_SEXT32 || i->op == IR_ZEXT32;

		if (i->op == IR_TRUNC32 && opt_type(o, inner) == IR_I32)
			return opt_to_value(inner, value);
		if (any || opt_type(o, inner) == opt_type(o, a)) {
			i->arg[0] = inner;
			return CHANGED;
		}
	}
	/* Nothing to extend: a sign that is known to be zero. */
	if (i->op == IR_SEXT32 && !(opt_ones(o, a) & UINT64_C(0x80000000)))
		return opt_to_un(i, IR_ZEXT32, a);
	if ((i->op == IR_ZEXT8 || i->op == IR_ZEXT16))
		return opt_to_bin(i, IR_AND, a,
				  opt_make_const(o, (enum ir_type)i->type, ir_low_mask(n)));
	return AS_IT_IS;
}

enum simpler opt_bits(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	switch (i->op) {
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
	case IR_ROTL:
		return shift(o, i, value);
	case IR_EXTRACT:
		return extract(o, i, value);
	case IR_DEPOSIT:
		return deposit(o, i, value);
	case IR_SEXT8:
	case IR_SEXT16:
	case IR_SEXT32:
	case IR_ZEXT8:
	case IR_ZEXT16:
	case IR_ZEXT32:
	case IR_TRUNC32:
		return extend(o, i, value);
	default:
		return AS_IT_IS;
	}
}
