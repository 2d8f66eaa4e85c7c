/*
 * Helpers for elements at places known only when running (lvebx, vextublx ...), and for storage
 * of a computed length (lxvl, stxvll ...).
 */
#include "cpu/power9/helper_vec.h"

/*
 * A field of a vector, `where` = distance in bits of its low end from the vector's low end, |
 * width in bits << 8: replaced by, or taken to, an integer. What lies outside the vector is
 * zero; widths are 8 to 64.
 */
static u128 field_mask(uint64_t where)
{
	return (u128)(~UINT64_C(0) >> (64 - (where >> 8))) << (where & 127);
}

static void p9_v_vec_insert(P9_PARAMS_V, uint64_t where, uint64_t value)
{
	u128 mask = field_mask(where);

	(void)env;
	*out = (*pa & ~mask) | ((u128)value << (where & 127) & mask);
}
P9_HELPER_V_VII(vec_insert, IR_H_PURE);

static uint64_t p9_v_vec_extract(struct ir_env *env, const u128 *pa, uint64_t where)
{
	(void)env;
	return (uint64_t)((*pa & field_mask(where)) >> (where & 127));
}
P9_HELPER_I_VI(vec_extract, IR_H_PURE);

/*
 * Loads and stores of the length in RB's byte 0, 16 at most. `order`: 0 left-justified bytes in
 * storage order (lxvll, stxvll, and in big-endian mode lxvl, stxvl); 1 the little-endian lxvl,
 * stxvl, where storage begins at the vector's right end. A length of 0 does not access storage.
 */
static unsigned byte_count(uint64_t rb)
{
	return rb >> 56 > 16 ? 16 : rb >> 56;
}

static void p9_v_vec_load_len(struct ir_env *env, u128 *out, uint64_t ea, uint64_t rb,
			      uint64_t order)
{
	uint8_t bytes[16];
	union p9_vec d = {0};
	unsigned n = byte_count(rb);

	if (n && !mem_read(&env->door, ea, bytes, n))
		return;
	for (unsigned k = 0; k < n; k++)
		VE(d, b, order ? 15 - k : k) = bytes[k];
	*out = d.q;
}
P9_HELPER(vec_load_len, IR_H_FAULTS, IR_V128, 3, IR_I64, IR_I64, IR_I64);

static uint64_t p9_v_vec_store_len(struct ir_env *env, const u128 *pa, uint64_t ea, uint64_t rb,
				   uint64_t order)
{
	union p9_vec a = {*pa};
	uint8_t bytes[16];
	unsigned n = byte_count(rb);

	for (unsigned k = 0; k < n; k++)
		bytes[k] = VE(a, b, order ? 15 - k : k);
	if (n)
		mem_write(&env->door, ea, bytes, n);
	return 0;
}
P9_HELPER(vec_store_len, IR_H_FAULTS, IR_I64, 4, IR_V128, IR_I64, IR_I64, IR_I64);
