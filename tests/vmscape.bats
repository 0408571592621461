#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/vmscape_matrix.sh: some of its boots, all of which take minutes.

load common.bash

@test "vmscape=on: the mitigation is chosen by the processor, whatever the attack vectors are" {
	run --separate-stderr "$top/tests/vmscape_matrix.sh" vmscape=on mitigations=auto,no_guest_host
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == *"ok - setcpuid=ibpb,674,vmscape vmscape=on mitigations=auto,no_guest_host: Mitigation: Clear BHB before"* ]]
	[[ $output == *"ok - setcpuid=ibpb,vmscape vmscape=on mitigations=auto,no_guest_host: Mitigation: IBPB before"* ]]
	[[ $output == *"7 combinations, 0 not as the rules say" ]]
}

@test "on the base kernel the matrix finds what force does not force" {
	run --separate-stderr "$top/tests/vmscape_matrix.sh" --variant base ibpb vmscape=force mitigations=auto,no_guest_host
	[ "$status" -eq 1 ]
	[[ $output == *"not ok - setcpuid=ibpb,vmscape vmscape=force mitigations=auto,no_guest_host: Vulnerable, want Mitigation: IBPB before"* ]]
}

@test "what no combination has: exit 2, one line" {
	run --separate-stderr "$top/tests/vmscape_matrix.sh" vmscape=maybe
	[ "$status" -eq 2 ]
	[[ $stderr == *"no combination has vmscape=maybe"* ]]
}
