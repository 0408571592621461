// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the cases of a test, see include/case.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "ktap.h"
#include "kvm_usable.h"
#include "util.h"

/* kselftest's exit codes, as in the kernel's kselftest.h */
enum { EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_SKIP = 4 };

#if defined(__x86_64__)
#define ARCH_NAME	"x86"
#elif defined(__aarch64__)
#define ARCH_NAME	"arm64"
#elif defined(__riscv)
#define ARCH_NAME	"riscv"
#endif

/* What a case's process tells its parent, in a page shared by both. */
static struct outcome {
	bool returned;
	unsigned long checks;
	enum verdict verdict;
	char reason[512];
} *outcome;

static void end_case(enum verdict v, const char *fmt, va_list ap)
{
	outcome->verdict = v;
	vsnprintf(outcome->reason, sizeof(outcome->reason), fmt, ap);
	fflush(NULL);
	_exit(v == VERDICT_SKIP ? EXIT_SKIP : EXIT_FAIL);
}

void case_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_case(VERDICT_SKIP, fmt, ap);
	va_end(ap);
	__builtin_unreachable();
}

void case_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_case(VERDICT_FAIL, fmt, ap);
	va_end(ap);
	__builtin_unreachable();
}

void case_checked(void)
{
	outcome->checks++;
}

static void run_in_child(const struct witness_test *test, const struct witness_case *c, int out)
{
	static const int framework_signals[] = { SIGBUS, SIGSEGV, SIGILL, SIGFPE };
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);

	/*
	 * The framework catches these for a message; the wait status says the
	 * same without trusting a broken process to print.
	 */
	for (i = 0; i < ARRAY_SIZE(framework_signals); i++)
		signal(framework_signals[i], SIG_DFL);

	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	close(out);

	if (test->setup)
		test->setup();
	c->run();
	outcome->returned = true;
	fflush(NULL);
	_exit(EXIT_PASS);
}

/* Passes the case's output on as diagnostics and keeps the framework's skip reason. */
static void copy_output(struct ktap *k, int in, char *skip, size_t skip_len)
{
	FILE *f = fdopen(in, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, f)) >= 0) {
		char *mark = strstr(line, "# SKIP ");

		if (n && line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (mark && !strncmp(line, "1..0 ", 5)) {
			mark += strlen("# SKIP ");
			mark += strspn(mark, "- ");
			snprintf(skip, skip_len, "%s", mark);
			continue;
		}
		ktap_comment(k, line);
	}
	free(line);
	fclose(f);
}

static enum verdict judge(int status, const char *framework_skip)
{
	char *why = outcome->reason;
	size_t len = sizeof(outcome->reason);

	if (WIFSIGNALED(status)) {
		snprintf(why, len, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
		return VERDICT_FAIL;
	}
	if (*why)
		return outcome->verdict;
	if (WEXITSTATUS(status) == EXIT_SKIP && *framework_skip) {
		snprintf(why, len, "%s", framework_skip);
		return VERDICT_SKIP;
	}
	if (!outcome->returned) {
		snprintf(why, len, "exit code %d before the end of the case", WEXITSTATUS(status));
		return VERDICT_FAIL;
	}
	if (!outcome->checks) {
		snprintf(why, len, "the case checked nothing");
		return VERDICT_FAIL;
	}
	return VERDICT_PASS;
}

static void run_case(struct ktap *k, const struct witness_test *test, const struct witness_case *c)
{
	char framework_skip[256] = "";
	int status, pipefd[2];
	pid_t pid;

	memset(outcome, 0, sizeof(*outcome));
	fflush(NULL);
	if (pipe(pipefd)) {
		ktap_result(k, VERDICT_ERROR, c->name, "pipe() failed");
		return;
	}
	pid = fork();
	if (pid < 0) {
		close(pipefd[0]);
		close(pipefd[1]);
		ktap_result(k, VERDICT_ERROR, c->name, "fork() failed");
		return;
	}
	if (!pid) {
		close(pipefd[0]);
		run_in_child(test, c, pipefd[1]);
	}
	close(pipefd[1]);
	copy_output(k, pipefd[0], framework_skip, sizeof(framework_skip));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	ktap_result(k, judge(status, framework_skip), c->name, outcome->reason);
}

/*
 * The process that is to call finish().  It waits for the end of a pipe that the test and
 * its cases hold, which no signal can keep from coming, and is in a process group of its
 * own: what kills the test's does not reach it.
 */
static pid_t fork_finisher(const struct witness_test *test, int *hold)
{
	int pipefd[2];
	pid_t pid;
	char c;

	if (pipe(pipefd))
		return -1;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(pipefd[1]);
		while (read(pipefd[0], &c, 1) < 0 && errno == EINTR)
			;
		test->finish();
		fflush(NULL);
		_exit(EXIT_PASS);
	}
	if (pid > 0)
		setpgid(pid, pid);
	close(pipefd[0]);
	*hold = pipefd[1];
	return pid;
}

