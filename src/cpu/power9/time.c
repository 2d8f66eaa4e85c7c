/*
 * Time base, decrementers, and the counters that run only while the thread does.
 */
#include "cpu/power9/exception.h"

/* TB ticks and nanoseconds: 512 MHz is 64 ticks in 125 ns. */
static uint64_t ns_to_tb(int64_t ns)
{
	uint64_t n = (uint64_t)ns;

	/* Exact, and with no division of 128 bits: this is behind every entry. */
	return n / 125 * 64 + n % 125 * 64 / 125;
}

static int64_t tb_to_ns_ceil(uint64_t tb)
{
	return ((unsigned __int128)tb * 125 + 63) / 64;
}

uint64_t p9_host_tb(void)
{
	return ns_to_tb(cpu_clock_ns());
}

uint64_t p9_tb(const struct p9_regs *r)
{
	return p9_host_tb() + r->tb_offset;
}

uint64_t p9_tb_seen(struct p9_cpu *p)
{
	uint64_t tb = p9_tb(&p->regs);

	if ((int64_t)(p->regs.dec_expires - tb) < 0) {
		p->dec_pending = true;
		p->held |= P9_MSR_EE;
	}
	return tb;
}

/* Ticks to the expiry; negative: it is past. Modulo 2^64, so a guest may set the time base at will. */
static int64_t remaining(const struct p9_regs *r, uint64_t expires)
{
	return (int64_t)(expires - p9_tb(r));
}

uint64_t p9_dec_at(const struct p9_regs *r, uint64_t tb)
{
	int64_t left = (int64_t)(r->dec_expires - tb);

	/* Large decrementer: 56 bits, sign-extended; otherwise a 32-bit register. */
	if (r->lpcr & P9_LPCR_LD)
		return (uint64_t)((int64_t)((uint64_t)left << 8) >> 8);
	return (uint32_t)left;
}

bool p9_dec_expired(const struct p9_regs *r)
{
	return remaining(r, r->dec_expires) < 0;
}

bool p9_hdec_expired(const struct p9_regs *r)
{
	return remaining(r, r->hdec_expires) < 0;
}

uint64_t p9_dec_get(const struct p9_regs *r)
{
	return p9_dec_at(r, p9_tb(r));
}

uint64_t p9_hdec_get(const struct p9_regs *r)
{
	int64_t left = remaining(r, r->hdec_expires);

	return (uint64_t)((int64_t)((uint64_t)left << 8) >> 8);
}

/* Set the pending flags by the clock, and the host timer for what is still to come. */
static void rearm(struct p9_cpu *p, int64_t now)
{
	int64_t deadline = INT64_MAX;
	uint64_t tb = ns_to_tb(now) + p->regs.tb_offset;
	int64_t dec = (int64_t)(p->regs.dec_expires - tb);
	int64_t hdec = (int64_t)(p->regs.hdec_expires - tb);

	p->dec_pending = dec < 0;
	p->hdec_pending = hdec < 0;
	/* A year is for ever: it keeps the sum within 64 bits. */
	const int64_t horizon = INT64_C(365) * 86400 * (int64_t)P9_TB_HZ;

	if (!p->dec_pending && dec < horizon)
		deadline = now + tb_to_ns_ceil(dec + 1);
	if ((p->regs.lpcr & P9_LPCR_HDICE) && !p->hdec_pending && hdec < horizon) {
		int64_t at = now + tb_to_ns_ceil(hdec + 1);

		if (at < deadline)
			deadline = at;
	}
	cpu_timer_arm(&p->cpu, deadline);
}

static uint64_t extend_dec(const struct p9_regs *r, uint64_t value)
{
	if (r->lpcr & P9_LPCR_LD)
		return (uint64_t)((int64_t)(value << 8) >> 8);
	return (uint64_t)(int64_t)(int32_t)value;
}

void p9_dec_set(struct cpu *c, uint64_t value)
{
	struct p9_cpu *p = p9_of(c);
	int64_t now = cpu_clock_ns();

	p->regs.dec_expires = ns_to_tb(now) + p->regs.tb_offset + extend_dec(&p->regs, value);
	rearm(p, now);
	/* Compiled code goes on, and looks at EE; a hypervisor's interrupt does not wait for that. */
	if (p->dec_pending)
		p->held = P9_MSR_EE;
	if (p->hdec_pending)
		atomic_store(&c->env.exit_request, 1);
}

void p9_dec_set_expiry(struct cpu *c, uint64_t expires)
{
	p9_of(c)->regs.dec_expires = expires;
	rearm(p9_of(c), cpu_clock_ns());
}

void p9_hdec_set(struct cpu *c, uint64_t value)
{
	struct p9_cpu *p = p9_of(c);

	p->regs.hdec_expires = p9_tb(&p->regs) + (uint64_t)((int64_t)(value << 8) >> 8);
	rearm(p, cpu_clock_ns());
}

void p9_timer(struct cpu *c)
{
	rearm(p9_of(c), cpu_clock_ns());
}

/*
 * Counters that advance only while the thread runs: their bases are kept relative to the host's
 * time base while it runs, and as plain values otherwise.
 */
static uint64_t counter_get(const struct p9_regs *r, uint64_t base)
{
	return r->tb_at_entry ? base + (p9_host_tb() - r->tb_at_entry) : base;
}

static uint64_t counter_base(const struct p9_regs *r, uint64_t value)
{
	return r->tb_at_entry ? value - (p9_host_tb() - r->tb_at_entry) : value;
}

void p9_time_enter(struct p9_cpu *p)
{
	p->regs.tb_at_entry = p9_host_tb() | 1;
}

void p9_time_leave(struct p9_cpu *p)
{
	uint64_t ran = p9_host_tb() - p->regs.tb_at_entry;

	p->regs.vtb_base += ran;
	p->regs.purr_base += ran;
	p->regs.spurr_base += ran;
	p->regs.tb_at_entry = 0;
}

uint64_t p9_vtb_get(const struct p9_regs *r)
{
	return counter_get(r, r->vtb_base);
}

void p9_vtb_set(struct p9_regs *r, uint64_t value)
{
	r->vtb_base = counter_base(r, value);
}

uint64_t p9_purr_get(const struct p9_regs *r)
{
	return counter_get(r, r->purr_base);
}

void p9_purr_set(struct p9_regs *r, uint64_t value)
{
	r->purr_base = counter_base(r, value);
}

uint64_t p9_spurr_get(const struct p9_regs *r)
{
	return counter_get(r, r->spurr_base);
}

void p9_spurr_set(struct p9_regs *r, uint64_t value)
{
	r->spurr_base = counter_base(r, value);
}
