/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small workloads of the benchmark suite.
 *
 * The same sources are built for the guest and for the host. Each workload does
 * an amount of work that depends on `count` alone, and returns a checksum of
 * what it computed: bench/run compares it between all sides, so that a processor
 * that is fast because it is wrong is found out. Therefore nothing here depends
 * on the machine: no addresses, times or process numbers enter a checksum, and
 * floating-point values are integers small enough to be exact with or without
 * fused multiply-add.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

struct workload {
	const char *name;
	const char *what;
	/* Sized for about a second in qemu-system-ppc64 on a machine of 2023. */
	uint64_t count;
	/* Anything that fails calls die(). */
	uint64_t (*run)(uint64_t count);
};

/* Each ends with a row whose name is NULL. */
extern const struct workload integer_workloads[];
extern const struct workload memory_workloads[];
extern const struct workload process_workloads[];

/* Prints the message and strerror(errno), and ends the program with status 1. */
_Noreturn void die(const char *what);

/* xorshift64*: the next value of the generator whose state is *state (not 0). */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

/* Mixes a value into a checksum. */
static inline uint64_t mix(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * 0x100000001b3;
}

/*
 * Writes `size` bytes of text to a file, the same for the same size: words of a
 * vocabulary in a skewed distribution, and some numbers, which compress by about
 * three as natural text does.
 */
void generate_text(const char *path, uint64_t size);

#endif
