/* anykvm run: describe a virtual machine by options, run it, report its end. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vmm/console.h"
#include "vmm/control.h"
#include "vmm/machine.h"
#include "vmm/vmm.h"

struct run_options {
	struct vmm_config config;
	const char *arch;
	const char *backend;
	bool help;
	bool perf_map;
	const char *jit_dump;
	int perf_map_error, jit_dump_error; /* errno of writes there that failed */
	struct settings settings;
	bool independent_threads; /* given, not the settings' default */
	bool threads_given;
	struct vmm_saved saved;
};

#define DEFAULT_MEMORY (UINT64_C(512) << 20)

static int set_arch(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->arch = value;
	return 0;
}

static int set_kernel(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->config.kernel = value;
	return 0;
}

static int set_initrd(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->config.initrd = value;
	return 0;
}

static int set_append(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->config.append = value;
	return 0;
}

static int set_memory(void *into, const char *name, const char *value)
{
	struct run_options *o = into;

	if (!parse_size(value, &o->config.memory) || !o->config.memory) {
		complain("%s takes a size such as 512M or 2G, not \"%s\".", name, value);
		return -1;
	}
	return 0;
}

static int set_smp(void *into, const char *name, const char *value)
{
	struct run_options *o = into;

	if (!parse_smp(value, &o->config.cores, &o->config.threads)) {
		complain("%s takes a number of processors (1 to %u) or cores=N,threads=M, not "
			 "\"%s\".", name, SMP_PART_MAX, value);
		return -1;
	}
	return 0;
}

static int set_backend(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->backend = value;
	return 0;
}

static int set_kernel_format(void *into, const char *name, const char *value)
{
	struct run_options *o = into;

	if (!strcmp(value, "elf")) {
		o->config.kernel_format = IMAGE_ELF;
	} else if (!strcmp(value, "raw")) {
		o->config.kernel_format = IMAGE_RAW;
	} else {
		complain("%s takes elf or raw, not \"%s\".", name, value);
		return -1;
	}
	return 0;
}

static int set_nested(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct run_options *)into)->config.nested = true;
	return 0;
}

static int set_no_reboot(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct run_options *)into)->config.no_reboot = true;
	return 0;
}

static int set_perf_map(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct run_options *)into)->perf_map = true;
	return 0;
}

static int set_jit_dump(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->jit_dump = value;
	return 0;
}

static int set_trace_exits(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct run_options *)into)->config.trace_exits = true;
	return 0;
}

/* on or off, for a member that says the contrary */
static int set_off(bool *off, const char *name, const char *value)
{
	if (!strcmp(value, "on")) {
		*off = false;
	} else if (!strcmp(value, "off")) {
		*off = true;
	} else {
		complain("%s takes on or off, not \"%s\".", name, value);
		return -1;
	}
	return 0;
}

static int set_jit(void *into, const char *name, const char *value)
{
	struct kvm_tuning *t = &((struct run_options *)into)->config.tuning;

	t->lockstep = !strcmp(value, "lockstep");
	if (t->lockstep) {
		t->no_jit = false;
		return 0;
	}
	if (!strcmp(value, "on") || !strcmp(value, "off"))
		return set_off(&t->no_jit, name, value);
	complain("%s takes on, off or lockstep, not \"%s\".", name, value);
	return -1;
}

static int set_jit_level(void *into, const char *name, const char *value)
{
	unsigned level = (unsigned)(*value - '0');

	if (level > KVM_HOST_LEVELS || value[1]) {
		complain("%s takes a number from 0 to %u, not \"%s\".", name, KVM_HOST_LEVELS, value);
		return -1;
	}
	((struct run_options *)into)->config.tuning.jit_without = KVM_HOST_LEVELS - level;
	return 0;
}

/* For the code of several kernels, if --translations does not say. */
#define NESTED_TRANSLATIONS (UINT64_C(96) << 20)

static int set_translations(void *into, const char *name, const char *value)
{
	struct kvm_tuning *t = &((struct run_options *)into)->config.tuning;

	if (parse_size(value, &t->translation_bytes) && t->translation_bytes >= (2 << 20) &&
	    t->translation_bytes <= (UINT64_C(1) << 30))
		return 0;
	complain("%s takes a size from 2M to 1G, not \"%s\".", name, value);
	return -1;
}

static int set_optimise(void *into, const char *name, const char *value)
{
	return set_off(&((struct run_options *)into)->config.tuning.no_optimise, name, value);
}

static int set_independent_threads(void *into, const char *name, const char *value)
{
	struct run_options *o = into;

	o->threads_given = true;
	if (parse_bool(value, &o->independent_threads))
		return 0;
	complain("%s takes on or off, not \"%s\".", name, value);
	return -1;
}

static int set_save(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->config.save = value;
	return 0;
}

