// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boots a machine, has it run tests, and tells what became of each.
 *
 *	boot --results DIR --cases FILE [options] TEST[.CASE]... -- EMULATOR [ARG...]
 *		[-- WORD EMULATOR [ARG...]]...
 *
 *	--cases FILE		JSON lines that name each test's cases
 *	--timeout S		for one test (120)
 *	--boot-timeout S	from the start of the emulator to the machine's hello (60)
 *	--meta KEY=VALUE	put into meta.json
 *	--strict		a skip is a failure
 *
 * Where the emulator's arguments have "@append@", the machine is started anew for
 * each set of kernel parameters ("append" in FILE) that tests want.  A test that wants
 * a kind of machine ("wants" in FILE) gets the emulator that follows this WORD, or the
 * first one where there is none for it.
 *
 * When the machine dies or hangs the running test gets the blame, and the machine
 * is started again for the tests that are left.
 *
 * Exit codes: 0 passed, 1 a case failed, timed out, crashed or is missing,
 * 2 usage, 3 our own fault, 4 nothing could run, 130/143 interrupted.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "emulator.h"
#include "protocol.h"
#include "transcript.h"
#include "../include/util.h"

#define EXIT_USAGE	2
#define EXIT_OURS	3
#define APPEND		"@append@"

/* What a machine may take beyond a test's own timeout to say that it is over. */
#define GRACE_S		10
/* What a machine may take to die after its panic. */
#define PANIC_S		5

enum state { BOOTING, RUNNING };

/* The first one is for all tests that want nothing that there is. */
struct kind {
	const char *word;
	char **argv;
};

struct boot {
	struct transcript t;
	struct emulator e;
	struct console console;
	struct lines channel_lines, error_lines;
	FILE *console_log;
	struct kind *kinds;
	size_t nr_kinds;
	const struct kind *kind;	/* of machine: this boot's */
	const char *append;		/* the kernel parameters that this boot has for its tests */
	int signals;			/* signalfd */

	unsigned int timeout, boot_timeout;
	enum state state;
	struct test_run *test;		/* the one that runs */
	double started, first_start, deadline, test_started;
	double hello, first_result;	/* seconds from the first start; 0: not yet */
	unsigned int boots;
	bool left;			/* the machine was switched off by us, for no fault */
	char release[128];
	char error[256];		/* the machine's "error" line, or the emulator's last words */
	int interrupted;		/* signal number */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static const char *append_of(const struct test_run *test)
{
	return test->append ? test->append : "";
}

static const struct kind *kind_of(const struct boot *b, const struct test_run *test)
{
	size_t i;

	for (i = 1; test->wants && i < b->nr_kinds; i++) {
		if (!strcmp(b->kinds[i].word, test->wants))
			return &b->kinds[i];
	}
	return b->kinds;
}

static struct test_run *next_test(struct boot *b)
{
	size_t i;

	for (i = 0; i < b->t.nr_tests; i++) {
		if (!b->t.tests[i].done)
			return &b->t.tests[i];
	}
	return NULL;
}

/* The next one for which this boot will do. */
static struct test_run *next_test_here(struct boot *b)
{
	size_t i;

	for (i = 0; i < b->t.nr_tests; i++) {
		struct test_run *test = &b->t.tests[i];

		if (!test->done && !strcmp(append_of(test), b->append) && kind_of(b, test) == b->kind)
			return test;
	}
	return NULL;
}

/* --- progress: one line on a terminal ------------------------------------- */

static void progress(struct boot *b)
{
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%zu/%zu %s %.0f s", b->t.nr_done, b->t.nr_tests,
		b->state == BOOTING ? "booting" : b->test ? b->test->name : "",
		now() - (b->test ? b->test_started : b->started));
}

static void progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* --- what the machine says ------------------------------------------------ */

static void tell(struct boot *b, const char *text)
{
	/* A machine that takes nothing any more is found out by its deadline. */
	if (write(b->e.channel, text, strlen(text)) < 0 && errno != EPIPE && errno != EAGAIN)
		snprintf(b->error, sizeof(b->error), "results channel: %s", strerror(errno));
}

static void leave(struct boot *b)
{
	emulator_stop(&b->e);
	b->left = true;
}

