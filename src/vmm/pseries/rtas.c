/*
 * RTAS, the run-time abstraction services (PAPR 7): calls by token with big-endian cells of 32
 * bits in guest memory. The entry point is a blob that hands the argument's address to H_RTAS; it
 * runs as RTAS's contract says, in real mode, 32-bit, big-endian.
 *
 * One table gives names, tokens and argument counts: the device tree and the calls use it both.
 * A call whose counts do not fit, or whose buffers are not in guest memory, gets -3.
 */
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mem/endian.h"
#include "vmm/console.h"
#include "vmm/pseries/pseries.h"

/* mr r4,r3; lis r3,0; ori r3,r3,H_RTAS; sc 1; blr */
const uint8_t rtas_blob[20] = {
	0x7c, 0x64, 0x1b, 0x78, 0x3c, 0x60, 0x00, 0x00, 0x60, 0x63,
	0xf0, 0x00, 0x44, 0x00, 0x00, 0x22, 0x4e, 0x80, 0x00, 0x20,
};

#define RTAS_SUCCESS         0
#define RTAS_NO_ERRORS_FOUND 1 /* event-scan, check-exception */
#define RTAS_HW_ERROR        (-1)
#define RTAS_PARAM_ERROR     (-3)
#define RTAS_NOT_AUTHORIZED  (-9002)

#define RTAS_MAX_CELLS   16
#define RTAS_FIRST_TOKEN UINT32_C(0x2000)

/* System parameters */
#define SYSPARM_SPLPAR_CHARACTERISTICS 20
#define SYSPARM_DIAGNOSTICS_RUN_MODE   42

struct call {
	struct vcpu *v;
	struct pseries *p;
	uint32_t nargs, nret;
	uint32_t args[RTAS_MAX_CELLS];
	uint32_t rets[RTAS_MAX_CELLS]; /* the first is the status, which the function returns */
};

static int32_t rtas_display_character(struct call *c)
{
	uint8_t ch = (uint8_t)c->args[0];

	return console_write(c->p->vm->console, &ch, 1) ? RTAS_SUCCESS : -2 /* busy */;
}

static int32_t rtas_get_time_of_day(struct call *c)
{
	struct timespec now;
	struct tm tm;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &now);
	t = now.tv_sec + c->p->clock_offset;
	if (!gmtime_r(&t, &tm))
		return RTAS_HW_ERROR;
	c->rets[1] = (uint32_t)(tm.tm_year + 1900);
	c->rets[2] = (uint32_t)(tm.tm_mon + 1);
	c->rets[3] = (uint32_t)tm.tm_mday;
	c->rets[4] = (uint32_t)tm.tm_hour;
	c->rets[5] = (uint32_t)tm.tm_min;
	c->rets[6] = (uint32_t)tm.tm_sec;
	c->rets[7] = (uint32_t)now.tv_nsec;
	return RTAS_SUCCESS;
}

/* Year, month, day, hour, minute, second, nanoseconds: moves the guest's clock, not the host's. */
static int32_t rtas_set_time_of_day(struct call *c)
{
	const uint32_t *a = c->args;
	struct tm tm;

	if (a[0] < 1970 || a[0] > 9999 || a[1] < 1 || a[1] > 12 || a[2] < 1 || a[2] > 31 ||
		a[3] > 23 || a[4] > 59 || a[5] > 60 || a[6] > 999999999)
		return RTAS_PARAM_ERROR;
	tm = (struct tm){
		.tm_year = (int)a[0] - 1900,
		.tm_mon = (int)a[1] - 1,
		.tm_mday = (int)a[2],
		.tm_hour = (int)a[3],
		.tm_min = (int)a[4],
		.tm_sec = (int)a[5],
	};
	c->p->clock_offset = timegm(&tm) - time(NULL);
	return RTAS_SUCCESS;
}

static int32_t rtas_power_off(struct call *c)
{
	vm_stop(c->p->vm, VMM_POWER_OFF, NULL);
	return RTAS_SUCCESS;
}

static int32_t rtas_system_reboot(struct call *c)
{
	vm_stop(c->p->vm, VMM_RESET, NULL);
	return RTAS_SUCCESS;
}

/* The argument is a string in guest memory. With ibm,extended-os-term the call may return. */
static int32_t rtas_os_term(struct call *c)
{
	char text[128];
	const uint8_t *s;
	size_t n;

	for (n = 0; n < sizeof(text) - 1; n++) {
		s = vm_mem(c->p->vm, (uint64_t)c->args[0] + n, 1);
		if (!s || !*s || *s == '\n')
			break;
		text[n] = *s >= ' ' && *s < 0x7f ? (char)*s : '?';
	}
	text[n] = 0;
	vm_stop(c->p->vm, VMM_CRASH, "the guest panicked: %s", n ? text : "it gave no reason");
	return RTAS_SUCCESS;
}

