/*
 * Operations that a pure helper may name in `struct ir_helper.intrinsic`: a back end that knows the
 * number and has instructions for it expands the call, any other calls the function, so nothing
 * depends on it. What the function computes must be exactly what is said here; the unit test
 * power9_intrinsic compares the two for all helpers of the POWER9.
 *
 * Vectors are numbers of 128 bits. Lanes and bytes are counted from the least significant end, as
 * everywhere in the IR, whatever an architecture's manual does.
 */
#ifndef ANYKVM_IR_INTRINSIC_H
#define ANYKVM_IR_INTRINSIC_H

enum ir_intrinsic {
	IR_NOT_INTRINSIC,
	/*
	 * AES (FIPS 197) on a state whose byte n is the standard's input byte n, (state, key).
	 * The last rounds lack (Inv)MixColumns. In AES_DECRYPT the key is added before
	 * InvMixColumns.
	 */
	IR_AES_ENCRYPT,
	IR_AES_ENCRYPT_LAST,
	IR_AES_DECRYPT,
	IR_AES_DECRYPT_LAST,
	IR_AES_SUB_BYTES, /* of 16 bytes in any order */
	/*
	 * SHA-2 (FIPS 180-4, 4.1.2 and 4.1.3), (vector, capital, which): the capital Sigma
	 * functions if capital is not zero; for a lane of 32 (64) bits n, bit n (2 n + 1) of
	 * `which` chooses between functions 0 and 1.
	 */
	IR_SHA256_SIGMA,
	IR_SHA512_SIGMA,
	/* (a, b): exclusive or of the carry-less products of the two lanes of 64 bits. */
	IR_CARRYLESS_SUM_64,
	/* (a, b, c): byte n is a.byte[15 - (c.byte[n] >> 4)] ^ b.byte[15 - (c.byte[n] & 15)]. */
	IR_PERMUTE_XOR,
	/*
	 * (a, b): bit n, for n up to 15, of the result's upper half is bit 127 - i of a, or zero if
	 * i > 127, with i = b.byte[n]; all other bits are zero.
	 */
	IR_GATHER_BITS,
	/* (a): bit m of byte n of each half becomes bit n of its byte m. */
	IR_TRANSPOSE_8X8,
	/* (a), integer result: bit n is the uppermost of byte n. */
	IR_BYTE_SIGNS,
	/* (a), integer result: how many bytes from the upper (lower) end have 0 in their lowest
	   bit. */
	IR_UPPER_EVEN_BYTES,
	IR_LOWER_EVEN_BYTES,
	/* (a): ones in each lane; leading zeros of each lane, 64 if it is zero. */
	IR_POPCNT_8,
	IR_POPCNT_16,
	IR_POPCNT_32,
	IR_POPCNT_64,
	IR_CLZ_64,
	/* (a, b): (a + b + 1) >> 1 of unsigned lanes, not losing the carry. */
	IR_AVERAGE_U8,
	IR_AVERAGE_U16,
	/* (a, b): products of all even (odd) lanes, each twice as wide; low halves of all products.
	 */
	IR_MULTIPLY_EVEN_U32,
	IR_MULTIPLY_ODD_U32,
	IR_MULTIPLY_EVEN_S32,
	IR_MULTIPLY_ODD_S32,
	IR_MULTIPLY_EVEN_U16,
	IR_MULTIPLY_ODD_U16,
	IR_MULTIPLY_EVEN_S16,
	IR_MULTIPLY_ODD_S16,
	IR_MULTIPLY_EVEN_U8,
	IR_MULTIPLY_ODD_U8,
	IR_MULTIPLY_32,
	/* (a, b, c): low 16 bits of a * b + c. */
	IR_MULTIPLY_ADD_16,
	/* (a, b): sum and difference of lanes, kept within the lane's range. */
	IR_ADD_SATURATE_S8,
	IR_ADD_SATURATE_S16,
	IR_ADD_SATURATE_U8,
	IR_ADD_SATURATE_U16,
	IR_SUB_SATURATE_S8,
	IR_SUB_SATURATE_S16,
	IR_SUB_SATURATE_U8,
	IR_SUB_SATURATE_U16,
	/* (a, b): carry out of a + b of 32-bit lanes; 1 where a >= b, of unsigned ones. */
	IR_CARRY_32,
	IR_NO_BORROW_32,
	IR_INTRINSIC_COUNT
};

#endif
