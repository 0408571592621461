# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced.  Why a run of run_tests.sh has no result.

# fault FOLDER EXIT-CODE: nothing when there is one.  The run's stderr is in the folder.
fault()
{
	local said

	case $2 in
	0 | 1 | 4)
		[ -s "$1/ktap" ] && jq -e --argjson code "$2" '.exit_code == $code' "$1/meta.json" >/dev/null 2>&1 && return 0
		echo "no whole meta.json and ktap: is the disk full?" ;;
	*)
		said=$(jq -r 'first(.tests[].cases[] | select(.verdict == "error").reason)' "$1/meta.json" 2>/dev/null || :)
		[ -n "$said" ] || said=$(tail -n 1 "$1/stderr" | sed 's/^kvm-witness: //')
		cut -c1-300 <<<"${said:-exit code $2}" ;;
	esac
}
