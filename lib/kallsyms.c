// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel symbols, see include/kallsyms.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kallsyms.h"

struct symbol {
	uint64_t addr;
	const char *name;
};

static struct symbol *symbols;
static size_t nr_symbols;

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && !strcmp(name + len - n, end);
}

/* The linker script's names for where a section begins or ends. */
static bool is_boundary(const char *name)
{
	return ends_in(name, "_start") || ends_in(name, "_end") || ends_in(name, "_begin") ||
	       !strncmp(name, "__start_", 8) || !strncmp(name, "__stop_", 7) ||
	       !strcmp(name, "_text") || !strcmp(name, "_stext") || !strcmp(name, "_sinittext");
}

static int by_addr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* The kernel's own come sorted, which saves the time to do it; those of modules do not. */
static bool is_sorted(void)
{
	size_t i;

	for (i = 1; i < nr_symbols; i++) {
		if (symbols[i - 1].addr > symbols[i].addr)
			return false;
	}
	return true;
}

/* All of the file, with a NUL after it; it is some megabytes. */
static char *slurp(int fd)
{
	size_t len = 0, room = 1 << 20;
	char *buf = malloc(room);
	ssize_t n;

	while (buf && (n = read(fd, buf + len, room - len - 1)) > 0) {
		len += n;
		if (len == room - 1) {
			room *= 2;
			buf = realloc(buf, room);
		}
	}
	if (buf)
		buf[len] = '\0';
	return buf;
}

static void add(uint64_t addr, const char *name)
{
	static size_t room;

	if (nr_symbols == room) {
		room = room ? 2 * room : 65536;
		symbols = realloc(symbols, room * sizeof(*symbols));
		if (!symbols)
			abort();
	}
	symbols[nr_symbols].addr = addr;
	symbols[nr_symbols++].name = name;
}

/*
 * "address type name[\t[module]]" lines; the names stay where they are.  Returns
 * false when all addresses are zero, as kptr_restrict makes them.
 */
static bool parse(char *text)
{
	bool seen = false;
	char *line, *end, *next;

	for (line = text; *line; line = next) {
		uint64_t addr = strtoull(line, &end, 16);

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (end == line || strlen(end) < 4)
			continue;
		end += 3;
		end[strcspn(end, "\t ")] = '\0';
		add(addr, end);
		/* Per-CPU symbols of older kernels are small numbers. */
		seen |= addr >> 32 != 0;
	}
	return seen;
}

/*
 * The kernel makes the text anew for each reader, which takes a second and more on an
 * emulated machine: a machine where it does not change names a place to keep it.
 */
static void keep_copy(const char *copy, const char *text)
{
	char path[128];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "%s.%d", copy, getpid());
	f = fopen(path, "we");
	if (!f)
		return;
	ok = fputs(text, f) >= 0;
	if (fclose(f) || !ok || rename(path, copy))
		unlink(path);
}

const char *kallsyms_load(void)
{
	const char *copy = getenv("KVM_WITNESS_KALLSYMS");
	static char why[128];
	char *text;
	int fd = -1;

	if (nr_symbols)
		return NULL;
	if (copy)
		fd = open(copy, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		copy = NULL;
	else
		fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, sizeof(why), "/proc/kallsyms: %s (CONFIG_KALLSYMS)", strerror(errno));
		return why;
	}
	text = slurp(fd);
	close(fd);
	if (text && copy)
		keep_copy(copy, text);
	if (!text || !parse(text)) {
		free(text);
		nr_symbols = 0;
		return "/proc/kallsyms hides addresses: run as root with kernel.kptr_restrict=0 or 1";
	}
	if (!is_sorted())
		qsort(symbols, nr_symbols, sizeof(*symbols), by_addr);
	return NULL;
}

void kallsyms_prepare(void)
{
	kallsyms_load();
}

uint64_t kallsyms_addr(const char *name)
{
	uint64_t addr = 0;
	size_t i;

	for (i = 0; i < nr_symbols; i++) {
		if (strcmp(symbols[i].name, name))
			continue;
		if (addr && addr != symbols[i].addr)
			return 0;
		addr = symbols[i].addr;
	}
	return addr;
}

const char *kallsyms_name(uint64_t addr)
{
	static char name[128];
	size_t lo = 0, hi = nr_symbols, i;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (symbols[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return "?";
	/* Of several names for one address, the first one of a function or object. */
	for (i = lo - 1; i && symbols[i - 1].addr == symbols[lo - 1].addr;)
		i--;
	while (i < lo - 1 && is_boundary(symbols[i].name))
		i++;
	snprintf(name, sizeof(name), "%s", symbols[i].name);
	/* A leading dot would be a whole name, not a suffix. */
	if (*name)
		name[1 + strcspn(name + 1, ".")] = '\0';
	return name;
}
