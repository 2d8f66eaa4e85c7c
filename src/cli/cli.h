/*
 * The `anykvm` command: its subcommands, its exit status, and the terminal.
 */
#ifndef ANYKVM_CLI_CLI_H
#define ANYKVM_CLI_CLI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "util/compiler.h"

/* Exit status, as `anykvm help` and the manual page list it. */
enum exit_status {
	EXIT_POWER_OFF = 0, /* also of help and version */
	EXIT_ANYKVM = 1,    /* hypervisor, VMM or host failed */
	EXIT_USAGE = 2,     /* the command line is wrong, or asks for more than there is */
	EXIT_IMAGE = 3,     /* kernel or initial RAM disk cannot be loaded */
	EXIT_CRASH = 4,     /* the guest panicked or stopped for good */
	EXIT_QUIT = 5,      /* the user ended it */
	EXIT_REBOOT = 6,    /* the guest rebooted under --no-reboot */
	EXIT_PIPE = 141,    /* the console's reader went away: what SIGPIPE gives in a shell */
};

struct command {
	const char *name;
	const char *summary;
	/* argv[0] is the subcommand's name; gives the exit status. */
	int (*run)(int argc, char **argv);
};

int command_run(int argc, char **argv);
int command_stat(int argc, char **argv);

/* One line on standard error: "anykvm: " and a sentence. */
void PRINTF_LIKE(1, 2) complain(const char *fmt, ...);

/* --- options.c: a table of options --- */

struct option_def {
	const char *names[5]; /* as typed, with their dashes; the first is the one of --help */
	const char *arg;      /* what it takes, NULL if nothing */
	const char *help;     /* may hold newlines */
	/* 0, or -1 after complaining; `name` as typed. */
	int (*set)(void *into, const char *name, const char *value);
};

/* Parses argv[1..]: 0, or -1 after complaining. */
int options_parse(const struct option_def *defs, unsigned n, const char *command, void *into,
		  int argc, char **argv);
/* The same, of a command that takes operands: `operand` is called for each, as `set` is. */
int options_parse_operands(const struct option_def *defs, unsigned n, const char *command,
			   void *into, int (*operand)(void *into, const char *value), int argc,
			   char **argv);
void options_help(const struct option_def *defs, unsigned n);

/*
 * "2G" and the like in bytes: K, M, G, T for powers of 1024, bytes with B, MiB with no letter
 * (as QEMU and kvmtool take memory sizes). False if it is none or too large.
 */
bool parse_size(const char *s, uint64_t *bytes);

/* A decimal number in [1, max]; false if it is none. */
bool parse_count(const char *s, unsigned max, unsigned *out);

/* "4", or "cores=2,threads=2" with QEMU's sockets and cpus. False if contradictory or none. */
#define SMP_PART_MAX 4096 /* of each of its numbers */
bool parse_smp(const char *s, unsigned *cores, unsigned *threads);

/* --- settings.c: the administrator's --- */

#define SETTINGS_FILE "/etc/anykvm.conf"

struct settings {
	bool nested;        /* guests may be hypervisors themselves */
	bool indep_threads; /* the default of --independent-threads */
};

/* yes, no, on, off, 1, 0, ... False if it is none. */
bool parse_bool(const char *s, bool *out);

/* From a file, which need not be there. 0, or -1 after complaining. */
int settings_read(const char *path, struct settings *s);
/* From SETTINGS_FILE; the environment's ANYKVM_NESTED can forbid, too, what that allows. */
int settings_load(struct settings *s);

/* --- signals.c --- */

struct console;

/* SIGHUP, SIGINT and SIGTERM end the run by console_quit, from a thread: before others are made, then. */
void end_signals_block(void);
bool end_signals_start(pthread_t *thread, struct console *console);
void end_signals_stop(pthread_t thread);

/* --- trace_files.c: where `run` tells what it compiles --- */

/* /tmp/perf-PID.map, where perf looks for it: a descriptor, or -1 after complaining. */
int open_perf_map(void);
/* A file for --jit-dump, which is made anew. The same. */
int open_jit_dump(const char *path);

/* --- terminal.c --- */

/*
 * Raw mode on a terminal, for the one console of the process. It is undone whatever ends the
 * process: terminal_restore, exit, or a signal that kills it; stopped and continued, it is left
 * and re-entered. Nothing happens if fd is no terminal. True if raw mode is in force.
 */
bool terminal_raw(int fd);
void terminal_restore(void);

#endif
