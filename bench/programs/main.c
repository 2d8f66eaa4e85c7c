/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one workload, or times another program; see usage(). */
#include "bench.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct workload *const groups[] = {
	integer_workloads,
	memory_workloads,
	process_workloads,
};

static const char usage[] =
	"Usage: bench list                    the names of the workloads, and what they are\n"
	"       bench run NAME [PERCENT]      runs a workload, or PERCENT of its work\n"
	"       bench parallel N NAME [PERCENT]  the same in N processes, each on a processor\n"
	"       bench time NAME COMMAND...    times a command, under this name\n"
	"       bench text FILE BYTES         writes text that compresses like text\n"
	"       bench nothing                 ends at once (what `exec` executes)\n"
	"\n"
	"`run`, `time` and `parallel`, whose name is NAME:N, print `bench: begin NAME` and\n"
	"`bench: end NAME SECONDS CHECKSUM`.\n";

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(const char *name)
{
	printf("bench: begin %s\n", name);
	fflush(stdout);
}

static void end(const char *name, double seconds, uint64_t sum)
{
	printf("bench: end %s %.6f %016" PRIx64 "\n", name, seconds, sum);
	fflush(stdout);
}

static const struct workload *find(const char *name)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (const struct workload *w = groups[i]; w->name; w++)
			if (!strcmp(w->name, name))
				return w;
	return NULL;
}

static void list(void)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (const struct workload *w = groups[i]; w->name; w++)
			printf("%s\t%s\n", w->name, w->what);
}

static int run(const char *name, const char *percent)
{
	const struct workload *w = find(name);
	uint64_t count, sum;
	double start;

	if (!w) {
		fprintf(stderr, "bench: there is no workload '%s'.\n", name);
		return 2;
	}
	count = w->count * strtoull(percent, NULL, 10) / 100;
	begin(name);
	start = now();
	sum = w->run(count ? count : 1);
	end(name, now() - start, sum);
	return 0;
}

/* A process: binds itself to the n-th processor, waits for `go`, works, and says its checksum. */
static void work_on(const struct workload *w, uint64_t count, unsigned n, int go, int result)
{
	cpu_set_t allowed, one;
	uint64_t sum;
	int cpu = -1;
	char byte;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		die("sched_getaffinity");
	do {
		if (++cpu == CPU_SETSIZE) {
			fputs("bench: there are fewer processors.\n", stderr);
			exit(1);
		}
	} while (!CPU_ISSET(cpu, &allowed) || n--);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
	/* That it is there, then that all are. */
	if (write(result, "", 1) != 1 || read(go, &byte, 1) < 0)
		die("pipe");
	sum = w->run(count);
	if (write(result, &sum, sizeof(sum)) != sizeof(sum))
		die("pipe");
	exit(0);
}

static int run_parallel(const char *number, const char *name, const char *percent)
{
	const struct workload *w = find(name);
	enum { most = 64 };
	unsigned processes = (unsigned)strtoul(number, NULL, 10);
	int go[2], end_of[2], result[most], status, failed = 0;
	uint64_t count, sum = 0, other;
	char label[64], byte;
	double start;

	if (!w || !processes || processes > most) {
		fprintf(stderr, "bench: cannot run '%s' in %s processes.\n", name, number);
		return 2;
	}
	count = w->count * strtoull(percent, NULL, 10) / 100;
	if (!count)
		count = 1;
	snprintf(label, sizeof(label), "%s:%u", name, processes);
	if (pipe(go))
		die("pipe");
	for (unsigned i = 0; i < processes; i++) {
		pid_t pid;

		/* One each: if a process fails, its pipe ends. */
		if (pipe(end_of))
			die("pipe");
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid) {
			close(go[1]);
			work_on(w, count, i, go[0], end_of[1]);
		}
		close(end_of[1]);
		result[i] = end_of[0];
	}
	for (unsigned i = 0; i < processes; i++)
		if (read(result[i], &byte, 1) != 1)
			return 1;
	begin(label);
	start = now();
	/* The end of the file wakes them all. */
	close(go[0]);
	close(go[1]);
	for (unsigned i = 0; i < processes; i++) {
		if (read(result[i], &other, sizeof(other)) != sizeof(other))
			return 1;
		failed |= i && other != sum;
		sum = other;
	}
	start = now() - start;
	while (wait(&status) > 0)
		failed |= status;
	if (failed) {
		fputs("bench: the processes differ, or one failed.\n", stderr);
		return 1;
	}
	end(label, start, sum);
	return 0;
}

static int time_command(const char *name, char **command)
{
	double start;
	int status;
	pid_t pid;

	begin(name);
	start = now();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "bench: %s failed with wait status %#x.\n", command[0],
			(unsigned)status);
		return 1;
	}
	end(name, now() - start, 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "list")) {
		list();
		return 0;
	}
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "run"))
		return run(argv[2], argc == 4 ? argv[3] : "100");
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "parallel"))
		return run_parallel(argv[2], argv[3], argc == 5 ? argv[4] : "100");
	if (argc >= 4 && !strcmp(argv[1], "time"))
		return time_command(argv[2], argv + 3);
	if (argc == 4 && !strcmp(argv[1], "text")) {
		generate_text(argv[2], strtoull(argv[3], NULL, 10));
		return 0;
	}
	fputs(usage, stderr);
	return 2;
}
