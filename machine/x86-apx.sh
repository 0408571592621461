# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced.  The machine x86-apx: x86-svm with our QEMU (emulator/qemu/), whose AMD
# processor has APX, and XSAVEC with the compacted format.
#
# No processor of AMD's has APX.  KVM-AMD does not ask who has made it, and QEMU emulates
# no VMX.

# shellcheck source=machine/x86-svm.sh
. "$top/machine/x86-svm.sh"
machine_arch=x86
cpu=EPYC,+apxf
unset KVM_WITNESS_QEMU

qemu_folder()
{
	"$top/emulator/build.sh" qemu
}

# Ends the run with exit code 3 and the reason when the machine cannot be had.
machine_check()
{
	qemu=$(qemu_folder)/qemu-system-x86_64 || exit 3
	thread=multi
}

# What a verdict depends on besides this file.
machine_identity()
{
	cat "$top/machine/x86-svm.sh" "$top/machine/qemu.sh" "$(qemu_folder)/qemu-system-x86_64"
}
