#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does each assertion of the tests count?  Takes one away at a time, in a copy of the
# project, and proves the cases that it was in: a proof that still succeeds shows an
# assertion that nobody needs, or a bug that no mutant has.
#
#   tests/assertions.sh [FILE.c...]	default: all tests of this architecture
#
# Exit code: 0 each one counts, 1 some do not, 3 our own fault.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
cd "$top"

files=("$@")
[ ${#files[@]} -gt 0 ] || files=(x86/*_test.c guest_memfd/*_test.c lib/gmem_cpuset.c)
make -s all || die 3 "the tests do not build"
dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$dir"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$dir"
cp -a build/x86 "$dir/build-x86"

# assertions FILE: "FIRST LAST WORD" for each statement that checks something, WORD
# being the case whose function it is in, or the test when several share it.
assertions()
{
	awk -v test="$(basename "$1" .c)" '
	NR == FNR {
		if (match($0, /\.name = "[a-z0-9_]+"/))
			name = substr($0, RSTART + 9, RLENGTH - 10)
		if (match($0, /\.run = [a-z0-9_]+/))
			of[substr($0, RSTART + 7, RLENGTH - 7)] = name
		next
	}
	/^static / && /\)$/ { fn = $0; sub(/\(.*/, "", fn); sub(/.*[ *]/, "", fn) }
	/^\t+(CASE_EXPECT|[a-z]+_expect[a-z_]*)\(/ { first = FNR }
	first && /;$/ { print first, FNR, (fn in of) ? test "." of[fn] : test; first = 0 }
	' "$1" "$1"
}

idle=0 n=0
for file in "${files[@]}"; do
	while read -r first last word; do
		n=$((n + 1))
		sed "${first},${last}d" "$top/$file" >"$dir/$file"
		code=0
		OUTPUT=$dir/build-x86 "$dir/run_tests.sh" prove --results "$dir/results" "$word" \
			>"$dir/log" 2>&1 </dev/null || code=$?
		case $code in
		1) echo "counts  $file:$first ($word)" ;;
		0) echo "IDLE    $file:$first ($word)"; idle=$((idle + 1)) ;;
		*) tail -n 3 "$dir/log" >&2; die 3 "$file:$first: prove ended with exit code $code" ;;
		esac
	done < <(assertions "$file")
	cp "$top/$file" "$dir/$file"
done
echo "$n assertions, $((n - idle)) count, $idle idle"
[ "$idle" -eq 0 ]
