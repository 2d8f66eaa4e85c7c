/*
 * Saved states: all of a machine's state comes back in another VM of the hypervisor; files that are
 * damaged, or of something else, are refused with a sentence; a failure leaves what was there
 * before.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the headers above */
#include <cmocka.h>

#include "mem/endian.h"
#include "vmm/console.h"
#include "vmm/pseries/pseries.h"
#include "vmm/save.h"

#define MEMORY (UINT64_C(64) << 20)

static char folder[] = "/tmp/anykvm-save-XXXXXX";
static char state[64], other[64];

struct box {
	struct vmm_config config;
	struct vm vm;
	struct console *console;
	struct pseries *p;
	int in[2], out;
	void *keep;
};

static void box_create(struct box *b, unsigned cores)
{
	struct error e = {{0}};

	memset(b, 0, sizeof(*b));
	b->config = (struct vmm_config){
		.machine = &machine_pseries,
		.backend = &kvm_backend_anykvm,
		.kernel = "/nonexistent/vmlinux",
		.kernel_format = IMAGE_RAW,
		.append = "console=hvc0",
		.memory = MEMORY,
		.cores = cores,
		.threads = 1,
		.nested = true,
		.save = state,
		.restore = state,
	};
	assert_int_equal(pipe(b->in), 0);
	b->out = open("/dev/null", O_WRONLY);
	assert_int_equal(console_create(&b->console, b->in[0], b->out, false, &e), 0);
	assert_int_equal(b->config.machine->keep_create(&b->keep, &e), 0);
	if (vm_create(&b->vm, &b->config, b->console, b->keep, &e))
		fail_msg("%s", e.text);
	b->p = pseries_of(&b->vm);
}

static void box_destroy(struct box *b)
{
	vm_destroy(&b->vm);
	b->config.machine->keep_destroy(b->keep);
	console_destroy(b->console, true);
	close(b->in[0]);
	close(b->in[1]);
	close(b->out);
}

/* Numbers that tell registers and vCPUs apart. */
static uint64_t pattern(unsigned vcpu, unsigned i)
{
	return UINT64_C(0x1122334455667700) + vcpu * 0x1000000 + i;
}

static const uint64_t plain[] = {
	KVM_REG_PPC_DSCR,  KVM_REG_PPC_DAR,    KVM_REG_PPC_DSISR, KVM_REG_PPC_AMR,
	KVM_REG_PPC_UAMOR, KVM_REG_PPC_IAMR,   KVM_REG_PPC_MMCR0, KVM_REG_PPC_MMCR2,
	KVM_REG_PPC_SIAR,  KVM_REG_PPC_PMC(3), KVM_REG_PPC_FPSCR, KVM_REG_PPC_VRSAVE,
	KVM_REG_PPC_FSCR,  KVM_REG_PPC_EBBHR,  KVM_REG_PPC_BESCR, KVM_REG_PPC_TAR,
	KVM_REG_PPC_DAWR,  KVM_REG_PPC_CIABR,  KVM_REG_PPC_IC,    KVM_REG_PPC_VTB,
	KVM_REG_PPC_PURR,  KVM_REG_PPC_SPURR,  KVM_REG_PPC_PPR,   KVM_REG_PPC_PSPB,
	KVM_REG_PPC_PID,   KVM_REG_PPC_TIDR,   KVM_REG_PPC_ACOP,  KVM_REG_PPC_WORT,
};

static uint64_t value_of(unsigned vcpu, unsigned i)
{
	uint64_t v = pattern(vcpu, i + 100);

	if (plain[i] == KVM_REG_PPC_PID)
		return v & 0xfffff;
	if (plain[i] == KVM_REG_PPC_CIABR)
		return v & ~UINT64_C(3);
	return kvm_reg_size(plain[i]) == 4 ? (uint32_t)v : v;
}

static void set16(struct vcpu *v, uint64_t id, uint64_t a, uint64_t b)
{
	uint64_t value[2] = {a, b};
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	assert_int_equal(vcpu_ioctl(v, KVM_SET_ONE_REG, &reg), 0);
}

