# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by debian.sh, and so by all scripts.  What bash lacks.

note()
{
	printf 'kvm-witness: %s\n' "$*" >&2
}

# die CODE MESSAGE
die()
{
	local code=$1

	shift
	note "$*"
	exit "$code"
}

# show_progress TEXT: one line on a terminal, instead of the one before.
show_progress()
{
	[ ! -t 2 ] || printf '\r\033[K%.*s' "$(($(tput cols 2>/dev/null || echo 80) - 1))" "$1" >&2
}

clear_progress()
{
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# json_array WORD...
json_array()
{
	jq -nc '$ARGS.positional' --args -- "$@"
}

# Ends what this shell has started, and each of them that is a process group with all
# that is in it; waits for them.
end_children()
{
	local pid pids

	pids=$(jobs -p)
	for pid in $pids; do
		kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || :
	done
	wait || :
}
