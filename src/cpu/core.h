/*
 * What every software processor is made of, and what an architecture gives to the common run
 * loop. Nothing outside src/cpu includes this.
 *
 * Requests. A processor's TLBs and jump cache belong to its thread. Other threads append to its
 * request queue and, when it is running, wait until it has served them. A processor that waits for
 * another serves its own queue meanwhile, so two that shoot each other do not block. Whoever
 * shoots holds no lock that a running processor may take.
 */
#ifndef ANYKVM_CPU_CORE_H
#define ANYKVM_CPU_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "cpu/cpu.h"
#include "cpu/watch.h"
#include "ir/env.h"
#include "ir/ir.h"
#include "jit/jit.h"
#include "jit/region.h"
#include "jit/trace.h"
#include "util/bits.h"
#include "util/counter.h"

#define CPU_REQUESTS 64

enum cpu_request_kind {
	CPU_REQ_FLUSH_ALL,
	CPU_REQ_FLUSH_HOST,   /* arg: host start, length */
	CPU_REQ_PROTECT_HOST, /* arg: as above; only what allows stores, which are to be reported now */
	CPU_REQ_ARCH,       /* args are the architecture's */
};

struct cpu_request {
	enum cpu_request_kind kind;
	uint64_t arg[6];
};

struct cpu_counters {
#define _(name) struct counter name;
	CPU_COUNTERS(_)
#undef _
};

/*
 * Largest number of guest instructions in a region: at all, where nothing is compiled, and in a piece of a path; in one that
 * is compiled for itself; and in one that is only interpreted yet: most never are more. The larger regions are, the more of
 * them the same code is part of, and the more of what is compiled is never run: with 64 a start of Python compiles each
 * instruction twice on average, and takes a fourth longer for that. Nor does code get faster by it: what is hot becomes a path.
 */
#define CPU_REGION_INSNS   64
#define CPU_COMPILED_INSNS 32
#define CPU_COLD_INSNS	   16

#define CPU_INSN_BYTES   15 /* of the longest instruction of all architectures */

/*
 * How often a region is interpreted before it is compiled: most of a kernel's boot and of a small
 * program's start runs a few times only, and compiling costs what some dozens of runs do. It is
 * less while the compiler's thread has little to do.
 */
#define CPU_JIT_AFTER      60
#define CPU_JIT_AFTER_IDLE 4

/* And before it is given compiled code that there is of the same guest code elsewhere: it will be as hot, most likely. */
#define CPU_COPY_AFTER 3

/*
 * Of region.runs: it is compiled, or will be, or cannot be; the rest is how often it was interpreted since. What waits and is
 * run so often goes before all others that wait, each time again; and what is run so often that it
 * could have been compiled for that is compiled by who runs it.
 */
#define CPU_RUNS_ASKED	0x8000u
#define CPU_ASKED_HOT	(CPU_RUNS_ASKED + 2) /* so often run by then, it is hot */
#define CPU_HURRY_AFTER 64u  /* a power of two */
#define CPU_SELF_AFTER	512u /* a multiple of that */

/* A copy of guest code that a region is made from. */
struct cpu_code {
	uint32_t size;
	uint8_t bytes[CPU_REGION_INSNS * CPU_INSN_BYTES];
};

/*
 * Path regions: what is hottest is compiled once more, from up to so many pieces of code, in the order in which they
 * were seen to be run, as one region whose ways from piece to piece stay inside. Found by sampling (hot.c),
 * recorded (record.c), compiled (path.c).
 */

/* The most pieces that a path region has. */
#define CPU_PIECES 8

/* A run of guest code of a path region. */
struct cpu_piece {
	uint64_t pc;          /* of its first instruction; pieces lie in the same REGION_SPAN as the first */
	const uint8_t *bytes; /* a copy */
	uint32_t size;        /* bytes readable, within its 4 KiB block, at most CPU_REGION_INSNS instructions */
	uint64_t next[2];     /* where an indirect branch of it was seen to go: starts of pieces; unused: UINT64_MAX */
	uint32_t len;         /* out: bytes that the region depends on */
};

#define CPU_NO_NEXT UINT64_MAX

