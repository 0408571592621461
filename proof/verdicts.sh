# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Sourced, by a script that has $top.

# verdicts FOLDER EXIT-CODE: what a run of run_tests.sh said, as verdicts.jq has it; false
# when there is no whole meta.json in the folder.
verdicts()
{
	local log said=()

	# A test that came to run has said a word: one on a machine that panics before init has not.
	for log in "$1"/*.log; do
		[ ! -s "$log" ] || said+=("$(basename "$log" .log)")
	done
	jq --argjson exit "$2" -f "$top/proof/verdicts.jq" "$1/meta.json" --args -- "${said[@]}"
}
