/*
 * The machine that the tests of the IR run on: some guest state of all types, a few pages of guest
 * memory with different rights, and helpers. All that an executor can be seen to do ends up in
 * struct machine, so that two executors agree if their machines are the same afterwards.
 */
#ifndef ANYKVM_TESTS_IR_MACHINE_H
#define ANYKVM_TESTS_IR_MACHINE_H

#include "ir/interp.h"
#include "jit/region.h"

/* Guest addresses: six pages, then nothing. Neighbours in the guest are none on the host. */
#define PAGES     6
#define RAM_BASE  UINT64_C(0x7ffffffff000) /* of page 0 */
#define PAGE_SIZE 4096
enum page { PAGE_RW0, PAGE_RW1, PAGE_RO, PAGE_CODE, PAGE_RW4, PAGE_NONE };

#define PAGE_ADDR(n) (RAM_BASE + (n)*PAGE_SIZE)

enum fault {
	FAULT_NONE,
	FAULT_READ,
	FAULT_WRITE,
	FAULT_READ_FOR_STORE,
	FAULT_ALIGN_LOAD,
	FAULT_ALIGN_STORE,
	FAULT_HELPER
};

/* Guest state. `mem` is read and written in pieces of all sizes that overlap each other. */
struct guest_state {
	_Alignas(16) uint8_t mem[128];
	uint64_t flag[4];    /* 0 or 1 */
	uint64_t field[4];   /* nine bits each */
	uint64_t counter[8]; /* of loops */
};

struct machine {
	struct ir_env env;
	struct guest_state s;
	/* What was seen from outside. */
	uint64_t fault_addr;
	uint64_t log;        /* hash of helper calls and reports of code writes */
	uint32_t polls_left; /* a helper asks for an exit when this gets to 0 */
	uint32_t ncode_writes;
	_Alignas(PAGE_SIZE) uint8_t ram[PAGES][PAGE_SIZE];
	struct tlb tlb;
	/* A jump cache with nothing in it: addresses that belong elsewhere. */
	const struct region_jump *jump;
	struct region_jump no_jumps[4];
	uint8_t pad[300 * 1024]; /* so that `far` is out of an operand's reach */
	struct guest_state far;
};

#define OFF_STATE(o)   ((uint32_t)(offsetof(struct machine, s.mem) + (o)))
#define OFF_FAR(o)     ((uint32_t)(offsetof(struct machine, far.mem) + (o)))
#define OFF_FLAG(n)    ((uint32_t)(offsetof(struct machine, s.flag) + 8 * (n)))
#define OFF_FIELD(n)   ((uint32_t)(offsetof(struct machine, s.field) + 8 * (n)))
#define OFF_COUNTER(n) ((uint32_t)(offsetof(struct machine, s.counter) + 8 * (n)))

struct machine *machine_new(void);
void machine_free(struct machine *m);

/* Contents that depend on the seed alone; nothing logged, nothing in the TLB. */
void machine_reset(struct machine *m, uint64_t seed);

/* The first difference in a few words, or NULL. */
const char *machine_differ(const struct machine *a, const struct machine *b);

/* The host address of a guest address, whatever its rights. */
uint8_t *machine_at(struct machine *m, uint64_t addr);

enum helper {
	H_PURE,       /* I64(I64, I64) */
	H_PURE_MIXED, /* I32(I32, I64) */
	H_VPURE,      /* V128(V128, I64) */
	H_READ,       /* I64(): hash of the state */
	H_WRITE,      /* (I64): changes the state */
	H_WRITE_VEC,  /* V128(V128, V128, I32): changes the state before it reads its operands */
	H_FAULT,      /* I64(I64, I64, I64): now and then faults */
	H_FAULT_VOID, /* (I64, I64, I64, I64) */
	H_VFAULT,     /* V128(V128): writes its result, then may fault */
	H_EFFECT,     /* I64(): no state, but each call gives something else */
	H_REQUEST,    /* (): now and then asks for an exit */
	H_ROUND,      /* (I64): floating point is rounded in one of four ways from there on */
	H_RESUME,     /* (I64): sets env->pc, before an EXIT_RESUME */
	H_COUNT
};

extern const struct ir_helper machine_helper[H_COUNT];

/* Of the floating-point intrinsics (ir/intrinsic_float.h), by number - IR_FLOAT_FIRST. */
extern const struct ir_helper machine_float[];

/* The executor to compare with: walks the region as it stands. */
enum ir_leave reference_run(const struct ir_region *r, struct ir_env *env, uint32_t *exit_index);

/* How many INSN the last run of it came to. */
extern uint64_t reference_insns;

/* The same up to, and without, the INSN with that number, from 0: IR_LEAVE_UNSHARED there. */
enum ir_leave reference_run_to(const struct ir_region *r, struct ir_env *env, uint32_t *exit_index,
			       uint64_t insn);

/* How many of a kind the region has. */
static inline unsigned count_op(const struct ir_region *r, enum ir_op op)
{
	unsigned n = 0;

	for (uint32_t id = 0; id < r->ninst; id++)
		n += r->inst[id].op == op;
	return n;
}

static inline uint64_t next_random(uint64_t *s)
{
	uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

#endif
