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

@test "x86: under KVM in the machine x86-svm: every case passes" {
	run --separate-stderr "$top/run_tests.sh" --guest --vm --results "$results"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output != *"#  KTAP"* ]]
	[ "$(not_passed)" = "cpuid_kept=skip msrs_kept=skip extended_state_kept=skip cpus_have_nodes=skip ram_has_nodes=skip nodes_are_apart=skip memory_is_there=skip distances=skip \
spec_ctrl_matrix=skip pred_cmd=skip sizes=skip egprs_kept=skip" ] || { not_passed; false; }
	jq -e '.machine == "x86-svm"' "$results/meta.json"
	run "$top/run_tests.sh" --guest --machine riscv64
	[ "$status" -eq 2 ]
}

@test "x86, riscv: moved live and by a snapshot, all stays; a target with another CPU is found out" {
	for how in live snapshot; do
		run --separate-stderr "${guest[@]}" --arch x86 --move "$how"
		[ "$status" -eq 0 ] || { echo "$output"; false; }
		[ "$(jq '[.tests[].cases[] | select(.verdict == "pass")] | length' "$results/meta.json")" -eq 3 ]
	done
	# With -cpu max QEMU 10.0 hangs when it takes the state.
	run --separate-stderr "${guest[@]}" --arch riscv --cpu rv64,smaia=on,ssaia=on --move snapshot guest_aia.aia_kept
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	run --separate-stderr "${guest[@]}" --arch x86 --cpu EPYC --cpu-after EPYC,-rdrand --move snapshot guest_moved.cpuid_kept
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 cpuid_kept # CPUID 0x1.0 is "* ]]
}

# --- VMs that lie

# lies EXPECTED RUN-ARGUMENT...: just these cases fail, and no other does.
lies()
{
	local expected=$1 failed

	shift
	run --separate-stderr "${guest[@]}" --timeout 20 "$@"
	failed=$(jq -r '[.tests[].cases[] | select(.verdict != "pass" and .verdict != "skip").name] | join(" ")' "$results/meta.json")
	[[ $status -eq 1 && $failed = "$expected" ]] || { echo "$* : $status $failed"; false; }
}

@test "x86: features that are advertised and not there" {
	lies advertised_works --arch x86 --cpu max,x-force-features=on,+avx512f,+gfni guest_cpuid
	lies spec_ctrl_matrix --arch x86 --cpu max,x-force-features=on,+spec-ctrl guest_spec_ctrl
	lies "each_component sizes" --arch x86 --cpu EPYC,x-force-features=on,+mpx,+avx512f,+amx-tile,-avx guest_xcr0
}

@test "x86: what does not fault and must, where nobody says that it is TCG" {
	by_hand -M q35 -kernel "$image" -cpu max -append "checks=guest_cpuid.efer_hidden"
	[ "$status" -eq 35 ]
	[[ $output == *"not ok 1 efer_hidden # EFER."* ]]
	by_hand -M q35 -kernel "$image" -cpu Skylake-Server -append "checks=guest_xcr0.combinations"
	[ "$status" -eq 35 ]
	by_hand -M q35 -kernel "$image" -cpu max -append "checks=guest_spec_ctrl"
	[[ $status -eq 41 && $output == *"# SKIP this VMM ignores MSRs that it does not know"* ]]
	# And where it is said: a skip that tells what was seen.
	by_hand -M q35 -kernel "$image" -cpu max -append "checks=guest_cpuid.efer_hidden tcg"
	[[ $status -eq 41 && $output == *"# SKIP not faithful in QEMU's TCG: EFER."* ]]
}

# srat FILE STRUCTURE...: cpu:NODE:APIC-ID or mem:NODE:BEGIN:SIZE, for QEMU's -acpitable.
srat()
{
	python3 - "$@" <<-'EOT'
		import struct, sys
		data = struct.pack("<IQ", 1, 0)
		for s in sys.argv[2:]:
		    kind, *v = s.split(":")
		    v = [int(x, 0) for x in v]
		    if kind == "cpu":
		        data += struct.pack("<BBBBIB3xI", 0, 16, v[0], v[1], 1, 0, 0)
		    else:
		        data += struct.pack("<BBIHQQIIQ", 1, 40, v[0], 0, v[1], v[2], 0, 1, 0)
		open(sys.argv[1], "wb").write(data)
	EOT
}

