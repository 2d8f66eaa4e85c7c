/*
 * The XICS state machine: priorities, rejection, resending, masking, EOI, IPIs, level sources; the
 * RTAS calls; state saved and restored; and that no interrupt is ever lost, at random.
 */
#include "kvm_test.h"

#define IRQ UINT32_C(0x1000)
#define IPI UINT32_C(2)

static struct test_vm t;

static void set_source(uint32_t irq, uint64_t value)
{
	struct kvm_device_attr a = {
		.group = KVM_DEV_XICS_GRP_SOURCES, .attr = irq, .addr = (uintptr_t)&value};

	assert_int_equal(test_ioctl(&t, t.xics, KVM_SET_DEVICE_ATTR, &a), 0);
}

static uint64_t get_source(uint32_t irq)
{
	uint64_t value;
	struct kvm_device_attr a = {
		.group = KVM_DEV_XICS_GRP_SOURCES, .attr = irq, .addr = (uintptr_t)&value};

	assert_int_equal(test_ioctl(&t, t.xics, KVM_GET_DEVICE_ATTR, &a), 0);
	return value;
}

static void make_source(uint32_t irq, uint32_t server, uint8_t priority, bool lsi)
{
	set_source(irq, server | (uint64_t)priority << KVM_XICS_PRIORITY_SHIFT |
				(lsi ? KVM_XICS_LEVEL_SENSITIVE : 0));
}

static void line(uint32_t irq, uint32_t level)
{
	struct kvm_irq_level l = {.irq = irq, .level = level};

	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQ_LINE, &l), 0);
}

static bool asserted(unsigned server)
{
	return p9_interrupt_pending(test_vcpu_inside(&t, server)->vcpu.cpu);
}

static uint64_t *gprs(unsigned server)
{
	return p9_regs(test_vcpu_inside(&t, server)->vcpu.cpu)->gpr;
}

static uint32_t xirr(unsigned server)
{
	assert_int_equal(HCALL(&t, server, H_XIRR, 0), H_SUCCESS);
	return (uint32_t)gprs(server)[4];
}

static void cppr(unsigned server, uint8_t value)
{
	assert_int_equal(HCALL(&t, server, H_CPPR, value), H_SUCCESS);
}

static int64_t eoi(unsigned server, uint32_t value)
{
	return HCALL(&t, server, H_EOI, value);
}

static int64_t ipi(unsigned from, uint64_t server, uint64_t mfrr)
{
	return HCALL(&t, from, H_IPI, server, mfrr);
}

static int setup(void **state)
{
	(void)state;
	test_vm_create(&t, 2);
	test_xics_create(&t);
	/* The decrementers are far away, so only the controller asserts. */
	for (unsigned i = 0; i < 2; i++)
		p9_dec_set(test_vcpu_inside(&t, i)->vcpu.cpu, 0x7fffffff);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_vm_destroy(&t);
	return 0;
}

static void accept_and_eoi(void **state)
{
	(void)state;
	make_source(IRQ, 0, 5, false);
	line(IRQ, 1);
	assert_false(asserted(0)); /* CPPR is 0 at first */
	assert_int_equal(xirr(0), 0);
	cppr(0, 0xff);
	assert_true(asserted(0));
	assert_int_equal(xirr(0), 0xff000000 | IRQ);
	assert_false(asserted(0));
	assert_int_equal(xirr(0), 5 << 24); /* CPPR is the interrupt's priority now */
	/* an edge while it is served is kept, several are one */
	line(IRQ, 1);
	line(IRQ, 1);
	assert_false(asserted(0));
	assert_int_equal(eoi(0, 0xff000000 | IRQ), H_SUCCESS);
	assert_true(asserted(0));
	assert_int_equal(xirr(0), 0xff000000 | IRQ);
	assert_int_equal(eoi(0, 0xff000000 | IRQ), H_SUCCESS);
	assert_false(asserted(0));
	assert_int_equal(eoi(0, 0xff000000 | 0x5555), H_PARAMETER);
	assert_int_equal(eoi(0, 0xff000000), H_PARAMETER);
	line(IRQ, 0); /* nothing for an edge source */
	assert_false(asserted(0));
}

