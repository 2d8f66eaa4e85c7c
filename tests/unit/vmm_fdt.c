/* The pseries machine's device tree, read back with libfdt. */
#include <libfdt.h>

#include "mem/endian.h"
#include "vmm_fake.h"

static void *fdt;

static int node(const char *path)
{
	int n = fdt_path_offset(fdt, path);

	if (n < 0)
		print_error("no node %s\n", path);
	assert_true(n >= 0);
	return n;
}

static const void *prop(const char *path, const char *name, int *len)
{
	const void *p = fdt_getprop(fdt, node(path), name, len);

	if (!p)
		print_error("no property %s in %s\n", name, path);
	assert_non_null(p);
	return p;
}

static const char *str(const char *path, const char *name)
{
	int len;
	const char *s = prop(path, name, &len);

	assert_true(len > 0 && !s[len - 1]);
	return s;
}

static uint32_t cell(const char *path, const char *name, int i)
{
	int len;
	const uint8_t *p = prop(path, name, &len);

	assert_true(len >= 4 * (i + 1));
	return ld_be32(p + 4 * i);
}

static int cells(const char *path, const char *name)
{
	int len;

	prop(path, name, &len);
	assert_int_equal(len % 4, 0);
	return len / 4;
}

static void build(struct fake_machine *m, const struct vmm_config *config)
{
	struct error e;
	uint32_t size;

	fake_machine_create(m, config);
	m->p->rtas_base = 0x3ff0000;
	m->p->initrd_base = 0x2000000;
	m->p->initrd_size = 12345;
	assert_int_equal(pseries_build_fdt(m->p, &fdt, &size, &e), 0);
	assert_int_equal(fdt_check_full(fdt, size), 0);
}

static void destroy(struct fake_machine *m)
{
	free(fdt);
	fake_machine_destroy(m);
}

static void contents(void **state)
{
	struct fake_machine m;
	struct vmm_config config = fake_config;
	uint64_t at, size;
	const uint8_t *p;
	int len;

	(void)state;
	config.cores = 3;
	config.memory = UINT64_C(5) << 30;
	config.append = "console=hvc0 \"quoted words\"";
	build(&m, &config);

	/* prom.c, setup.c: what makes it a pSeries partition */
	assert_string_equal(str("/", "device_type"), "chrp");
	assert_int_equal(cell("/", "#address-cells", 0), 2);
	assert_int_equal(cell("/", "#size-cells", 0), 2);
	assert_int_equal(fdt_boot_cpuid_phys(fdt), 0);

	assert_string_equal(str("/chosen", "bootargs"), config.append);
	p = prop("/chosen", "linux,initrd-start", &len);
	assert_int_equal(ld_be64(p), 0x2000000);
	p = prop("/chosen", "linux,initrd-end", &len);
	assert_int_equal(ld_be64(p), 0x2000000 + 12345);
	prop("/chosen", "rng-seed", &len);
	assert_int_equal(len, 32);
	node(str("/chosen", "stdout-path"));
	/* Option vector 5: radix only (0x40 of byte 0x18), GTSE (byte 0x1a), XICS (byte 0x17). */
	p = prop("/chosen", "ibm,architecture-vec-5", &len);
	assert_true(len > 0x1a);
	assert_int_equal(p[0], len - 2);
	assert_int_equal(p[0x18] & 0xc0, 0x40);
	assert_int_equal(p[0x1a] & 0x40, 0x40);
	assert_int_equal(p[0x17] & 0xc0, 0);
	assert_int_equal(p[0x05] & 0x80, 0x80);

	p = prop("/memory@0", "reg", &len);
	assert_int_equal(len, 16);
	assert_true(ld_be64(p) == 0 && ld_be64(p + 8) == config.memory);
	assert_string_equal(str("/memory@0", "device_type"), "memory");

	/* RTAS: its memory is reserved, below 4 GiB. */
	assert_int_equal(fdt_num_mem_rsv(fdt), 1);
	assert_int_equal(fdt_get_mem_rsv(fdt, 0, &at, &size), 0);
	assert_int_equal(at, 0x3ff0000);
	assert_int_equal(size, cell("/rtas", "rtas-size", 0));
	assert_int_equal(cell("/rtas", "linux,rtas-base", 0), 0x3ff0000);
	assert_int_equal(cell("/rtas", "linux,rtas-entry", 0), 0x3ff0000);
	cell("/rtas", "power-off", 0);
	prop("/rtas", "ibm,extended-os-term", &len);
	p = prop("/rtas", "ibm,hypertas-functions", &len);
	assert_true(fdt_stringlist_contains((const char *)p, len, "hcall-splpar"));
	assert_false(fdt_stringlist_contains((const char *)p, len, "hcall-pft"));
	assert_int_equal(cell("/rtas", "ibm,lrdr-capacity", 4), 3);

	assert_string_equal(str("/interrupt-controller", "device_type"),
				"PowerPC-External-Interrupt-Presentation");
	prop("/interrupt-controller", "interrupt-controller", &len);
	assert_int_equal(cell("/interrupt-controller", "ibm,interrupt-server-ranges", 1), 3);
	assert_string_equal(str("/vdevice/vty@71000000", "compatible"), "hvterm1");
	assert_int_equal(cell("/vdevice/vty@71000000", "reg", 0), 0x71000000);
	assert_int_equal(cell("/vdevice/vty@71000000", "interrupts", 0), PSERIES_IRQ_VTY);
	assert_int_equal(cells("/vdevice/vty@71000000", "interrupts"),
			 cell("/vdevice", "#interrupt-cells", 0));
	assert_int_equal(cell("/vdevice/nvram@71000001", "#bytes", 0), NVRAM_SIZE);
	destroy(&m);
}

