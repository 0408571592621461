# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced, with shell.sh.  What a build of minutes shows of itself.

# progress NAME EVERY [steps]: reads make's words.  One line on a terminal, new with each
# EVERY-th of them, and with "steps" what it is about; nothing elsewhere.
progress()
{
	local n=0 start=$SECONDS line

	while read -r line; do
		n=$((n + 1))
		[ $((n % $2)) -ne 0 ] ||
			show_progress "kvm-witness: building $1: $n steps, $((SECONDS - start)) s${3:+: ${line##*  }}"
	done
	clear_progress
}

# build_failed LOG WHAT: ends the build with the reason.
build_failed()
{
	note "$2, log in $1"
	grep -m5 -E 'error:|Error |undefined reference|No space' "$1" >&2 || tail -n 5 "$1" >&2
	exit 1
}
