# SPDX-License-Identifier: GPL-2.0-only
#
# From the words of the command line to what must run where: the plan.
#
# $headers (of headers.sh), $cases (of cases.sh), $words, $wanted (the machines asked for;
# none: those that the mutants are for), $machines (all that there are), $archs (of each),
# $foreign (tests of architectures that are left out), $default (the machine for what no
# mutant has one for) and $all (every test on every kernel) are given.  The plan:
#
#   cases	what is to be proved, in the order of the list
#   kernels	[{id, variant, machine, breaks, caught_by, sometimes, may_skip, run, cases,
#		problem}]: run are words for run_tests.sh, cases what they stand for, problem
#		says why it cannot run.  id is the variant, and the machine where several
#		machines run that variant.
#   witnesses	for each case the mutants that name it, of whatever machine
#   others	mutants left out because they are for another machine
#
# or {unknown: WORD, known: [...]} for a word that means nothing.  A machine runs the tests
# that its mutants concern; a case that only mutants of other machines name may skip on it.

def id: "\(.test).\(.case)";
def meets($list): any(.[]; . as $x | any($list[]; . == $x));
def test_of: split(".")[0];

($cases | map(id)) as $ids
| (reduce $cases[].test as $t ([]; if any(.[]; . == $t) then . else . + [$t] end)) as $tests
| ($headers.mutants | map(.name)) as $mutants
| ($cases | map("\(.folder)/") | unique) as $folders

# What one word selects: the exact name, of a folder with its slash, else all tests and mutants that contain it.
| def of_word($w):
	if any($tests[]; . == $w) then {tests: [$w]}
	elif any($folders[]; . == $w) then {tests: [$cases[] | select("\(.folder)/" == $w).test]}
	elif any($ids[]; . == $w) then {cases: [$w]}
	elif any($mutants[]; . == $w) then {mutants: [$w]}
	else {tests: ($tests | map(select(contains($w)))), mutants: ($mutants | map(select(contains($w))))}
	end;

# Words for run_tests.sh: a test whose cases are all wanted goes by its own name.
def run_words:
	. as $wanted
	| [$tests[] as $t
	   | ($ids | map(select(test_of == $t))) as $has
	   | ($wanted | map(select(test_of == $t))) as $want
	   | if $want == [] then empty elif $want == $has then $t else $want[] end];

def unknown_cases: map(select(. as $c | any($ids[]; . == $c) or any($foreign[]; . == ($c | test_of)) | not));

# Those cases that the machine's architecture has.
def there($m): map(select(. as $id | any($cases[]; id == $id and any(.arch[]; . == $archs[$m]))));

# Where a case is run that no mutant concerns.
def home($first): . as $id | [$first, $machines[]] | map(select(. as $m | [$id] | there($m) != [])) | .[0] // $first;

def problem_of_mutant:
	if .breaks == "" or .caught_by == [] or .machines == [] then
		"its header lacks Breaks, Caught-by or Machine"
	elif .caught_by + .sometimes | unknown_cases != [] then
		"it names \(.caught_by + .sometimes | unknown_cases | join(", ")), which is no case"
	elif .machines - $machines != [] then
		"there is no machine \(.machines - $machines | join(", "))"
	elif any(.machines[]; . as $m | $archs[$m] as $a | any($cases[]; any(.arch[]; . == $a))) and
	     (.caught_by as $named | any(.machines[]; . as $m | $named | there($m) == [])) then
		"it names no case of machine \(.caught_by as $named | [.machines[] | select(. as $m | $named | there($m) == [])] | join(", "))"
	elif $wanted != [] and (.machines | meets($wanted) | not) then
		"it is for machine \(.machines | join(", ")), not for \($wanted | join(", "))"
	else null end;