static void rejection(void **state)
{
	(void)state;
	make_source(IRQ, 0, 5, false);
	make_source(IRQ + 1, 0, 4, false);
	make_source(IRQ + 2, 0, 5, false);
	cppr(0, 0xff);
	line(IRQ, 1);
	line(IRQ + 2, 1); /* as favoured: waits */
	line(IRQ + 1, 1); /* more favoured: displaces */
	assert_int_equal(xirr(0), 0xff000000 | (IRQ + 1));
	assert_int_equal(xirr(0), 4 << 24);
	/* at a less favoured CPPR the others come, one after the other */
	assert_int_equal(eoi(0, 0xff000000 | (IRQ + 1)), H_SUCCESS);
	uint32_t first = xirr(0);
	assert_true(first == (0xff000000 | IRQ) || first == (0xff000000 | (IRQ + 2)));
	assert_int_equal(xirr(0), 5 << 24);
	assert_int_equal(eoi(0, first), H_SUCCESS);
	assert_int_equal(xirr(0), (0xff000000 | IRQ) ^ (0xff000000 | (IRQ + 2)) ^ first);
}

static void cppr_rejects_and_resends(void **state)
{
	(void)state;
	make_source(IRQ, 0, 5, false);
	cppr(0, 0xff);
	line(IRQ, 1);
	assert_true(asserted(0));
	cppr(0, 5); /* not more favoured than 5 */
	assert_false(asserted(0));
	assert_int_equal(xirr(0), 5 << 24);
	cppr(0, 6);
	assert_true(asserted(0));
	assert_int_equal(xirr(0), 6 << 24 | IRQ);
}

static void ipis(void **state)
{
	(void)state;
	make_source(IRQ, 1, 5, false);
	cppr(1, 0xff);
	assert_int_equal(ipi(0, 1, 4), H_SUCCESS);
	assert_false(asserted(0));
	assert_true(asserted(1));
	assert_int_equal(HCALL(&t, 0, H_IPOLL, 1), H_SUCCESS);
	assert_int_equal(gprs(0)[4], 0xff000000 | IPI);
	assert_int_equal(gprs(0)[5], 4);
	assert_int_equal(xirr(1), 0xff000000 | IPI);
	assert_int_equal(ipi(1, 1, 0xff), H_SUCCESS);
	assert_int_equal(eoi(1, 0xff000000 | IPI), H_SUCCESS);
	assert_false(asserted(1));
	/* not withdrawn before the EOI: it comes again */
	ipi(0, 1, 4);
	xirr(1);
	assert_int_equal(eoi(1, 0xff000000 | IPI), H_SUCCESS);
	assert_int_equal(xirr(1), 0xff000000 | IPI);
	ipi(1, 1, 0xff);
	eoi(1, 0xff000000 | IPI);
	/* an IPI displaces a less favoured interrupt, which comes afterwards */
	line(IRQ, 1);
	ipi(0, 1, 4);
	assert_int_equal(xirr(1), 0xff000000 | IPI);
	ipi(1, 1, 0xff);
	eoi(1, 0xff000000 | IPI);
	assert_int_equal(xirr(1), 0xff000000 | IRQ);
	eoi(1, 0xff000000 | IRQ);
	/* a more favoured interrupt displaces an IPI, which comes afterwards */
	ipi(0, 1, 6);
	line(IRQ, 1);
	assert_int_equal(xirr(1), 0xff000000 | IRQ);
	eoi(1, 0xff000000 | IRQ);
	assert_int_equal(xirr(1), 0xff000000 | IPI);
	/* servers that are not there */
	assert_int_equal(ipi(0, 2, 4), H_PARAMETER);
	assert_int_equal(ipi(0, UINT64_MAX, 4), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_IPOLL, 77), H_PARAMETER);
}

