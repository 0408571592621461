// SPDX-License-Identifier: GPL-2.0-only
/*
 * machine/: lines out of a stream, a console in trouble, one test executed.
 */
#include "unit.h"

#include <time.h>

#include "../../machine/console.h"
#include "../../machine/exec.h"
#include "../../machine/lines.h"
#include "../../include/util.h"

struct seen {
	unsigned int n;
	char last[LINE_MAX_LEN + 64];
};

static void see(char *line, void *arg)
{
	struct seen *s = arg;

	s->n++;
	snprintf(s->last, sizeof(s->last), "%s", line);
}

static void lines_cut_anywhere(void **state)
{
	static const char input[] = "one\ntwo words\n\nfour\0x\n";
	struct lines l = { .len = 0 };
	struct seen s = { 0 };
	size_t i;

	for (i = 0; i < sizeof(input) - 1; i++)
		lines_feed(&l, input + i, 1, see, &s);
	assert_int_equal(s.n, 4);
	assert_string_equal(s.last, "four x");
	lines_end(&l, see, &s);
	assert_int_equal(s.n, 4);
}

static void lines_last_without_newline(void **state)
{
	struct lines l = { .len = 0 };
	struct seen s = { 0 };

	lines_feed(&l, "a\nb", 3, see, &s);
	lines_end(&l, see, &s);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.last, "b");
}

static void lines_bounded(void **state)
{
	static struct lines l;
	static struct seen s;
	int i;

	for (i = 0; i < 3 * LINE_MAX_LEN; i++)
		lines_feed(&l, "x", 1, see, &s);
	lines_feed(&l, "\nnext\n", 6, see, &s);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.last, "next");
}

static void console_trouble(void **state)
{
	static const struct {
		const char *line, *dead, *splat;
	} cases[] = {
		{ "[    1.2] Kernel panic - not syncing: Attempted to kill init!\r",
		  "Kernel panic - not syncing: Attempted to kill init!", "" },
		{ "[    1.2] BUG: kernel NULL pointer dereference, address: 08",
		  "BUG: kernel NULL pointer dereference, address: 08",
		  "BUG: kernel NULL pointer dereference, address: 08" },
		{ "Oops: general protection fault, probably for non-canonical address",
		  "Oops: general protection fault, probably for non-canonical address", "" },
		{ "WARNING: arch/x86/kvm/x86.c:1 at f+0x1", "", "WARNING: arch/x86/kvm/x86.c:1 at f+0x1" },
		{ "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
		  "BUG: soft lockup - CPU#0 stuck for 22s!", "BUG: soft lockup - CPU#0 stuck for 22s!" },
		{ "Linux version 7.3.4", "", "" },
		{ "kvm: Nested Virtualization enabled", "", "" },
	};
	static struct console c;
	FILE *null = fopen("/dev/null", "w");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		console_begin(&c, null);
		console_feed(&c, cases[i].line, strlen(cases[i].line));
		console_end(&c);
		assert_string_equal(c.dead, cases[i].dead);
		assert_string_equal(c.splat, cases[i].splat);
	}
	fclose(null);
}

static void console_first_trouble_stands(void **state)
{
	static const char text[] = "BUG: unable to handle page fault\nKernel panic - not syncing: Fatal\n";
	static struct console c;
	FILE *null = fopen("/dev/null", "w");

	console_begin(&c, null);
	console_feed(&c, text, sizeof(text) - 1);
	assert_string_equal(c.dead, "BUG: unable to handle page fault");
	fclose(null);
}

static void console_complaint(void **state)
{
	static const char text[] = "kvm-witness: init: note: no /dev/kvm\nkvm-witness: init: no port\n";
	static struct console c;
	FILE *null = fopen("/dev/null", "w");

	console_begin(&c, null);
	console_feed(&c, text, sizeof(text) - 1);
	assert_string_equal(c.complaint, "no port");
	fclose(null);
}

static struct exec_end sh(const char *script, unsigned int timeout, struct seen *s)
{
	char *argv[] = { "/bin/sh", "-c", (char *)script, NULL };

	memset(s, 0, sizeof(*s));
	return exec_test(argv, timeout, see, s);
}

static void exec_exit_code(void **state)
{
	struct seen s;
	struct exec_end e = sh("echo out; echo err >&2; exit 7", 10, &s);

	assert_int_equal(e.how, EXEC_EXIT);
	assert_int_equal(e.value, 7);
	assert_int_equal(s.n, 2);
}

static void exec_signal(void **state)
{
	struct seen s;
	struct exec_end e = sh("printf last; kill -SEGV $$", 10, &s);

	assert_int_equal(e.how, EXEC_SIGNAL);
	assert_int_equal(e.value, 11);
	assert_string_equal(s.last, "last");
}

static void exec_timeout_kills_the_group(void **state)
{
	struct seen s;
	struct exec_end e = sh("trap '' TERM INT; echo $$; sleep 1000 & wait", 1, &s);
	char cmd[128];

	assert_int_equal(e.how, EXEC_TIMEOUT);
	/* A kill takes its time, and where nobody reaps a zombie remains. */
	snprintf(cmd, sizeof(cmd), "timeout 20 sh -c 'while pgrep -r R,S,D -g %d; do :; done' >/dev/null",
		 atoi(s.last));
	assert_int_equal(system(cmd), 0);
}

static void exec_ends_with_the_test_not_its_output(void **state)
{
	struct seen s;
	struct exec_end e = sh("sleep 1000 & echo over", 100, &s);

	assert_int_equal(e.how, EXEC_EXIT);
	assert_true(e.ms < 50000);
	assert_string_equal(s.last, "over");
}

static void exec_no_such_program(void **state)
{
	char *argv[] = { "/no/such/test", NULL };
	struct seen s = { 0 };
	struct exec_end e = exec_test(argv, 10, see, &s);

	assert_int_equal(e.how, EXEC_EXIT);
	assert_int_equal(e.value, 127);
	assert_non_null(strstr(s.last, "cannot run /no/such/test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_cut_anywhere),
		cmocka_unit_test(lines_last_without_newline),
		cmocka_unit_test(lines_bounded),
		cmocka_unit_test(console_trouble),
		cmocka_unit_test(console_first_trouble_stands),
		cmocka_unit_test(console_complaint),
		cmocka_unit_test(exec_exit_code),
		cmocka_unit_test(exec_signal),
		cmocka_unit_test(exec_timeout_kills_the_group),
		cmocka_unit_test(exec_ends_with_the_test_not_its_output),
		cmocka_unit_test(exec_no_such_program),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
