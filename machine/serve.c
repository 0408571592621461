// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs tests on command, see serve.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "exec.h"
#include "lines.h"
#include "protocol.h"
#include "serve.h"

#define MAX_ARGS	256

struct server {
	int fd;
	const char *dir;
	bool broken;
};

static void say(struct server *s, const char *text, size_t len)
{
	while (len && !s->broken) {
		ssize_t n = write(s->fd, text, len);

		if (n < 0 && errno != EINTR)
			s->broken = true;
		if (n > 0) {
			text += n;
			len -= n;
		}
	}
}

static void pass_on(char *line, void *arg)
{
	char buf[LINE_MAX_LEN + 64];
	int n = snprintf(buf, sizeof(buf), "out %s\n", line);

	say(arg, buf, n);
}

static void report(struct server *s, const struct exec_end *end)
{
	char buf[64];
	int n = 0;

	switch (end->how) {
	case EXEC_EXIT:
		n = snprintf(buf, sizeof(buf), "end exit %d %lu\n", end->value, end->ms);
		break;
	case EXEC_SIGNAL:
		n = snprintf(buf, sizeof(buf), "end signal %d %lu\n", end->value, end->ms);
		break;
	case EXEC_TIMEOUT:
		n = snprintf(buf, sizeof(buf), "end timeout %lu\n", end->ms);
		break;
	case EXEC_STUCK:
		n = snprintf(buf, sizeof(buf), "end stuck %lu\n", end->ms);
		break;
	}
	say(s, buf, n);
}

static void run(struct server *s, char *words)
{
	char *argv[MAX_ARGS + 1], *save, *word, path[512];
	unsigned int timeout, n = 0;
	struct exec_end end;

	timeout = strtoul(words, &words, 10);
	for (word = strtok_r(words, " ", &save); word && n < MAX_ARGS; word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	argv[n] = NULL;
	if (!n || !timeout) {
		serve_error(s->fd, "a run command without a test or a timeout");
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", s->dir, argv[0]);
	argv[0] = path;
	end = exec_test(argv, timeout, pass_on, s);
	report(s, &end);
}

static void command(char *line, void *arg)
{
	struct server *s = arg;

	if (!strncmp(line, "run ", 4))
		run(s, line + 4);
	else
		serve_error(s->fd, "an unknown command");
}

void serve_error(int fd, const char *what)
{
	dprintf(fd, "error %s\n", what);
}

int serve(int fd, const char *dir)
{
	struct server s = { .fd = fd, .dir = dir };
	struct lines lines = { .len = 0 };
	char buf[LINE_MAX_LEN];
	struct utsname un;
	ssize_t n;
	int len;

	uname(&un);
	len = snprintf(buf, sizeof(buf), "hello " PROTOCOL_VERSION " %s\n", un.release);
	say(&s, buf, len);
	while (!s.broken) {
		n = read(fd, buf, sizeof(buf));
		if (!n)
			break;
		if (n < 0) {
			s.broken = errno != EINTR;
			continue;
		}
		lines_feed(&lines, buf, n, command, &s);
	}
	return s.broken ? -1 : 0;
}
