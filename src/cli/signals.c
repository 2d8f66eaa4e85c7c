/*
 * Signals that ask a run to end, where ending means more than dying: with --save-on-exit, the state
 * is to be saved. They are blocked in all threads, and one thread waits for them.
 */
#include <pthread.h>
#include <signal.h>

#include "cli/cli.h"
#include "vmm/console.h"

/* What the parent ignores (nohup) stays ignored: blocked and waited for, it would not be. */
static void end_signals(sigset_t *set)
{
	static const int asking[] = {SIGHUP, SIGINT, SIGTERM};

	sigemptyset(set);
	for (unsigned i = 0; i < ARRAY_SIZE(asking); i++) {
		struct sigaction old;

		if (!sigaction(asking[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(set, asking[i]);
	}
}

void end_signals_block(void)
{
	sigset_t set;

	end_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A file that may not grow is an error of write(2) then, and no end. */
	signal(SIGXFSZ, SIG_IGN);
}

static void *wait_main(void *arg)
{
	sigset_t set;
	int sig;

	end_signals(&set);
	for (;;)
		if (!sigwait(&set, &sig))
			console_quit(arg);
	return NULL;
}

bool end_signals_start(pthread_t *thread, struct console *console)
{
	return !pthread_create(thread, NULL, wait_main, console);
}

void end_signals_stop(pthread_t thread)
{
	/* sigwait is a cancellation point; console_quit has none that waits. */
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}
