/* What L1 and L2 share: no library is under them. */
#ifndef BARE_H
#define BARE_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define H_PUT_TERM_CHAR       0x58
#define H_RTAS                0xf000
#define H_SET_PARTITION_TABLE 0xf800
#define H_ENTER_NESTED        0xf804
#define H_L2_DONE             0xfff0 /* to L1: GPR4 is the sum */
#define H_BUSY                1
#define VTY                   0x71000000

#define L2_FIXED  0x4000000UL /* mapped by L1 from the start */
#define L2_WORDS  0x4000000UL /* real addresses that L1 maps when they are touched */
#define WORD_STEP 0x21008UL
#define NR_WORDS  128

long hcall(u64 nr, u64 a, u64 b, u64 c, u64 d);

static inline u64 be64(u64 v)
{
#ifdef __LITTLE_ENDIAN__
	return __builtin_bswap64(v);
#else
	return v;
#endif
}

static inline u32 be32(u32 v)
{
#ifdef __LITTLE_ENDIAN__
	return __builtin_bswap32(v);
#else
	return v;
#endif
}

static inline u64 word_of(u64 i)
{
	return 0x0123456789abcdefUL * (i + 1);
}

/* GPR6 and GPR7 hold the bytes, the first in the most significant place. */
static inline void print(const char *s)
{
	while (*s) {
		u64 w[2] = {0, 0}, n = 0;

		while (n < 16 && s[n]) {
			w[n / 8] |= (u64)(u8)s[n] << (56 - n % 8 * 8);
			n++;
		}
		while (hcall(H_PUT_TERM_CHAR, VTY, n, w[0], w[1]) == H_BUSY)
			;
		s += n;
	}
}

#ifdef __LITTLE_ENDIAN__
#define ORDER "little"
#else
#define ORDER "big"
#endif

#endif
