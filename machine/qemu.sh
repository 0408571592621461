# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2054,SC2154
#
# Sourced by the profiles of the machines that are QEMU's: $qemu is the program.

version_at_least()
{
	[ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Sets version; empty when there is none.
qemu_version()
{
	version=$("$qemu" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p') || version=''
}

# qemu_check MACHINE WANTED PACKAGE: sets version, or ends the run with exit code 3.
qemu_check()
{
	command -v "$qemu" >/dev/null ||
		die 3 "machine $1 needs $qemu: install $3 (tests/deps.sh demo)"
	qemu_version
	[ -n "$version" ] || die 3 "$qemu --version says nothing: is it a QEMU?"
	version_at_least "$version" "$2" ||
		die 3 "machine $1 needs QEMU >= $2, $qemu is $version"
}

# What a verdict depends on besides the profile: this and QEMU itself.
qemu_identity()
{
	"$qemu" --version
	cat "$top/machine/qemu.sh" "$(command -v "$qemu")"
}

# qemu_nodes WORD: sets the array nodes to the memory of a machine of the kind WORD
# (nodes=2, nodes=3), all in one node for others.
qemu_nodes()
{
	case $1 in
	nodes=3)
		# One node has no memory, the others are not equally far from it.
		nodes=(-object memory-backend-ram,id=m0,size=512M
			-object memory-backend-ram,id=m2,size=512M
			-numa node,memdev=m0,cpus=0 -numa node,cpus=1 -numa node,memdev=m2
			-numa dist,src=0,dst=1,val=40 -numa dist,src=0,dst=2,val=30
			-numa dist,src=1,dst=2,val=20) ;;
	nodes=2)
		nodes=(-object memory-backend-ram,id=m0,size=512M
			-object memory-backend-ram,id=m1,size=512M
			-numa node,memdev=m0,cpus=0 -numa node,memdev=m1,cpus=1) ;;
	*)	nodes=() ;;
	esac
}

# qemu_base ACCEL-OPTIONS: sets the array base to what all have.  File descriptor 3 is
# the results channel, stdout the console.
qemu_base()
{
	base=(-nodefaults -no-user-config -display none -no-reboot -accel "tcg$1" -smp 2 -m 1G -serial stdio
		-chardev socket,id=results,fd=3 -device virtserialport,chardev=results,name=kvm-witness.results)
}
