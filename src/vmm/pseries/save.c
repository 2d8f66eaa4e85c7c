/*
 * The pseries machine's state, of which its hypervisor has the most: registers by KVM_GET_ONE_REG,
 * where a nested hypervisor's partition table (PTCR), registered areas and presentation controllers
 * are found too, and the sources of the XICS device.
 *
 *   PSER  partition-wide: PVR, time base, translation, PTCR, clock, interrupt sources
 *   NVRA  non-volatile memory
 *   CONS  console input that the guest has not read
 *   VCPU  a processor: number, whether it is stopped, registers
 *
 * Time. The guest's time base goes on where it stopped (up to 2^24 ticks later, since offsets are
 * multiples of that); a decrementer's expiry is in the guest's time base, and holds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem/endian.h"
#include "vmm/console.h"
#include "vmm/pseries/pseries.h"
#include "vmm/save_file.h"

#define TAG_PARTITION SAVE_TAG('P', 'S', 'E', 'R')
#define TAG_NVRAM     SAVE_TAG('N', 'V', 'R', 'A')
#define TAG_CONSOLE   SAVE_TAG('C', 'O', 'N', 'S')
#define TAG_VCPU      SAVE_TAG('V', 'C', 'P', 'U')

#define REG_SIZE_MAX   16
#define TB_OFFSET_UNIT (UINT64_C(1) << 24)

/* In the order in which they are set: an area's registration needs the one before it. */
static const struct {
	uint64_t id;
	uint32_t count; /* consecutive identifiers */
} registers[] = {
	{KVM_REG_PPC_ARCH_COMPAT, 1}, {KVM_REG_PPC_LPCR_64, 1}, {KVM_REG_PPC_PID, 1},
	{KVM_REG_PPC_DSCR, 1},        {KVM_REG_PPC_DAR, 1},     {KVM_REG_PPC_DSISR, 1},
	{KVM_REG_PPC_AMR, 1},         {KVM_REG_PPC_UAMOR, 1},   {KVM_REG_PPC_IAMR, 1},
	{KVM_REG_PPC_MMCR0, 1},       {KVM_REG_PPC_MMCR1, 1},   {KVM_REG_PPC_MMCR2, 1},
	{KVM_REG_PPC_MMCRA, 1},       {KVM_REG_PPC_MMCRS, 1},   {KVM_REG_PPC_PMC(1), 8},
	{KVM_REG_PPC_SPMC1, 2},       {KVM_REG_PPC_SIAR, 1},    {KVM_REG_PPC_SDAR, 1},
	{KVM_REG_PPC_SIER, 1},        {KVM_REG_PPC_VSR(0), 32}, {KVM_REG_PPC_VR(0), 32},
	{KVM_REG_PPC_FPSCR, 1},       {KVM_REG_PPC_VSCR, 1},    {KVM_REG_PPC_VRSAVE, 1},
	{KVM_REG_PPC_FSCR, 1},        {KVM_REG_PPC_PSPB, 1},    {KVM_REG_PPC_EBBHR, 1},
	{KVM_REG_PPC_EBBRR, 1},       {KVM_REG_PPC_BESCR, 1},   {KVM_REG_PPC_TAR, 1},
	{KVM_REG_PPC_DPDES, 1},       {KVM_REG_PPC_DAWR, 1},    {KVM_REG_PPC_DAWRX, 1},
	{KVM_REG_PPC_CIABR, 1},       {KVM_REG_PPC_IC, 1},      {KVM_REG_PPC_VTB, 1},
	{KVM_REG_PPC_PURR, 1},        {KVM_REG_PPC_SPURR, 1},   {KVM_REG_PPC_PPR, 1},
	{KVM_REG_PPC_WORT, 1},        {KVM_REG_PPC_PSSCR, 1},   {KVM_REG_PPC_CSIGR, 1},
	{KVM_REG_PPC_TACR, 1},        {KVM_REG_PPC_TCSCR, 1},   {KVM_REG_PPC_ACOP, 1},
	{KVM_REG_PPC_TIDR, 1},        {KVM_REG_PPC_ONLINE, 1},  {KVM_REG_PPC_VPA_ADDR, 1},
	{KVM_REG_PPC_VPA_SLB, 1},     {KVM_REG_PPC_VPA_DTL, 1}, {KVM_REG_PPC_ICP_STATE, 1},
	{KVM_REG_PPC_DEC_EXPIRY, 1},
};

