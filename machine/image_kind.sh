#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints what kind of kernel image a file is: pvh (an x86 ELF file that QEMU can
# start by its PVH entry), elf (one without), bzimage, arm64 or riscv (an Image of
# that), or unknown.

set -euo pipefail

# Four bytes at an offset, as hexadecimal digits.
bytes()
{
	od -An -tx1 -j "$2" -N 4 "$1" 2>/dev/null | tr -d ' \n'
}

if [ "$(bytes "$1" 0)" = 7f454c46 ]; then
	# XEN_ELFNOTE_PHYS32_ENTRY
	if readelf -n "$1" 2>/dev/null | grep -q 'Xen .*0x00000012'; then
		echo pvh
	else
		echo elf
	fi
elif [ "$(bytes "$1" 514)" = 48647253 ]; then	# "HdrS", Documentation/arch/x86/boot.rst
	echo bzimage
elif [ "$(bytes "$1" 56)" = 41524d64 ]; then	# "ARM\x64", Documentation/arch/arm64/booting.rst
	echo arm64
elif [ "$(bytes "$1" 56)" = 52534305 ]; then	# "RSC\x05", Documentation/arch/riscv/boot-image-header.rst
	echo riscv
else
	echo unknown
fi
