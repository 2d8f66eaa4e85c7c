/*
 * Names of control sockets, for the two sides of control.h.
 */
#ifndef ANYKVM_VMM_CONTROL_PATH_H
#define ANYKVM_VMM_CONTROL_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>
#include "util/error.h"

/*
 * The directory, which is this user's alone, or -EPERM; made if it is not there and `create`, or
 * -ENOENT. -errno otherwise.
 */
int control_directory(char *path, size_t size, bool create, struct error *e);

/* The address of a process's socket, with something behind its name. -ENAMETOOLONG. */
int control_address(pid_t pid, const char *directory, const char *suffix,
		    struct sockaddr_un *address, struct error *e);

#endif
