// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the console says, see console.h.
 */
#include <string.h>

#include "console.h"
#include "protocol.h"
#include "../include/util.h"

/* Texts of the kernel; the order is that of how much each one explains. */
static const char * const deaths[] = {
	"BUG: unable to handle", "BUG: kernel NULL pointer", "BUG: soft lockup", "BUG: KASAN",
	"BUG: KFENCE", "kernel BUG at", "Oops: ", "general protection fault, ", "invalid opcode: ",
	"double fault: ", "Unable to handle kernel", "Internal error: ", "Kernel panic - not syncing",
};

static const char * const splats[] = {
	"WARNING: ", "BUG: ", "INFO: rcu", "INFO: task ", "UBSAN: ", "unregister_netdevice: waiting",
};

static const char *find_any(const char *line, const char * const *texts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const char *at = strstr(line, texts[i]);

		if (at)
			return at;
	}
	return NULL;
}

static void keep(char *to, size_t len, const char *text)
{
	if (!*to && text)
		snprintf(to, len, "%s", text);
}

static void look(char *line, void *arg)
{
	struct console *c = arg;
	size_t len = strlen(line);
	const char *at;

	while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
		line[--len] = '\0';
	if (!len)
		return;
	snprintf(c->tail[c->nr_tail++ % CONSOLE_TAIL], sizeof(c->tail[0]), "%s", line);

	at = strstr(line, INIT_COMPLAINT);
	if (at) {
		at += strlen(INIT_COMPLAINT);
		if (strncmp(at, "note: ", 6))
			keep(c->complaint, sizeof(c->complaint), at);
		return;
	}
	keep(c->dead, sizeof(c->dead),
	     find_any(line, deaths, ARRAY_SIZE(deaths)));
	keep(c->splat, sizeof(c->splat),
	     find_any(line, splats, ARRAY_SIZE(splats)));
}

void console_begin(struct console *c, FILE *log)
{
	memset(c, 0, sizeof(*c));
	c->log = log;
}

void console_feed(struct console *c, const char *data, size_t len)
{
	fwrite(data, 1, len, c->log);
	fflush(c->log);
	lines_feed(&c->lines, data, len, look, c);
}

void console_end(struct console *c)
{
	lines_end(&c->lines, look, c);
}

void console_forgive(struct console *c)
{
	c->splat[0] = '\0';
}

void console_tail(const struct console *c, void (*fn)(const char *line, void *arg), void *arg)
{
	unsigned int i = c->nr_tail > CONSOLE_TAIL ? c->nr_tail - CONSOLE_TAIL : 0;

	for (; i < c->nr_tail; i++)
		fn(c->tail[i % CONSOLE_TAIL], arg);
}
