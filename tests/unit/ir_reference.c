/*
 * The reference evaluator: as plain as can be, written from the descriptions in ir.h and from
 * nothing else. Slow, and proud of it.
 */
#include <stdlib.h>
#include <string.h>

#include "ir/op.h"
#include "ir_machine.h"

struct run {
	const struct ir_region *r;
	struct ir_env *env;
	u128 *v;
	uint64_t pc;
};

static unsigned bits_of(unsigned type)
{
	return type == IR_V128 ? 128 : type == IR_I64 ? 64 : 32;
}

static u128 cut(u128 v, unsigned bits)
{
	return bits >= 128 ? v : v & (((u128)1 << bits) - 1);
}

static __int128 as_signed(u128 v, unsigned bits)
{
	v = cut(v, bits);
	if (bits < 128 && v >> (bits - 1))
		v -= (u128)1 << bits;
	return (__int128)v;
}

static u128 state_read(struct ir_env *env, uint64_t offset, unsigned type)
{
	const char *p = (const char *)env + offset;
	uint32_t w;
	uint64_t d;
	u128 v;

	switch (type) {
	case IR_I32:
		memcpy(&w, p, 4);
		return w;
	case IR_I64:
		memcpy(&d, p, 8);
		return d;
	default:
		memcpy(&v, p, 16);
		return v;
	}
}

static void state_write(struct ir_env *env, uint64_t offset, unsigned type, u128 v)
{
	char *p = (char *)env + offset;
	uint32_t w = (uint32_t)v;
	uint64_t d = (uint64_t)v;

	switch (type) {
	case IR_I32:
		memcpy(p, &w, 4);
		break;
	case IR_I64:
		memcpy(p, &d, 8);
		break;
	default:
		memcpy(p, &v, 16);
		break;
	}
}

static unsigned count_ones(u128 v)
{
	unsigned n = 0;

	for (; v; v >>= 1)
		n += v & 1;
	return n;
}

static u128 swap_bytes(u128 v, unsigned bytes)
{
	u128 out = 0;

	for (unsigned i = 0; i < bytes; i++)
		out = out << 8 | (v >> 8 * i & 0xff);
	return out;
}

static u128 rotate(u128 v, unsigned n, unsigned bits)
{
	for (; n; n--)
		v = cut(v << 1, bits) | v >> (bits - 1);
	return v;
}

static u128 three_way(bool less, bool equal)
{
	return less | (unsigned)equal << 8;
}

/* Integer operations on values of `w` bits; the caller cuts the result. */
static u128 integer(const struct ir_inst *i, u128 a, u128 b, unsigned w)
{
	__int128 sa = as_signed(a, w), sb = as_signed(b, w);
	unsigned n = (unsigned)(b % w), k;

	switch (i->op) {
	case IR_ADD:
		return a + b;
	case IR_SUB:
		return a - b;
	case IR_MUL:
		return a * b;
	case IR_MULHU:
		return a * b >> w;
	case IR_MULHS:
		return (u128)(sa * sb) >> w;
	case IR_DIVU:
		return b ? a / b : 0;
	case IR_DIVS:
		return b ? (u128)(sa / sb) : 0;
	case IR_REMU:
		return b ? a % b : 0;
	case IR_REMS:
		return b ? (u128)(sa % sb) : 0;
	case IR_AND:
		return a & b;
	case IR_OR:
		return a | b;
	case IR_XOR:
		return a ^ b;
	case IR_ANDN:
		return a & ~b;
	case IR_NOT:
		return ~a;
	case IR_NEG:
		return -a;
	case IR_SHL:
		return a << n;
	case IR_SHR:
		return a >> n;
	case IR_SAR:
		return (u128)(sa >> n);
	case IR_ROTL:
		return rotate(a, n, w);
	case IR_CLZ:
		for (k = 0; k < w && !(a >> (w - 1 - k) & 1); k++)
			;
		return k;
	case IR_CTZ:
		for (k = 0; k < w && !(a >> k & 1); k++)
			;
		return k;
	case IR_POPCNT:
		return count_ones(a);
	case IR_BSWAP:
		return swap_bytes(a, w / 8);
	case IR_SEXT8:
		return (u128)as_signed(a, 8);
	case IR_SEXT16:
		return (u128)as_signed(a, 16);
	case IR_SEXT32:
		return (u128)as_signed(a, 32);
	case IR_ZEXT8:
		return cut(a, 8);
	case IR_ZEXT16:
		return cut(a, 16);
	case IR_ZEXT32:
	case IR_TRUNC32:
		return cut(a, 32);
	case IR_EXTRACT:
		return cut(a >> (i->imm & 0xff), i->imm >> 8 & 0xff);
	case IR_DEPOSIT: {
		unsigned pos = i->imm & 0xff;
		u128 mask = cut(~(u128)0, i->imm >> 8 & 0xff) << pos;

		return (a & ~mask) | (b << pos & mask);
	}
	case IR_EQ:
		return a == b;
	case IR_NE:
		return a != b;
	case IR_LTS:
		return sa < sb;
	case IR_LES:
		return sa <= sb;
	case IR_LTU:
		return a < b;
	case IR_LEU:
		return a <= b;
	case IR_CMP3S:
		return three_way(sa < sb, sa == sb);
	case IR_CMP3U:
		return three_way(a < b, a == b);
	default:
		abort();
	}
}