static void start_next(struct boot *b)
{
	struct test_run *test = next_test_here(b);
	char command[4096];
	size_t len, i;

	if (!test) {
		/* A machine without a disk has nothing to save. */
		leave(b);
		return;
	}
	len = snprintf(command, sizeof(command), "run %u %s", b->timeout, test->name);
	for (i = 0; !test->all_cases && i < test->nr_cases && len < sizeof(command); i++)
		len += snprintf(command + len, sizeof(command) - len, " %s", test->cases[i].name);
	if (len + 1 >= sizeof(command)) {
		struct test_end end = { .how = END_ERROR, .reason = "too many cases were named at once" };

		test_begin(&b->t, test);
		test_end(&b->t, test, &end);
		return start_next(b);
	}
	command[len++] = '\n';
	command[len] = '\0';

	b->state = RUNNING;
	b->test = test;
	b->test_started = now();
	b->deadline = b->test_started + b->timeout + GRACE_S;
	console_forgive(&b->console);
	test_begin(&b->t, test);
	tell(b, command);
}

static void end_test(struct boot *b, struct test_end *end)
{
	struct test_run *test = b->test;

	b->test = NULL;
	if (*b->console.splat && !*b->console.dead)
		test->splat = strdup(b->console.splat);
	end->seconds = now() - b->test_started;
	test_end(&b->t, test, end);
}

static void read_console(struct boot *b);

static void on_end(struct boot *b, const char *how)
{
	struct test_end end = { .how = END_EXIT };
	bool stuck = false;

	if (sscanf(how, "exit %d", &end.value) == 1) {
		end.how = END_EXIT;
	} else if (sscanf(how, "signal %d", &end.value) == 1) {
		end.how = END_SIGNAL;
	} else if (!strncmp(how, "timeout", 7) || !strncmp(how, "stuck", 5)) {
		stuck = *how == 's';
		end.how = END_TIMEOUT;
		end.value = b->timeout;
		end.reason = stuck ? "and the test cannot be killed" : NULL;
	} else {
		end.how = END_ERROR;
		end.reason = "the machine's words make no sense";
	}
	/* What the kernel said during the test was written before "end" was. */
	read_console(b);
	end_test(b, &end);
	if (stuck)
		leave(b);
	else
		start_next(b);
}

static void on_channel_line(char *line, void *arg)
{
	struct boot *b = arg;

	progress_clear();
	if (b->state == BOOTING && !strncmp(line, "hello " PROTOCOL_VERSION " ", 8)) {
		snprintf(b->release, sizeof(b->release), "%s", line + 8);
		if (b->hello == 0)
			b->hello = now() - b->first_start;
		start_next(b);
	} else if (b->state == RUNNING && !strncmp(line, "out ", 4)) {
		test_line(b->test, line + 4);
		if (b->first_result == 0)
			b->first_result = now() - b->first_start;
	} else if (b->state == RUNNING && !strncmp(line, "end ", 4)) {
		on_end(b, line + 4);
	} else {
		snprintf(b->error, sizeof(b->error), "%s", !strncmp(line, "error ", 6) ? line + 6 : line);
	}
}

static void on_error_line(char *line, void *arg)
{
	struct boot *b = arg;

	fprintf(b->console_log, "[emulator] %s\n", line);
	/* QEMU warns of each CPU feature that it does not have. */
	if (!strstr(line, "warning: "))
		snprintf(b->error, sizeof(b->error), "%s", line);
}

static bool read_stream(struct boot *b, int *fd, void (*feed)(struct boot *b, const char *data, size_t len))
{
	char buf[65536];
	ssize_t n = 1;

	while (*fd >= 0 && (n = read(*fd, buf, sizeof(buf))) > 0)
		feed(b, buf, n);
	if (*fd >= 0 && (!n || (errno != EAGAIN && errno != EINTR))) {
		close(*fd);
		*fd = -1;
	}
	return *fd >= 0;
}

static void feed_console(struct boot *b, const char *data, size_t len)
{
	console_feed(&b->console, data, len);
}

static void feed_channel(struct boot *b, const char *data, size_t len)
{
	lines_feed(&b->channel_lines, data, len, on_channel_line, b);
}

static void feed_errors(struct boot *b, const char *data, size_t len)
{
	lines_feed(&b->error_lines, data, len, on_error_line, b);
}

static void read_console(struct boot *b)
{
	read_stream(b, &b->e.console, feed_console);
}

/* --- one life of the machine ---------------------------------------------- */

static void put_tail(const char *line, void *arg)
{
	char text[300];

	snprintf(text, sizeof(text), "console: %s", line);
	transcript_comment(arg, text);
}

