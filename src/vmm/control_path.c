/* Where control sockets are, and their client side: see control.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/control.h"
#include "vmm/control_path.h"

#define SUFFIX ".sock"

/* Seconds that a server may take to go on with its answer. */
#define PATIENCE 10

int control_directory(char *path, size_t size, bool create, struct error *e)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	int n;

	if (base && base[0] == '/')
		n = snprintf(path, size, "%s/anykvm", base);
	else
		n = snprintf(path, size, "/tmp/anykvm-%u", (unsigned)geteuid());
	if (n < 0 || (size_t)n >= size)
		return error_set(e, -ENAMETOOLONG,
				 "the path of $XDG_RUNTIME_DIR is too long for a socket.");
	if (create && mkdir(path, 0700) && errno != EEXIST)
		return error_set(e, -errno, "cannot make the directory \"%s\" (%s).", path,
				 strerror(errno));
	if (lstat(path, &st))
		return error_set(e, -errno, "cannot look at the directory \"%s\" (%s).", path,
				 strerror(errno));
	/* In /tmp anybody may have been first. */
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return error_set(e, -EPERM,
				 "\"%s\" is not a directory of this user alone; remove it, or set "
				 "$XDG_RUNTIME_DIR.",
				 path);
	return 0;
}

int control_address(pid_t pid, const char *directory, const char *suffix,
		    struct sockaddr_un *address, struct error *e)
{
	int n;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%d%s%s", directory, (int)pid,
		     SUFFIX, suffix);
	if (n < 0 || (size_t)n >= sizeof(address->sun_path))
		return error_set(e, -ENAMETOOLONG, "the path \"%s\" is too long for a socket.",
				 directory);
	return 0;
}

static int connect_to(pid_t pid, const char *directory, struct error *e)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	struct sockaddr_un address;
	int fd, ret;

	ret = control_address(pid, directory, "", &address, e);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(e, -errno, "cannot make a socket (%s).", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	ret = -errno;
	close(fd);
	/* Sockets are named after they listen: one that refuses is nobody's any more. */
	if (ret == -ECONNREFUSED)
		unlink(address.sun_path);
	if (ret == -ECONNREFUSED || ret == -ENOENT)
		return error_set(e, -ENOENT,
				 "process %d runs no virtual machine of this user; 'anykvm stat' "
				 "lists those there are.",
				 (int)pid);
	return error_set(e, ret, "cannot connect to the virtual machine of process %d (%s).",
			 (int)pid, strerror(-ret));
}

int control_request(pid_t pid, const char *request, struct error *e)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)], line[64];
	int fd, n, ret;

	ret = control_directory(directory, sizeof(directory), false, e);
	if (ret == -ENOENT)
		return error_set(e, ret,
				 "process %d runs no virtual machine of this user; 'anykvm stat' "
				 "lists those there are.",
				 (int)pid);
	if (ret)
		return ret;
	fd = connect_to(pid, directory, e);
	if (fd < 0)
		return fd;
	n = snprintf(line, sizeof(line), "%s\n", request);
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) == n)
		return fd;
	ret = -errno;
	close(fd);
	return error_set(e, ret, "cannot ask the virtual machine of process %d (%s).", (int)pid,
			 strerror(-ret));
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

/* The process of a socket's name; 0: it is another file. */
static pid_t pid_of(const char *name)
{
	char *end;
	long pid;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	errno = 0;
	pid = strtol(name, &end, 10);
	return !errno && !strcmp(end, SUFFIX) && pid == (pid_t)pid ? (pid_t)pid : 0;
}

int control_list(void (*each)(pid_t pid, void *arg), void *arg, struct error *e)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
	pid_t *pids = NULL;
	size_t n = 0, room = 0;
	struct dirent *entry;
	DIR *dir;
	int ret;

	ret = control_directory(directory, sizeof(directory), false, e);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	dir = opendir(directory);
	if (!dir)
		return error_set(e, -errno, "cannot read the directory \"%s\" (%s).", directory,
				 strerror(errno));
	while ((entry = readdir(dir))) {
		pid_t pid = pid_of(entry->d_name), *more;

		if (!pid)
			continue;
		if (n == room) {
			room = room ? 2 * room : 16;
			more = realloc(pids, room * sizeof(*pids));
			if (!more)
				break;
			pids = more;
		}
		pids[n++] = pid;
	}
	closedir(dir);
	if (n)
		qsort(pids, n, sizeof(*pids), by_pid);
	for (size_t i = 0; i < n; i++)
		each(pids[i], arg);
	free(pids);
	return 0;
}