/* A path, with all that its region is made from. */
struct cpu_path {
	uint32_t mode; /* with its span */
	unsigned n, made;
	struct cpu_path_piece {
		hva_t host;
		uint64_t pc, next[2];
		uint64_t version; /* of its block, before the code was copied */
		struct cpu_code code;
	} piece[CPU_PIECES];
};

struct cpu {
	struct ir_env env; /* first */
	const struct cpu_arch *arch;
	struct cpu_system *system;
	struct cpu *next; /* in the system's list */
	/* Kept by the architecture: */
	uint32_t fetch_context; /* identifies the current instruction translation context */
	uint32_t mode;          /* key of translations (without REGION_SPAN_MASK) */
	uint32_t fetch_place;   /* the context's, whatever invalidations change its identity */
	struct tlb *fetch_tlb;
	/* jump.c: */
	const struct region_jump *jump; /* what compiled code looks up */
	struct cpu_jumps *jumps;
	/* Cross-thread state: */
	_Atomic bool kicked;
	_Atomic bool running;
	_Atomic bool timer_fired;
	_Atomic int64_t deadline_ns; /* CLOCK_MONOTONIC; INT64_MAX: none */
	pthread_mutex_t req_lock;
	struct cpu_request req[CPU_REQUESTS];
	uint32_t nreq;
	uint64_t req_posted;           /* under req_lock */
	_Atomic uint64_t req_served;
	_Atomic uint64_t epoch_seen;
	uint32_t round_seen; /* region_round */
	struct cpu_watch watch; /* what it has reserved; of its thread */
	bool was_idle;       /* has run nothing since cpu_run began: regions it knew may be freed */
	struct ir_region ir; /* scratch of the translator */
	struct cpu_code code;
	struct cpu_once *once; /* once.c; NULL: nothing is kept */
	struct cpu_hot *hot;   /* hot.c; NULL: nothing was sampled */
	struct cpu_record *record; /* record.c; NULL: nothing was recorded */
	struct lockstep *lockstep; /* NULL: compiled code runs alone (lockstep.h) */
	struct cpu_counters stats;
	char error[128];
};

struct cpu_arch {
	const char *name;
	size_t size; /* of the architecture's structure, which begins with struct cpu */
	/* Guest registers that compiled loops may keep in host registers: offsets [first, end), see jit.h. */
	uint32_t pin_first, pin_end, vec_first, vec_end;
	uint32_t insn_bytes; /* of the longest instruction */
	uint32_t insn_align; /* of all: a power of two */
	/* In modes without this bit a translation is bound to the address that it was made for. */
	uint32_t mode_movable;
	/* Power-on state. 0 or -ENOMEM. */
	int (*init)(struct cpu *c);
	void (*fini)(struct cpu *c);
	/*
	 * Host address of the instruction at env.pc, through fetch_tlb (a miss walks the tables), and log2 of
	 * the page that it is in: the smallest of those that it was translated by. NULL: a fault was recorded.
	 */
	void *(*fetch)(struct cpu *c, unsigned *page_shift);
	/*
	 * Emit IR for at most max_insns instructions from `code`, which runs at pc in a mode; `bytes`
	 * are readable. Returns the bytes of code that the region depends on. Any thread.
	 */
	uint32_t (*translate)(uint32_t mode, struct ir_region *r, uint64_t pc, const uint8_t *code,
			      uint32_t bytes, uint32_t max_insns);
	/*
	 * The same of several pieces as one region, which is entered at the first one's start, in a mode that does not
	 * trace. Jumps, calls and returns between them stay inside; each loop has a POLL. Sets each len, 0 where nothing
	 * of a piece is reached.
	 */
	void (*translate_path)(uint32_t mode, struct ir_region *r, struct cpu_piece *piece, unsigned n);
	uint32_t mode_stepped; /* modes with one of these bits trace */
	/* For people: the instruction at `code`, of a region's mode, as text; its length in bytes. */
	uint32_t (*disassemble)(uint32_t mode, const uint8_t *code, uint32_t bytes, uint64_t pc,
				char *text, size_t size);
	/* A region's mode in a word, without spaces: "kernel", "user", ... */
	void (*describe_mode)(uint32_t mode, char *text, size_t size);
	/* env.fault is set: deliver it. True: it goes to the hypervisor. */
	bool (*fault)(struct cpu *c);
	/* Deliver the foremost asynchronous interrupt that is enabled. True: as above. */
	bool (*events)(struct cpu *c);
	/* The timer fired, or may have: see what has expired, and set the next deadline. */
	void (*timer)(struct cpu *c);
	/*
	 * Serve a request. Of several, those of host memory come first; while the processor does not run,
	 * guest memory may be gone without one having been served, so it is not to be looked at.
	 */
	void (*request)(struct cpu *c, const struct cpu_request *req);
	/*
	 * For lockstep.h: where guest state lies, [first, end), nothing of which another thread changes;
	 * to derive what depends on it once it was written; to bring it to one of its forms, where the
	 * same state has several; and the name of the word at an offset.
	 */
	uint32_t state_first, state_end;
	void (*state_loaded)(struct cpu *c);
	void (*state_settle)(struct cpu *c);
	void (*describe_state)(uint32_t offset, char *text, size_t size);
	/* cpu_run starts and ends. */
	void (*enter)(struct cpu *c);
	void (*leave)(struct cpu *c);
};

