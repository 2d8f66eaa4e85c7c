/* Command-line options from a table: short, long, and QEMU's long ones with one dash. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* The value behind "--name=", NULL if `arg` is just the name; *found says whether it is one. */
static const char *match(const char *arg, const char *name, bool *found)
{
	size_t n = strlen(name);

	*found = !strncmp(arg, name, n) && (!arg[n] || (arg[n] == '=' && name[1] == '-'));
	return *found && arg[n] ? arg + n + 1 : NULL;
}

static const struct option_def *find(const struct option_def *defs, unsigned n, const char *arg,
				     const char **name, const char **value)
{
	bool found;

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < ARRAY_SIZE(defs[i].names) && defs[i].names[k]; k++) {
			*value = match(arg, defs[i].names[k], &found);
			if (found) {
				*name = defs[i].names[k];
				return &defs[i];
			}
		}
	return NULL;
}

int options_parse(const struct option_def *defs, unsigned n, const char *command, void *into,
		  int argc, char **argv)
{
	return options_parse_operands(defs, n, command, into, NULL, argc, argv);
}

int options_parse_operands(const struct option_def *defs, unsigned n, const char *command,
			   void *into, int (*operand)(void *into, const char *value), int argc,
			   char **argv)
{
	const struct option_def *def;
	const char *name, *value;

	for (int i = 1; i < argc; i++) {
		if (operand && argv[i][0] != '-') {
			if (operand(into, argv[i]))
				return -1;
			continue;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			complain("unexpected argument \"%s\"; see 'anykvm %s --help'.", argv[i],
				 command);
			return -1;
		}
		def = find(defs, n, argv[i], &name, &value);
		if (!def) {
			complain("unknown option \"%s\"; see 'anykvm %s --help'.", argv[i],
				 command);
			return -1;
		}
		if (value && !def->arg) {
			complain("option %s takes no value; leave out \"=%s\".", name, value);
			return -1;
		}
		if (def->arg && !value) {
			if (i + 1 == argc) {
				complain("option %s needs a value: %s %s.", name, name, def->arg);
				return -1;
			}
			value = argv[++i];
		}
		if (def->set(into, name, value))
			return -1;
	}
	return 0;
}

void options_help(const struct option_def *defs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const char *text = defs[i].help;
		int width = 0;

		width += printf("  ");
		for (unsigned k = 0; k < ARRAY_SIZE(defs[i].names) && defs[i].names[k]; k++)
			width += printf("%s%s", k ? ", " : "", defs[i].names[k]);
		if (defs[i].arg)
			width += printf(" %s", defs[i].arg);
		if (width > 34) {
			putchar('\n');
			width = 0;
		}
		while (*text) {
			size_t len = strcspn(text, "\n");

			printf("%*s%.*s\n", 36 - width, "", (int)len, text);
			width = 0;
			text += len + (text[len] == '\n');
		}
	}
}

bool parse_size(const char *s, uint64_t *bytes)
{
	unsigned shift = 20;
	uint64_t v;
	char *end;

	if (!isdigit((unsigned char)s[0]))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno)
		return false;
	switch (toupper((unsigned char)*end)) {
	case 0:
		break;
	case 'B':
		shift = 0;
		break;
	case 'K':
		shift = 10;
		break;
	case 'M':
		shift = 20;
		break;
	case 'G':
		shift = 30;
		break;
	case 'T':
		shift = 40;
		break;
	default:
		return false;
	}
	if (*end && end[1] && (shift == 0 || strcasecmp(end + 1, "iB")) &&
	    (shift == 0 || strcasecmp(end + 1, "B")))
		return false;
	if (v > UINT64_MAX >> shift)
		return false;
	*bytes = v << shift;
	return true;
}

bool parse_count(const char *s, unsigned max, unsigned *out)
{
	unsigned long v;
	char *end;

	if (!isdigit((unsigned char)s[0]))
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno || *end || v < 1 || v > max)
		return false;
	*out = (unsigned)v;
	return true;
}

/* One "key=value" of --smp. */
static bool smp_part(const char *key, const char *value, unsigned *cpus, unsigned *sockets,
		     unsigned *cores, unsigned *threads)
{
	const unsigned max = SMP_PART_MAX;

	if (!value)
		return parse_count(key, max, cpus);
	if (!strcmp(key, "cpus"))
		return parse_count(value, max, cpus);
	if (!strcmp(key, "sockets"))
		return parse_count(value, max, sockets);
	if (!strcmp(key, "cores"))
		return parse_count(value, max, cores);
	if (!strcmp(key, "threads"))
		return parse_count(value, max, threads);
	return false;
}

bool parse_smp(const char *s, unsigned *cores, unsigned *threads)
{
	unsigned n = 0, sockets = 1, c = 0, t = 1;
	char buf[128], *save = NULL, *part, *value;

	if (strlen(s) >= sizeof(buf) || !*s)
		return false;
	strcpy(buf, s);
	for (part = strtok_r(buf, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		value = strchr(part, '=');
		if (value)
			*value++ = 0;
		if (!smp_part(part, value, &n, &sockets, &c, &t))
			return false;
	}
	if (!c) {
		/* Cores follow from the number of processors. */
		if (!n)
			n = sockets * t;
		if (n % (sockets * t))
			return false;
		c = n / (sockets * t);
	}
	if (n && n != sockets * c * t)
		return false;
	*cores = sockets * c;
	*threads = t;
	return true;
}
