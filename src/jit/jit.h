/*
 * The JIT: host code for regions. A region's IR goes in, a piece of executable memory comes out.
 *
 * One `struct jit` serves a system. Its memory is mapped twice, writable for the compiler and
 * executable for the processors; no page is both. Compiled code keeps the env in one register
 * and the current TLB in another, and leaves to the run loop as the interpreter does (enum ir_leave),
 * unless it goes on in another region: by a direct jump, which jit_link makes once both are compiled and
 * jit_unlink takes back, or through the processor's jump cache.
 *
 * Locks: compiling, linking and freeing are done under the region cache's mutex or its own; see
 * region.h. Executing takes none.
 *
 * Hosts without a back end: jit_create gives NULL with errno ENOTSUP, and the interpreter serves.
 */
#ifndef ANYKVM_JIT_JIT_H
#define ANYKVM_JIT_JIT_H

#include "ir/interp.h"

struct jit;

/* Where compiled code finds what is the processor's, from the env. */
struct jit_layout {
	uint32_t jump;       /* a pointer to the entries of its jump cache that hold now (struct region_jump[]) */
	uint32_t jump_mask;  /* half their number - 1; at least 1 */
	uint32_t insn_align; /* of the addresses in there: a power of two */
	/* Guest registers that a region's loops may keep in host registers: [first, end). */
	uint32_t pin_first, pin_end;
	/* The same for those of vectors and floating-point numbers, in lines of 16 bytes. */
	uint32_t vec_first, vec_end;
	/* Leave at polls as the interpreter does, when env.polls_left is used up. */
	bool count_polls;
	/* Nothing is ever copied (jit_copy): what that needs is not kept. */
	bool no_copies;
};

/* NULL: errno ENOTSUP (no back end for this host) or ENOMEM. */
struct jit *jit_create(const struct jit_layout *layout, size_t bytes);
void jit_destroy(struct jit *j);

/*
 * For tests: compile as for a host with fewer features from now on; levels below JIT_LEVELS - 1, which
 * changes nothing, down to 0, what all hosts of the architecture have.
 */
#define JIT_LEVELS 5
void jit_limit(struct jit *j, unsigned level);

/* There are tens of thousands: what is in it is as small as it can be. */
struct jit_code {
	const void *entry;    /* where other regions jump to */
	void *owner;          /* its region; set by the region cache */
	struct jit_moves *moves; /* what there is to change in a copy; theirs, too; NULL: there will be none */
	uint32_t size, cold_size; /* of its two parts */
	int32_t cold;         /* displacement from the entry to what is rarely run of it */
	int32_t dead;         /* and to where it is left at once */
	uint16_t polled;      /* from the entry on: where those jump to that need not look for requests */
	uint16_t nexit;
	/* By index of EXIT_DIRECT: the displacement to patch. */
	struct jit_exit {
		uint32_t where; /* from the entry; JIT_NO_EXIT: cannot be linked */
		int32_t unlinked;
	} exit[];
};

#define JIT_NO_EXIT UINT32_MAX

/* What is rarely run of it. */
static inline const void *jit_code_cold(const struct jit_code *c)
{
	return (const uint8_t *)c->entry + c->cold;
}

/*
 * Compile an optimised region that starts at pc (which is as those in it: see ir_region.base). NULL: errno ENOSPC (the code memory is full) or
 * ENOMEM; the interpreter serves then.
 */
struct jit_code *jit_compile(struct jit *j, const struct ir_region *r, uint64_t pc);

/*
 * The same code once more, for the same guest code at the same distance from the start of its span. c may be killed,
 * but nobody links, unlinks or kills it meanwhile. NULL: as above; or there are to be no copies (errno ENOTSUP).
 */
struct jit_code *jit_copy(struct jit *j, const struct jit_code *c);

/* Bytes of memory that it takes. */
size_t jit_code_size(const struct jit_code *c);

/* No processor may be inside it. */
void jit_free(struct jit *j, struct jit_code *c);

/*
 * Run from an entry until compiled code has nothing more to run. As ir_interp; for
 * IR_LEAVE_DIRECT *left is the piece that was left, which need not be the first.
 */
enum ir_leave jit_run(struct jit *j, const void *entry, struct ir_env *env, struct jit_code **left,
		      uint32_t *exit_index);

/* Where an entry of a jump cache leads if its region is not compiled: to the run loop. */
const void *jit_unentered(const struct jit *j);

/*
 * Have an exit of one piece jump to another; and back to leaving. Other threads may be executing it.
 * poll: the target is to look for requests; for what may be part of a loop.
 */
void jit_link(struct jit *j, struct jit_code *from, uint32_t exit, const struct jit_code *to, bool poll);
void jit_unlink(struct jit *j, struct jit_code *from, uint32_t exit);

/*
 * Whoever comes to its entry from now on leaves for the run loop (IR_LEAVE_POLL). Other threads may be
 * executing it.
 */
void jit_kill(struct jit *j, struct jit_code *c);

/* Bytes of code memory in use. */
size_t jit_bytes(const struct jit *j);

#endif
