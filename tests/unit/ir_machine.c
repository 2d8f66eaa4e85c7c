#include "ir_machine.h"

#include <stdlib.h>
#include <string.h>

/* The guest's page n lies here on the host. */
static const uint8_t host_page[PAGES] = {3, 0, 5, 1, 4, 2};

static struct machine *machine_of(struct mem_door *d)
{
	return container_of(d, struct machine, env.door);
}

static struct machine *of_env(struct ir_env *env)
{
	return container_of(env, struct machine, env);
}

static void log_event(struct machine *m, uint64_t what)
{
	m->log ^= what;
	m->log = next_random(&m->log);
}

uint8_t *machine_at(struct machine *m, uint64_t addr)
{
	uint64_t o = addr - RAM_BASE;

	return &m->ram[host_page[o / PAGE_SIZE]][o % PAGE_SIZE];
}

static bool refuse(struct machine *m, uint64_t addr, enum fault f)
{
	m->env.fault = f;
	m->fault_addr = addr;
	return false;
}

static bool fill(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like, void **host,
		 bool *slow)
{
	struct machine *m = machine_of(d);
	uint64_t page = (addr.v - RAM_BASE) / PAGE_SIZE;
	uint64_t block = addr.v & ~TLB_BLOCK_MASK;
	struct tlb_entry *e = tlb_slot(d->tlb, addr.v);
	enum fault f = kind == MEM_WRITE ? FAULT_WRITE
		       : store_like      ? FAULT_READ_FOR_STORE
					 : FAULT_READ;

	if (page >= PAGES || page == PAGE_NONE || (page == PAGE_RO && kind == MEM_WRITE))
		return refuse(m, addr.v, f);
	*host = machine_at(m, addr.v);
	*slow = page == PAGE_CODE;
	/* One page can be loaded from only once a load has asked. */
	e->tag[MEM_READ] = page == PAGE_RW1 && kind == MEM_WRITE && e->tag[MEM_READ] != block ?
				   TLB_TAG_INVALID :
				   block;
	e->tag[MEM_FETCH] = TLB_TAG_INVALID;
	e->tag[MEM_WRITE] = page == PAGE_RO     ? TLB_TAG_INVALID
			    : page == PAGE_CODE ? block | TLB_TAG_SLOW
						: block;
	e->addend = (uintptr_t)*host - addr.v;
	return true;
}

static void fill_known(struct mem_door *d, gva_t addr, enum mem_access kind)
{
	uint64_t page = (addr.v - RAM_BASE) / PAGE_SIZE;
	bool slow;
	void *host;

	if (page < PAGES && page != PAGE_NONE && (page != PAGE_RO || kind != MEM_WRITE))
		fill(d, addr, kind, false, &host, &slow);
}

static void code_write(struct mem_door *d, hva_t host, unsigned size)
{
	struct machine *m = machine_of(d);

	m->ncode_writes++;
	log_event(m, (host.v - (uintptr_t)m->ram) << 8 | size);
	for (unsigned i = 0; i < size; i++)
		log_event(m, ((const uint8_t *)hva_ptr(host))[i]);
}

static void misaligned(struct mem_door *d, gva_t addr, bool store)
{
	refuse(machine_of(d), addr.v, store ? FAULT_ALIGN_STORE : FAULT_ALIGN_LOAD);
}

static const struct mem_door_ops door_ops = {
	.fill = fill, .fill_known = fill_known, .code_write = code_write, .misaligned = misaligned};

struct machine *machine_new(void)
{
	struct machine *m = aligned_alloc(PAGE_SIZE, sizeof(*m));

	if (!m)
		abort();
	memset(m, 0, sizeof(*m));
	m->env.door.tlb = &m->tlb;
	m->env.door.ops = &door_ops;
	m->jump = m->no_jumps;
	for (uint32_t n = 0; n < ARRAY_SIZE(m->no_jumps); n++)
		m->no_jumps[n].pc = region_jump_empty(n % 2);
	machine_reset(m, 0);
	return m;
}

void machine_free(struct machine *m)
{
	free(m);
}

