#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a bisection has found, as an e-mail: STATE/report.txt, and its text on stdout.
#
#   farm/regression.sh STATE COMMIT
#
# STATE is bisect.sh's folder, COMMIT the first bad one.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=kernel/debian.sh
. "$here/../kernel/debian.sh"

state=$1 found=$2
plan=$state/plan.json
tested=("$state"/steps/*/step.json)

# From the plan.
field()
{
	jq -r ".$1" "$plan"
}
tree=$(field tree)
good=$(field good)
bad=$(field bad)

# The probability that it is this one, in percent.
confidence()
{
	local scratch id

	scratch=$(mktemp -d)
	mkdir "$scratch/contains"
	jq -r 'select(.verdict != "skip") | "\(.commit) \(.kernel) \(.failed) \(.passed)"' "${tested[@]}" >"$scratch/runs"
	cut -d' ' -f1 "$scratch/runs" | while read -r id; do
		git -C "$tree" rev-list "$id" --not "$good" >"$scratch/contains/$id"
	done
	awk -v found="$found" -f "$here/confidence.awk" "$scratch/runs" "$scratch"/contains/*
	rm -r "$scratch"
}

id=${found:0:12}
subject=$(git -C "$tree" log -1 --format=%s "$found")
release=$(git -C "$tree" describe --tags "$found" 2>/dev/null || echo "$id")
sure=$(confidence)
cases=$(field 'cases | join(" ")')
{
	git -C "$tree" log -1 --format='To: %an <%ae>' "$found"
	cat <<EOF
Cc: kvm@vger.kernel.org, regressions@lists.linux.dev
Subject: [REGRESSION] ${cases// /, } fails since $id ("$subject")

Hi,

the first bad commit is

  $id ("$subject")

between ${good:0:12} (good) and ${bad:0:12} (bad), by bisection, with a confidence of
$sure %.  It is $release.

What fails there:

$(jq -r '"  " + .why' "$state/steps/$id/step.json")

To see it: run_tests.sh --machine $(field machine) --kernel <its $(field image)> $cases
(kernel configuration: $(field arch), minimal; $(field repeat) runs a commit at most).

$(jq -s 'sort_by(.began)[]' "${tested[@]}" | jq -r -f "$here/step-line.jq" | sed 's/^/  /')

#regzbot introduced: $id

Fixes: $id ("$subject")
EOF
} >"$state/report.txt" || die 3 "cannot write to $state: is the disk full?"
sed '1,/^$/d' "$state/report.txt"
note "$id is the first bad commit, confidence $sure %; e-mail in $state/report.txt"