static void get16(struct vcpu *v, uint64_t id, uint64_t value[2])
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	assert_int_equal(vcpu_ioctl(v, KVM_GET_ONE_REG, &reg), 0);
}

static void fill_vcpu(struct vcpu *v)
{
	struct kvm_regs regs;

	for (size_t i = 0; i < sizeof(regs) / 8; i++)
		((uint64_t *)&regs)[i] = pattern(v->index, (unsigned)i) & ~UINT64_C(3);
	regs.cr &= UINT32_MAX;
	regs.msr = UINT64_C(1) << 63 | 1 << 12 | 1;
	assert_int_equal(vcpu_ioctl(v, KVM_SET_REGS, &regs), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++) {
		uint64_t value = value_of(v->index, i);

		assert_int_equal(vcpu_set_reg(v, plain[i], value), 0);
	}
	for (unsigned i = 0; i < 32; i++) {
		set16(v, KVM_REG_PPC_VSR(i), pattern(v->index, 200 + i), i);
		set16(v, KVM_REG_PPC_VR(i), pattern(v->index, 300 + i), ~(uint64_t)i);
	}
	assert_int_equal(vcpu_set_reg(v, KVM_REG_PPC_VPA_ADDR, 0x100000 + v->index * 0x1000), 0);
	set16(v, KVM_REG_PPC_VPA_SLB, 0x200000 + v->index * 0x1000, 640);
	set16(v, KVM_REG_PPC_VPA_DTL, 0x300000 + v->index * 0x1000, 480);
	/* CPPR 5, MFRR 7, nothing presented */
	assert_int_equal(vcpu_set_reg(v, KVM_REG_PPC_ICP_STATE,
				      UINT64_C(5) << KVM_REG_PPC_ICP_CPPR_SHIFT |
					      UINT64_C(7) << KVM_REG_PPC_ICP_MFRR_SHIFT |
					      UINT64_C(0xff) << KVM_REG_PPC_ICP_PPRI_SHIFT),
			 0);
	v->state = v->index ? VCPU_STOPPED : VCPU_RUNNABLE;
}

static uint64_t saved_tb, saved_expiry;

static void fill(struct box *b)
{
	uint64_t lpcr;
	uint8_t nvram[16] = "non-volatile";

	b->p->process_table = PATB1_GR | 0x10000 | 4;
	b->p->clock_offset = -1234567;
	b->p->vty_signal = true;
	assert_int_equal(pseries_configure_mmu(b->p), 0);
	nvram_write(b->keep, 1000, nvram, sizeof(nvram));
	assert_int_equal(xics_put(b->p, PSERIES_IRQ_VTY,
				  UINT64_C(4) << KVM_XICS_PRIORITY_SHIFT | KVM_XICS_PENDING),
			 0);
	assert_int_equal(vcpu_set_reg(&b->vm.vcpus[0], KVM_REG_PPC_PTCR, 0x400000 | 4), 0);
	for (unsigned i = 0; i < b->vm.nr_vcpus; i++) {
		assert_int_equal(
			vcpu_set_reg(&b->vm.vcpus[i], KVM_REG_PPC_TB_OFFSET, UINT64_C(77) << 40),
			0);
		/* What the device tree says of the decrementer holds from the start. */
		assert_int_equal(vcpu_get_reg(&b->vm.vcpus[i], KVM_REG_PPC_LPCR_64, &lpcr), 0);
		assert_true(lpcr & LPCR_LD);
		fill_vcpu(&b->vm.vcpus[i]);
		assert_int_equal(vcpu_set_reg(&b->vm.vcpus[i], KVM_REG_PPC_DEC_EXPIRY,
					      (UINT64_C(77) << 40) + (UINT64_C(1) << 38)),
				 0);
	}
	assert_int_equal(vcpu_get_reg(&b->vm.vcpus[0], KVM_REG_PPC_DEC_EXPIRY, &saved_expiry), 0);
	saved_tb = b->vm.backend->timebase(b->vm.kvm) + (UINT64_C(77) << 40);
	for (uint64_t at = 0; at < MEMORY; at += 1 << 20)
		st_be64(b->vm.ram.base + at + 8, at + 1);
	memset(b->vm.ram.base + MEMORY - 4096, 0x5a, 4096);
}