static bool known_register(uint64_t id)
{
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++)
		if (id >= registers[i].id && id < registers[i].id + registers[i].count)
			return true;
	return false;
}

static uint64_t host_timebase(struct vm *vm)
{
	return vm->backend->timebase ? vm->backend->timebase(vm->kvm) : 0;
}

/* Of the hypervisor's processors: a state is for the same ones. */
static int get_pvr(struct vm *vm, uint32_t *pvr)
{
	struct kvm_sregs sregs;
	int ret = vcpu_ioctl(&vm->vcpus[0], KVM_GET_SREGS, &sregs);

	*pvr = ret ? 0 : sregs.pvr;
	return ret;
}

static int refused(int ret, const char *what, struct error *e)
{
	return error_set(e, -EREMOTEIO, "the hypervisor does not take the saved %s (%s).", what,
			 strerror(-ret));
}

/* --- saving --- */

/* A value is in the host's byte order on the API, and little-endian in the file. */
static void swap_value(uint8_t *value, size_t size)
{
	if (HOST_LITTLE_ENDIAN)
		return;
	for (size_t i = 0; i < size / 2; i++) {
		uint8_t b = value[i];

		value[i] = value[size - 1 - i];
		value[size - 1 - i] = b;
	}
}

/* Two doublewords, no number of 128 bits. */
static bool is_area(uint64_t id)
{
	return id == KVM_REG_PPC_VPA_SLB || id == KVM_REG_PPC_VPA_DTL;
}

static void value_order(uint64_t id, uint8_t *value)
{
	if (is_area(id)) {
		swap_value(value, 8);
		swap_value(value + 8, 8);
	} else {
		swap_value(value, kvm_reg_size(id));
	}
}

static int save_register(struct vcpu *v, struct save_writer *w, uint64_t id)
{
	uint8_t value[REG_SIZE_MAX] = {0};
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};
	int ret = vcpu_ioctl(v, KVM_GET_ONE_REG, &reg);

	/* Not all hypervisors have all. */
	if (ret == -EINVAL || ret == -ENXIO)
		return 0;
	if (ret)
		return ret;
	value_order(id, value);
	save_put64(w, id);
	save_put(w, value, sizeof(value));
	return 0;
}

/* struct kvm_regs is doublewords throughout. */
static void put_regs(struct save_writer *w, const struct kvm_regs *regs)
{
	uint64_t word;

	for (size_t i = 0; i < sizeof(*regs); i += sizeof(word)) {
		memcpy(&word, (const char *)regs + i, sizeof(word));
		save_put64(w, word);
	}
}

static void get_regs(struct save_cursor *c, struct kvm_regs *regs)
{
	uint64_t word;

	for (size_t i = 0; i < sizeof(*regs); i += sizeof(word)) {
		word = save_get64(c);
		memcpy((char *)regs + i, &word, sizeof(word));
	}
}

static int save_vcpu(struct vcpu *v, struct save_writer *w, struct error *e)
{
	struct kvm_regs regs;
	int ret = vcpu_ioctl(v, KVM_GET_REGS, &regs);

	save_put32(w, v->index);
	save_put32(w, v->state == VCPU_RUNNABLE);
	put_regs(w, &regs);
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++)
		for (uint32_t k = 0; k < registers[i].count && !ret; k++)
			ret = save_register(v, w, registers[i].id + k);
	if (ret)
		return error_set(e, ret,
				 "the hypervisor does not give the registers of processor %u (%s).",
				 v->index, strerror(-ret));
	return save_section(w, TAG_VCPU, e);
}

