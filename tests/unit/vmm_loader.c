/* Images: good ones of both byte orders, and every way of being bad. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "mem/endian.h"
#include "vmm/loader.h"

#define MEM (UINT64_C(16) << 20)

static uint8_t *mem;
static struct load_target target = {
	.size = MEM,
	.elf_machine = EM_PPC64,
	.arch_name = "ppc64le",
	.phys_mask = UINT64_MAX >> 4,
};
static struct error error;
static char path[] = "/tmp/anykvm-test-XXXXXX";

/* A file of one segment: 0x100 bytes at file offset 0x1000, 0x200 in memory at `paddr`. */
struct file {
	uint8_t b[0x1100];
	size_t size;
	bool big;
};

static void put(struct file *f, size_t at, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		f->b[at + (f->big ? n - 1 - i : i)] = (uint8_t)(v >> (8 * i));
}

#define EHDR(f, field, v) put(f, offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field), v)
#define PHDR(f, field, v)                                                                          \
	put(f, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, field), sizeof(((Elf64_Phdr *)0)->field), \
		v)

static struct file good(bool big)
{
	struct file f = {.size = 0x1100, .big = big};

	memcpy(f.b, ELFMAG, SELFMAG);
	f.b[EI_CLASS] = ELFCLASS64;
	f.b[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	f.b[EI_VERSION] = EV_CURRENT;
	EHDR(&f, e_type, ET_EXEC);
	EHDR(&f, e_machine, EM_PPC64);
	EHDR(&f, e_version, EV_CURRENT);
	EHDR(&f, e_entry, 0xc000000000001010);
	EHDR(&f, e_phoff, sizeof(Elf64_Ehdr));
	EHDR(&f, e_ehsize, sizeof(Elf64_Ehdr));
	EHDR(&f, e_phentsize, sizeof(Elf64_Phdr));
	EHDR(&f, e_phnum, 1);
	EHDR(&f, e_shentsize, sizeof(Elf64_Shdr));
	PHDR(&f, p_type, PT_LOAD);
	PHDR(&f, p_offset, 0x1000);
	PHDR(&f, p_vaddr, 0xc000000000001000);
	PHDR(&f, p_paddr, 0x1000);
	PHDR(&f, p_filesz, 0x100);
	PHDR(&f, p_memsz, 0x200);
	memset(f.b + 0x1000, 0x5a, 0x100);
	return f;
}

static int load(const struct file *f, enum image_format format, struct loaded_image *out)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->b, f->size), (ssize_t)f->size);
	close(fd);
	memset(mem, 0xcc, MEM);
	error.text[0] = 0;
	target.mem = mem;
	return load_kernel(&target, path, format, out, &error);
}

static void bad(const struct file *f, int ret, const char *word)
{
	struct loaded_image out;

	assert_int_equal(load(f, IMAGE_ELF, &out), ret);
	if (!strstr(error.text, word))
		print_error("no \"%s\" in: %s\n", word, error.text);
	assert_non_null(strstr(error.text, word));
}

static void loads(void **state)
{
	struct loaded_image out;
	struct file f;

	(void)state;
	for (int big = 0; big < 2; big++) {
		f = good(big);
		assert_int_equal(load(&f, IMAGE_ELF, &out), 0);
		assert_int_equal(out.start, 0x1000);
		assert_int_equal(out.end, 0x1200);
		assert_int_equal(out.entry, 0x1010);
		assert_int_equal(mem[0xfff], 0xcc);
		for (int i = 0; i < 0x100; i++)
			assert_int_equal(mem[0x1000 + i], 0x5a);
		for (int i = 0x100; i < 0x200; i++)
			assert_int_equal(mem[0x1000 + i], 0);
		assert_int_equal(mem[0x1200], 0xcc);
	}
	/* Linked high with a physical address as high; position-independent; the last bytes. */
	PHDR(&f, p_paddr, 0xc000000000000000 + MEM - 0x200);
	EHDR(&f, e_entry, 0xc000000000000000 + MEM - 1);
	EHDR(&f, e_type, ET_DYN);
	assert_int_equal(load(&f, IMAGE_ELF, &out), 0);
	assert_int_equal(out.end, MEM);
}