struct cpu_system {
	const struct cpu_arch *arch;
	bool optimise, check_ir, lockstep;
	_Atomic uint32_t jit_after; /* interpreted runs that make a region hot */
	struct region_cache *regions;
	const struct region_clock *clock; /* theirs */
	struct jit *jit; /* NULL: everything is interpreted */
	struct jit_trace *trace; /* NULL: nobody wants to know what is compiled */
	size_t translation_bytes; /* as asked for; 0: the default */
	pthread_mutex_t lock; /* the list of processors */
	struct cpu *cpus;
	unsigned ncpus;
	struct cpu_watches watches;
	struct cpu_timer *timer;
	struct cpu_compiler *compiler; /* NULL: processors compile for themselves */
	/* of several threads */
	struct counter shootdowns, regions_compiled, regions_copied, regions_path, compile_failures;
	_Atomic uint32_t promising; /* regions that were sampled: while there are new ones, samples are taken often */
	_Atomic uint64_t unshared[64]; /* by hash of where it lies: code to be compiled without PROBEs */
};

/* requests.c */

void cpu_post(struct cpu *c, struct cpu *self, const struct cpu_request *req); /* and wait */
void cpu_broadcast(struct cpu_system *s, struct cpu *self, const struct cpu_request *req);
void cpu_serve_requests(struct cpu *c);

/*
 * jump.c: the jump cache, from guest addresses to regions: a table for each of a few combinations of context
 * and mode. What compiled code looks up is the part of the present one's entries that names compiled code.
 */
#define CPU_JUMP_TABLES	 6
#define CPU_JUMP_HALF	 4096 /* entries that an address may have first, and as many second */
#define CPU_JUMP_ENTRIES (2 * CPU_JUMP_HALF)

bool cpu_jumps_create(struct cpu *c);
void cpu_jumps_destroy(struct cpu *c);

extern const struct region_jump cpu_no_jumps[CPU_JUMP_ENTRIES];

/*
 * All changes of the two are made by these: compiled code that goes on then finds nothing before the run loop
 * has looked for the table that is right.
 */
static inline void cpu_set_context(struct cpu *c, uint32_t context, uint32_t place)
{
	if (c->fetch_context != context)
		c->jump = cpu_no_jumps;
	c->fetch_context = context;
	c->fetch_place = place;
}

static inline void cpu_set_mode(struct cpu *c, uint32_t mode)
{
	if (c->mode != mode)
		c->jump = cpu_no_jumps;
	c->mode = mode;
}

/* The context or the mode may have changed, and compiled code goes on: by what is for them now. */
void cpu_jumps_select(struct cpu *c);

/*
 * Before anything is run: have compiled code find what is for the present context and mode. The region there for
 * an address, or NULL.
 */
struct region *cpu_jumps_find(struct cpu *c, uint64_t pc);
/*
 * When there is none: what was there before an invalidation, or is for another address; NULL. It may be dead. second: of
 * the address's two entries.
 */
struct region *cpu_jumps_before(struct cpu *c, uint64_t pc, bool second);
void cpu_jumps_set(struct cpu *c, uint64_t pc, struct region *g);
/* The region there for pc is compiled now. */
void cpu_jumps_compiled(struct cpu *c, uint64_t pc, const void *entry);

void cpu_jumps_clear(struct cpu *c);
/* Take dead regions out; the others are to be looked at before they are run again: renew. */
void cpu_jumps_purge(struct cpu *c, bool renew);

