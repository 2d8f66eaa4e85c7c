/*
 * Images from files to guest memory: ELF kernels (libelf; both byte orders), raw memory images,
 * and initial RAM disks. Whatever a file holds, nothing outside the given memory is written.
 *
 * All functions return 0 or a negative errno with one sentence in *e:
 *   -ENOENT and other errnos of open(2) and read(2)
 *   -ENOEXEC  not an image, an image for another machine, or a damaged one
 *   -ENOSPC   it does not fit into guest memory
 */
#ifndef ANYKVM_VMM_LOADER_H
#define ANYKVM_VMM_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/error.h"

enum image_format {
	IMAGE_ELF,
	IMAGE_RAW, /* the file's bytes go to address 0 and are entered there */
};

struct loaded_image {
	uint64_t start, end; /* guest physical, end exclusive, BSS included */
	uint64_t entry;
};

struct load_target {
	uint8_t *mem; /* guest memory from physical address 0 */
	uint64_t size;
	uint16_t elf_machine;
	uint8_t elf_data;      /* ELFDATA2LSB, ELFDATA2MSB, or ELFDATANONE for either */
	const char *arch_name; /* for messages */
	/* Bits of an ELF address that are a physical one (kernels are linked high). */
	uint64_t phys_mask;
};

int load_kernel(const struct load_target *t, const char *path, enum image_format format,
		struct loaded_image *out, struct error *e);

/* The same of an open file; `path` is for messages. */
int load_kernel_fd(const struct load_target *t, int fd, const char *path, enum image_format format,
		   struct loaded_image *out, struct error *e);

/* Size of what is loaded as it is (an initial RAM disk); -ENOEXEC: it is empty, or no regular file. */
int image_size(const char *path, uint64_t *size, struct error *e);

/* Reads a file into [at, at + limit) of memory; *size is its length. */
int load_file(const struct load_target *t, const char *path, uint64_t at, uint64_t limit,
	      uint64_t *size, struct error *e);

/* What an ELF file's header says of the architecture that it is for. */
struct elf_arch {
	uint16_t machine; /* EM_ */
	uint8_t class;    /* ELFCLASS */
	uint8_t data;     /* ELFDATA */
};

/* -ENOEXEC as of load_kernel. */
int probe_kernel(const char *path, struct elf_arch *arch, struct error *e);

/* It as text: "x86_64 (little-endian)". */
void elf_arch_text(const struct elf_arch *arch, char *text, size_t size);

#endif
