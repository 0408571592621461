#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/machine_check.sh: what is a difference between a run and the list, and what is
# none.  Nothing is booted.

load common

setup()
{
	cd "$BATS_TEST_TMPDIR"
	check=("$top/tests/machine_check.sh" --expected "$PWD" --meta meta.json x86-svm)
	cat >x86-svm <<-EOF
	# SPDX-License-Identifier: GPL-2.0-only
	alpha_test pass
	beta_test skip Requirement not met: a thing
	gamma_test fail x86/gamma_test.c: one == two
	EOF
	results "$alpha" "$beta" "$gamma"
}

alpha='{"name": "alpha_test", "verdict": "pass", "cases": [{"name": "selftest", "verdict": "pass"}]}'
beta='{"name": "beta_test", "verdict": "skip", "reason": "every case was skipped", "cases":
	[{"name": "selftest", "verdict": "skip", "reason": "Requirement not met: a thing"}]}'
gamma='{"name": "gamma_test", "verdict": "fail", "reason": "1 of 1 cases", "cases":
	[{"name": "selftest", "verdict": "fail", "reason": "x86/gamma_test.c: one == two"}]}'

# results TEST...: what the run's meta.json says of tests
results()
{
	printf '%s\n' "$@" | jq -s '{seconds: 7.2, release: "7.3.4", tests: .}' >meta.json
}

# The run's differences are these lines, no more.
differs()
{
	run --separate-stderr "${check[@]}"
	[ "$status" -eq 1 ]
	diff <(printf '%s\n' "$@") <(echo "$output")
}

@test "all as in the list: nothing is printed, exit 0" {
	run --separate-stderr "${check[@]}"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[[ $stderr == *"x86-svm: as expected: "*"1 fail"*", 7 s"* ]]
}

@test "a new failure, one that is fixed, one that skips for another reason" {
	results "${alpha/\"verdict\": \"pass\", \"cases\"/\"verdict\": \"timeout\", \"reason\": \"240 seconds\", \"cases\"}" \
		"${beta//a thing/another thing}" "${alpha/alpha/gamma}"
	differs "x86-svm: changed: beta_test: skip Requirement not met: a thing -> skip Requirement not met: another thing" \
		"x86-svm: fixed: gamma_test: fail x86/gamma_test.c: one == two -> pass" \
		"x86-svm: new failure: alpha_test: pass -> timeout 240 seconds"
}

@test "one that fails no more but skips is not fixed" {
	results "$alpha" "$beta" "${beta/beta/gamma}"
	differs "x86-svm: changed: gamma_test: fail x86/gamma_test.c: one == two -> skip Requirement not met: a thing"
}

@test "a selftest that is lost, and one that is new" {
	results "$alpha" "$gamma" "${alpha/alpha/delta}"
	differs "x86-svm: lost: beta_test: skip Requirement not met: a thing" \
		"x86-svm: new: delta_test: pass"
}

@test "a kernel warning in a selftest that passed is a failure, with its words" {
	results "${alpha/\"verdict\": \"pass\", \"cases\"/\"verdict\": \"fail\", \"reason\": \"kernel warning: WARNING: here\", \"cases\"}" \
		"$beta" "$gamma"
	differs "x86-svm: new failure: alpha_test: pass -> fail kernel warning: WARNING: here"
}

@test "--update: then there is no difference; addresses and the like are not in the list" {
	results "$beta" "$alpha" "${gamma/one == two/at 0x7ffd1234 in pid 4711 on /dev/cpu/1/msr after 123456 of 16}"
	run "${check[@]}" --update
	[ "$status" -eq 0 ]
	[ "$(grep -v '^#' x86-svm)" = "alpha_test pass
beta_test skip Requirement not met: a thing
gamma_test fail x86/gamma_test.c: at 0x? in pid N on /dev/cpu/N/msr after N of 16" ]
	head -n 1 x86-svm | grep -qxF "# SPDX-License-Identifier: GPL-2.0-only"
	results "$beta" "$alpha" "${gamma/one == two/at 0x7ffd9876 in pid 42 on /dev/cpu/0/msr after 7654321 of 16}"
	run --separate-stderr "${check[@]}"
	[ "$status" -eq 0 ]
}

@test "usage: exit 2, what is meant is suggested" {
	for args in --frobnicate x86_svm --meta "--meta /no/such/file x86-svm" "--meta meta.json" --update host x86-vmx; do
		# shellcheck disable=SC2086
		run "$top/tests/machine_check.sh" --expected "$PWD" $args
		[ "$status" -eq 2 ] || { echo "$args: $status: $output"; false; }
	done
	run "$top/tests/machine_check.sh" x86_svm
	[[ $output == *"unknown machine 'x86_svm', did you mean x86-svm?"* ]]
}

@test "what is no meta.json: exit 3" {
	echo "no JSON" >meta.json
	run "${check[@]}"
	[ "$status" -eq 3 ]
}
