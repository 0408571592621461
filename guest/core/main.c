// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the checks that the command line names and writes KTAP.
 *
 *	checks=TEST[.CASE],...	only these
 *	flat			as a test prints it: of the first test that is named, its cases alone
 *	serve			be told what to run (machine/protocol.h)
 *	list			describe all cases, one JSON object a line
 *	moved			the VM is to be moved when it says so
 *	tcg			this is QEMU's emulation, with its known limits
 *	tcg=kvm			this is KVM on a processor that QEMU emulates
 *
 * Words that are for others (a VMM adds what a Linux kernel would want) do no harm.
 */
#include <stdio.h>
#include <string.h>

#include "guest.h"
#include "../../include/ktap.h"
#include "../../machine/protocol.h"

enum { EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_SKIP = 4 };

static const char *command_line;

/* --- the command line ----------------------------------------------------- */

static const char *find_option(const char *text, const char *name)
{
	size_t n = strlen(name);

	while (*text) {
		if (!strncmp(text, name, n) && strchr("= ", text[n]))
			return text + n + (text[n] == '=');
		text += strcspn(text, " ");
		text += *text == ' ';
	}
	return NULL;
}

const char *guest_option(const char *name)
{
	static char value[1024];
	const char *v = find_option(command_line, name);

	if (!v)
		return NULL;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(v, " "), v);
	return value;
}

bool is_tcg(void)
{
	const char *tcg = guest_option("tcg");

	return tcg && !*tcg;
}

bool is_kvm_on_tcg(void)
{
	const char *tcg = guest_option("tcg");

	return tcg && !strcmp(tcg, "kvm");
}

/* --- one case ------------------------------------------------------------- */

static struct {
	bool ended;
	unsigned long checks;
	enum verdict verdict;
	char reason[512];
} outcome;

static void __noreturn end_case(enum verdict v, const char *fmt, va_list ap)
{
	struct cpu *cpu = this_cpu();

	if (!outcome.ended) {
		vsnprintf(outcome.reason, sizeof(outcome.reason), fmt, ap);
		outcome.verdict = v;
		__atomic_store_n(&outcome.ended, true, __ATOMIC_RELEASE);
	}
	if (!cpu->case_end) {
		fprintf(stdout, "\n# %s\n", outcome.reason);
		arch_exit(EXIT_FAIL);
	}
	jump_to(cpu->case_end);
}

void case_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_case(VERDICT_SKIP, fmt, ap);
}

void case_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_case(VERDICT_FAIL, fmt, ap);
}

void case_checked(void)
{
	__atomic_fetch_add(&outcome.checks, 1, __ATOMIC_RELAXED);
}

bool case_has_ended(void)
{
	return __atomic_load_n(&outcome.ended, __ATOMIC_ACQUIRE);
}

static void run_case(struct ktap *k, const struct witness_test *test, const struct witness_case *c)
{
	struct cpu *cpu = this_cpu();
	struct jump end;

	memset(&outcome, 0, sizeof(outcome));
	cpu->case_end = &end;
	if (!jump_set(&end)) {
		if (test->setup)
			test->setup();
		c->run();
	}
	cpu->case_end = NULL;
	cpu->catching = NULL;
	irqs_off();
	irq_handle(NULL);
	if (!outcome.ended && !outcome.checks) {
		outcome.verdict = VERDICT_FAIL;
		snprintf(outcome.reason, sizeof(outcome.reason), "the case checked nothing");
	}
	ktap_result(k, outcome.verdict, c->name, outcome.reason);
}

void hold(void)
{
	if (!guest_option("moved"))
		case_skip("nobody moves this VM: run_tests.sh --guest --move live|snapshot");
	fputs("# hold\n", stdout);
	while (console_getc() != 'g')
		cpu_relax();
}

/* --- tests ---------------------------------------------------------------- */

static size_t nr_tests(void)
{
	return guest_tests_end - guest_tests;
}

/* Is this case in the list "TEST,TEST.CASE,..." or "TEST CASE ..."? */
static bool named(const char *list, const struct witness_test *test, const struct witness_case *c)
{
	char whole[128];
	size_t n;

	snprintf(whole, sizeof(whole), "%s.%s", test->name, c->name);
	for (; *list; list += n, list += *list == ',') {
		n = strcspn(list, ",");
		if ((n == strlen(test->name) && !strncmp(list, test->name, n)) ||
		    (n == strlen(whole) && !strncmp(list, whole, n)))
			return true;
	}
	return false;
}

static unsigned int count_named(const char *list, const struct witness_test *test)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < test->nr_cases; i++)
		n += named(list, test, &test->cases[i]);
	return n;
}

/* kselftest's. */
static int exit_code(const struct ktap *k)
{
	if (k->count[VERDICT_FAIL])
		return EXIT_FAIL;
	return k->count[VERDICT_PASS] ? EXIT_PASS : EXIT_SKIP;
}

