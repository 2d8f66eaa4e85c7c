/*
 * The control socket's server over a fake hypervisor: what it makes of statistics of any shape,
 * long answers to slow readers, and machines that come and go.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "kvm/abi/mappings.h"
#include "vmm/control.h"
#include "vmm/control_path.h"
#include "vmm_fake.h"

#define STATS_VM   300
#define STATS_VCPU 301
#define NAME_SIZE  16

/* --- a hypervisor with statistics and page tables --- */

static struct {
	struct kvm_stats_header header;
	struct entry {
		struct kvm_stats_desc desc;
		char name[NAME_SIZE];
	} entry[4];
	uint64_t data[8];
} file;

static bool have_stats;
static uint64_t nr_ranges;
static _Atomic unsigned mapping_calls;

static void good_file(void)
{
	memset(&file, 0, sizeof(file));
	file.header = (struct kvm_stats_header){
		.name_size = NAME_SIZE,
		.num_desc = 4,
		.desc_offset = offsetof(__typeof__(file), entry),
		.data_offset = offsetof(__typeof__(file), data),
	};
	file.entry[0] = (struct entry){{.size = 1, .offset = 0}, "plain"};
	file.entry[1] = (struct entry){
		{.flags = KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BYTES, .size = 1, .offset = 8},
		"size"};
	/* A histogram of 4 values; and a time in microseconds, a unit that the protocol has not. */
	file.entry[2] = (struct entry){{.flags = 4, .size = 4, .offset = 16}, "histogram"};
	file.entry[3] = (struct entry){
		{.flags = KVM_STATS_UNIT_SECONDS, .exponent = -6, .size = 1, .offset = 48}, "time"};
	for (unsigned i = 0; i < 8; i++)
		file.data[i] = 100 + i;
}

/* nr_ranges of 4 KiB, none of which continues another; no nested guests. */
static int get_mappings(struct kvm_mappings *m)
{
	struct kvm_mapping *out = (void *)(uintptr_t)m->entries;
	uint64_t at = m->start >> 13;
	uint32_t n = 0;

	mapping_calls++;
	if (m->flags & KVM_MAPPINGS_NESTED)
		return -ENOENT;
	for (; n < m->nr && at < nr_ranges; n++, at++)
		out[n] = (struct kvm_mapping){.gpa = at << 13,
					      .size = 4096,
					      .host = at,
					      .page_shift = 12,
					      .flags = at % 32};
	m->nr = n;
	m->start = at << 13;
	m->done = at == nr_ranges;
	return 0;
}

static int control_ioctl(struct kvm *k, int fd, uint64_t request, void *arg)
{
	switch (fake_common(request)) {
	case KVM_GET_STATS_FD:
		return !have_stats ? -ENOTTY : fd == FAKE_VM ? STATS_VM : STATS_VCPU;
	case KVM_ANYKVM_GET_MAPPINGS:
		return get_mappings(arg);
	}
	return fake_ioctl(k, fd, request, arg);
}

static int64_t control_pread(struct kvm *k, int fd, void *buf, size_t size, uint64_t offset)
{
	(void)k;
	assert_true(fd == STATS_VM || fd == STATS_VCPU);
	if (offset >= sizeof(file))
		return 0;
	if (size > sizeof(file) - offset)
		size = sizeof(file) - offset;
	memcpy(buf, (const char *)&file + offset, size);
	return (int64_t)size;
}

/* --- the test's side --- */

static char directory[] = "/tmp/anykvm-test-XXXXXX";
static struct kvm_backend backend;
static struct fake_machine machine;
static struct control *control;

static void begin(void)
{
	struct vmm_config config = fake_config;
	struct error e;

	backend = fake_backend;
	backend.ioctl = control_ioctl;
	backend.pread = control_pread;
	config.backend = &backend;
	config.kernel = "a\nb";
	config.cores = 2;
	fake_machine_create(&machine, &config);
	assert_int_equal(control_create(&control, &e), 0);
}

static void end(void)
{
	control_destroy(control);
	fake_machine_destroy(&machine);
}

static int ask(const char *request)
{
	struct error e;
	int fd = control_request(getpid(), request, &e);

	assert_true(fd >= 0);
	return fd;
}

/* All of an answer, to be freed. */
static char *answer(int fd, size_t *size)
{
	size_t n = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t got;

	while ((got = recv(fd, text + n, room - n - 1, 0)) > 0) {
		n += (size_t)got;
		if (room - n < 4096)
			text = realloc(text, room *= 2);
	}
	assert_int_equal(got, 0);
	close(fd);
	text[n] = 0;
	if (size)
		*size = n;
	return text;
}

static void expect(const char *request, const char *wanted)
{
	char *text = answer(ask(request), NULL);

	if (strcmp(text, wanted) && !(wanted[0] == '*' && strstr(text, wanted + 1)))
		fail_msg("\"%s\" gives:\n%s\nand not:\n%s", request, text, wanted);
	free(text);
}

/* --- tests --- */

