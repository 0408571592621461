# SPDX-License-Identifier: GPL-2.0-only
#
# Judges one kernel: would the tests have caught it?
#
# Input: {kernel (of the plan), runs (of verdicts.jq), failure: null or {text, ours},
# where}, where being the folder that the reader is sent to.  Output: the kernel's part
# of proof.json, and lines for the table.
#
# A case that walks at random may catch a bug by chance: Sometimes-caught-by.
# A bug is caught by a case that fails, times out or takes the kernel down, each time.
# A case that skips, or that nobody heard of, has not been judged; a kernel that does
# not build or come up catches nothing.

def is_kill: . == "fail" or . == "timeout" or . == "crash";
def test_of: split(".")[0];
def brief: if length > 160 then .[:157] + "..." else . end;

.kernel as $k | .runs as $runs | .where as $where
| ($runs | length) as $n
| ($k.variant == "reference") as $right
| ($k.caught_by | map(select(. as $c | any($k.cases[]; . == $c)))) as $named
| ($k.cases - $named - ($k.sometimes // [])) as $others
| def times($count): if $n > 1 then " \($count)/\($n)" else "" end;

# A case that comes after the one that took the test down was never begun.
def never_begun($run; $id):
	$run.cases[$id].verdict == "missing" and
	any($run.cases | to_entries[]; (.key | test_of) == ($id | test_of)
		and (.value.verdict == "crash" or .value.verdict == "timeout"));

def seen($id): [$runs[] | .cases[$id] // {verdict: "missing", reason: "the run does not tell"}];

def tally($id):
	seen($id)
	| (group_by(.verdict) | map({key: .[0].verdict, value: length}) | from_entries)
	+ {reasons: ([.[].reason | select(. != null)] | unique)};

def count($id; f): [seen($id)[] | select(.verdict | f)] | length;
def why($id; f): [seen($id)[] | select(.verdict | f)][0] | "\(.verdict)\(if .reason then ": " + .reason else "" end)" | brief;

# Only mutants for other machines name it.
def may_skip($id): any($k.may_skip // [] | .[]; . == $id);

# What is wrong with a case that must be caught, and with one that must not be.
def wrong_if_named($id):
	if count($id; is_kill) == $n then empty
	elif count($id; . == "pass") > 0 then {
		verdict: (if $k.variant == "base" then "fail" else "survived" end),
		line: (if $k.variant == "base" then "FAILS: \($id) passes although its series says it fails"
			else "SURVIVED: \($id) passes" end + times(count($id; . == "pass")))
	}
	elif count($id; . == "skip") > 0 then
		{verdict: "skipped", line: "SKIPPED: \($id):\(times(count($id; . == "skip"))) \(why($id; . == "skip"))"}
	else
		{verdict: "missing", line: "MISSING: \($id):\(times(count($id; . == "missing"))) \(why($id; . == "missing"))"}
	end;

def wrong_if_not_named($id):
	([$runs[] | select(.cases[$id].verdict == "missing" and (never_begun(.; $id) | not))] | length) as $lost
	| if count($id; is_kill) > 0 then
		{verdict: "misattributed", line: "NOT NAMED: \($id) fails too\(times(count($id; is_kill))) (add it to \(
			if $k.variant == "base" then "a Fails-without" else "Caught-by" end)): \(why($id; is_kill))"}
	elif $lost > 0 then
		{verdict: "misattributed", line: "NOT NAMED: \($id) is missing\(times($lost)): \(why($id; . == "missing"))"}
	elif any($k.skips // [] | .[]; . == $id) then
		if count($id; . == "skip") == $n then empty
		else {verdict: "fail", line: "FAILS: \($id) does not skip although its series says so\(times(count($id; . != "skip")))"} end
	elif $k.variant == "base" and (may_skip($id) | not) and count($id; . == "skip") > 0 then
		{verdict: "skipped", line: "SKIPPED: \($id):\(times(count($id; . == "skip"))) \(why($id; . == "skip"))"}
	elif count($id; . == "pass") > 0 and count($id; . == "skip") > 0 then
		{verdict: "flaky", line: "FLAKY: \($id) passes\(times(count($id; . == "pass"))), else \(why($id; . == "skip"))"}
	else empty end;

def wrong_on_reference($id):
	count($id; . == "pass") as $passes
	| if $passes == $n or may_skip($id) and count($id; . == "skip") == $n then empty
	else {verdict: "fail", line: "FAILS: \($id)\(if $n > 1 then " passes\(times($passes))" else "" end): \(why($id; . != "pass"))"} end;

# A kernel warning, a bad exit code: the test fails although each of its cases passes.
def wrong_tests:
	[$runs[].tests | to_entries[] | .key as $t
	 | select(.value.verdict != "pass" and .value.verdict != "skip")
	 | select(all($k.cases[] | select(test_of == $t); count(.; . == "pass" or . == "skip") == $n))
	 | {verdict: "fail", line: "FAILS: \($t): \(.value.reason // "no reason known" | brief)"}]
	| unique[];

def ours: any($runs[]; .exit != 0 and .exit != 1 and .exit != 4) or any($runs[].cases[]; .verdict == "error");

# What keeps the kernel from being judged at all.
def error:
	if .failure then .failure
	elif $named == [] and ($right or $k.variant == "base" | not) then
		{ours: true, text: "none of the cases that it names was run"}
	elif ours then {ours: true, text: "our own fault: \(
		[$runs[] | .error // (.cases[] | select(.verdict == "error") | .reason)] | .[0] // "no reason known" | brief), log in \($where)"}
	elif any($runs[]; .cases == {}) then {ours: true, text: "the run tells nothing, log in \($where)"}
	elif any($runs[].tests[]; .began | not) then {ours: false, text: "does not boot: \(
		[$runs[].tests[] | select(.began | not) | .reason] | .[0] // "no reason known" | brief), log in \($where)"}
	else null end;

def list: if length > 0 then join(", ") else "nothing" end;
def again: if $n > 1 then ", \($n) times" else "" end;

error as $error
| (if $error then [{verdict: "error", line: "ERROR: \($error.text)"}]
   elif $right then [$k.cases[] | wrong_on_reference(.)] + [wrong_tests]
   else
	[$named[] | wrong_if_named(.)] + [$others[] | wrong_if_not_named(.)]
	+ if $k.variant == "base" then [wrong_tests] else [] end
   end) as $wrong
| {
	id: $k.id,
	variant: $k.variant,
	machine: $k.machine,
	breaks: $k.breaks,
	caught_by: $k.caught_by,
	kernel: .folder,
	verdict: (if $wrong == [] then (if $right or $k.variant == "base" then "pass" else "killed" end)
		else ($wrong | map(.verdict)) as $v
			| ["error", "fail", "survived", "skipped", "missing", "misattributed", "flaky"]
			| map(select(. as $x | any($v[]; . == $x)))[0] end),
	seconds: ([$runs[].seconds // 0] | add // 0),
	cached: ($n > 0 and all($runs[]; .cached)),
	exit_code: (if $error and $error.ours then 3 elif $wrong != [] then 1 else 0 end),
	cases: (if $n == 0 then {} else [$k.cases[] | {key: ., value: tally(.)}] | from_entries end),
	lines: (if $wrong != [] then $wrong | map(.line)
		else ([$k.cases[] | select(count(.; . == "skip") == $n)] | length) as $skips
		| (if $skips > 0 then ", \($skips) cannot tell here" else "" end) as $cannot
		| if $right then ["\(($k.cases | length) - $skips)/\($k.cases | length) pass\(again)\($cannot)"]
		elif $k.variant == "base" then ["\($named | length) fail as they must, \(($others | length) - $skips) pass\(again)\($cannot)"]
		else ["killed by \($named | list)\(again)"] end end)
}