# numa_lies EXPECTED STRUCTURE...: by hand, because our runner's board has an SRAT of its own.
numa_lies()
{
	local expected=$1 failed

	shift
	srat "$BATS_TEST_TMPDIR/srat" "$@"
	by_hand -M q35 -kernel "$image" -append "checks=guest_numa tcg" -acpitable "sig=SRAT,rev=3,data=$BATS_TEST_TMPDIR/srat" \
		-acpitable "sig=SLIT,rev=1,data=$BATS_TEST_TMPDIR/slit"
	failed=$(sed -n 's/^  not ok [0-9]* \([a-z_]*\).*/\1/p' <<<"$output" | paste -sd' ')
	[ "$failed" = "$expected" ] || { echo "$* : $output"; false; }
}

@test "x86: SRATs and SLITs that lie" {
	# Two nodes, 10 and 20.
	printf '\002\0\0\0\0\0\0\0\012\024\024\012' >"$BATS_TEST_TMPDIR/slit"
	low=mem:0:0:0x8000000 high=mem:1:0x8000000:0x8000000
	numa_lies "" cpu:0:0 cpu:1:1 "$low" "$high"
	numa_lies cpus_have_nodes cpu:0:0 "$low" "$high"
	numa_lies ram_has_nodes cpu:0:0 cpu:1:1 "$low" mem:1:0x9000000:0x7000000
	numa_lies nodes_are_apart cpu:0:0 cpu:1:1 mem:0:0:0x9000000 "$high"
	numa_lies memory_is_there cpu:0:0 cpu:1:1 "$low" "$high" mem:1:0x10000000:0x8000000
	printf '\002\0\0\0\0\0\0\0\012\024\011\012' >"$BATS_TEST_TMPDIR/slit"
	numa_lies distances cpu:0:0 cpu:1:1 "$low" "$high"
}

# The device tree of another board, made by QEMU-ARGUMENT...
tree_of()
{
	timeout 60 qemu-system-aarch64 -m 1G -display none -nodefaults -cpu cortex-a57 "$@" >/dev/null 2>&1
}

@test "arm64: a device tree with an ITS, a GICv2m frame or CPUs that are not there" {
	tree=$BATS_TEST_TMPDIR/dtb
	tree_of -M virt,gic-version=3,dumpdtb="$tree" -smp 4
	lies "its_delivers" --arch arm64 --cpu cortex-a57 --vmm-args "-M its=off -dtb $tree" guest_msi
	lies "every_cpu" --arch arm64 --cpu cortex-a57 --vmm-args "-dtb $tree" guest_platform
	tree_of -M virt,gic-version=2,dumpdtb="$tree" -smp 2
	# A frame that is there in the tree alone: its words are another's.
	python3 - "$tree" <<-'EOT'
		import sys
		data = open(sys.argv[1], "rb").read()
		frame = bytes.fromhex("0000000008020000")
		assert data.count(frame) == 1
		open(sys.argv[1], "wb").write(data.replace(frame, bytes.fromhex("00000000080f0000")))
	EOT
	lies "v2m_delivers" --arch arm64 --cpu cortex-a57 --vmm-args "-M gic-version=2 -dtb $tree" guest_msi
}

@test "arm64: PSCI that looks at more than it may, where nobody says that it is TCG" {
	on_virt -M virt -cpu cortex-a57 -append checks=guest_psci -semihosting
	[[ $status -eq 1 && $output == *"not ok 6 upper_bits # a call looks at more than w0"* ]]
}

@test "x86: --matrix cpu: a line for each model" {
	# A QEMU with three models: one in which TCG can do all, one without 64-bit mode, one that it does not have.
	cat >"$BATS_TEST_TMPDIR/qemu" <<-'EOT'
		#!/bin/sh
		case "$*" in
		"-cpu help") printf 'x86 EPYC-v1 A\nx86 max B\nx86 n270-v1 C\nx86 no-such D\nx86 EPYC (alias of EPYC-v1)\n' ;;
		*) exec qemu-system-x86_64 "$@" ;;
		esac
	EOT
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	KVM_WITNESS_QEMU=$BATS_TEST_TMPDIR/qemu run --separate-stderr "${guest[@]}" --arch x86 --matrix cpu guest_platform guest_xcr0
	[ "$status" -eq 3 ] || { echo "$output"; false; }
	[[ $output == "KTAP version 1
1..3
ok 1 EPYC-v1 # 11 passed, 0 failed, 1 skipped
ok 2 n270-v1 # SKIP no 64-bit mode
not ok 3 no-such # ERROR the emulator ended with exit code 1: "* ]] || { echo "$output"; false; }
	jq -e '.cpu == "EPYC-v1"' "$results/EPYC-v1/meta.json"
}
