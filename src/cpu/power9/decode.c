/*
 * The instruction table, the decoder's index over it, and the descriptions of operands.
 */
#include "cpu/power9/insn.h"

#include <assert.h>
#include <threads.h>
#include "cpu/power9/isa/forms.h"
#include "util/bits.h"
#include "util/compiler.h"

/* OPERANDS(a, b) and FLAGS(a, b): a list with the prefix put before each element. */
#define P9_ARG7(_1, _2, _3, _4, _5, _6, _7, n, ...) n
#define P9_COUNT(...)                               P9_ARG7(__VA_ARGS__, 7, 6, 5, 4, 3, 2, 1, )
#define P9_PASTE(a, b)                              a##b
#define P9_CAT(a, b)                                P9_PASTE(a, b)

#define P9_OPNDS1(a)      P9_OPND_##a
#define P9_OPNDS2(a, ...) P9_OPND_##a, P9_OPNDS1(__VA_ARGS__)
#define P9_OPNDS3(a, ...) P9_OPND_##a, P9_OPNDS2(__VA_ARGS__)
#define P9_OPNDS4(a, ...) P9_OPND_##a, P9_OPNDS3(__VA_ARGS__)
#define P9_OPNDS5(a, ...) P9_OPND_##a, P9_OPNDS4(__VA_ARGS__)
#define P9_OPNDS6(a, ...) P9_OPND_##a, P9_OPNDS5(__VA_ARGS__)

#define P9_FLAGS1(a)      P9_FLAG_##a
#define P9_FLAGS2(a, ...) P9_FLAG_##a | P9_FLAGS1(__VA_ARGS__)
#define P9_FLAGS3(a, ...) P9_FLAG_##a | P9_FLAGS2(__VA_ARGS__)
#define P9_FLAGS4(a, ...) P9_FLAG_##a | P9_FLAGS3(__VA_ARGS__)
#define P9_FLAGS5(a, ...) P9_FLAG_##a | P9_FLAGS4(__VA_ARGS__)
#define P9_FLAGS6(a, ...) P9_FLAG_##a | P9_FLAGS5(__VA_ARGS__)
#define P9_FLAGS7(a, ...) P9_FLAG_##a | P9_FLAGS6(__VA_ARGS__)

/* The columns' words, as P9_INSN below prefixes them. */
#define P9_LIST_NONE                                                                               \
	{                                                                                          \
		P9_OPND_NONE                                                                       \
	}
#define P9_LIST_OPERANDS(...)                                                                      \
	{                                                                                          \
		P9_CAT(P9_OPNDS, P9_COUNT(__VA_ARGS__))(__VA_ARGS__)                               \
	}
#define P9_SET_NONE       0
#define P9_SET_FLAGS(...) (P9_CAT(P9_FLAGS, P9_COUNT(__VA_ARGS__))(__VA_ARGS__))
#define P9_FN_NONE        NULL
#define P9_FN_EMIT(name)  p9_emit_##name

