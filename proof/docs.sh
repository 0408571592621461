#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The table of what is proved.  It follows from the headers of the patches, the list of
# cases and the hashes of patches and tests alone; that the proof has succeeded with
# them is prove.sh's business, which calls this then.
#
#   proof/docs.sh FILE		writes it
#   proof/docs.sh --check FILE	exit code 1 and one line when FILE is stale; runs no kernel

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"

check=''
[ "${1:-}" != --check ] || { check=y; shift; }
[ $# -eq 1 ] || die 2 "proof/docs.sh [--check] FILE"
file=$1

work=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2046
"$here/cases.sh" $(machine_archs) >"$work/cases.json"
"$here/headers.sh" >"$work/headers.json"

# The tests' sources, by name, and what all of them stand on.
while read -r test; do
	printf '%s %s\n' "$test" "$(cat "$top"/*/"$test.c" | sha256sum | cut -d' ' -f1)"
done < <(jq -r '.[].test' "$work/cases.json" | LC_ALL=C sort -u) >"$work/sources"
printf 'lib/ and include/ %s\n' "$(cd "$top" && find lib include -name '*.[ch]' | LC_ALL=C sort | xargs cat |
	sha256sum | cut -d' ' -f1)" >>"$work/sources"

jq -nr --slurpfile headers "$work/headers.json" --slurpfile cases "$work/cases.json" --rawfile sources "$work/sources" \
	-f "$here/docs.jq" >"$work/proof.md"

if [ -n "$check" ]; then
	[ -f "$file" ] || die 1 "$file is not there: run make prove"
	cmp -s "$work/proof.md" "$file" ||
		die 1 "$file is stale: $(diff "$file" "$work/proof.md" | grep -m1 '^[<>]' | cut -c1-120); run make prove"
else
	{
		mkdir -p "$(dirname "$file")" &&
		cp "$work/proof.md" "$file.tmp" &&
		mv "$file.tmp" "$file"
	} 2>/dev/null || die 3 "cannot write $file"
fi