static void raw(void **state)
{
	struct loaded_image out;
	struct file f = good(false);

	(void)state;
	assert_int_equal(load(&f, IMAGE_RAW, &out), 0);
	assert_memory_equal(mem, f.b, f.size);
	assert_int_equal(out.start, 0);
	assert_int_equal(out.entry, 0);
	assert_int_equal(out.end, f.size);
	assert_int_equal(mem[f.size], 0xcc);
	f.size = 0;
	assert_int_equal(load(&f, IMAGE_RAW, &out), -ENOEXEC);
	target.size = 0x1000;
	f.size = 0x1001;
	assert_int_equal(load(&f, IMAGE_RAW, &out), -ENOSPC);
	assert_non_null(strstr(error.text, "--memory"));
	target.size = MEM;
}

static void truncated(void **state)
{
	struct loaded_image out;
	struct file f;

	(void)state;
	f = good(false);
	for (f.size = 0; f.size < 0x1100; f.size += f.size < 0x100 ? 1 : 0x100) {
		assert_int_equal(load(&f, IMAGE_ELF, &out), -ENOEXEC);
		assert_true(error.text[0]);
		assert_int_equal(mem[0x1200], 0xcc);
	}
	f.size = 0x10ff;
	bad(&f, -ENOEXEC, "truncated");
	f.size = 0x20;
	bad(&f, -ENOEXEC, "truncated");
	f.size = 0;
	bad(&f, -ENOEXEC, "empty");
}

#define SHDR(f, i, field, v)                                                                       \
	put(f,                                                                                     \
	    0x400 + (i) * sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, field),                        \
	    sizeof(((Elf64_Shdr *)0)->field), v)

/* A file with sections: three headers at 0x400, bytes at 0x500 to 0x600. */
static struct file with_sections(bool big)
{
	struct file f = good(big);

	EHDR(&f, e_shoff, 0x400);
	EHDR(&f, e_shnum, 3);
	SHDR(&f, 1, sh_type, SHT_PROGBITS);
	SHDR(&f, 1, sh_offset, 0x500);
	SHDR(&f, 1, sh_size, 0x100);
	SHDR(&f, 2, sh_type, SHT_NOBITS);
	SHDR(&f, 2, sh_offset, 0x10000000);
	SHDR(&f, 2, sh_size, 0x10000000);
	return f;
}

/* Files that lack what is not loaded. */
static void truncated_tail(void **state)
{
	struct loaded_image out;
	struct file f;

	(void)state;
	for (int big = 0; big < 2; big++) {
		f = with_sections(big);
		assert_int_equal(load(&f, IMAGE_ELF, &out), 0);
		/* A section that ends, or starts, behind the end. */
		SHDR(&f, 1, sh_offset, 0x1000);
		assert_int_equal(load(&f, IMAGE_ELF, &out), 0);
		SHDR(&f, 1, sh_offset, 0x1001);
		bad(&f, -ENOEXEC, "truncated");
		SHDR(&f, 1, sh_offset, UINT64_MAX);
		bad(&f, -ENOEXEC, "truncated");
		f = with_sections(big);
		SHDR(&f, 1, sh_size, UINT64_MAX);
		bad(&f, -ENOEXEC, "truncated");
		/* Section headers: the last byte missing, all missing, a number that wraps. */
		f = with_sections(big);
		EHDR(&f, e_shoff, 0x1100 - 3 * sizeof(Elf64_Shdr) + 1);
		bad(&f, -ENOEXEC, "truncated");
		EHDR(&f, e_shoff, 0x1100);
		bad(&f, -ENOEXEC, "truncated");
		EHDR(&f, e_shoff, UINT64_MAX - 8);
		bad(&f, -ENOEXEC, "truncated");
		f = with_sections(big);
		EHDR(&f, e_shnum, 0);
		SHDR(&f, 0, sh_size, UINT64_MAX / 2);
		bad(&f, -ENOEXEC, "truncated");
		SHDR(&f, 0, sh_size, 3);
		assert_int_equal(load(&f, IMAGE_ELF, &out), 0);
		/* Program headers. */
		f = good(big);
		EHDR(&f, e_phoff, 0x1100 - sizeof(Elf64_Phdr) + 1);
		bad(&f, -ENOEXEC, "truncated");
		f = good(big);
		f.size = 100;
		bad(&f, -ENOEXEC, "truncated");
	}
}

static void wrong_byte_order(void **state)
{
	struct loaded_image out;
	struct file f = good(true);

	(void)state;
	target.elf_data = ELFDATA2LSB;
	bad(&f, -ENOEXEC, "is for ppc64 (big-endian), and ppc64le has the other byte order");
	f = good(false);
	assert_int_equal(load(&f, IMAGE_ELF, &out), 0);
	target.elf_data = ELFDATANONE;
}