static int set_restore(void *into, const char *name, const char *value)
{
	(void)name;
	((struct run_options *)into)->config.restore = value;
	return 0;
}

static int set_check_ir(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct run_options *)into)->config.tuning.check_ir = true;
	return 0;
}

static int set_help(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct run_options *)into)->help = true;
	return 0;
}

/* clang-format off */
static const struct option_def options[] = {
	{{"--kernel", "-k", "-kernel"}, "FILE",
	 "the guest's kernel: an ELF image (vmlinux)", set_kernel},
	{{"--initrd", "-i", "-initrd"}, "FILE", "its initial RAM disk", set_initrd},
	{{"--append", "-p", "-append", "--params"}, "TEXT", "its command line", set_append},
	{{"--memory", "-m", "--mem"}, "SIZE",
	 "its memory, with suffix K, M, G or T\n(no suffix: M); a multiple of 16M; default\n512M", set_memory},
	{{"--smp", "-c", "-smp", "--cpus"}, "N",
	 "its processors: a number, or cores=N,\nthreads=M; default 1", set_smp},
	{{"--arch"}, "ARCH", "its architecture: ppc64le; default: what\nthe kernel is for", set_arch},
	{{"--backend"}, "NAME",
	 "the hypervisor: anykvm (the one built in),\nkvm (the host's /dev/kvm), or auto (kvm\n"
	 "where it can run the guest); default auto", set_backend},
	{{"--nested"}, NULL, "let the guest run guests of its own with KVM", set_nested},
	{{"--independent-threads"}, "on|off",
	 "off: of a core's threads, one at a time is in\na nested guest; default on",
	 set_independent_threads},
	{{"--no-reboot", "-no-reboot"}, NULL, "end when the guest reboots", set_no_reboot},
	{{"--save-on-exit"}, "FILE",
	 "when the user ends the run (Ctrl-A x, or\nSIGINT, SIGTERM, SIGHUP), save its state",
	 set_save},
	{{"--restore"}, "FILE", "begin with a saved state, not with a kernel", set_restore},
	{{"--kernel-format"}, "FORMAT",
	 "elf, or raw for a memory image that is\nentered at address 0; default elf",
	 set_kernel_format},
	{{"--jit"}, "on|off|lockstep",
	 "compile hot guest code, or interpret all of\nit; lockstep: do both and compare, on one\n"
	 "processor (very slow); default on", set_jit},
	{{"--jit-level"}, "0|1|2|3|4",
	 "compile as for a host with fewer features: 0\nis what all x86-64 have; default 4, all", set_jit_level},
	{{"--translations"}, "SIZE",
	 "memory for translated guest code; what was\nnot used lately makes room for more; default\n42M, 4M less for each further\nvCPU, at least 28M; with --nested 96M",
	 set_translations},
	{{"--optimise"}, "on|off", "optimise the intermediate code; default on", set_optimise},
	{{"--check-ir"}, NULL, "verify each translation (slow)", set_check_ir},
	{{"--perf-map"}, NULL, "name compiled guest code in\n/tmp/perf-PID.map, for perf report",
	 set_perf_map},
	{{"--jit-dump"}, "FILE", "write what is compiled to FILE: guest, IR\nand host instructions",
	 set_jit_dump},
	{{"--trace-exits"}, NULL, "print each exit to the VMM on standard\nerror", set_trace_exits},
	{{"--help", "-h", "-help"}, NULL, "this text", set_help},
};
/* clang-format on */

static void run_help(void)
{
	printf("usage: anykvm run --kernel FILE [OPTION...]\n"
	       "       anykvm run --restore FILE [OPTION...]\n\n"
	       "Runs a virtual machine. Its console is standard input and output. On a\n"
	       "terminal, Ctrl-A x ends it and Ctrl-A h lists such commands.\n\nOptions:\n");
	options_help(options, ARRAY_SIZE(options));
	printf("\nExample:\n"
	       "  anykvm run -k vmlinux -i initramfs.cpio.gz -p console=hvc0 -m 2G -c 2\n");
}

static int choose_machine(struct run_options *o)
{
	struct elf_arch elf;
	struct error e;
	char text[64];
	int ret;

	if (o->arch) {
		o->config.machine = machine_by_arch(o->arch);
		if (o->config.machine)
			return 0;
		complain("there is no machine for --arch \"%s\"; 'anykvm help' lists those there "
			 "are.",
			 o->arch);
		return EXIT_USAGE;
	}
	if (o->config.kernel_format == IMAGE_RAW) {
		complain("a raw image does not tell its architecture; give --arch.");
		return EXIT_USAGE;
	}
	ret = probe_kernel(o->config.kernel, &elf, &e);
	if (ret) {
		complain("%s", e.text);
		return EXIT_IMAGE;
	}
	o->config.machine = machine_by_elf(elf.machine);
	if (o->config.machine)
		return 0;
	elf_arch_text(&elf, text, sizeof(text));
	complain("\"%s\" is for %s, for which there is no machine here; 'anykvm help' lists those "
		 "there are.",
		 o->config.kernel, text);
	return EXIT_IMAGE;
}