($words | map({word: ., found: of_word(.)})) as $found
| ($found | map(select([.found[] | .[]?] == [])) | first) as $lost
| if $lost then {unknown: $lost.word, known: ($folders + $tests + $mutants + $ids)} else
	($words == []) as $everything
	| [$found[].found.tests[]?] as $named_tests
	| [$found[].found.cases[]?] as $named_cases
	| [$found[].found.mutants[]?] as $named_mutants
	| ($ids | map(select($everything or ([test_of] | meets($named_tests)) or ([.] | meets($named_cases))))) as $by_word
	| [$headers.mutants[] | select([.name] | meets($named_mutants)) | .caught_by[]] as $by_mutant
	| ($ids | map(select(([.] | meets($by_word)) or ([test_of] | meets($by_mutant | map(test_of)))))) as $selected
	# Left out is only what nobody asked for by its name, and what a machine can have.
	| ($headers.mutants | map(. + {problem: problem_of_mutant}
		| . + {elsewhere: ($wanted != [] and .machines != [] and .machines - $machines == [] and (.machines | meets($wanted) | not))})) as $judged
	| ($judged | map(select($everything and .elsewhere))) as $others
	| ($wanted[0] // $default) as $first
	| ([$judged[] | select(
		([.name] | meets($named_mutants))
		or ($everything and (.elsewhere | not))
		or (.elsewhere | not) and (.caught_by | meets($by_word)))
	   | . as $mutant
	   | (if .problem then [$first] elif $wanted == [] then .machines else $wanted - ($wanted - .machines) end)[]
	   | $mutant + {machine: .}]) as $chosen

	| def witnessed($m): [$headers.mutants[] | select(.machines | meets([$m])) | .caught_by[]];
	  def tests_on($m): witnessed($m) | map(test_of) | unique;
	  ([$chosen[] | select(.problem == null) | .machine] | unique) as $used
	| ([$used[] | tests_on(.)[]]) as $placed
	| ($selected | map(select([test_of] | meets($placed) | not))) as $stray
	| (([$stray[] | home($first)] + $used | unique) as $all_used
		| if any($all_used[]; . == $first) or any($chosen[]; .machine == $first) or $all_used == [] then [$first] else [] end
		+ ($all_used - [$first])) as $used

	| def cases_on($m): $selected | there($m) | map(select($all or ([test_of] | meets(tests_on($m)))
		or (home($first) == $m and ([.] | meets($stray)))));
	  [$headers.series[].fails_without[]] as $due
	# What asks for something that only a series gives: cases, or tests with all theirs.
	| [$headers.series[].skips_without[]] as $absent
	| ($absent - $tests | unknown_cases) as $unknown
	| [$headers.mutants[].caught_by[]] as $witnessed
	| [$used[] as $m
	   | witnessed($m) as $here
	   | cases_on($m) as $on
	   | ($on - $here | map(select(home($first) != $m or ([.] | meets($witnessed))))) as $may_skip
	   | {variant: "reference", caught_by: [], cases: $on, may_skip: $may_skip},
	     {
		variant: "base",
		breaks: "what the series add",
		caught_by: ($on | map(select(([.] | meets($due)) and ([.] | meets($may_skip) | not)))),
		sometimes: ($may_skip - ($may_skip - $due)),
		skips: ($on - $may_skip - $due | map(select([., test_of] | meets($absent)))),
		cases: $on,
		may_skip: $may_skip,
		problem: (if ($due | unknown_cases) + $unknown == [] then null else
			"its series name \(($due | unknown_cases) + $unknown | join(", ")), which is no case" end)
	     },
	     ($chosen[] | select(.machine == $m) | {
		variant: .name, breaks, caught_by, sometimes, problem,
		cases: ((.caught_by | map(test_of)) as $matter
			| $selected | there($m) | map(select($all or ([test_of] | meets($matter)))))
	     })
	   | . + {
		machine: $m,
		run: (.cases | run_words),
		# Without words run_tests.sh would run them all.
		problem: (.problem // if .cases == [] then "there is no case to run" else null end)
	     }] as $kernels
	| {
		cases: ($ids | map(select([.] | meets($by_word + $by_mutant)))),
		kernels: ($kernels | map(.variant as $v
			| {id: (if [$kernels[] | select(.variant == $v)] | length > 1 then "\($v)@\(.machine)" else $v end)} + .)),
		witnesses: ($headers.mutants | map(.name as $m | .caught_by[] | {key: ., value: $m})
			| group_by(.key) | map({key: .[0].key, value: map(.value)}) | from_entries),
		others: ($others | map(.name))
	}
  end
