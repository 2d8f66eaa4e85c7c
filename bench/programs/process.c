/* SPDX-License-Identifier: Apache-2.0 */
/* Workloads that are the kernel's: system calls, page faults, processes, pipes. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- syscalls: the way into the kernel and back --------------------------------------- */

static uint64_t syscalls(uint64_t count)
{
	long first = syscall(SYS_getppid);
	uint64_t sum = 0;

	while (count--)
		sum += syscall(SYS_getppid) == first;
	return sum;
}

/* --- faults: pages touched for the first time, and given back -------------------------- */

static uint64_t faults(uint64_t count)
{
	/* Of 64 KiB on Debian's ppc64el, of 4 KiB on most hosts: faults are counted, not bytes. */
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	enum { pages = 64 };
	uint64_t sum = 0;

	for (uint64_t done = 0; done < count; done += pages) {
		uint8_t *area = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (area == MAP_FAILED)
			die("mmap");
		/* One fault for one page, not for a huge one. */
		madvise(area, pages * page, MADV_NOHUGEPAGE);
		for (size_t i = 0; i < pages; i++)
			area[i * page + 8 * i] = (uint8_t)(i + done);
		for (size_t i = 0; i < pages; i++)
			sum = mix(sum, area[i * page + 8 * i]);
		if (munmap(area, pages * page))
			die("munmap");
	}
	return sum;
}

/* --- fork, exec: processes made and ended --------------------------------------------- */

static int finish(pid_t pid)
{
	int status;

	if (pid < 0)
		die("fork");
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static uint64_t fork_exit(uint64_t count)
{
	uint64_t sum = 0;

	while (count--) {
		int status = (int)(count & 63);
		pid_t pid = fork();

		if (!pid)
			_exit(status);
		sum += finish(pid) == status;
	}
	return sum;
}

static uint64_t fork_exec(uint64_t count)
{
	uint64_t sum = 0;

	while (count--) {
		pid_t pid = fork();

		if (!pid) {
			execl("/proc/self/exe", "bench", "nothing", (char *)NULL);
			_exit(127);
		}
		sum += finish(pid) == 0;
	}
	return sum;
}

/* --- switches: one byte to and fro between two processes -------------------------------- */

static uint64_t switches(uint64_t count)
{
	int there[2], back[2];
	uint64_t sum = 0;
	uint8_t byte = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (!pid) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1) {
			byte++;
			if (write(back[1], &byte, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	/* There and back are two switches. */
	for (uint64_t i = 0; i < count; i += 2) {
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			die("pipe");
		sum = mix(sum, byte);
	}
	close(there[1]);
	if (finish(pid))
		die("the other process");
	return sum;
}

/* --- pipe: much data from one process to another ---------------------------------------- */

static uint64_t pipe_data(uint64_t count)
{
	static uint8_t block[65536];
	uint64_t total = count * sizeof(block), got = 0, sum = 0;
	int end[2];
	pid_t pid;

	memset(block, 0x5a, sizeof(block));
	if (pipe(end))
		die("pipe");
	pid = fork();
	if (!pid) {
		close(end[0]);
		for (uint64_t sent = 0; sent < total;) {
			ssize_t n = write(end[1], block, sizeof(block));

			if (n <= 0)
				_exit(1);
			sent += (uint64_t)n;
		}
		_exit(0);
	}
	close(end[1]);
	for (;;) {
		ssize_t n = read(end[0], block, sizeof(block));

		if (n < 0)
			die("read");
		if (!n)
			break;
		got += (uint64_t)n;
		sum |= block[n - 1];
	}
	close(end[0]);
	if (finish(pid))
		die("the other process");
	return mix(sum, got);
}

const struct workload process_workloads[] = {
	{"syscalls", "getppid() system calls", 150000, syscalls},
	{"faults", "first writes to fresh pages", 8192, faults},
	{"fork", "fork, exit and wait", 200, fork_exit},
	{"exec", "fork and execution of a static program", 60, fork_exec},
	{"switches", "context switches between two processes over pipes", 3000, switches},
	{"pipe", "64 KiB blocks through a pipe", 1500, pipe_data},
	{0},
};