static u128 one_lane(unsigned op, u128 a, u128 b, unsigned w)
{
	__int128 sa = as_signed(a, w), sb = as_signed(b, w);
	unsigned n = (unsigned)(b % w);

	switch (op) {
	case IR_VADD:
		return a + b;
	case IR_VSUB:
		return a - b;
	case IR_VEQ:
		return a == b ? ~(u128)0 : 0;
	case IR_VGTS:
		return sa > sb ? ~(u128)0 : 0;
	case IR_VGTU:
		return a > b ? ~(u128)0 : 0;
	case IR_VMINS:
		return sa < sb ? a : b;
	case IR_VMAXS:
		return sa > sb ? a : b;
	case IR_VMINU:
		return a < b ? a : b;
	case IR_VMAXU:
		return a > b ? a : b;
	case IR_VSHL:
		return a << n;
	case IR_VSHR:
		return a >> n;
	case IR_VROTL:
		return a << n | a >> (w - n);
	case IR_VSAR:
		return (u128)(sa >> n);
	default:
		abort();
	}
}

static u128 vector(const struct ir_inst *i, u128 a, u128 b, u128 c)
{
	unsigned w = 8u << (i->aux & 3);
	u128 out = 0;

	switch (i->op) {
	case IR_VMAKE:
		return a << 64 | b;
	case IR_VHI:
		return a >> 64;
	case IR_VLO:
		return cut(a, 64);
	case IR_VAND:
		return a & b;
	case IR_VOR:
		return a | b;
	case IR_VXOR:
		return a ^ b;
	case IR_VANDN:
		return a & ~b;
	case IR_VNOT:
		return ~a;
	case IR_VDUP:
		for (unsigned k = 0; k < 128; k += w)
			out |= cut(a, w) << k;
		return out;
	case IR_VSPLAT:
		for (unsigned k = 0; k < 128; k += w)
			out |= cut(a >> w * i->imm, w) << k;
		return out;
	case IR_VPERM2:
		for (unsigned k = 0; k < 16; k++) {
			unsigned s = (unsigned)(c >> 8 * k) & 31;

			out |= cut(s < 16 ? b >> 8 * s : a >> 8 * (s - 16), 8) << 8 * k;
		}
		return out;
	default:
		for (unsigned k = 0; k < 128; k += w)
			out |= cut(one_lane(i->op, cut(a >> k, w), cut(b >> k, w), w), w) << k;
		return out;
	}
}

/* Between memory and a number, byte by byte. */
static u128 from_bytes(const uint8_t *p, struct ir_memop m)
{
	u128 v = 0;

	for (unsigned k = 0; k < m.size; k++)
		v = v << 8 | p[m.big_endian ? k : m.size - 1u - k];
	return v;
}

static void to_bytes(uint8_t *p, u128 v, struct ir_memop m)
{
	for (unsigned k = 0; k < m.size; k++)
		p[m.big_endian ? m.size - 1u - k : k] = (uint8_t)(v >> 8 * k);
}

static u128 extended(u128 v, struct ir_memop m)
{
	return m.sign_extend ? (u128)as_signed(v, 8 * m.size) : v;
}

static u128 rmw_result(unsigned kind, u128 old, u128 v, unsigned bits)
{
	__int128 so = as_signed(old, bits), sv = as_signed(v, bits);

	switch (kind) {
	case IR_RMW_ADD:
		return old + v;
	case IR_RMW_AND:
		return old & v;
	case IR_RMW_OR:
		return old | v;
	case IR_RMW_XOR:
		return old ^ v;
	case IR_RMW_XCHG:
		return v;
	case IR_RMW_MAXU:
		return old > v ? old : v;
	case IR_RMW_MINU:
		return old < v ? old : v;
	case IR_RMW_MAXS:
		return so > sv ? old : v;
	default:
		return so < sv ? old : v;
	}
}