static void processors(void **state)
{
	struct vmm_config config = fake_config;
	static const uint32_t ap[] = {0x0c, 0xa0000010, 0x20000015, 0x4000001e};
	struct fake_machine m;
	const uint8_t *p;
	char path[64];
	int len;

	(void)state;
	config.cores = 2;
	config.threads = 4;
	build(&m, &config);
	assert_int_equal(fake.smt, 4);
	assert_int_equal(fake.nr_vcpus, 8);
	for (unsigned c = 0; c < 2; c++) {
		snprintf(path, sizeof(path), "/cpus/PowerPC,POWER9@%x", 4 * c);
		assert_string_equal(str(path, "device_type"), "cpu");
		assert_int_equal(cell(path, "reg", 0), 4 * c);
		assert_int_equal(cells(path, "ibm,ppc-interrupt-server#s"), 4);
		assert_int_equal(cells(path, "ibm,ppc-interrupt-gserver#s"), 8);
		for (int t = 0; t < 4; t++) {
			assert_int_equal(cell(path, "ibm,ppc-interrupt-server#s", t), 4 * c + t);
			assert_int_equal(cell(path, "ibm,ppc-interrupt-gserver#s", 2 * t),
					 4 * c + t);
			assert_int_equal(fake.vcpus[4 * c + t].server, 4 * c + t);
		}
		assert_int_equal(cell(path, "timebase-frequency", 0), 512000000);
		assert_int_equal(cell(path, "cpu-version", 0), 0x0f000005);
		assert_int_equal(cell(path, "ibm,dec-bits", 0), 56);
		assert_int_equal(cells(path, "ibm,processor-radix-AP-encodings"), 4);
		for (int i = 0; i < 4; i++)
			assert_int_equal(cell(path, "ibm,processor-radix-AP-encodings", i), ap[i]);
		p = prop(path, "ibm,pa-features", &len);
		assert_int_equal(len, p[0] + 2);
		assert_int_equal(p[2 + 5] & 0x80, 0x80);  /* little-endian */
		assert_int_equal(p[2 + 22] & 0x80, 0);    /* no transactional memory */
		assert_int_equal(p[2 + 40] & 0x80, 0x80); /* radix */
		assert_int_equal(p[2 + 54] & 0x80, 0x80); /* decimal floating point */
		assert_int_equal(cell(path, "ibm,dfp", 0), 1);
		assert_int_equal(p[2 + 64], 0);		  /* no DAWR1 */
	}
	assert_int_equal(fdt_path_offset(fdt, "/cpus/PowerPC,POWER9@1"), -FDT_ERR_NOTFOUND);
	destroy(&m);
}

static void limits(void **state)
{
	struct vmm_config config = fake_config;
	struct fake_machine m;
	struct error e = {""};
	char line[4096];
	uint32_t size;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[2048] = 0;
	config.append = line;
	fake_machine_create(&m, &config);
	assert_int_equal(pseries_build_fdt(m.p, &fdt, &size, &e), -E2BIG);
	assert_non_null(strstr(e.text, "--append"));
	line[2047] = 0;
	assert_int_equal(pseries_build_fdt(m.p, &fdt, &size, &e), 0);
	assert_string_equal(str("/chosen", "bootargs"), line);
	free(fdt);
	m.config.append = NULL;
	assert_int_equal(pseries_build_fdt(m.p, &fdt, &size, &e), 0);
	assert_string_equal(str("/chosen", "bootargs"), "");
	destroy(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents),
		cmocka_unit_test(processors),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