static int run_test(const struct witness_test *test, const char *list, unsigned int level)
{
	struct ktap k;
	size_t i;

	ktap_begin(&k, stdout, level, count_named(list, test));
	for (i = 0; i < test->nr_cases; i++) {
		if (named(list, test, &test->cases[i]))
			run_case(&k, test, &test->cases[i]);
	}
	return exit_code(&k);
}

static int run_all(const char *list, bool flat)
{
	static const enum verdict verdicts[] = {
		[EXIT_PASS] = VERDICT_PASS, [EXIT_FAIL] = VERDICT_FAIL, [EXIT_SKIP] = VERDICT_SKIP,
	};
	unsigned int plan = 0;
	struct ktap k;
	size_t i;

	for (i = 0; i < nr_tests(); i++) {
		if (count_named(list, guest_tests[i]) && flat)
			return run_test(guest_tests[i], list, 0);
		plan += !!count_named(list, guest_tests[i]);
	}
	ktap_begin(&k, stdout, 0, plan);
	if (!plan) {
		ktap_comment(&k, "checks= names nothing that there is; the word list lists all");
		return EXIT_USAGE;
	}
	for (i = 0; i < nr_tests(); i++) {
		int code;

		if (!count_named(list, guest_tests[i]))
			continue;
		code = run_test(guest_tests[i], list, 1);
		ktap_result(&k, verdicts[code], guest_tests[i]->name, code == EXIT_SKIP ? "every case was skipped" : "");
	}
	return exit_code(&k);
}

/* The texts are ours and hold no character that JSON would have escaped. */
static void list_all(void)
{
	size_t i, j;

	for (i = 0; i < nr_tests(); i++) {
		const struct witness_test *test = guest_tests[i];

		for (j = 0; j < test->nr_cases; j++) {
			const struct witness_case *c = &test->cases[j];

			fprintf(stdout, "{\"test\": \"%s\", \"case\": \"%s\", \"verifies\": \"%s\", \"needs\": \"%s\", ",
				test->name, c->name, c->verifies, c->needs ? c->needs : test->needs);
			fprintf(stdout, "\"seed\": \"%s\", \"append\": \"\", \"wants\": \"\", \"arch\": \"%s\"}\n",
				test->seed, arch_name);
		}
	}
}

/* --- served --------------------------------------------------------------- */

static void read_line(char *line, size_t size)
{
	size_t n = 0;
	int c;

	while ((c = console_getc()) != '\n') {
		if (c < 0)
			cpu_relax();
		else if (n + 1 < size)
			line[n++] = c;
	}
	line[n] = '\0';
}

static const struct witness_test *find_test(const char *name)
{
	size_t i;

	for (i = 0; i < nr_tests(); i++) {
		if (!strcmp(guest_tests[i]->name, name))
			return guest_tests[i];
	}
	return NULL;
}

/* "<seconds> <test> [case...]"; the seconds are for who can stop a test. */
static void serve_run(char *words)
{
	char *test = strchr(words, ' '), *rest, list[1024];
	u64 begin = clock_us();
	int code = EXIT_USAGE;
	size_t n = 0;

	rest = test ? strchr(++test, ' ') : NULL;
	if (rest)
		*rest++ = '\0';
	if (!test || !find_test(test)) {
		fputs("error no such test\n", stdout);
		return;
	}
	n = snprintf(list, sizeof(list), "%s", rest ? "" : test);
	while (rest) {
		char *next = strchr(rest, ' ');

		if (next)
			*next++ = '\0';
		n += snprintf(list + n, n < sizeof(list) ? sizeof(list) - n : 0, "%s%s.%s", n ? "," : "", test, rest);
		rest = next;
	}
	if (n < sizeof(list)) {
		console_prefix = "out ";
		code = run_test(find_test(test), list, 0);
		console_prefix = "";
	}
	fprintf(stdout, "end exit %d %u\n", code, (unsigned int)((clock_us() - begin) / 1000));
}

static void __noreturn serve(void)
{
	char line[1024];

	fprintf(stdout, "hello " PROTOCOL_VERSION " guest-%s\n", arch_name);
	for (;;) {
		read_line(line, sizeof(line));
		if (!strncmp(line, "run ", 4))
			serve_run(line + 4);
		else
			fputs("error no such command\n", stdout);
	}
}

void guest_main(const char *words)
{
	const char *checks;
	char list[1024];
	size_t i, n = 0;

	command_line = words;
	WRITE_ONCE(this_cpu()->online, true);
	if (guest_option("serve"))
		serve();
	if (guest_option("list")) {
		list_all();
		arch_exit(EXIT_PASS);
	}
	checks = guest_option("checks");
	if (checks)
		snprintf(list, sizeof(list), "%s", checks);
	for (i = 0; !checks && i < nr_tests() && n < sizeof(list); i++)
		n += snprintf(list + n, sizeof(list) - n, "%s%s", i ? "," : "", guest_tests[i]->name);
	arch_exit(run_all(list, guest_option("flat")));
}