static const struct p9_insn_desc insns[] = {
#define P9_INSN(id, name, opc, opnds, fac, priv, flgs, fn)                                         \
	[P9_OP_##id] = {.mnemonic = name,                                                          \
			.op = P9_OP_##id,                                                          \
			P9_##opc,                                                                  \
			.operands = P9_LIST_##opnds,                                               \
			.facility = P9_FACILITY_##fac,                                             \
			.privilege = P9_PRIV_##priv,                                               \
			.flags = P9_SET_##flgs,                                                    \
			.emit = P9_FN_##fn},
#include "cpu/power9/isa.def"
#undef P9_INSN
};

static_assert(ARRAY_SIZE(insns) == P9_OP_COUNT, "a row is missing");

/*
 * The index. A primary opcode either has one row, or a page of slots, one for each value of bits
 * 21:31, where nearly all extended opcodes are. A slot names the row, or a chain of rows (most
 * mask bits first) that differ in bits elsewhere or of which one is a special case of another.
 */
#define SLOTS      2048
#define SLOT_MASK  (SLOTS - 1)
#define PAGES      20
#define CHAIN_MAX  2048
#define SLOT_CHAIN 0x8000 /* the rest is a place in chains[]; otherwise row + 1, or 0 */

static struct {
	uint16_t only[64]; /* row + 1 */
	const uint16_t *slots[64];
	uint16_t pages[PAGES][SLOTS];
	uint16_t chains[CHAIN_MAX]; /* row + 1 each, a 0 ends a chain */
} decoder;

static once_flag decoder_once = ONCE_FLAG_INIT;

/* The next slot that words of a row have; false: there is none, and it is the first again. */
static bool next_slot(const struct p9_insn_desc *d, uint32_t *slot)
{
	uint32_t fixed = d->mask & SLOT_MASK;

	/* Counts in the bits that are not fixed, over those that are. */
	*slot = (((*slot | fixed) + 1) & SLOT_MASK & ~fixed) | (d->value & SLOT_MASK);
	return *slot != (d->value & SLOT_MASK);
}

static void index_page(unsigned primary, uint16_t *page, unsigned *chain_end)
{
	uint16_t many[SLOTS] = {0};
	bool closed[SLOTS] = {0};
	uint16_t rows[P9_OP_COUNT];
	unsigned count = 0;

	/* rows of this primary opcode, most mask bits first */
	for (unsigned r = 0; r < P9_OP_COUNT; r++) {
		unsigned n = count;

		if (insns[r].value >> 26 != primary)
			continue;
		while (n && __builtin_popcount(insns[rows[n - 1]].mask) <
				__builtin_popcount(insns[r].mask)) {
			rows[n] = rows[n - 1];
			n--;
		}
		rows[n] = r;
		count++;
	}

	/* What has one row at most, and how many the others have. */
	for (unsigned n = 0; n < count; n++) {
		const struct p9_insn_desc *d = &insns[rows[n]];
		uint32_t slot = d->value & SLOT_MASK;

		do {
			if (!closed[slot] && many[slot]++ == 0)
				page[slot] = rows[n] + 1;
			/* nothing behind a row that takes every word of this slot is ever reached */
			closed[slot] |= !(d->mask & ~SLOT_MASK & ~(UINT32_C(63) << 26));
		} while (next_slot(d, &slot));
	}
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		unsigned start = *chain_end;

		if (many[slot] < 2)
			continue;
		for (unsigned n = 0; many[slot]; n++) {
			if ((slot ^ insns[rows[n]].value) & insns[rows[n]].mask & SLOT_MASK)
				continue;
			assert(*chain_end + 2 <= CHAIN_MAX);
			decoder.chains[(*chain_end)++] = rows[n] + 1;
			many[slot]--;
		}
		decoder.chains[(*chain_end)++] = 0;
		page[slot] = SLOT_CHAIN | start;
	}
}

static void decoder_init(void)
{
	unsigned count[64] = {0}, extended[64] = {0};
	unsigned pages = 0, chain_end = 0;

	for (unsigned r = 0; r < P9_OP_COUNT; r++) {
		unsigned primary = insns[r].value >> 26;

		count[primary]++;
		extended[primary] |= insns[r].mask & ~(UINT32_C(63) << 26);
		decoder.only[primary] = r + 1;
	}
	for (unsigned primary = 0; primary < 64; primary++) {
		if (count[primary] < 2 && !extended[primary])
			continue;
		assert(pages < PAGES);
		index_page(primary, decoder.pages[pages], &chain_end);
		decoder.slots[primary] = decoder.pages[pages++];
	}
}

static const struct p9_insn_desc *match(uint32_t raw, unsigned row_plus_1)
{
	const struct p9_insn_desc *d;

	if (!row_plus_1)
		return NULL;
	d = &insns[row_plus_1 - 1];
	return (raw & d->mask) == d->value ? d : NULL;
}

static const struct p9_insn_desc *lookup(uint32_t raw)
{
	unsigned primary = raw >> 26;
	const uint16_t *slots = decoder.slots[primary];
	unsigned slot;

	if (!slots)
		return match(raw, decoder.only[primary]);
	slot = slots[raw & SLOT_MASK];
	if (!(slot & SLOT_CHAIN))
		return match(raw, slot);
	for (const uint16_t *c = &decoder.chains[slot & ~SLOT_CHAIN]; *c; c++) {
		const struct p9_insn_desc *d = match(raw, *c);

		if (d)
			return d;
	}
	return NULL;
}

