#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Looks in a kernel's source for bugs that no machine can show: one check for each
# kernel/static/*.cocci, by Coccinelle.  What narrow-mask finds would need an interrupt
# from 32 on to be pending on a 32-bit RISC-V host, and nothing in KVM ever makes one.
#
#   kernel/static.sh KDIR
#
# Exit codes: 0 nothing found, 1 something, each on a line of stdout, 2 usage, 3 our own
# fault, 4 nothing to look at.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=kernel/debian.sh
. "$here/debian.sh"

case $# in
1) ;;
*) die 2 "kernel/static.sh KDIR" ;;
esac
folder=arch/riscv/kvm
[ -d "$1/$folder" ] || die 2 "$1 is no kernel tree: no $folder in it"
command -v spatch >/dev/null || die 3 "spatch is missing: install coccinelle (tests/deps.sh check)"

# The files that matter: those that define a function with a 64-bit mask, or call it.
cd "$1"
functions=$(sed -n 's/^[^(]*[ *]\(\w\w*\)([^()]*u64 mask.*/\1/p' "$folder"/*.c | sort -u | paste -sd'|')
[ -n "$functions" ] || die 4 "no function in $1/$folder has a 64-bit mask: nothing to look at"
mapfile -t files < <(grep -lE "\<($functions)\(" "$folder"/*.c)

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for check in "$here"/static/*.cocci; do
	# All files at once: a function may be called from another one than its own.
	if ! spatch --very-quiet --no-includes --sp-file "$check" "${files[@]}" >>"$tmp/found" 2>"$tmp/log"; then
		tail -n 5 "$tmp/log" >&2
		die 3 "Coccinelle cannot run $check"
	fi
done
[ -s "$tmp/found" ] || exit 0
cat "$tmp/found"
exit 1