static int save_partition(struct pseries *p, struct save_writer *w, struct error *e)
{
	struct vm *vm = p->vm;
	uint64_t tb_offset, ptcr = 0, state;
	uint32_t pvr;
	int ret = get_pvr(vm, &pvr);

	if (!ret)
		ret = vcpu_get_reg(&vm->vcpus[0], KVM_REG_PPC_TB_OFFSET, &tb_offset);
	/* No nested guests: no such register, or 0. */
	if (!ret && vcpu_get_reg(&vm->vcpus[0], KVM_REG_PPC_PTCR, &ptcr))
		ptcr = 0;
	if (!ret) {
		save_put32(w, pvr);
		save_put64(w, host_timebase(vm) + tb_offset);
		save_put64(w, p->process_table);
		save_put32(w, p->gtse);
		save_put64(w, ptcr);
		save_put32(w, p->vty_signal);
		save_put64(w, (uint64_t)p->clock_offset);
		save_put32(w, PSERIES_NR_IRQS);
	}
	for (uint32_t irq = PSERIES_IRQ_FIRST; irq < PSERIES_IRQ_FIRST + PSERIES_NR_IRQS && !ret;
	     irq++) {
		ret = xics_get(p, irq, &state);
		save_put32(w, irq);
		save_put64(w, state);
	}
	if (ret)
		return error_set(e, ret, "the hypervisor does not give the partition's state (%s).",
				 strerror(-ret));
	return save_section(w, TAG_PARTITION, e);
}

static int save_nvram(struct pseries *p, struct save_writer *w, struct error *e)
{
	uint8_t buf[4096];

	for (uint32_t at = 0; at < NVRAM_SIZE; at += sizeof(buf)) {
		nvram_read(p->nvram, at, buf, sizeof(buf));
		save_put(w, buf, sizeof(buf));
	}
	return save_section(w, TAG_NVRAM, e);
}

/* It stays in the console: if saving fails, the guest reads it. */
static int save_console(struct pseries *p, struct save_writer *w, struct error *e)
{
	size_t n = console_pending(p->vm->console);
	uint8_t *buf = malloc(n ? n : 1);

	if (!buf)
		return error_set(e, -ENOMEM, "the host has no memory for saving the state.");
	n = console_peek(p->vm->console, buf, n);
	save_put(w, buf, n);
	free(buf);
	return save_section(w, TAG_CONSOLE, e);
}

int pseries_save(struct vm *vm, struct save_writer *w, struct error *e)
{
	struct pseries *p = pseries_of(vm);
	int ret = save_partition(p, w, e);

	if (!ret)
		ret = save_nvram(p, w, e);
	if (!ret)
		ret = save_console(p, w, e);
	for (unsigned i = 0; i < vm->nr_vcpus && !ret; i++)
		ret = save_vcpu(&vm->vcpus[i], w, e);
	return ret;
}

/* --- restoring --- */

static int restore_partition(struct pseries *p, struct save_cursor *c, struct save_reader *r,
			     struct error *e)
{
	struct vm *vm = p->vm;
	uint32_t pvr, saved_pvr = save_get32(c), n, irq;
	uint64_t tb = save_get64(c), ptcr, state, offset;
	int ret;

	if (p->restored_partition)
		return save_damaged(r, "it has two partitions", e);
	ret = get_pvr(vm, &pvr);
	if (!ret && pvr != saved_pvr)
		return error_set(e, -EINVAL,
				 "the saved state is of a processor with version %#x, and the "
				 "hypervisor's is %#x.",
				 saved_pvr, pvr);
	p->process_table = save_get64(c);
	p->gtse = save_get32(c);
	ptcr = save_get64(c);
	p->vty_signal = save_get32(c);
	p->clock_offset = (int64_t)save_get64(c);
	n = save_get32(c);
	if (c->bad || n > PSERIES_NR_IRQS)
		return save_damaged(r, "it has other devices than this machine", e);
	if (!ret)
		ret = pseries_configure_mmu(p);
	if (ret)
		return refused(ret, "translation mode", e);
	offset = align_up(tb - host_timebase(vm), TB_OFFSET_UNIT);
	for (unsigned i = 0; i < vm->nr_vcpus && !ret; i++)
		ret = vcpu_set_reg(&vm->vcpus[i], KVM_REG_PPC_TB_OFFSET, offset);
	if (ret)
		return refused(ret, "time", e);
	if (ptcr)
		ret = vcpu_set_reg(&vm->vcpus[0], KVM_REG_PPC_PTCR, ptcr);
	if (ret)
		return refused(ret, "partition table", e);
	while (n-- && !ret) {
		irq = save_get32(c);
		state = save_get64(c);
		ret = c->bad || !xics_source_valid(irq) ? -EINVAL : xics_put(p, irq, state);
	}
	p->restored_partition = true;
	return ret ? refused(ret, "interrupt sources", e) : 0;
}

