/*
 * The control socket's server: see control.h.
 *
 * Its thread waits in poll for connections, for clients that can go on, and for the end. A client's
 * answer is made a piece at a time, when the piece before has been taken, under the lock that
 * attach and detach take: so a VM is never used after detach, and detach waits for one piece at
 * most.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/compiler.h"
#include "vmm/control.h"
#include "vmm/control_path.h"
#include "vmm/report.h"

#define MAX_CLIENTS 8
#define MAX_REQUEST 64

/* Milliseconds: for a client to do something, and for all that it does. */
#define IDLE_MAX  5000
#define TOTAL_MAX 60000
/* Before accepting again when the process or host is out of descriptors or memory. */
#define ACCEPT_PAUSE 1000

struct client {
	int fd;                /* -1: free */
	int64_t since, active; /* ms */
	char request[MAX_REQUEST];
	size_t nrequest;
	bool answering, last; /* `last`: what is in `out` ends the answer */
	bool waiting;         /* for a machine: there is none yet, or between two */
	uint64_t generation;
	struct report report;
	char *out; /* the piece being sent */
	size_t nout, sent;
};

struct control {
	int listener, wake;
	struct sockaddr_un address;
	pthread_t thread;
	_Atomic bool stop;
	int64_t pause_until;
	struct client client[MAX_CLIENTS];

	pthread_mutex_t lock;         /* what follows */
	struct report_source *source; /* NULL: no machine now */
	uint64_t generation;          /* counts attachments */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* --- clients --- */

static void drop(struct client *cl)
{
	close(cl->fd);
	free(cl->out);
	*cl = (struct client){.fd = -1};
}

/* A request's line: what to report, or false. */
static bool parse(char *line, struct report *r)
{
	char *end;

	*r = (struct report){0};
	if (!strcmp(line, "info")) {
		r->kind = REPORT_INFO;
	} else if (!strcmp(line, "stat")) {
		r->kind = REPORT_STAT;
	} else if (!strcmp(line, "mappings")) {
		r->kind = REPORT_MAPPINGS;
	} else if (!strncmp(line, "mappings ", 9) && line[9] >= '0' && line[9] <= '9') {
		unsigned long lpid;

		errno = 0;
		lpid = strtoul(line + 9, &end, 10);
		if (errno || *end || lpid > UINT32_MAX)
			return false;
		*r = (struct report){
			.kind = REPORT_MAPPINGS, .one_guest = true, .lpid = (uint32_t)lpid};
	} else {
		return false;
	}
	return true;
}

/*
 * The next piece of a client's answer, into `out`: nothing as long as there is no machine. Gives
 * whether it is the last.
 */
static bool write_piece(struct control *c, struct client *cl, FILE *out)
{
	struct error e = {.text = "the virtual machine was reset meanwhile; ask again."};
	bool first = !cl->generation;
	int ret = -EAGAIN;

	pthread_mutex_lock(&c->lock);
	cl->waiting = first && !c->source;
	if (cl->waiting) {
		pthread_mutex_unlock(&c->lock);
		return false;
	}
	if (first) {
		cl->generation = c->generation;
		fprintf(out, "%s\n", CONTROL_GREETING);
	}
	if (c->source && cl->generation == c->generation)
		ret = report_next(c->source, &cl->report, out, &e);
	pthread_mutex_unlock(&c->lock);
	if (ret < 0)
		fprintf(out, "error %s\n", e.text);
	else if (!ret)
		fprintf(out, "end\n");
	return ret <= 0;
}

/* False: out of memory. */
static bool make_piece(struct control *c, struct client *cl)
{
	FILE *out;
	bool bad;

	free(cl->out);
	cl->out = NULL;
	cl->nout = cl->sent = 0;
	out = open_memstream(&cl->out, &cl->nout);
	if (!out)
		return false;
	cl->last = write_piece(c, cl, out);
	bad = ferror(out);
	return !fclose(out) && !bad && cl->out;
}

static bool make_refusal(struct client *cl)
{
	static const char text[] = "error the request is none that anykvm knows.\n";

	cl->out = strdup(text);
	cl->nout = sizeof(text) - 1;
	cl->last = true;
	return cl->out;
}

/* After attach. */
static void serve_waiting(struct control *c)
{
	uint64_t n;

	if (read(c->wake, &n, sizeof(n)) < 0)
		return;
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		if (c->client[i].fd >= 0 && c->client[i].waiting && !make_piece(c, &c->client[i]))
			drop(&c->client[i]);
}

/* What came from a client. False: it is done with. */
static bool receive(struct control *c, struct client *cl)
{
	ssize_t n = recv(cl->fd, cl->request + cl->nrequest, MAX_REQUEST - 1 - cl->nrequest, 0);
	char *end;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n)
		return false;
	cl->nrequest += (size_t)n;
	end = memchr(cl->request, '\n', cl->nrequest);
	if (!end && cl->nrequest < MAX_REQUEST - 1)
		return true;
	cl->answering = true;
	if (!end)
		return make_refusal(cl);
	*end = 0;
	return parse(cl->request, &cl->report) ? make_piece(c, cl) : make_refusal(cl);
}

/* One piece at most, so that clients take turns. False: it is done with. */
static bool transmit(struct control *c, struct client *cl)
{
	ssize_t n = send(cl->fd, cl->out + cl->sent, cl->nout - cl->sent, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	cl->sent += (size_t)n;
	if (cl->sent < cl->nout)
		return true;
	return !cl->last && make_piece(c, cl);
}

static void serve(struct control *c, struct client *cl, int64_t now)
{
	cl->active = now;
	/* It hung up, or there was an error. */
	if (cl->waiting)
		drop(cl);
	else if (!(cl->answering ? transmit(c, cl) : receive(c, cl)))
		drop(cl);
}

/* The same user, or root. */
static bool welcome(int fd)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) &&
	       (who.uid == geteuid() || who.uid == 0);
}