enum cpu_runs {
	CPU_RUNS_FEW,  /* or it was asked for */
	CPU_RUNS_HOT,  /* now; marked as asked for */
	CPU_RUNS_WAIT, /* it was asked for, and has been run often since */
};

/* Count `n` interpreted runs of g. By several processors at once some go uncounted. */
static inline enum cpu_runs cpu_count_runs(struct region *g, uint32_t n, uint32_t after)
{
	uint32_t before = region_runs(g), runs = before + n;

	if (before & CPU_RUNS_ASKED) {
		if (runs > UINT16_MAX)
			return CPU_RUNS_FEW;
		/* The compiler may say at this moment that it is to be asked again. */
		region_change_runs(g, (uint16_t)before, (uint16_t)runs);
		return (before ^ runs) & ~(CPU_HURRY_AFTER - 1) ? CPU_RUNS_WAIT : CPU_RUNS_FEW;
	}
	/* Before anybody is asked, who may find that it is to be asked again. */
	region_set_runs(g, (uint16_t)(runs < after ? runs : CPU_RUNS_ASKED | (n - 1)));
	return runs < after ? CPU_RUNS_FEW : CPU_RUNS_HOT;
}

/*
 * compiler.c: have a hot region compiled, now or soon; nobody else is told when it is done. Once
 * is enough for a region, unless its block was written meanwhile. The caller is at no quiescent point.
 * hot: false: only if another has compiled code that can be copied; false if there is none.
 */
bool cpu_compile(struct cpu *c, struct region *g, bool hot);
/* g, for which that was called, is interpreted on and on meanwhile: see CPU_RUNS_ASKED. The same holds for the caller. */
void cpu_compile_hurry(struct cpu *c, struct region *g);
/* From now on compile what begins at `host` without shared checks (IR_PROBE). */
void cpu_compile_unshared(struct cpu_system *s, hva_t host);
bool cpu_shares_checks(struct cpu_system *s, hva_t host);
/* With check_ir: is it? If not that is told on standard error, with all of it. what: it is, in a few words. */
bool cpu_well_formed(const struct cpu_system *s, const struct ir_region *ir, const char *what);
/*
 * What was emitted to be compiled, as the system wants it optimised; share: accesses share checks. False: ir has failed, or is
 * not well-formed.
 */
bool cpu_optimise(struct cpu_system *s, struct ir_region *ir, bool share);
/*
 * The two steps of it: emit the IR of g's code (`size` bytes are readable) and optimise it, *len being what it
 * depends on; compile what was emitted and attach it to g, unless it has died or its block has another version. The
 * latter gives the entry, or NULL, and counts either. share: as cpu_shares_checks says; the same for both.
 */
bool cpu_compile_emit(struct cpu_system *s, struct ir_region *ir, const struct region *g,
		      const uint8_t *bytes, uint32_t size, bool share, uint32_t *len);
const void *cpu_compile_emitted(struct cpu_system *s, const struct ir_region *ir, struct region *g,
				const uint8_t *bytes, uint32_t size, uint32_t len, bool share,
				uint64_t version);
/*
 * In place of all translation: a region with what was made of the same guest code at another place. As region_insert;
 * NULL with errno ENOENT: there is none.
 */
struct region *cpu_find_twin(struct cpu_system *s, const struct region_source *from);
/* In place of the two steps: attach a copy of what was compiled from the same code at another place. NULL: there is none. */
const void *cpu_compile_copy(struct cpu_system *s, struct region *g, const uint8_t *bytes, uint32_t size,
			     uint64_t version);
/* Have a path compiled, now or when nothing else waits. Ownership passes: it is from malloc. */
void cpu_compile_path(struct cpu *c, struct cpu_path *path);
/*
 * after_idle: how often a region is interpreted first when the thread has nothing to do. NULL: there is no
 * need for a thread, or none to be had.
 */
struct cpu_compiler *cpu_compiler_create(struct cpu_system *s, uint32_t after_idle);
void cpu_compiler_destroy(struct cpu_compiler *p);

/* trace.c: guest code of a region's mode, `len` bytes at pc, disassembled, a line each. */
void cpu_print_guest(FILE *out, const struct cpu_arch *arch, uint32_t mode, uint64_t pc,
		     const uint8_t *bytes, uint32_t len);