static void level_source(void **state)
{
	(void)state;
	make_source(IRQ, 0, 5, true);
	cppr(0, 0xff);
	line(IRQ, 1);
	line(IRQ, 1);
	assert_int_equal(xirr(0), 0xff000000 | IRQ);
	assert_true(get_source(IRQ) & KVM_XICS_PENDING);
	/* still up at the EOI: again */
	eoi(0, 0xff000000 | IRQ);
	assert_int_equal(xirr(0), 0xff000000 | IRQ);
	line(IRQ, KVM_INTERRUPT_UNSET);
	eoi(0, 0xff000000 | IRQ);
	assert_false(asserted(0));
	line(IRQ, KVM_INTERRUPT_SET_LEVEL);
	assert_true(asserted(0));
}

static int64_t rtas(uint32_t token, uint32_t nargs, uint32_t nret, uint32_t a0, uint32_t a1,
		    uint32_t a2)
{
	uint8_t *p = t.mem + 0x8000;

	st_be32(p, token);
	st_be32(p + 4, nargs);
	st_be32(p + 8, nret);
	st_be32(p + 12, a0);
	st_be32(p + 16, a1);
	st_be32(p + 20, a2);
	return HCALL(&t, 0, H_RTAS, 0x8000);
}

static uint32_t rtas_ret(uint32_t nargs, uint32_t n)
{
	return ld_be32(t.mem + 0x8000 + 12 + 4 * (nargs + n));
}

static int define(const char *name, uint64_t token)
{
	struct kvm_rtas_token_args a = {.token = token};

	strncpy(a.name, name, sizeof(a.name) - 1);
	return test_ioctl(&t, t.fd, KVM_PPC_RTAS_DEFINE_TOKEN, &a);
}

static void rtas_calls(void **state)
{
	const uint64_t arg = 0x8000;

	(void)state;
	make_source(IRQ, 0, 5, false);
	cppr(0, 0xff);
	cppr(1, 0xff);
	assert_int_equal(test_hcall(&t, 0, H_RTAS, &arg, 1), PPC_USER);
	assert_int_equal(define("ibm,set-xive", 0x2000), 0);
	assert_int_equal(define("ibm,get-xive", 0x2000), -EEXIST);
	assert_int_equal(define("ibm,get-xive", 0x2001), 0);
	assert_int_equal(define("ibm,int-off", 0x2002), 0);
	assert_int_equal(define("ibm,int-on", 0x2003), 0);
	assert_int_equal(define("display-character", 0x2004), -ENOENT);
	assert_int_equal(define("display-character", 0), 0);
	assert_int_equal(define("ibm,int-on", UINT64_C(1) << 40), -EINVAL);

	assert_int_equal(rtas(0x2000, 3, 1, IRQ, 1, 6), H_SUCCESS);
	assert_int_equal(rtas_ret(3, 0), 0);
	assert_int_equal(rtas(0x2001, 1, 3, IRQ, 0, 0), H_SUCCESS);
	assert_int_equal(rtas_ret(1, 0), 0);
	assert_int_equal(rtas_ret(1, 1), 1);
	assert_int_equal(rtas_ret(1, 2), 6);
	/* masked: kept until it is on again; off twice is off once */
	rtas(0x2002, 1, 1, IRQ, 0, 0);
	rtas(0x2002, 1, 1, IRQ, 0, 0);
	line(IRQ, 1);
	assert_false(asserted(1));
	assert_true(get_source(IRQ) & KVM_XICS_MASKED);
	assert_true(get_source(IRQ) & KVM_XICS_PENDING);
	rtas(0x2003, 1, 1, IRQ, 0, 0);
	assert_int_equal(rtas_ret(1, 0), 0);
	assert_int_equal(xirr(1), 0xff000000 | IRQ);
	assert_int_equal(xirr(1), 6 << 24);
	/* bad arguments are statuses, bad shapes too, bad buffers the caller's error */
	rtas(0x2000, 3, 1, IRQ, 5, 6);
	assert_int_equal((int32_t)rtas_ret(3, 0), -3);
	rtas(0x2000, 3, 1, 0x2222, 0, 6);
	assert_int_equal((int32_t)rtas_ret(3, 0), -3);
	rtas(0x2000, 3, 1, IRQ, 0, 0x100);
	assert_int_equal((int32_t)rtas_ret(3, 0), -3);
	rtas(0x2000, 2, 1, IRQ, 0, 0);
	assert_int_equal((int32_t)rtas_ret(2, 0), -3);
	assert_int_equal(rtas(0x2000, 16, 1, 0, 0, 0), H_PARAMETER);
	assert_int_equal(rtas(0x2000, UINT32_MAX, 1, 0, 0, 0), H_PARAMETER);
	assert_int_equal(rtas(0x2000, 3, UINT32_MAX, 0, 0, 0), H_PARAMETER);
	assert_int_equal(rtas(0x2000, 3, 0, 0, 0, 0), H_PARAMETER);
	st_be32(t.mem + 0x8000, 0x2004);
	assert_int_equal(test_hcall(&t, 0, H_RTAS, &arg, 1), PPC_USER);
	st_be32(t.mem + GUEST_MEM - 12, 0x2000);
	st_be32(t.mem + GUEST_MEM - 8, 3);
	st_be32(t.mem + GUEST_MEM - 4, 1);
	assert_int_equal(HCALL(&t, 0, H_RTAS, GUEST_MEM - 12), H_PARAMETER);
	assert_int_equal(define("ibm,set-xive", 0), 0);
}

