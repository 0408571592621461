#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# emulator/: how an emulator is built, and what it says when it cannot be used.

load common

tar=bochs_3.0+dfsg.orig.tar.xz

# The project with another set of patches and a cache of its own, which has the source.
fork_project()
{
	mkdir -p "$BATS_TEST_TMPDIR/p" "$BATS_TEST_TMPDIR/cache/src"
	cp -r "$top/kernel" "$top/emulator" "$BATS_TEST_TMPDIR/p/"
	"$top/emulator/build.sh" bochs >/dev/null
	cp "$KVM_WITNESS_CACHE/src/$tar" "$BATS_TEST_TMPDIR/cache/src/"
	build=$BATS_TEST_TMPDIR/p/emulator/build.sh
	patches=$BATS_TEST_TMPDIR/p/emulator/bochs
	export KVM_WITNESS_CACHE=$BATS_TEST_TMPDIR/cache
}

@test "an emulator that is built is there at once, and its meta says what it is made of" {
	while read -r name program tar sum; do
		"$top/emulator/build.sh" "$name" >/dev/null
		run --separate-stderr "$top/emulator/build.sh" "$name"
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		[ -x "$output/$program" ]
		for key in "emulator $name" "source $tar" "sha256 $sum" "patch 0001-"; do
			grep -q "^$key" "$output/meta"
		done
	done <<-EOF
		bochs bochs $tar 78f6c73d
		qemu qemu-system-x86_64 qemu_10.0.13+ds.orig.tar.xz 6a0888e8
	EOF
}