static bool memory(struct run *x, const struct ir_inst *i, u128 *result)
{
	struct ir_memop m = ir_memop_of(i);
	struct mem_door *d = &x->env->door;
	uint64_t addr = (uint64_t)x->v[i->arg[0]] + (uint64_t)(int64_t)ir_disp_of(i);
	uint8_t bytes[16];
	bool report, stores;
	u128 old, v;
	uint8_t *p;

	if (m.aligned && addr % m.size && (i->op == IR_LOAD || i->op == IR_STORE)) {
		d->ops->misaligned(d, GVA(addr), i->op == IR_STORE);
		return false;
	}
	if (i->op == IR_LOAD) {
		if (!mem_read_slow(d, addr, bytes, m.size))
			return false;
		*result = extended(from_bytes(bytes, m), m);
		return true;
	}
	if (i->op == IR_STORE) {
		to_bytes(bytes, x->v[i->arg[1]], m);
		return mem_write_slow(d, addr, bytes, m.size);
	}
	p = mem_atomic_ptr(d, addr, m.size, true, &report);
	if (!p)
		return false;
	old = from_bytes(p, m);
	v = cut(x->v[i->arg[1]], 8 * m.size);
	stores = i->op == IR_RMW || old == v;
	if (stores) {
		v = i->op == IR_CAS ? x->v[i->arg[2]] : rmw_result(i->aux, old, v, 8 * m.size);
		to_bytes(p, v, m);
		if (report)
			d->ops->code_write(d, HVA(p), m.size);
	}
	*result = extended(old, m);
	return true;
}

/* Memory that a PROBE found. */
static void host_memory(struct run *x, const struct ir_inst *i, u128 *result)
{
	struct ir_memop m = ir_memop_of(i);
	uint8_t *p = (uint8_t *)(uintptr_t)((uint64_t)x->v[i->arg[0]] +
					    (uint64_t)(int64_t)ir_disp_of(i));

	if (i->op == IR_LOAD_HOST)
		*result = extended(from_bytes(p, m), m);
	else
		to_bytes(p, x->v[i->arg[1]], m);
}

/* Types of helpers that have one or more vectors; all others have only integers. */
typedef uint64_t (*int_fn)(struct ir_env *, uint64_t, uint64_t, uint64_t, uint64_t);
typedef void (*vec_v_fn)(struct ir_env *, u128 *, const u128 *, uint64_t);
typedef void (*vec_vvv_fn)(struct ir_env *, u128 *, const u128 *, const u128 *, const u128 *, uint64_t);
typedef void (*vec_vv_fn)(struct ir_env *, u128 *, const u128 *, const u128 *, uint64_t);

static bool call(struct run *x, const struct ir_inst *i, u128 *result)
{
	const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)i->imm;
	u128 a[4] = {0}, out = 0;

	for (unsigned k = 0; k < h->nargs; k++)
		a[k] = x->v[i->arg[k]];
	x->env->pc = x->pc;
	if (h->result != IR_V128)
		out = ((int_fn)h->fn)(x->env, (uint64_t)a[0], (uint64_t)a[1], (uint64_t)a[2],
				      (uint64_t)a[3]);
	else if (h->arg[2] == IR_V128)
		((vec_vvv_fn)h->fn)(x->env, &out, &a[0], &a[1], &a[2], (uint64_t)a[3]);
	else if (h->arg[1] == IR_V128)
		((vec_vv_fn)h->fn)(x->env, &out, &a[0], &a[1], (uint64_t)a[2]);
	else
		((vec_v_fn)h->fn)(x->env, &out, &a[0], (uint64_t)a[1]);
	if ((h->flags & IR_H_FAULTS) && x->env->fault)
		return false;
	*result = out;
	return true;
}

