/* Images from files to guest memory. See loader.h. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/bits.h"
#include "util/compiler.h"
#include "vmm/loader.h"

static int open_image(const char *path, uint64_t *size, struct error *e)
{
	struct stat st;
	int err;
	int fd;

	/* Not blocking: opening a FIFO would wait for a writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err = errno;
		return error_set(e, -err, "cannot open \"%s\" (%s); give the path of an image.",
				 path, strerror(err));
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(e, -ENOEXEC,
				 "\"%s\" is not a regular file; give the path of an image.", path);
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

/* A piece of a file, and where it goes. */
struct piece {
	int fd;
	uint8_t *to;
	uint64_t len, offset;
	int err; /* an errno; END */
};

#define END (-1) /* the file ends before the piece does */

static void *read_piece(void *arg)
{
	struct piece *p = arg;

	while (p->len && !p->err) {
		size_t part = p->len > 1u << 30 ? 1u << 30 : (size_t)p->len;
		ssize_t n = pread(p->fd, p->to, part, (off_t)p->offset);

		if (n < 0) {
			p->err = errno == EINTR ? 0 : errno;
			continue;
		}
		if (n == 0)
			p->err = END;
		p->to += n;
		p->offset += (uint64_t)n;
		p->len -= (uint64_t)n;
	}
	return NULL;
}

/* From so many bytes on, half of a piece is read by another thread: most of the time goes to clearing new memory for it. */
#define SHARED (UINT64_C(4) << 20)

/* All of [offset, offset + len); a file that ends before is truncated. */
static int read_all(int fd, const char *path, void *to, uint64_t len, uint64_t offset,
		    struct error *e)
{
	/* Where huge pages meet, so that they are not cleared twice. */
	uint64_t half = len < SHARED ? len : align_up((uintptr_t)to + len / 2, BIT64(21)) - (uintptr_t)to;
	struct piece first = {.fd = fd, .to = to, .len = half, .offset = offset};
	struct piece second = {.fd = fd, .to = (uint8_t *)to + half, .len = len - half, .offset = offset + half};
	pthread_t thread;
	bool shared = second.len && !pthread_create(&thread, NULL, read_piece, &second);
	int err;

	read_piece(&first);
	if (shared)
		pthread_join(thread, NULL);
	else
		read_piece(&second);
	err = first.err ? first.err : second.err;
	if (err == END)
		return error_set(e, -ENOEXEC, "\"%s\" is truncated; get a complete copy of it.", path);
	if (err)
		return error_set(e, -err, "cannot read \"%s\" (%s).", path, strerror(err));
	return 0;
}

static const struct {
	uint16_t machine;
	const char *name;
} elf_machines[] = {
	{EM_PPC64, "ppc64"}, {EM_PPC, "32-bit PowerPC"},  {EM_X86_64, "x86_64"},
	{EM_386, "i386"},    {EM_S390, "s390x"},          {EM_AARCH64, "aarch64"},
	{EM_ARM, "arm"},     {EM_RISCV, "riscv"},         {EM_SPARCV9, "sparc64"},
	{EM_SPARC, "sparc"}, {EM_MIPS, "mips"},           {EM_ALPHA, "alpha"},
	{EM_IA_64, "ia64"},  {EM_PARISC, "parisc"},       {EM_SH, "sh"},
	{EM_68K, "m68k"},    {EM_LOONGARCH, "loongarch"},
};

void elf_arch_text(const struct elf_arch *arch, char *text, size_t size)
{
	const char *order = arch->data == ELFDATA2MSB ? "big-endian" : "little-endian";

	for (unsigned i = 0; i < ARRAY_SIZE(elf_machines); i++)
		if (elf_machines[i].machine == arch->machine) {
			snprintf(text, size, "%s (%s)", elf_machines[i].name, order);
			return;
		}
	snprintf(text, size, "the architecture with ELF number %u (%s)", arch->machine, order);
}

/* What a file that is no ELF is, as far as its first bytes tell. */
static int not_an_elf(int fd, const char *path, struct error *e)
{
	uint8_t head[0x210] = {0};
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n <= 0)
		return error_set(e, -ENOEXEC,
				 "\"%s\" is empty; give a kernel's ELF image (vmlinux).", path);
	if (head[0] == 0x1f && head[1] == 0x8b)
		return error_set(e, -ENOEXEC,
				 "\"%s\" is gzip-compressed; uncompress it and give the ELF image "
				 "(vmlinux) in it.",
				 path);
	if (head[0] == 0xfd && !memcmp(head + 1, "7zXZ", 4))
		return error_set(e, -ENOEXEC,
				 "\"%s\" is xz-compressed; uncompress it and give the ELF image "
				 "(vmlinux) in it.",
				 path);
	if (!memcmp(head + 0x202, "HdrS", 4))
		return error_set(e, -ENOEXEC,
				 "\"%s\" is an x86 bzImage, for which there is no machine here.",
				 path);
	if (n >= 4 && !memcmp(head, ELFMAG, SELFMAG))
		return error_set(e, -ENOEXEC, "\"%s\" is truncated; get a complete copy of it.",
				 path);
	return error_set(e, -ENOEXEC,
			 "\"%s\" is not a kernel image; give an ELF image (vmlinux), or add "
			 "--kernel-format raw if it is a raw memory image.",
			 path);
}

