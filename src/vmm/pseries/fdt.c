/*
 * The device tree (PAPR appendix B; Linux's Documentation/devicetree). There is no firmware that
 * the kernel could negotiate with, so the tree holds the outcome: /chosen's
 * ibm,architecture-vec-5 says radix translation with GTSE and XICS interrupts, cpu-version the
 * logical processor version.
 */
#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mem/endian.h"
#include "vmm/pseries/pseries.h"

#define FDT_MAX_SIZE     (UINT32_C(2) << 20)
#define COMMAND_LINE_MAX 2048 /* the kernel's COMMAND_LINE_SIZE */
#define PHANDLE_XICP     0x1111

/* libfdt's writer keeps no error; this one does, so that a tree is written straight down. */
struct writer {
	void *fdt;
	int err;
};

static void begin(struct writer *w, const char *name)
{
	if (!w->err)
		w->err = fdt_begin_node(w->fdt, name);
}

static void end(struct writer *w)
{
	if (!w->err)
		w->err = fdt_end_node(w->fdt);
}

static void prop(struct writer *w, const char *name, const void *value, size_t len)
{
	if (!w->err)
		w->err = fdt_property(w->fdt, name, value, (int)len);
}

static void prop_str(struct writer *w, const char *name, const char *value)
{
	prop(w, name, value, strlen(value) + 1);
}

static void prop_flag(struct writer *w, const char *name)
{
	prop(w, name, "", 0);
}

static void prop_u32(struct writer *w, const char *name, uint32_t value)
{
	if (!w->err)
		w->err = fdt_property_u32(w->fdt, name, value);
}

static void prop_u64(struct writer *w, const char *name, uint64_t value)
{
	if (!w->err)
		w->err = fdt_property_u64(w->fdt, name, value);
}

static void prop_cells(struct writer *w, const char *name, const uint32_t *cells, size_t n)
{
	uint8_t buf[4 * 32];

	for (size_t i = 0; i < n; i++)
		st_be32(buf + 4 * i, cells[i]);
	prop(w, name, buf, 4 * n);
}

#define PROP_CELLS(w, name, ...)                                                                   \
	prop_cells(w, name, (const uint32_t[]){__VA_ARGS__},                                       \
		   ARRAY_SIZE(((const uint32_t[]){__VA_ARGS__})))

/*
 * Option vector 5 (PAPR B.6.2.3, numbers of its bytes): the kernel reads its bits at their byte
 * numbers, of which byte 0 is the vector's length less one.
 */
static void write_vec5(struct writer *w)
{
	uint8_t vec5[27] = {
		[0] = 25,
		[2] = 0xc0,  /* logical partitioning, shared processors */
		[5] = 0x80,  /* associativity form 1 */
		[23] = 0x00, /* interrupts: legacy (XICS) */
		[24] = 0x40, /* translation: radix */
		[26] = 0x40, /* radix: the guest may execute tlbie (GTSE) */
	};

	prop(w, "ibm,architecture-vec-5", vec5, sizeof(vec5));
}

static void write_chosen(struct writer *w, struct pseries *p)
{
	const char *append = p->vm->config->append;
	uint8_t seed[32];

	begin(w, "chosen");
	prop_str(w, "bootargs", append ? append : "");
	if (p->initrd_size) {
		prop_u64(w, "linux,initrd-start", p->initrd_base);
		prop_u64(w, "linux,initrd-end", p->initrd_base + p->initrd_size);
	}
	prop_str(w, "stdout-path", "/vdevice/vty@71000000");
	prop_str(w, "linux,stdout-path", "/vdevice/vty@71000000");
	if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		prop(w, "rng-seed", seed, sizeof(seed));
	write_vec5(w);
	end(w);
}

/* The names of hypercall groups that are there, in this VMM or in the hypervisor. */
static void write_hypertas(struct writer *w, struct pseries *p)
{
	static const char always[] = "hcall-term\0hcall-dabr\0hcall-interrupt\0hcall-vio\0"
				     "hcall-splpar\0hcall-set-mode\0hcall-sprg0";
	static const char rpt[] = "hcall-rpt-invalidate";
	char names[sizeof(always) + sizeof(rpt)];
	size_t n = sizeof(always);

	memcpy(names, always, sizeof(always));
	if (p->rpt_invalidate) {
		memcpy(names + n, rpt, sizeof(rpt));
		n += sizeof(rpt);
	}
	prop(w, "ibm,hypertas-functions", names, n);
}

