#include "ir/state.h"

#include <stdlib.h>

/* (Registers lie together, so that their lines hardly ever meet.) */
static struct ir_line *slot(struct ir_line *table, uint32_t mask, uint32_t stamp, uint32_t line)
{
	uint32_t i = line & mask;

	while (table[i].stamp == stamp && table[i].line != line)
		i = (i + 1) & mask;
	return &table[i];
}

/* Twice as large. */
static bool grow(struct ir_region *r)
{
	uint32_t mask = r->line ? 2 * r->line_mask + 1 : 63;
	struct ir_line *table = calloc(mask + 1, sizeof(*table));

	if (!table) {
		r->failed = true;
		return false;
	}
	for (uint32_t i = 0; r->line && i <= r->line_mask; i++) {
		if (r->line[i].stamp == r->stamp)
			*slot(table, mask, r->stamp, r->line[i].line) = r->line[i];
	}
	free(r->line);
	r->line = table;
	r->line_mask = mask;
	return true;
}

uint32_t state_cell_slow(struct ir_region *r, uint32_t offset)
{
	struct ir_line *l;

	/* At most half full. */
	if ((!r->line || 2 * r->nlines > r->line_mask) && !grow(r))
		return 0;
	l = slot(r->line, r->line_mask, r->stamp, offset / 16);
	if (l->stamp != r->stamp)
		*l = (struct ir_line){r->stamp, offset / 16, r->nlines++};
	return 4 * l->number + offset % 16 / 4;
}