static void check_vcpu(struct vcpu *v)
{
	struct kvm_regs regs;
	uint64_t value, pair[2];

	assert_int_equal(vcpu_ioctl(v, KVM_GET_REGS, &regs), 0);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(regs.gpr[i], pattern(v->index, 17 + i) & ~UINT64_C(3));
	assert_int_equal(regs.pc, pattern(v->index, 0) & ~UINT64_C(3));
	assert_int_equal(regs.msr, UINT64_C(1) << 63 | 1 << 12 | 1);
	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++) {
		value = 0;
		assert_int_equal(vcpu_get_reg(v, plain[i], &value), 0);
		if (value != value_of(v->index, i))
			fail_msg("register %#llx of processor %u", (unsigned long long)plain[i],
				 v->index);
	}
	for (unsigned i = 0; i < 32; i++) {
		get16(v, KVM_REG_PPC_VSR(i), pair);
		assert_int_equal(pair[0], pattern(v->index, 200 + i));
		assert_int_equal(pair[1], i);
		get16(v, KVM_REG_PPC_VR(i), pair);
		assert_int_equal(pair[0], pattern(v->index, 300 + i));
		assert_int_equal(pair[1], ~(uint64_t)i);
	}
	assert_int_equal(vcpu_get_reg(v, KVM_REG_PPC_VPA_ADDR, &value), 0);
	assert_int_equal(value, 0x100000 + v->index * 0x1000);
	get16(v, KVM_REG_PPC_VPA_SLB, pair);
	assert_int_equal(pair[0], 0x200000 + v->index * 0x1000);
	assert_int_equal(pair[1], 640);
	get16(v, KVM_REG_PPC_VPA_DTL, pair);
	assert_int_equal(pair[0], 0x300000 + v->index * 0x1000);
	assert_int_equal(pair[1], 480);
	assert_int_equal(vcpu_get_reg(v, KVM_REG_PPC_ICP_STATE, &value), 0);
	assert_int_equal(value >> KVM_REG_PPC_ICP_CPPR_SHIFT & 0xff, 5);
	assert_int_equal(value >> KVM_REG_PPC_ICP_MFRR_SHIFT & 0xff, 7);
	/* Its time is later than it was, but not by much, and the decrementer's expiry the same. */
	assert_int_equal(vcpu_get_reg(v, KVM_REG_PPC_TB_OFFSET, &value), 0);
	value += v->vm->backend->timebase(v->vm->kvm);
	assert_true(value >= saved_tb && value - saved_tb < UINT64_C(512000000) * 30);
	assert_int_equal(vcpu_get_reg(v, KVM_REG_PPC_DEC_EXPIRY, &value), 0);
	assert_true(value - saved_expiry + 512000 < 1024000);
	assert_int_equal(v->state, v->index ? VCPU_STOPPED : VCPU_RUNNABLE);
}

static void check(struct box *b)
{
	uint8_t nvram[16];
	uint64_t value;

	assert_int_equal(b->p->process_table, PATB1_GR | 0x10000 | 4);
	assert_int_equal(b->p->clock_offset, -1234567);
	assert_true(b->p->vty_signal);
	nvram_read(b->keep, 1000, nvram, sizeof(nvram));
	assert_string_equal((char *)nvram, "non-volatile");
	assert_int_equal(xics_get(b->p, PSERIES_IRQ_VTY, &value), 0);
	assert_true(value & KVM_XICS_PENDING || value & KVM_XICS_PRESENTED);
	assert_int_equal(value >> KVM_XICS_PRIORITY_SHIFT & 0xff, 4);
	assert_int_equal(vcpu_get_reg(&b->vm.vcpus[0], KVM_REG_PPC_PTCR, &value), 0);
	assert_int_equal(value, 0x400000 | 4);
	for (uint64_t at = 0; at < MEMORY; at += 1 << 20)
		assert_int_equal(ld_be64(b->vm.ram.base + at + 8), at + 1);
	assert_int_equal(b->vm.ram.base[MEMORY - 1], 0x5a);
	assert_int_equal(b->vm.ram.base[MEMORY - 4097], 0);
	for (unsigned i = 0; i < b->vm.nr_vcpus; i++)
		check_vcpu(&b->vm.vcpus[i]);
}

