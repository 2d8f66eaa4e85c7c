/* anykvm run: describe a virtual machine by options, run it, report its end. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vmm/console.h"
#include "vmm/machine.h"
#include "vmm/vmm.h"

struct run_options {
	struct vmm_config config;
	const char *arch;
	const char *backend;
	bool help;
};

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
		complain("%s takes a number of processors or cores=N,threads=M, not \"%s\".", name,
			 value);
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
	return set_off(&((struct run_options *)into)->config.tuning.no_jit, name, value);
}

static int set_optimise(void *into, const char *name, const char *value)
{
	return set_off(&((struct run_options *)into)->config.tuning.no_optimise, name, value);
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
	{{"--no-reboot", "-no-reboot"}, NULL, "end when the guest reboots", set_no_reboot},
	{{"--kernel-format"}, "FORMAT",
	 "elf, or raw for a memory image that is\nentered at address 0; default elf",
	 set_kernel_format},
	{{"--jit"}, "on|off", "compile hot guest code, or interpret all of\nit; default on", set_jit},
	{{"--optimise"}, "on|off", "optimise the intermediate code; default on", set_optimise},
	{{"--check-ir"}, NULL, "verify each translation (slow)", set_check_ir},
	{{"--trace-exits"}, NULL, "print each exit to the VMM on standard\nerror", set_trace_exits},
	{{"--help", "-h", "-help"}, NULL, "this text", set_help},
};
/* clang-format on */

static void run_help(void)
{
	printf("usage: anykvm run --kernel FILE [OPTION...]\n\n"
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

int command_run(int argc, char **argv)
{
	struct run_options o = {
		.config = {.memory = UINT64_C(512) << 20, .cores = 1, .threads = 1},
	};
	struct console *console;
	struct error e;
	enum vmm_end end;
	int ret, lost;
	bool raw;

	if (options_parse(options, ARRAY_SIZE(options), "run", &o, argc, argv))
		return EXIT_USAGE;
	if (o.help) {
		run_help();
		return 0;
	}
	if (!o.config.kernel) {
		complain("give the guest's kernel with --kernel FILE.");
		return EXIT_USAGE;
	}
	ret = choose_machine(&o);
	if (!ret)
		ret = choose_backend(&o);
	if (!ret)
		ret = check_sizes(&o.config);
	if (!ret)
		ret = check_output();
	if (ret)
		return ret;

	raw = terminal_raw(STDIN_FILENO);
	if (console_create(&console, STDIN_FILENO, STDOUT_FILENO, raw, &e)) {
		terminal_restore();
		complain("%s", e.text);
		return EXIT_ANYKVM;
	}
	end = vmm_run(&o.config, console, &e);
	lost = console_destroy(console, end != VMM_QUIT);
	terminal_restore();
	if (e.text[0])
		complain("%s", e.text);
	return output_status(end, lost);
}