void machine_reset(struct machine *m, uint64_t seed)
{
	uint64_t *ram = (uint64_t *)m->ram;

	m->env.base = 0;
	for (unsigned i = 0; i < sizeof(m->s.mem) / 8; i++) {
		((uint64_t *)m->s.mem)[i] = next_random(&seed) >> (next_random(&seed) & 56);
		((uint64_t *)m->far.mem)[i] = next_random(&seed);
	}
	for (unsigned i = 0; i < 4; i++)
		m->s.flag[i] = next_random(&seed) & 1;
	for (unsigned i = 0; i < ARRAY_SIZE(m->s.field); i++)
		m->s.field[i] = next_random(&seed) & 0x1ff;
	for (unsigned i = 0; i < 8; i++)
		m->s.counter[i] = next_random(&seed) % 6;
	m->polls_left = next_random(&seed) % 16;
	for (unsigned i = 0; i < sizeof(m->ram) / 8; i++)
		ram[i] = seed += UINT64_C(0x9e3779b97f4a7c15);
	/* The TLB is small enough to forget all, and pages fall into few entries. */
	for (unsigned i = 0; i < PAGES; i++)
		*tlb_slot(&m->tlb, PAGE_ADDR(i)) =
			(struct tlb_entry){{TLB_TAG_INVALID, TLB_TAG_INVALID, TLB_TAG_INVALID}, 0};
	tlb_forget_windows(&m->tlb, UINT64_MAX);
	for (unsigned i = 0; i < TLB_WINDOWS; i++)
		m->tlb.window[i].misses = m->tlb.window[i].patience = next_random(&seed) & 3;
	m->fault_addr = 0;
	m->log = 0;
	m->ncode_writes = 0;
	m->env.fault = 0;
	m->env.pc = 0;
	m->env.base = 0;
	m->env.exit_request = 0;
	m->env.polls_left = UINT32_MAX;
	m->env.fp_status = 0;
	ir_fp_set_round(&m->env, IR_FP_NEAREST);
}

const char *machine_differ(const struct machine *a, const struct machine *b)
{
	if (a->env.pc != b->env.pc)
		return "the program counter";
	if (a->env.fault != b->env.fault)
		return "the kind of fault";
	if (a->fault_addr != b->fault_addr)
		return "the fault's address";
	if (memcmp(a->s.mem, b->s.mem, sizeof(a->s.mem)))
		return "guest state";
	if (memcmp(a->far.mem, b->far.mem, sizeof(a->far.mem)))
		return "far guest state";
	if (memcmp(a->s.flag, b->s.flag, sizeof(a->s.flag)))
		return "flags";
	if (memcmp(a->s.field, b->s.field, sizeof(a->s.field)))
		return "fields";
	if (memcmp(a->s.counter, b->s.counter, sizeof(a->s.counter)))
		return "counters";
	if ((a->env.fp_status ^ b->env.fp_status) & IR_FP_INEXACT)
		return "whether all was exact";
	if (a->env.fp_round != b->env.fp_round)
		return "how it is rounded";
	if (a->log != b->log || a->ncode_writes != b->ncode_writes)
		return "the order of calls and code writes";
	if (a->polls_left != b->polls_left || a->env.exit_request != b->env.exit_request)
		return "exit requests";
	if (memcmp(a->ram, b->ram, sizeof(a->ram)))
		return "memory";
	return NULL;
}

/* Helpers. Their pc is logged where the executor promises it. */

static uint64_t state_hash(struct machine *m)
{
	uint64_t h = 1;

	for (unsigned i = 0; i < sizeof(m->s.mem) / 8; i++) {
		h ^= ((uint64_t *)m->s.mem)[i];
		h = next_random(&h);
	}
	for (unsigned i = 0; i < 4; i++)
		h = h * 3 + m->s.flag[i];
	return h;
}

static void change_state(struct machine *m, uint64_t how)
{
	m->s.mem[how % sizeof(m->s.mem)] ^= 0xa5;
	((uint32_t *)m->s.mem)[how / 256 % (sizeof(m->s.mem) / 4)] += 77;
	m->s.flag[how / 7 % 4] ^= 1;
}

static uint64_t h_pure(struct ir_env *env, uint64_t a, uint64_t b)
{
	(void)env;
	return a * 3 + (b ^ a >> 7);
}

static uint64_t h_pure_mixed(struct ir_env *env, uint64_t a, uint64_t b)
{
	(void)env;
	return (uint32_t)(a + (a >> 32) * 1000 - b);
}

