#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The build against a kernel tree's framework, and the tree's kselftest with us in it.

load common

setup_file()
{
	# A private copy of the source: kselftest builds inside of it.
	export TREE="$BATS_FILE_TMPDIR/linux"
	cp -al "$("$BATS_TEST_DIRNAME/../kernel/source.sh")" "$TREE"
}

teardown_file()
{
	rm -rf "$TREE"
}

# The names of all tests, in the order of their folders' lists.
tests()
{
	jq -r .test "$out/cases.json" | uniq
}

# The source file newest of all must be older than what the build makes.
built_at()
{
	find "$1" -type f -newer "$2" ! -name lock ! -name build.log
}

@test "KDIR that is no folder, no kernel, no KVM selftests: one line, exit 2 of make" {
	run make -C "$top" KDIR=/no/such/tree
	[ "$status" -eq 2 ]
	[[ $output == *"KDIR=/no/such/tree: no such folder"* ]]
	run make -C "$top" KDIR="$BATS_TEST_TMPDIR"
	[ "$status" -eq 2 ]
	[[ $output == *"not a kernel tree"* ]]
	touch "$BATS_TEST_TMPDIR/Kbuild"
	run make -C "$top" KDIR="$BATS_TEST_TMPDIR"
	[ "$status" -eq 2 ]
	[[ $output == *"this kernel tree has no KVM selftests"* ]]
}

@test "O= elsewhere: all goes there, nothing into the tree, nothing twice" {
	touch "$BATS_TEST_TMPDIR/before"
	run make -C "$top" KDIR="$TREE" O="$BATS_TEST_TMPDIR/o"
	[ "$status" -eq 0 ]
	"$BATS_TEST_TMPDIR/o/x86/deferred_ibpb_test" --list | grep -qx alternating_runs
	[ -z "$(find "$TREE" -type f -newer "$BATS_TEST_TMPDIR/before")" ]
	touch "$BATS_TEST_TMPDIR/built"
	run make -C "$top" KDIR="$TREE" O="$BATS_TEST_TMPDIR/o"
	[ "$status" -eq 0 ]
	[ -z "$(built_at "$BATS_TEST_TMPDIR/o" "$BATS_TEST_TMPDIR/built")" ]

	# A changed header of the framework rebuilds what includes it.
	cp --remove-destination "$TREE/tools/testing/selftests/kvm/include/kvm_util.h" "$BATS_TEST_TMPDIR/h"
	mv "$BATS_TEST_TMPDIR/h" "$TREE/tools/testing/selftests/kvm/include/kvm_util.h"
	run make -C "$top" KDIR="$TREE" O="$BATS_TEST_TMPDIR/o"
	[[ $output == *"LIBKVM"*"CC      x86/deferred_ibpb_test.o"* ]]
	[[ $output != *"HEADERS"* ]]

	run make -C "$top" KDIR="$TREE" O="$BATS_TEST_TMPDIR/o" install INSTALL_PATH="$BATS_TEST_TMPDIR/i"
	[ "$status" -eq 0 ]
	[ "$(ls "$BATS_TEST_TMPDIR/i" | sort)" = "$(printf '%s\n' config settings $(tests) | sort)" ]
	run make -C "$top" install KDIR="$TREE" O="$BATS_TEST_TMPDIR/o"
	[ "$status" -eq 2 ]
	[[ $output == *"set INSTALL_PATH=<folder>"* ]]

	run make -C "$top" clean O="$BATS_TEST_TMPDIR/o"
	[ ! -e "$BATS_TEST_TMPDIR/o" ]
}

@test "LLVM=1" {
	for tool in clang ld.lld llvm-ar; do
		command -v "$tool" >/dev/null || skip "no $tool here"
	done
	run make -C "$top" KDIR="$TREE" O="$BATS_TEST_TMPDIR/o" LLVM=1
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	"$BATS_TEST_TMPDIR/o/x86/deferred_ibpb_test" --list | grep -qx alternating_runs
}

@test "the 7.2 tree" {
	tree=$("$top/kernel/source.sh" 7.2) || skip "no 7.2 source to be had"
	run make -C "$top" KDIR="$tree" O="$BATS_TEST_TMPDIR/o"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	"$BATS_TEST_TMPDIR/o/x86/deferred_ibpb_test" --list | grep -qx alternating_runs
}

@test "make link: the tree's kselftest builds, lists, installs and runs us; make unlink" {
	selftests=$TREE/tools/testing/selftests
	run make -C "$top" link KDIR="$TREE"
	[ "$status" -eq 0 ]
	run make -C "$selftests" TARGETS=kvm-witness install KSFT_INSTALL_PATH="$BATS_TEST_TMPDIR/i"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ "$(cat "$BATS_TEST_TMPDIR/i/kselftest-list.txt")" = "$(tests | sed 's/^/kvm-witness:/')" ]
	run bash -c "cd '$BATS_TEST_TMPDIR/i' && ./run_kselftest.sh"
	[[ $output == *"selftests: kvm-witness: deferred_ibpb_test"*"# 1.."*"selftests: kvm-witness: probe_test"* ]]
	run make -C "$selftests" TARGETS=kvm-witness clean
	[ "$status" -eq 0 ]

	# With O=, as the kernel has it.
	run make -C "$selftests" TARGETS=kvm-witness O="$BATS_TEST_TMPDIR/o"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ -x "$BATS_TEST_TMPDIR/o/kselftest/kvm-witness/deferred_ibpb_test" ]

	run make -C "$top" unlink KDIR="$TREE"
	[ "$status" -eq 0 ]
	[ ! -e "$selftests/kvm-witness" ]
	mkdir "$selftests/kvm-witness"
	run make -C "$top" unlink KDIR="$TREE"
	[ "$status" -eq 2 ]
	[[ $output == *"is not ours"* ]]
	rmdir "$selftests/kvm-witness"
}