static const struct witness_case *find_case(const struct witness_test *test, const char *name)
{
	size_t i;

	for (i = 0; i < test->nr_cases; i++) {
		if (!strcmp(test->cases[i].name, name))
			return &test->cases[i];
	}
	return NULL;
}

/* The texts are ours and hold no character that JSON would have escaped but '"'. */
static void put_json(const char *key, const char *s, const char *end)
{
	printf("\"%s\": \"", key);
	for (; s && *s; s++)
		printf(*s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	printf("\"%s", end);
}

static void list_json(const struct witness_test *test)
{
	size_t i;

	for (i = 0; i < test->nr_cases; i++) {
		const struct witness_case *c = &test->cases[i];

		printf("{");
		put_json("test", test->name, ", ");
		put_json("case", c->name, ", ");
		put_json("verifies", c->verifies, ", ");
		put_json("needs", c->needs ? c->needs : test->needs, ", ");
		put_json("seed", test->seed, ", ");
		put_json("append", test->append, ", ");
		put_json("wants", test->wants, ", ");
		put_json("arch", ARCH_NAME, "}\n");
	}
}

/*
 * What there is to run must be told on any computer, a foreign one's emulated processor
 * without KVM included.  On arm64 and RISC-V the framework asks KVM before main().
 */
int main(int argc, char **argv);

static __attribute__((constructor(101))) void list_without_kvm(int argc, char **argv)
{
	int ret;

	if (argc != 2 || strcmp(argv[1], "--list-json"))
		return;
	ret = main(argc, argv);
	fflush(NULL);
	/* Not exit(): what it would undo has not been done yet. */
	_exit(ret);
}

static int usage(const struct witness_test *test, const char *bad)
{
	fprintf(stderr, "%s: no such case: %s (%s --list names them)\n", test->name, bad, test->name);
	return EXIT_USAGE;
}

int witness_main(const struct witness_test *test, int argc, char **argv)
{
	const char *unusable;
	pid_t finisher = 0;
	struct ktap k;
	int n, hold = -1;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < test->nr_cases; i++)
			printf("%s\n", test->cases[i].name);
		return EXIT_PASS;
	}
	if (argc == 2 && !strcmp(argv[1], "--list-json")) {
		list_json(test);
		return EXIT_PASS;
	}
	for (n = 1; n < argc; n++) {
		if (!find_case(test, argv[n]))
			return usage(test, argv[n]);
	}

	unusable = kvm_unusable();
	if (unusable) {
		ktap_skip_all(&k, stdout, 0, unusable);
		return EXIT_SKIP;
	}

	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAIL;
	}

	ktap_begin(&k, stdout, 0, argc > 1 ? (unsigned int)argc - 1 : test->nr_cases);
	if (test->prepare)
		test->prepare();
	if (test->finish) {
		finisher = fork_finisher(test, &hold);
		if (finisher < 0) {
			perror("fork");
			return EXIT_FAIL;
		}
	}
	if (argc > 1) {
		for (n = 1; n < argc; n++)
			run_case(&k, test, find_case(test, argv[n]));
	} else {
		for (i = 0; i < test->nr_cases; i++)
			run_case(&k, test, &test->cases[i]);
	}
	if (finisher) {
		close(hold);
		while (waitpid(finisher, NULL, 0) < 0 && errno == EINTR)
			;
	}

	if (fflush(stdout) || ferror(stdout))
		return EXIT_FAIL;
	if (k.count[VERDICT_FAIL] || k.count[VERDICT_ERROR])
		return EXIT_FAIL;
	return k.count[VERDICT_PASS] ? EXIT_PASS : EXIT_SKIP;
}