/* Processor number: 0 stopped, 1 stopping, 2 running. */
static int32_t rtas_query_cpu_stopped_state(struct call *c)
{
	struct vcpu *t = vcpu_by_id(c->p->vm, c->args[0]);

	if (!t)
		return RTAS_PARAM_ERROR;
	switch (vcpu_state(t)) {
	case VCPU_STOPPED:
		c->rets[1] = 0;
		break;
	case VCPU_STOPPING:
		c->rets[1] = 1;
		break;
	case VCPU_RUNNABLE:
		c->rets[1] = 2;
		break;
	}
	return RTAS_SUCCESS;
}

/* Processor number, address, r3: in real mode, big-endian like the first one at its start. */
static int32_t rtas_start_cpu(struct call *c)
{
	struct vcpu *t = vcpu_by_id(c->p->vm, c->args[0]);
	struct pseries_entry entry = {.pc = c->args[1], .r3 = c->args[2], .msr = MSR_SF};

	if (!t)
		return RTAS_PARAM_ERROR;
	return vcpu_start(t, pseries_set_entry, &entry) ? RTAS_HW_ERROR : RTAS_SUCCESS;
}

static int32_t rtas_stop_self(struct call *c)
{
	vcpu_stop_self(c->v);
	return RTAS_SUCCESS;
}

static int32_t xive_status(int ret)
{
	return ret && ret != -EINTR ? RTAS_HW_ERROR : RTAS_SUCCESS;
}

/* Source, server, priority: sets both at once and unmasks nothing that int-off masked. */
static int32_t rtas_set_xive(struct call *c)
{
	uint64_t mask = KVM_XICS_DESTINATION_MASK << KVM_XICS_DESTINATION_SHIFT |
			KVM_XICS_PRIORITY_MASK << KVM_XICS_PRIORITY_SHIFT;

	if (!xics_source_valid(c->args[0]) || !vcpu_by_id(c->p->vm, c->args[1]) ||
		c->args[2] > KVM_XICS_PRIORITY_MASK)
		return RTAS_PARAM_ERROR;
	return xive_status(xics_update(c->v, c->args[0], mask,
				       (uint64_t)c->args[1] << KVM_XICS_DESTINATION_SHIFT |
					   (uint64_t)c->args[2] << KVM_XICS_PRIORITY_SHIFT));
}

static int32_t rtas_get_xive(struct call *c)
{
	uint64_t state;

	if (!xics_source_valid(c->args[0]))
		return RTAS_PARAM_ERROR;
	if (xics_get(c->p, c->args[0], &state))
		return RTAS_HW_ERROR;
	c->rets[1] = (uint32_t)(state >> KVM_XICS_DESTINATION_SHIFT);
	c->rets[2] = (state >> KVM_XICS_PRIORITY_SHIFT) & KVM_XICS_PRIORITY_MASK;
	return RTAS_SUCCESS;
}

static int32_t rtas_int_off(struct call *c)
{
	if (!xics_source_valid(c->args[0]))
		return RTAS_PARAM_ERROR;
	return xive_status(xics_update(c->v, c->args[0], KVM_XICS_MASKED, KVM_XICS_MASKED));
}

static int32_t rtas_int_on(struct call *c)
{
	if (!xics_source_valid(c->args[0]))
		return RTAS_PARAM_ERROR;
	return xive_status(xics_update(c->v, c->args[0], KVM_XICS_MASKED, 0));
}

/* The value as PAPR wants it: length in two bytes, then the bytes, cut where the buffer ends. */
static int32_t put_sysparm(struct call *c, const void *value, size_t n)
{
	uint8_t out[2 + 256];
	void *buf = vm_mem(c->p->vm, c->args[1], c->args[2]);

	if (!buf || c->args[2] < 2)
		return RTAS_PARAM_ERROR;
	st_be16(out, (uint16_t)n);
	memcpy(out + 2, value, n);
	memcpy(buf, out, c->args[2] < n + 2 ? c->args[2] : n + 2);
	return RTAS_SUCCESS;
}

/* Parameter, buffer, length. */
static int32_t rtas_get_system_parameter(struct call *c)
{
	const struct vmm_config *config = c->p->vm->config;
	unsigned n = c->p->vm->nr_vcpus;
	uint8_t mode = 0; /* diagnostics disabled */
	char text[256];
	int len;

	switch (c->args[0]) {
	case SYSPARM_SPLPAR_CHARACTERISTICS:
		len = snprintf(text, sizeof(text),
			       "MaxEntCap=%u,DesMem=%llu,DesProcs=%u,MaxPlatProcs=%u", n,
			       (unsigned long long)(config->memory >> 20), n, n);
		return put_sysparm(c, text, (size_t)len + 1);
	case SYSPARM_DIAGNOSTICS_RUN_MODE:
		return put_sysparm(c, &mode, 1);
	}
	return RTAS_PARAM_ERROR;
}

/* Parameter, buffer: those that exist are not the guest's to set. */
static int32_t rtas_set_system_parameter(struct call *c)
{
	switch (c->args[0]) {
	case SYSPARM_SPLPAR_CHARACTERISTICS:
	case SYSPARM_DIAGNOSTICS_RUN_MODE:
		return RTAS_NOT_AUTHORIZED;
	}
	return RTAS_PARAM_ERROR;
}

