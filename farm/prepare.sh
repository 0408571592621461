#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Gets a kernel of the matrix ready: fetches or builds it.
#
#   farm/prepare.sh PLAN NAME
#
# Prints {commit, kernel_words: {<machine>: [WORD...]}}: of a git tree the commit, and what
# gives run_tests.sh this kernel.  Exit codes: 0; 1 it does not build; 3 our own fault.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"

{
	read -r kind
	read -r what
	read -r tree
	mapfile -t machines
} < <(jq -r --arg name "$2" '(.kernels[] | select(.name == $name) | .kind, .what, .tree),
	(.jobs[] | select(.kernel == $name).machine)' "$1")

# words_for MACHINE: sets words.
words_for()
{
	local arch folder

	arch=$(machine_arch_of "$1")
	case $kind in
	variant)
		"$top/kernel/build.sh" --arch "$arch" --variant "$what" >/dev/null
		words=(--variant "$what") ;;
	git)
		folder=$("$here/kernel.sh" --arch "$arch" "$tree" "$what")
		words=(--kernel "$folder/$(machine_kernel_of "$1")") ;;
	debian)
		"$top/kernel/image.sh" "${what#debian:}" >/dev/null
		words=(--kernel "$what") ;;
	esac
}

for machine in "${machines[@]}"; do
	words_for "$machine"
	(IFS=$'\t'; echo "$machine"$'\t'"${words[*]}")
done | jq -Rn --arg kind "$kind" --arg what "$what" '{
	kernel_words: [inputs | split("\t") | {key: .[0], value: .[1:]}] | from_entries,
	commit: (if $kind == "git" then $what else null end)
}'