bool p9_decode(uint32_t raw, struct p9_insn *out)
{
	call_once(&decoder_once, decoder_init);
	out->raw = raw;
	out->desc = lookup(raw);
	if (!out->desc)
		return false;
	out->op = out->desc->op;
	return true;
}

const struct p9_insn_desc *p9_insn_table(size_t *count)
{
	*count = P9_OP_COUNT;
	return insns;
}

uint32_t p9_insn_reserved(const struct p9_insn_desc *d)
{
	const uint32_t bit21 = UINT32_C(1) << 10, bit30 = 2, bit31 = 1;
	uint32_t used = d->mask;

	for (unsigned n = 0; n < P9_OPERANDS_MAX && d->operands[n] != P9_OPND_NONE; n++)
		used |= p9_operand_mask(d->operands[n]);
	if (d->flags & (P9_FLAG_RC | P9_FLAG_RC_CR1 | P9_FLAG_LK | P9_FLAG_RO | P9_FLAG_EX))
		used |= bit31;
	if (d->flags & P9_FLAG_AA)
		used |= bit30;
	if (d->flags & (P9_FLAG_OE | P9_FLAG_RC_CR6))
		used |= bit21;
	return ~used;
}

/* A row of isa/fields.def: up to three runs of bits, most significant first; last is never 0. */
struct field_desc {
	bool is_signed;
	uint8_t scale;
	struct {
		uint8_t first, last;
	} bits[3];
};

#define P9_BITS(first, last) {first, last},

static const struct field_desc fields[] = {
#define P9_FIELD_U(name, scale, pieces) [P9_FIELD_##name] = {false, scale, {pieces}},
#define P9_FIELD_S(name, scale, pieces) [P9_FIELD_##name] = {true, scale, {pieces}},
#include "cpu/power9/isa/fields.def"
#undef P9_FIELD_S
#undef P9_FIELD_U
};

static const struct p9_operand_desc operands[] = {
#define P9_OPERAND(id, nm, fld, knd, acc)                                                          \
	[P9_OPND_##id] = {.name = nm,                                                              \
			  .field = P9_FIELD_##fld,                                                 \
			  .kind = P9_KIND_##knd,                                                   \
			  .access = P9_ACCESS_##acc},
#include "cpu/power9/isa/operands.def"
#undef P9_OPERAND
};

const struct p9_operand_desc *p9_operand(enum p9_operand op)
{
	return &operands[op];
}

uint32_t p9_operand_mask(enum p9_operand op)
{
	return p9_operand_set(0, op, -1);
}

static uint32_t ones(unsigned first, unsigned last)
{
	return UINT32_C(0xffffffff) >> (31 - (last - first));
}

int64_t p9_operand_get(uint32_t raw, enum p9_operand op)
{
	const struct field_desc *f = &fields[operands[op].field];
	unsigned width = 0;
	uint64_t v = 0;

	for (int n = 0; n < 3 && f->bits[n].last; n++) {
		unsigned first = f->bits[n].first, last = f->bits[n].last;

		v = v << (last - first + 1) | (raw >> (31 - last) & ones(first, last));
		width += last - first + 1;
	}
	return (f->is_signed ? sext64(v, width) : (int64_t)v) * (1 << f->scale);
}

uint32_t p9_operand_set(uint32_t raw, enum p9_operand op, int64_t value)
{
	const struct field_desc *f = &fields[operands[op].field];
	uint64_t v = (uint64_t)value >> f->scale;

	for (int n = 2; n >= 0; n--) {
		unsigned first = f->bits[n].first, last = f->bits[n].last;

		if (!last)
			continue;
		raw &= ~(ones(first, last) << (31 - last));
		raw |= ((uint32_t)v & ones(first, last)) << (31 - last);
		v >>= last - first + 1;
	}
	return raw;
}
