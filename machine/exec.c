// SPDX-License-Identifier: GPL-2.0-only
/*
 * One test, see exec.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exec.h"
#include "lines.h"

/* How long a killed test may take to die before it counts as stuck. */
#define DIE_MS	5000

static unsigned long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000UL + ts.tv_nsec / 1000000;
}

static void child(char **argv, int out)
{
	sigset_t none;
	char *dir;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	dir = strdup(argv[0]);
	if (!dir || chdir(dirname(dir)))
		fprintf(stderr, "cannot change to the folder of %s\n", argv[0]);
	execv(argv[0], argv);
	fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Reads what there is; false at the end of the stream. */
static bool drain(int fd, struct lines *l, void (*out)(char *line, void *arg), void *arg)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		lines_feed(l, buf, n, out, arg);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

struct exec_end exec_test(char **argv, unsigned int timeout_s,
			  void (*out)(char *line, void *arg), void *arg)
{
	unsigned long begin = now_ms(), deadline = begin + timeout_s * 1000UL;
	struct exec_end end = { .how = EXEC_EXIT, .value = 127 };
	struct lines lines = { .len = 0 };
	bool timed_out = false, open = true;
	int status, pipefd[2];
	pid_t pid, done = 0;

	if (pipe2(pipefd, O_CLOEXEC))
		return end;
	fcntl(pipefd[0], F_SETFL, O_NONBLOCK);
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(pipefd[0]);
		close(pipefd[1]);
		return end;
	}
	if (!pid)
		child(argv, pipefd[1]);
	close(pipefd[1]);

	/*
	 * The test's death is seen by waitpid(), not by the end of its output: a
	 * process that it left behind may hold the pipe.  10 ms is the longest that
	 * such a death goes unnoticed; all else is woken by the pipe.
	 */
	while (!done) {
		struct pollfd p = { .fd = open ? pipefd[0] : -1, .events = POLLIN };
		unsigned long t;

		poll(&p, 1, 10);
		if (open)
			open = drain(pipefd[0], &lines, out, arg);
		done = waitpid(pid, &status, WNOHANG);
		t = now_ms();
		if (done || t < deadline)
			continue;
		if (timed_out)
			break;
		timed_out = true;
		deadline = t + DIE_MS;
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
	}
	kill(-pid, SIGKILL);
	if (open)
		drain(pipefd[0], &lines, out, arg);
	lines_end(&lines, out, arg);
	close(pipefd[0]);

	end.ms = now_ms() - begin;
	if (!done) {
		end.how = EXEC_STUCK;
	} else if (timed_out) {
		end.how = EXEC_TIMEOUT;
	} else if (WIFSIGNALED(status)) {
		end.how = EXEC_SIGNAL;
		end.value = WTERMSIG(status);
	} else {
		end.value = WEXITSTATUS(status);
	}
	return end;
}
