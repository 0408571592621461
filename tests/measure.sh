# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Sourced by what measures, which sets base (a median that others are divided by) and
# digits.  What is measured is in $dir, which is gone at the end.

dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$dir"' EXIT

now()
{
	date +%s.%N
}

# record NAME SECONDS
record()
{
	echo "$2" >>"$dir/times.$1"
}

time_of()
{
	local name=$1 begin

	shift
	begin=$(now)
	"$@" >/dev/null 2>&1 </dev/null || :
	record "$name" "$(echo "$(now) - $begin" | bc)"
}

median()
{
	sort -n "$dir/times.$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

# show NAME TEXT
show()
{
	if [ ! -e "$dir/times.$1" ]; then
		printf '%-58s %8s\n' "$2" "not here"
		return
	fi
	sort -n "$dir/times.$1" | awk -v text="$2" -v base="$base" -v digits="$digits" '
		{ a[NR] = $1 }
		END {
			m = a[int((NR + 1) / 2)]
			printf "%-58s %8.*f %8.*f %8.*f %7.2f\n", text, digits, m, digits, a[1], digits, a[NR], m / base
		}'
}