@test "the header of a patch may change without a new emulator" {
	"$top/emulator/build.sh" bochs >/dev/null
	cp -r "$top/kernel" "$top/emulator" "$BATS_TEST_TMPDIR/"
	sed -i '0,/^---$/ s/^---$/And that is why.\n---/' "$BATS_TEST_TMPDIR"/emulator/bochs/*.patch
	[ "$("$BATS_TEST_TMPDIR/emulator/build.sh" bochs)" = "$("$top/emulator/build.sh" bochs)" ]
}

@test "usage: exit 2" {
	for args in "" "vax" "--bogus" "bochs bochs"; do
		# shellcheck disable=SC2086
		run "$top/emulator/build.sh" $args
		[ "$status" -eq 2 ] || { echo "$args: $status $output"; false; }
	done
}

@test "no compiler: exit 3 and what to do" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in bash dirname readlink make patch xz ccache; do
		ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/"
	done
	PATH=$BATS_TEST_TMPDIR/bin run "$top/emulator/build.sh" bochs
	[ "$status" -eq 3 ]
	[ "$output" = "kvm-witness: g++ is missing: run tests/deps.sh demo" ]
}

@test "what QEMU's build wants is not there: exit 3 and what to do" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in bash dirname readlink g++ patch xz ccache; do
		ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/"
	done
	PATH=$BATS_TEST_TMPDIR/bin run "$top/emulator/build.sh" qemu
	[ "$status" -eq 3 ]
	[ "$output" = "kvm-witness: ninja is missing: run tests/deps.sh demo" ]
	PKG_CONFIG_LIBDIR=$BATS_TEST_TMPDIR run "$top/emulator/build.sh" qemu
	[ "$status" -eq 3 ]
	[ "$output" = "kvm-witness: the library glib-2.0 is missing: run tests/deps.sh demo" ]
}

@test "a cache that cannot be written: exit 3" {
	touch "$BATS_TEST_TMPDIR/file"
	KVM_WITNESS_CACHE=$BATS_TEST_TMPDIR/file run "$top/emulator/build.sh" bochs
	[ "$status" -eq 3 ]
	[[ $output == *"set KVM_WITNESS_CACHE=<folder>"* ]]
}

@test "the source is another than it should be: exit 3, the file, the sum" {
	mkdir -p "$BATS_TEST_TMPDIR/cache/src"
	echo "not it" >"$BATS_TEST_TMPDIR/cache/src/$tar"
	KVM_WITNESS_CACHE=$BATS_TEST_TMPDIR/cache run "$top/emulator/build.sh" bochs
	[ "$status" -eq 3 ]
	[[ $output == *"/src/$tar is not the file it should be (SHA-256 78f6c73d"*"): remove it and run again" ]]
}

@test "the source is gone from the mirror: exit 3 and where to put it" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/bin/apt-get"
	chmod +x "$BATS_TEST_TMPDIR/bin/apt-get"
	KVM_WITNESS_CACHE=$BATS_TEST_TMPDIR/cache PATH=$BATS_TEST_TMPDIR/bin:$PATH \
		run "$top/emulator/build.sh" bochs
	[ "$status" -eq 3 ]
	[[ $output == *"cannot fetch $tar from the mirror that apt knows: put it into "*"/src and run again" ]]
	[ ! -e "$BATS_TEST_TMPDIR/cache/src/$tar" ]
}

@test "a patch that does not apply: exit 1, the patch, the file, the hunk" {
	fork_project
	sed -i 's/BX_CPU_THIS_PTR in_vmx_guest = true;/BX_CPU_THIS_PTR in_no_guest = true;/' "$patches"/0003-*.patch
	run "$build" bochs
	[ "$status" -eq 1 ]
	[[ $output == *"0003-vmx-interrupt-masking-on-VM-entry-with-EFLAGS.IF-0.patch does not apply to "* ]]
	[[ $output == *"patching file cpu/vmx.cc"*"Hunk #"*"FAILED at"* ]]
}

@test "what cannot be configured: exit 1, the log; and nothing is left of it" {
	fork_project
	cat >"$patches/9999-broken.patch" <<-'EOF'
	Subject: nothing works
	---
	--- a/configure
	+++ b/configure
	@@ -1,2 +1,3 @@
	 #! /bin/sh
	+echo "error: this is broken"; exit 1
	 # From configure.ac Id.
	EOF
	run "$build" bochs
	[ "$status" -eq 1 ]
	[[ $output == *"bochs cannot be configured, log in "*"error: this is broken"* ]]
	[ ! -e "$KVM_WITNESS_CACHE/emulator" ]
	run "$build" bochs
	[ "$status" -eq 1 ]
}

# --- the program: wrong input ends it with exit code 1, and the last line on stderr says why

setup_bochs()
{
	bochs=$("$top/emulator/build.sh" bochs)/bochs
	vmlinux=$("$top/kernel/build.sh")/vmlinux
	printf '%s\n' "display_library: nogui" "config_interface: textconfig" "panic: action=fatal" \
		"error: action=ignore" "info: action=ignore" "log: /dev/null" "ata0: enabled=0" \
		"pci: enabled=0" >"$BATS_TEST_TMPDIR/rc"
}

# refuses WHY ARG...: it does, in time, and WHY is a part of its last line.
refuses()
{
	local why=$1

	shift
	run --separate-stderr timeout 20 "$bochs" -q -f "$BATS_TEST_TMPDIR/rc" "$@" </dev/null
	[ "$status" -eq 1 ] || { echo "$*: $status $stderr"; false; }
	# shellcheck disable=SC2154
	[[ ${stderr_lines[-1]} == *"$why"* ]] || { echo "$*: $stderr"; false; }
}

@test "kernel: not there, no ELF file, no room, no PVH entry" {
	setup_bochs
	refuses "cannot open kernel /nowhere/vmlinux: No such file or directory" "pvh: kernel=/nowhere/vmlinux"
	refuses "is not a file" "pvh: kernel=$BATS_TEST_TMPDIR"
	refuses "is not an ELF file" "pvh: kernel=$BATS_TEST_TMPDIR/rc"
	refuses "is not an ELF file (want vmlinux, not bzImage)" "pvh: kernel=$(dirname "$vmlinux")/bzImage"
	refuses "does not fit into memory: needs 0x1000000-" "memory: guest=20, host=20" "pvh: kernel=$vmlinux"

	head -c 1000000 "$vmlinux" >"$BATS_TEST_TMPDIR/short"
	refuses "is cut short" "pvh: kernel=$BATS_TEST_TMPDIR/short"

	echo 'void _start(void) { for (;;) ; }' |
		gcc -x c - -nostdlib -static -Wl,-Ttext-segment=0x200000 -o "$BATS_TEST_TMPDIR/none"
	refuses "has no PVH entry point (CONFIG_PVH)" "pvh: kernel=$BATS_TEST_TMPDIR/none"
}

@test "initrd: not there, no room; command line: too long" {
	setup_bochs
	refuses "cannot open initrd /nowhere: " "pvh: kernel=$vmlinux, initrd=/nowhere"
	truncate -s 100M "$BATS_TEST_TMPDIR/big"
	refuses "does not fit into memory: 104857600 bytes, the kernel leaves " \
		"memory: guest=64, host=64" "pvh: kernel=$vmlinux, initrd=$BATS_TEST_TMPDIR/big"
	refuses "command line of the kernel is longer than 2047" \
		"pvh: kernel=$vmlinux, append=\"$(printf '%2048s' . | tr ' ' x)\""
}

@test "processor: unknown model, unknown feature, SEAM without VMX" {
	setup_bochs
	refuses "cpu directive malformed: model=vax" "cpu: model=vax" "pvh: kernel=$vmlinux"
	refuses 'unknown feature name "nonsense"' 'cpu: model=arrow_lake, add_features="nonsense"' \
		"pvh: kernel=$vmlinux"
	refuses "SEAM is enabled when VMX" 'cpu: model=arrow_lake, exclude_features="vmx", add_features="seam"' \
		"pvh: kernel=$vmlinux"
}

@test "channel: a file descriptor that is not open" {
	setup_bochs
	refuses "com2: '77' is not an open file descriptor" "pvh: kernel=$vmlinux" "com2: enabled=1, mode=fd, dev=77"
	refuses "com2: 'x' is not an open file descriptor" "pvh: kernel=$vmlinux" "com2: enabled=1, mode=fd, dev=x"
}

@test "a kernel that panics: all of its last words, and its reset ends the emulator" {
	setup_bochs
	run --separate-stderr timeout 100 "$bochs" -q -f "$BATS_TEST_TMPDIR/rc" \
		"memory: guest=128, host=128, block_size=8192" \
		"cpu: model=arrow_lake, count=1:2:1, ips=20000000, quantum=100" \
		"pvh: kernel=$vmlinux, append=\"console=ttyS0 quiet acpi=off panic=-1 reboot=t idle=halt\"" \
		"com1: enabled=1, mode=fd, dev=1" </dev/null
	[ "$status" -eq 0 ]
	[[ $output == *"Kernel panic - not syncing: "*"Call Trace:"*"Kernel Offset: "* ]]
}
