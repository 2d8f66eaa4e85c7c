#include "remote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem/endian.h"

#define TIMEOUT_MS 20000

bool remote_start(struct remote *r, char *const argv[], bool big_endian)
{
	int to[2], from[2];

	if (pipe(to))
		return false;
	if (pipe(from)) {
		close(to[0]);
		close(to[1]);
		return false;
	}
	r->swap = big_endian == HOST_LITTLE_ENDIAN;
	r->pid = fork();
	if (r->pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[0]);
		close(to[1]);
		close(from[0]);
		close(from[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	r->to = to[1];
	r->from = from[0];
	if (r->pid < 0) {
		remote_stop(r);
		return false;
	}
	signal(SIGPIPE, SIG_IGN);
	return true;
}

static bool send_all(struct remote *r, const void *buf, size_t size)
{
	const char *p = buf;

	while (size) {
		ssize_t n = write(r->to, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

static bool receive_all(struct remote *r, void *buf, size_t size)
{
	char *p = buf;

	while (size) {
		struct pollfd fd = {.fd = r->from, .events = POLLIN};
		int ready = poll(&fd, 1, TIMEOUT_MS);
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		n = read(r->from, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

/* Turn the 64-bit numbers in [p, p + size) around, if need be. */
static void reorder(const struct remote *r, void *p, size_t size)
{
	uint64_t *v = p;

	if (!r->swap)
		return;
	for (size_t n = 0; n < size / 8; n++)
		v[n] = __builtin_bswap64(v[n]);
}

bool remote_run(struct remote *r, const struct diff_case *cases, unsigned count,
		struct diff_result *results)
{
	struct diff_batch batch = {.count = count};

	reorder(r, &batch, sizeof(batch));
	if (!send_all(r, &batch, sizeof(batch)))
		return false;
	for (unsigned n = 0; n < count; n++) {
		struct diff_case c = cases[n];

		reorder(r, &c, offsetof(struct diff_case, mem));
		if (!send_all(r, &c, sizeof(c)))
			return false;
	}
	if (!receive_all(r, results, count * sizeof(results[0])))
		return false;
	for (unsigned n = 0; n < count; n++)
		reorder(r, &results[n], offsetof(struct diff_result, mem));
	return true;
}

void remote_stop(struct remote *r)
{
	close(r->to);
	close(r->from);
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
	r->pid = 0;
}
