/*
 * Fuzzes the kernel loader: any bytes as an image. Nothing outside guest memory may be touched,
 * and every failure has its sentence.
 *
 * The first byte's low bit chooses the format, the rest is the file.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/loader.h"

#define MEM (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* On the heap, so that the sanitizer sees a step outside. */
	uint8_t *mem = malloc(MEM);
	struct load_target target = {
		.mem = mem,
		.size = MEM,
		.elf_machine = EM_PPC64,
		.arch_name = "ppc64le",
		.phys_mask = UINT64_MAX >> 4,
	};
	struct error e = {""};
	struct loaded_image out;
	int fd, ret;

	if (!size || !mem) {
		free(mem);
		return 0;
	}
	fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
		abort();
	ret = load_kernel_fd(&target, fd, "image", data[0] & 1 ? IMAGE_RAW : IMAGE_ELF, &out, &e);
	if (ret < 0 ? !e.text[0] : out.start > out.entry || out.entry > out.end || out.end > MEM)
		abort();
	close(fd);
	free(mem);
	return 0;
}
