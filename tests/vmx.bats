#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The machine x86-vmx: KVM-Intel in our Bochs, by real boots.

load common

setup()
{
	results=$BATS_TEST_TMPDIR/r
	run_vmx=("$top/run_tests.sh" --machine x86-vmx --results "$results")
}

@test "SEAMCALL and TDCALL on a processor that has them: all ok" {
	run --separate-stderr "${run_vmx[@]}" --strict seamcall_tdcall_ud_test
	[ "$status" -eq 0 ]
	[[ $output == *"9 passed, 0 failed, 0 skipped"* ]]
}

@test "the same on a processor without them: not discriminating, nothing ok" {
	run --separate-stderr "$top/run_tests.sh" --vm --results "$results" seamcall_tdcall_ud_test
	[ "$status" -eq 4 ]
	[[ $output == *"ok 1 seamcall_in_kernel # SKIP not discriminating: the CPU raises #UD itself"* ]]
	[[ $output == *" 0 passed, 0 failed, 9 skipped"* ]]
}

@test "barriers, with the processor's own count as a second witness" {
	run --separate-stderr "${run_vmx[@]}" --strict nested_ibpb_test ibpb_user_off_test
	[ "$status" -eq 0 ]
	[[ $output == *"9 passed, 0 failed, 0 skipped"* ]]
}

@test "L1TF on the base kernel: a timer tick asks for no flush, and nothing else fails" {
	run --separate-stderr "${run_vmx[@]}" --variant base l1d_flush_test verw_entry_test
	[ "$status" -eq 1 ]
	[ "$(grep -c '^  not ok' <<<"$output")" -eq 1 ]
	[[ $output == *"not ok 6 cond_interrupt"* ]]
	[[ $output == *"9 passed, 1 failed, 0 skipped"* ]]
}

@test "a kernel without a PVH entry: exit 3, what to give" {
	run --separate-stderr "${run_vmx[@]}" --kernel "$("$top/kernel/build.sh")/bzImage" l1d_flush_test
	[ "$status" -eq 3 ]
	[[ $stderr == *"CONFIG_PVH"* ]]
}

@test "a source that cannot be had: exit 3, the machine is named" {
	KVM_WITNESS_CACHE=/proc/nowhere run --separate-stderr "${run_vmx[@]}" l1d_flush_test
	[ "$status" -eq 3 ]
	[ -n "$stderr" ]
}