static struct elf_arch elf_arch_of(const GElf_Ehdr *ehdr)
{
	return (struct elf_arch){
		.machine = ehdr->e_machine,
		.class = ehdr->e_ident[EI_CLASS],
		.data = ehdr->e_ident[EI_DATA],
	};
}

static int check_arch(const char *path, const struct load_target *t, const GElf_Ehdr *ehdr,
		      struct error *e)
{
	struct elf_arch arch = elf_arch_of(ehdr);
	char text[64];

	if (arch.machine != t->elf_machine || arch.class != ELFCLASS64) {
		elf_arch_text(&arch, text, sizeof(text));
		return error_set(e, -ENOEXEC,
				 "\"%s\" is for %s%s, not for %s; give a kernel of the guest's "
				 "architecture or another --arch.",
				 path, text,
				 arch.machine == t->elf_machine ? " in a 32-bit file" : "",
				 t->arch_name);
	}
	if (t->elf_data != ELFDATANONE && arch.data != t->elf_data) {
		elf_arch_text(&arch, text, sizeof(text));
		return error_set(e, -ENOEXEC,
				 "\"%s\" is for %s, and %s has the other byte order; give a kernel "
				 "that was built for %s.",
				 path, text, t->arch_name, t->arch_name);
	}
	return 0;
}

static int truncated(const char *path, struct error *e)
{
	return error_set(e, -ENOEXEC, "\"%s\" is truncated; get a complete copy of it.", path);
}

/* Whether `n` bytes, or entries of `each`, at offset `at` are all in the file. */
static bool in_file(uint64_t at, uint64_t n, uint64_t each, uint64_t file_size)
{
	uint64_t len;

	return !__builtin_mul_overflow(n, each, &len) && at <= file_size && len <= file_size - at;
}

/*
 * Whether all that the headers speak of is in the file, loaded or not: half a download is to be
 * called one, even if what is missing is only the symbol table. libelf corrects the numbers of
 * truncated tables, so the header's own are looked at first.
 */
static int check_complete(Elf *elf, const GElf_Ehdr *ehdr, const char *path, uint64_t file_size,
			  struct error *e)
{
	GElf_Shdr sh;
	size_t n;

	/* PN_XNUM and a section number of 0: the real ones are in the first section's header. */
	if (ehdr->e_phnum != PN_XNUM &&
	    !in_file(ehdr->e_phoff, ehdr->e_phnum, ehdr->e_phentsize, file_size))
		return truncated(path, e);
	if (!ehdr->e_shoff)
		return 0;
	if (!in_file(ehdr->e_shoff, ehdr->e_shnum ? ehdr->e_shnum : 1, ehdr->e_shentsize,
		     file_size) ||
	    elf_getshdrnum(elf, &n) || !in_file(ehdr->e_shoff, n, ehdr->e_shentsize, file_size))
		return truncated(path, e);
	for (size_t i = 1; i < n; i++) {
		if (!gelf_getshdr(elf_getscn(elf, i), &sh))
			return truncated(path, e);
		if (sh.sh_type == SHT_NOBITS || sh.sh_type == SHT_NULL)
			continue;
		if (!in_file(sh.sh_offset, sh.sh_size, 1, file_size))
			return truncated(path, e);
	}
	return 0;
}

/* The ELF descriptor and header of a kernel of the machine, -ENOEXEC otherwise. */
static int elf_header(int fd, const char *path, const struct load_target *t, Elf **elf,
		      GElf_Ehdr *ehdr, struct error *e)
{
	int ret;

	*elf = NULL;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return error_set(e, -ENOTSUP, "libelf is too old for ELF files.");
	*elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!*elf || elf_kind(*elf) != ELF_K_ELF || !gelf_getehdr(*elf, ehdr)) {
		ret = not_an_elf(fd, path, e);
		goto fail;
	}
	ret = t ? check_arch(path, t, ehdr, e) : 0;
	if (!ret)
		return 0;
fail:
	if (*elf)
		elf_end(*elf);
	*elf = NULL;
	return ret;
}

static int no_space(struct error *e, const char *path, uint64_t end, uint64_t size)
{
	return error_set(e, -ENOSPC,
			 "\"%s\" needs %" PRIu64 " MiB of guest memory but there are %" PRIu64
			 " MiB; give more with --memory.",
			 path, (end >> 20) + 1, size >> 20);
}

