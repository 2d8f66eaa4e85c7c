/* Files for profilers and for those who read compiled code. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

int open_perf_map(void)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0) {
		complain("cannot make the perf map \"%s\" (%s).", path, strerror(errno));
		return -1;
	}
	/* Anybody may make files there: nobody else's is written to, or emptied. */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1) {
		complain("the perf map \"%s\" is somebody else's file; remove it.", path);
		close(fd);
		return -1;
	}
	if (ftruncate(fd, 0)) {
		complain("cannot write the perf map \"%s\" (%s).", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int open_jit_dump(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		complain("cannot write \"%s\" (%s); give --jit-dump another file.", path,
			 strerror(errno));
	return fd;
}