/* Refused by one server, moved to another that refuses it too: the second has to send it again. */
static void moved_while_refused(void **state)
{
	(void)state;
	assert_int_equal(define("ibm,set-xive", 0x2000), 0);
	for (uint32_t i = 0; i < 3; i++)
		make_source(IRQ + i, 0, 5, false);
	for (uint32_t i = 0; i < 3; i++)
		line(IRQ + i, 1); /* both are at CPPR 0 */
	rtas(0x2000, 3, 1, IRQ + 1, 1, 5);
	cppr(1, 0xff);
	assert_int_equal(xirr(1), 0xff000000 | (IRQ + 1));
	eoi(1, 0xff000000 | (IRQ + 1));
	assert_false(asserted(1));
	cppr(0, 0xff);
	assert_int_equal(xirr(0), 0xff000000 | IRQ);
	eoi(0, 0xff000000 | IRQ);
	assert_int_equal(xirr(0), 0xff000000 | (IRQ + 2));
	eoi(0, 0xff000000 | (IRQ + 2));
	assert_false(asserted(0));
}

static void icp_state(void **state)
{
	uint64_t v;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_ICP_STATE, .addr = (uintptr_t)&v};

	(void)state;
	make_source(IRQ, 0, 5, false);
	cppr(0, 0xff);
	line(IRQ, 1);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_ONE_REG, &reg), 0);
	assert_int_equal(v, UINT64_C(0xff001000ff050000));
	/* to the other server, where it interrupts as well */
	assert_int_equal(test_ioctl(&t, t.vcpu[1], KVM_SET_ONE_REG, &reg), 0);
	assert_true(asserted(1));
	assert_int_equal(xirr(1), 0xff000000 | IRQ);
	/* inconsistent states */
	v = UINT64_C(0xff000000ff050000); /* a priority without an interrupt */
	assert_int_equal(test_ioctl(&t, t.vcpu[1], KVM_SET_ONE_REG, &reg), -EINVAL);
	v = UINT64_C(0x04001000ff050000); /* less favoured than CPPR */
	assert_int_equal(test_ioctl(&t, t.vcpu[1], KVM_SET_ONE_REG, &reg), -EINVAL);
	v = UINT64_C(0xff00000204050000); /* an IPI of another priority than MFRR */
	assert_int_equal(test_ioctl(&t, t.vcpu[1], KVM_SET_ONE_REG, &reg), -EINVAL);
	v = UINT64_C(0xff000999ff050000); /* no such source */
	assert_int_equal(test_ioctl(&t, t.vcpu[1], KVM_SET_ONE_REG, &reg), -EINVAL);
}

