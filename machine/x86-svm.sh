# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2054,SC2154
#
# Sourced.  The machine x86-svm: stock QEMU (>= 7.2), software emulation of an AMD
# processor with SVM, 2 CPUs, 2 NUMA nodes.
#
# A kernel with a PVH entry is started on a microvm without firmware tables: the
# shortest way to PID 1.  Its two nodes are made by numa=fake: all CPUs are near the
# first one.  A bzImage, and a test that wants nodes, get a bare q35, and nodes by ACPI;
# so does a test that wants KVM as a module, with an IOMMU of AMD's.
#
# TCG has no IBPB, IBRS or STIBP in CPUID, and no MDS; a kernel that is told to believe
# in them by setcpuid= executes the same code as on a processor that has them.

machine_arch=x86
machine_kernel=vmlinux
machine_kinds=(nodes=2 nodes=3 mitigations=own kernel=inside kvm=module)
# no_timer_check: the emulator's timer works, but on a busy computer not as soon as the
# kernel wants to see it, which panics.
mitigations="setcpuid=ibpb,ibrs,stibp,mds spectre_v2_user=on vmscape=force"
machine_append="loglevel=5 no_timer_check console=ttyS0,115200 earlyprintk=ttyS0,115200 panic=-1 oops=panic reboot=t \
$mitigations"
# shellcheck source=machine/qemu.sh
. "$top/machine/qemu.sh"
qemu=${KVM_WITNESS_QEMU:-qemu-system-x86_64}
cpu=EPYC
# Older ones translate code while another CPU changes it: where the kernel patches
# itself, a vCPU in a thread of its own can run into a stale int3 and die of it.
qemu_threads_wanted=8.1
thread=single
tsc_khz=	# of this computer, once it was asked

# A package is of one node: a CPU of another one would have the kernel warn.
q35=(-M q35,usb=off,sata=off,smbus=off,hpet=off -device virtio-serial-pci -smp sockets=2)

# Ends the run with exit code 3 and the reason when the machine cannot be had.
machine_check()
{
	qemu_check x86-svm 7.2 qemu-system-x86
	! version_at_least "$version" "$qemu_threads_wanted" || thread=multi
}

# What a verdict depends on besides this file.
machine_identity()
{
	qemu_identity
}

# machine_argv IMAGE-KIND KERNEL INITRAMFS APPEND WORD: sets the array argv, for the kind
# of machine that is called WORD.  For @append@ machine/boot puts what the tests want.
machine_argv()
{
	local append=$4 word=${5:-} board base nodes

	# Takes 10 ms to tell, and is the same for all kinds.
	[ -n "$tsc_khz" ] || tsc_khz=$("$out/machine/tsc_khz")
	[ -z "$tsc_khz" ] || append="$append tsc_early_khz=$tsc_khz tsc=reliable"
	[ "$word" != mitigations=own ] || append=${append/ $mitigations/}

	if [ "$1" != pvh ] || [[ $word == nodes=* || $word == kvm=module ]]; then
		qemu_nodes "${word:-nodes=2}"
		board=("${q35[@]}" "${nodes[@]}")
		[ "$word" != kvm=module ] || board+=(-device amd-iommu,intremap=on)
	else
		board=(-M microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=on
			-device virtio-serial-device)
		append="$append numa=fake=2"
	fi
	qemu_base ,thread="$thread"
	argv=("$qemu" "${board[@]}" -cpu "$cpu" "${base[@]}" -kernel "$2" -initrd "$3" -append "$append @append@")
}
