# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2054,SC2154
#
# Sourced.  The machine riscv64: stock QEMU (>= 9), the board virt with two harts, the
# hypervisor extension and the AIA: an APLIC in MSI mode and IMSICs with four guest
# interrupt files for each hart; a kind guests=N has N of them.  The tests find the number
# in the kernel's command line.
#
# Debian 12's QEMU is too old; emulator/fetch.sh takes one from a newer suite.

machine_arch=riscv
machine_kernel=Image
machine_kinds=(guests=0 guests=1 guests=7)
machine_append="loglevel=5 console=ttyS0 earlycon=sbi panic=-1 oops=panic"
machine_patience=2	# the emulator's guests translate addresses twice

# shellcheck source=machine/qemu.sh
. "$top/machine/qemu.sh"
qemu_wanted=9.0
qemu=${KVM_WITNESS_QEMU_RISCV64:-qemu-system-riscv64}
share=()

# QEMU as it is installed, when it is new enough, or the cache's.
riscv64_qemu()
{
	local folder

	qemu_version
	if [ -n "${KVM_WITNESS_QEMU_RISCV64:-}" ] || { [ -n "$version" ] && version_at_least "$version" "$qemu_wanted"; }; then
		return 0
	fi
	folder=$("$top/emulator/fetch.sh" qemu-riscv) || exit 3
	qemu=$folder/usr/bin/qemu-system-riscv64
	share=(-L "$folder/usr/share/qemu")
}

# Ends the run with exit code 3 and the reason when the machine cannot be had.
machine_check()
{
	riscv64_qemu
	qemu_check riscv64 "$qemu_wanted" qemu-system-riscv
}

# What a verdict depends on besides this file.
machine_identity()
{
	riscv64_qemu
	qemu_identity
	[ ${#share[@]} -eq 0 ] || cat "${share[1]}/opensbi-riscv64-generic-fw_dynamic.bin"
}

# machine_argv IMAGE-KIND KERNEL INITRAMFS APPEND WORD, as in x86-svm.sh.
machine_argv()
{
	local guests=4 base

	case ${5:-} in
	guests=*) guests=${5#guests=} ;;
	esac
	# With a thread for each hart, write_hgeie() of QEMU (10.0) may undo what an MSI to a
	# guest interrupt file does at that moment: a wake-up that no kernel has lost.
	qemu_base ,thread=single
	argv=("$qemu" "${share[@]}" -M "virt,aia=aplic-imsic,aia-guests=$guests" -cpu max
		-device virtio-serial-device "${base[@]}"
		-kernel "$2" -initrd "$3" -append "$4 witness_guests=$guests @append@")
}
