#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the headers of our patches claim, as JSON:
#
#   {mutants: [{name, breaks, caught_by, sometimes, machines, diff}], series: [{name, fails_without,
#    skips_without, not_run, diff}]}
#
# A header that names cases may stand several times, each with several names between
# commas.  diff is the hash of the patch without its header.
#
#   proof/headers.sh [KERNEL-FOLDER]	default: the project's own

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/patch.sh
. "$top/kernel/patch.sh"
folder=${1:-$top/kernel}

# claims KIND FILE: tab-separated KIND NAME KEY VALUE, one line for each header.
claims()
{
	local kind=$1 file=$2 name

	name=$(basename "$file" .patch)
	printf '%s\t%s\tdiff\t%s\n' "$kind" "$name" "$(patch_id "$file")"
	patch_header "$file" | sed -n "s/^\([A-Z][a-z-]*\):[[:space:]]*\(.*\)/$kind\t$name\t\1\t\2/p"
}

for file in "$folder"/mutants/*.patch "$folder"/series/*/*.patch; do
	[ -e "$file" ] || continue
	case $file in
	"$folder"/mutants/*) claims mutant "$file" ;;
	*) claims series "$file" ;;
	esac
done | jq -Rn '
	def names: [.[] | split(",")[] | gsub("^\\s+|\\s+$"; "") | select(. != "")];
	def all($key): [.claims[] | select(.key == $key) | .value];
	[inputs | split("\t") | {kind: .[0], name: .[1], key: .[2], value: .[3:] | join(" ")}]
	| group_by([.kind, .name]) | map({kind: .[0].kind, name: .[0].name, claims: .})
	| {
		mutants: map(select(.kind == "mutant") | {
			name,
			breaks: (all("Breaks") | join(" ")),
			caught_by: (all("Caught-by") | names),
			sometimes: (all("Sometimes-caught-by") | names),
			machines: (all("Machine") | names),
			diff: all("diff")[0]
		}),
		series: map(select(.kind == "series") | {
			name,
			fails_without: (all("Fails-without") | names),
			skips_without: (all("Skips-without") | names),
			not_run: (all("Not-run") | join(" ")),
			diff: all("diff")[0]
		})
	}'