static int choose_backend(struct run_options *o)
{
	const char *name = o->backend ? o->backend : "auto";
	bool usable = devkvm_usable(o->config.machine->arch);

	if (!strcmp(name, "anykvm") || (!strcmp(name, "auto") && !usable)) {
		o->config.backend = &kvm_backend_anykvm;
	} else if (!strcmp(name, "auto") || (!strcmp(name, "kvm") && usable)) {
		o->config.backend = &kvm_backend_devkvm;
	} else if (!strcmp(name, "kvm")) {
		complain("the host's /dev/kvm is not there or cannot run %s guests; use --backend "
			 "anykvm.",
			 o->config.machine->arch_name);
		return EXIT_USAGE;
	} else {
		complain("--backend takes auto, anykvm or kvm, not \"%s\".", name);
		return EXIT_USAGE;
	}
	return 0;
}

/* A saved state says what machine it is of; for others, what was not given. */
static int complete_config(struct run_options *o)
{
	struct vmm_config *config = &o->config;
	struct error e;

	if (!config->restore) {
		config->memory = config->memory ? config->memory : DEFAULT_MEMORY;
		config->cores = config->cores ? config->cores : 1;
		config->threads = config->threads ? config->threads : 1;
		return 0;
	}
	if (config->memory || config->cores || config->nested || o->arch || o->threads_given) {
		complain("memory, processors, --arch, --nested and --independent-threads are those "
			 "of the saved state; leave them out with --restore.");
		return EXIT_USAGE;
	}
	if (vmm_read_saved(config, &o->saved, &e)) {
		complain("%s", e.text);
		return EXIT_IMAGE;
	}
	o->threads_given = true;
	o->independent_threads = !config->tuning.joint_threads;
	return 0;
}

static int check_save(const struct vmm_config *config)
{
	struct error e;

	if (!config->save || !vmm_can_save(config->save, &e))
		return 0;
	complain("%s", e.text);
	return EXIT_USAGE;
}

/* The terminal may be in raw mode. */
static void report(const char *sentence)
{
	fprintf(stderr, "\r\nanykvm: %s\r\n", sentence);
}

/* Files for what is compiled, if anything is. */
static int open_traces(struct run_options *o)
{
	struct kvm_tuning *t = &o->config.tuning;
	const char *name = o->perf_map ? "--perf-map" : "--jit-dump";

	if (!o->perf_map && !o->jit_dump)
		return 0;
	if (o->config.backend != &kvm_backend_anykvm || t->no_jit) {
		complain("%s is about guest code that is compiled, which --backend kvm and --jit off "
			 "do not do; leave it out.",
			 name);
		return EXIT_USAGE;
	}
	if (o->perf_map) {
		t->perf_map_fd = open_perf_map();
		if (t->perf_map_fd < 0)
			return EXIT_ANYKVM;
		t->perf_map_error = &o->perf_map_error;
	}
	if (o->jit_dump) {
		t->jit_dump_fd = open_jit_dump(o->jit_dump);
		if (t->jit_dump_fd < 0)
			return EXIT_USAGE;
		t->jit_dump_error = &o->jit_dump_error;
	}
	return 0;
}

/* The guest's end, or what is said of files that are not complete. */
static int trace_status(const struct run_options *o, int status)
{
	if (o->jit_dump_error)
		complain("the dump %s is not complete (%s).", o->jit_dump, strerror(o->jit_dump_error));
	if (o->perf_map_error)
		complain("the perf map is not complete (%s).", strerror(o->perf_map_error));
	return (o->jit_dump_error || o->perf_map_error) && !status ? EXIT_ANYKVM : status;
}

/* Lockstep puts memory back and does again what changed it: nobody else may look. */
static int check_lockstep(const struct vmm_config *config)
{
	if (!config->tuning.lockstep)
		return 0;
	if (config->backend != &kvm_backend_anykvm) {
		complain("--jit lockstep is about code that anykvm compiles, which --backend kvm does "
			 "not do; leave it out.");
		return EXIT_USAGE;
	}
	if (config->cores * config->threads > 1) {
		complain("--jit lockstep compares the code of one processor, and the virtual machine has %u.",
			 config->cores * config->threads);
		return EXIT_USAGE;
	}
	return 0;
}

