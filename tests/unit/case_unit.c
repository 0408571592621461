// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/case.c: what becomes of cases that end in every possible way.  The /dev/kvm
 * check is replaced, as these cases need none.
 */
#include "unit.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "kvm_usable.h"
#include "util.h"

static const char *kvm_trouble;

const char *kvm_unusable(void)
{
	return kvm_trouble;
}

static void passes(void)
{
	CASE_EXPECT(1, "never said");
}

static void fails(void)
{
	CASE_EXPECT(0, "%d barriers, want %d", 2, 1);
}

static void skips(void)
{
	case_skip("no %s", "IBPB");
}

static void checks_nothing(void)
{
}

static void dies(void)
{
	raise(SIGSEGV);
}

static void framework_assert(void)
{
	printf("==== Test Assertion Failure ====\n");
	exit(254);
}

static void framework_skip(void)
{
	printf("1..0 # SKIP - Requirement not met: kvm_has_cap(1)\n");
	exit(4);
}

static void exits_early(void)
{
	case_checked();
	exit(0);
}

/* What a case changes outside of its process, and finish() sets back. */
static struct host {
	int mode, finishes;
} *host;

static void changes_mode(void)
{
	host->mode = 1;
	printf("mode changed\n");
	fflush(stdout);
	pause();
}

static void changes_and_dies(void)
{
	host->mode = 1;
	raise(SIGKILL);
}

static void restore_mode(void)
{
	host->mode = 0;
	host->finishes++;
	printf("mode restored\n");
}

static const struct witness_case cases[] = {
	{ "passes", "v", NULL, passes },
	{ "fails", "v", NULL, fails },
	{ "skips", "v", NULL, skips },
	{ "checks_nothing", "v", NULL, checks_nothing },
	{ "dies", "v", NULL, dies },
	{ "framework_assert", "v", NULL, framework_assert },
	{ "framework_skip", "v", NULL, framework_skip },
	{ "exits_early", "v", NULL, exits_early },
	{ "changes_mode", "v", NULL, changes_mode },
	{ "changes_and_dies", "v", NULL, changes_and_dies },
};

static struct witness_test test = {
	.name = "a_test", .needs = "n", .seed = "s",
	.cases = cases, .nr_cases = ARRAY_SIZE(cases),
};

/* Starts the test with these cases, in a process group of its own; its output is read from @out. */
static pid_t start(int *out, const char *a, const char *b)
{
	char *argv[] = { "a_test", (char *)a, (char *)b, NULL };
	int fds[2], argc = 1 + !!a + !!b;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		/* A shell's background and nohup ignore them. */
		signal(SIGINT, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		exit(witness_main(&test, argc, argv));
	}
	close(fds[1]);
	*out = fds[0];
	return pid;
}

/* Reads until @want comes, or the end, if that is NULL. */
static void read_output(int fd, char *out, size_t len, const char *want)
{
	size_t n = 0;
	ssize_t got;

	out[0] = '\0';
	while (n < len - 1 && !(want && strstr(out, want)) && (got = read(fd, out + n, len - 1 - n)) > 0) {
		n += got;
		out[n] = '\0';
	}
}

/* Runs the test with these cases and returns its exit code; its output is in @out. */
static int run(char *out, size_t len, const char *a, const char *b)
{
	int status, fd;
	pid_t pid = start(&fd, a, b);

	read_output(fd, out, len, NULL);
	close(fd);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void one(const char *name, int code, const char *line)
{
	char out[4096];

	assert_int_equal(run(out, sizeof(out), name, NULL), code);
	if (!strstr(out, line))
		fail_msg("no \"%s\" in:\n%s", line, out);
}

static void each_end_is_told(void **state)
{
	one("passes", 0, "\nok 1 passes\n");
	one("fails", 1, "\nnot ok 1 fails # 2 barriers, want 1\n");
	one("skips", 4, "\nok 1 skips # SKIP no IBPB\n");
	one("checks_nothing", 1, "\nnot ok 1 checks_nothing # the case checked nothing\n");
	one("dies", 1, "\nnot ok 1 dies # killed by signal 11");
	one("framework_assert", 1, "\nnot ok 1 framework_assert # exit code 254 before the end of the case\n");
	one("framework_assert", 1, "\n# ==== Test Assertion Failure ====\n");
	one("framework_skip", 4, "\nok 1 framework_skip # SKIP Requirement not met: kvm_has_cap(1)\n");
	one("exits_early", 1, "\nnot ok 1 exits_early # exit code 0 before the end of the case\n");
}

static void one_death_costs_one_case(void **state)
{
	char out[4096];

	assert_int_equal(run(out, sizeof(out), "dies", "passes"), 1);
	assert_non_null(strstr(out, "\n1..2\n"));
	assert_non_null(strstr(out, "\nok 2 passes\n"));
}

static void one_pass_is_enough(void **state)
{
	char out[4096];

	assert_int_equal(run(out, sizeof(out), "skips", "passes"), 0);
}

static void no_kvm_skips_all(void **state)
{
	kvm_trouble = "no /dev/kvm: No such file or directory";
	one("passes", 4, "1..0 # SKIP no /dev/kvm: No such file or directory\n");
	kvm_trouble = NULL;
}

static void unknown_case_is_usage(void **state)
{
	one("pases", 2, "a_test: no such case: pases");
}

static int with_finish(void **state)
{
	host = mmap(NULL, sizeof(*host), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	test.finish = restore_mode;
	return host == MAP_FAILED;
}

static int without_finish(void **state)
{
	test.finish = NULL;
	return munmap(host, sizeof(*host));
}

static void finish_follows_the_last_case(void **state)
{
	char out[4096];

	assert_int_equal(run(out, sizeof(out), "changes_and_dies", "passes"), 1);
	assert_non_null(strstr(out, "\nok 2 passes\nmode restored\n"));
	assert_int_equal(host->mode, 0);
	assert_int_equal(host->finishes, 1);
}

/* As Ctrl-C does, and the runner when the test's time is up. */
static void finish_follows_a_killed_test(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGKILL };
	char out[4096];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals) * 2; i++) {
		bool group = i % 2;
		int sig = signals[i / 2], status, fd;
		pid_t pid = start(&fd, "changes_mode", NULL);

		read_output(fd, out, sizeof(out), "mode changed\n");
		assert_int_equal(host->mode, 1);
		kill(group ? -pid : pid, sig);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == sig);
		read_output(fd, out, sizeof(out), NULL);
		close(fd);
		assert_string_equal(out, "mode restored\n");
		assert_int_equal(host->mode, 0);
		assert_int_equal(host->finishes, i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_is_told),
		cmocka_unit_test(one_death_costs_one_case),
		cmocka_unit_test(one_pass_is_enough),
		cmocka_unit_test(no_kvm_skips_all),
		cmocka_unit_test(unknown_case_is_usage),
		cmocka_unit_test_setup_teardown(finish_follows_the_last_case, with_finish, without_finish),
		cmocka_unit_test_setup_teardown(finish_follows_a_killed_test, with_finish, without_finish),
	};

	return cmocka_run_group_tests_name("case", tests, NULL, NULL);
}
