# SPDX-License-Identifier: GPL-2.0-only
#
# What one run said, for the judge, out of its meta.json:
#
#   {exit, seconds, cases: {"test.case": {verdict, reason}}, tests: {test: {verdict, reason, began}}}
#
# $exit is run_tests.sh's exit code, the arguments are the tests that said a word: a machine
# that panics before init gives its first case the verdict crash, and no test has run.

$ARGS.positional as $began | {
	exit: $exit,
	seconds,
	cases: ([.tests[]? | .name as $t | .cases[] | {key: "\($t).\(.name)", value: {verdict, reason}}] | from_entries),
	tests: ([.tests[]? | .name as $t
		| {key: $t, value: {verdict, reason, began: any($began[]; . == $t)}}] | from_entries)
}
