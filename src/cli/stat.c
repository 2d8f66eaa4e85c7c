/* anykvm stat: which machines run, what one of them does, what its page tables map. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/stat.h"
#include "cli/stat_mappings.h"
#include "vmm/control.h"

struct stat_options {
	pid_t pid;         /* 0: list machines */
	unsigned interval; /* seconds; 0: once */
	unsigned count;    /* 0: for ever */
	long lpid;         /* -1: not given */
	bool json, all, mappings, help;
};

/* --- options --- */

static int set_pid(void *into, const char *value)
{
	struct stat_options *o = into;
	unsigned pid;

	if (!parse_count(value, INT_MAX, &pid)) {
		complain("stat takes the number of a process, not \"%s\"; 'anykvm stat' lists "
			 "machines.",
			 value);
		return -1;
	}
	if (o->pid) {
		complain("stat shows one machine at a time; leave out \"%s\".", value);
		return -1;
	}
	o->pid = (pid_t)pid;
	return 0;
}

static int set_interval(void *into, const char *name, const char *value)
{
	struct stat_options *o = into;

	if (parse_count(value, 86400, &o->interval))
		return 0;
	complain("%s takes a whole number of seconds, 1 and more, not \"%s\".", name, value);
	return -1;
}

static int set_count(void *into, const char *name, const char *value)
{
	struct stat_options *o = into;

	if (parse_count(value, INT_MAX, &o->count))
		return 0;
	complain("%s takes a number of times, not \"%s\".", name, value);
	return -1;
}

static int set_lpid(void *into, const char *name, const char *value)
{
	struct stat_options *o = into;
	char *end;

	errno = 0;
	o->lpid = strtol(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && !errno && !*end && o->lpid <= 65535)
		return 0;
	complain("%s takes a logical partition number (0 to 65535), not \"%s\".", name, value);
	return -1;
}

static int set_json(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct stat_options *)into)->json = true;
	return 0;
}

static int set_all(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct stat_options *)into)->all = true;
	return 0;
}

static int set_mappings(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct stat_options *)into)->mappings = true;
	return 0;
}

static int set_help(void *into, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct stat_options *)into)->help = true;
	return 0;
}

/* clang-format off */
static const struct option_def options[] = {
	{{"--interval", "-i"}, "SECONDS", "show again and again, with rates", set_interval},
	{{"--count", "-n"}, "N", "show N times, then end", set_count},
	{{"--all", "-a"}, NULL, "show what is 0, too", set_all},
	{{"--json", "-j"}, NULL, "as JSON, an object a line", set_json},
	{{"--mappings", "-m"}, NULL,
	 "show instead what the second-stage page\ntables map, of nested guests, too", set_mappings},
	{{"--lpid"}, "N", "with --mappings: only of the nested guest\nof this logical partition number",
	 set_lpid},
	{{"--help", "-h"}, NULL, "this text", set_help},
};
/* clang-format on */

static void stat_help(void)
{
	printf("usage: anykvm stat [--json]\n"
	       "       anykvm stat PID [OPTION...]\n\n"
	       "Lists the virtual machines that this user runs, or shows what the one of process\n"
	       "PID has done since it started: exits by reason, hypercalls by name, translations,\n"
	       "TLB misses, interrupts, nested entries. It does not stop the "
	       "machine.\n\nOptions:\n");
	options_help(options, ARRAY_SIZE(options));
	printf("\nExample:\n  anykvm stat 4711 --interval 1\n");
}

static int check_options(const struct stat_options *o)
{
	const char *wrong = NULL;

	if (!o->pid && (o->interval || o->count || o->all || o->mappings || o->lpid >= 0))
		wrong = "give the process of a machine; 'anykvm stat' lists those there are.";
	else if (o->lpid >= 0 && !o->mappings)
		wrong = "--lpid is for --mappings; add it.";
	else if (o->mappings && (o->interval || o->count || o->all))
		wrong = "--mappings goes with --lpid and --json only.";
	else if (o->count && !o->interval)
		wrong = "--count is for --interval; give the seconds between.";
	if (!wrong)
		return 0;
	complain("%s", wrong);
	return EXIT_USAGE;
}

/* --- the list --- */

struct listing {
	bool json, any;
	/* of the machine being asked */
	char machine[32], memory[32], vcpus[16], seconds[32], backend[16];
	char kernel[1024];
};

