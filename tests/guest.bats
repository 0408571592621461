#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest-side test kernel: VMs as they should be, which it must find right, and VMs that
# lie, which it must find out.

load common

setup_file()
{
	make -s -C "$top" guest OUTPUT="$out"
	for arch in arm64 riscv; do
		env -u OUTPUT make -s -C "$top" guest ARCH="$arch"
	done
}

setup()
{
	results=$BATS_TEST_TMPDIR/r
	guest=("$top/run_tests.sh" --guest --results "$results")
	# shellcheck disable=SC2154
	image=$out/guest/guest.elf
	arm64=$top/build/arm64/guest/Image
	riscv=$top/build/riscv/guest/Image
	qemu_x86=qemu-system-x86_64
	rules=()
}

# The cases that did not pass, in one line: "case=verdict", the verdict without for a failure.
not_passed()
{
	jq -r '[.tests[].cases[] | select(.verdict != "pass") |
		if .verdict == "fail" then .name else "\(.name)=\(.verdict)" end] | join(" ")' "$results/meta.json"
}

@test "x86: the image is small and has no undefined symbol" {
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

# vmm ARCH VMM-ARGUMENT...: a QEMU as a user would start it without our runner, or with $rules
# one whose processor lies; $output is the serial port.
vmm()
{
	local command lying=()

	case $1 in
	x86) command=("$qemu_x86" -device isa-debug-exit,iobase=0xf4) ;;
	arm64) command=(qemu-system-aarch64 -kernel "$arm64") ;;
	riscv)
		. "$top/machine/riscv64.sh"
		riscv64_qemu
		command=("$qemu" "${share[@]}" -kernel "$riscv") ;;
	esac
	[ ${#rules[@]} -eq 0 ] || lying=("$fakes/lying_qemu.py" "$top/build/$1/guest/guest.elf" "${rules[@]}" --)
	run --separate-stderr timeout 60 "${lying[@]}" "${command[@]}" -nodefaults -no-user-config -display none \
		-no-reboot -smp 2 -m 256 -serial stdio "${@:2}" </dev/null
}

by_hand()
{
	vmm x86 "$@"
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
	vmm arm64 -append checks=guest_platform "$@"
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
	[ "$(stat -c %s "$riscv")" -le 300000 ]
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

# The cases that failed by hand.
failed_by_hand()
{
	sed -n 's/^  not ok [0-9]* \([a-z_]*\).*/\1/p' <<<"$output" | paste -sd' '
}

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
	failed=$(failed_by_hand)
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

# found_out ARCH CASE RULE...: on a processor that does as the rules say (fake/lying_qemu.py), the case fails.
found_out()
{
	local arch=$1 name=$2 board

	rules=("${@:3}")
	case $arch in
	x86) board=(-M q35 -cpu max -kernel "$image") ;;
	arm64) board=(-M virt,gic-version=3 -cpu cortex-a57) ;;
	riscv) board=(-M virt,aia=aplic-imsic -cpu rv64,smaia=on,ssaia=on) ;;
	esac
	vmm "$arch" "${board[@]}" -append "checks=$name"
	[[ $output == *"  not ok 1 ${name#*.} # "* ]] || { echo "$name, ${rules[*]}: $output"; false; }
}

@test "x86: exceptions, interrupts, APIC IDs and CPUs that are not as they should be" {
	# #UD comes as #GP; #PF with another error code, RIP or CR2; INT3 is a fault.
	found_out x86 guest_platform.exceptions 'trap_stubs+0x60 do pc=trap_stubs+0xd0'
	found_out x86 guest_platform.exceptions 'trap_stubs+0xe0 do [rsp]^=4'
	found_out x86 guest_platform.exceptions 'trap_stubs+0xe0 if hit=3 do [rsp+8]^=1'
	found_out x86 guest_platform.exceptions 'mov.%cr2 do step result^=8'
	found_out x86 guest_platform.exceptions 'trap_stubs+0x30 do [rsp]^=1'
	# Vector 0x40 is lost, or comes as another; INIT and SIPI are ignored.
	found_out x86 guest_platform.timer_interrupt 'trap_stubs+0x400 do pc=iretq'
	found_out x86 guest_platform.timer_interrupt 'trap_stubs+0x400 do pc=trap_stubs+0x410'
	found_out x86 guest_platform.ipi 'trap_stubs+0x400 do pc=iretq'
	found_out x86 guest_platform.ipi 'read_apic_id:.mov.%eax,\(%rbx do rax^=1'
	found_out x86 guest_platform.every_cpu 'arch_cpu_start do pc=:.ret'
}

