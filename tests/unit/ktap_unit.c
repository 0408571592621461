// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/ktap.c: one call, well-formed lines, whatever comes in.
 */
#include "unit.h"

#include "ktap.h"

static char *text;
static size_t len;

static int open_out(void **state)
{
	*state = open_memstream(&text, &len);
	return *state ? 0 : -1;
}

static int close_out(void **state)
{
	fclose(*state);
	free(text);
	return 0;
}

static void plan_comes_first(void **state)
{
	struct ktap k;

	ktap_begin(&k, *state, 0, 2);
	ktap_result(&k, VERDICT_PASS, "one", NULL);
	ktap_result(&k, VERDICT_FAIL, "two", "0 barriers, want 1");
	assert_string_equal(text, "KTAP version 1\n1..2\nok 1 one\nnot ok 2 two # 0 barriers, want 1\n");
}

static void subtests_are_indented(void **state)
{
	struct ktap k;

	ktap_begin(&k, *state, 2, 1);
	ktap_comment(&k, "a\nb");
	ktap_result(&k, VERDICT_PASS, "one", "");
	assert_string_equal(text, "    KTAP version 1\n    1..1\n    # a\n    # b\n    ok 1 one\n");
}

static void each_verdict_has_its_directive(void **state)
{
	static const struct {
		enum verdict v;
		const char *line;
	} lines[] = {
		{ VERDICT_PASS,		"ok 1 c # r\n" },
		{ VERDICT_FAIL,		"not ok 1 c # r\n" },
		{ VERDICT_SKIP,		"ok 1 c # SKIP r\n" },
		{ VERDICT_TIMEOUT,	"not ok 1 c # TIMEOUT r\n" },
		{ VERDICT_CRASH,	"not ok 1 c # ERROR crash: r\n" },
		{ VERDICT_MISSING,	"not ok 1 c # ERROR missing: r\n" },
		{ VERDICT_ERROR,	"not ok 1 c # ERROR r\n" },
	};
	size_t i, before;
	struct ktap k;

	for (i = 0; i < NR_VERDICTS; i++) {
		ktap_begin(&k, *state, 0, 1);
		before = len;
		ktap_result(&k, lines[i].v, "c", "r");
		assert_string_equal(text + before, lines[i].line);
		assert_int_equal(k.count[lines[i].v], 1);
	}
}

static void a_skip_without_reason_says_so(void **state)
{
	struct ktap k;

	ktap_begin(&k, *state, 0, 1);
	ktap_result(&k, VERDICT_SKIP, "one", NULL);
	assert_non_null(strstr(text, "ok 1 one # SKIP no reason given\n"));
}

static void nothing_can_be_forged(void **state)
{
	struct ktap k;

	ktap_begin(&k, *state, 0, 1);
	ktap_result(&k, VERDICT_FAIL, "a # SKIP\nok 2 b", "why\nok 3 c\r");
	assert_string_equal(text, "KTAP version 1\n1..1\nnot ok 1 a . SKIP ok 2 b # why ok 3 c \n");
}

static void comments_keep_tabs_only(void **state)
{
	struct ktap k;

	ktap_begin(&k, *state, 0, 0);
	ktap_comment(&k, "a\tb\033[1m\r");
	assert_non_null(strstr(text, "# a\tb [1m \n"));
}

static void skip_all(void **state)
{
	struct ktap k;

	ktap_skip_all(&k, *state, 0, "no /dev/kvm");
	assert_string_equal(text, "KTAP version 1\n1..0 # SKIP no /dev/kvm\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plan_comes_first, open_out, close_out),
		cmocka_unit_test_setup_teardown(subtests_are_indented, open_out, close_out),
		cmocka_unit_test_setup_teardown(each_verdict_has_its_directive, open_out, close_out),
		cmocka_unit_test_setup_teardown(a_skip_without_reason_says_so, open_out, close_out),
		cmocka_unit_test_setup_teardown(nothing_can_be_forged, open_out, close_out),
		cmocka_unit_test_setup_teardown(comments_keep_tabs_only, open_out, close_out),
		cmocka_unit_test_setup_teardown(skip_all, open_out, close_out),
	};

	return cmocka_run_group_tests_name("ktap", tests, NULL, NULL);
}
