#include <ctype.h>
#include <inttypes.h>

#include "ir/op.h"

static const char *const type_name[] = {
	[IR_NONE] = "", [IR_I32] = ".i32", [IR_I64] = ".i64", [IR_V128] = ".v128"};

static const char *const rmw_name[] = {
	[IR_RMW_ADD] = "add",   [IR_RMW_AND] = "and",   [IR_RMW_OR] = "or",
	[IR_RMW_XOR] = "xor",   [IR_RMW_XCHG] = "xchg", [IR_RMW_MAXU] = "maxu",
	[IR_RMW_MAXS] = "maxs", [IR_RMW_MINU] = "minu", [IR_RMW_MINS] = "mins"};

static void print_name(const char *name, FILE *out)
{
	for (; *name; name++)
		fputc(tolower((unsigned char)*name), out);
}

static void print_memop(const struct ir_inst *i, FILE *out)
{
	struct ir_memop m = ir_memop_of(i);

	fprintf(out, " %s%d%s%s", m.sign_extend ? "s" : "u", m.size * 8,
		m.size == 1    ? ""
		: m.big_endian ? "be"
			       : "le",
		m.aligned ? " aligned" : "");
	if (i->op != IR_CAS && i->op != IR_RMW && ir_disp_of(i))
		fprintf(out, " %+d", ir_disp_of(i));
}

static void print_window(const struct ir_inst *i, FILE *out)
{
	unsigned window = ir_window_of(i->imm, (enum ir_op)i->op);

	if (window)
		fprintf(out, " window %u", window - 1);
}

static void print_probe(const struct ir_inst *i, FILE *out)
{
	struct ir_probe p = ir_probe_of(i->imm, i->aux);

	fprintf(out, " %s %+d..%+d", p.both ? "both" : p.kind == MEM_WRITE ? "write" : "read", p.low, p.high);
	if (p.size)
		fprintf(out, ", first %u at %+d", p.size, p.at);
}

/* What an instruction has beside its operands, before them. */
static void print_imm(const struct ir_region *r, const struct ir_inst *i, FILE *out)
{
	switch (i->op) {
	case IR_CONST:
	case IR_PC:
	case IR_INSN:
	case IR_POLL:
		fprintf(out, " 0x%" PRIx64, i->imm);
		break;
	case IR_EXIT_DIRECT:
		fprintf(out, " 0x%" PRIx64 " (exit %u)", i->imm, i->aux);
		break;
	case IR_VCONST:
		fprintf(out, " 0x%016" PRIx64 "%016" PRIx64, (uint64_t)(r->vconst[i->imm] >> 64),
			(uint64_t)r->vconst[i->imm]);
		break;
	case IR_GET:
		fprintf(out, " [0x%" PRIx64 "]", i->imm);
		if (i->aux)
			fprintf(out, " bits %u", i->aux);
		break;
	case IR_SET:
		fprintf(out, " [0x%" PRIx64 "]", i->imm);
		break;
	case IR_EXTRACT:
	case IR_DEPOSIT:
		fprintf(out, " %u+%u", ir_field_pos(i), ir_field_len(i));
		break;
	case IR_VSPLAT:
		fprintf(out, " lane %" PRIu64, i->imm);
		break;
	case IR_RMW:
		fprintf(out, " %s", rmw_name[i->aux]);
		print_memop(i, out);
		break;
	case IR_LOAD:
	case IR_STORE:
	case IR_CAS:
	case IR_LOAD_HOST:
	case IR_STORE_HOST:
		print_memop(i, out);
		print_window(i, out);
		break;
	case IR_PROBE:
		print_probe(i, out);
		print_window(i, out);
		break;
	case IR_CALL:
		fprintf(out, " %s", ir_helper_of(i)->name);
		break;
	default:
		break;
	}
}

static void print_inst(const struct ir_region *r, uint32_t id, FILE *out)
{
	const struct ir_inst *i = &r->inst[id];
	const struct ir_op_info *info = &ir_op_info[i->op];
	uint32_t target[2];
	unsigned n;

	fprintf(out, i->op == IR_INSN ? "  " : "    ");
	if (i->type != IR_NONE && info->result != 'V')
		fprintf(out, "%%%u = ", id);
	print_name(info->name, out);
	fputs(type_name[i->type], out);
	if (info->result == 'X' && i->aux)
		fprintf(out, ".%d", 8 << i->aux);
	print_imm(r, i, out);
	for (unsigned k = 0; k < ir_nargs(i); k++)
		fprintf(out, "%s%%%u", k ? ", " : " ", i->arg[k]);
	n = ir_targets(i, target);
	for (unsigned k = 0; k < n; k++)
		fprintf(out, "%sb%u", k || ir_nargs(i) ? ", " : " ", target[k]);
	fputc('\n', out);
}

void ir_print(const struct ir_region *r, FILE *out)
{
	/* In the order in which the blocks lie, which is the order of their instructions. */
	for (uint32_t id = 0; id < r->ninst; id++) {
		for (uint32_t b = 0; b < r->nbb; b++) {
			if (r->bb[b].count && r->bb[b].first == id)
				fprintf(out, "b%u:\n", b);
		}
		print_inst(r, id, out);
	}
}
