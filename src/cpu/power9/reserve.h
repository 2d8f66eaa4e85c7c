/*
 * Reservations (Power ISA 3.0B, Book II 1.7.2): what a load and reserve leaves for the conditional store.
 *
 * A reservation is lost when somebody else stores to its granule, 128 bytes of memory, whatever is stored. There are two
 * kinds.
 *
 * Bare. Where nothing lies between the two instructions that could tell when the load was made (no other access to memory,
 * nothing that comes from outside, no end of the region), it may be taken to have been made just before the
 * store, in one piece with it: that is a compare and swap with the value that was loaded. If it fails, somebody has stored;
 * if it does not, then whatever others have stored meanwhile came before the load. Barriers in between change nothing about
 * that: there is no access for them to order against the load. Compilers and kernels write nothing else.
 *
 * The translator finds these pairs (p9_translator.reserve); nothing outside the region knows of such a reservation. Where
 * something comes in between it is given up, which the architecture allows (events of an implementation may cost a reservation).
 * Regions end where blocks of 4 KiB do, and a pair may lie across that: where one goes on at a block's start, it leaves its
 * bare reservation in guest state (resv_carried). Every region that begins there takes it out at once, to use it if a
 * store conditional comes before anything that costs it; interrupts and the end of cpu_run, which may come
 * between the two, take it away.
 *
 * Watched. A conditional store that finds no reservation fails, and notes the address; of it, what all addresses of the
 * place have in common (P9_RESV_BITS). The next few loads that reserve there have stores to the granule watched (cpu/watch.h): such a reservation lasts, over accesses, regions,
 * interrupts and exits, until somebody stores to the granule. So loops that load something between the two
 * (the pop of a list, code that is single-stepped) go on after one failure. It is for
 * a place in host memory: if the address leads elsewhere by then, nothing is stored.
 *
 * A store conditional of another size or to another place than the load's stores nothing.
 */
#ifndef ANYKVM_CPU_POWER9_RESERVE_H
#define ANYKVM_CPU_POWER9_RESERVE_H

#include "cpu/power9/power9.h"
#include "ir/ir.h"

/* Effective addresses of one place in memory agree in these bits: no page is smaller. */
#define P9_RESV_BITS UINT64_C(0xfff)

/* None of these. */
#define P9_RESV_NOWHERE UINT64_MAX

/*
 * (EA, size | little-endian << 16): load and reserve, watched; the value is resv_value. Requests of others may be
 * served: the region is to be left behind it.
 */
extern const struct ir_helper p9_h_load_reserve;

/* (EA, the same, value's high half, value): store conditional, of what is no bare reservation's -> was it stored? */
extern const struct ir_helper p9_h_store_conditional;

#endif
