/* The console's queues and threads. See console.h. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/console.h"

/*
 * A terminal is read even when the guest does not, for Ctrl-A x: room for what people paste.
 * Memory is taken as it fills.
 */
#define IN_SIZE  (1u << 20)
#define OUT_SIZE 65536
#define ESCAPE   0x01 /* Ctrl-A */

struct queue {
	uint8_t *buf;
	size_t size;       /* a power of two */
	size_t head, tail; /* counters; what is in it is tail - head */
};

struct console {
	int in_fd, out_fd;
	bool terminal;
	int wake_fd; /* eventfd: room in the input queue, or the end */

	pthread_mutex_t lock; /* queues and what follows, up to out_error */
	pthread_cond_t out_filled, out_drained;
	struct queue in, out;
	bool in_stalled; /* the input thread waits for room */
	bool stop;
	bool out_writing; /* the output thread holds bytes that it took from the queue */
	bool quit_wanted; /* by console_quit, and no device has been told */
	int out_error;    /* -errno of the write that failed, else 0 */

	pthread_mutex_t connection; /* ops and opaque; held around callbacks */
	const struct console_ops *ops;
	void *opaque;

	bool escaped; /* input thread: the last byte was the escape */
	pthread_t in_thread, out_thread;
};

static size_t queue_used(const struct queue *q)
{
	return q->tail - q->head;
}

static size_t queue_room(const struct queue *q)
{
	return q->size - queue_used(q);
}

static void queue_put(struct queue *q, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		q->buf[q->tail++ & (q->size - 1)] = p[i];
}

static size_t queue_get(struct queue *q, uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && queue_used(q); i++)
		p[i] = q->buf[q->head++ & (q->size - 1)];
	return i;
}

static void wake(struct console *c)
{
	uint64_t one = 1;

	if (write(c->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: the reader wakes all the same. */
	}
}

static void call_input(struct console *c)
{
	pthread_mutex_lock(&c->connection);
	if (c->ops)
		c->ops->input(c->opaque);
	pthread_mutex_unlock(&c->connection);
}

static void call_quit(struct console *c)
{
	pthread_mutex_lock(&c->connection);
	if (c->ops) {
		pthread_mutex_lock(&c->lock);
		c->quit_wanted = false;
		pthread_mutex_unlock(&c->lock);
		c->ops->quit(c->opaque);
	}
	pthread_mutex_unlock(&c->connection);
}

static void call_lost(struct console *c)
{
	pthread_mutex_lock(&c->connection);
	if (c->ops)
		c->ops->lost(c->opaque);
	pthread_mutex_unlock(&c->connection);
}

static void show_help(struct console *c)
{
	static const char text[] = "\r\nCtrl-A h   this help\r\n"
				   "Ctrl-A x   end the virtual machine\r\n"
				   "Ctrl-A a   send Ctrl-A (Ctrl-A Ctrl-A too)\r\n";

	console_write(c, text, sizeof(text) - 1);
}

/* Carries out escape commands and leaves in p what is for the guest; returns its length. */
static size_t filter_escapes(struct console *c, uint8_t *p, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (!c->escaped) {
			if (p[i] == ESCAPE)
				c->escaped = true;
			else
				p[out++] = p[i];
			continue;
		}
		c->escaped = false;
		switch (p[i]) {
		case 'x':
		case 'X':
			call_quit(c);
			break;
		case 'h':
		case '?':
			show_help(c);
			break;
		case 'a':
		case ESCAPE:
			p[out++] = ESCAPE;
			break;
		default:
			break; /* no such command: nothing happens, as in QEMU and screen */
		}
	}
	return out;
}

/*
 * Waits for input and room for it; false at the end. With the queue full, a terminal is read
 * on all the same, so that Ctrl-A x always works: what does not fit in a mebibyte is dropped there.
 */