/* Offset, buffer, length; gives the length done. */
static int32_t rtas_nvram_fetch(struct call *c)
{
	void *buf = vm_mem(c->p->vm, c->args[1], c->args[2]);

	if (!buf || !nvram_read(c->p->nvram, c->args[0], buf, c->args[2]))
		return RTAS_PARAM_ERROR;
	c->rets[1] = c->args[2];
	return RTAS_SUCCESS;
}

static int32_t rtas_nvram_store(struct call *c)
{
	const void *buf = vm_mem(c->p->vm, c->args[1], c->args[2]);

	if (!buf || !nvram_write(c->p->nvram, c->args[0], buf, c->args[2]))
		return RTAS_PARAM_ERROR;
	c->rets[1] = c->args[2];
	return RTAS_SUCCESS;
}

/* No sensors, and no platform events: what the calls say of a machine that has none. */
static int32_t rtas_get_sensor_state(struct call *c)
{
	(void)c;
	return RTAS_PARAM_ERROR;
}

static int32_t rtas_no_event(struct call *c)
{
	(void)c;
	return RTAS_NO_ERRORS_FOUND;
}

/* The token of entry i is RTAS_FIRST_TOKEN + i. */
static const struct {
	const char *name;
	uint32_t min_args, max_args, min_ret, max_ret;
	int32_t (*fn)(struct call *c);
} calls[] = {
	{"display-character", 1, 1, 1, 1, rtas_display_character},
	{"get-time-of-day", 0, 0, 8, 8, rtas_get_time_of_day},
	{"set-time-of-day", 7, 7, 1, 1, rtas_set_time_of_day},
	{"power-off", 2, 2, 1, 1, rtas_power_off},
	{"system-reboot", 0, 0, 1, 1, rtas_system_reboot},
	{"query-cpu-stopped-state", 1, 1, 2, 2, rtas_query_cpu_stopped_state},
	{"start-cpu", 3, 3, 1, 1, rtas_start_cpu},
	{"stop-self", 0, 0, 0, 1, rtas_stop_self},
	{"ibm,get-system-parameter", 3, 3, 1, 1, rtas_get_system_parameter},
	{"ibm,set-system-parameter", 2, 2, 1, 1, rtas_set_system_parameter},
	{"ibm,set-xive", 3, 3, 1, 1, rtas_set_xive},
	{"ibm,get-xive", 1, 1, 3, 3, rtas_get_xive},
	{"ibm,int-off", 1, 1, 1, 1, rtas_int_off},
	{"ibm,int-on", 1, 1, 1, 1, rtas_int_on},
	{"check-exception", 6, 7, 1, 1, rtas_no_event},
	{"event-scan", 4, 4, 1, 1, rtas_no_event},
	{"nvram-fetch", 3, 3, 2, 2, rtas_nvram_fetch},
	{"nvram-store", 3, 3, 2, 2, rtas_nvram_store},
	{"get-sensor-state", 2, 2, 2, 2, rtas_get_sensor_state},
	{"ibm,os-term", 1, 1, 1, 1, rtas_os_term},
};

int rtas_write_fdt(void *fdt)
{
	int ret = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(calls) && !ret; i++)
		ret = fdt_property_u32(fdt, calls[i].name, RTAS_FIRST_TOKEN + i);
	return ret;
}

static int32_t dispatch(struct call *c, uint32_t token)
{
	uint32_t i = token - RTAS_FIRST_TOKEN;

	if (i >= ARRAY_SIZE(calls) || c->nargs < calls[i].min_args ||
		c->nargs > calls[i].max_args || c->nret < calls[i].min_ret ||
		c->nret > calls[i].max_ret)
		return RTAS_PARAM_ERROR;
	return calls[i].fn(c);
}

int64_t rtas_call(struct vcpu *v, uint64_t gpa)
{
	struct call c = {.v = v, .p = pseries_of(v->vm)};
	const uint8_t *head = vm_mem(v->vm, gpa, 12);
	uint8_t *cells;
	uint32_t token;

	if (!head)
		return H_PARAMETER;
	/* Once: another vCPU may change them while they are looked at. */
	token = ld_be32(head);
	c.nargs = ld_be32(head + 4);
	c.nret = ld_be32(head + 8);
	if (c.nargs > RTAS_MAX_CELLS || c.nret > RTAS_MAX_CELLS)
		return H_PARAMETER;
	cells = vm_mem(v->vm, gpa + 12, 4 * ((uint64_t)c.nargs + c.nret));
	if (!cells)
		return H_PARAMETER;
	for (uint32_t i = 0; i < c.nargs; i++)
		c.args[i] = ld_be32(cells + 4 * i);
	c.rets[0] = (uint32_t)dispatch(&c, token);
	for (uint32_t i = 0; i < c.nret; i++)
		st_be32(cells + 4 * (c.nargs + i), c.rets[i]);
	return H_SUCCESS;
}
