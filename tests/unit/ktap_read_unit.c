// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/ktap_read.c: what is told of a document, whole or in pieces, good or bad.  What
 * is amiss is a problem with its line, and never a pass.
 */
#include "unit.h"

#include <stdarg.h>
#include <unistd.h>

#include "../../report/ktap_read.h"
#include "ktap_line.h"
#include "util.h"

static char *told;
static size_t told_len;
static FILE *out;

static void on_begin(void *arg, unsigned int level)
{
	fprintf(out, "begin %u\n", level);
}

static void on_result(void *arg, const struct ktap_result *r)
{
	fprintf(out, "%u %s%s %lu %.*s", r->level, r->parent ? "parent " : "", verdict_name(r->verdict), r->number,
		(int)r->name_len, r->name);
	fprintf(out, r->reason_len ? ": %.*s\n" : "\n", (int)r->reason_len, r->reason);
}

static void on_missing(void *arg, unsigned int level, unsigned long first, unsigned long last)
{
	fprintf(out, "%u missing %lu-%lu\n", level, first, last);
}

static void on_comment(void *arg, const char *text, size_t len)
{
	fprintf(out, "# %.*s\n", (int)len, text);
}

static void on_problem(void *arg, unsigned long line, const char *text)
{
	fprintf(out, "problem %lu %s\n", line, text);
}

static const struct ktap_events events = { on_begin, on_result, on_missing, on_comment, on_problem };

static void read_pieces(const char *data, size_t len, size_t piece)
{
	static struct ktap_reader r;
	size_t n;

	free(told);
	out = open_memstream(&told, &told_len);
	ktap_read_begin(&r, &events, NULL);
	for (; len; len -= n, data += n) {
		n = len < piece ? len : piece;
		ktap_read(&r, data, n);
	}
	ktap_read_end(&r);
	fclose(out);
}

/* The same is told however the document comes. */
static void tells(const char *data, size_t len, const char *want)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64, SIZE_MAX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		read_pieces(data, len, pieces[i]);
		assert_string_equal(told, want);
	}
}

#define TELLS(doc, want) tells(doc, sizeof(doc) - 1, want)

static void what_a_run_writes(void **state)
{
	TELLS("KTAP version 1\n1..2\n"
	      "  KTAP version 1\n  1..2\n  # words\n  ok 1 one\n  ok 2 two # SKIP no IBPB\n"
	      "# a_test: 2.00 s\nok 1 a_test\n"
	      "  KTAP version 1\n  1..1\n  not ok 1 one # 0 barriers, want 1\n"
	      "not ok 2 b_test # 1 of 1 cases\n",
	      "begin 0\n"
	      "begin 1\n# words\n1 pass 1 one\n1 skip 2 two: no IBPB\n# a_test: 2.00 s\n0 parent pass 1 a_test\n"
	      "begin 1\n1 fail 1 one: 0 barriers, want 1\n0 parent fail 2 b_test: 1 of 1 cases\n");
}

static void each_directive(void **state)
{
	TELLS("TAP version 13\n1..10\n"
	      "ok 1 - dash\nok 2 a # skip small letters\nnot ok 3 b # TODO later\nok 4 c # XFAIL\n"
	      "not ok 5 d # TIMEOUT 120 seconds\nnot ok 6 e # ERROR crash: oops\nnot ok 7 f # ERROR missing: gone\n"
	      "not ok 8 g # ERROR no emulator\nok 9 h # skipped half of it\r\nok 10 i#j # rcode=0\n",
	      "begin 0\n0 pass 1 dash\n0 skip 2 a: small letters\n0 skip 3 b: later\n0 skip 4 c\n"
	      "0 timeout 5 d: 120 seconds\n0 crash 6 e: oops\n0 missing 7 f: gone\n"
	      "0 error 8 g: no emulator\n0 pass 9 h: skipped half of it\n0 pass 10 i#j: rcode=0\n");
}

static void ok_with_an_error_is_no_pass(void **state)
{
	TELLS("KTAP version 1\n1..2\nok 1 a # ERROR no emulator\nok 2 b # TIMEOUT\n",
	      "begin 0\n0 error 1 a: no emulator\n0 timeout 2 b\n");
}

