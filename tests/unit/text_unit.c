// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/text.c: nothing that comes out of a log can be a mark of the file that it gets into.
 */
#include "unit.h"

#include "util.h"
#include "../../report/text.h"

#define R "\xef\xbf\xbd"

static void what_is_kept(void **state)
{
	static const struct {
		const char *in, *out;
		size_t len;
	} all[] = {
#define BOTH(in, out) { in, out, sizeof(in) - 1 }
		BOTH("plain\ttext\n", "plain\ttext\n"),
		BOTH("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7"),
		BOTH("a\0b\x01\x7f", "a" R "b" R R),
		BOTH("\033[1;31mred\033[0m\r\n", "red\n"),
		BOTH("\033]0;title", R "]0;title"),
		BOTH("\xc3", R), BOTH("\xc0\xaf", R R), BOTH("\xe0\x80\xaf", R R R), BOTH("\xff", R),
		BOTH("\xed\xa0\x80", R R R), BOTH("\xef\xbf\xbe", R R R), BOTH("\xf4\x90\x80\x80", R R R R),
		BOTH("\xc2\x85", R R), BOTH("", ""),
#undef BOTH
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct text t = { 0 };

		text_put_clean(&t, all[i].in, all[i].len);
		assert_string_equal(t.s, all[i].out);
		text_free(&t);
	}
}

static char *written(void (*put)(FILE *out, const char *s), const char *s)
{
	size_t len;
	char *out;
	FILE *f = open_memstream(&out, &len);

	put(f, s);
	fclose(f);
	return out;
}

static void marks_are_escaped(void **state)
{
	char *s = written(put_escaped, "</script><b a='x' b=\"y\">&amp;");

	assert_string_equal(s, "&lt;/script&gt;&lt;b a=&#39;x&#39; b=&quot;y&quot;&gt;&amp;amp;");
	free(s);
	s = written(put_url, "/a b/\"c\"#d?e:f%20\xc3\xa9");
	assert_string_equal(s, "/a%20b/%22c%22%23d%3Fe%3Af%2520%C3%A9");
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(marks_are_escaped),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
