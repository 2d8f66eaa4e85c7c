/*
 * Instruction words for the fuzzers. Four arbitrary bytes are mostly an illegal instruction, and
 * no coverage tells libFuzzer how to get to a row of the decoder's tables; so an input may also
 * name rows of isa.def, and only the fields are arbitrary.
 */
#ifndef POWER9_WORDS_H
#define POWER9_WORDS_H

#include <stdint.h>

#include "cpu/power9/insn.h"
#include "mem/endian.h"

#define FUZZ_ROW_BYTES 6 /* of input an instruction */

/* A word of row `row` (any number) with its fields from `fields`; bit 15 leaves reserved bits in.
 */
static inline uint32_t fuzz_insn(uint16_t row, uint32_t fields)
{
	size_t rows;
	const struct p9_insn_desc *table = p9_insn_table(&rows), *d = &table[(row & 0x7fff) % rows];

	if (!(row & 0x8000))
		fields &= ~p9_insn_reserved(d);
	return d->value | (fields & ~d->mask);
}

/*
 * Code of at most `max` words out of the input, in the order of bytes that a little-endian (or
 * big-endian) guest has: rows and fields, or the words as they are. Returns the number of words.
 */
static inline uint32_t fuzz_code(uint8_t *out, uint32_t max, const uint8_t *data, size_t size,
				 bool rows, bool big_endian)
{
	uint32_t n = 0;

	for (; n < max && size >= (rows ? FUZZ_ROW_BYTES : 4); n++) {
		uint32_t word = rows ? fuzz_insn(ld_le16(data), ld_le32(data + 2)) : ld_le32(data);

		if (big_endian)
			st_be32(out + 4 * n, word);
		else
			st_le32(out + 4 * n, word);
		data += rows ? FUZZ_ROW_BYTES : 4;
		size -= rows ? FUZZ_ROW_BYTES : 4;
	}
	return n;
}

#endif
