# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced.  Verdicts of runs that need not be repeated: the same kernel, the same
# tests, the same machine.

machine_id=''	# hash of what all runs share

set_machine_id()
{
	local emulator=${qemu:-}

	machine_id=$({
		cat "$top/machine/$machine.sh" "$top/machine/initramfs.sh" "$top/settings" \
			"$here/verdicts.jq" "$out/machine/init" "$out/machine/boot"
		[ -z "$emulator" ] || { "$emulator" --version; cat "$(command -v "$emulator")"; }
	} | sha256sum)
}

# Sets key, for KERNEL-FOLDER WORD...
cache_key()
{
	local folder=$1 tests=()

	shift
	[ -n "$machine_id" ] || set_machine_id
	mapfile -t tests < <(printf '%s\n' "${@%%.*}" | sort -u)
	key=$({
		basename "$folder"
		echo "$machine_id $*"
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
