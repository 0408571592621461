# SPDX-License-Identifier: GPL-2.0-only
#
# proof.json: the plan and the kernels judged so far, and what follows from them.
#
# Input: {plan, kernels (of judge.jq), date, repeat, seconds}.  A case is proved when, on
# the same machine, it passes on the reference kernel and is not survived by a mutant
# that names it.

def tally($id): .cases[$id] // {} | del(.reasons);
def always(f): to_entries | map(select(.value > 0)) | . != [] and all(.[]; .key | f);
def is_kill: . == "fail" or . == "timeout" or . == "crash";

.plan as $plan | .kernels as $kernels
| ($kernels | map(select(.variant == "reference"))) as $references
| ($kernels | map(select(.variant != "reference" and .variant != "base"))) as $mutants
| (($kernels | length) == ($plan.kernels | length)) as $complete

| def proved($id):
	any($references[]; .machine as $m | .verdict != "error" and (tally($id) | always(. == "pass"))
		and any($mutants[]; .machine == $m and .verdict != "error" and any(.caught_by[]; . == $id)
			and (tally($id) | always(is_kill))));
def why($id):
	($plan.witnesses[$id] // []) as $w
	| ($w - $plan.others) as $here
	| if $w == [] then "no mutant names it"
	elif $here == [] then "only mutants for another machine name it (\($w | join(", ")))"
	else "\($here | join(", ")) did not prove it" end;

(if $complete then [$plan.cases[] | select(proved(.) | not)] else null end) as $unproven
| {
	date, repeat,
	machines: ($plan.kernels | map(.machine) | unique),
	complete: $complete,
	exit_code: (if $complete | not then null
		elif any($kernels[]; .exit_code == 3) then 3
		elif any($kernels[]; .exit_code != 0) or $unproven != [] then 1
		else 0 end),
	seconds,
	kernels: $kernels,
	unproven: ($unproven // [] | map({case: ., why: why(.)})),
	summary: (
		($mutants | map(.verdict)) as $v
		| (["killed", "survived"] + ($v - ["killed", "survived"] | unique)
			| map(. as $x | "\($v | map(select(. == $x)) | length) \($x)") | join(", ")) as $counts
		| "\($v | length) mutants, \($counts)\(
			if $plan.others != [] then " (\($plan.others | length) for other machines left out)" else "" end); \(
			$plan.cases | length) cases, \(($plan.cases | length) - ($unproven // [] | length)) proven, \(
			$unproven // [] | length) unproven; \(.seconds) seconds")
}
