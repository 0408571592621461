# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced.  Builds the kernels of the plan, one after the other, boots those that are
# ready, several at once, and hands them to judge() in the order of the table.
#
# All that runs is a child of this shell, so that a signal to it reaches everything.

declare -A variant=() machine_of=()	# of each kernel of the plan, by its id
declare -A problem=()	# of machines: why one cannot be had, or nothing
declare -A folder=()	# of the built kernel; a line each when tests want it in several configurations
declare -A failure=()	# why there is none, for the judge
declare -A started=() ended=()	# runs
declare -A keys=()	# of the cache
declare -A child=()	# process id -> "build ID" or "run ID NUMBER"
planned=0		# kernels that are built, being built or given up

run_folder()
{
	local suffix=''

	[ "$repeat" -eq 1 ] || suffix=.$2
	echo "$results/$1$suffix"
}

# busy WHAT: sets n, the number of children that build or run.
busy()
{
	local what

	n=0
	for what in "${child[@]}"; do
		[[ $what != "$1 "* ]] || n=$((n + 1))
	done
}

# --- what a person sees meanwhile

progress()
{
	local total=$((${#ids[@]} * repeat)) done=0 n left=''

	[ -t 2 ] || return 0
	for n in "${ended[@]}"; do
		done=$((done + n))
	done
	[ "$done" -eq 0 ] || left=", some $((SECONDS * (total - done) / done)) s left"
	show_progress "$done/$total $(printf '%s, ' "${child[@]}")$SECONDS s$left"
}

# --- an end for all of it

# Called by a trap, with the number of the signal.
# shellcheck disable=SC2317
stop()
{
	trap '' INT TERM HUP
	clear_progress
	# Not those of child: the last one may not have been put there yet.
	end_children
	write_proof
	note "interrupted; $results/proof.json has what was judged"
	exit $((128 + $1))
}

# --- kernels

# fail ID OURS TEXT
fail()
{
	failure[$1]=$(jq -nc --argjson ours "$2" --arg text "$3" '{$ours, $text}')
	started[$1]=$repeat
	ended[$1]=$repeat
}

# The words for run_tests.sh of a kernel, a line each.
words_of()
{
	jq -r --arg id "$1" '.kernels[] | select(.id == $id).run[]' "$work/plan.json"
}

# Sets problem[MACHINE].
check_machine()
{
	[ -z "${problem[$1]+known}" ] || return 0
	problem[$1]=$(machine_problem "$1")
}

# Starts to build the next kernel, unless one is being built.
start_build()
{
	local id wrong dir n words configs

	busy build
	while [ "$n" -eq 0 ] && [ "$planned" -lt ${#ids[@]} ]; do
		id=${ids[planned]}
		planned=$((planned + 1))
		wrong=$(jq -r --arg id "$id" '.kernels[] | select(.id == $id).problem // empty' "$work/plan.json")
		if [ -n "$wrong" ]; then
			fail "$id" false "$wrong"
			continue
		fi
		check_machine "${machine_of[$id]}"
		if [ -n "${problem[${machine_of[$id]}]}" ]; then
			fail "$id" true "${problem[${machine_of[$id]}]}"
			continue
		fi
		dir=$(run_folder "$id" 1)
		mkdir -p "$dir"
		mapfile -t words < <(words_of "$id")
		mapfile -t configs < <(configs_wanted "${machine_of[$id]}" "${words[@]}")
		# A process group of its own, so that stop() finds make and all that it runs.
		# shellcheck disable=SC2016
		setsid bash -c 'for config in "${@:5}"; do "$0" "${@:1:4}" --config "$config" || exit; done' \
			"$top/kernel/build.sh" --arch "$(machine_arch_of "${machine_of[$id]}")" --variant "${variant[$id]}" \
			"${configs[@]}" >"$work/folder.$id" 2>"$dir/build.log" </dev/null &
		child[$!]="build $id"
		n=1
	done
}

end_build()
{
	local id=$1 code=$2 log

	log=$(run_folder "$id" 1)/build.log
	case $code in
	0) folder[$id]=$(cat "$work/folder.$id") ;;
	1) fail "$id" false "does not build, log in $log" ;;
	*) fail "$id" true "kernel/build.sh ended with exit code $code, log in $log" ;;
	esac
}

# --- runs

# Starts a run of the first kernel that has one left; false when there is none.
start_run()
{
	local id n dir key words=()

	for id in "${ids[@]}"; do
		n=$((${started[$id]:-0} + 1))
		if [ -z "${folder[$id]:-}" ] || [ "$n" -gt "$repeat" ]; then
			continue
		fi
		started[$id]=$n
		mapfile -t words < <(words_of "$id")
		cache_key "${machine_of[$id]}" "${folder[$id]}" "${words[@]}"
		keys[$id]=$key
		if [ "$repeat" -eq 1 ] && [ -z "$fresh" ] && cache_get "$key" "$work/run.$id.1.json"; then
			ended[$id]=1
			return 0
		fi
		dir=$(run_folder "$id" "$n")
		mkdir -p "$dir"
		rm -f "$dir/meta.json"
		# Bash starts what runs beside it deaf to SIGINT.
		env --default-signal=INT "$top/run_tests.sh" --machine "${machine_of[$id]}" --variant "${variant[$id]}" \
			--results "$dir" "${words[@]}" >/dev/null 2>"$dir/stderr" </dev/null &
		child[$!]="run $id $n"
		return 0
	done
	return 1
}

end_run()
{
	local id=$1 n=$2 code=$3 dir file=$work/run.$1.$2.json

	dir=$(run_folder "$id" "$n")
	if ! verdicts "$dir" "$code" >"$file" 2>/dev/null; then
		jq -n --argjson exit "$code" --arg error "$(tail -n 1 "$dir/stderr")" \
			'{$exit, $error, cases: {}, tests: {}}' >"$file"
	fi
	ended[$id]=$((${ended[$id]:-0} + 1))
	[ "$repeat" -gt 1 ] || cache_put "${keys[$id]}" "$file"
}

# --- both

start_runs()
{
	local n

	busy run
	while [ "$n" -lt "$jobs" ] && start_run; do
		busy run
	done
}

judge_what_is_complete()
{
	while [ "$judged" -lt ${#ids[@]} ] && [ "${ended[${ids[judged]}]:-0}" -eq "$repeat" ]; do
		judge "${ids[judged]}"
	done
}

# Waits for a child to end.
reap()
{
	local pid='' code=0 what id n

	wait -n -p pid "${!child[@]}" || code=$?
	read -r what id n <<<"${child[$pid]}"
	unset "child[$pid]"
	# Who was interrupted with us says so: bash can lose a SIGINT to a command that
	# ends at that moment.
	case $code in
	130 | 143) stop $((code - 128)) ;;
	esac
	case $what in
	build) end_build "$id" "$code" ;;
	run) end_run "$id" "$n" "$code" ;;
	esac
}

schedule()
{
	trap 'stop 2' INT
	trap 'stop 15' TERM HUP
	while [ "$judged" -lt ${#ids[@]} ]; do
		start_build
		start_runs
		judge_what_is_complete
		progress
		[ ${#child[@]} -eq 0 ] || reap
	done
	trap - INT TERM HUP
	clear_progress
}
