/*
 * Special-purpose registers: see spr.def for the table.
 */
#ifndef ANYKVM_CPU_POWER9_SPR_H
#define ANYKVM_CPU_POWER9_SPR_H

#include "cpu/power9/core.h"

enum p9_spr_who { P9_SPR_U, P9_SPR_S, P9_SPR_H, P9_SPR_N };
enum p9_spr_kind { P9_SPR_REG, P9_SPR_REG32, P9_SPR_READ, P9_SPR_FN };

struct p9_spr_desc {
	const char *name; /* NULL: there is no such register */
	uint8_t read, write; /* enum p9_spr_who */
	uint8_t kind;
	uint32_t offset;  /* from struct p9_cpu */
};

#define P9_SPR_COUNT 1024

const struct p9_spr_desc *p9_spr(unsigned number);

/*
 * Registers of kind FN, and READ to write. A facility that is not available raises its interrupt (env.fault); the
 * value is then without meaning.
 */
uint64_t p9_spr_read(struct p9_cpu *p, unsigned number);
void p9_spr_write(struct p9_cpu *p, unsigned number, uint64_t value);

/* Writing this one changes translation or mode: the block ends behind it. */
bool p9_spr_write_ends_block(unsigned number);

/*
 * This one changes a supervisor's translations, which need not be so before an instruction that synchronises the
 * context; or what may wait for EE, by p9_cpu.held.
 */
bool p9_spr_write_goes_on(unsigned number);

/* Reading this one may find what waits for EE, too. */
bool p9_spr_read_holds(unsigned number);

bool p9_spr_is_amr(unsigned number);

/* May it change cpu.mode, which rarely happens? */
bool p9_spr_write_changes_mode(unsigned number);

#endif
