# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Sourced, with die() of debian.sh.  Where the results of a run go.
# The script that sources this has $top and $results.

# make_results PREFIX: makes the folder that the command line names in $results, else sets
# that to a new folder of our own, PREFIX<date>-<id>.
make_results()
{
	if [ -n "$results" ]; then
		mkdir -p "$results" 2>/dev/null || die 3 "$results: cannot be made; give another folder with --results"
		[ -w "$results" ] || die 3 "$results: cannot be written to; give another folder with --results"
		return
	fi
	{
		mkdir -p "$top/results" &&
		results=$(mktemp -d "$top/results/$1$(date +%Y%m%d-%H%M%S)-XXXX")
	} 2>/dev/null || die 3 "$top/results: cannot be written to; give another folder with --results"
}
