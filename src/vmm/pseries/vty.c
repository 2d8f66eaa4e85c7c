/*
 * The virtual terminal (PAPR 16.6, "hvterm1"): H_GET_TERM_CHAR and H_PUT_TERM_CHAR move up to 16
 * bytes, in two registers, first byte in the most significant place. An interrupt tells of
 * input.
 */
#include <string.h>

#include "mem/endian.h"
#include "vmm/console.h"
#include "vmm/pseries/pseries.h"

#define VTERM_MAX 16

/* Every addition gives an edge: the guest may have emptied the queue just before it. */
static void on_input(void *opaque)
{
	xics_pulse(opaque, PSERIES_IRQ_VTY);
}

static void on_quit(void *opaque)
{
	struct pseries *p = opaque;

	vm_quit(p->vm);
}

static void on_lost(void *opaque)
{
	struct pseries *p = opaque;

	vm_stop(p->vm, VMM_OUTPUT_LOST, NULL);
}

static const struct console_ops vty_ops = {.input = on_input, .quit = on_quit, .lost = on_lost};

void vty_create(struct pseries *p)
{
	console_connect(p->vm->console, &vty_ops, p);
	/* Input that came before this machine, or before its reset. */
	if (console_pending(p->vm->console))
		xics_pulse(p, PSERIES_IRQ_VTY);
	if (console_lost(p->vm->console))
		on_lost(p);
	if (console_quit_wanted(p->vm->console))
		on_quit(p);
}

void vty_destroy(struct pseries *p)
{
	console_connect(p->vm->console, NULL, NULL);
}

int64_t vty_get(struct pseries *p, uint64_t unit, uint64_t args[9])
{
	uint8_t buf[VTERM_MAX] = {0};

	if (unit != PSERIES_VTY_UNIT)
		return H_PARAMETER;
	args[0] = console_read(p->vm->console, buf, sizeof(buf));
	args[1] = ld_be64(buf);
	args[2] = ld_be64(buf + 8);
	return H_SUCCESS;
}

int64_t vty_put(struct pseries *p, uint64_t unit, uint64_t len, const uint64_t data[2])
{
	uint8_t buf[VTERM_MAX];

	if (unit != PSERIES_VTY_UNIT || len > VTERM_MAX)
		return H_PARAMETER;
	st_be64(buf, data[0]);
	st_be64(buf + 8, data[1]);
	/* A reader that is slow for now: the guest tries again. */
	return console_write(p->vm->console, buf, len) ? H_SUCCESS : H_BUSY;
}