@test "x86: control registers, SEAM and APX that are not as they should be" {
	found_out x86 guest_cpuid.cr4_advertised 'do_write_cr4:.*cr4 do skip'
	found_out x86 guest_cpuid.efer_advertised 'do_wrmsr:.wrmsr if rcx=0xc0000080 do skip'
	# 0x210000: where execute() has the bytes that it executes.
	found_out x86 guest_xcr0.privilege '0x210000 if hit=1 do pc=0x210003'
	found_out x86 guest_xcr0.privilege '0x210000 if hit=4 do pc=0x210003'
	found_out x86 guest_xcr0.apx_truth 'do_xsetbv:.xsetbv if rax=0x80001 do skip'
	found_out x86 guest_xcr0.rex2_not_enabled '0x210000 do pc=0x210004'
	found_out x86 guest_xcr0.rex2_malformed '0x210000 if hit=1 do pc=0x210005'
	found_out x86 guest_seam.seamcall_leaves '0x210000 do pc=0x210004'
	found_out x86 guest_seam.tdcall_leaves '0x210000 do rbx=5'
	found_out x86 guest_seam.user_mode '0x210000 do pc=0x210004'
}

# msrs EXPECTED CPU RULE...: just these cases of guest_spec_ctrl fail.
msrs()
{
	rules=("${@:3}")
	vmm x86 -M q35 -cpu "$2" -kernel "$image" -append checks=guest_spec_ctrl
	failed=$(failed_by_hand)
	[[ $failed = "$1" && $output == *"ok 6 "* ]] || { echo "${rules[*]}: $output"; false; }
}

@test "x86: MSRs of the speculation controls that do not fault, or that do" {
	# Under TCG no access of an MSR faults: there #GP is made by a wrong value for another one, PKRS.
	gp='rcx=0x6e1 rdx=1 pc=do_wrmsr:.wrmsr'
	faults=("do_rdmsr:.rdmsr if rcx=0x2fffff00 do $gp")
	for rule in "rd 0x48" "wr 0x48" "rd 0x49" "wr 0x49" "rd 0x10a" "wr 0x10a" "wr 0x10b"; do
		faults+=("do_${rule% *}msr:.${rule% *}msr if rcx=${rule#* } do $gp")
	done
	msrs "" max "${faults[@]}"
	lies=(spec_ctrl_reserved spec_ctrl_reserved pred_cmd_reserved pred_cmd_reserved arch_capabilities arch_capabilities flush_cmd)
	for i in {1..7}; do
		msrs "${lies[i - 1]}" max "${faults[@]:0:i}" "${faults[@]:i + 1}"
	done
	cpu=max,x-force-features=on,+ibpb,+arch-capabilities
	works=('do_wrmsr:.wrmsr if rcx=0x49 rax=0 rdx=0 do skip' 'do_wrmsr:.wrmsr if rcx=0x49 rax=1 rdx=0 do skip'
		'do_rdmsr:.rdmsr if rcx=0x10a do skip')
	msrs "" "$cpu" "${works[@]}" "${faults[@]}"
	msrs pred_cmd "$cpu" "${works[@]:1}" "${faults[@]}"
	msrs pred_cmd "$cpu" "${works[0]}" "${works[2]}" "${faults[@]}"
	msrs arch_capabilities "$cpu" "${works[@]:0:2}" "${faults[@]}"
}

@test "x86: what is lost in a move" {
	cat >"$BATS_TEST_TMPDIR/qemu" <<-EOT
		#!/bin/sh
		case "\$*" in
		*moved\ flat*) exec "$fakes/lying_qemu.py" "$image" "\$RULE" -- qemu-system-x86_64 "\$@" ;;
		*) exec qemu-system-x86_64 "\$@" ;;
		esac
	EOT
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	export KVM_WITNESS_QEMU=$BATS_TEST_TMPDIR/qemu RULE
	# What the source has of it is not what it says.
	RULE='do_rdmsr:.rdmsr if rcx=0xc0000103 hit=2 do step rax^=1'
	lies msrs_kept --arch x86 --move live guest_moved.msrs_kept
	RULE='0x210000 if rax=0x1716151413121110 do rax^=1'
	lies extended_state_kept --arch x86 --move live guest_moved.extended_state_kept
	RULE='do_xsetbv:.xsetbv do rax=3'
	lies extended_state_kept --arch x86 --move live guest_moved.extended_state_kept
}

