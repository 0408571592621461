#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest-side test kernel: VMs as they should be, which it must find right, and VMs that
# lie, which it must find out.

load common

setup()
{
	results=$BATS_TEST_TMPDIR/r
	guest=("$top/run_tests.sh" --guest --results "$results")
	# shellcheck disable=SC2154
	image=$out/guest/guest.elf
	arm64=$top/build/arm64/guest/Image
}

# The cases that did not pass, in one line: "case=verdict", the verdict without for a failure.
not_passed()
{
	jq -r '[.tests[].cases[] | select(.verdict != "pass") |
		if .verdict == "fail" then .name else "\(.name)=\(.verdict)" end] | join(" ")' "$results/meta.json"
}

@test "x86: the image is small and has no undefined symbol" {
	make -s -C "$top" guest OUTPUT="$out"
	[ "$(stat -c %s "$image")" -le 300000 ]
	[ -z "$(nm -u "$image")" ]
	[ "$("$top/machine/image_kind.sh" "$image")" = pvh ]
}

@test "x86: every case passes under TCG" {
	run --separate-stderr "${guest[@]}" --arch x86
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	jq -e 'all(.tests[].cases[]; .verdict == "pass" or .verdict == "skip") and .boots == 1 and .accel == "tcg"' \
		"$results/meta.json"
}

@test "words, tests and cases; what is none: exit 2 and the nearest" {
	run --separate-stderr "${guest[@]}" --arch x86 guest_platform.ipi guest_seam
	[ "$status" -eq 0 ]
	[ "$(jq '[.tests[].cases[]] | length' "$results/meta.json")" -eq 4 ]
	run "${guest[@]}" --arch x86 guest_platform.ipis
	[ "$status" -eq 2 ]
	[[ $output == *"unknown test 'guest_platform.ipis', did you mean guest_platform.ipi?"* ]]
	for args in "--arch vax" "--vmm bhyve" "--accel xen" --vmm --bogus "--timeout 0" "--arch arm64 --accel kvm"; do
		# shellcheck disable=SC2086
		run "$top/run_tests.sh" --guest $args
		[ "$status" -eq 2 ] || { echo "$args: $status $output"; false; }
		[[ $output == kvm-witness:* ]]
	done
	run --separate-stderr "$top/run_tests.sh" --guest --arch x86 --list --json
	jq -e 'length > 5 and all(.[]; .test and .case and .verifies and .needs and .seed and .arch == "x86")' <<<"$output"
}

@test "no QEMU, or one that ends at once: exit 3" {
	KVM_WITNESS_QEMU=/no/such/qemu run "${guest[@]}" --arch x86
	[ "$status" -eq 3 ]
	[[ $output == *"needs /no/such/qemu: install qemu-system-x86"* ]]
	run "${guest[@]}" --arch x86 --cpu no-such-model guest_seam
	[ "$status" -eq 3 ]
	[[ $output == *"# ERROR the emulator ended with exit code 1: "*"no-such-model"* ]]
}

# by_hand VMM-ARGUMENT...: as a user would without our runner; $output is the serial port.
by_hand()
{
	run --separate-stderr timeout 60 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -smp 2 \
		-m 256 -serial stdio -device isa-debug-exit,iobase=0xf4 "$@" </dev/null
}

@test "x86: by hand, entered by PVH and by multiboot: KTAP on the serial port, an exit code" {
	by_hand -M q35 -kernel "$image" -append "root=/dev/vda checks=guest_seam quiet"
	[ "$status" -eq 33 ]
	[[ $output == "KTAP version 1
1..1
  KTAP version 1
  1..3
  ok 1 "*"ok 1 guest_seam" ]]
	by_hand -M pc -kernel "$out/guest/guest.mb" -append "checks=guest_platform.exceptions"
	[ "$status" -eq 33 ]
	[[ $output == *"ok 1 guest_platform" ]]
	by_hand -M q35 -kernel "$image" -append "checks=nothing"
	[ "$status" -eq 37 ]
}

@test "one CPU: what needs two skips" {
	run --separate-stderr "${guest[@]}" --arch x86 --vmm-args "-smp 1,sockets=1,maxcpus=2" guest_platform
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ "$(not_passed)" = ipi=skip ]
}

# on_virt QEMU-ARGUMENT...: on arm64 by hand, only the platform's cases.
on_virt()
{
	run --separate-stderr timeout 60 qemu-system-aarch64 -nodefaults -no-user-config -display none -no-reboot -smp 2 \
		-m 256 -serial stdio -kernel "$arm64" -append checks=guest_platform "$@" </dev/null
}

@test "arm64: every case passes under TCG" {
	run --separate-stderr "${guest[@]}" --arch arm64
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	jq -e 'all(.tests[].cases[]; .verdict == "pass" or .verdict == "skip") and .boots == 1' "$results/meta.json"
	[ "$(stat -c %s "$arm64")" -le 300000 ]
}

@test "arm64: by hand, with a GICv2, from EL2, and the exit code by semihosting" {
	on_virt -M virt,gic-version=2 -cpu cortex-a57
	[[ $status = 0 && $output == *$'\n'"ok 1 guest_platform" ]]
	on_virt -M virt,gic-version=3,virtualization=on -cpu cortex-a72
	[[ $status = 0 && $output == *$'\n'"ok 1 guest_platform" ]]
	on_virt -M virt -cpu cortex-a57 -semihosting -append checks=nothing
	[ "$status" -eq 2 ]
}

@test "riscv: every case passes under TCG" {
	run --separate-stderr "${guest[@]}" --arch riscv
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	jq -e 'all(.tests[].cases[]; .verdict == "pass" or .verdict == "skip") and .boots == 1' "$results/meta.json"
	[ "$(stat -c %s "$top/build/riscv/guest/Image")" -le 300000 ]
}
