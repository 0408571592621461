#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# run_tests.sh: what the command line takes and refuses, before anything is booted.

load common

setup()
{
	cd "$BATS_TEST_TMPDIR"
	run_tests=$top/run_tests.sh
}

@test "--help names every option" {
	run "$run_tests" --help
	[ "$status" -eq 0 ]
	options=$(sed -n '/^while/,/^done/p' "$run_tests" | grep -oE -- '--[a-z-]+( \||\))' | grep -oE -- '--[a-z-]+')
	[ "$(wc -w <<<"$options")" -gt 10 ]
	for option in $options; do
		[[ $output == *"$option"* ]] || { echo "$option"; false; }
	done
}

@test "--list names every case with what it verifies, --json is JSON" {
	run --separate-stderr "$run_tests" --list
	[ "$status" -eq 0 ]
	[[ $output == *"deferred_ibpb_test.loaded_here_entered_there
    verifies: "* ]]
	run --separate-stderr "$run_tests" --list --json
	[ "$status" -eq 0 ]
	jq -e 'length > 10 and all(.[]; .test and .case and .verifies and .needs and .seed and .arch)' <<<"$output"
}

@test "an unknown test: exit 2, the nearest one is suggested" {
	run "$run_tests" defered_ibpb_test
	[ "$status" -eq 2 ]
	[[ $output == *"unknown test 'defered_ibpb_test', did you mean deferred_ibpb_test?"* ]]
	run "$run_tests" deferred_ibpb_test.alternating_run
	[ "$status" -eq 2 ]
	[[ $output == *"did you mean deferred_ibpb_test.alternating_runs?"* ]]
}

@test "a folder with its slash: all its tests; an unknown one: exit 2 and the nearest" {
	run --separate-stderr "$run_tests" --results "$PWD/r" x86/
	[[ $output == *"1..$(jq -r 'select(.folder == "x86").test' "$out/cases.json" | uniq | wc -l)"* ]]
	[ ! -e r/gmem_mmap_test.log ]
	# A test that is named twice runs once.
	run --separate-stderr "$run_tests" --results "$PWD/r2" guest_memfd/ gmem_mmap_test
	[ "$(grep -c '^\(not \)\?ok .* gmem_mmap_test' <<<"$output")" -eq 1 ]
	for word in guest_menfd/ guest_memfd; do
		run "$run_tests" "$word"
		[ "$status" -eq 2 ]
		[[ $output == *"unknown test '$word', did you mean guest_memfd/?"* ]]
	done
}

@test "an unknown machine: exit 2, the nearest one is suggested" {
	run "$run_tests" --machine x86_svm
	[ "$status" -eq 2 ]
	[[ $output == *"unknown machine 'x86_svm', did you mean x86-svm?"* ]]
}

@test "an unknown variant: exit 2, all are named" {
	run "$run_tests" --variant refrence
	[ "$status" -eq 2 ]
	[[ $output == *"no variant 'refrence': reference base"* ]]
}

@test "unknown options, missing values, bad numbers, contradictions: exit 2" {
	for args in --bogus --kernel "--timeout 0" "--timeout x" "--kernel a --variant base" \
		"--machine host --variant base" "--variant"; do
		# shellcheck disable=SC2086
		run "$run_tests" $args
		[ "$status" -eq 2 ] || { echo "$args: $status $output"; false; }
		[[ $output == kvm-witness:* ]]
	done
}

@test "a kernel image that is none: exit 2" {
	run "$run_tests" --kernel /no/such/vmlinux
	[ "$status" -eq 2 ]
	[[ $output == *"/no/such/vmlinux: no such kernel image"* ]]
	head -c 100000 /dev/urandom >noise
	run "$run_tests" --kernel noise
	[ "$status" -eq 2 ]
	[[ $output == *"noise is no kernel image"* ]]
	run "$run_tests" --kernel /bin/true
	[ "$status" -eq 2 ]
	[[ $output == *"without a PVH entry"* ]]
	: >empty
	run "$run_tests" --kernel empty
	[ "$status" -eq 2 ]
}

@test "QEMU missing, too old, or no QEMU: exit 3 and what to do" {
	KVM_WITNESS_QEMU=/no/such/qemu run "$run_tests" --vm
	[ "$status" -eq 3 ]
	[[ $output == *"needs /no/such/qemu: install qemu-system-x86"* ]]

	printf '#!/bin/sh\necho "QEMU emulator version 6.2.0 (Debian)"\n' >old
	chmod +x old
	KVM_WITNESS_QEMU=$PWD/old run "$run_tests" --vm
	[ "$status" -eq 3 ]
	[[ $output == *"needs QEMU >= 7.2, $PWD/old is 6.2.0"* ]]

	KVM_WITNESS_QEMU=/bin/true run "$run_tests" --vm
	[ "$status" -eq 3 ]
	[[ $output == *"is it a QEMU?"* ]]
}

@test "a results folder that cannot be written: exit 3" {
	: >file
	run "$run_tests" --results "$PWD/file/x" probe_test
	[ "$status" -eq 3 ]
	[[ $output == *"file/x: cannot be made; give another folder with --results"* ]]
}

@test "the machine host: runs here, or skips with the reason (exit 0 or 4)" {
	run --separate-stderr "$run_tests" --results "$PWD/r" deferred_ibpb_test
	[[ $output == *"1..1"*"deferred_ibpb_test"* ]]
	if [ "$status" -eq 4 ]; then
		[[ $output == *"# SKIP /dev/kvm is not usable"* || $output == *"# SKIP no /dev/kvm"* ||
		   $output == *"# SKIP the CPU has no IBPB"* ]]
	else
		[ "$status" -eq 0 ]
	fi
	for file in ktap console.log deferred_ibpb_test.log meta.json; do
		[ -e "r/$file" ]
	done
	jq -e '.machine == "host" and .exit_code == '"$status" r/meta.json
}

@test "a /dev/kvm that is none: every case skips with that reason, exit 4" {
	[ -e /dev/kvm ] || skip "no /dev/kvm to cover"
	unshare -m mount --bind /dev/null /dev/kvm || skip "not allowed to mount"
	run --separate-stderr unshare -m bash -c "mount --bind /dev/null /dev/kvm &&
		'$run_tests' --results '$PWD/r' probe_test"
	[ "$status" -eq 4 ]
	[[ $output == *"ok 1 kmem_reads_banner # SKIP /dev/kvm is not usable: API version -1, not 12"* ]]
}

@test "an empty folder for a kernel's modules: exit 2" {
	run "$run_tests" --kernel "$(find "$KVM_WITNESS_CACHE/kernel" -name bzImage -print -quit)" --modules "$PWD"
	[ "$status" -eq 2 ]
	[[ $output == *"has no lib/modules/<release>"* ]]
}
