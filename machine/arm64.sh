# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2054,SC2154
#
# Sourced.  The machine arm64: stock QEMU (>= 7.2), the board virt with two CPUs that
# have EL2, a GICv3 with an ITS, and one NUMA node, or those of the kinds nodes=2 and 3.

machine_arch=arm64
machine_kernel=Image
machine_kinds=(nodes=2 nodes=3)
machine_append="loglevel=5 console=ttyAMA0 earlycon panic=-1 oops=panic"

# shellcheck source=machine/qemu.sh
. "$top/machine/qemu.sh"
qemu=${KVM_WITNESS_QEMU_ARM64:-qemu-system-aarch64}
# With 7.2 and a thread for each CPU, one run in fifteen ends in a CPU that takes no
# interrupts any more, or in a program that dies of SIGSEGV.
qemu_threads_wanted=8.1
thread=single

# Ends the run with exit code 3 and the reason when the machine cannot be had.
machine_check()
{
	qemu_check arm64 7.2 qemu-system-arm
	! version_at_least "$version" "$qemu_threads_wanted" || thread=multi
}

# What a verdict depends on besides this file.
machine_identity()
{
	qemu_identity
}

# machine_argv IMAGE-KIND KERNEL INITRAMFS APPEND WORD, as in x86-svm.sh.
machine_argv()
{
	local nodes base

	qemu_nodes "${5:-}"
	qemu_base ,thread="$thread"
	# The architected pointer authentication costs more time than all the rest.
	argv=("$qemu" -M virt,virtualization=on,gic-version=3 -cpu max,pauth-impdef=on "${nodes[@]}"
		-device virtio-serial-device "${base[@]}"
		-kernel "$2" -initrd "$3" -append "$4 @append@")
}
