/* Saving and restoring: see save.h. What is a machine's own is in its folder. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/abi/kvm.h"
#include "vmm/machine.h"
#include "vmm/save.h"

#define TAG_MACHINE SAVE_TAG('M', 'A', 'C', 'H')
#define TAG_MEMORY  SAVE_TAG('M', 'E', 'M', 'O')

#define PAGE_SIZE   4096
#define BLOCK_PAGES 1024
#define BLOCK_SIZE  (UINT64_C(4096) * BLOCK_PAGES)
#define BITMAP_SIZE (BLOCK_PAGES / 8)

/* --- configuration --- */

/* A path that holds whatever folder the next process starts in. */
static void put_path(struct save_writer *w, const char *path)
{
	char *absolute = path ? realpath(path, NULL) : NULL;

	save_put_string(w, absolute ? absolute : path);
	free(absolute);
}

static int save_config(struct vm *vm, struct save_writer *w, struct error *e)
{
	const struct vmm_config *config = vm->config;

	save_put_string(w, vm->machine->name);
	save_put_string(w, vm->machine->arch_name);
	save_put64(w, config->memory);
	save_put32(w, config->cores);
	save_put32(w, config->threads);
	save_put32(w, config->nested);
	save_put32(w, config->tuning.joint_threads);
	save_put32(w, config->kernel_format);
	put_path(w, config->kernel);
	put_path(w, config->initrd);
	save_put_string(w, config->append);
	return save_section(w, TAG_MACHINE, e);
}

void vmm_saved_free(struct vmm_saved *saved)
{
	free(saved->kernel);
	free(saved->initrd);
	free(saved->append);
	*saved = (struct vmm_saved){0};
}

/* The machine that the file names; NULL if there is none such here. */
static const struct machine *find_machine(const char *name, const char *arch)
{
	const struct machine *m = arch ? machine_by_arch(arch) : NULL;

	return m && name && !strcmp(m->name, name) ? m : NULL;
}

static int get_config(struct save_reader *r, struct save_cursor *c, struct vmm_config *config,
		      struct vmm_saved *saved, struct error *e)
{
	char *name = save_get_string(c), *arch = save_get_string(c);
	int ret = 0;

	config->machine = find_machine(name, arch);
	config->memory = save_get64(c);
	config->cores = save_get32(c);
	config->threads = save_get32(c);
	config->nested = save_get32(c);
	config->tuning.joint_threads = save_get32(c);
	config->kernel_format = save_get32(c) ? IMAGE_RAW : IMAGE_ELF;
	saved->kernel = save_get_string(c);
	saved->initrd = save_get_string(c);
	saved->append = save_get_string(c);
	if (c->bad)
		ret = save_damaged(r, "its configuration is not whole", e);
	else if (!config->machine)
		ret = error_set(
			e, -EINVAL,
			"the saved state is of a machine \"%s\" (%s), which is not among those "
			"that there are here.",
			name ? name : "", arch ? arch : "");
	else if (!config->memory || config->memory % config->machine->memory_unit ||
		 !config->cores || config->cores > 4096 || !config->threads ||
		 config->threads > config->machine->max_threads ||
		 (config->threads & (config->threads - 1)))
		ret = save_damaged(r, "its machine has impossible sizes", e);
	free(name);
	free(arch);
	return ret;
}

/* The file, opened, its first section read into *config. */
static int open_state(const char *path, struct save_reader **r, struct vmm_config *config,
		      struct vmm_saved *saved, struct error *e)
{
	struct save_cursor c;
	uint32_t tag;
	int ret = save_reader_open(r, path, e);

	if (ret)
		return ret;
	ret = save_next(*r, &tag, &c, e);
	if (!ret && tag != TAG_MACHINE)
		ret = save_damaged(*r, "it does not begin with a machine", e);
	if (!ret)
		ret = get_config(*r, &c, config, saved, e);
	if (ret)
		save_reader_close(*r);
	return ret;
}

int vmm_read_saved(struct vmm_config *config, struct vmm_saved *saved, struct error *e)
{
	struct vmm_config found = *config;
	struct save_reader *r;
	int ret;

	*saved = (struct vmm_saved){0};
	ret = open_state(config->restore, &r, &found, saved, e);
	if (ret) {
		vmm_saved_free(saved);
		return ret;
	}
	save_reader_close(r);
	if (config->kernel)
		found.kernel_format = config->kernel_format;
	else
		found.kernel = saved->kernel;
	if (!config->initrd)
		found.initrd = saved->initrd;
	if (!config->append)
		found.append = saved->append;
	*config = found;
	return 0;
}

