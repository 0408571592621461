# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Sourced.  What a command line may name, and the nearest name for what it does not.
# The script that sources this has $top and usage().

# shellcheck source=kernel/arch.sh
. "$top/kernel/arch.sh"

# The name nearest to $1 among the others, by edit distance; nothing when all are far.
nearest()
{
	local word=$1

	shift
	printf '%s\n' "$@" | awk -v w="$word" '
	function min(a, b) { return a < b ? a : b }
	function dist(a, b,   i, j, d) {
		for (i = 0; i <= length(a); i++) d[i, 0] = i
		for (j = 0; j <= length(b); j++) d[0, j] = j
		for (i = 1; i <= length(a); i++)
			for (j = 1; j <= length(b); j++)
				d[i, j] = min(min(d[i-1, j] + 1, d[i, j-1] + 1),
					d[i-1, j-1] + (substr(a, i, 1) != substr(b, j, 1)))
		return d[length(a), length(b)]
	}
	{ n = index($0, w) ? 1 : dist(w, $0); if (!best || n < least) { best = $0; least = n } }
	END { if (best && least <= length(w) / 2) print best }'
}

unknown()
{
	local kind=$1 word=$2 guess

	shift 2
	guess=$(nearest "$word" "$@")
	usage "unknown $kind '$word'${guess:+, did you mean $guess?}"
}

machines()
{
	local m

	for m in "$top"/machine/*.sh; do
		! grep -q '^machine_arch=' "$m" || basename "$m" .sh
	done
}

emulated_machines()
{
	machines | grep -vx host
}

# The architecture of machine $1.
machine_arch_of()
{
	if [ "$1" = host ]; then
		host_arch
	else
		sed -n 's/^machine_arch=//p' "$top/machine/$1.sh"
	fi
}

# The file that machine $1 boots, of the folder of a kernel.
machine_kernel_of()
{
	sed -n 's/^machine_kernel=//p' "$top/machine/$1.sh"
}

# machines_of ARCH: the emulated ones.
machines_of()
{
	grep -lx "machine_arch=$1" "$top"/machine/*.sh | xargs -rn 1 basename -s .sh
}

# The architectures that there are emulated machines of.
machine_archs()
{
	sed -n 's/^machine_arch=\([a-z0-9]*\)$/\1/p' "$top"/machine/*.sh | sort -u
}

# Where the tests of an architecture are built.  OUTPUT is this computer's.
tests_folder()
{
	if [ -z "${OUTPUT:-}" ]; then
		echo "$top/build/$1"
	elif [ "$1" = "$(host_arch)" ]; then
		echo "$OUTPUT"
	else
		echo "$OUTPUT/$1"
	fi
}

# Prints why a machine cannot be had, or nothing.
machine_problem()
{
	local said

	# In a shell of its own: the profiles have the same names, and end with an exit.  An
	# emulator that has to be built first says so.
	# shellcheck source=machine/x86-svm.sh disable=SC2069
	said=$( (. "$top/machine/$1.sh"; machine_check) 2>&1 >/dev/null) || tail -n 1 <<<"${said:-machine $1 cannot be had}"
}

# configs_wanted MACHINE [WORD...]: in which configurations (kernel/build.sh --config) the
# machine runs kernels for the tests, cases and folders that are named, or for all of them;
# a line each, an empty one is the usual.  The tests have been built.
configs_wanted()
{
	# In a shell of its own: the profiles have the same names.
	# shellcheck source=machine/x86-svm.sh
	(. "$top/machine/$1.sh" && jq -rs --arg kinds " ${machine_kinds[*]} " '$ARGS.positional as $words
		| map(select($words == [] or ([.test, "\(.test).\(.case)", "\(.folder)/"] | any(.[]; IN($words[]))))
			| if .wants == "kvm=module" and ($kinds | contains(" kvm=module ")) then "module" else "" end)
		| if . == [] then "" else unique[] end' "$(tests_folder "$machine_arch")/cases.json" --args "${@:2}")
}

# list_cases FILE JSON: every case of a FILE of them, for people unless JSON is not empty.
list_cases()
{
	if [ -n "$2" ]; then
		jq -s . "$1"
		return
	fi
	jq -r '"\(.test).\(.case)\n    verifies: \(.verifies)\n    needs:    \(.needs)\n    seed:     \(.seed)\n    arch:     \(.arch)" +
		if .append == "" then "" else "\n    boots with: \(.append)" end +
		if .wants == "" then "" else "\n    wants:    \(.wants)" end' "$1"
}