static void values(void **state)
{
	(void)state;
	good_file();
	have_stats = true;
	begin();
	control_attach(control, &machine.vm);
	expect("stat",
	       "*\nvm plain counter - 100\nvm size gauge bytes 101\nvm time counter other 106\n"
	       "vcpu 0 plain counter - 100\n");
	expect("stat", "*vcpu 1 time counter other 106\nend\n");
	/* A path that would be two lines is one. */
	expect("info", "*\ninfo kernel a?b\nend\n");
	expect("info", "*ok anykvm 1\ninfo machine pseries\n");
	control_detach(control);
	end();
}

static void no_values(void **state)
{
	(void)state;
	have_stats = false;
	begin();
	control_attach(control, &machine.vm);
	expect("stat", "*error the hypervisor \"fake\" keeps no statistics.\n");
	control_detach(control);
	end();
}

/* Descriptors that would lead out of what was read. */
static void bad_descriptors(void **state)
{
	(void)state;
	have_stats = true;
	for (unsigned i = 0; i < 7; i++) {
		good_file();
		switch (i) {
		case 0:
			file.header.name_size = 0;
			break;
		case 1:
			file.header.name_size = 1 << 30;
			break;
		case 2:
			file.header.num_desc = UINT32_MAX;
			break;
		case 3:
			file.header.desc_offset = sizeof(file) - 8;
			break;
		case 4:
			file.entry[1].desc.offset = 0xfffffff8;
			break;
		case 5:
			file.entry[1].desc.offset = 4;
			break;
		case 6:
			memset(file.entry[0].name, 'x', NAME_SIZE);
			break;
		}
		begin();
		control_attach(control, &machine.vm);
		expect("stat", "*error the hypervisor \"fake\" keeps no statistics.\n");
		control_detach(control);
		end();
	}
	/* Data that cannot be read later. */
	good_file();
	file.header.data_offset = sizeof(file) - 8;
	begin();
	control_attach(control, &machine.vm);
	expect("stat", "*error the hypervisor's statistics cannot be read.\n");
	control_detach(control);
	end();
}

static void long_answer(void **state)
{
	size_t size;
	char *text;

	(void)state;
	nr_ranges = 100000;
	begin();
	control_attach(control, &machine.vm);
	text = answer(ask("mappings"), &size);
	assert_true(size > 2000000);
	assert_memory_equal(text, "ok anykvm 1\ntree own\nmap 0 1000 0 0 12 -----\n", 38);
	assert_non_null(strstr(text, "\nmap 30d3e000 1000 1869f 0 12 rwxRC\nend\n"));
	free(text);
	control_detach(control);
	end();
}

static void wait_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* Who does not read makes the server stop, not swell; others are served meanwhile. */
static void slow_reader(void **state)
{
	unsigned calls;
	int fd;

	(void)state;
	good_file();
	have_stats = true;
	nr_ranges = 1000000;
	mapping_calls = 0;
	begin();
	control_attach(control, &machine.vm);
	fd = ask("mappings");
	do {
		calls = mapping_calls;
		wait_ms(50);
	} while (calls != mapping_calls || !calls);
	assert_true(calls < 1000);
	expect("info", "*end\n");
	assert_int_equal(calls, mapping_calls);
	/* The machine goes, another comes: the answer says so where it is. */
	control_detach(control);
	control_attach(control, &machine.vm);
	{
		char *text = answer(fd, NULL);

		assert_non_null(strstr(
			text, "\nerror the virtual machine was reset meanwhile; ask again.\n"));
		free(text);
	}
	control_detach(control);
	end();
}

/* Who asks before there is a machine, or between two, waits for it. */
static void early(void **state)
{
	struct pollfd p = {.events = POLLIN};
	char *text;
	int gone;

	(void)state;
	begin();
	for (unsigned i = 0; i < 3; i++) {
		p.fd = ask("info");
		gone = ask("info");
		wait_ms(20);
		assert_int_equal(poll(&p, 1, 0), 0);
		close(gone);
		wait_ms(5);
		control_attach(control, &machine.vm);
		text = answer(p.fd, NULL);
		assert_non_null(strstr(text, "\nend\n"));
		free(text);
		control_detach(control);
	}
	/* The end comes instead. */
	p.fd = ask("info");
	wait_ms(5);
	end();
	text = answer(p.fd, NULL);
	assert_string_equal(text, "");
	free(text);
}

static void none(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(control_request(getpid(), "info", &e), -ENOENT);
	assert_non_null(strstr(e.text, "runs no virtual machine"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(no_values),
		cmocka_unit_test(bad_descriptors),
		cmocka_unit_test(long_answer),
		cmocka_unit_test(slow_reader),
		cmocka_unit_test(early),
		cmocka_unit_test(none),
	};
	char command[64];
	int failed;

	if (!mkdtemp(directory) || setenv("XDG_RUNTIME_DIR", directory, 1))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "%s/anykvm", directory);
	rmdir(command);
	rmdir(directory);
	return failed;
}
