/*
 * Plans: see translate_plan.h. A run goes from its first instruction to the first that goes elsewhere unconditionally and
 * behind which no forward branch of the run lands.
 */
#include <string.h>

#include "cpu/power9/translate_plan.h"
#include "mem/endian.h"

static uint32_t fetch_word(uint32_t mode, const uint8_t *code)
{
	return mode & P9_MODE_LE ? ld_le32(code) : ld_be32(code);
}

/*
 * A run that ends because it has become long does not end between a load and reserve and its store: it ends before the load, so
 * that the next one has both.
 */
void plan_end_before_reserve(struct plan *plan)
{
	struct plan_run *run = &plan->run[plan->nrun - 1];
	uint32_t count = run->ended ? 0 : run->count;

	for (uint32_t n = count; n-- > 1;) {
		const struct p9_insn *i = &plan->insn[run->first + n];

		if (!(plan->flags[run->first + n] & PLAN_LEGAL) || !p9_keeps_reservation(i))
			break;
		if (!(i->desc->flags & P9_FLAG_RESERVE))
			continue;
		if (i->desc->flags & P9_FLAG_LOAD) {
			plan->count -= run->count - n;
			run->count = n;
		}
		break;
	}
}

void plan_add_run(struct plan *plan, uint32_t mode, uint64_t pc, const uint8_t *code, uint32_t max)
{
	struct plan_run *run = &plan->run[plan->nrun++];
	uint32_t first = plan->count, n;
	uint8_t *flags = &plan->flags[first];
	uint64_t furthest = pc; /* of the forward targets seen */

	memset(flags, 0, max);
	flags[0] = PLAN_LEADER;
	*run = (struct plan_run){.pc = pc, .first = first};
	for (n = 0; n < max; n++) {
		uint64_t at = pc + 4 * n, target, to;
		struct p9_insn *i = &plan->insn[first + n];
		uint32_t raw = fetch_word(mode, code + 4 * n);
		bool conditional = false, direct;

		i->raw = raw;
		if (!p9_decode(raw, i)) {
			/* Data, most likely: nothing behind it is worth translating. */
			n++;
			run->ended = true;
			break;
		}
		flags[n] |= PLAN_LEGAL;
		direct = plan_direct_target(i, at, &target, &conditional);
		if (direct && !insn_LK(i)) {
			to = (target - pc) / 4;
			if (target >= pc && to < max) {
				flags[to] |= to <= n ? PLAN_LEADER | PLAN_LOOP : PLAN_LEADER;
				if (target > furthest)
					furthest = target;
			}
		}
		if ((i->desc->flags & P9_FLAG_BRANCH) && n + 1 < max)
			flags[n + 1] |= PLAN_LEADER;
		if (!plan_falls_through(i, direct, conditional) && furthest <= at) {
			n++;
			run->ended = true;
			break;
		}
	}
	run->count = n;
	plan->count += n;
}

uint32_t plan_find(const struct plan *plan, uint64_t pc)
{
	for (unsigned k = 0; k < plan->nrun; k++) {
		const struct plan_run *run = &plan->run[k];
		uint64_t n = (pc - run->pc) / 4;

		if (n < run->count)
			return run->first + (uint32_t)n;
	}
	return PLAN_NONE;
}

uint64_t plan_pc(const struct plan *plan, uint32_t slot)
{
	const struct plan_run *run = plan->run;

	while (slot - run->first >= run->count)
		run++;
	return run->pc + 4 * (slot - run->first);
}
