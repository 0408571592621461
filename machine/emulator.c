// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator as a child process, see emulator.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulator.h"
#include "protocol.h"

enum { PARENT, CHILD };

static void become(char **argv, int channel, int console, int errors, int exec_error)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	/* Ctrl-C on the terminal is boot's to handle, and boot's death is this one's. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	dup2(null, STDIN_FILENO);
	dup2(console, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	/* dup2() of a descriptor to itself would keep its close-on-exec flag. */
	if (channel == PROTOCOL_FD)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, PROTOCOL_FD);
	execvp(argv[0], argv);
	if (write(exec_error, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

/* The child's other descriptors must not sit where PROTOCOL_FD is going to be. */
static int out_of_the_way(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, PROTOCOL_FD + 8);

	close(fd);
	return high;
}

int emulator_start(struct emulator *e, char **argv)
{
	int channel[2], console[2], errors[2], exec_error[2], err = 0;

	memset(e, 0, sizeof(*e));
	e->channel = e->console = e->errors = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		return -1;
	if (pipe2(console, O_CLOEXEC) || pipe2(errors, O_CLOEXEC) || pipe2(exec_error, O_CLOEXEC))
		return -1;

	console[1] = out_of_the_way(console[1]);
	errors[1] = out_of_the_way(errors[1]);
	exec_error[1] = out_of_the_way(exec_error[1]);

	e->pid = fork();
	if (e->pid < 0)
		return -1;
	if (!e->pid)
		become(argv, channel[CHILD], console[1], errors[1], exec_error[1]);

	close(channel[CHILD]);
	close(console[1]);
	close(errors[1]);
	close(exec_error[1]);
	e->channel = channel[PARENT];
	e->console = console[0];
	e->errors = errors[0];
	fcntl(e->channel, F_SETFL, O_NONBLOCK);
	fcntl(e->console, F_SETFL, O_NONBLOCK);
	fcntl(e->errors, F_SETFL, O_NONBLOCK);

	if (read(exec_error[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(exec_error[0]);
	if (err) {
		emulator_stop(e);
		errno = err;
		return -1;
	}
	return 0;
}

bool emulator_ended(struct emulator *e)
{
	if (e->pid && waitpid(e->pid, &e->status, WNOHANG) == e->pid)
		e->pid = 0;
	return !e->pid;
}

void emulator_stop(struct emulator *e)
{
	if (!emulator_ended(e)) {
		kill(-e->pid, SIGKILL);
		kill(e->pid, SIGKILL);
		while (waitpid(e->pid, &e->status, 0) < 0 && errno == EINTR)
			;
		e->pid = 0;
	}
	if (e->channel >= 0)
		close(e->channel);
	if (e->console >= 0)
		close(e->console);
	if (e->errors >= 0)
		close(e->errors);
	e->channel = e->console = e->errors = -1;
}