static void save_box(struct box *b)
{
	struct error e = {{0}};

	if (save_vm(&b->vm, &e))
		fail_msg("%s", e.text);
}

static void round_trip(void **unused)
{
	struct error e = {{0}};
	struct box a, b;
	char buf[32];

	(void)unused;
	box_create(&a, 3);
	fill(&a);
	console_unread(a.console, "typed ahead", 11);
	save_box(&a);
	assert_int_equal(console_pending(a.console), 11);
	box_destroy(&a);

	box_create(&b, 3);
	console_unread(b.console, "!", 1);
	if (restore_vm(&b.vm, &e))
		fail_msg("%s", e.text);
	check(&b);
	assert_int_equal(console_read(b.console, buf, sizeof(buf)), 12);
	assert_memory_equal(buf, "typed ahead!", 12);
	box_destroy(&b);
}

static void configuration(void **unused)
{
	struct vmm_config config = {.restore = state};
	struct vmm_saved saved;
	struct error e;

	(void)unused;
	assert_int_equal(vmm_read_saved(&config, &saved, &e), 0);
	assert_ptr_equal(config.machine, &machine_pseries);
	assert_int_equal(config.memory, MEMORY);
	assert_int_equal(config.cores, 3);
	assert_int_equal(config.threads, 1);
	assert_true(config.nested);
	assert_string_equal(config.kernel, "/nonexistent/vmlinux");
	assert_string_equal(config.append, "console=hvc0");
	assert_null(config.initrd);
	vmm_saved_free(&saved);
	/* What is given counts. */
	config = (struct vmm_config){.restore = state, .append = "quiet"};
	assert_int_equal(vmm_read_saved(&config, &saved, &e), 0);
	assert_string_equal(config.append, "quiet");
	vmm_saved_free(&saved);
}

static uint8_t *load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "r");
	uint8_t *data;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*size = (size_t)ftell(f);
	rewind(f);
	data = malloc(*size);
	assert_int_equal(fread(data, 1, *size, f), *size);
	fclose(f);
	return data;
}