int vmm_can_save(const char *path, struct error *e)
{
	return save_writer_probe(path, e);
}

/* --- memory --- */

static int save_block(struct vm *vm, struct save_writer *w, uint64_t gpa, struct error *e)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint64_t left = (vm->ram.size - gpa) / PAGE_SIZE;
	unsigned n = left < BLOCK_PAGES ? (unsigned)left : BLOCK_PAGES;
	const uint8_t *page = vm->ram.base + gpa;
	uint8_t bitmap[BITMAP_SIZE] = {0};
	bool any = false;

	for (unsigned i = 0; i < n; i++)
		if (memcmp(page + (size_t)i * PAGE_SIZE, zeros, PAGE_SIZE)) {
			bitmap[i / 8] |= (uint8_t)(1u << i % 8);
			any = true;
		}
	if (!any)
		return 0;
	save_put64(w, gpa);
	save_put(w, bitmap, sizeof(bitmap));
	for (unsigned i = 0; i < n; i++)
		if (bitmap[i / 8] >> i % 8 & 1)
			save_put(w, page + (size_t)i * PAGE_SIZE, PAGE_SIZE);
	return save_section(w, TAG_MEMORY, e);
}

static int restore_block(struct vm *vm, struct save_reader *r, struct save_cursor *c,
			 struct error *e)
{
	uint64_t gpa = save_get64(c);
	uint8_t bitmap[BITMAP_SIZE];
	const uint8_t *page;

	save_get(c, bitmap, sizeof(bitmap));
	for (unsigned i = 0; i < BLOCK_PAGES && !c->bad; i++) {
		if (!(bitmap[i / 8] >> i % 8 & 1))
			continue;
		page = save_take(c, PAGE_SIZE);
		if (!page || gpa > vm->ram.size || (gpa & (PAGE_SIZE - 1)) ||
		    !vm_mem(vm, gpa + (uint64_t)i * PAGE_SIZE, PAGE_SIZE))
			return save_damaged(r, "a block of memory is out of place", e);
		memcpy(vm->ram.base + gpa + (size_t)i * PAGE_SIZE, page, PAGE_SIZE);
	}
	if (c->bad || save_left(c))
		return save_damaged(r, "a block of memory has the wrong size", e);
	return 0;
}

/* --- all --- */

int save_vm(struct vm *vm, struct error *e)
{
	struct save_writer *w;
	int ret = save_writer_open(&w, vm->config->save, e);

	if (ret)
		return ret;
	ret = save_config(vm, w, e);
	if (!ret)
		ret = vm->machine->save(vm, w, e);
	for (uint64_t gpa = 0; gpa < vm->ram.size && !ret; gpa += BLOCK_SIZE)
		ret = save_block(vm, w, gpa, e);
	if (ret) {
		save_writer_abort(w);
		return ret;
	}
	return save_writer_commit(w, e);
}

int restore_vm(struct vm *vm, struct error *e)
{
	struct vmm_config found = *vm->config;
	struct vmm_saved saved = {0};
	struct save_reader *r;
	struct save_cursor c;
	uint32_t tag;
	int ret;

	ret = open_state(vm->config->restore, &r, &found, &saved, e);
	vmm_saved_free(&saved);
	if (ret)
		return ret;
	/* Another file may have the name now. */
	if (found.machine != vm->machine || found.memory != vm->config->memory ||
	    found.cores != vm->config->cores || found.threads != vm->config->threads)
		ret = save_damaged(r, "it is another one than a moment ago", e);
	while (!ret) {
		ret = save_next(r, &tag, &c, e);
		if (ret || tag == SAVE_END)
			break;
		if (tag == TAG_MEMORY) {
			ret = restore_block(vm, r, &c, e);
			continue;
		}
		ret = vm->machine->restore(vm, r, tag, &c, e);
		if (!ret && (c.bad || save_left(&c)))
			ret = save_damaged(r, "a section has the wrong size", e);
	}
	if (!ret)
		ret = vm->machine->restored(vm, r, e);
	save_reader_close(r);
	return ret;
}
