# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2004,SC2016,SC2034,SC2094,SC2154
#
# Sourced by nightly.sh.  The launcher "slurm": jobs are tasks of arrays.  They push their
# results, and a last job that depends on all of them collects, so that this shell may be
# gone meanwhile.  slurm/<array> in the night's folder has the array's jobs, a line each.
#
# A job that ends with 99 is requeued where slurm.conf has RequeueExit=99, one whose node
# dies where it has JobRequeue=1.  One that is gone without a result is submitted again.

chunk=500	# tasks of an array: MaxArraySize is 1001 by default
grace=5		# seconds that a result may take to be seen after its job is gone
declare -A task=()	# <array>_<index> -> job
declare -A gone=()	# since when a launched job is not in the queue
busy=''
arrays=()
collector=''

launcher_check()
{
	local tool why

	tick_seconds=0.5
	for tool in sbatch squeue; do
		command -v "$tool" >/dev/null || die 3 "$tool is missing: install slurm-client, or try farm/loopback.sh"
	done
	why=$(squeue -h -n none 2>&1) || die 3 "Slurm does not answer: $(tail -n 1 <<<"$why")"
	[ -z "$most" ] || usage "--jobs is for the launcher local: a farm has its own limits"
}

# Sets busy and seen; false when Slurm does not answer, which is not an empty queue.
look()
{
	local array index status node rest

	rest=$(squeue -h -r -n "$queue_name" -o '%F %K %t %N' 2>"$dir/log/squeue") || return 1
	seen=() busy=''
	while read -r array index status node; do
		[ -n "${task[${array}_$index]:-}" ] || continue
		seen[${task[${array}_$index]}]=$status
		[ "$status" != R ] || busy="$busy${busy:+ }${task[${array}_$index]}"
	done <<<"$rest"
}
declare -A seen=()

# After --continue: what is in the queue is not launched again.  Which machines there are,
# the nodes know.
launcher_begin()
{
	local file name index

	queue_name=witness-$(sha256sum <<<"$dir" | cut -c1-12)
	mkdir -p "$dir/slurm" || abandon 3 "cannot write to $dir"
	for file in "$dir"/slurm/*; do
		[ -e "$file" ] || continue
		index=0
		while read -r name; do
			task[$(basename "$file")_$index]=$name
			index=$((index + 1))
		done <"$file"
	done
	look || die 3 "Slurm does not answer: $(tail -n 1 "$dir/log/squeue")"
	for name in "${!seen[@]}"; do
		[ "${state[$name]}" = over ] || state[$name]=launched
	done
}

launcher_busy()
{
	echo "$busy"
}

# submit FEATURE JOB...: as one array.
submit()
{
	local feature=$1 name script index=0 array more=()

	shift
	read -ra more <<<"$sbatch"
	script=$(mktemp "$dir/slurm-script.XXXXXX")
	{
		printf '#!/bin/bash\nexec %q "$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" <<%s\n' "$here/job.sh" "'END OF JOBS'"
		for name; do
			job_json "$name"
		done
		printf 'END OF JOBS\n)"\n'
	} >"$script"
	array=$(sbatch --parsable --job-name="$queue_name" --array=0-$(($# - 1)) --requeue --open-mode=append \
		--ntasks=1 --cpus-per-task=1 --mem=1536M ${feature:+--constraint="$feature"} \
		--output="$dir/log/slurm-%A_%a" "${more[@]}" "$script" 2>"$dir/log/sbatch") || {
		rm -f "$script"
		# slurmctld is being restarted, or busy: once more at the next tick.
		! grep -qE 'timed out|Unable to contact|Connection refused|Zero Bytes' "$dir/log/sbatch" || return 0
		abandon 3 "sbatch: $(tail -n 1 "$dir/log/sbatch")"
	}
	rm -f "$script"
	array=${array%%;*}
	printf '%s\n' "$@" >"$dir/slurm/$array"
	arrays+=("$array")
	for name; do
		task[${array}_$index]=$name
		index=$((index + 1))
		state[$name]=launched
	done
}

launch()
{
	local name feature ready=() features i

	features=$(for name in "${jobs[@]}"; do
		[ "${state[$name]}" != ready ] || echo "feature ${feature_of[$name]}"
	done | sort -u)
	[ -n "$features" ] || { collector; return 0; }
	while read -r _ feature; do
		ready=()
		for name in "${jobs[@]}"; do
			[ "${state[$name]}" != ready ] || [ "${feature_of[$name]}" != "$feature" ] || ready+=("$name")
		done
		for ((i = 0; i < ${#ready[@]}; i += chunk)); do
			submit "$feature" "${ready[@]:i:chunk}"
		done
	done <<<"$features"
	collector
}

# The job that collects when all others are over, once all kernels are ready.
collector()
{
	[ -z "$collector" ] && [ -z "$preparing" ] && [ ${#arrays[@]} -gt 0 ] && [ -z "$push" ] || return 0
	collector=$(sbatch --parsable --job-name="$queue_name-collect" --dependency="afterany:$(IFS=:; echo "${arrays[*]}")" \
		--output="$dir/log/collect" --wrap "$(printf '%q %q' "$here/collect.sh" "$dir")" 2>"$dir/log/sbatch") || collector=none
	echo "$collector" >"$dir/slurm-collector"
}

# Nothing to do for each child: a tick looks for all of them.
end_job()
{
	:
}

launcher_look()
{
	local name

	look || return 0
	finish_new
	for name in "${jobs[@]}"; do
		if [ "${state[$name]}" != launched ] || [ -n "${seen[$name]:-}" ]; then
			unset "gone[$name]"
		elif [ -z "${gone[$name]:-}" ]; then
			gone[$name]=$SECONDS
		elif [ $((SECONDS - gone[$name])) -gt "$grace" ]; then
			unset "gone[$name]"
			again "$name" "gone from Slurm's queue without a result, logs in $dir/log"
		fi
	done
}

launcher_left()
{
	note "what is in Slurm's queue stays there; to drop it: scancel -n $queue_name"
}

launcher_end()
{
	[[ ${collector:-none} = none ]] || scancel "$collector" 2>/dev/null || :
}
