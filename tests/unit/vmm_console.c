/* The console's queues: order, backpressure, escapes, end of input, a reader that goes away. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmm/console.h"

static int in[2], out[2];
static struct console *console;
static _Atomic unsigned inputs, quits, losses;

static void on_input(void *opaque)
{
	(void)opaque;
	inputs++;
}

static void on_quit(void *opaque)
{
	(void)opaque;
	quits++;
}

static void on_lost(void *opaque)
{
	(void)opaque;
	losses++;
}

static const struct console_ops ops = {.input = on_input, .quit = on_quit, .lost = on_lost};

static void open_console(bool terminal)
{
	struct error e;

	inputs = quits = losses = 0;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(console_create(&console, in[0], out[1], terminal, &e), 0);
	console_connect(console, &ops, NULL);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int close_console(void)
{
	int ret = console_destroy(console, true);

	close_fd(&in[0]);
	close_fd(&in[1]);
	close_fd(&out[0]);
	close_fd(&out[1]);
	return ret;
}

static void wait_pending(size_t n)
{
	for (int i = 0; i < 5000 && console_pending(console) != n; i++)
		usleep(1000);
	assert_int_equal(console_pending(console), n);
}

static void send_text(const char *s)
{
	assert_int_equal(write(in[1], s, strlen(s)), (ssize_t)strlen(s));
}

static void pipe_is_plain(void **state)
{
	char buf[16];

	(void)state;
	open_console(false);
	send_text("\x01x\x01h");
	wait_pending(4);
	assert_int_equal(console_read(console, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "\x01x\x01h", 4);
	assert_int_equal(quits, 0);
	assert_true(inputs >= 1);
	assert_int_equal(console_read(console, buf, sizeof(buf)), 0);
	/* The end of the input ends nothing else. */
	close_fd(&in[1]);
	usleep(20000);
	assert_true(console_write(console, "still", 5));
	assert_int_equal(read(out[0], buf, 5), 5);
	assert_int_equal(quits, 0);
	close_console();
}

static void escapes(void **state)
{
	char buf[512];
	ssize_t n;

	(void)state;
	open_console(true);
	send_text("a\x01\x01"
		  "b\x01"
		  "ac\x01qd\x03");
	wait_pending(7);
	assert_int_equal(console_read(console, buf, sizeof(buf)), 7);
	assert_memory_equal(buf,
				"a\x01"
				"b\x01"
				"cd\x03",
				7);
	send_text("\x01");
	usleep(20000);
	send_text("h");
	n = read(out[0], buf, sizeof(buf) - 1);
	assert_true(n > 0);
	buf[n] = 0;
	assert_non_null(strstr(buf, "Ctrl-A x"));
	send_text("\x01x");
	for (int i = 0; i < 5000 && !quits; i++)
		usleep(1000);
	assert_int_equal(quits, 1);
	close_console();
}

/* With the queue full on a terminal, Ctrl-A x still works. */
static void escape_when_full(void **state)
{
	char buf[4096];

	(void)state;
	open_console(true);
	memset(buf, 'x', sizeof(buf));
	/* more than the mebibyte that is kept */
	for (int i = 0; i < 300; i++)
		assert_int_equal(write(in[1], buf, sizeof(buf)), sizeof(buf));
	send_text("\x01x");
	for (int i = 0; i < 5000 && !quits; i++)
		usleep(1000);
	assert_int_equal(quits, 1);
	close_console();
}

#define TOTAL 1000000

static void *feed(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < TOTAL; i += 1000) {
		uint8_t buf[1000];

		for (uint32_t k = 0; k < 1000; k++)
			buf[k] = (uint8_t)((i + k) % 251);
		if (write(in[1], buf, sizeof(buf)) != sizeof(buf))
			abort();
	}
	return NULL;
}

static void *drain(void *arg)
{
	uint8_t buf[777];
	uint32_t got = 0;
	ssize_t n;

	(void)arg;
	while (got < TOTAL && (n = read(out[0], buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			if (buf[i] != (uint8_t)(got % 251))
				abort();
	return NULL;
}

/* A megabyte through both queues with slow ends: nothing lost, nothing reordered. */
static void through(void **state)
{
	pthread_t feeder, drainer;
	uint32_t got = 0;
	uint8_t buf[100];

	(void)state;
	open_console(false);
	pthread_create(&feeder, NULL, feed, NULL);
	pthread_create(&drainer, NULL, drain, NULL);
	while (got < TOTAL) {
		size_t n = console_read(console, buf, sizeof(buf));

		for (size_t i = 0; i < n; i++, got++)
			assert_int_equal(buf[i], got % 251);
		while (n && !console_write(console, buf, n))
			usleep(100);
	}
	pthread_join(feeder, NULL);
	pthread_join(drainer, NULL);
	close_console();
}

static void reader_goes_away(void **state)
{
	(void)state;
	open_console(false);
	close_fd(&out[0]);
	for (int i = 0; i < 100000; i++)
		while (!console_write(console, "0123456789", 10))
			usleep(1000);
	assert_int_equal(losses, 1);
	assert_true(console_lost(console));
	assert_int_equal(close_console(), -EPIPE);
}

/* Output that cannot be written: told once, or found at the end. */
static void no_space(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		open_console(false);
		close_fd(&out[0]);
		close_fd(&out[1]);
		console_destroy(console, true);
		losses = 0;
		out[1] = open("/dev/full", O_WRONLY);
		assert_true(out[1] >= 0);
		assert_int_equal(console_create(&console, in[0], out[1], false, NULL), 0);
		if (!late)
			console_connect(console, &ops, NULL);
		assert_false(console_lost(console));
		assert_true(console_write(console, "x", 1));
		for (int i = 0; i < 5000 && !console_lost(console); i++)
			usleep(1000);
		assert_true(console_lost(console));
		for (int i = 0; i < 5000 && !late && !losses; i++)
			usleep(1000);
		assert_true(console_write(console, "y", 1));
		assert_int_equal(close_console(), -ENOSPC);
		assert_int_equal(losses, !late);
	}
	open_console(false);
	assert_true(console_write(console, "x", 1));
	assert_int_equal(close_console(), 0);
	assert_int_equal(losses, 0);
}

/* A reader that stops holds up neither the guest for good nor a user who quits. */
static void reader_stops(void **state)
{
	(void)state;
	open_console(false);
	while (console_write(console, "0123456789abcdef", 16))
		;
	console_destroy(console, false);
	for (int i = 0; i < 2; i++) {
		close_fd(&in[i]);
		close_fd(&out[i]);
	}
}

/* All that was written is there after console_destroy with flush. */
static void flushed(void **state)
{
	pthread_t drainer;

	(void)state;
	for (int round = 0; round < 20; round++) {
		uint8_t buf[1000];

		open_console(false);
		pthread_create(&drainer, NULL, drain, NULL);
		for (uint32_t i = 0; i < TOTAL / 10; i += 1000) {
			for (uint32_t k = 0; k < 1000; k++)
				buf[k] = (uint8_t)((i + k) % 251);
			while (!console_write(console, buf, sizeof(buf)))
				usleep(100);
		}
		console_destroy(console, true);
		close_fd(&out[1]);
		pthread_join(drainer, NULL);
		close_fd(&out[0]);
		close_fd(&in[0]);
		close_fd(&in[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipe_is_plain),    cmocka_unit_test(escapes),
		cmocka_unit_test(escape_when_full), cmocka_unit_test(through),
		cmocka_unit_test(reader_goes_away), cmocka_unit_test(reader_stops),
		cmocka_unit_test(flushed),	    cmocka_unit_test(no_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