static void write_rtas(struct writer *w, struct pseries *p)
{
	uint64_t memory = p->vm->config->memory;

	begin(w, "rtas");
	if (!w->err)
		w->err = rtas_write_fdt(w->fdt);
	prop_u32(w, "linux,rtas-base", (uint32_t)p->rtas_base);
	prop_u32(w, "linux,rtas-entry", (uint32_t)p->rtas_base);
	prop_u32(w, "rtas-size", PSERIES_RTAS_SIZE);
	prop_u32(w, "rtas-version", 1);
	prop_u32(w, "rtas-error-log-max", 2048);
	prop_u32(w, "rtas-event-scan-rate", 1);
	prop_flag(w, "ibm,extended-os-term");
	write_hypertas(w, p);
	/* One NUMA node: levels of form 1 are looked at from the innermost. */
	PROP_CELLS(w, "ibm,associativity-reference-points", 4, 4, 2);
	PROP_CELLS(w, "ibm,max-associativity-domains", 4, 0, 0, 0, 1);
	/* Most memory (2 cells), its granularity (2 cells), most processors. */
	PROP_CELLS(w, "ibm,lrdr-capacity", (uint32_t)(memory >> 32), (uint32_t)memory, 0,
		   UINT32_C(1) << 28, p->vm->nr_vcpus);
	end(w);
}

/*
 * ibm,pa-features (PAPR C.6.2): length, form, and a byte or two per feature of the processor, of
 * which Linux looks at byte 5 (true little-endian), 22 (transactional memory: none) and 40
 * (radix translation). The values are those of a POWER9 partition.
 */
/* clang-format off */
static const uint8_t pa_features[] = {
	66, 0,
	/*  0 */ 0xf6, 0x3f, 0xc7, 0xc0, 0x80, 0xf0, 0x80, 0x00,
	/*  8 */ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* 16 */ 0x80, 0x00, 0x80, 0x00, 0x80, 0x00, 0x00, 0x00,
	/* 24 */ 0x80, 0x00, 0x80, 0x00, 0x80, 0x00, 0x80, 0x00,
	/* 32 */ 0x80, 0x00, 0xc0, 0x00, 0x80, 0x00, 0x80, 0x00,
	/* 40 */ 0x80, 0x00, 0x80, 0x00, 0x80, 0x00, 0x80, 0x00,
	/* byte 54: decimal floating point */
	/* 48 */ 0x80, 0x00, 0x80, 0x00, 0x80, 0x00, 0x80, 0x00,
	/* 56 */ 0x80, 0x00, 0x80, 0x00, 0x80, 0x00, 0x80, 0x00,
	/* 64 */ 0x00, 0x00, /* no second data address watchpoint: that is POWER10's */
};
/* clang-format on */

_Static_assert(sizeof(pa_features) == 68, "length as in its first byte");

static void write_cpu(struct writer *w, struct pseries *p, unsigned core)
{
	unsigned threads = p->vm->config->threads;
	uint32_t id = p->vm->vcpus[core * threads].id;
	uint32_t servers[32];
	uint32_t gservers[32];
	uint32_t ap[8];
	size_t n;
	char name[40];

	snprintf(name, sizeof(name), "PowerPC,POWER9@%x", id);
	begin(w, name);
	prop_str(w, "device_type", "cpu");
	prop_u32(w, "reg", id);
	prop_str(w, "status", "okay");
	prop_flag(w, "64-bit");
	prop_u32(w, "cpu-version", PSERIES_LOGICAL_PVR);
	prop_u32(w, "timebase-frequency", PSERIES_TIMEBASE_HZ);
	prop_u32(w, "clock-frequency", PSERIES_CLOCK_HZ);
	prop_u32(w, "d-cache-block-size", 128);
	prop_u32(w, "d-cache-line-size", 128);
	prop_u32(w, "i-cache-block-size", 128);
	prop_u32(w, "i-cache-line-size", 128);
	prop_u32(w, "d-cache-size", 0x8000);
	prop_u32(w, "i-cache-size", 0x8000);
	prop_u32(w, "ibm,purr", 1);
	prop_u32(w, "ibm,spurr", 1);
	prop_u32(w, "ibm,vmx", 2); /* 2: with VSX */
	prop_u32(w, "ibm,dfp", 1);
	prop_u32(w, "ibm,dec-bits", 56);
	prop_u32(w, "ibm,chip-id", 0);
	prop(w, "ibm,pa-features", pa_features, sizeof(pa_features));

	/* Per thread its interrupt server; and the global queue, which server 0 stands for. */
	for (n = 0; n < threads; n++) {
		servers[n] = p->vm->vcpus[core * threads + n].id;
		gservers[2 * n] = servers[n];
		gservers[2 * n + 1] = 0;
	}
	prop_cells(w, "ibm,ppc-interrupt-server#s", servers, threads);
	prop_cells(w, "ibm,ppc-interrupt-gserver#s", gservers, 2 * (size_t)threads);
	PROP_CELLS(w, "ibm,associativity", 5, 0, 0, 0, 0, id);

	for (n = 0; n < 8 && p->rmmu.ap_encodings[n]; n++)
		ap[n] = p->rmmu.ap_encodings[n];
	prop_cells(w, "ibm,processor-radix-AP-encodings", ap, n);
	end(w);
}