static bool wait_input(struct console *c, bool *eof)
{
	struct pollfd fds[2] = {{.fd = c->wake_fd, .events = POLLIN}, {.events = POLLIN}};
	uint64_t count;
	bool stop, room;

	pthread_mutex_lock(&c->lock);
	stop = c->stop;
	room = queue_room(&c->in) || c->terminal;
	c->in_stalled = !room;
	pthread_mutex_unlock(&c->lock);
	if (stop)
		return false;
	fds[1].fd = room && !*eof ? c->in_fd : -1;
	if (poll(fds, 2, -1) < 0 && errno != EINTR)
		*eof = true;
	if ((fds[0].revents & POLLIN) && read(c->wake_fd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		return false;
	return true;
}

static void *in_main(void *arg)
{
	struct console *c = arg;
	struct pollfd ready = {.fd = c->in_fd, .events = POLLIN};
	uint8_t buf[256];
	bool eof = false;
	size_t room;
	ssize_t n;

	while (wait_input(c, &eof)) {
		if (eof || poll(&ready, 1, 0) <= 0)
			continue;
		pthread_mutex_lock(&c->lock);
		room = queue_room(&c->in);
		pthread_mutex_unlock(&c->lock);
		if (!room && !c->terminal)
			continue;
		n = read(c->in_fd, buf, c->terminal || room > sizeof(buf) ? sizeof(buf) : room);
		if (n <= 0) {
			/* The end of the input is not the end of the guest. */
			eof = n == 0 || (errno != EINTR && errno != EAGAIN);
			continue;
		}
		if (c->terminal)
			n = (ssize_t)filter_escapes(c, buf, (size_t)n);
		if (!n)
			continue;
		pthread_mutex_lock(&c->lock);
		room = queue_room(&c->in);
		queue_put(&c->in, buf, (size_t)n < room ? (size_t)n : room);
		pthread_mutex_unlock(&c->lock);
		call_input(c);
	}
	return NULL;
}

/*
 * Writes all, in parts small enough for a pipe that poll called writable. 0 too if the console
 * ends while the reader is stopped; -errno if there is no writing to it.
 */
static int write_out(struct console *c, const uint8_t *p, size_t n)
{
	while (n) {
		struct pollfd fd = {.fd = c->out_fd, .events = POLLOUT};
		bool stop;
		ssize_t w;

		if (poll(&fd, 1, 100) == 0) {
			pthread_mutex_lock(&c->lock);
			stop = c->stop;
			pthread_mutex_unlock(&c->lock);
			if (stop)
				return 0;
			continue;
		}
		w = write(c->out_fd, p, n);
		if (w < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

static void *out_main(void *arg)
{
	struct console *c = arg;
	bool failed = false;
	uint8_t buf[2048];
	int ret = 0;
	size_t n;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!queue_used(&c->out) && !c->stop)
			pthread_cond_wait(&c->out_filled, &c->lock);
		n = queue_get(&c->out, buf, sizeof(buf));
		if (!n)
			break;
		c->out_writing = true;
		pthread_mutex_unlock(&c->lock);
		if (!failed)
			ret = write_out(c, buf, n);
		if (ret && !failed) {
			failed = true;
			/* Before the callback, for a device that connects just behind it. */
			pthread_mutex_lock(&c->lock);
			c->out_error = ret;
			pthread_mutex_unlock(&c->lock);
			call_lost(c);
		}
		pthread_mutex_lock(&c->lock);
		c->out_writing = false;
		if (!queue_used(&c->out))
			pthread_cond_broadcast(&c->out_drained);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void free_console(struct console *c)
{
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	free(c->in.buf);
	free(c->out.buf);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->connection);
	pthread_cond_destroy(&c->out_filled);
	pthread_cond_destroy(&c->out_drained);
	free(c);
}

static void stop_output(struct console *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->out_filled);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->out_thread, NULL);
}

/*
 * Signals for the process are for the thread that called main, and a lost reader is EPIPE. Those
 * of job control stay: reading as a background process has to stop it.
 */
static int start_threads(struct console *c)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	sigdelset(&all, SIGTTIN);
	sigdelset(&all, SIGTTOU);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = -pthread_create(&c->out_thread, NULL, out_main, c);
	if (!ret) {
		ret = -pthread_create(&c->in_thread, NULL, in_main, c);
		if (ret)
			stop_output(c);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int console_create(struct console **out, int in_fd, int out_fd, bool terminal, struct error *e)
{
	struct console *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return error_set(e, -ENOMEM, "the host has no memory for the console.");
	c->in_fd = in_fd;
	c->out_fd = out_fd;
	c->terminal = terminal;
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->connection, NULL);
	pthread_cond_init(&c->out_filled, NULL);
	pthread_cond_init(&c->out_drained, NULL);
	c->in = (struct queue){.buf = malloc(IN_SIZE), .size = IN_SIZE};
	c->out = (struct queue){.buf = malloc(OUT_SIZE), .size = OUT_SIZE};
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = c->wake_fd < 0 ? -errno : 0;
	if (!c->in.buf || !c->out.buf)
		ret = -ENOMEM;
	if (!ret)
		ret = start_threads(c);
	if (ret) {
		free_console(c);
		return error_set(e, ret, "cannot set up the console (%s).", strerror(-ret));
	}
	*out = c;
	return 0;
}

int console_destroy(struct console *c, bool flush)
{
	struct timespec until;
	int ret = 0, lost;

	console_connect(c, NULL, NULL);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	pthread_mutex_lock(&c->lock);
	while ((queue_used(&c->out) || c->out_writing) && !ret)
		ret = flush ? pthread_cond_wait(&c->out_drained, &c->lock)
			    : pthread_cond_timedwait(&c->out_drained, &c->lock, &until);
	pthread_mutex_unlock(&c->lock);
	stop_output(c);
	wake(c);
	pthread_join(c->in_thread, NULL);
	lost = c->out_error;
	free_console(c);
	return lost;
}

void console_connect(struct console *c, const struct console_ops *ops, void *opaque)
{
	pthread_mutex_lock(&c->connection);
	c->ops = ops;
	c->opaque = opaque;
	pthread_mutex_unlock(&c->connection);
}

size_t console_read(struct console *c, void *buf, size_t n)
{
	bool stalled;

	pthread_mutex_lock(&c->lock);
	n = queue_get(&c->in, buf, n);
	stalled = n && c->in_stalled;
	if (stalled)
		c->in_stalled = false;
	pthread_mutex_unlock(&c->lock);
	if (stalled)
		wake(c);
	return n;
}

size_t console_pending(struct console *c)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = queue_used(&c->in);
	pthread_mutex_unlock(&c->lock);
	return n;
}

size_t console_peek(struct console *c, void *buf, size_t n)
{
	struct queue copy;

	pthread_mutex_lock(&c->lock);
	copy = c->in;
	n = queue_get(&copy, buf, n);
	pthread_mutex_unlock(&c->lock);
	return n;
}

void console_unread(struct console *c, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	pthread_mutex_lock(&c->lock);
	if (n > queue_room(&c->in))
		n = queue_room(&c->in);
	while (n)
		c->in.buf[--c->in.head & (c->in.size - 1)] = p[--n];
	pthread_mutex_unlock(&c->lock);
}

void console_quit(struct console *c)
{
	pthread_mutex_lock(&c->lock);
	c->quit_wanted = true;
	pthread_mutex_unlock(&c->lock);
	call_quit(c);
}

bool console_quit_wanted(struct console *c)
{
	bool wanted;

	pthread_mutex_lock(&c->lock);
	wanted = c->quit_wanted;
	c->quit_wanted = false;
	pthread_mutex_unlock(&c->lock);
	return wanted;
}

bool console_lost(struct console *c)
{
	bool lost;

	pthread_mutex_lock(&c->lock);
	lost = c->out_error;
	pthread_mutex_unlock(&c->lock);
	return lost;
}

bool console_write(struct console *c, const void *buf, size_t n)
{
	bool ok;

	pthread_mutex_lock(&c->lock);
	ok = queue_room(&c->out) >= n;
	if (ok) {
		if (!queue_used(&c->out))
			pthread_cond_signal(&c->out_filled);
		queue_put(&c->out, buf, n);
	}
	pthread_mutex_unlock(&c->lock);
	return ok;
}
