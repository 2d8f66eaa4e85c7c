/*
 * The control socket: how another process of the same user looks into a running machine
 * (`anykvm stat`). It only shows; nothing can be changed through it.
 *
 * Where. A Unix-domain stream socket PID.sock in $XDG_RUNTIME_DIR/anykvm, or in /tmp/anykvm-UID
 *where that variable is not set. The directory is the user's alone (mode 0700), so is the socket
 *(0600), and the server asks the kernel who a client is. The socket goes with the process; one that
 *a killed process left refuses connections, and is removed by who finds it.
 *
 * Protocol, in lines of text. A client sends one request; the server answers and closes:
 *
 *	info                what it is
 *	stat                all statistics
 *	mappings            second-stage page tables, of the machine and of its nested guests
 *	mappings LPID       those of one nested guest
 *
 * The answer begins with "ok anykvm 1" and ends with "end", or with "error " and a sentence.
 *Between:
 *
 *	info KEY VALUE                        the value goes to the end of the line
 *	time NANOSECONDS                      of the host's monotonic clock
 *	vm NAME KIND UNIT VALUE               KIND: counter, gauge; UNIT: -, bytes, ns, bool, other
 *	vcpu ID NAME KIND UNIT VALUE
 *	tree own | tree nested LPID           what follows is this table's
 *	map GPA SIZE HOST ORIGIN SHIFT FLAGS  hexadecimal but SHIFT (decimal); FLAGS as rwxRC, - for
 *not
 *
 * The server is a thread of its own. It takes a bounded number of clients, each for a bounded time,
 * with a bounded buffer that is filled piece by piece as the client reads; it never waits for one.
 */
#ifndef ANYKVM_VMM_CONTROL_H
#define ANYKVM_VMM_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>
#include "util/error.h"

struct control;
struct vm;

#define CONTROL_GREETING "ok anykvm 1"

/* --- the machine's side --- */

/* Begin to serve; one a process. -errno with a sentence: the machine can run without. */
int control_create(struct control **out, struct error *e);
void control_destroy(struct control *c); /* NULL: nothing */

/*
 * What is served; before, and between machines (at a reset), clients wait. Attach before the vCPUs
 * run; after detach returns, nothing uses the VM.
 */
void control_attach(struct control *c, struct vm *vm);
void control_detach(struct control *c);

/* --- the client's side --- */

/* Calls `each` for each process that serves; the order is that of the process numbers. 0 or -errno.
 */
int control_list(void (*each)(pid_t pid, void *arg), void *arg, struct error *e);

/* A connection on which the request was sent; to be closed. -ENOENT: no machine. */
int control_request(pid_t pid, const char *request, struct error *e);

#endif