@test "x86: APX, with our QEMU: what it does passes; an R16 that is lost does not" {
	qemu_x86=$("$top/emulator/build.sh" qemu)/qemu-system-x86_64
	export KVM_WITNESS_QEMU=$qemu_x86
	run --separate-stderr "${guest[@]}" --arch x86 --cpu EPYC,+apxf guest_xcr0
	[ "$status" -eq 0 ]
	[ "$(not_passed)" = "" ]
	run --separate-stderr "${guest[@]}" --arch x86 --cpu EPYC,+apxf --move live guest_moved.extended_state_kept
	[ "$status" -eq 0 ]
	rules=('0x210000 if hit=2 do step rcx^=1')
	vmm x86 -L /usr/share/seabios -L /usr/share/qemu -M q35 -cpu EPYC,+apxf -kernel "$image" -append checks=guest_xcr0.egprs_kept
	[[ $output == *"not ok 1 egprs_kept # R16 is 0x1616161616161617 after exits"* ]]
}

@test "arm64: exceptions, interrupts, an MPIDR and CPUs that are not as they should be" {
	found_out arm64 guest_platform.exceptions 'mrs.*esr_el1 if hit=1 do step result^=1'
	found_out arm64 guest_platform.exceptions 'mrs.*esr_el1 if hit=2 do step result^=1'
	found_out arm64 guest_platform.exceptions 'mrs.*far_el1 if hit=4 do step result^=1'
	found_out arm64 guest_platform.exceptions 'mrs.*esr_el1 if hit=5 do step result^=0x40'
	found_out arm64 guest_platform.timer_interrupt 'mrs.*icc_iar1 do step result=1023'
	found_out arm64 guest_platform.timer_interrupt 'mrs.*icc_iar1 do step result=30'
	found_out arm64 guest_platform.ipi 'mrs.*icc_iar1 do step result=1023'
	found_out arm64 guest_platform.ipi 'read_mpidr:.mrs do step result^=1'
	found_out arm64 guest_platform.every_cpu 'hvc if x0=0xc4000003 do skip'
}

@test "arm64: PSCI that is not of its version" {
	found_out arm64 guest_psci.version_and_tree 'hvc if x0=0x84000000 do x0=-1 skip'
	found_out arm64 guest_psci.version_and_tree 'hvc if x0=0x84000000 do x0=2 skip'
	found_out arm64 guest_psci.functions_mandatory 'hvc if x0=0x8400000a x1=0x84000002 do x0=-1 skip'
	found_out arm64 guest_psci.functions_of_later 'hvc if x0=0x8400000a x1=0x84000015 do x0=1 skip'
	found_out arm64 guest_psci.functions_of_later 'hvc if x0=0x8400001f do x0=0 skip'
	found_out arm64 guest_psci.functions_agree 'hvc if x0=0x84000013 do x0=0 skip'
	found_out arm64 guest_psci.function_numbers 'hvc if x0=0x84000020 do x0=0 skip'
	# This CPU is off, the other one is on; there are more than the device tree says.
	found_out arm64 guest_psci.cpu_states 'hvc if x0=0xc4000004 x1=0 do x0=1 skip'
	found_out arm64 guest_psci.cpu_states 'hvc if x0=0xc4000004 x1=1 do x0=0 skip'
	found_out arm64 guest_psci.cpu_states 'hvc if x0=0xc4000004 x1=0xffffff00 do x0=1 skip'
	found_out arm64 guest_psci.cpu_states 'hvc if x0=0xc4000003 x1=0 do x0=-2 skip'
	found_out arm64 guest_psci.cpu_states 'hvc if x0=0xc4000003 x1=0xffffff00 do x0=0 skip'
}

@test "riscv: exceptions, interrupts and harts that are not as they should be" {
	found_out riscv guest_platform.exceptions 'csrr .*scause do step result^=1'
	found_out riscv guest_platform.exceptions 'csrr .*stval do step result^=8'
	found_out riscv guest_platform.timer_interrupt 'ecall if a7=0x54494d45 do skip'
	found_out riscv guest_platform.timer_interrupt 'timer_interrupt:.*rdtime if hit=2 do step result=0'
	found_out riscv guest_platform.ipi 'ecall if a7=0x735049 do skip'
	found_out riscv guest_platform.every_cpu 'ecall if a7=0x48534d do skip'
}

