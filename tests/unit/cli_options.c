/* Command-line values and the option table's parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/cli.h"

/* Instead of the command's: keeps the message. */
static char message[1024];

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
}

static void sizes(void **state)
{
	static const char *const bad[] = {
		"",          "G",    "-1",   " 1",   "1X",
		"1GG",       "1 G",  "1.5G", "0x10", "99999999999999999999",
		"16777216T", "1BiB", "2Gx"};
	uint64_t v;

	(void)state;
	assert_true(parse_size("2G", &v) && v == UINT64_C(2) << 30);
	assert_true(parse_size("2g", &v) && v == UINT64_C(2) << 30);
	assert_true(parse_size("2GiB", &v) && v == UINT64_C(2) << 30);
	assert_true(parse_size("2GB", &v) && v == UINT64_C(2) << 30);
	assert_true(parse_size("512", &v) && v == UINT64_C(512) << 20);
	assert_true(parse_size("64K", &v) && v == 65536);
	assert_true(parse_size("4096B", &v) && v == 4096);
	assert_true(parse_size("1T", &v) && v == UINT64_C(1) << 40);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_size(bad[i], &v));
}

static void smp(void **state)
{
	static const char *const bad[] = {"",       "0",       "-1",          "4x",
					  "cores=", "cores=0", "3,threads=2", "4,cores=4,threads=2",
					  "foo=2",  "threads", "99999",       "cores=2=3"};
	unsigned cores, threads;

	(void)state;
	assert_true(parse_smp("4", &cores, &threads) && cores == 4 && threads == 1);
	assert_true(parse_smp("cpus=4", &cores, &threads) && cores == 4 && threads == 1);
	assert_true(parse_smp("4,threads=2", &cores, &threads) && cores == 2 && threads == 2);
	assert_true(parse_smp("cores=2,threads=4", &cores, &threads) && cores == 2 && threads == 4);
	assert_true(parse_smp("threads=4", &cores, &threads) && cores == 1 && threads == 4);
	assert_true(parse_smp("8,sockets=2,cores=2,threads=2", &cores, &threads) && cores == 4 &&
			threads == 2);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_smp(bad[i], &cores, &threads));
}

struct values {
	const char *kernel, *append;
	unsigned flag;
};

static int set_kernel(void *into, const char *name, const char *value)
{
	(void)name;
	((struct values *)into)->kernel = value;
	return 0;
}

static int set_append(void *into, const char *name, const char *value)
{
	(void)name;
	((struct values *)into)->append = value;
	return 0;
}

static int set_flag(void *into, const char *name, const char *value)
{
	(void)name;
	assert_null(value);
	((struct values *)into)->flag++;
	return 0;
}

static const struct option_def defs[] = {
	{{"--kernel", "-k", "-kernel"}, "FILE", "kernel", set_kernel},
	{{"--append", "-p", "-append"}, "TEXT", "text", set_append},
	{{"--flag"}, NULL, "flag", set_flag},
};

#define PARSE(v, ...)                                                                              \
	options_parse(defs, ARRAY_SIZE(defs), "run", v,                                            \
		      (int)ARRAY_SIZE(((char *[]){"run", ##__VA_ARGS__})),                         \
		      (char *[]){"run", ##__VA_ARGS__, NULL})

static void parser(void **state)
{
	struct values v = {0};

	(void)state;
	assert_int_equal(PARSE(&v), 0);
	assert_int_equal(PARSE(&v, "--kernel", "a", "--append=b c=d"), 0);
	assert_string_equal(v.kernel, "a");
	assert_string_equal(v.append, "b c=d");
	assert_int_equal(PARSE(&v, "-k", "e", "-append", "--flag", "--flag"), 0);
	assert_string_equal(v.kernel, "e");
	assert_string_equal(v.append, "--flag");
	assert_int_equal(v.flag, 1);
	assert_int_equal(PARSE(&v, "--kernel="), 0);
	assert_string_equal(v.kernel, "");

	assert_int_equal(PARSE(&v, "--kernel"), -1);
	assert_string_equal(message, "option --kernel needs a value: --kernel FILE.");
	assert_int_equal(PARSE(&v, "--kern", "a"), -1);
	assert_string_equal(message, "unknown option \"--kern\"; see 'anykvm run --help'.");
	assert_int_equal(PARSE(&v, "--kernels", "a"), -1);
	assert_int_equal(PARSE(&v, "-kernel=a"), -1);
	assert_int_equal(PARSE(&v, "--flag=1"), -1);
	assert_int_equal(PARSE(&v, "a"), -1);
	assert_int_equal(PARSE(&v, "-"), -1);
	assert_int_equal(PARSE(&v, "--"), -1);
}

static char operands[64];

static int take_operand(void *into, const char *value)
{
	(void)into;
	if (!strcmp(value, "bad"))
		return -1;
	strcat(operands, value);
	return 0;
}

/* Operands stand anywhere; what begins with a dash is none. */
static void with_operands(void **state)
{
	static char *good[] = {"stat", "12", "--frob", "x"}, *refused[] = {"stat", "bad"},
		    *dash[] = {"stat", "-"};

	(void)state;
	operands[0] = 0;
	assert_int_equal(options_parse_operands(NULL, 0, "stat", NULL, take_operand, 2, good), 0);
	assert_string_equal(operands, "12");
	assert_int_equal(options_parse_operands(NULL, 0, "stat", NULL, take_operand, 4, good), -1);
	assert_string_equal(message, "unknown option \"--frob\"; see 'anykvm stat --help'.");
	assert_int_equal(options_parse_operands(NULL, 0, "stat", NULL, take_operand, 2, refused), -1);
	assert_int_equal(options_parse_operands(NULL, 0, "stat", NULL, take_operand, 2, dash), -1);
	assert_int_equal(options_parse_operands(NULL, 0, "stat", NULL, NULL, 2, good), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(smp),
		cmocka_unit_test(parser),
		cmocka_unit_test(with_operands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
