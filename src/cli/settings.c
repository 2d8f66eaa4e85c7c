/*
 * What an administrator decides for all runs: /etc/anykvm.conf, lines of the form "name = value", #
 * begins a comment. Names and values of the hypervisor's switches are those of the kernel's kvm-hv
 * module.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

bool parse_bool(const char *s, bool *out)
{
	static const char *const yes[] = {"1", "y", "yes", "on", "true"};
	static const char *const no[] = {"0", "n", "no", "off", "false"};

	for (unsigned i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcasecmp(s, yes[i])) {
			*out = true;
			return true;
		}
		if (!strcasecmp(s, no[i])) {
			*out = false;
			return true;
		}
	}
	return false;
}

/* NULL, or what is wrong with the line. */
static const char *take_line(struct settings *s, char *line)
{
	char *value, *name;

	line[strcspn(line, "#\n")] = 0;
	name = trim(line);
	if (!*name)
		return NULL;
	value = strchr(name, '=');
	if (!value)
		return "has no \"=\"";
	*value++ = 0;
	name = trim(name);
	value = trim(value);
	if (!strcmp(name, "nested"))
		return parse_bool(value, &s->nested) ? NULL : "takes yes or no";
	if (!strcmp(name, "indep_threads_mode"))
		return parse_bool(value, &s->indep_threads) ? NULL : "takes yes or no";
	return "is no setting that there is (nested, indep_threads_mode)";
}

int settings_read(const char *path, struct settings *s)
{
	FILE *f = fopen(path, "re");
	const char *wrong = NULL;
	unsigned number = 0;
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	*s = (struct settings){.nested = true, .indep_threads = true};
	if (!f) {
		if (errno == ENOENT)
			return 0;
		complain("cannot read \"%s\" (%s).", path, strerror(errno));
		return -1;
	}
	while (!wrong && getline(&line, &size, f) >= 0) {
		number++;
		wrong = take_line(s, line);
	}
	if (wrong) {
		complain("line %u of \"%s\" %s.", number, path, wrong);
		ret = -1;
	} else if (ferror(f)) {
		complain("cannot read \"%s\" (%s).", path, strerror(errno));
		ret = -1;
	}
	free(line);
	fclose(f);
	return ret;
}

int settings_load(struct settings *s)
{
	const char *env = getenv("ANYKVM_NESTED");
	bool allowed = true;

	if (settings_read(SETTINGS_FILE, s))
		return -1;
	if (env && *env && !parse_bool(env, &allowed)) {
		complain("the environment's ANYKVM_NESTED is \"%s\"; it takes yes or no.", env);
		return -1;
	}
	if (!allowed)
		s->nested = false;
	return 0;
}
