/* The anykvm command: finds the subcommand. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vmm/machine.h"

#ifndef ANYKVM_VERSION
#define ANYKVM_VERSION "0.1"
#endif

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);

static const struct command commands[] = {
	{"run", "run a virtual machine", command_run},
	{"stat", "show what running virtual machines do", command_stat},
	{"help", "describe the command or one of its subcommands", command_help},
	{"version", "print the version", command_version},
};

static const struct command *find_command(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int command_help(int argc, char **argv)
{
	char *help[] = {argv[0], "--help", NULL};
	const struct command *c;

	if (argc > 1) {
		c = find_command(argv[1]);
		if (!c || c->run == command_help || c->run == command_version) {
			if (!c) {
				complain("there is no subcommand \"%s\"; see 'anykvm help'.",
					 argv[1]);
				return EXIT_USAGE;
			}
		} else {
			return c->run(2, help);
		}
	}
	printf("usage: anykvm SUBCOMMAND [OPTION...]\n\n"
	       "KVM in user space over software processors: runs virtual machines of\n"
	       "other architectures, or without /dev/kvm.\n\nSubcommands:\n");
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s %s\n", commands[i].name, commands[i].summary);
	printf("\n'anykvm SUBCOMMAND --help' lists a subcommand's options.\n\nMachines:\n");
	for (unsigned i = 0; machine_at(i); i++)
		printf("  %-9s %s (%s)\n", machine_at(i)->arch_name, machine_at(i)->description,
		       machine_at(i)->name);
	printf("\nExit status:\n"
	       "  %d  the guest powered itself off\n"
	       "  %d  anykvm, the hypervisor or the host failed\n"
	       "  %d  the command line is wrong, or asks for more than there is\n"
	       "  %d  kernel or initial RAM disk cannot be loaded\n"
	       "  %d  the guest panicked, or stopped for good\n"
	       "  %d  the user ended it with Ctrl-A x, or with a signal that saved its state\n"
	       "  %d  the guest rebooted and --no-reboot was given\n"
	       "  %d  the reader of the guest's console went away\n",
	       EXIT_POWER_OFF, EXIT_ANYKVM, EXIT_USAGE, EXIT_IMAGE, EXIT_CRASH, EXIT_QUIT,
	       EXIT_REBOOT, EXIT_PIPE);
	return 0;
}

static int command_version(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		complain("version takes no arguments.");
		return EXIT_USAGE;
	}
	printf("anykvm %s\n", ANYKVM_VERSION);
	return 0;
}

/*
 * Descriptors 0 to 2 that the parent closed: files opened later must not take their numbers. The
 * one put there can be read, and is at its end; writing to it fails.
 */
static void plug_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			return;
}

static int run_command(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		complain("give a subcommand, such as 'anykvm run'; see 'anykvm help'.");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return command_help(1, argv + 1);
	if (!strcmp(argv[1], "--version"))
		return command_version(1, argv + 1);
	c = find_command(argv[1]);
	if (!c) {
		complain("there is no subcommand \"%s\"; see 'anykvm help'.", argv[1]);
		return EXIT_USAGE;
	}
	return c->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status;

	plug_standard_descriptors();
	/* Translations that one thread makes another may free: in arenas of their own they would add up. */
	mallopt(M_ARENA_MAX, 1);
	status = run_command(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write to standard output (%s).", strerror(errno));
		return EXIT_ANYKVM;
	}
	return status;
}
