/* The nested guest: prints through L1, and writes words all over memory that L1 maps on demand. */
#include "bare.h"

void main(void)
{
	u64 sum = 0;

	print("L2 is " ORDER "-endian\r\n");
	for (u64 i = 0; i < NR_WORDS; i++)
		*(volatile u64 *)(L2_WORDS + i * WORD_STEP) = word_of(i);
	for (u64 i = 0; i < NR_WORDS; i++) {
		volatile u8 *bytes = (volatile u8 *)(L2_WORDS + i * WORD_STEP);

		sum += *(volatile u64 *)bytes ^ bytes[0];
	}
	hcall(H_L2_DONE, sum, 0, 0, 0);
}
