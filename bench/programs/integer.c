/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads that stay in one process and compute: integers, calls, floating point. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

/* --- crc: shifts, table look-ups, one long chain of dependencies --------------- */

static uint64_t crc(uint64_t count)
{
	static uint32_t table[256];
	static uint8_t data[65536];
	uint64_t state = 1;
	uint32_t sum = 0xffffffff;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
	}
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(next_random(&state) >> 56);
	while (count--)
		for (size_t i = 0; i < sizeof(data); i++)
			sum = sum >> 8 ^ table[(sum ^ data[i]) & 0xff];
	return ~sum;
}

/* --- sieve: byte stores with a stride, counted loops ---------------------------- */

static uint64_t sieve(uint64_t count)
{
	enum { limit = 1 << 20 };
	static uint8_t composite[limit];
	uint64_t primes = 0;

	while (count--) {
		memset(composite, 0, sizeof(composite));
		for (size_t i = 2; i * i < limit; i++)
			if (!composite[i])
				for (size_t j = i * i; j < limit; j += i)
					composite[j] = 1;
		for (size_t i = 2; i < limit; i++)
			primes += !composite[i];
	}
	return primes;
}

/* --- matrix: multiply and add of doubles ----------------------------------------- */

enum { order = 120 };

static __attribute__((noinline)) void multiply(double c[order][order], double (*a)[order],
					       double (*b)[order])
{
	for (int i = 0; i < order; i++)
		for (int j = 0; j < order; j++) {
			double sum = 0;

			for (int k = 0; k < order; k++)
				sum += a[i][k] * b[k][j];
			c[i][j] = sum;
		}
}

static uint64_t matrix(uint64_t count)
{
	static double a[order][order], b[order][order], c[order][order];
	uint64_t state = 2, sum = 0;

	for (int i = 0; i < order; i++)
		for (int j = 0; j < order; j++) {
			a[i][j] = (double)(next_random(&state) >> 54) - 512;
			b[i][j] = (double)(next_random(&state) >> 54) - 512;
		}
	while (count--) {
		multiply(c, a, b);
		sum = mix(sum, (uint64_t)(int64_t)c[count % order][count % 7]);
		a[count % order][0] += 1;
	}
	return sum;
}

/* --- qsort: the C library's, with its calls of the comparison -------------------- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t sort(uint64_t count)
{
	enum { numbers = 50000 };
	static uint64_t number[numbers];
	uint64_t state = 3, sum = 0;

	while (count--) {
		for (size_t i = 0; i < numbers; i++)
			number[i] = next_random(&state);
		qsort(number, numbers, sizeof(number[0]), compare);
		for (size_t i = 0; i < numbers; i += 100)
			sum = mix(sum, number[i]);
	}
	return sum;
}

/* --- calls: through pointers, in an order that no predictor knows ----------------- */

typedef uint64_t operation(uint64_t);

/* clang-format off */
static __attribute__((noinline)) uint64_t op_add(uint64_t x) { return x + 0x9e3779b97f4a7c15; }
static __attribute__((noinline)) uint64_t op_not(uint64_t x) { return ~x; }
static __attribute__((noinline)) uint64_t op_shift(uint64_t x) { return x ^ x >> 7; }
static __attribute__((noinline)) uint64_t op_multiply(uint64_t x) { return x * 0x2545f4914f6cdd1d; }
static __attribute__((noinline)) uint64_t op_rotate(uint64_t x) { return x << 13 | x >> 51; }
static __attribute__((noinline)) uint64_t op_negate(uint64_t x) { return -x; }
static __attribute__((noinline)) uint64_t op_left(uint64_t x) { return x ^ x << 17; }
static __attribute__((noinline)) uint64_t op_count(uint64_t x) { return x + (uint64_t)__builtin_popcountll(x); }
/* clang-format on */

static uint64_t calls(uint64_t count)
{
	/* volatile: the compiler must not see through it. */
	static operation *volatile const table[8] = {
		op_add, op_not, op_shift, op_multiply, op_rotate, op_negate, op_left, op_count,
	};
	uint64_t sum = 4;

	for (uint64_t i = 0; i < count; i++)
		sum = table[(sum >> 11 ^ i) & 7](sum);
	return sum;
}

const struct workload integer_workloads[] = {
	{"crc", "CRC-32 by table, 64 KiB blocks", 1200, crc},
	{"sieve", "sieve of Eratosthenes up to 2^20", 60, sieve},
	{"matrix", "product of 120x120 matrices of doubles", 10, matrix},
	{"qsort", "qsort() of 50000 numbers", 12, sort},
	{"calls", "calls of eight functions through a table", 20000000, calls},
	{0},
};
