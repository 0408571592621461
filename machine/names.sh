# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Sourced.  What a command line may name, and the nearest name for what it does not.
# The script that sources this has $top and usage().

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

# This computer's architecture, as the kernel's tree spells it.
host_arch()
{
	uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/; s/riscv64/riscv/'
}