/* Without the device's presentation controller the calls are the VMM's. */
static void not_connected(void **state)
{
	struct test_vm u;
	const uint64_t arg = 0;

	(void)state;
	test_vm_create(&u, 1);
	assert_int_equal(test_hcall(&u, 0, H_XIRR, &arg, 1), PPC_USER);
	assert_int_equal(u.run[0]->papr_hcall.nr, H_XIRR);
	test_vm_destroy(&u);
}

/*
 * At random: triggers, accepts, ends, priorities, targets, IPIs. In the end everything is opened,
 * and each source that fired after it was last accepted must come.
 */
#define NSRC 12

static void nothing_is_lost(void **state)
{
	uint64_t seed = 1;
	bool want[NSRC] = {false}, want_ipi[2] = {false};
	uint32_t served[2][300];
	unsigned depth[2] = {0, 0};

	(void)state;
#define RND(n) ((seed = seed * 6364136223846793005ULL + 1442695040888963407ULL) >> 33) % (n)
	for (uint32_t i = 0; i < NSRC; i++)
		make_source(IRQ + i, i & 1, (uint8_t)(3 + i % 4), false);
	assert_int_equal(define("ibm,set-xive", 1), 0);
	for (int step = 0; step < 60000; step++) {
		unsigned s = RND(2);
		uint32_t x, irq, i = RND(NSRC);

		switch (RND(7)) {
		case 0:
			line(IRQ + i, 1);
			want[i] = true;
			break;
		case 1:
		case 2:
			x = xirr(s);
			irq = x & 0xffffff;
			if (!irq)
				break;
			if (irq == IPI) {
				want_ipi[s] = false;
				ipi(s, s, 0xff);
			} else {
				assert_in_range(irq, IRQ, IRQ + NSRC - 1);
				want[irq - IRQ] = false;
			}
			assert_true(depth[s] < 300);
			served[s][depth[s]++] = x;
			break;
		case 3:
			if (depth[s])
				assert_int_equal(eoi(s, served[s][--depth[s]]), H_SUCCESS);
			break;
		case 4:
			/* CPPR as a kernel uses it: only to lower it while nothing is served */
			if (!depth[s])
				cppr(s, (uint8_t)(RND(2) ? 0xff : RND(8)));
			break;
		case 5:
			rtas(1, 3, 1, IRQ + i, s, (uint32_t)(RND(5) ? 3 + RND(4) : 0xff));
			break;
		case 6:
			want_ipi[s] = true;
			assert_int_equal(ipi(1 - s, s, 4), H_SUCCESS);
			break;
		}
	}
	for (uint32_t i = 0; i < NSRC; i++)
		rtas(1, 3, 1, IRQ + i, i & 1, 5);
	for (unsigned s = 0; s < 2; s++) {
		while (depth[s])
			eoi(s, served[s][--depth[s]]);
		cppr(s, 0xff);
	}
	for (int again = 0; again < 100; again++) {
		for (unsigned s = 0; s < 2; s++) {
			uint32_t x = xirr(s), irq = x & 0xffffff;

			if (!irq)
				continue;
			if (irq == IPI) {
				want_ipi[s] = false;
				ipi(s, s, 0xff);
			} else {
				want[irq - IRQ] = false;
			}
			eoi(s, x);
		}
	}
	for (uint32_t i = 0; i < NSRC; i++)
		assert_false(want[i]);
	assert_false(want_ipi[0] || want_ipi[1]);
	assert_false(asserted(0) || asserted(1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accept_and_eoi), TEST(rejection),     TEST(cppr_rejects_and_resends),
		TEST(ipis),           TEST(level_source),  TEST(rtas_calls),
		TEST(moved_while_refused), TEST(icp_state),      TEST(not_connected), TEST(nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