static int load_segment(const struct load_target *t, int fd, const char *path, uint64_t file_size,
			const GElf_Phdr *ph, struct loaded_image *out, struct error *e)
{
	uint64_t at = ph->p_paddr & t->phys_mask;
	uint64_t end;
	int ret;

	if (ph->p_filesz > ph->p_memsz || __builtin_add_overflow(at, ph->p_memsz, &end))
		return error_set(e, -ENOEXEC,
				 "\"%s\" is damaged: a segment's sizes contradict each "
				 "other.",
				 path);
	if (ph->p_offset > file_size || ph->p_filesz > file_size - ph->p_offset)
		return truncated(path, e);
	if (end > t->size)
		return no_space(e, path, end, t->size);
	ret = read_all(fd, path, t->mem + at, ph->p_filesz, ph->p_offset, e);
	if (ret)
		return ret;
	memset(t->mem + at + ph->p_filesz, 0, ph->p_memsz - ph->p_filesz);
	if (at < out->start)
		out->start = at;
	if (end > out->end)
		out->end = end;
	return 0;
}

static int load_elf(const struct load_target *t, int fd, const char *path, uint64_t file_size,
		    struct loaded_image *out, struct error *e)
{
	GElf_Ehdr ehdr;
	GElf_Phdr ph;
	size_t n;
	Elf *elf;
	int ret;

	ret = elf_header(fd, path, t, &elf, &ehdr, e);
	if (ret)
		return ret;
	*out = (struct loaded_image){.start = UINT64_MAX};
	ret = check_complete(elf, &ehdr, path, file_size, e);
	if (ret)
		goto out;
	ret = -ENOEXEC;
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN) {
		error_set(e, ret,
			  "\"%s\" is an ELF file, but not an executable; give the kernel's "
			  "ELF image (vmlinux).",
			  path);
		goto out;
	}
	if (elf_getphdrnum(elf, &n)) {
		truncated(path, e);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph)) {
			ret = truncated(path, e);
			goto out;
		}
		if (ph.p_type != PT_LOAD || !ph.p_memsz)
			continue;
		ret = load_segment(t, fd, path, file_size, &ph, out, e);
		if (ret)
			goto out;
	}
	ret = -ENOEXEC;
	if (out->start >= out->end) {
		error_set(e, ret,
			  "\"%s\" has nothing to load; give the kernel's ELF image (vmlinux).",
			  path);
		goto out;
	}
	out->entry = ehdr.e_entry & t->phys_mask;
	if (out->entry < out->start || out->entry >= out->end) {
		error_set(e, ret,
			  "\"%s\" is damaged: its entry point lies outside of its segments.", path);
		goto out;
	}
	ret = 0;
out:
	elf_end(elf);
	return ret;
}

static int load_raw(const struct load_target *t, int fd, const char *path, uint64_t file_size,
		    struct loaded_image *out, struct error *e)
{
	if (!file_size)
		return error_set(e, -ENOEXEC, "\"%s\" is empty; give a raw memory image.", path);
	if (file_size > t->size)
		return no_space(e, path, file_size, t->size);
	*out = (struct loaded_image){.end = file_size};
	return read_all(fd, path, t->mem, file_size, 0, e);
}

int load_kernel_fd(const struct load_target *t, int fd, const char *path, enum image_format format,
		   struct loaded_image *out, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_set(e, -errno, "cannot read \"%s\" (%s).", path, strerror(errno));
	if (format == IMAGE_RAW)
		return load_raw(t, fd, path, (uint64_t)st.st_size, out, e);
	return load_elf(t, fd, path, (uint64_t)st.st_size, out, e);
}

int load_kernel(const struct load_target *t, const char *path, enum image_format format,
		struct loaded_image *out, struct error *e)
{
	uint64_t size;
	int fd = open_image(path, &size, e);
	int ret;

	if (fd < 0)
		return fd;
	ret = load_kernel_fd(t, fd, path, format, out, e);
	close(fd);
	return ret;
}

int image_size(const char *path, uint64_t *size, struct error *e)
{
	int fd = open_image(path, size, e);

	if (fd < 0)
		return fd;
	close(fd);
	if (!*size)
		return error_set(e, -ENOEXEC, "\"%s\" is empty; give an image with something in it.", path);
	return 0;
}

int load_file(const struct load_target *t, const char *path, uint64_t at, uint64_t limit,
	      uint64_t *size, struct error *e)
{
	int fd = open_image(path, size, e);
	int ret;

	if (fd < 0)
		return fd;
	if (*size > limit || at > t->size || *size > t->size - at)
		ret = no_space(e, path, at + *size, t->size);
	else
		ret = read_all(fd, path, t->mem + at, *size, 0, e);
	close(fd);
	return ret;
}

int probe_kernel(const char *path, struct elf_arch *arch, struct error *e)
{
	uint64_t size;
	int fd = open_image(path, &size, e);
	GElf_Ehdr ehdr;
	Elf *elf;
	int ret;

	if (fd < 0)
		return fd;
	ret = elf_header(fd, path, NULL, &elf, &ehdr, e);
	if (!ret) {
		*arch = elf_arch_of(&ehdr);
		elf_end(elf);
	}
	close(fd);
	return ret;
}
