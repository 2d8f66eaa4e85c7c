/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads of the C library's memory and string functions, and the text generator. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- memory: large blocks ----------------------------------------------------------- */

static uint64_t memory(uint64_t count)
{
	enum { size = 1 << 18 };
	static uint8_t a[size + 16], b[size + 16];
	uint64_t state = 5, sum = 0;

	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = (uint8_t)(next_random(&state) >> 57);
	while (count--) {
		/* One of two blocks is misaligned, as in life. */
		memcpy(b + count % 16, a, size);
		sum += memcmp(b + count % 16, a, size) == 0;
		memset(b, (int)(count & 0x7f), size / 2);
		memmove(b + 5, b, size / 2);
		/* No byte is 0xff: this looks at all. */
		sum += memchr(b, 0xff, sizeof(b)) == NULL;
		sum = mix(sum, b[count % size]);
	}
	return sum;
}

/* --- strings: many short ones --------------------------------------------------------- */

static uint64_t strings(uint64_t count)
{
	enum { words = 1024, longest = 40 };
	static char word[words][longest + 1];
	uint64_t state = 6, sum = 0;
	char line[4 * longest + 8];

	for (size_t i = 0; i < words; i++) {
		size_t length = 1 + next_random(&state) % longest;

		for (size_t j = 0; j < length; j++)
			word[i][j] = (char)('a' + next_random(&state) % 26);
		word[i][length] = 0;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t r = next_random(&state);
		const char *a = word[r % words], *b = word[(r >> 10) % words];
		const char *found;

		strcpy(line, a);
		strcat(line, "=");
		strcat(line, b);
		sum += strlen(line);
		found = strchr(line, '=');
		sum = mix(sum, (uint64_t)(found - line));
		sum += strcmp(found + 1, b) == 0;
		sum += strcmp(a, b) < 0;
		sum += strstr(line, "xy") != NULL;
	}
	return sum;
}

/* --- text for the compressors ------------------------------------------------------------ */

void generate_text(const char *path, uint64_t size)
{
	enum { words = 4096 };
	static char word[words][12];
	uint64_t state = 7, written = 0;
	FILE *out = fopen(path, "w");

	if (!out)
		die(path);
	for (size_t i = 0; i < words; i++) {
		size_t length = 2 + next_random(&state) % 9;

		for (size_t j = 0; j < length; j++)
			word[i][j] = "etaoinshrdlucmfw"[next_random(&state) % 16];
	}
	while (written < size) {
		uint64_t r = next_random(&state);
		/* The product of two uniform numbers prefers small ones. */
		uint64_t w = (r & 0xffff) * (r >> 16 & 0xffff) * words >> 32;
		char piece[32];
		int length;

		if ((r >> 32 & 31) == 0)
			length =
				snprintf(piece, sizeof(piece), "%u,", (unsigned)(r >> 40 & 0xffff));
		else
			length = snprintf(piece, sizeof(piece), "%s%c", word[w],
					  (r >> 40 & 15) == 0 ? '\n' : ' ');
		if ((uint64_t)length > size - written)
			length = (int)(size - written);
		if (fwrite(piece, 1, (size_t)length, out) != (size_t)length)
			die(path);
		written += (uint64_t)length;
	}
	if (fclose(out))
		die(path);
}

const struct workload memory_workloads[] = {
	{"memory", "memcpy, memcmp, memset, memmove, memchr of 256 KiB", 400, memory},
	{"strings", "strcpy, strcat, strlen, strchr, strcmp, strstr of short strings", 400000,
	 strings},
	{0},
};
