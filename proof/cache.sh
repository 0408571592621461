# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced.  Verdicts of runs that need not be repeated: the same kernel, the same
# tests, the same machine.

declare -A machine_id=()	# hash of what all runs on a machine share

set_machine_id()
{
	local out

	out=$(tests_folder "$(machine_arch_of "$1")")
	machine_id[$1]=$({
		cat "$top/machine/$1.sh" "$top/machine/initramfs.sh" "$top/settings" \
			"$here/verdicts.jq" "$out/machine/init" "$out/machine/boot"
		# shellcheck source=machine/x86-svm.sh
		(. "$top/machine/$1.sh"; machine_identity)
	} | sha256sum)
}

# Sets key, for MACHINE KERNEL-FOLDERS WORD...; a line each folder.
cache_key()
{
	local machine=$1 folder=$2 tests=() out

	shift 2
	[ -n "${machine_id[$machine]:-}" ] || set_machine_id "$machine"
	out=$(tests_folder "$(machine_arch_of "$machine")")
	mapfile -t tests < <(printf '%s\n' "${@%%.*}" | sort -u)
	key=$({
		xargs -n 1 basename <<<"$folder"
		echo "${machine_id[$machine]} $*"
		cd "$out/stripped" && sha256sum "${tests[@]}"
	} | sha256sum | cut -c1-32)
}

# cache_get KEY FILE
cache_get()
{
	[ -f "$KVM_WITNESS_CACHE/proof/$1.json" ] &&
		jq '.cached = true' "$KVM_WITNESS_CACHE/proof/$1.json" >"$2" 2>/dev/null
}

# cache_put KEY FILE: keeps the run if it says something of the kernel.  A timeout may
# be the fault of a computer that is busy elsewhere.
cache_put()
{
	jq -e '(.exit == 0 or .exit == 1) and all(.tests[]; .began)
		and all(.cases[]; .verdict != "timeout" and .verdict != "error")' "$2" >/dev/null || return 0
	{
		mkdir -p "$KVM_WITNESS_CACHE/proof" &&
		cp "$2" "$KVM_WITNESS_CACHE/proof/$1.$$" &&
		mv "$KVM_WITNESS_CACHE/proof/$1.$$" "$KVM_WITNESS_CACHE/proof/$1.json"
	} || die 3 "cannot write to $KVM_WITNESS_CACHE: set KVM_WITNESS_CACHE=<folder>"
}
