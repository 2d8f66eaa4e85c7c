/*
 * Raw mode and its undoing. The terminal's mode is the process's business and signal handlers
 * have no argument, so this is the one place with global state; what handlers touch is set
 * before they are installed.
 */
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"

static struct termios cooked, raw;
static int term_fd;
static volatile sig_atomic_t is_raw;

/* Those that end the process by default. SIGKILL cannot be caught. */
static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGSEGV, SIGBUS,
			     SIGILL, SIGFPE, SIGABRT, SIGPIPE, SIGALRM, SIGXCPU};

void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	/* Async-signal-safe. Not TCSAFLUSH: what was typed after the end is the shell's. */
	tcsetattr(term_fd, TCSADRAIN, &cooked);
}

static void enter_raw(void)
{
	tcsetattr(term_fd, TCSADRAIN, &raw);
	is_raw = 1;
}

static void on_deadly(int sig)
{
	if (is_raw) {
		is_raw = 0;
		/* Now: draining waits, perhaps for ever, for a terminal that takes no output. */
		tcsetattr(term_fd, TCSANOW, &cooked);
	}
	/* SA_RESETHAND put the default back: the status says what killed the process. */
	raise(sig);
}

static void on_stop(int sig)
{
	struct sigaction stop = {.sa_handler = SIG_DFL}, old;
	bool was_raw = is_raw;
	sigset_t set;

	if (was_raw) {
		is_raw = 0;
		tcsetattr(term_fd, TCSANOW, &cooked);
	}
	/* Stop by the same signal, unhandled, so that the shell sees what it sent. */
	sigemptyset(&stop.sa_mask);
	sigaction(sig, &stop, &old);
	raise(sig);
	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	/* Here again after SIGCONT; in the background, enter_raw stops until brought to the front. */
	sigaction(sig, &old, NULL);
	if (was_raw)
		enter_raw();
}

static void install(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa, old;

	/* What the parent ignores (nohup) stays ignored; what another part handles is its own. */
	if (sigaction(sig, NULL, &old) || old.sa_handler != SIG_DFL)
		return;
	sa = (struct sigaction){.sa_handler = handler, .sa_flags = flags};
	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

bool terminal_raw(int fd)
{
	if (!isatty(fd) || tcgetattr(fd, &cooked))
		return false;
	raw = cooked;
	cfmakeraw(&raw);
	term_fd = fd;
	atexit(terminal_restore);
	for (unsigned i = 0; i < ARRAY_SIZE(deadly); i++)
		install(deadly[i], on_deadly, SA_RESETHAND | SA_NODEFER);
	install(SIGTSTP, on_stop, SA_RESTART);
	enter_raw();
	return true;
}
