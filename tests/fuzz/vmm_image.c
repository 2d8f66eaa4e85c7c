/*
 * Fuzzes the kernel loader: any bytes as an image. Nothing outside guest memory may be touched,
 * and every failure has its sentence.
 *
 * The first byte chooses what is done with the rest, which is the file: bit 0 the format; bit 1
 * has an ELF header's constant fields set right, and bit 2 the numbers of the program headers
 * brought into range (libFuzzer by itself needs for ever to find a file with anything to load);
 * bit 3 is the byte order of these.
 */
#include <elf.h>
#include <endian.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/loader.h"

#define MEM      (1u << 20)
#define FILE_MAX 8192

#define MODE_RAW    1
#define MODE_HEADER 2
#define MODE_RANGES 4
#define MODE_BIG    8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t get(const uint8_t *p, size_t n, bool big)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * (big ? n - 1 - i : i);
	return v;
}

static void put(uint8_t *p, size_t n, bool big, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * (big ? n - 1 - i : i));
}

#define PUT(type, p, member, v)                                                                    \
	put((p) + offsetof(type, member), sizeof(((type *)0)->member), big, v)
#define MASK(type, p, member, mask)                                                                \
	PUT(type, p, member,                                                                       \
	    get((p) + offsetof(type, member), sizeof(((type *)0)->member), big) & (mask))

/* What every ELF file of the machine has in common, and no more program headers than there are. */
static void mend_header(uint8_t *file, size_t size, bool big, bool ranges)
{
	size_t room = (size - sizeof(Elf64_Ehdr)) / sizeof(Elf64_Phdr);

	memcpy(file, ELFMAG, SELFMAG);
	file[EI_CLASS] = ELFCLASS64;
	file[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	file[EI_VERSION] = EV_CURRENT;
	PUT(Elf64_Ehdr, file, e_machine, EM_PPC64);
	PUT(Elf64_Ehdr, file, e_version, EV_CURRENT);
	PUT(Elf64_Ehdr, file, e_ehsize, sizeof(Elf64_Ehdr));
	PUT(Elf64_Ehdr, file, e_phentsize, sizeof(Elf64_Phdr));
	PUT(Elf64_Ehdr, file, e_shentsize, sizeof(Elf64_Shdr));
	if (!ranges)
		return;
	PUT(Elf64_Ehdr, file, e_type, file[16] & 1 ? ET_EXEC : ET_DYN);
	MASK(Elf64_Ehdr, file, e_entry, 2 * MEM - 1);
	PUT(Elf64_Ehdr, file, e_phoff, sizeof(Elf64_Ehdr));
	MASK(Elf64_Ehdr, file, e_shoff, FILE_MAX - 1);
	PUT(Elf64_Ehdr, file, e_phnum, room < 8 ? room : 8);
	MASK(Elf64_Ehdr, file, e_shnum, 7);
	for (size_t i = 0; i < room && i < 8; i++) {
		uint8_t *ph = file + sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr);

		MASK(Elf64_Phdr, ph, p_type, 1); /* PT_NULL, PT_LOAD */
		MASK(Elf64_Phdr, ph, p_offset, 2 * 256 - 1);
		MASK(Elf64_Phdr, ph, p_filesz, 2 * 256 - 1);
		/* The top bits are those that addresses of the kernel's linear mapping have. */
		MASK(Elf64_Phdr, ph, p_paddr, (UINT64_C(15) << 60) | (2 * MEM - 1));
		MASK(Elf64_Phdr, ph, p_memsz, 2 * MEM - 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[FILE_MAX];
	/* On the heap, so that the sanitizer sees a step outside; as it was is of no interest. */
	static uint8_t *mem;
	struct load_target target = {
		.size = MEM,
		.elf_machine = EM_PPC64,
		.arch_name = "ppc64le",
		.phys_mask = UINT64_MAX >> 4,
	};
	struct error e = {""};
	struct loaded_image out;
	uint8_t mode;
	int fd, ret;

	if (!size)
		return 0;
	if (!mem)
		mem = malloc(MEM);
	if (!mem)
		abort();
	target.mem = mem;
	mode = *data++;
	size = size - 1 < sizeof(file) ? size - 1 : sizeof(file);
	memcpy(file, data, size);
	if ((mode & MODE_HEADER) && size >= sizeof(Elf64_Ehdr))
		mend_header(file, size, mode & MODE_BIG, mode & MODE_RANGES);
	fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || write(fd, file, size) != (ssize_t)size)
		abort();
	ret = load_kernel_fd(&target, fd, "image", mode & MODE_RAW ? IMAGE_RAW : IMAGE_ELF, &out,
			     &e);
	if (ret < 0 ? !e.text[0] : out.start > out.entry || out.entry > out.end || out.end > MEM)
		abort();
	close(fd);
	return 0;
}
