#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Our QEMU with APX and the machine x86-apx that it is: does it do what a processor would,
# and for all else what x86-svm does?

load common

setup()
{
	results=$BATS_TEST_TMPDIR/results
}

# The cases of a run with their verdicts.
verdicts()
{
	jq -r '.tests[].cases[] | "\(.name) \(.verdict)"' "$1/meta.json"
}

@test "programs in user space see the APX of the architecture" {
	run --separate-stderr "$top/emulator/check.sh" --results "$results"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == *"ok 18 xrstor_in_one_block"*"ok 1 apx_on"*"ok 2 apx"*"ok 2 off_ud"*"ok 3 apx_off"* ]]
	[[ $output == *"# cases: 28 passed, 0 failed, 0 skipped, "* ]]
}

@test "emulator/check.sh: usage, exit 2" {
	for args in "x" "--results" "--bogus x" "--results a b"; do
		# shellcheck disable=SC2086
		run "$top/emulator/check.sh" $args
		[ "$status" -eq 2 ] || { echo "$args: $status $output"; false; }
	done
}

@test "R16 to R31 by the debugger's stub and through a migration" {
	qemu=$("$top/emulator/build.sh" qemu)/qemu-system-x86_64
	run timeout 60 "$top/tests/apx_migration.py" "$qemu" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ -z "$output" ]
	run timeout 60 "$top/tests/apx_migration.py" "$qemu" "$BATS_TEST_TMPDIR" max,-apxf
	[ "$status" -eq 1 ]
	[ "$output" = "the debugger is not told of R16 to R31" ]
}

@test "no processor has APX and MPX: MPX gives way, with a word where it was asked for" {
	qemu=$("$top/emulator/build.sh" qemu)/qemu-system-x86_64
	run timeout 20 "$qemu" -M q35 -cpu max,+mpx -nodefaults -display none -S -monitor stdio <<<quit
	[ "$status" -eq 0 ]
	[[ $output == *"warning: No processor with APX has it: CPUID.07H:EBX.mpx [bit 14]"* ]]
	for cpu in max max,-apxf; do
		run timeout 20 "$qemu" -M q35 -cpu "$cpu" -nodefaults -display none -S -monitor stdio <<<quit
		[ "$status" -eq 0 ]
		[[ $output != *warning* ]]
	done
}

@test "x86-apx gives the verdicts of x86-svm" {
	tests=(probe_test deferred_ibpb_test nested_ibpb_test l1d_flush_test)
	for machine in x86-svm x86-apx; do
		run "$top/run_tests.sh" --machine "$machine" --results "$results.$machine" "${tests[@]}"
		[ "$status" -eq 0 ] || { echo "$output"; false; }
	done
	diff <(verdicts "$results.x86-svm") <(verdicts "$results.x86-apx")
	verdicts "$results.x86-apx" | grep -q "loaded_here_entered_there pass"
}