static void store(const char *path, const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

/* The file in `other` is refused, with a sentence. */
static void refused(struct box *b, const char *why)
{
	struct vmm_config config = b->config;
	struct vmm_saved saved = {0};
	struct error e = {{0}};
	struct vmm_config *used = &b->config;
	int ret;

	config.restore = used->restore = other;
	ret = vmm_read_saved(&config, &saved, &e);
	vmm_saved_free(&saved);
	if (!ret) {
		b->p->restored_partition = false;
		b->p->restored_vcpus = 0;
		ret = restore_vm(&b->vm, &e);
	}
	if (!ret)
		fail_msg("accepted: %s", why);
	assert_true(strlen(e.text) > 20);
	assert_int_equal(e.text[strlen(e.text) - 1], '.');
}

static void damaged(void **unused)
{
	uint8_t *data;
	struct box b;
	size_t size;

	(void)unused;
	data = load(state, &size);
	box_create(&b, 3);
	for (size_t n = 0; n < size; n = n < 400 ? n + 1 : n + size / 37) {
		store(other, data, n);
		refused(&b, "cut");
	}
	for (size_t n = 0; n < size; n = n < 60 ? n + 1 : n + size / 53) {
		/* The head's and sections' spare fields mean nothing. */
		if ((n >= 20 && n < 24) || (n >= 28 && n < 32) || (n >= 44 && n < 48))
			continue;
		data[n] ^= 0x40;
		store(other, data, size);
		data[n] ^= 0x40;
		refused(&b, "changed");
	}
	store(other, data, size);
	assert_int_equal(truncate(other, (off_t)size + 1), 0);
	refused(&b, "longer");
	/* Other numbers of processors than its machine has. */
	store(other, data, size);
	box_destroy(&b);
	box_create(&b, 2);
	refused(&b, "processors");
	box_destroy(&b);
	free(data);
}

static struct save_writer *writer(const char *name)
{
	struct save_writer *w;
	struct error e;

	assert_int_equal(save_writer_open(&w, other, &e), 0);
	save_put_string(w, name);
	save_put_string(w, "ppc64le");
	save_put64(w, MEMORY);
	save_put32(w, 1);
	save_put32(w, 1);
	for (unsigned i = 0; i < 3; i++)
		save_put32(w, 0);
	for (unsigned i = 0; i < 3; i++)
		save_put_string(w, NULL);
	assert_int_equal(save_section(w, SAVE_TAG('M', 'A', 'C', 'H'), &e), 0);
	return w;
}

/* Whole files with right checksums, which say what cannot be. */
static void impossible(void **unused)
{
	static const char *const tags[] = {"MACH", "MEMO", "PSER", "NVRA", "VCPU", "WHAT"};
	uint8_t junk[512];
	struct save_writer *w;
	struct error e;
	struct box b;

	(void)unused;
	box_create(&b, 1);
	w = writer("toaster");
	assert_int_equal(save_writer_commit(w, &e), 0);
	refused(&b, "another machine");
	w = writer("pseries");
	assert_int_equal(save_writer_commit(w, &e), 0);
	refused(&b, "nothing in it");
	for (unsigned i = 0; i < ARRAY_SIZE(tags) * 40; i++) {
		const char *tag = tags[i % ARRAY_SIZE(tags)];

		for (unsigned k = 0; k < sizeof(junk); k++)
			junk[k] = (uint8_t)(random() % 7 ? 0 : random());
		w = writer("pseries");
		save_put(w, junk, (size_t)random() % sizeof(junk));
		assert_int_equal(save_section(w, SAVE_TAG(tag[0], tag[1], tag[2], tag[3]), &e), 0);
		assert_int_equal(save_writer_commit(w, &e), 0);
		refused(&b, tag);
	}
	/* A page beyond memory. */
	w = writer("pseries");
	save_put64(w, MEMORY - 4096);
	memset(junk, 0, sizeof(junk));
	junk[0] = 2;
	save_put(w, junk, 128);
	for (unsigned i = 0; i < 8; i++)
		save_put(w, junk, 512);
	assert_int_equal(save_section(w, SAVE_TAG('M', 'E', 'M', 'O'), &e), 0);
	assert_int_equal(save_writer_commit(w, &e), 0);
	refused(&b, "beyond memory");
	box_destroy(&b);
}

/* The file system is full, in effect: the older state stays, and nothing else is left. */
static void no_room(void **unused)
{
	struct rlimit old, small = {0};
	size_t size, size_after;
	uint8_t *before, *after;
	struct error e = {{0}};
	struct box b;

	(void)unused;
	before = load(state, &size);
	box_create(&b, 1);
	memset(b.vm.ram.base, 1, 4 << 20);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(save_vm(&b.vm, &e), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(strstr(e.text, state));
	after = load(state, &size_after);
	assert_int_equal(size, size_after);
	assert_memory_equal(before, after, size);
	free(before);
	free(after);
	unlink(state);
	unlink(other);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	/* Places that are none. */
	assert_int_equal(vmm_can_save("/dev/null", &e), -EEXIST);
	assert_int_equal(vmm_can_save("/nonexistent/state", &e), -ENOENT);
	assert_int_equal(vmm_can_save(state, &e), 0);
	assert_int_equal(access(state, F_OK), -1);
	box_destroy(&b);
}

static int make_folder(void **unused)
{
	(void)unused;
	if (!mkdtemp(folder))
		return -1;
	snprintf(state, sizeof(state), "%s/state", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int remove_folder(void **unused)
{
	(void)unused;
	unlink(state);
	unlink(other);
	rmdir(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(configuration),
		cmocka_unit_test(damaged),    cmocka_unit_test(impossible),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
