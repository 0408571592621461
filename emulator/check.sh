#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does our QEMU emulate APX as the architecture has it?  Boots the machine x86-apx on the
# base kernel with programs in user space: ours, with APX on and off, and the kernel's own
# selftests/x86/apx.  No KVM has a part in it.
#
#   emulator/check.sh [--results DIR]
#
# stdout is KTAP.  Exit codes: 0 all passed, 1 some did not, 2 usage, 3 our own fault.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
out=${OUTPUT:-$top/build/x86}
results=$top/results/emulator-check
case $# in
0) ;;
2) [ "$1" = --results ] || die 2 "emulator/check.sh [--results DIR]"
	results=$2 ;;
*) die 2 "emulator/check.sh [--results DIR]" ;;
esac

# shellcheck source=machine/x86-apx.sh
. "$top/machine/x86-apx.sh"
machine_check
kernel=$("$top/kernel/build.sh" --variant base) || exit 3
kernel=$kernel/vmlinux
selftests=$("$top/kernel/source.sh")/tools/testing/selftests

mkdir -p "$out" "$results" || die 3 "cannot write to $out and $results"
dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$dir"' EXIT
tests=$dir/tests
mkdir -p "$tests/kernel"

# --- the programs

{
	exec 8>"$out/lock"
	flock 8
	make -s -C "$top" host OUTPUT="$out"
	exec 8>&-
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers \
		-static -s -pthread -I"$top/include" -I"$top/include/x86" \
		"$top/emulator/check/apx.c" "$top/lib/case.c" "$top/lib/ktap.c" -o "$tests/apx_on"
	ln -s apx_on "$tests/apx_off"
	cp "$out/machine/selftest" "$tests/kernel/.run"
	ln -s kernel/.run "$tests/apx"
	gcc -std=gnu99 -O2 -static -s -pthread -I"$selftests" -I"$selftests/.." \
		"$selftests"/x86/{apx,xstate}.c -o "$tests/kernel/apx"
} >"$results/build.log" 2>&1 || die 3 "the programs do not build, log in $results/build.log"
{
	"$tests/apx_on" --list-json
	"$tests/apx_off" --list-json
	echo '{"test": "apx", "case": "selftest"}'
} >"$dir/cases.json"

# --- the run

"$top/machine/initramfs.sh" "$dir/cpio" "$out/machine/init" "$tests"
machine_argv pvh "$kernel" "$dir/cpio" "$machine_append"
code=0
"$out/machine/boot" --results "$results" --cases "$dir/cases.json" --strict \
	--meta "machine=x86-apx" --meta "kernel=$kernel" apx_on apx_off apx -- "${argv[@]}" || code=$?
# The kernel's selftest ends with 0 whatever it has found, and where it has tried nothing.
if [ "$code" -eq 0 ] && { [ "$(grep -c '\[OK\]' "$results/apx.log")" -ne 9 ] || grep -q '\[FAIL\]' "$results/apx.log"; }; then
	note "selftests/x86/apx has not found all in order, log in $results/apx.log"
	code=1
fi
exit "$code"
