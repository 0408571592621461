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

# words_for PLAN NAME MACHINE: sets words.
words_for()
{
	local arch folder config configs tests

	arch=$(machine_arch_of "$3")
	case $kind in
	variant)
		# Behind the options, which have a value each.
		mapfile -t tests < <(jq -r --arg name "$2" --arg machine "$3" \
			'.jobs[] | select(.kernel == $name and .machine == $machine).words
			| until(.[0] // "" | startswith("--") | not; .[2:])[]' "$1")
		mapfile -t configs < <(configs_wanted "$3" "${tests[@]}")
		for config in "${configs[@]}"; do
			"$top/kernel/build.sh" --arch "$arch" --variant "$what" --config "$config" >/dev/null
		done
		words=(--variant "$what") ;;
	git)
		folder=$("$here/kernel.sh" --arch "$arch" "$tree" "$what")
		words=(--kernel "$folder/$(machine_kernel_of "$3")") ;;
	debian)
		"$top/kernel/image.sh" "${what#debian:}" >/dev/null
		words=(--kernel "$what") ;;
	esac
}

for machine in "${machines[@]}"; do
	words_for "$1" "$2" "$machine"
	(IFS=$'\t'; echo "$machine"$'\t'"${words[*]}")
done | jq -Rn --arg kind "$kind" --arg what "$what" '{
	kernel_words: [inputs | split("\t") | {key: .[0], value: .[1:]}] | from_entries,
	commit: (if $kind == "git" then $what else null end)
}'