static void write_cpus(struct writer *w, struct pseries *p)
{
	begin(w, "cpus");
	prop_u32(w, "#address-cells", 1);
	prop_u32(w, "#size-cells", 0);
	for (unsigned i = 0; i < p->vm->config->cores; i++)
		write_cpu(w, p, i);
	end(w);
}

static void write_memory(struct writer *w, struct pseries *p)
{
	uint64_t size = p->vm->config->memory;

	begin(w, "memory@0");
	prop_str(w, "device_type", "memory");
	PROP_CELLS(w, "reg", 0, 0, (uint32_t)(size >> 32), (uint32_t)size);
	PROP_CELLS(w, "ibm,associativity", 4, 0, 0, 0, 0);
	end(w);
}

static void write_interrupt_controller(struct writer *w, struct pseries *p)
{
	struct vcpu *last = &p->vm->vcpus[p->vm->nr_vcpus - 1];

	begin(w, "interrupt-controller");
	prop_str(w, "device_type", "PowerPC-External-Interrupt-Presentation");
	prop_str(w, "compatible", "IBM,ppc-xicp");
	prop_flag(w, "interrupt-controller");
	prop_u32(w, "#interrupt-cells", 2);
	PROP_CELLS(w, "ibm,interrupt-server-ranges", 0, last->id + 1);
	prop_u32(w, "phandle", PHANDLE_XICP);
	prop_u32(w, "linux,phandle", PHANDLE_XICP);
	end(w);
}

static void write_vdevice(struct writer *w)
{
	begin(w, "vdevice");
	prop_str(w, "device_type", "vdevice");
	prop_str(w, "compatible", "IBM,vdevice");
	prop_u32(w, "#address-cells", 1);
	prop_u32(w, "#size-cells", 0);
	prop_u32(w, "#interrupt-cells", 2);
	prop_flag(w, "interrupt-controller");

	begin(w, "vty@71000000");
	prop_str(w, "device_type", "serial");
	prop_str(w, "compatible", "hvterm1");
	prop_u32(w, "reg", PSERIES_VTY_UNIT);
	PROP_CELLS(w, "interrupts", PSERIES_IRQ_VTY, 0);
	end(w);

	begin(w, "nvram@71000001");
	prop_str(w, "device_type", "nvram");
	prop_str(w, "compatible", "qemu,spapr-nvram");
	prop_u32(w, "reg", PSERIES_NVRAM_UNIT);
	prop_u32(w, "#bytes", NVRAM_SIZE);
	end(w);
	end(w);
}

static void write_root(struct writer *w, struct pseries *p)
{
	begin(w, "");
	prop_str(w, "device_type", "chrp");
	prop_str(w, "model", "IBM pSeries (emulated by anykvm)");
	prop_str(w, "compatible", "anykvm,pseries");
	prop_u32(w, "#address-cells", 2);
	prop_u32(w, "#size-cells", 2);
	write_chosen(w, p);
	write_rtas(w, p);
	write_cpus(w, p);
	write_memory(w, p);
	write_interrupt_controller(w, p);
	write_vdevice(w);
	end(w);
}

int pseries_build_fdt(struct pseries *p, void **fdt, uint32_t *size, struct error *e)
{
	const char *append = p->vm->config->append;
	struct writer w = {0};

	if (append && strlen(append) >= COMMAND_LINE_MAX)
		return error_set(e, -E2BIG,
				 "the kernel's command line has %zu characters, and it takes %d at "
				 "most; shorten --append.",
				 strlen(append), COMMAND_LINE_MAX - 1);
	w.fdt = calloc(1, FDT_MAX_SIZE);
	if (!w.fdt)
		return error_set(e, -ENOMEM, "the host has no memory for the device tree.");
	w.err = fdt_create(w.fdt, FDT_MAX_SIZE);
	/* The kernel must not use the memory that RTAS is in. */
	if (!w.err)
		w.err = fdt_add_reservemap_entry(w.fdt, p->rtas_base, PSERIES_RTAS_SIZE);
	if (!w.err)
		w.err = fdt_finish_reservemap(w.fdt);
	write_root(&w, p);
	if (!w.err)
		w.err = fdt_finish(w.fdt);
	if (w.err) {
		free(w.fdt);
		return error_set(e, -E2BIG,
				 "cannot build the device tree (%s); try fewer "
				 "processors with --smp.",
				 fdt_strerror(w.err));
	}
	/* The first processor enters the kernel. */
	fdt_set_boot_cpuid_phys(w.fdt, p->vm->vcpus[0].id);
	*fdt = w.fdt;
	*size = fdt_totalsize(w.fdt);
	return 0;
}
