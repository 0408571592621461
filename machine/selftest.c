// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of the kernel's own KVM selftests as a test of ours with one case.
 *
 * Called by the name of a symbolic link, it runs the program of that name in the
 * folder "kernel" beside the link.  What those print has many forms; what they mean is
 * in the exit code: 0 passed, 4 skipped, all else failed.  The reason in the result
 * line is what the selftest itself gave: why it skips, or its first failed assertion.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lines.h"
#include "../include/ktap.h"

#define EXIT_SKIP	4
#define CASE		"selftest"

/* What tools/testing/selftests writes. */
#define SKIP_MARK	"# SKIP"
#define ASSERT_MARK	"==== Test Assertion Failure ===="
#define ASSERT_PID	"pid="
#define SEED_MARK	"Random seed: "

/* Where in the words of a failed assertion the output is. */
enum place { ELSEWHERE, CONDITION, PROCESS, MESSAGE, OVER };

struct words {
	struct ktap ktap;
	enum place place;
	char skip[256];
	char file[128], condition[256], message[256];
	char not_ok[256], last[256];
};

static void keep_first(char *to, size_t len, const char *text)
{
	text += strspn(text, " -");
	if (!*to)
		snprintf(to, len, "%s", text);
}

/* "  x86/state_test.c:123: condition" without the number, which says nothing of machines. */
static void keep_condition(struct words *w, const char *line)
{
	const char *colon = strchr(line, ':'), *second = colon ? strchr(colon + 1, ':') : NULL;

	if (!second)
		return keep_first(w->condition, sizeof(w->condition), line);
	line += strspn(line, " ");
	snprintf(w->file, sizeof(w->file), "%.*s", (int)(colon - line), line);
	keep_first(w->condition, sizeof(w->condition), second + 1);
}

static void look(struct words *w, const char *line)
{
	const char *text = line + strspn(line, " ");
	const char *skip = strstr(line, SKIP_MARK);

	/* Another one each time, and no reason for anything. */
	if (!*text || !strncmp(text, SEED_MARK, strlen(SEED_MARK)))
		return;
	if (skip)
		keep_first(w->skip, sizeof(w->skip), skip + strlen(SKIP_MARK));
	if (!strncmp(text, "not ok ", 7))
		keep_first(w->not_ok, sizeof(w->not_ok), text);
	snprintf(w->last, sizeof(w->last), "%s", text);

	switch (w->place) {
	case ELSEWHERE:
		if (strstr(line, ASSERT_MARK))
			w->place = CONDITION;
		break;
	case CONDITION:
		keep_condition(w, line);
		w->place = PROCESS;
		break;
	case PROCESS:
		if (!strncmp(text, ASSERT_PID, strlen(ASSERT_PID)))
			w->place = MESSAGE;
		break;
	case MESSAGE:
		/* The call chain: a table of addr2line, which is not here, or that there is none. */
		if (strstr(line, "stack trace empty") || strstr(line, "addr2line"))
			break;
		keep_first(w->message, sizeof(w->message), line);
		w->place = OVER;
		break;
	case OVER:
		break;
	}
}

static void on_line(char *line, void *arg)
{
	struct words *w = arg;

	/* As a comment: the plans and results of others are none of ours. */
	ktap_comment(&w->ktap, line);
	look(w, line);
}

/* TEST_FAIL() and GUEST_FAIL() have all their words in the message. */
static bool says_nothing(const char *condition)
{
	return !strcmp(condition, "false") || !strcmp(condition, "Unconditional guest failure");
}

static void describe_failure(const struct words *w, int status, char *why, size_t len)
{
	if (*w->condition)
		snprintf(why, len, "%s: %s", w->file,
			 says_nothing(w->condition) && *w->message ? w->message : w->condition);
	else if (WIFSIGNALED(status))
		snprintf(why, len, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, len, "exit code %d: %s", WEXITSTATUS(status),
			 *w->not_ok ? w->not_ok : *w->last ? w->last : "it said nothing");
}

/* In the process group of this program: who gives up on it kills both. */
static pid_t start(char **argv, int *out)
{
	int pipefd[2];
	pid_t pid;

	if (pipe2(pipefd, 0))
		return -1;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(pipefd[1], STDOUT_FILENO);
		dup2(pipefd[1], STDERR_FILENO);
		close(pipefd[0]);
		close(pipefd[1]);
		execv(argv[0], argv);
		fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(pipefd[1]);
	*out = pipefd[0];
	return pid;
}

int main(int argc, char **argv)
{
	char *slash = strrchr(argv[0], '/'), path[512], why[640], buf[4096];
	struct lines lines = { .len = 0 };
	static struct words w;
	int status, fd = -1;
	ssize_t n;
	pid_t pid;

	if (!slash) {
		fprintf(stderr, "selftest: started by machine_check.sh only, by the name of a link\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%.*s/kernel/%s", (int)(slash - argv[0]), argv[0], slash + 1);
	/* For sem_open() of hardware_disable_test, which does not check. */
	mkdir("/dev/shm", 01777);
	/* The framework finds the code of its guests by the name that it was called by. */
	argv[0] = path;
	ktap_begin(&w.ktap, stdout, 0, 1);
	pid = start(argv, &fd);
	if (pid < 0) {
		ktap_result(&w.ktap, VERDICT_ERROR, CASE, strerror(errno));
		return 1;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			lines_feed(&lines, buf, n, on_line, &w);
	}
	lines_end(&lines, on_line, &w);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 1;
	}

	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		ktap_result(&w.ktap, VERDICT_PASS, CASE, NULL);
		return 0;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
		ktap_result(&w.ktap, VERDICT_SKIP, CASE, *w.skip ? w.skip : w.last);
		return EXIT_SKIP;
	}
	describe_failure(&w, status, why, sizeof(why));
	ktap_result(&w.ktap, VERDICT_FAIL, CASE, why);
	return 1;
}