static void h_vpure(struct ir_env *env, u128 *result, const u128 *v, uint64_t a)
{
	(void)env;
	*result = *v * 5 + a;
}

static uint64_t h_read(struct ir_env *env)
{
	log_event(of_env(env), env->pc);
	return state_hash(of_env(env));
}

static void h_write(struct ir_env *env, uint64_t a)
{
	change_state(of_env(env), a);
}

static void h_write_vec(struct ir_env *env, u128 *result, const u128 *a, const u128 *b, uint64_t c)
{
	change_state(of_env(env), c);
	*result = *a + (*b << 3) + c;
}

static bool fault_now(struct ir_env *env, uint64_t a)
{
	log_event(of_env(env), env->pc ^ state_hash(of_env(env)));
	if (a % 128 == 3)
		env->fault = FAULT_HELPER;
	return env->fault;
}

static uint64_t h_fault(struct ir_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	return fault_now(env, a) ? 0 : a ^ (b * c);
}

static void h_fault_void(struct ir_env *env, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	if (!fault_now(env, a))
		change_state(of_env(env), b + c * 3 + d * 5);
}

static void h_vfault(struct ir_env *env, u128 *result, const u128 *v)
{
	*result = ~*v;
	fault_now(env, (uint64_t)*result);
}

static uint64_t h_effect(struct ir_env *env)
{
	log_event(of_env(env), 7);
	return of_env(env)->log;
}

static void h_request(struct ir_env *env)
{
	struct machine *m = of_env(env);

	if (m->polls_left && !--m->polls_left)
		env->exit_request = 1;
}

static void h_round(struct ir_env *env, uint64_t a)
{
	static const uint16_t round[] = {IR_FP_NEAREST, IR_FP_DOWN, IR_FP_UP, IR_FP_ZERO};

	ir_fp_set_round(env, round[a % 4]);
}

static void h_resume(struct ir_env *env, uint64_t a)
{
	env->pc = a * 17;
}

#define FN(f) ((void (*)(void))(f))

const struct ir_helper machine_helper[H_COUNT] = {
	[H_PURE] = {"pure", FN(h_pure), 2, IR_I64, {IR_I64, IR_I64}, IR_H_PURE, 0},
	[H_PURE_MIXED] =
		{"pure_mixed", FN(h_pure_mixed), 2, IR_I32, {IR_I32, IR_I64}, IR_H_PURE, 0},
	[H_VPURE] = {"vpure", FN(h_vpure), 2, IR_V128, {IR_V128, IR_I64}, IR_H_PURE, 0},
	[H_READ] = {"read", FN(h_read), 0, IR_I64, {0}, IR_H_READS_STATE, 0},
	[H_WRITE] = {"write",
		     FN(h_write),
		     1,
		     IR_NONE,
		     {IR_I64},
		     IR_H_READS_STATE | IR_H_WRITES_STATE,
		     0},
	[H_WRITE_VEC] = {"write_vec",
			 FN(h_write_vec),
			 3,
			 IR_V128,
			 {IR_V128, IR_V128, IR_I32},
			 IR_H_READS_STATE | IR_H_WRITES_STATE,
			 0},
	[H_FAULT] = {"fault",
		     FN(h_fault),
		     3,
		     IR_I64,
		     {IR_I64, IR_I64, IR_I64},
		     IR_H_FAULTS | IR_H_READS_STATE,
		     0},
	[H_FAULT_VOID] = {"fault_void",
			  FN(h_fault_void),
			  4,
			  IR_NONE,
			  {IR_I64, IR_I64, IR_I64, IR_I64},
			  IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
			  0},
	[H_VFAULT] =
		{"vfault", FN(h_vfault), 1, IR_V128, {IR_V128}, IR_H_FAULTS | IR_H_READS_STATE, 0},
	[H_EFFECT] = {"effect", FN(h_effect), 0, IR_I64, {0}, 0, 0},
	[H_REQUEST] = {"request", FN(h_request), 0, IR_NONE, {0}, 0, 0},
	[H_ROUND] = {"round", FN(h_round), 1, IR_NONE, {IR_I64}, IR_H_FLOAT, 0},
	[H_RESUME] = {"resume", FN(h_resume), 1, IR_NONE, {IR_I64}, 0, 0},
};
