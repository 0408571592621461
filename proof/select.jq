# SPDX-License-Identifier: GPL-2.0-only
#
# From the words of the command line to what must run where: the plan.
#
# $headers (of headers.sh), $cases (of run_tests.sh --list --json), $words, $machine,
# $machines and $all (every test on every mutant) are given.  The plan:
#
#   cases	what is to be proved, in the order of the list
#   kernels	[{variant, breaks, caught_by, sometimes, run, cases, problem}]: run are words for
#		run_tests.sh, cases what they stand for, problem says why it cannot run
#   witnesses	for each case the mutants that name it, of whatever machine
#   others	mutants left out because they are for another machine
#
# or {unknown: WORD, known: [...]} for a word that means nothing.

def id: "\(.test).\(.case)";
def meets($list): any(.[]; . as $x | any($list[]; . == $x));
def test_of: split(".")[0];

($cases | map(id)) as $ids
| (reduce $cases[].test as $t ([]; if any(.[]; . == $t) then . else . + [$t] end)) as $tests
| ($headers.mutants | map(.name)) as $mutants

# What one word selects: the exact name, else all tests and mutants that contain it.
| def of_word($w):
	if any($tests[]; . == $w) then {tests: [$w]}
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

def unknown_cases: map(select(. as $c | any($ids[]; . == $c) | not));

def problem_of_mutant:
	if .breaks == "" or .caught_by == [] or .machines == [] then
		"its header lacks Breaks, Caught-by or Machine"
	elif .caught_by + .sometimes | unknown_cases != [] then
		"it names \(.caught_by + .sometimes | unknown_cases | join(", ")), which is no case"
	elif .machines - $machines != [] then
		"there is no machine \(.machines - $machines | join(", "))"
	elif .machines | meets([$machine]) | not then
		"it is for machine \(.machines | join(", ")), not for \($machine)"
	else null end;

($words | map({word: ., found: of_word(.)})) as $found
| ($found | map(select([.found[] | .[]?] == [])) | first) as $lost
| if $lost then {unknown: $lost.word, known: ($tests + $mutants + $ids)} else
	($words == []) as $everything
	| [$found[].found.tests[]?] as $named_tests
	| [$found[].found.cases[]?] as $named_cases
	| [$found[].found.mutants[]?] as $named_mutants
	| ($ids | map(select($everything or ([test_of] | meets($named_tests)) or ([.] | meets($named_cases))))) as $by_word
	| [$headers.mutants[] | select([.name] | meets($named_mutants)) | .caught_by[]] as $by_mutant
	| ($ids | map(select(([.] | meets($by_word)) or ([test_of] | meets($by_mutant | map(test_of)))))) as $selected
	# Left out is only what nobody asked for by its name, and what a machine can have.
	| ($headers.mutants | map(. + {problem: problem_of_mutant}
		| . + {elsewhere: (.machines != [] and .machines - $machines == [] and ([$machine] - .machines) != [])})) as $judged
	| ($judged | map(select($everything and .elsewhere))) as $others
	| ($judged | map(select(
		([.name] | meets($named_mutants))
		or ($everything and (.elsewhere | not))
		or (.elsewhere | not) and (.caught_by | meets($by_word))))) as $chosen
	| [$headers.series[].fails_without[]] as $due
	| {
		cases: ($ids | map(select([.] | meets($by_word + $by_mutant)))),
		kernels: ([
			{variant: "reference", caught_by: [], cases: $selected},
			{
				variant: "base",
				breaks: "what the series add",
				caught_by: ($ids - ($ids - $due)),
				cases: $selected,
				problem: (if $due | unknown_cases == [] then null else
					"its series name \($due | unknown_cases | join(", ")), which is no case" end)
			}
		] + ($chosen | map({
			variant: .name, breaks, caught_by, sometimes, problem,
			cases: ((.caught_by | map(test_of)) as $matter
				| $selected | map(select($all or ([test_of] | meets($matter)))))
		})) | map(. + {
			run: (.cases | run_words),
			# Without words run_tests.sh would run them all.
			problem: (.problem // if .cases == [] then "there is no case to run" else null end)
		})),
		witnesses: ($headers.mutants | map(.name as $m | .caught_by[] | {key: ., value: $m})
			| group_by(.key) | map({key: .[0].key, value: map(.value)}) | from_entries),
		others: ($others | map(.name))
	}
  end