static int restore_vcpu(struct pseries *p, struct save_cursor *c, struct save_reader *r,
			struct error *e)
{
	uint32_t index = save_get32(c), runnable = save_get32(c);
	uint8_t value[REG_SIZE_MAX];
	struct kvm_regs regs;
	struct vcpu *v;
	int ret;

	get_regs(c, &regs);
	/* Sources come before the controllers that present them. */
	if (c->bad || index >= p->vm->nr_vcpus || index != p->restored_vcpus ||
	    !p->restored_partition)
		return save_damaged(r, "its processors are not in order", e);
	p->restored_vcpus++;
	v = &p->vm->vcpus[index];
	ret = vcpu_ioctl(v, KVM_SET_REGS, &regs);
	while (!ret && save_left(c)) {
		struct kvm_one_reg reg = {.id = save_get64(c), .addr = (uintptr_t)value};

		save_get(c, value, sizeof(value));
		if (c->bad || !known_register(reg.id))
			return save_damaged(r, "it has a register that there is not", e);
		value_order(reg.id, value);
		ret = vcpu_ioctl(v, KVM_SET_ONE_REG, &reg);
		if (ret)
			return error_set(e, -EREMOTEIO,
					 "the hypervisor does not take the saved register %#" PRIx64
					 " of processor %u (%s).",
					 reg.id, index, strerror(-ret));
	}
	if (ret)
		return refused(ret, "registers", e);
	v->state = runnable ? VCPU_RUNNABLE : VCPU_STOPPED;
	return 0;
}

static int restore_nvram(struct pseries *p, struct save_cursor *c)
{
	const uint8_t *data = save_take(c, NVRAM_SIZE);

	if (data)
		nvram_write(p->nvram, 0, data, NVRAM_SIZE);
	return 0;
}

static int restore_console(struct pseries *p, struct save_cursor *c)
{
	size_t n = save_left(c);
	const uint8_t *data = save_take(c, n);

	if (data && n)
		console_unread(p->vm->console, data, n);
	return 0;
}

int pseries_restore(struct vm *vm, struct save_reader *r, uint32_t tag, struct save_cursor *c,
		    struct error *e)
{
	struct pseries *p = pseries_of(vm);

	switch (tag) {
	case TAG_PARTITION:
		return restore_partition(p, c, r, e);
	case TAG_NVRAM:
		return restore_nvram(p, c);
	case TAG_CONSOLE:
		return restore_console(p, c);
	case TAG_VCPU:
		return restore_vcpu(p, c, r, e);
	}
	return save_damaged(r, "it has a section that is not of this machine", e);
}

int pseries_restored(struct vm *vm, struct save_reader *r, struct error *e)
{
	struct pseries *p = pseries_of(vm);
	bool any = false;

	if (!p->restored_partition || p->restored_vcpus != vm->nr_vcpus)
		return save_damaged(r, "processors are missing", e);
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		any |= vm->vcpus[i].state == VCPU_RUNNABLE;
	if (!any)
		return save_damaged(r, "none of its processors runs", e);
	/* The source's state was set anew since the terminal told of input. */
	if (console_pending(vm->console))
		xics_pulse(p, PSERIES_IRQ_VTY);
	return 0;
}
