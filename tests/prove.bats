#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# run_tests.sh prove: whether it tells a test that catches its bug from one that does
# not.  The judge is fed by hand where a real kernel would take minutes to make.

load common

setup()
{
	results=$BATS_TEST_TMPDIR/r
	prove=("$top/run_tests.sh" prove --results "$results")
}

# --- what headers say

@test "headers: names between commas and in several lines; the hash is of the diff alone" {
	mkdir -p "$BATS_TEST_TMPDIR/k/mutants" "$BATS_TEST_TMPDIR/k/series/s"
	cat >"$BATS_TEST_TMPDIR/k/mutants/m.patch" <<-'EOF'
	Subject: x
	Breaks: this: and that.
	Caught-by: a_test.one,  a_test.two
	Caught-by: b_test.three
	Sometimes-caught-by: b_test.four
	Machine: x86-svm, x86-vmx
	---
	Caught-by: c_test.not_in_the_header
	--- a/f
	+++ b/f
	@@ -1 +1 @@
	-x
	+y
	EOF
	sed 's/Subject/Fails-without: a_test.one\nSkips-without: b_test, a_test.two\nNot-run: no: machine\nSubject/' "$BATS_TEST_TMPDIR/k/mutants/m.patch" \
		>"$BATS_TEST_TMPDIR/k/series/s/0001.patch"
	"$top/proof/headers.sh" "$BATS_TEST_TMPDIR/k" | jq -e '.mutants[0].diff == .series[0].diff
		and (.mutants[0] | del(.diff)) == {name: "m", breaks: "this: and that.",
			caught_by: ["a_test.one", "a_test.two", "b_test.three"], sometimes: ["b_test.four"], machines: ["x86-svm", "x86-vmx"]}
		and .series[0].fails_without == ["a_test.one"] and .series[0].skips_without == ["b_test", "a_test.two"]
		and .series[0].not_run == "no: machine"'
}

# --- which kernels are built

@test "a kernel is built in the configurations that its tests want, and in no other" {
	# shellcheck source=machine/names.sh
	. "$top/machine/names.sh"
	[ "$(configs_wanted x86-svm avic_galog_test)" = module ]
	[ "$(configs_wanted x86-svm avic_galog_test.off)" = module ]
	[ "$(configs_wanted x86-svm probe_test deferred_ibpb_test.loads_without_run | wc -l)" -eq 1 ]
	[ -z "$(configs_wanted x86-svm probe_test deferred_ibpb_test.loads_without_run)" ]
	[ "$(configs_wanted x86-svm probe_test avic_galog_test)" = $'\nmodule' ]
	[ "$(configs_wanted x86-svm x86/)" = $'\nmodule' ]
	[ "$(configs_wanted x86-svm)" = $'\nmodule' ]
	# It has no such kind, and runs the test on what it has.
	[ -z "$(configs_wanted x86-vmx avic_galog_test)" ]
}

# --- what words select

