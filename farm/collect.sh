#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Takes what was pushed to a night's folder, incoming/<attempt>/<job>, to jobs/<job>.
# A program, farm/collect.sh DIR, and to be sourced for collect(), with $dir.
#
# A job may be pushed twice, when a node was only thought dead: the first one counts.
# Until there is something pending/<job>/infra says that there is nothing, so that what
# is lost is missing in a report as well.  Several may collect at the same time.

collect()
{
	local complete=() path gone=()

	complete=("$dir"/incoming/*/*/complete)
	[ -e "${complete[0]}" ] || return 0
	exec 6>"$dir/collect.lock"
	flock 6
	complete=("$dir"/incoming/*/*/complete)
	if [ -e "${complete[0]}" ]; then
		mv -n -t "$dir/jobs" "${complete[@]%/complete}" || {
			note "cannot collect to $dir/jobs: is the disk full? What was pushed stays in $dir/incoming"
			return 3
		}
		for path in "${complete[@]%/complete}"; do
			gone+=("$dir/pending/${path##*/}")
		done
		# With those that are there still: a second result of a job.
		rm -rf "${gone[@]}" "${complete[@]%/*/complete}"
	fi
	exec 6>&-
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -euo pipefail
	top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
	# shellcheck source=kernel/debian.sh
	. "$top/kernel/debian.sh"
	dir=${1:-}
	[ -d "$dir/incoming" ] || die 2 "farm/collect.sh DIR: '$dir' is no folder of run_tests.sh nightly"
	collect
fi