/* The machine is gone; whose fault was it, and what becomes of the tests? */
static void post_mortem(struct boot *b, bool hung)
{
	struct test_end end = { .how = END_CRASH };
	char why[512];

	lines_end(&b->error_lines, on_error_line, b);
	console_end(&b->console);
	progress_clear();

	if (b->left)
		return;

	if (*b->console.dead) {
		snprintf(why, sizeof(why), "%s", b->console.dead);
	} else if (hung) {
		end.how = END_TIMEOUT;
		end.value = b->state == BOOTING ? b->boot_timeout : b->timeout;
		snprintf(why, sizeof(why), b->state == BOOTING ?
			 "the machine did not reach init" : "the machine no longer answers");
	} else if (WIFEXITED(b->e.status) && WEXITSTATUS(b->e.status)) {
		end.how = END_ERROR;
		snprintf(why, sizeof(why), "the emulator ended with exit code %d: %.300s",
			 WEXITSTATUS(b->e.status), *b->error ? b->error : "it said nothing");
	} else if (WIFSIGNALED(b->e.status)) {
		end.how = END_ERROR;
		snprintf(why, sizeof(why), "the emulator was killed by signal %d", WTERMSIG(b->e.status));
	} else {
		snprintf(why, sizeof(why), b->state == BOOTING ?
			 "the machine ended before init, without a word" :
			 "the machine ended in the middle of the test, without a word");
	}
	end.reason = why;
	console_tail(&b->console, put_tail, &b->t);

	if (b->test) {
		end_test(b, &end);
		return;
	}
	/* It did not come up: it will not for the other tests either. */
	while ((b->test = next_test_here(b))) {
		b->test_started = now();
		test_begin(&b->t, b->test);
		if (*b->console.complaint) {
			char skip[300];

			snprintf(skip, sizeof(skip), "1..0 # SKIP %s", b->console.complaint);
			test_line(b->test, skip);
			end.how = END_EXIT;
			end.value = 4;
		}
		end_test(b, &end);
	}
}

static void on_signal(struct boot *b)
{
	struct signalfd_siginfo si;

	while (read(b->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo != SIGCHLD && !b->interrupted)
			b->interrupted = si.ssi_signo;
	}
}

/* True when the machine can be used no more; *@hung: it had to be given up. */
static bool step(struct boot *b, bool *hung)
{
	struct pollfd fds[] = {
		{ .fd = b->e.channel, .events = POLLIN },
		{ .fd = b->e.console, .events = POLLIN },
		{ .fd = b->e.errors, .events = POLLIN },
		{ .fd = b->signals, .events = POLLIN },
	};
	double left = b->deadline - now();
	int ms = left > 0.5 ? 500 : left > 0 ? (int)(left * 1000) + 1 : 0;

	if (poll(fds, ARRAY_SIZE(fds), ms) < 0 && errno != EINTR)
		return true;
	progress(b);
	on_signal(b);

	/* The console first, so that a test's end finds the kernel's words read. */
	read_console(b);
	read_stream(b, &b->e.errors, feed_errors);
	read_stream(b, &b->e.channel, feed_channel);

	if (b->interrupted || !transcript_ok(&b->t))
		return true;
	if (*b->console.dead && b->deadline > now() + PANIC_S)
		b->deadline = now() + PANIC_S;
	if (emulator_ended(&b->e)) {
		read_console(b);
		read_stream(b, &b->e.errors, feed_errors);
		read_stream(b, &b->e.channel, feed_channel);
		return true;
	}
	*hung = now() >= b->deadline;
	return *hung;
}

/* The emulator's arguments with @append in place; the caller frees both. */
static char **machine_args(struct boot *b)
{
	size_t n, i, len = strlen(APPEND);
	char **argv = b->kind->argv;
	char **args;

	for (n = 0; argv[n]; n++)
		;
	args = calloc(n + 1, sizeof(*args));
	if (!args)
		abort();
	for (i = 0; i < n; i++) {
		const char *mark = strstr(argv[i], APPEND);

		if (asprintf(&args[i], "%.*s%s%s", mark ? (int)(mark - argv[i]) : INT_MAX,
			     argv[i], mark ? b->append : "", mark ? mark + len : "") < 0)
			abort();
	}
	return args;
}