static void nothing_to_run(void **state)
{
	TELLS("KTAP version 1\n1..1\n  KTAP version 1\n  1..0 # SKIP no KVM\nok 1 a\n",
	      "begin 0\nbegin 1\n0 parent skip 1 a: every subtest was skipped\n");
	TELLS("KTAP version 1\n1..1\n  KTAP version 1\n  1..0\nok 1 a\n",
	      "begin 0\nbegin 1\nproblem 5 a plan of nothing, without a reason\n"
	      "0 parent error 1 a: its record is damaged\n");
	TELLS("", "problem 0 the file is empty\n");
	TELLS("what is this?\n", "problem 1 no version line: this is no KTAP\nproblem 1 1 line is no KTAP\n");
}

static void results_that_did_not_come(void **state)
{
	TELLS("KTAP version 1\n1..2\n  KTAP version 1\n  1..4\n  ok 2 b\nok 1 a\n",
	      "begin 0\nbegin 1\nproblem 5 result 1 is missing\n1 missing 1-1\n1 pass 2 b\n"
	      "problem 6 results 3 to 4 are missing\n1 missing 3-4\n"
	      "0 parent error 1 a: its record is damaged\nproblem 6 result 2 is missing\n0 missing 2-2\n");
}

static void a_plan_of_billions(void **state)
{
	TELLS("KTAP version 1\n1..99999999999999999999\nok 1 a\n",
	      "begin 0\nproblem 2 the plan is wrong\n0 pass 1 a\n"
	      "problem 3 results 2 to 18446744073709551615 are missing\n0 missing 2-18446744073709551615\n");
}

static void wrong_numbers(void **state)
{
	TELLS("KTAP version 1\n1..2\nok 1 a\nok 1 a\nok 2 b\nok 3 c\nnot ok 4 d\n",
	      "begin 0\n0 pass 1 a\nproblem 4 result 1 after 1\n0 error 1 a: it is numbered wrongly\n0 pass 2 b\n"
	      "problem 6 result 3 of a plan of 2\n0 error 3 c: it is not in the plan\n"
	      "problem 7 result 4 of a plan of 2\n0 fail 4 d\n");
	TELLS("KTAP version 1\n1..2\n1..1\nok 1 a\nok 2 b\n",
	      "begin 0\nproblem 3 a second plan\n0 pass 1 a\n0 pass 2 b\n");
}

static void no_plan(void **state)
{
	TELLS("KTAP version 1\n1..1\n  KTAP version 1\n  ok 1 one\nok 1 a\n",
	      "begin 0\nbegin 1\n1 pass 1 one\nproblem 5 no plan: nothing tells whether all results came\n"
	      "0 parent error 1 a: its record is damaged\n");
}

static void a_parent_that_lies(void **state)
{
	TELLS("KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 one\nok 1 a\n",
	      "begin 0\nbegin 1\n1 fail 1 one\nproblem 6 a subtest failed, and the result above it is ok\n"
	      "0 parent fail 1 a: a subtest failed\n");
}

static void cut_off(void **state)
{
	TELLS("KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 one\n  ok 2 two",
	      "begin 0\nbegin 1\n1 pass 1 one\nproblem 5 the file ends in the middle of a line\n"
	      "problem 5 the file ends in the middle of a subtest\nproblem 5 result 2 is missing\n1 missing 2-2\n"
	      "problem 5 result 1 is missing\n0 missing 1-1\n");
}

static void results_at_no_place(void **state)
{
	TELLS("ok 1 a\nKTAP version 1\n1..1\n    ok 1 b\nok 1 c\n",
	      "problem 1 a result without a version line\nbegin 0\nproblem 4 a result without a version line\n0 pass 1 c\n");
	TELLS("1..1\n", "problem 1 a plan without a version line\nproblem 1 no version line: this is no KTAP\n");
}

static void subtests_without_a_result(void **state)
{
	TELLS("KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 one\n  KTAP version 1\n  1..1\n  ok 1 two\nok 1 a\n",
	      "begin 0\nbegin 1\n1 pass 1 one\nproblem 6 a subtest has no result of its own\nbegin 1\n1 pass 1 two\n"
	      "0 parent error 1 a: its record is damaged\n");
	TELLS("KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n    KTAP version 1\n    1..1\n    ok 1 deep\nok 1 a\n",
	      "begin 0\nbegin 1\nbegin 2\n2 pass 1 deep\nproblem 8 a subtest has no result of its own\n"
	      "problem 8 result 1 is missing\n1 missing 1-1\n"
	      "0 parent error 1 a: its record is damaged\n");
	TELLS("KTAP version 1\n1..1\nok 1 a\nKTAP version 1\n1..1\nok 1 a\n",
	      "begin 0\n0 pass 1 a\nproblem 4 a second document\nbegin 0\n0 pass 1 a\n");
}