/* One instruction that does not end a block. False: leave with a fault. */
static bool step(struct run *x, uint32_t id)
{
	const struct ir_inst *i = &x->r->inst[id];
	unsigned t =
		i->op == IR_ADDCARRY || (i->op >= IR_EQ && i->op <= IR_CMP3U) ? i->aux : i->type;
	u128 a = i->arg[0] < id ? x->v[i->arg[0]] : 0, b = i->arg[1] < id ? x->v[i->arg[1]] : 0;
	u128 c = i->arg[2] < id ? x->v[i->arg[2]] : 0, v = 0;
	bool ok = true;

	if (i->op >= IR_EQ && i->op <= IR_CMP3U && t == IR_I32) {
		/* or the low words of I64 */
		a = cut(a, 32);
		b = cut(b, 32);
	}
	switch (i->op) {
	case IR_INSN:
		x->pc = x->env->base + i->imm - x->r->base;
		break;
	case IR_CONST:
		v = i->imm;
		break;
	case IR_PC:
		v = x->env->base + i->imm - x->r->base;
		break;
	case IR_VCONST:
		v = x->r->vconst[i->imm];
		break;
	case IR_GET:
		v = state_read(x->env, i->imm, t);
		break;
	case IR_SET:
		state_write(x->env, i->imm, t, a);
		break;
	case IR_FENCE:
		break;
	case IR_ADDC:
		v = a + b + (c & 1);
		break;
	case IR_ADDCARRY:
		v = (a + b + (c & 1)) >> bits_of(t) & 1;
		break;
	case IR_SELECT:
		v = a ? b : c;
		break;
	case IR_LOAD:
	case IR_STORE:
	case IR_CAS:
	case IR_RMW:
		ok = memory(x, i, &v);
		break;
	case IR_LOAD_HOST:
	case IR_STORE_HOST:
		host_memory(x, i, &v);
		break;
	case IR_CALL:
		ok = call(x, i, &v);
		break;
	default:
		v = i->op >= IR_VMAKE && i->op <= IR_VPERM2 ? vector(i, a, b, c)
							    : integer(i, a, b, bits_of(t));
		break;
	}
	if (ok && i->type != IR_NONE)
		x->v[id] = cut(v, bits_of(i->type));
	return ok;
}

static enum mem_probe mem_probe_for(struct ir_env *env, const struct ir_inst *i, uint64_t base,
				    u128 *result)
{
	struct ir_probe p = ir_probe_of(i->imm, i->aux);
	void *host = NULL;
	enum mem_probe found = mem_probe(&env->door, base + (uint64_t)p.at, p.size,
					 base + (uint64_t)p.low, base + (uint64_t)p.high - 1, p.kind, p.both,
					 &host);

	*result = (uint64_t)(uintptr_t)host - (uint64_t)p.at;
	return found;
}

uint64_t reference_insns;

enum ir_leave reference_run(const struct ir_region *r, struct ir_env *env, uint32_t *exit_index)
{
	return reference_run_to(r, env, exit_index, UINT64_MAX);
}

enum ir_leave reference_run_to(const struct ir_region *r, struct ir_env *env, uint32_t *exit_index,
			       uint64_t stop_at)
{
	struct run x = {.r = r, .env = env, .v = calloc(r->ninst, sizeof(u128))};
	uint32_t id = r->bb[0].first;
	enum mem_probe found;
	enum ir_leave leave;

	if (!x.v)
		abort();
	for (reference_insns = 0;;) {
		const struct ir_inst *i = &r->inst[id];

		switch (i->op) {
		case IR_INSN:
			if (reference_insns++ == stop_at) {
				env->pc = env->base + i->imm - r->base;
				leave = IR_LEAVE_UNSHARED;
				goto out;
			}
			step(&x, id++);
			continue;
		case IR_PROBE:
			found = mem_probe_for(env, i, (uint64_t)x.v[i->arg[0]], &x.v[id]);
			if (found != MEM_PROBE_OK) {
				env->pc = x.pc;
				leave = found == MEM_PROBE_FAULT ? IR_LEAVE_FAULT :
								   IR_LEAVE_UNSHARED;
				goto out;
			}
			id++;
			continue;
		case IR_POLL:
			if (env->exit_request) {
				env->pc = env->base + i->imm - r->base;
				leave = IR_LEAVE_POLL;
				goto out;
			}
			id++;
			continue;
		case IR_BR:
			id = r->bb[x.v[i->arg[0]] ? i->arg[1] : i->arg[2]].first;
			continue;
		case IR_JUMP:
			id = r->bb[i->arg[1]].first;
			continue;
		case IR_EXIT_DIRECT:
			env->pc = env->base + i->imm - r->base;
			*exit_index = i->aux;
			leave = IR_LEAVE_DIRECT;
			goto out;
		case IR_EXIT_INDIRECT:
			env->pc = (uint64_t)x.v[i->arg[0]];
			leave = IR_LEAVE_INDIRECT;
			goto out;
		case IR_EXIT_RESUME:
			leave = IR_LEAVE_RESUME;
			goto out;
		default:
			if (!step(&x, id)) {
				env->pc = x.pc;
				leave = IR_LEAVE_FAULT;
				goto out;
			}
			id++;
			continue;
		}
	}
out:
	free(x.v);
	return leave;
}
