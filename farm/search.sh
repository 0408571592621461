# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Sourced by bisect.sh.  Which commits are tested, until one is left: both ends, and then
# as git bisect says, or several commits at a time.

# --- both ends

# The bad end runs all repetitions; from how many of them fail follows how many have to
# pass elsewhere until a kernel with the bug is as unlikely as one in a thousand.
end()
{
	local code=0 name=$1 commit=$2 file=$state/steps/${2:0:12}/step.json

	guard "$here/step.sh" "$state" "$commit" ${3:+"$3"} || code=$?
	case $code in
	0 | 1) ;;
	125) die 4 "the $name end, ${commit:0:12}, cannot be tested: $(jq -r .why "$file")" ;;
	*) to_be_continued stopped 3 ;;
	esac
	verdict=$(jq -r .verdict "$file")
}

both_ends()
{
	local was

	end bad "$bad" all
	was=$verdict
	if [ "$was" = bad ]; then
		jq --argjson n "$repeat" '.failed as $f | (.failed + .passed) as $runs
			| first([1, 0] | recurse([.[0] * ($runs - $f + 0.5 + .[1]) / ($runs + 1 + .[1]), .[1] + 1])
				| select(.[0] <= 0.001 or .[1] >= $n)) | .[1]' \
			"$state/steps/${bad:0:12}/step.json" >"$state/enough"
	fi
	end good "$good"
	case $was,$verdict in
	good,bad) die 2 "the good end fails and the bad end passes: are they swapped? To find a fix is not what this does" ;;
	good,*) die 2 "the bad end, ${bad:0:12}, passes $repeat of $repeat runs: there is nothing to find" ;;
	*,bad) die 2 "the good end, ${good:0:12}, fails: $(jq -r .why "$state/steps/${good:0:12}/step.json")" ;;
	esac
}

# --- the search

# What can still be the first bad commit, the oldest first.
candidates()
{
	# shellcheck disable=SC2046
	wgit rev-list --topo-order --reverse refs/bisect/bad --not $(wgit for-each-ref --format='%(objectname)' 'refs/bisect/good-*')
}

one_at_a_time()
{
	[ "$(candidates | wc -l)" -gt 1 ] || return 0
	setsid git -C "$worktree" bisect run "$here/step.sh" "$state" 3>&1 >"$state/git.log" 2>&1 9>&- &
	wait $! || :
	! grep -qE 'exit code [0-9]+ from .* >= 128' "$state/git.log" || to_be_continued stopped 3
	! grep -q '^This means the bug has been fixed between' "$state/git.log" ||
		{ forget_worktree; die 1 "$(grep -A1 'merge base .* is bad' "$state/git.log" | tr '\n' ' ')"; }
}

# K commits a round divide the rest into K + 1 parts.
several_at_a_time()
{
	local known left=() round=() pids=() i commit code

	while :; do
		known=$(wgit rev-parse refs/bisect/bad; wgit for-each-ref --format='%(objectname)' 'refs/bisect/skip-*')
		mapfile -t left < <(candidates | known=$known awk 'index(ENVIRON["known"], $0) == 0')
		[ ${#left[@]} -gt 0 ] || break
		round=() pids=()
		for ((i = 1; i <= parallel; i++)); do
			commit=${left[$((${#left[@]} * i / (parallel + 1)))]}
			[[ " ${round[*]} " == *" $commit "* ]] || round+=("$commit")
		done
		for commit in "${round[@]}"; do
			setsid "$here/step.sh" "$state" "$commit" 3>&1 9>&- &
			pids+=($!)
		done
		for i in "${!round[@]}"; do
			code=0
			wait "${pids[i]}" || code=$?
			case $code in
			0) code=good ;;
			1) code=bad ;;
			125) code=skip ;;
			*) wait || :; to_be_continued stopped 3 ;;
			esac
			# What lies outside of what is left says nothing, or is a contradiction for later.
			wgit bisect "$code" "${round[i]}" >>"$state/git.log" 2>&1 || :
		done
	done
}
