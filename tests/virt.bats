#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The machines riscv64 and arm64, on QEMU's board virt, by real boots.

load common

setup()
{
	results=$BATS_TEST_TMPDIR/r
	run_on=("$top/run_tests.sh" --results "$results" --machine)
	fake=$BATS_TEST_TMPDIR/qemu
}

# A QEMU that is too old, and says so.
fake_qemu()
{
	printf '#!/bin/sh\necho "QEMU emulator version %s"\n' "$1" >"$fake"
	chmod +x "$fake"
}

@test "riscv64: every case passes, none skips" {
	run --separate-stderr "${run_on[@]}" riscv64 --strict
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	jq -e '.machine == "riscv64" and .variant == "reference" and all(.tests[].cases[]; .verdict == "pass")' "$results/meta.json"
}

@test "arm64: every case of arm64 passes, none skips" {
	run --separate-stderr "${run_on[@]}" arm64 --strict arm64/
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	jq -e '.machine == "arm64" and all(.tests[].cases[]; .verdict == "pass")' "$results/meta.json"
}

@test "a QEMU that is too old: exit 3, what is wanted" {
	fake_qemu 8.2.0
	KVM_WITNESS_QEMU_RISCV64=$fake run "${run_on[@]}" riscv64
	[ "$status" -eq 3 ]
	[[ $output == *"machine riscv64 needs QEMU >= 9.0, $fake is 8.2.0"* ]]
	fake_qemu 6.0.0
	KVM_WITNESS_QEMU_ARM64=$fake run "${run_on[@]}" arm64
	[ "$status" -eq 3 ]
	[[ $output == *"machine arm64 needs QEMU >= 7.2, $fake is 6.0.0"* ]]
}

@test "no QEMU and no mirror to fetch it from: exit 3" {
	KVM_WITNESS_CACHE=/proc/nowhere run "${run_on[@]}" riscv64
	[ "$status" -eq 3 ]
	run "$top/emulator/fetch.sh" qemu-vax
	[ "$status" -eq 2 ]
}

@test "a test of another architecture: where it can run" {
	run "$top/run_tests.sh" --vm aia_imsic_test
	[ "$status" -eq 2 ]
	[[ $output == *"aia_imsic_test is for riscv, the machine x86-svm is not: --machine riscv64"* ]]
	run "${run_on[@]}" arm64 probe_test.zeros
	[ "$status" -eq 2 ]
	[[ $output == *"probe_test is for x86, the machine arm64 is not: --machine x86-apx|x86-svm|x86-vmx"* ]]
}

@test "a kernel of another architecture: exit 2, what the machine wants" {
	run "${run_on[@]}" riscv64 --kernel "$("$top/kernel/build.sh" --arch x86)/vmlinux"
	[ "$status" -eq 2 ]
	[[ $output == *"is not for machine riscv64: want Image of riscv"* ]]
	run "${run_on[@]}" x86-svm --kernel "$("$top/kernel/build.sh" --arch riscv)/Image"
	[ "$status" -eq 2 ]
	[[ $output == *"is not for machine x86-svm: want a vmlinux or bzImage of x86"* ]]
	run "${run_on[@]}" arm64 --kernel debian:7.2
	[ "$status" -eq 2 ]
	[[ $output == *"for x86 only"* ]]
}

@test "no cross compiler: exit 3, what to install" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	find /usr/bin /bin -maxdepth 1 ! -name 'riscv64-linux-gnu-*' -exec ln -sf -t "$BATS_TEST_TMPDIR/bin" {} +
	PATH=$BATS_TEST_TMPDIR/bin run "${run_on[@]}" riscv64
	[ "$status" -eq 3 ]
	[[ $output == *"riscv64-linux-gnu-gcc is missing: run tests/deps.sh check"* ]]
}
