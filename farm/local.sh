# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2004,SC2034,SC2154
#
# Sourced by nightly.sh.  The launcher "local": jobs are children of this shell, as many
# as there are CPUs and as fit into memory.

job_mb=1536	# a machine of 1 GB with its emulator

launcher_check()
{
	[ -z "$push" ] || usage "--push is for the launcher slurm"
	most=${most:-$(nproc)}
	tick_seconds=''
	[ ! -t 2 ] || tick_seconds=1
}

# Nothing is tried on a machine that cannot be had here.
launcher_begin()
{
	local machine name problem

	for machine in $(printf '%s\n' "${machine_of[@]}" | sort -u); do
		problem=$(machine_problem "$machine")
		[ -n "$problem" ] || continue
		for name in "${jobs[@]}"; do
			if [ "${machine_of[$name]}" = "$machine" ] && [ "${state[$name]}" = waiting ]; then
				give_up "$name" "$problem"
			fi
		done
	done
}

running()
{
	local what n=0

	for what in "${child[@]}"; do
		[[ $what != job\ * ]] || n=$((n + 1))
	done
	echo "$n"
}

launcher_busy()
{
	printf '%s\n' "${child[@]}" | sed -n 's/^job //p' | paste -sd' '
}

# How many jobs there is room for beside N; for the first one there always is.
room()
{
	local fit

	fit=$(awk -v mb="$job_mb" '$1 == "MemAvailable:" { print int($2 / 1024 / mb) }' /proc/meminfo)
	[ "$fit" -le $((most - $1)) ] || fit=$((most - $1))
	[ "$1" -gt 0 ] || [ "$fit" -gt 0 ] || fit=1
	echo "$fit"
}

launch()
{
	local name fit

	fit=$(room "$(running)")
	for name in "${jobs[@]}"; do
		[ "$fit" -gt 0 ] || return 0
		[ "${state[$name]}" = ready ] || continue
		fit=$((fit - 1))
		state[$name]=launched
		setsid "$here/job.sh" "$(job_json "$name")" >>"$dir/log/$name" 2>&1 </dev/null 9>&- &
		child[$!]="job $name"
	done
}

# Called when a child has ended; what it has pushed is collected already.
end_job()
{
	finish_new
	[ "${state[$1]}" != over ] || return 0
	again "$1" "exit code $2: $(tail -n 1 "$dir/log/$1" | cut -c1-300)"
}

launcher_look()
{
	:
}

launcher_left()
{
	:
}

launcher_end()
{
	:
}
