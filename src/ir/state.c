#include "ir/state.h"

#include <stdlib.h>
#include <string.h>

#define NO_LINE UINT32_MAX

/* The number of a 16-byte line, given out when it is first asked for. */
static uint32_t line_number(struct state_map *m, uint32_t line)
{
	uint32_t i = line * UINT32_C(0x9e3779b1) >> 7 & m->mask;

	while (m->line[i] != line) {
		if (m->line[i] == NO_LINE) {
			m->line[i] = line;
			m->number[i] = m->ncells;
			m->ncells += 4;
			break;
		}
		i = (i + 1) & m->mask;
	}
	return m->number[i];
}

bool state_map_init(struct state_map *m, const struct ir_region *r)
{
	uint32_t uses = 0, cap = 16;
	uint32_t *mem;

	for (uint32_t i = 0; i < r->ninst; i++)
		uses += r->inst[i].op == IR_GET || r->inst[i].op == IR_SET;
	while (cap < 2 * uses)
		cap *= 2;
	mem = malloc((r->ninst + 2 * (size_t)cap) * sizeof(*mem));
	if (!mem)
		return false;
	m->line = mem;
	m->number = mem + cap;
	m->first = mem + 2 * (size_t)cap;
	m->mask = cap - 1;
	m->ncells = 0;
	memset(m->line, 0xff, cap * sizeof(*mem));
	for (uint32_t i = 0; i < r->ninst; i++) {
		const struct ir_inst *in = &r->inst[i];

		m->first[i] = 0;
		if (in->op == IR_GET || in->op == IR_SET)
			m->first[i] = line_number(m, (uint32_t)in->imm / 16) +
				      (uint32_t)in->imm % 16 / 4;
	}
	return true;
}

void state_map_destroy(struct state_map *m)
{
	free(m->line);
}
