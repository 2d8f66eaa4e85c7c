/* The hash's reference values: the key's bytes are 0 to 15, those of the input 0, 1, 2, ... */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/siphash.h"

static void test_reference(void **state)
{
	static const struct {
		size_t size;
		uint8_t value[16];
	} known[] = {
		{0, {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93}},
		{1, {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45}},
	};
	const struct siphash key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
	const uint8_t input[] = {0};

	(void)state;
	for (unsigned n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
		struct siphash h = siphash(&key, input, known[n].size);

		for (unsigned k = 0; k < 16; k++)
			assert_int_equal(h.word[k / 8] >> k % 8 * 8 & 0xff, known[n].value[k]);
	}
}

static void test_all_bytes_count(void **state)
{
	const struct siphash key = {{1, 2}};
	uint8_t input[40] = {0};

	(void)state;
	for (size_t size = 1; size <= sizeof(input); size++) {
		struct siphash h = siphash(&key, input, size), other = siphash(&key, input, size - 1);

		assert_false(siphash_same(&h, &other));
		for (size_t at = 0; at < size; at++) {
			input[at] ^= 1;
			other = siphash(&key, input, size);
			input[at] ^= 1;
			assert_false(siphash_same(&h, &other));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_all_bytes_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
