/*
 * The disassembler: the ISA's base mnemonics, operands in the manual's order. Registers have
 * their file's letter (r3, f1, v2, vs34, cr7), so that a line can be read without the manual.
 */
#include "cpu/power9/insn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include "util/compiler.h"

/* Text that counts what did not fit, as snprintf does. */
struct text {
	char *buf;
	size_t size;
	size_t len;
};

static void PRINTF_LIKE(2, 3) put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	if (t->len < t->size)
		n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	else
		n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	t->len += n > 0 ? (size_t)n : 0;
}

static void put_mnemonic(struct text *t, const struct p9_insn *i)
{
	uint32_t flags = i->desc->flags;

	put(t, "%s", i->desc->mnemonic);
	if (flags & P9_FLAG_OE && insn_OE(i))
		put(t, "o");
	if (flags & P9_FLAG_RO && insn_RO(i))
		put(t, "o");
	if (flags & P9_FLAG_EX && insn_EX(i))
		put(t, "x");
	if (flags & P9_FLAG_LK && insn_LK(i))
		put(t, "l");
	if (flags & P9_FLAG_AA && insn_AA(i))
		put(t, "a");
	if (flags & (P9_FLAG_RC | P9_FLAG_RC_CR1) && insn_Rc(i))
		put(t, ".");
	if (flags & P9_FLAG_RC_CR6 && insn_Rc_VC(i))
		put(t, ".");
}

/* A bit of CR, as 4*crN+condition; of CR0 the condition alone. */
static void put_cr_bit(struct text *t, unsigned bit)
{
	static const char *const conditions[] = {"lt", "gt", "eq", "so"};

	if (bit >= 4)
		put(t, "4*cr%u+", bit / 4);
	put(t, "%s", conditions[bit % 4]);
}

static void put_operand(struct text *t, const struct p9_insn *i, enum p9_operand op, uint64_t pc)
{
	const struct p9_operand_desc *o = p9_operand(op);
	int64_t v = p9_operand_get(i->raw, op);

	switch ((enum p9_kind)o->kind) {
	case P9_KIND_GPR:
	case P9_KIND_GPR_PAIR:
	case P9_KIND_GPR_GROUP:
		if (o->access == P9_ACCESS_READ0 && !v)
			put(t, "0");
		else
			put(t, "r%" PRId64, v);
		break;
	case P9_KIND_FPR:
	case P9_KIND_FPR_PAIR:
		put(t, "f%" PRId64, v);
		break;
	case P9_KIND_VR:
		put(t, "v%" PRId64, v);
		break;
	case P9_KIND_VSR:
		put(t, "vs%" PRId64, v);
		break;
	case P9_KIND_CR_FIELD:
		put(t, "cr%" PRId64, v);
		break;
	case P9_KIND_TARGET:
		if (!(i->desc->flags & P9_FLAG_AA && insn_AA(i)))
			v += pc;
		put(t, "0x%" PRIx64, v);
		break;
	case P9_KIND_CR_BIT:
		put_cr_bit(t, (unsigned)v);
		break;
	case P9_KIND_CR_MASK:
	case P9_KIND_FPSCR_FIELD:
	case P9_KIND_FPSCR_BIT:
	case P9_KIND_FPSCR_MASK:
	case P9_KIND_SPR:
	case P9_KIND_SIMM:
	case P9_KIND_UIMM:
	case P9_KIND_DISP:
		put(t, "%" PRId64, v);
		break;
	}
}

int p9_disasm(uint32_t raw, uint64_t pc, char *buf, size_t len)
{
	struct text t = {buf, len, 0};
	const char *separator = " ", *closing = "";
	struct p9_insn i;

	if (!p9_decode(raw, &i)) {
		put(&t, ".long 0x%08" PRIx32, raw);
		return (int)t.len;
	}
	put_mnemonic(&t, &i);
	for (unsigned n = 0; n < P9_OPERANDS_MAX && i.desc->operands[n] != P9_OPND_NONE; n++) {
		enum p9_operand op = i.desc->operands[n];

		put(&t, "%s", separator);
		put_operand(&t, &i, op, pc);
		put(&t, "%s", closing);
		/* a displacement is followed by its base register in parentheses */
		separator = p9_operand(op)->kind == P9_KIND_DISP ? "(" : ",";
		closing = *separator == '(' ? ")" : "";
	}
	return (int)t.len;
}
