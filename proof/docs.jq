# SPDX-License-Identifier: GPL-2.0-only
#
# The text of docs/proof.md, see docs.sh.  $headers, $cases and $sources are given.

def code: "`\(.)`";
def cell: gsub("\\|"; "\\|");
def row: "| \(map(cell) | join(" | ")) |";
def table($head): ([$head, ($head | map("---"))] + .) | map(row)[];
def list: map(code) | join(", ");

$headers[0].mutants as $mutants
| $headers[0].series as $series
| [$series[].fails_without[]] as $due
| [$series[].skips_without[]] as $absent
| "# What is proved",
"",
"Each test below passes on the reference kernel, which has our series, and each case",
"has failed on the mutants that it stands beside: kernels with one bug put in.",
"",
"`make prove` does all of it again, and writes this file when nothing is amiss.",
"",
"## The mutants",
"",
($mutants | map([(.name | code), .breaks, (.machines | join(", ")), (.caught_by | list), (.sometimes | list)])
	| table(["mutant", "breaks", "machine", "killed by", "by chance also by"])),
($cases[0] | group_by(.test)[]
	| "", "## \(.[0].test)", "",
	(sort_by(.case) | map("\(.test).\(.case)" as $id | [
		(.case | code),
		.verifies,
		([$mutants[] | select(any(.caught_by[]; . == $id)) | .name] | list),
		(if any($due[]; . == $id) then "yes" elif any($absent[]; . == $id or . == ($id | split(".")[0])) then "cannot" else "no" end)
	]) | table(["case", "verifies", "killed mutants", "fails on base"]))),
"",
([$series[] | select((.not_run // "") != "") | [(.name | code), .not_run]] | if . == [] then empty else
	"## What no machine runs", "",
	"These parts of our series are built and reviewed, no more:", "",
	table(["patch", "why"]),
	"" end),
"## What it was proved with",
"",
"SHA-256 of the diffs of the patches and of the sources of the tests:",
"",
"```",
($series[] | "\(.diff[:12])  series \(.name)"),
($mutants[] | "\(.diff[:12])  mutant \(.name)"),
($sources | split("\n")[] | select(. != "") | capture("(?<what>.*) (?<hash>.*)") | "\(.hash[:12])  \(.what)"),
"```"
