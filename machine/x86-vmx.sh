# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2054,SC2154
#
# Sourced.  The machine x86-vmx: our Bochs (emulator/bochs/), an Intel processor with VMX
# and SEAM.
#
# It has no firmware and no PCI: the kernel is entered by its PVH entry, and results leave
# by the second UART.  Its two CPUs count the instructions and VM-entries that
# include/x86/retired.h names.  Time in there, that of the TSC as well, is 20 million
# instructions a second when it is busy, and flies when it is idle.

machine_arch=x86
machine_kernel=vmlinux
machine_kinds=(l1tf mitigations=own kernel=inside)
machine_patience=4	# how much longer than elsewhere a test may take
# Bochs' posted interrupts reach guests with wrong vectors.
# Barriers as VMSCAPE's mitigation: this processor would have the branch history cleared.
mitigations="spectre_v2_user=on vmscape=force vmscape=ibpb"
machine_append="loglevel=5 no_timer_check console=ttyS0 panic=-1 oops=panic reboot=t acpi=off numa=fake=2 \
$mitigations idle=halt kvm_intel.enable_apicv=0 KVM_WITNESS_UART=ttyS1 \
KVM_WITNESS_CLOCK=instructions"

bochs_folder()
{
	"$top/emulator/build.sh" bochs
}

# Ends the run with exit code 3 and the reason when the machine cannot be had.
machine_check()
{
	bochs=$(bochs_folder) || exit 3
}

# What a verdict depends on besides this file.
machine_identity()
{
	cat "$top/machine/x86-vmx.bochsrc" "$(bochs_folder)/bochs"
}

# machine_argv IMAGE-KIND KERNEL INITRAMFS APPEND WORD, as in x86-svm.sh.
machine_argv()
{
	local cpu='model=arrow_lake, add_features=seam' append=$4

	[ "${5:-}" != mitigations=own ] || append=${append/ $mitigations/}
	[ "$1" = pvh ] || die 3 "machine x86-vmx enters a kernel by its PVH entry: give a vmlinux with CONFIG_PVH"
	[ "${5:-}" != l1tf ] || cpu='model=corei7_skylake_x, add_features="sca_mitigations,seam"'
	# Two cores of one thread, which take turns after 100 instructions; memory in few blocks.
	argv=("$bochs/bochs" -q -f "$top/machine/x86-vmx.bochsrc"
		'memory: guest=1024, host=1024, block_size=8192'
		"cpu: $cpu, count=1:2:1, ips=20000000, quantum=100"
		"pvh: kernel=$2, initrd=$3, append=\"$append @append@\""
		'com1: enabled=1, mode=fd, dev=1' 'com2: enabled=1, mode=fd, dev=3')
}