static struct client *free_client(struct control *c)
{
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		if (c->client[i].fd < 0)
			return &c->client[i];
	return NULL;
}

static void take_connection(struct control *c, int64_t now)
{
	struct client *cl = free_client(c);
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			c->pause_until = now + ACCEPT_PAUSE;
		return;
	}
	if (!cl || !welcome(fd)) {
		close(fd);
		return;
	}
	*cl = (struct client){.fd = fd, .since = now, .active = now};
}

/* --- the thread --- */

/* Milliseconds until something is due, of clients and of the pause; -1: nothing is. */
static int next_due(const struct control *c, int64_t now)
{
	int64_t due = c->pause_until > now ? c->pause_until : INT64_MAX;

	for (unsigned i = 0; i < MAX_CLIENTS; i++) {
		const struct client *cl = &c->client[i];

		if (cl->fd < 0)
			continue;
		if (cl->active + IDLE_MAX < due)
			due = cl->active + IDLE_MAX;
		if (cl->since + TOTAL_MAX < due)
			due = cl->since + TOTAL_MAX;
	}
	if (due == INT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

static void *control_thread(void *arg)
{
	struct control *c = arg;

	while (!atomic_load(&c->stop)) {
		struct pollfd p[2 + MAX_CLIENTS];
		int64_t now = now_ms();

		p[0] = (struct pollfd){.fd = c->wake, .events = POLLIN};
		p[1] = (struct pollfd){
			.fd = free_client(c) && c->pause_until <= now ? c->listener : -1,
			.events = POLLIN,
		};
		for (unsigned i = 0; i < MAX_CLIENTS; i++)
			p[2 + i] = (struct pollfd){
				.fd = c->client[i].fd,
				.events = c->client[i].waiting     ? 0
					  : c->client[i].answering ? POLLOUT
								   : POLLIN,
			};
		if (poll(p, ARRAY_SIZE(p), next_due(c, now)) < 0)
			continue;
		now = now_ms();
		if (p[0].revents)
			serve_waiting(c);
		for (unsigned i = 0; i < MAX_CLIENTS; i++) {
			struct client *cl = &c->client[i];

			if (cl->fd < 0)
				continue;
			if (p[2 + i].revents)
				serve(c, cl, now);
			else if (now - cl->active >= IDLE_MAX)
				drop(cl);
			if (cl->fd >= 0 && now - cl->since >= TOTAL_MAX)
				drop(cl);
		}
		if (p[1].revents)
			take_connection(c, now);
	}
	return NULL;
}

/* --- life --- */

/*
 * Bound under another name and renamed when it listens, so that a socket that refuses connections
 * is known to be a dead process's.
 */
static int listen_at(struct control *c, struct error *e)
{
	char directory[sizeof(c->address.sun_path)];
	struct sockaddr_un early;
	int ret;

	ret = control_directory(directory, sizeof(directory), true, e);
	if (!ret)
		ret = control_address(getpid(), directory, "", &c->address, e);
	if (!ret)
		ret = control_address(getpid(), directory, ".new", &early, e);
	if (ret)
		return ret;
	unlink(early.sun_path);
	/* The directory keeps others out; the mode is the second lock on the door. */
	ret = bind(c->listener, (struct sockaddr *)&early, sizeof(early)) ? -errno : 0;
	if (!ret && (chmod(early.sun_path, 0600) || listen(c->listener, MAX_CLIENTS) ||
		     rename(early.sun_path, c->address.sun_path))) {
		ret = -errno;
		unlink(early.sun_path);
	}
	if (ret)
		return error_set(e, ret, "cannot listen at \"%s\" (%s).", c->address.sun_path,
				 strerror(-ret));
	return 0;
}

static int start_thread(struct control *c)
{
	sigset_t all, old;
	int ret;

	/* Signals for the process are the command's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = -pthread_create(&c->thread, NULL, control_thread, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!ret)
		pthread_setname_np(c->thread, "control");
	return ret;
}

int control_create(struct control **out, struct error *e)
{
	struct control *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (!c)
		return error_set(e, -ENOMEM, "the host has no memory for the control socket.");
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		c->client[i].fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->listener < 0 || c->wake < 0) {
		ret = error_set(e, -errno, "cannot make a socket (%s).", strerror(errno));
		goto fail;
	}
	ret = listen_at(c, e);
	if (ret)
		goto fail;
	ret = start_thread(c);
	if (ret) {
		unlink(c->address.sun_path);
		error_set(e, ret, "the host gives no more threads (%s).", strerror(-ret));
		goto fail;
	}
	*out = c;
	return 0;
fail:
	if (c->listener >= 0)
		close(c->listener);
	if (c->wake >= 0)
		close(c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
	return ret;
}

static void wake(struct control *c)
{
	const uint64_t one = 1;

	while (write(c->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void control_destroy(struct control *c)
{
	if (!c)
		return;
	unlink(c->address.sun_path);
	atomic_store(&c->stop, true);
	wake(c);
	pthread_join(c->thread, NULL);
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		if (c->client[i].fd >= 0)
			drop(&c->client[i]);
	close(c->listener);
	close(c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void control_attach(struct control *c, struct vm *vm)
{
	struct report_source *source = report_open(vm);

	pthread_mutex_lock(&c->lock);
	c->source = source;
	c->generation++;
	pthread_mutex_unlock(&c->lock);
	wake(c);
}

void control_detach(struct control *c)
{
	struct report_source *source;

	pthread_mutex_lock(&c->lock);
	source = c->source;
	c->source = NULL;
	pthread_mutex_unlock(&c->lock);
	report_close(source);
}
