#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# machine/boot against emulators that misbehave: each kind of death is told apart,
# every case gets a result line, and nothing passes that did not.

load common

setup()
{
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	cat >"$dir/cases" <<-EOF
	{"test": "a_test", "case": "one"}
	{"test": "a_test", "case": "two"}
	{"test": "b_test", "case": "one"}
	{"test": "b_test", "case": "two"}
	EOF
	words=(a_test)
	options=()
}

# boot_fake SCENARIO: status and output as bats has them
boot_fake()
{
	run timeout 60 "$boot" --results "$dir" --cases "$dir/cases" --timeout 1 --boot-timeout 2 \
		"${options[@]}" "${words[@]}" -- "$fakes/emulator" "$1" "$dir/state"
}

# One result for every case asked for, and one for each test.
assert_complete()
{
	[ "$(grep -cE '^  (not )?ok ' "$dir/ktap")" -eq $((2 * ${#words[@]})) ]
	[ "$(grep -cE '^(not )?ok ' "$dir/ktap")" -eq ${#words[@]} ]
	diff <(grep -v '^kvm-witness: ' <<<"$output") "$dir/ktap"
	jq -e ".exit_code == $status" "$dir/meta.json"
}

@test "all cases pass: exit 0" {
	words=(a_test b_test)
	boot_fake good
	[ "$status" -eq 0 ]
	assert_complete
	[[ $output == "KTAP version 1
1..2
  KTAP version 1
  1..2
  ok 1 one
  ok 2 two"* ]]
	[[ $output == *"ok 2 b_test"* ]]
}

@test "kernel parameters of a test: a boot for each set of them" {
	sed -i '/b_test/s/}/, "append": "mem=1G quiet"}/' "$dir/cases"
	run "$boot" --results "$dir" --cases "$dir/cases" b_test a_test -- "$fakes/emulator" good -append "x=1 @append@ y=2"
	[ "$status" -eq 0 ]
	jq -e '.boots == 2' "$dir/meta.json"
	grep -qx -- "good -append x=1 mem=1G quiet y=2" "$dir/console.log"
	grep -qx -- "good -append x=1  y=2" "$dir/console.log"
	grep -qx -- "--- boot 1: mem=1G quiet" "$dir/console.log"
}

@test "a boot that fails costs only the tests with its kernel parameters" {
	sed -i '/b_test/s/}/, "append": "early_panic"}/; /a_test/s/}/, "append": "good"}/' "$dir/cases"
	run "$boot" --results "$dir" --cases "$dir/cases" b_test a_test -- "$fakes/emulator" @append@
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 b_test"*"ok 2 a_test"* ]]
}

@test "a test gets the kind of machine that it wants, or any" {
	sed -i '/b_test/s/}/, "wants": "nodes=3"}/; /a_test/s/}/, "wants": "gold"}/' "$dir/cases"
	run "$boot" --results "$dir" --cases "$dir/cases" a_test b_test -- "$fakes/emulator" good plain \
		-- nodes=3 "$fakes/emulator" good three @append@ -- l1tf "$fakes/emulator" good other
	[ "$status" -eq 0 ]
	jq -e '.boots == 2 and .emulators["nodes=3"][2] == "three"' "$dir/meta.json"
	grep -qx "good plain" "$dir/console.log"
	grep -qx -- "--- boot 2, nodes=3" "$dir/console.log"
	grep -qx "good three " "$dir/console.log"
}

@test "a kind of machine without an emulator: exit 2" {
	run "$boot" --results "$dir" --cases "$dir/cases" a_test -- "$fakes/emulator" good -- nodes=3
	[ "$status" -eq 2 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "words of the channel may be cut anywhere" {
	boot_fake dribble
	[ "$status" -eq 0 ]
	assert_complete
}

@test "a machine that ends at once: crash, exit 1" {
	boot_fake silent_exit
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 one # ERROR crash: the machine ended before init, without a word"* ]]
}

@test "an emulator that cannot start the machine is our own fault: exit 3, its words" {
	words=(a_test b_test)
	boot_fake cannot_start
	[ "$status" -eq 3 ]
	assert_complete
	[[ $output == *"not ok 1 one # ERROR the emulator ended with exit code 1: emulator: no such board"* ]]
}

@test "no emulator at all: exit 3, its name" {
	run "$boot" --results "$dir" --cases "$dir/cases" a_test -- /no/such/emulator
	[ "$status" -eq 3 ]
	[[ $output == *"cannot start /no/such/emulator: No such file or directory"* ]]
}

@test "an early panic is named, no second boot" {
	words=(a_test b_test)
	boot_fake early_panic
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"ERROR crash: Kernel panic - not syncing: No working init found."* ]]
	jq -e '.boots == 1' "$dir/meta.json"
}

@test "a kernel that panics and stays is given up soon" {
	boot_fake panic_and_hang
	[ "$status" -eq 1 ]
	[[ $output == *"crash: Kernel panic - not syncing: VFS: Unable to mount root fs"* ]]
}

@test "a hang before init is a timeout" {
	boot_fake hang_before_init
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 one # TIMEOUT 2 seconds, the machine did not reach init"* ]]
	[[ $output == *"# console: Linux version fake"* ]]
}

@test "what init complains of is a skip with that reason: exit 4" {
	boot_fake complaint
	[ "$status" -eq 4 ]
	assert_complete
	[[ $output == *"ok 1 one # SKIP the kernel has no virtio-serial port driver"* ]]
}

@test "a crash in a test: its case crashed, the rest is missing, the oops is the reason" {
	boot_fake die_in_test
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"ok 1 one"*"not ok 2 two # ERROR crash: BUG: kernel NULL pointer dereference"* ]]
}

@test "after a crash the machine boots again for the other tests" {
	words=(a_test b_test)
	boot_fake die_in_first_boot
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 a_test # ERROR crash: Kernel panic"*"ok 2 b_test"* ]]
	jq -e '.boots == 2' "$dir/meta.json"
}

@test "a machine that ends in a test without a word is a crash" {
	boot_fake vanish_in_test
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 2 two # ERROR crash: the machine ended in the middle of the test"* ]]
}

@test "a machine that no longer answers is a timeout" {
	boot_fake hang_in_test
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 2 two # TIMEOUT 1 seconds, the machine no longer answers"* ]]
}

@test "a test's timeout costs one test, not the machine" {
	words=(a_test b_test)
	boot_fake test_timeout
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 2 two # TIMEOUT 1 seconds"*"not ok 1 a_test # TIMEOUT"*"ok 2 b_test"* ]]
	[ "$(wc -l <"$dir/state")" -eq 1 ]
}

@test "a test that cannot be killed costs the machine" {
	words=(a_test b_test)
	boot_fake test_stuck
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"and the test cannot be killed"*"ok 2 b_test"* ]]
	[ "$(wc -l <"$dir/state")" -eq 2 ]
}

@test "a kernel warning during a test fails the test" {
	boot_fake warning_in_test
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 a_test # kernel warning: WARNING: CPU: 0 PID: 1 at arch/x86/kvm/x86.c:1"* ]]
}

@test "a kernel warning before the tests does not" {
	boot_fake warning_before_test
	[ "$status" -eq 0 ]
	assert_complete
}

@test "a case that is not reported is missing, whatever the exit code" {
	boot_fake missing_case
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 2 two # ERROR missing: the test ended with exit code 0"* ]]
}

@test "a test that says nothing does not pass" {
	boot_fake nothing_said
	[ "$status" -eq 1 ]
	assert_complete
}

@test "all skipped: exit 4, the reason in each line" {
	boot_fake all_skipped
	[ "$status" -eq 4 ]
	assert_complete
	[[ $output == *"ok 1 one # SKIP no such CPU"*"ok 2 two # SKIP no such CPU"*"ok 1 a_test # SKIP no such CPU"* ]]
}

@test "some skipped: exit 0; with --strict exit 1" {
	boot_fake one_skipped
	[ "$status" -eq 0 ]
	assert_complete
	options=(--strict)
	boot_fake one_skipped
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 2 two # skipped, and --strict was given: no IBPB"* ]]
}

@test "ok with an error, not ok with a skip: neither is what it says" {
	boot_fake ok_and_error
	[ "$status" -eq 3 ]
	assert_complete
	[[ $output == *"not ok 1 one # ERROR no memory"*"not ok 2 two # it is late"* ]]
}

@test "a failed case counts although the test exits 0" {
	boot_fake lying_exit_code
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 one # broken"*"not ok 1 a_test # 1 of 2 cases"* ]]
}

@test "a bad exit code fails a test whose cases all passed" {
	boot_fake bad_exit_code
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 a_test # the test ended with exit code 254"* ]]
}

@test "a test killed by a signal" {
	boot_fake signal
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"ERROR missing: the test was killed by signal 11"* ]]
}

@test "the first result of a case stands" {
	boot_fake twice
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 one"* ]]
}

@test "results of other names and in other places do not count" {
	boot_fake forged
	[ "$status" -eq 1 ]
	assert_complete
	[[ $output == *"not ok 1 one # ERROR missing"*"not ok 2 two # ERROR missing"* ]]
}

@test "control characters and huge lines leave well-formed KTAP" {
	boot_fake noise
	[ "$status" -eq 0 ]
	assert_complete
	[ "$(awk '{ if (length($0) > m) m = length($0) } END { print m }' "$dir/ktap")" -lt 4300 ]
	[[ $output == *"[line cut]"* ]]
	run ! grep -aP '[\x00-\x08\x0b-\x1f]' "$dir/ktap"
}

@test "words that make no sense are our own fault" {
	boot_fake gibberish
	[ "$status" -eq 3 ]
	assert_complete
}

@test "one case of a test" {
	words=(a_test.two)
	boot_fake good
	[ "$status" -eq 0 ]
	[ "$(grep -cE '^  ok ' "$dir/ktap")" -eq 1 ]
	[[ $output == *"  1..1
"*"  ok 1 two"* ]]
}

@test "a test that the list does not know is refused" {
	words=(c_test)
	boot_fake good
	[ "$status" -eq 3 ]
	[[ $output == *"names no case of c_test"* ]]
}

@test "SIGTERM: every case has a result, the emulator is gone, exit 143" {
	mkfifo "$dir/out"
	"$boot" --results "$dir" --cases "$dir/cases" a_test -- "$fakes/emulator" hang_in_test >"$dir/out" 3>&- &
	pid=$!
	# The first result says that the test runs.
	grep -m1 '^  ok 1 one' <"$dir/out"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ "$(grep -cE '^  (not )?ok ' "$dir/ktap")" -eq 2 ]
	grep 'not ok 2 two # ERROR the run was interrupted' "$dir/ktap"
	run ! pgrep -f "$fakes/emulator hang_in_test"
}

@test "the emulator does not outlive a boot that is killed" {
	"$boot" --results "$dir" --cases "$dir/cases" a_test -- "$fakes/emulator" hang_before_init >/dev/null 3>&- &
	pid=$!
	until pgrep -P "$pid" >"$dir/pid"; do :; done
	kill -KILL "$pid"
	wait "$pid" || :
	until ! kill -0 "$(cat "$dir/pid")" 2>/dev/null; do :; done
}

@test "a full disk: exit 3 and a message, not a pass" {
	[ -w /dev/full ] || skip "no /dev/full"
	words=(a_test)
	ln -s /dev/full "$dir/ktap"
	boot_fake good
	[ "$status" -eq 3 ]
	[[ $output == *"results could not be written (disk full?)"* ]]
}

@test "stdout that takes nothing: exit 3" {
	run bash -c "'$boot' --results '$dir' --cases '$dir/cases' a_test -- '$fakes/emulator' good >/dev/full"
	[ "$status" -eq 3 ]
	[[ $output == *"could not be written"* ]]
}

@test "a results folder that is not there: exit 3" {
	run "$boot" --results /no/such/folder --cases "$dir/cases" a_test -- "$fakes/emulator" good
	[ "$status" -eq 3 ]
	[[ $output == *"/no/such/folder/console.log: No such file or directory; give another folder with --results"* ]]
}
