# SPDX-License-Identifier: GPL-2.0-only
#
# What one run says of a commit, out of proof/verdicts.jq's words: {verdict, why}, the
# verdict one of good, bad and skip.  $bad are the verdicts of a case that mean bad.

def words: "\(.key): \(.value.verdict)\(if .value.reason then " (\(.value.reason))" else "" end)";

(.cases | to_entries) as $cases |
if any(.tests[]; .began) | not then
	{verdict: "skip", why: "does not boot: \(first($cases[].value.reason | values) // "no test has said a word")"}
else
	first($cases[] | select(.value.verdict | IN($bad[])) | {verdict: "bad", why: words}),
	first($cases[] | select(.value.verdict | IN("pass", "skip") | not) | {verdict: "skip", why: words}),
	(if any($cases[]; .value.verdict == "pass") then {verdict: "good", why: ""} else empty end),
	{verdict: "skip", why: ($cases[0] | words)}
end