static int boot_once(struct boot *b)
{
	char **args, **arg;
	bool hung = false;
	int ret;

	b->boots++;
	b->error[0] = '\0';
	b->state = BOOTING;
	b->left = false;
	b->test = NULL;
	b->append = append_of(next_test(b));
	b->kind = kind_of(b, next_test(b));
	memset(&b->channel_lines, 0, sizeof(b->channel_lines));
	memset(&b->error_lines, 0, sizeof(b->error_lines));
	fprintf(b->console_log, "--- boot %u%s%s%s%s\n", b->boots, *b->append ? ": " : "", b->append,
		*b->kind->word ? ", " : "", b->kind->word);
	console_begin(&b->console, b->console_log);

	b->started = now();
	b->deadline = b->started + b->boot_timeout;
	if (!b->first_start)
		b->first_start = b->started;
	args = machine_args(b);
	ret = emulator_start(&b->e, args);
	for (arg = args; *arg; arg++)
		free(*arg);
	free(args);
	if (ret) {
		fprintf(stderr, "kvm-witness: cannot start %s: %s\n", b->kind->argv[0], strerror(errno));
		return -1;
	}
	while (!step(b, &hung))
		;
	emulator_stop(&b->e);
	if (b->interrupted || !transcript_ok(&b->t))
		return -1;
	post_mortem(b, hung);
	return 0;
}

/* What is left when the run is given up. */
static void give_up(struct boot *b, const char *why)
{
	struct test_end end = { .how = END_ERROR, .reason = why };

	progress_clear();
	if (b->test)
		end_test(b, &end);
	while ((b->test = next_test(b))) {
		b->test_started = now();
		test_begin(&b->t, b->test);
		end_test(b, &end);
	}
}

/* --- the command line ----------------------------------------------------- */

static int usage(const char *what)
{
	fprintf(stderr, "boot: %s; run_tests.sh is what calls it\n", what);
	return EXIT_USAGE;
}

static struct test_run *find_test(struct transcript *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->nr_tests; i++) {
		if (!strcmp(t->tests[i].name, name))
			return &t->tests[i];
	}
	return NULL;
}

static struct test_run *get_test(struct transcript *t, const char *name)
{
	struct test_run *test = find_test(t, name);

	if (test)
		return test;
	t->tests = realloc(t->tests, (t->nr_tests + 1) * sizeof(*t->tests));
	if (!t->tests)
		abort();
	test = &t->tests[t->nr_tests++];
	memset(test, 0, sizeof(*test));
	test->name = strdup(name);
	return test;
}

static void add_case(struct test_run *test, const char *name)
{
	size_t i;

	for (i = 0; i < test->nr_cases; i++) {
		if (!strcmp(test->cases[i].name, name))
			return;
	}
	test->cases = realloc(test->cases, (test->nr_cases + 1) * sizeof(*test->cases));
	if (!test->cases)
		abort();
	memset(&test->cases[test->nr_cases], 0, sizeof(*test->cases));
	test->cases[test->nr_cases++].name = strdup(name);
}

static char *strdup_or_null(const char *s)
{
	return s && *s ? strdup(s) : NULL;
}

/* "test" or "test.case"; each named case must be in the list. */
static int select_tests(struct transcript *t, const char *list, char **words, int n)
{
	char line[2048], *dot;
	json_error_t err;
	FILE *f;
	int i;

	for (i = 0; i < n; i++) {
		char *name = strdup(words[i]);
		struct test_run *test;

		dot = strchr(name, '.');
		if (dot)
			*dot = '\0';
		test = get_test(t, name);
		if (!dot)
			test->all_cases = true;
		else
			add_case(test, dot + 1);
		free(name);
	}

	f = fopen(list, "re");
	if (!f) {
		fprintf(stderr, "kvm-witness: %s: %s\n", list, strerror(errno));
		return -1;
	}
	while (fgets(line, sizeof(line), f)) {
		json_t *o = json_loads(line, 0, &err);
		const char *test_name = json_string_value(json_object_get(o, "test"));
		const char *case_name = json_string_value(json_object_get(o, "case"));
		struct test_run *test = test_name ? find_test(t, test_name) : NULL;

		if (test && case_name && test->all_cases)
			add_case(test, case_name);
		if (test && !test->append)
			test->append = strdup_or_null(json_string_value(json_object_get(o, "append")));
		if (test && !test->wants)
			test->wants = strdup_or_null(json_string_value(json_object_get(o, "wants")));
		json_decref(o);
	}
	fclose(f);
	for (i = 0; i < (int)t->nr_tests; i++) {
		if (!t->tests[i].nr_cases) {
			fprintf(stderr, "kvm-witness: %s names no case of %s\n", list, t->tests[i].name);
			return -1;
		}
	}
	return 0;
}