/* What the administrator says of nested guests. */
static int apply_settings(struct run_options *o)
{
	bool independent = o->threads_given ? o->independent_threads : o->settings.indep_threads;

	o->config.tuning.joint_threads = !independent;
	o->config.tuning.no_nested = !o->settings.nested;
	/* Without guests that boot the same kernel, less than one region in a hundred is found so. */
	o->config.tuning.no_twins = !o->config.nested;
	if (o->config.nested && !o->config.tuning.translation_bytes)
		o->config.tuning.translation_bytes = NESTED_TRANSLATIONS;
	if (!o->config.nested || o->settings.nested)
		return 0;
	complain("nested guests are forbidden on this host, by " SETTINGS_FILE " or ANYKVM_NESTED; %s.",
		 o->config.restore ? "the machine that was saved needs them" : "leave out --nested");
	return EXIT_USAGE;
}

static int check_sizes(const struct vmm_config *config)
{
	const struct machine *m = config->machine;

	if (config->memory % m->memory_unit) {
		complain("--memory has to be a multiple of %" PRIu64 "M on %s.",
			 m->memory_unit >> 20, m->arch_name);
		return EXIT_USAGE;
	}
	if (config->threads > m->max_threads || (config->threads & (config->threads - 1))) {
		complain("--smp threads= has to be a power of two up to %u on %s.", m->max_threads,
			 m->arch_name);
		return EXIT_USAGE;
	}
	return 0;
}

static int end_status(enum vmm_end end)
{
	switch (end) {
	case VMM_POWER_OFF:
		return EXIT_POWER_OFF;
	case VMM_RESET:
		return EXIT_REBOOT;
	case VMM_CRASH:
		return EXIT_CRASH;
	case VMM_SAVED:
	case VMM_QUIT:
		return EXIT_QUIT;
	case VMM_BAD_CONFIG:
		return EXIT_USAGE;
	case VMM_BAD_IMAGE:
		return EXIT_IMAGE;
	case VMM_OUTPUT_LOST: /* output_status's */
	case VMM_RUNS:
	case VMM_ERROR:
		break;
	}
	return EXIT_ANYKVM;
}

/*
 * The status after an end that has no message of its own, by what became of the console's last
 * output. A reader that went away is not worth one (`anykvm run ... | head`).
 */
static int output_status(enum vmm_end end, int lost)
{
	if (!lost || (end != VMM_OUTPUT_LOST && end != VMM_POWER_OFF && end != VMM_RESET))
		return end_status(end);
	if (lost == -EPIPE)
		return EXIT_PIPE;
	complain("cannot write the guest's console to standard output (%s); the virtual machine "
		 "has ended.",
		 strerror(-lost));
	return EXIT_ANYKVM;
}

static int check_output(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return 0;
	complain("standard output is not open for writing, and the guest's console goes there; "
		 "redirect it to a file or /dev/null.");
	return EXIT_ANYKVM;
}

static int run(struct vmm_config *config)
{
	struct console *console;
	bool raw, signals = false;
	pthread_t thread;
	enum vmm_end end;
	struct error e;
	int lost;

	if (config->save)
		end_signals_block();
	raw = terminal_raw(STDIN_FILENO);
	if (console_create(&console, STDIN_FILENO, STDOUT_FILENO, raw, &e)) {
		terminal_restore();
		complain("%s", e.text);
		return EXIT_ANYKVM;
	}
	/* Nobody asked for it: without, the machine runs as well. */
	if (control_create(&config->control, &e))
		complain("'anykvm stat' will not see this virtual machine: %s", e.text);
	if (config->save)
		signals = end_signals_start(&thread, console);
	end = vmm_run(config, console, &e);
	if (signals)
		end_signals_stop(thread);
	control_destroy(config->control);
	lost = console_destroy(console, end != VMM_QUIT);
	terminal_restore();
	if (e.text[0])
		complain("%s", e.text);
	return output_status(end, lost);
}

int command_run(int argc, char **argv)
{
	struct run_options o = {
		.config = {.report = report},
	};
	int ret;

	if (options_parse(options, ARRAY_SIZE(options), "run", &o, argc, argv))
		return EXIT_USAGE;
	if (o.help) {
		run_help();
		return 0;
	}
	if (!o.config.kernel && !o.config.restore) {
		complain("give the guest's kernel with --kernel FILE.");
		return EXIT_USAGE;
	}
	if (settings_load(&o.settings))
		return EXIT_USAGE;
	ret = complete_config(&o);
	if (!ret)
		ret = apply_settings(&o);
	if (!ret && !o.config.restore)
		ret = choose_machine(&o);
	if (!ret)
		ret = choose_backend(&o);
	if (!ret)
		ret = check_sizes(&o.config);
	if (!ret)
		ret = check_lockstep(&o.config);
	if (!ret)
		ret = check_output();
	if (!ret)
		ret = open_traces(&o);
	if (!ret)
		ret = check_save(&o.config);
	if (!ret)
		ret = trace_status(&o, run(&o.config));
	vmm_saved_free(&o.saved);
	return ret;
}