@test "riscv: CSRs of the AIA and an order of interrupts that are not as they should be" {
	found_out riscv guest_aia.csrs 'csrr .*stopi do pc=do_illegal'
	found_out riscv guest_aia.imsic_registers 'access_register do pc=:.ret'
	# What is held back comes; the higher number comes first.
	found_out riscv guest_aia.priorities 'csrrw .*stopei,zero if hit=1 do step result=0x30003'
	found_out riscv guest_aia.priorities 'csrrw .*stopei,zero if hit=2 do step result=0x40004'
	rules=('csrr .*stopi do skip')
	vmm riscv -M virt,aia=none -cpu rv64 -append checks=guest_aia.csrs
	[[ $output == *"not ok 1 csrs # Ssaia is hidden, stopi can be accessed"* ]]
}

# tree_lies EXPECTED FDTPUT-ARGUMENT...: just these cases of guest_aia fail with a device tree that says so.
tree_lies()
{
	cp "$tree" "$tree.lie"
	fdtput -t x "$tree.lie" "${@:2}"
	lies "$1" --arch riscv --vmm-args "-dtb $tree.lie" guest_aia
}

@test "riscv: a device tree with an IMSIC, an APLIC or a wire that are elsewhere" {
	. "$top/machine/riscv64.sh"
	riscv64_qemu
	tree=$BATS_TEST_TMPDIR/dtb
	"$qemu" "${share[@]}" -M virt,aia=aplic-imsic,dumpdtb="$tree" -cpu max -smp 2 -m 1G -display none >/dev/null 2>&1
	imsic=/soc/interrupt-controller@28000000 aplic=/soc/interrupt-controller@d000000
	tree_lies "imsic_registers msi priorities imsic_ipi aplic_msi aplic_wire aia_kept" $imsic riscv,num-ids 1ff
	tree_lies imsic_ipi $imsic riscv,guest-index-bits 1
	tree_lies "msi priorities imsic_ipi aplic_msi aplic_wire" $imsic reg 0 8f000000 0 4000
	tree_lies "aplic_msi aplic_wire" $aplic reg 0 8f000000 0 8000
	tree_lies aplic_wire /soc/serial@10000000 interrupts b 4
}

@test "arm64: a device tree whose PCI has no MSI controller, or one that is none" {
	tree=$BATS_TEST_TMPDIR/dtb
	tree_of -M virt,gic-version=3,dumpdtb="$tree" -smp 2
	pci=/pcie@10000000
	cpus=$(fdtget -t x "$tree" /intc phandle)
	fdtput -t x "$tree" $pci msi-map 0 "$cpus" 0 10000
	lies pci_has_controller --arch arm64 --cpu cortex-a57 --vmm-args "-dtb $tree" guest_msi
	fdtput -d "$tree" $pci msi-map
	lies pci_has_controller --arch arm64 --cpu cortex-a57 --vmm-args "-dtb $tree" guest_msi
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

@test "arm64, riscv: --matrix cpu: 64-bit models of the board, the others are skipped" {
	fake_qemu()
	{
		printf '#!/bin/sh\ncase "$*" in\n*"-cpu help") printf "Available CPUs:\\n%s\\nmax\\n" ;;\n*) exec %s "$@" ;;\nesac\n' "$@" \
			>"$BATS_TEST_TMPDIR/qemu"
		chmod +x "$BATS_TEST_TMPDIR/qemu"
	}
	fake_qemu '  cortex-a57\n  cortex-a15\n  cortex-m3' qemu-system-aarch64
	KVM_WITNESS_QEMU_ARM64=$BATS_TEST_TMPDIR/qemu run --separate-stderr "${guest[@]}" --arch arm64 --matrix cpu guest_platform
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == "KTAP version 1
1..3
ok 1 cortex-a57 # 4 passed, 0 failed, 0 skipped
ok 2 cortex-a15 # SKIP no 64-bit processor, or none of the board virt
ok 3 cortex-m3 # SKIP "* ]] || { echo "$output"; false; }
	. "$top/machine/riscv64.sh"
	riscv64_qemu
	fake_qemu '  rv64\n  rv32\n  rv64i' "$qemu ${share[*]}"
	KVM_WITNESS_QEMU_RISCV64=$BATS_TEST_TMPDIR/qemu run --separate-stderr "${guest[@]}" --arch riscv --matrix cpu guest_platform
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == "KTAP version 1
1..3
ok 1 rv64 # 4 passed, 0 failed, 0 skipped
ok 2 rv32 # SKIP no 64-bit mode with pages, or none of the board virt
ok 3 rv64i # SKIP "* ]] || { echo "$output"; false; }
}