/* "EMULATOR ARG... -- WORD EMULATOR ARG... ..." */
static int parse_kinds(struct boot *b, char **arg)
{
	const char *word = "";

	for (;;) {
		b->kinds = realloc(b->kinds, (b->nr_kinds + 1) * sizeof(*b->kinds));
		if (!b->kinds)
			abort();
		b->kinds[b->nr_kinds].word = word;
		b->kinds[b->nr_kinds++].argv = arg;
		if (!*arg)
			return usage("an emulator is missing");
		while (*arg && strcmp(*arg, "--"))
			arg++;
		if (!*arg)
			return 0;
		*arg++ = NULL;
		if (!*arg)
			return usage("want a WORD and an emulator after each --");
		word = *arg++;
	}
}

static int parse(struct boot *b, int argc, char **argv)
{
	static const struct option options[] = {
		{ "results", required_argument, NULL, 'r' },
		{ "cases", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "boot-timeout", required_argument, NULL, 'b' },
		{ "meta", required_argument, NULL, 'm' },
		{ "strict", no_argument, NULL, 's' },
		{ 0 },
	};
	const char *cases = NULL;
	int opt, first, n, ret;
	char *eq;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		switch (opt) {
		case 'r':
			b->t.dir = optarg;
			break;
		case 'c':
			cases = optarg;
			break;
		case 't':
			b->timeout = atoi(optarg);
			break;
		case 'b':
			b->boot_timeout = atoi(optarg);
			break;
		case 'm':
			eq = strchr(optarg, '=');
			if (!eq)
				return usage("--meta wants KEY=VALUE");
			*eq = '\0';
			json_object_set_new(b->t.meta, optarg, json_string(eq + 1));
			break;
		case 's':
			b->t.strict = true;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	first = optind;
	for (n = first; n < argc && strcmp(argv[n], "--"); n++)
		;
	if (n == first || n + 1 >= argc || !b->t.dir || !cases || !b->timeout || !b->boot_timeout)
		return usage("want --results DIR --cases FILE TEST... -- EMULATOR...");
	ret = parse_kinds(b, argv + n + 1);
	if (ret)
		return ret;
	if (select_tests(&b->t, cases, argv + first, n - first))
		return EXIT_OURS;
	return 0;
}

static void describe_run(struct boot *b)
{
	json_t *emulators = json_object();
	json_t *meta = b->t.meta;
	size_t i;

	for (i = 0; i < b->nr_kinds; i++) {
		json_t *args = json_array();
		char **arg;

		for (arg = b->kinds[i].argv; *arg; arg++)
			json_array_append_new(args, json_string(*arg));
		json_object_set_new(emulators, *b->kinds[i].word ? b->kinds[i].word : "any", args);
	}
	json_object_set_new(meta, "emulators", emulators);
	json_object_set_new(meta, "boots", json_integer(b->boots));
	json_object_set_new(meta, "release", json_string(b->release));
	json_object_set_new(meta, "seconds_to_hello", json_real(b->hello));
	json_object_set_new(meta, "seconds_to_first_line", json_real(b->first_result));
	json_object_set_new(meta, "seconds", json_real(now() - b->first_start));
}

static int run(struct boot *b)
{
	int code;

	while (next_test(b)) {
		if (!boot_once(b))
			continue;
		give_up(b, b->interrupted ? "the run was interrupted" : "the run was given up");
		break;
	}
	describe_run(b);
	code = transcript_close(&b->t);
	return b->interrupted ? 128 + b->interrupted : code;
}

int main(int argc, char **argv)
{
	static struct boot b = { .timeout = 120, .boot_timeout = 60 };
	sigset_t set;
	char *path;
	int ret;

	b.t.meta = json_object();
	ret = parse(&b, argc, argv);
	if (ret)
		return ret;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	b.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	prctl(PR_SET_PDEATHSIG, SIGTERM);

	if (asprintf(&path, "%s/console.log", b.t.dir) < 0)
		return EXIT_OURS;
	b.console_log = fopen(path, "we");
	if (!b.console_log) {
		fprintf(stderr, "kvm-witness: %s: %s; give another folder with --results\n", path,
			strerror(errno));
		return EXIT_OURS;
	}
	describe_run(&b);
	if (transcript_open(&b.t, b.t.dir))
		return EXIT_OURS;
	return run(&b);
}