# plan WORD...: of two tests and some mutants, for the machines $wanted.
plan()
{
	jq -n --argjson words "$(jq -nc '$ARGS.positional' --args -- "$@")" --argjson all "${all:-false}" "
		def mutant(\$name; \$cases; \$machine):
			{name: \$name, breaks: \"x\", caught_by: \$cases, machines: [\$machine]};
		\"m\" as \$default | ${wanted:-[\"m\"]} as \$wanted | [\"m\", \"n\", \"r\"] as \$machines |
		{m: \"x86\", n: \"x86\", r: \"riscv\"} as \$archs | ${foreign:-[]} as \$foreign |
		[{folder: \"x\", test: \"a_test\", case: \"one\"}, {folder: \"x\", test: \"a_test\", case: \"two\"},
			{folder: \"y\", test: \"b_test\", case: \"one\"}
			${more_cases:+, $more_cases} | {arch: [\"x86\"]} + .] as \$cases |
		{mutants: [mutant(\"a-one\"; [\"a_test.one\"]; \"m\"), mutant(\"a-two\"; [\"a_test.two\"]; \"m\"),
			mutant(\"b-one\"; [\"b_test.one\"]; \"n\"), mutant(\"b-none\"; [\"b_test.none\"]; \"m\"),
			mutant(\"c\"; []; \"m\"), mutant(\"d\"; [\"b_test.one\"]; \"x\") ${more_mutants:+, $more_mutants}],
		 series: [{name: \"s\", fails_without: [\"a_test.two\"], skips_without: [${skips:-}]}]} as \$headers |
		$(cat "$top/proof/select.jq")"
}

# What runs where, a line for each kernel.
selected()
{
	plan "$@" | jq -r '.kernels[] | "\(.id): \(.run | join(" "))\(if .problem then " # \(.problem)" else "" end)"'
}

@test "a series says which cases, or whole tests, skip without it" {
	base() { plan "$@" | jq -c '.kernels[] | select(.variant == "base") | [.skips, .problem]'; }
	[ "$(base a_test)" = '[[],null]' ]
	# What fails without it does not skip.
	[ "$(skips='"a_test"' base a_test)" = '[["a_test.one"],null]' ]
	[ "$(skips='"a_test.one"' base a_test)" = '[["a_test.one"],null]' ]
	[[ $(skips='"a_test.none", "none_test"' base a_test) == *"name a_test.none, none_test, which is no case"* ]]
}

@test "no words: everything, on the mutants that are for this machine" {
	[ "$(selected)" = "reference: a_test b_test
base: a_test b_test
a-one: a_test
a-two: a_test
b-none: b_test # it names b_test.none, which is no case
c:  # its header lacks Breaks, Caught-by or Machine
d: b_test # there is no machine x" ]
	[ "$(plan | jq -c '[.others, .kernels[1].caught_by]')" = '[["b-one"],["a_test.two"]]' ]
}

@test "a case: this case only; a mutant: its test; a part of a name: all that have it" {
	[ "$(selected a_test.one)" = "reference: a_test.one
base: a_test.one
a-one: a_test.one" ]
	[ "$(selected a-two)" = "reference: a_test
base: a_test
a-two: a_test" ]
	[ "$(plan a-two | jq -c .cases)" = '["a_test.two"]' ]
	[ "$(selected a- | sed -n 's/: .*//p' | tr '\n' ' ')" = "reference base a-one a-two " ]
	[ "$(selected b-one | tail -n 1)" = "b-one: b_test # it is for machine n, not for m" ]
	[ "$(selected c | sed -n 2p)" = "base:  # there is no case to run" ]
	[ "$(plan nothing | jq -r .unknown)" = nothing ]
	all=true
	[ "$(selected a_test.one b_test)" = "reference: a_test.one b_test
base: a_test.one b_test
a-one: a_test.one b_test
d: a_test.one b_test # there is no machine x" ]
}

@test "several machines: each runs what its mutants concern, a kernel of both has both names" {
	wanted=[]
	[ "$(selected)" = "reference@m: a_test b_test
base@m: a_test b_test
a-one: a_test
a-two: a_test
b-none: b_test # it names b_test.none, which is no case
c:  # its header lacks Breaks, Caught-by or Machine
d: b_test # there is no machine x
reference@n: b_test
base@n: b_test
b-one: b_test" ]
	[ "$(plan | jq -c '[.others, (.kernels[] | select(.variant == "reference") | .may_skip)]')" = '[[],["b_test.one"],[]]' ]
	[ "$(selected b-one)" = "reference: b_test
base: b_test
b-one: b_test" ]
	[ "$(plan b-one | jq -r '.kernels[].machine' | uniq)" = n ]
	[ "$(plan a-one | jq -r '.kernels[].machine' | uniq)" = m ]
	[ "$(plan a_test.one b-one | jq -r '.kernels[] | .id' | tr '\n' ' ')" = "reference@m base@m a-one reference@n base@n b-one " ]
}

@test "architectures: a case runs where it is at home; what is left out may be named" {
	wanted=[]
	more_cases='{folder: "r", test: "r_test", case: "one", arch: ["riscv"]}, {folder: "r", test: "s_test", case: "one", arch: ["riscv"]},
		{folder: "g", test: "g_test", case: "one", arch: ["x86", "riscv"]}'
	more_mutants='mutant("r-one"; ["r_test.one"]; "r"), mutant("g-one"; ["g_test.one"]; "r"), mutant("wrong"; ["r_test.one"]; "m")'
	[ "$(selected r_test s_test | grep -v @m)" = "wrong:  # it names no case of machine m
reference@r: r_test s_test
base@r: r_test s_test
r-one: r_test" ]
	[ "$(plan r-one | jq -r '.kernels[].machine' | uniq)" = r ]
	[ "$(plan a_test.one g-one | jq -r '.kernels[] | .id' | tr '\n' ' ')" = "reference@m base@m a-one reference@r base@r g-one " ]
	[ "$(plan s_test | jq -c '[.kernels[0] | .machine, .may_skip]')" = '["r",[]]' ]
	more_cases='' more_mutants='mutant("both"; ["a_test.one", "z_test.one"]; "m")'
	[ "$(selected both | tail -n 1)" = "both: a_test # it names z_test.one, which is no case" ]
	foreign='["z_test"]'
	[ "$(selected both | tail -n 1)" = "both: a_test" ]
}

@test "a folder with its slash: all its tests, and the mutants that they must catch" {
	[ "$(selected y/)" = "reference: b_test
base: b_test
d: b_test # there is no machine x" ]
	[ "$(plan x/ | jq -c .cases)" = '["a_test.one","a_test.two"]' ]
	[ "$(plan z/ | jq -r '"\(.unknown) \(.known | index("x/"))"')" = "z/ 0" ]
}

# --- the judge

# judge VARIANT VERDICTS...: each word is what the cases one, two and three did in one
# run, a letter each: p(ass), f(ail), s(kip), t(imeout), c(rash), m(issing), e(rror).
# Two is the case that is named; $sometimes and $may_skip may be another one's name.
judge()
{
	local variant=$1

	shift
	run jq -n -r --arg variant "$variant" --argjson failure "${failure:-null}" --argjson exit "${exit:-1}" \
		--argjson began "${began:-true}" --arg test_verdict "${test_verdict:-fail}" "
		{p: \"pass\", f: \"fail\", s: \"skip\", t: \"timeout\", c: \"crash\", m: \"missing\", e: \"error\"} as \$names |
		{kernel: {variant: \$variant, caught_by: [\"a_test.two\"], sometimes: [\"${sometimes:-}\"], may_skip: [\"${may_skip:-}\"], skips: [\"${skips:-}\"], cases: [\"a_test.one\", \"a_test.two\", \"a_test.three\"]},
		 failure: \$failure, where: \"there\", folder: \"k\",
		 runs: [\$ARGS.positional[] | split(\"\") | {
			exit: \$exit, seconds: 1,
			tests: {a_test: {verdict: \$test_verdict, reason: \"WARNING: x\", began: \$began}},
			cases: ([[\"one\", \"two\", \"three\"], .] | transpose
				| map({key: \"a_test.\\(.[0])\", value: {verdict: \$names[.[1]], reason: \"because\"}}) | from_entries)}]}
		| $(sed 's/^#.*//' "$top/proof/judge.jq") | \"\\(.exit_code) \\(.verdict)\", .lines[]" --args "$@"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

expect()
{
	[ "$output" = "$1" ] || { printf 'want:\n%s\ngot:\n%s\n' "$1" "$output"; false; }
}

@test "judge: a mutant is killed by a case that fails, times out or crashes" {
	for verdicts in pfp sfp ptp pcm pcp; do
		judge m "$verdicts"
		expect "0 killed
killed by a_test.two"
	done
	judge m pfp pfp ptp
	expect "0 killed
killed by a_test.two, 3 times"
}

@test "judge: a named case that passes: survived" {
	judge m ppp
	expect "1 survived
SURVIVED: a_test.two passes"
	judge m pfp ppp pfp
	expect "1 survived
SURVIVED: a_test.two passes 1/3"
}

@test "judge: a case that is not named and fails: misattributed" {
	judge m ffp
	expect "1 misattributed
NOT NAMED: a_test.one fails too (add it to Caught-by): fail: because"
	judge m pff pfp
	expect "1 misattributed
NOT NAMED: a_test.three fails too 1/2 (add it to Caught-by): fail: because"
	sometimes=a_test.one judge m ffp pfp
	expect "0 killed
killed by a_test.two, 2 times"
	# Not excused by a crash: nothing took the test down.
	judge m pfm
	expect "1 misattributed
NOT NAMED: a_test.three is missing: missing: because"
}

@test "judge: a named case that skips or is missing was not judged" {
	judge m psp
	expect "1 skipped
SKIPPED: a_test.two: skip: because"
	judge m pmp
	expect "1 missing
MISSING: a_test.two: missing: because"
	judge m cmm
	expect "1 missing
MISSING: a_test.two: missing: because
NOT NAMED: a_test.one fails too (add it to Caught-by): crash: because"
}

@test "judge: a kernel that does not build or boot catches nothing" {
	failure='{"ours": false, "text": "does not build, log in x"}' judge m
	expect "1 error
ERROR: does not build, log in x"
	began=false judge m pcm
	expect "1 error
ERROR: does not boot: WARNING: x, log in there"
	exit=3 judge m peee
	expect "3 error
ERROR: our own fault: because, log in there"
	exit=137 judge m pfp
	[[ $output == "3 error"* ]]
}

@test "judge: the reference must pass, each time" {
	test_verdict=pass judge reference ppp
	expect "0 pass
3/3 pass"
	judge reference psf
	expect "1 fail
FAILS: a_test.two: skip: because
FAILS: a_test.three: fail: because"
	judge reference ppp pfp ppp
	expect "1 fail
FAILS: a_test.two passes 2/3: fail: because"
	# A kernel warning: the test fails, none of its cases does.
	judge reference ppp
	expect "1 fail
FAILS: a_test: WARNING: x"
}

@test "judge: on base just those fail that a series names" {
	judge base pfp
	expect "0 pass
1 fail as they must, 2 pass"
	test_verdict=pass judge base ppp
	expect "1 fail
FAILS: a_test.two passes although its series says it fails"
	judge base ffp
	expect "1 misattributed
NOT NAMED: a_test.one fails too (add it to a Fails-without): fail: because"
	judge base sfp
	expect "1 skipped
SKIPPED: a_test.one: skip: because"
}

@test "judge: a case that asks for what only a series gives skips on base, each time" {
	skips=a_test.one
	judge base sfp
	expect "0 pass
1 fail as they must, 1 pass, 1 cannot tell here"
	judge base pfp
	expect "1 fail
FAILS: a_test.one does not skip although its series says so"
	judge base sfp pfp
	[[ $output == "1 fail"*"although its series says so 1/2" ]]
	judge base ffp
	[[ $output == "1 misattributed"* ]]
	# It is no excuse elsewhere.
	test_verdict=pass judge reference spp
	[[ $output == "1 fail"* ]]
}

@test "judge: a case that only another machine's mutants name may skip, not fail" {
	may_skip=a_test.one
	test_verdict=pass judge reference spp
	expect "0 pass
2/3 pass, 1 cannot tell here"
	judge reference fpp
	expect "1 fail
FAILS: a_test.one: fail: because"
	test_verdict=pass judge reference spp ppp
	expect "1 fail
FAILS: a_test.one passes 1/2: skip: because"
	judge base sfp
	expect "0 pass
1 fail as they must, 1 pass, 1 cannot tell here"
	judge base ffp
	expect "1 misattributed
NOT NAMED: a_test.one fails too (add it to a Fails-without): fail: because"
}

@test "judge: a verdict that varies is told" {
	judge m pfp sfp
	expect "1 flaky
FLAKY: a_test.one passes 1/2, else skip: because"
}

@test "the whole: unproven cases, the exit code, the counts" {
	summary()
	{
		jq -n --argjson kernels "$1" '{date: "d", repeat: 1, seconds: 5, kernels: $kernels, plan: {
			cases: ["t.a", "t.b", "t.c"], kernels: [{machine: "m"}, {machine: "m"}], others: ["o"],
			witnesses: {"t.a": ["x"], "t.b": ["o"]}}}' | jq -r -f "$top/proof/summary.jq" |
			jq -r '"\(.complete) \(.exit_code)", (.unproven[] | "\(.case): \(.why)"), .summary'
	}
	reference='{"variant": "reference", "machine": "m", "exit_code": 0, "verdict": "pass", "cases": {"t.a": {"pass": 1}}}'
	mutant='{"variant": "x", "machine": "m", "caught_by": ["t.a"], "exit_code": 0, "verdict": "killed", "cases": {"t.a": {"fail": 1}}}'
	run summary "[$reference, $mutant]"
	expect "true 1
t.b: only mutants for another machine name it (o)
t.c: no mutant names it
1 mutants, 1 killed, 0 survived (1 for other machines left out); 3 cases, 1 proven, 2 unproven; 5 seconds"
	# Killed on another machine than the one where the reference passes.
	run summary "[$reference, ${mutant/\"m\"/\"n\"}]"
	[[ $output == *"t.a: x did not prove it"* ]]
	run summary "[$reference, ${mutant//fail/pass}]"
	[[ $output == *"t.a: x did not prove it"* ]]
	run summary "[$reference, $(sed 's/"exit_code": 0/"exit_code": 3/; s/killed/error/' <<<"$mutant")]"
	[[ $output == "true 3
t.a: x did not prove it"*"1 mutants, 0 killed, 0 survived, 1 error"* ]]
	run summary "[$reference]"
	[[ $output == "false null"* ]]
}

# --- bad input

@test "what makes no sense: exit 2 and one line" {
	for args in --bogus "--repeat 0" "--repeat x" "--repeat" "--jobs 0" "--machine x86-svn" "--machine host" nothing; do
		# shellcheck disable=SC2086
		run "${prove[@]}" $args
		[ "$status" -eq 2 ] && [ "${#lines[@]}" -eq 1 ] || { echo "$args: $status $output"; false; }
	done
	run "${prove[@]}" ibpb-posted-defferal
	[[ $status -eq 2 && $output == *"unknown test, case or mutant 'ibpb-posted-defferal', did you mean ibpb-posted-deferral?"* ]]
	KDIR=/x run "${prove[@]}"
	[[ $status -eq 2 && $output == *"no KDIR"* ]]
	[ ! -e "$results" ]
	touch "$results"
	run "${prove[@]}" ibpb-posted-deferral
	[[ $status -eq 3 && $output == *"$results: cannot be made"* ]]
}

# --- real kernels

# The project, to be spoilt, and all that is built for it.
copy_project()
{
	project=$BATS_TEST_TMPDIR/p
	mkdir "$project"
	(cd "$top" && git ls-files -z | xargs -0 cp -p --parents -t "$project")
	export OUTPUT=$BATS_TEST_TMPDIR/out
	cp -a "$out" "$OUTPUT"
	echo "$project" >"$OUTPUT/top"
}

@test "two mutants are killed; what is known needs no second run" {
	run --separate-stderr "${prove[@]}" --fresh ibpb-compare-id ibpb-destroy-keeps-last-vcpu
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == "reference  "*" pass
base  "*" fail as they must, "*" pass
ibpb-compare-id               killed by deferred_ibpb_test.alternating_vms, deferred_ibpb_test.recreated_vcpu
ibpb-destroy-keeps-last-vcpu  killed by deferred_ibpb_test.recreated_vcpu
2 mutants, 2 killed, 0 survived; 2 cases, 2 proven, 0 unproven; "*" seconds" ]]
	jq -e '.complete and .exit_code == 0 and .unproven == [] and (.kernels | length == 4)
		and .kernels[2].cases["deferred_ibpb_test.alternating_vms"].fail == 1
		and (.kernels[2].cases["deferred_ibpb_test.alternating_vms"].reasons[0] | contains("barrier"))' \
		"$results/proof.json"
	[ -s "$results/ibpb-compare-id/ktap" ]

	results=${results}2
	run --separate-stderr "$top/run_tests.sh" prove --results "$results" --docs "$BATS_TEST_TMPDIR/docs" \
		ibpb-compare-id ibpb-destroy-keeps-last-vcpu
	[ "$status" -eq 0 ]
	[ "$(grep -c '(cached)$' <<<"$output")" -eq 4 ]
	[ -z "$(find "$results" -name ktap)" ]
	# Part of a proof is no proof.
	[[ $stderr == *"is not written: not everything is proved"* && ! -e $BATS_TEST_TMPDIR/docs ]]
}

@test "a mutant that names a case which passes: SURVIVED, exit 1" {
	copy_project
	sed -i 's/^Caught-by: .*/&, deferred_ibpb_test.same_vcpu_again/' "$project/kernel/mutants/ibpb-compare-id.patch"
	run --separate-stderr "$project/run_tests.sh" prove --results "$results" ibpb-compare-id
	[ "$status" -eq 1 ]
	[[ $output == *"ibpb-compare-id  SURVIVED: deferred_ibpb_test.same_vcpu_again passes"* ]]
	[[ $output == *"UNPROVEN: deferred_ibpb_test.same_vcpu_again: ibpb-compare-id, "*" did not prove it"* ]]
}

@test "a mutant that names another case than the one that fails: both are told" {
	copy_project
	sed -i 's/^Caught-by: .*/Caught-by: deferred_ibpb_test.same_vcpu_again/' "$project/kernel/mutants/ibpb-compare-id.patch"
	sed -i '/^Fails-without:/d' "$project"/kernel/series/*/*.patch
	run --separate-stderr "$project/run_tests.sh" prove --results "$results" ibpb-compare-id
	[ "$status" -eq 1 ]
	[[ $output == *"SURVIVED: deferred_ibpb_test.same_vcpu_again passes"* ]]
	[[ $output == *"NOT NAMED: deferred_ibpb_test.alternating_vms fails too (add it to Caught-by): fail: "* ]]
	[[ $output == *"base "*"NOT NAMED: deferred_ibpb_test.loads_without_run fails too (add it to a Fails-without)"* ]]
}

@test "an assertion that is weakened: the mutant survives" {
	copy_project
	sed -i '/^static void alternating_vms/,/^}/s/ibpb_expect(.*/CASE_EXPECT(ibpb_by_kvm(\&c, 0) < 100, "barriers");/' \
		"$project/x86/deferred_ibpb_test.c"
	run --separate-stderr "$project/run_tests.sh" prove --results "$results" ibpb-compare-id
	[ "$status" -eq 1 ] || { echo "$output"; false; }
	[[ $output == *"ibpb-compare-id"*"SURVIVED: deferred_ibpb_test.alternating_vms passes"* ]]
}

@test "an assertion that is taken away: the case checks nothing" {
	copy_project
	sed -i '/^static void alternating_vms/,/^}/{/ibpb_expect(/d}' "$project/x86/deferred_ibpb_test.c"
	run --separate-stderr "$project/run_tests.sh" prove --results "$results" ibpb-compare-id
	[ "$status" -eq 1 ] || { echo "$output"; false; }
	[[ $output == *"reference"*"FAILS: deferred_ibpb_test.alternating_vms: fail: the case checked nothing"* ]]
}

@test "a mutant that does not apply or compile is an error, the others are judged" {
	copy_project
	cat >"$project/kernel/mutants/does-not-apply.patch" <<-'EOF'
	Breaks: the patch.
	Caught-by: deferred_ibpb_test.same_vcpu_again
	Machine: x86-svm
	---
	--- a/virt/kvm/kvm_main.c
	+++ b/virt/kvm/kvm_main.c
	@@ -1,2 +1,3 @@
	 // no such line
	+#error this is broken
	 /*
	EOF
	sed 's,// no such line,// SPDX-License-Identifier: GPL-2.0-only,' "$project/kernel/mutants/does-not-apply.patch" \
		>"$project/kernel/mutants/does-not-compile.patch"
	run --separate-stderr "$project/run_tests.sh" prove --results "$results" does-not- ibpb-compare-id
	[ "$status" -eq 1 ]
	for mutant in does-not-apply does-not-compile; do
		[[ $output == *"$mutant "*"ERROR: does not build, log in $results/$mutant/build.log"* ]]
	done
	grep -q 'error: #error this is broken' "$results/does-not-compile/build.log"
	[[ $output == *"killed by deferred_ibpb_test.alternating_vms, "*"3 mutants, 1 killed, 0 survived, 2 error"* ]]
}

@test "a machine that panics before init: an error, no catch" {
	cat >"$BATS_TEST_TMPDIR/qemu" <<-'EOF'
	#!/bin/bash
	exec qemu-system-x86_64 "${@/#loglevel=/rdinit=/no/such/init loglevel=}"
	EOF
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	KVM_WITNESS_QEMU=$BATS_TEST_TMPDIR/qemu run --separate-stderr "${prove[@]}" ibpb-compare-id
	[ "$status" -eq 1 ] || { echo "$output"; false; }
	[ "$(grep -c 'ERROR: does not boot: Kernel panic' <<<"$output")" -eq 3 ]
	[[ $output == *"1 mutants, 0 killed, 0 survived, 1 error; 2 cases, 0 proven"* ]]
}

@test "an emulator that cannot start is our own fault: exit 3" {
	printf '#!/bin/sh\n[ "$1" != --version ] || exec qemu-system-x86_64 --version\necho "no memory" >&2\nexit 1\n' \
		>"$BATS_TEST_TMPDIR/qemu"
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	KVM_WITNESS_QEMU=$BATS_TEST_TMPDIR/qemu run --separate-stderr "${prove[@]}" ibpb-compare-id
	[ "$status" -eq 3 ]
	[[ $output == *"ERROR: our own fault: the emulator ended with exit code 1: no memory, log in $results/reference"* ]]
}

@test "SIGINT and SIGTERM: no emulator is left, proof.json is, the documented exit code" {
	for sig in INT TERM; do
		set -m
		# Who runs these tests may have been started deaf to SIGINT.
		env --default-signal=INT "${prove[@]}" --repeat 3 ibpb-compare-id >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
		pid=$!
		set +m
		until pgrep -f -- "[-]initrd $results" >/dev/null; do kill -0 "$pid"; done
		# As a terminal does it: to all of the process group.
		[ "$sig" = TERM ] || kill -s INT -- "-$pid"
		[ "$sig" = INT ] || kill -s TERM "$pid"
		status=0
		wait "$pid" || status=$?
		[[ $sig$status = INT130 || $sig$status = TERM143 ]] || { echo "$sig: $status"; cat "$BATS_TEST_TMPDIR/err"; false; }
		run ! pgrep -f -- "$results"
		jq -e '.complete == false and .exit_code == null' "$results/proof.json"
		rm -rf "$results"
	done
}

# --- the documentation

@test "docs: written and checked without a kernel; a header that changes makes them stale" {
	copy_project
	docs=$BATS_TEST_TMPDIR/docs/proof.md
	"$project/proof/docs.sh" "$docs"
	"$project/proof/docs.sh" --check "$docs"
	grep -qF '| `ibpb-compare-id` | vCPUs of two VMs with' "$docs"
	sed -i 's/^Breaks: .*/Breaks: something else./' "$project/kernel/mutants/ibpb-compare-id.patch"
	run "$project/proof/docs.sh" --check "$docs"
	[[ $status -eq 1 && ${#lines[@]} -eq 1 && $output == *"$docs is stale: "*"run make prove" ]]
}

@test "docs/proof.md is not stale" {
	[ -e "$top/docs/proof.md" ] || skip "nobody has proved everything yet"
	"$top/proof/docs.sh" --check "$top/docs/proof.md"
}
