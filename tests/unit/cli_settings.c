/* /etc/anykvm.conf: what the administrator's file and the environment say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the headers above */
#include <cmocka.h>

#include "cli/cli.h"

static int read_text(const char *text, struct settings *s)
{
	char path[] = "/tmp/anykvm-settings-XXXXXX";
	int fd = mkstemp(path), ret;
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	ret = settings_read(path, s);
	unlink(path);
	return ret;
}

static void defaults(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(settings_read("/nonexistent/anykvm.conf", &s), 0);
	assert_true(s.nested);
	assert_true(s.indep_threads);
	assert_int_equal(read_text("", &s), 0);
	assert_true(s.nested && s.indep_threads);
}

static void values(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(read_text("# of this host\n\nnested = no\n", &s), 0);
	assert_false(s.nested);
	assert_true(s.indep_threads);
	assert_int_equal(read_text("nested=1 # yes\n  indep_threads_mode\t= N", &s), 0);
	assert_true(s.nested);
	assert_false(s.indep_threads);
}

static void errors(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(read_text("nested\n", &s), -1);
	assert_int_equal(read_text("nested = perhaps\n", &s), -1);
	assert_int_equal(read_text("nestde = no\n", &s), -1);
	assert_int_equal(settings_read("/", &s), -1);
}

static void environment(void **state)
{
	struct settings s;

	(void)state;
	setenv("ANYKVM_NESTED", "0", 1);
	assert_int_equal(settings_load(&s), 0);
	assert_false(s.nested);
	setenv("ANYKVM_NESTED", "maybe", 1);
	assert_int_equal(settings_load(&s), -1);
	unsetenv("ANYKVM_NESTED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(errors),
		cmocka_unit_test(environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