static void bytes_that_are_no_text(void **state)
{
	TELLS("KTAP version 1\n1..2\nok 1 a\0b\nok 2\n",
	      "begin 0\nproblem 3 a result with a NUL in it\n0 error 1 a: its line has a NUL in it\n"
	      "problem 4 a result without a name\n0 error 2 : it has no name\n");
	TELLS("KTAP version 1\n1..1\n\xff\xfe ok 1 a\nok1 a\nBail out! disk\n",
	      "begin 0\nproblem 5 Bail out!\nproblem 5 result 1 is missing\n0 missing 1-1\n"
	      "problem 3 2 lines are no KTAP\n");
}

static void fifty_deep(void **state)
{
	struct ktap_reader r;
	int level, depth;
	char *doc;
	size_t len;
	FILE *f;

	for (depth = 50; depth <= 200; depth += 150) {
		f = open_memstream(&doc, &len);
		for (level = 0; level < depth; level++)
			fprintf(f, "%*sKTAP version 1\n%*s1..1\n", 2 * level, "", 2 * level, "");
		fprintf(f, "%*snot ok 1 deepest\n", 2 * (depth - 1), "");
		for (level = depth - 2; level >= 0; level--)
			fprintf(f, "%*sok 1 level%d\n", 2 * level, "", level);
		fclose(f);
		read_pieces(doc, len, 4096);
		/* One lie at the bottom makes everything above it a failure. */
		assert_non_null(strstr(told, "\n0 parent fail 1 level0: a subtest failed"));
		assert_null(strstr(told, " pass "));
		if (depth > KTAP_MAX_DEPTH)
			assert_non_null(strstr(told, "nested deeper than 64"));
		free(doc);
	}
	assert_true(sizeof(r) < 16384);
}

static void lines_of_ten_megabytes(void **state)
{
	size_t big = 10 << 20, len;
	char *doc, *line = malloc(big);
	FILE *f = open_memstream(&doc, &len);

	memset(line, 'x', big);
	fprintf(f, "KTAP version 1\n1..2\n# ");
	fwrite(line, big, 1, f);
	fprintf(f, "\nok 1 a\nok 2 ");
	fwrite(line, big, 1, f);
	fprintf(f, " # SKIP\n");
	fclose(f);
	read_pieces(doc, len, 65536);
	assert_non_null(strstr(told, "\n0 pass 1 a\nproblem 5 a result of more than 4096 bytes\n0 error 2 xxx"));
	assert_true(told_len < 16384);
	free(doc);
	free(line);
}

/* The words of the format, of each kind of line. */
static void lines(void **state)
{
	static const struct {
		const char *line;
		enum ktap_kind kind;
	} all[] = {
		{ "KTAP version 1", KTAP_VERSION }, { "    TAP version 14", KTAP_VERSION }, { "KTAP", KTAP_OTHER },
		{ "1..3", KTAP_PLAN }, { "1..", KTAP_OTHER }, { "1..3x", KTAP_OTHER }, { "1..0 # skip", KTAP_PLAN },
		{ "ok 1", KTAP_RESULT }, { "not ok 12 a", KTAP_RESULT }, { "ok", KTAP_OTHER }, { "ok a", KTAP_OTHER },
		{ "ok 1a", KTAP_OTHER }, { "not okay 1 a", KTAP_OTHER }, { "nok 1 a", KTAP_OTHER },
		{ "#", KTAP_COMMENT }, { "  # ok 1 a", KTAP_COMMENT }, { "", KTAP_OTHER }, { "   ", KTAP_OTHER },
		{ "Bail out!", KTAP_BAIL_OUT }, { "\r", KTAP_OTHER },
	};
	struct ktap_line l;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		ktap_parse_line(&l, all[i].line, strlen(all[i].line));
		assert_int_equal(l.kind, all[i].kind);
	}
}

static int forget(void **state)
{
	free(told);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(what_a_run_writes),
		cmocka_unit_test(each_directive),
		cmocka_unit_test(ok_with_an_error_is_no_pass),
		cmocka_unit_test(nothing_to_run),
		cmocka_unit_test(results_that_did_not_come),
		cmocka_unit_test(a_plan_of_billions),
		cmocka_unit_test(wrong_numbers),
		cmocka_unit_test(no_plan),
		cmocka_unit_test(a_parent_that_lies),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(results_at_no_place),
		cmocka_unit_test(subtests_without_a_result),
		cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(fifty_deep),
		cmocka_unit_test(lines_of_ten_megabytes),
	};

	return cmocka_run_group_tests_name("ktap_read", tests, NULL, forget);
}
