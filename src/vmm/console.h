/*
 * The console: a pair of byte queues between a guest's terminal device and the user's standard
 * input and output, with backpressure both ways.
 *
 * Input is read by a thread of its own and queued as long as there is room; the device is told
 * by a callback and takes what it wants with console_read. Output is queued by console_write,
 * which takes all or nothing, and written by another thread.
 *
 * On a terminal, Ctrl-A introduces a command: x quits, h lists the commands, Ctrl-A or a sends
 * Ctrl-A. Where input is no terminal, all bytes go to the guest, and end of file ends the input
 * only.
 *
 * When writing fails, what is queued and what follows is dropped, and the device is told: output
 * that nobody gets is no reason to hold a guest up, but one to end it.
 *
 * The device side may be called by any thread. The callbacks run on the console's threads, with no
 * lock held that console_read or console_write need.
 */
#ifndef ANYKVM_VMM_CONSOLE_H
#define ANYKVM_VMM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include "util/error.h"

struct console;

struct console_ops {
	void (*input)(void *opaque); /* bytes were added to the input queue */
	void (*quit)(void *opaque);  /* the user asked to end the run */
	void (*lost)(void *opaque);  /* output cannot be written any more; once, if at all */
};

/*
 * A console on two descriptors, which stay the caller's. With `terminal`, the escape commands
 * are in force. -ENOMEM, -EAGAIN, -EMFILE.
 */
int console_create(struct console **out, int in_fd, int out_fd, bool terminal, struct error *e);

/*
 * Writes what is queued (with a time limit if `flush` is false, so that a stopped reader does not
 * hold up a user who quits) and ends the threads. 0, or -errno of the write that failed: output
 * was lost then.
 */
int console_destroy(struct console *c, bool flush);

/* Connect the device side; NULL disconnects, and on return no callback runs any more. */
void console_connect(struct console *c, const struct console_ops *ops, void *opaque);

/* Take at most n bytes of input; 0 if there is none. */
size_t console_read(struct console *c, void *buf, size_t n);
size_t console_pending(struct console *c);

/* The same input, which stays in the queue. */
size_t console_peek(struct console *c, void *buf, size_t n);
/* Put back n bytes, in front of what is there, as far as they fit. */
void console_unread(struct console *c, const void *buf, size_t n);

/* As the escape command does, have the device end the run; or the next that connects. Any thread. */
void console_quit(struct console *c);
bool console_quit_wanted(struct console *c);

/* Whether writing has failed: for a device that connects after `lost` was called. */
bool console_lost(struct console *c);

/* Queue n bytes of output (n <= 4096): true, or false for now if there is no room. */
bool console_write(struct console *c, const void *buf, size_t n);

#endif