static void wrong(void **state)
{
	struct file f;

	(void)state;
	f = good(false);
	EHDR(&f, e_machine, EM_X86_64);
	bad(&f, -ENOEXEC, "is for x86_64 (little-endian), not for ppc64le");
	f = good(false);
	EHDR(&f, e_type, ET_REL);
	bad(&f, -ENOEXEC, "not an executable");
	f = good(false);
	EHDR(&f, e_phnum, 0);
	bad(&f, -ENOEXEC, "nothing to load");
	f = good(false);
	PHDR(&f, p_type, PT_NOTE);
	bad(&f, -ENOEXEC, "nothing to load");
	f = good(false);
	PHDR(&f, p_filesz, 0x201);
	bad(&f, -ENOEXEC, "contradict");
	f = good(false);
	EHDR(&f, e_entry, 0x1200);
	bad(&f, -ENOEXEC, "entry point");
	f = good(false);
	EHDR(&f, e_entry, 0xfff);
	bad(&f, -ENOEXEC, "entry point");
	f = good(false);
	PHDR(&f, p_offset, UINT64_MAX - 0x10);
	bad(&f, -ENOEXEC, "truncated");
	f = good(false);
	PHDR(&f, p_paddr, UINT64_MAX);
	PHDR(&f, p_memsz, UINT64_MAX);
	bad(&f, -ENOEXEC, "contradict");
	f = good(false);
	PHDR(&f, p_paddr, UINT64_MAX);
	bad(&f, -ENOSPC, "--memory");
	f = good(false);
	PHDR(&f, p_memsz, MEM - 0xfff);
	bad(&f, -ENOSPC, "--memory");
	f = good(false);
	EHDR(&f, e_phoff, 0x10c9);
	bad(&f, -ENOEXEC, "\"");
	f = good(false);
	memset(f.b, 'x', f.size);
	bad(&f, -ENOEXEC, "not a kernel image");
	f.b[0] = 0x1f;
	f.b[1] = 0x8b;
	bad(&f, -ENOEXEC, "gzip");
	memcpy(f.b,
	       "\xfd"
	       "7zXZ",
	       5);
	bad(&f, -ENOEXEC, "xz");
	f.b[0] = 'M';
	memcpy(f.b + 0x202, "HdrS", 4);
	bad(&f, -ENOEXEC, "bzImage");
}

static void files(void **state)
{
	struct loaded_image out;
	struct elf_arch arch;
	char text[64];
	uint64_t size;
	struct file f = good(true);

	(void)state;
	assert_int_equal(load_kernel(&target, "/nonexistent", IMAGE_ELF, &out, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent"));
	assert_int_equal(load_kernel(&target, "/tmp", IMAGE_ELF, &out, &error), -ENOEXEC);
	assert_int_equal(load_kernel(&target, "/dev/zero", IMAGE_ELF, &out, &error), -ENOEXEC);
	assert_int_equal(load(&f, IMAGE_ELF, &out), 0);
	assert_int_equal(probe_kernel(path, &arch, &error), 0);
	assert_int_equal(arch.machine, EM_PPC64);
	elf_arch_text(&arch, text, sizeof(text));
	assert_string_equal(text, "ppc64 (big-endian)");
	assert_int_equal(probe_kernel("/nonexistent", &arch, &error), -ENOENT);

	assert_int_equal(image_size(path, &size, &error), 0);
	assert_int_equal(size, 0x1100);
	memset(mem, 0, MEM);
	assert_int_equal(load_file(&target, path, MEM - 0x1100, 0x1100, &size, &error), 0);
	assert_memory_equal(mem + MEM - 0x1100, f.b, 0x1100);
	assert_int_equal(load_file(&target, path, MEM - 0x10ff, 0x1100, &size, &error), -ENOSPC);
	assert_int_equal(load_file(&target, path, 0, 0x10ff, &size, &error), -ENOSPC);
	assert_int_equal(load_file(&target, path, UINT64_MAX, 0x1100, &size, &error), -ENOSPC);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	mem = malloc(MEM);
	return !mem || fd < 0 || close(fd);
}

static int teardown(void **state)
{
	(void)state;
	free(mem);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads), cmocka_unit_test(raw),   cmocka_unit_test(truncated),
		cmocka_unit_test(wrong), cmocka_unit_test(files), cmocka_unit_test(truncated_tail),
		cmocka_unit_test(wrong_byte_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