static void take_info(char *line, void *arg)
{
	struct listing *l = arg;
	const struct {
		const char *key;
		char *into;
		size_t size;
	} known[] = {
		{"info machine ", l->machine, sizeof(l->machine)},
		{"info memory ", l->memory, sizeof(l->memory)},
		{"info vcpus ", l->vcpus, sizeof(l->vcpus)},
		{"info seconds ", l->seconds, sizeof(l->seconds)},
		{"info backend ", l->backend, sizeof(l->backend)},
		{"info kernel ", l->kernel, sizeof(l->kernel)},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (!strncmp(line, known[i].key, strlen(known[i].key)))
			snprintf(known[i].into, known[i].size, "%s", line + strlen(known[i].key));
}

static void list_one(pid_t pid, void *arg)
{
	struct listing *l = arg;
	bool json = l->json, any = l->any;
	uint64_t memory, seconds, vcpus;

	*l = (struct listing){.json = json, .any = any};
	if (stat_ask(pid, "info", take_info, l, true))
		return;
	memory = strtoull(l->memory, NULL, 10);
	seconds = strtoull(l->seconds, NULL, 10);
	vcpus = strtoull(l->vcpus, NULL, 10);
	if (json) {
		printf("%s{\"pid\":%d,\"machine\":", any ? "," : "[", (int)pid);
		json_string(stdout, l->machine);
		printf(",\"backend\":");
		json_string(stdout, l->backend);
		printf(",\"vcpus\":%" PRIu64 ",\"memory\":%" PRIu64 ",\"seconds\":%" PRIu64
		       ",\"kernel\":",
		       vcpus, memory, seconds);
		json_string(stdout, l->kernel);
		putchar('}');
	} else {
		if (!any)
			printf("%8s %-8s %-7s %5s %8s %10s  %s\n", "PID", "MACHINE", "BACKEND",
			       "VCPUS", "MEMORY", "SECONDS", "KERNEL");
		printf("%8d %-8s %-7s %5" PRIu64 " %7" PRIu64 "M %10" PRIu64 "  %s\n", (int)pid,
		       l->machine, l->backend, vcpus, memory >> 20, seconds, l->kernel);
	}
	l->any = true;
}

static int list(const struct stat_options *o)
{
	struct listing l = {.json = o->json};
	struct error e;

	if (control_list(list_one, &l, &e)) {
		complain("%s", e.text);
		return EXIT_ANYKVM;
	}
	if (o->json)
		printf("%s]\n", l.any ? "" : "[");
	else if (!l.any)
		printf("no virtual machine of this user runs.\n");
	return 0;
}

/* --- one machine --- */

static int exit_of(int answer)
{
	return answer > 0 ? EXIT_USAGE : answer ? EXIT_ANYKVM : 0;
}

static void show(const struct stat_options *o, const struct stat_sample *now,
		 const struct stat_sample *before)
{
	if (o->json)
		stat_show_json(now, o->pid, o->all);
	else
		stat_show_table(now, before, o->all);
	fflush(stdout);
}

static int watch(const struct stat_options *o)
{
	struct stat_sample now, before = {0};
	struct timespec pause = {.tv_sec = o->interval};
	unsigned n = 0;
	int ret;

	for (;;) {
		ret = stat_read(o->pid, &now, n);
		/* It may end while it is watched. */
		if (ret > 0 && n)
			ret = 0;
		else if (!ret)
			show(o, &now, n ? &before : NULL);
		if (ret || !now.nrows)
			break;
		stat_free(&before);
		before = now;
		n++;
		if (!o->interval || n == o->count)
			break;
		nanosleep(&pause, NULL);
		if (!o->json)
			putchar('\n');
	}
	stat_free(&before);
	return exit_of(ret);
}

int command_stat(int argc, char **argv)
{
	struct stat_options o = {.lpid = -1};

	if (options_parse_operands(options, ARRAY_SIZE(options), "stat", &o, set_pid, argc, argv))
		return EXIT_USAGE;
	if (o.help) {
		stat_help();
		return 0;
	}
	if (check_options(&o))
		return EXIT_USAGE;
	if (!o.pid)
		return list(&o);
	if (o.mappings)
		return exit_of(stat_mappings(o.pid, o.lpid, o.json));
	return watch(&o);
}
