# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced by nightly.sh.  What a person sees of the night: one line of progress on a
# terminal, a line for each job that is done, and all of it in nightly.json.

declare -A worst=()	# of jobs that are done: pass, fail, skip, infra

progress()
{
	local new=$((done - before)) seconds=$((SECONDS - begin)) rate='' bad=0 name busy

	[ -t 2 ] || return 0
	for name in "${worst[@]}"; do
		case $name in fail | infra) bad=$((bad + 1)) ;; esac
	done
	[ "$new" -eq 0 ] || rate=", $((new * 60 / (seconds + 1))) a minute, some $((seconds * (${#jobs[@]} - done) / new)) s left"
	busy=$(launcher_busy)
	show_progress "$done/${#jobs[@]} jobs${preparing:+, preparing $preparing}, $bad not good$rate${busy:+, running $busy}"
}

# The line of a job that is done, and worst[].
tell()
{
	local name=$1 line metas=("$dir/jobs/$1"/*/meta.json)

	if [ -f "$dir/jobs/$name/infra" ]; then
		worst[$name]=infra
		line="no result: $(head -c 300 "$dir/jobs/$name/infra")"
	else
		line=$(jq -nr '[inputs] as $runs
			| [$runs[] | .tests[] | .name as $t | .cases[] | {name: "\($t).\(.name)", verdict}] as $cases
			| ($cases | map(select(.verdict | IN("pass", "skip") | not)) | group_by(.name) | map("\(.[0].name) \(.[0].verdict)")) as $bad
			| if any($runs[]; .exit_code == 1) then "fail" elif all($runs[]; .exit_code == 4) then "skip" else "pass" end
			| "\(.)\t\([$cases[] | select(.verdict == "pass")] | length) passed"
				+ ([$cases[] | select(.verdict == "skip")] | length | if . > 0 then ", \(.) skipped" else "" end)
				+ ($bad | if . == [] then "" else ", \(length) bad: \(.[:3] | join(", "))\(if length > 3 then ", ..." else "" end)" end)
				+ "; \($runs[0].node)"' "${metas[@]}" 2>/dev/null) || line=$'infra\tno whole result'
		worst[$name]=${line%%$'\t'*}
		line=${line#*$'\t'}
	fi
	[ -n "$quiet" ] && [[ ${worst[$name]} =~ ^(pass|skip)$ ]] && return 0
	clear_progress
	printf '%-5s  %-*s  %s\n' "${worst[$name]}" "$width" "$name" "$line"
}
width=$(printf '%s\n' "${jobs[@]}" | wc -L)

# The whole: the last line, nightly.json, and code.
summary()
{
	local name passed=0 failed=0 skipped=0 lost=0

	for name in "${jobs[@]}"; do
		case ${worst[$name]} in
		pass) passed=$((passed + 1)) ;;
		fail) failed=$((failed + 1)) ;;
		skip) skipped=$((skipped + 1)) ;;
		*) lost=$((lost + 1)) ;;
		esac
	done
	code=4
	[ "$passed" -eq 0 ] || code=0
	[ "$failed" -eq 0 ] || code=1
	[ "$lost" -eq 0 ] || code=3
	for name in "${jobs[@]}"; do
		printf '%s\t%s\t%s\t%s\n' "$name" "${kernel_of[$name]}" "${machine_of[$name]}" "${worst[$name]}"
	done | jq -R 'split("\t") | {job: .[0], kernel: .[1], machine: .[2], verdict: .[3]}' |
		jq -s --argjson exit_code "$code" --argjson seconds $((SECONDS - begin)) --arg date "$(date -u +%FT%TZ)" \
			'{$date, $seconds, $exit_code, jobs: .}' >"$dir/nightly.json" || abandon 3 "cannot write $dir/nightly.json: is the disk full?"
	if [ -z "$quiet" ] || [[ $code =~ ^[13]$ ]]; then
		echo "${#jobs[@]} jobs: $passed passed, $failed failed, $skipped skipped, $lost without a result; $((SECONDS - begin)) s; $dir"
	fi
}