/* trace.c: after `ir`, of len bytes of the guest's code, was compiled as g's code, or copied (NULL); s->trace is not NULL. */
void cpu_trace_region(struct cpu_system *s, const struct region *g, const struct ir_region *ir,
		      const uint8_t *bytes, uint32_t len, const struct jit_code *code);

/* The same of a path region, compiled from so many pieces. */
void cpu_trace_path(struct cpu_system *s, uint32_t mode, const struct ir_region *ir,
		    const struct cpu_piece *piece, unsigned n, const struct jit_code *code);

/*
 * timer.c: wakes processors at their deadline (timer_fired and exit_request are set); and those that run, for samples, about
 * every sample_ns (exit_request is set), less often while nothing new is found. 0: not.
 */
struct cpu_timer *cpu_timer_create(struct cpu_system *s, int64_t sample_ns);
void cpu_timer_destroy(struct cpu_timer *t);
/* Own thread: the next time at which c->arch->timer is to be called. */
void cpu_timer_arm(struct cpu *c, int64_t deadline_ns);
int64_t cpu_clock_ns(void);

/* run.c: the guest's code of at most max_insns instructions at `host`, within its block. */
void cpu_copy_code(const struct cpu_system *s, hva_t host, uint32_t max_insns, struct cpu_code *code);

/*
 * once.c: interpretable code of c->code at pc in the present mode, made before; or NULL. To keep what was made of its
 * first `len` bytes; false: it is not kept.
 */
struct ir_code *cpu_once_find(struct cpu *c, uint64_t pc);
bool cpu_once_keep(struct cpu *c, uint64_t pc, uint32_t len, struct ir_code *code);
void cpu_once_destroy(struct cpu *c);

/*
 * hot.c: the processor left compiled code when it was asked to, and goes on in g, at the program counter. True: g has
 * become hot, and what is run from here on is to be recorded.
 */
bool cpu_hot_sample(struct cpu *c, struct region *g);
void cpu_hot_destroy(struct cpu *c);

/*
 * record.c: a recording begins at the program counter, where g is run, which was sampled; false: none can. A step runs
 * what is at the program counter, if that belongs to the recording: not more than some thousand instructions. end: it is
 * over, wherever it has come to (keep: and that may do); harmless if there is none.
 */
enum cpu_step {
	CPU_STEP_RUN,   /* *leave is why it was left */
	CPU_STEP_OVER,  /* nothing was run: there is no recording any more */
	CPU_STEP_FAULT, /* nor here; env.fault is set */
	CPU_STEP_ERROR, /* c->error */
};

bool cpu_record_begin(struct cpu *c, struct region *g);
enum cpu_step cpu_record_step(struct cpu *c, enum ir_leave *leave);
void cpu_record_end(struct cpu *c, bool keep);
void cpu_record_destroy(struct cpu *c);

/* path.c: compile a path and enter its region. ir: scratch of the calling thread. */
void cpu_path_make(struct cpu_system *s, struct ir_region *ir, const struct cpu_path *path);
/* For people: the IR of pieces of a mode with its span, as it is compiled. False: there is not enough memory. */
bool cpu_path_emit(struct cpu_system *s, struct ir_region *ir, uint32_t mode, struct cpu_piece *piece,
		   unsigned n);

/*
 * run.c: mark the block of the code at the program counter, so that stores to it are told, and have its version from
 * before in *version. NULL: env.fault is set, or c->error, or its mapping is taken away again and again; otherwise where the
 * code is now, in *mode with its span.
 */
void *cpu_mark_code(struct cpu *c, uint32_t *mode, uint64_t *version);
/* run.c: interpret c->code, of the program counter's. False: c->error. */
bool cpu_interpret_once(struct cpu *c, enum ir_leave *leave);

/* run.c: the store to host memory that holds code; for mem_door_ops.code_write. */
void cpu_code_write(struct cpu *c, hva_t host, unsigned size);
/* For the TLB fill of a store: must stores to this block be reported, because of code or of reservations? */
bool cpu_stores_reported(struct cpu *c, hva_t block);
/* The same for a group of blocks (mem/tlb.h): a bit for each. */
uint32_t cpu_stores_reported_in(struct cpu *c, hva_t group);

#endif
