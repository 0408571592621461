#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What a machine can see of our style.

load common

@test "shellcheck is content with every script" {
	cd "$top"
	mapfile -t files < <(git ls-files | xargs grep -lE '^(#!.*bash|# shellcheck shell=bash)')
	shellcheck -x -P SCRIPTDIR -P . "${files[@]}"
}

@test "checkpatch is content with every C file" {
	cd "$top"
	checkpatch=$("$top/kernel/source.sh")/scripts/checkpatch.pl
	mapfile -t files < <(git ls-files '*.c' '*.h' ':!report')
	mapfile -t split < <(git ls-files 'report/*.c' 'report/*.h')
	# What is left out takes a word of a message for a function's name, ENOSYS from a
	# system call for a mistake, what a test feeds for text of its own, the definition
	# of an attribute's macro for a use of the attribute, and a list for an expression.
	ignored=EMBEDDED_FUNCTION_NAME,ENOSYS,STATIC_CONST_CHAR_ARRAY,QUOTED_WHITESPACE_BEFORE_NEWLINE,PREFER_DEFINED_ATTRIBUTE_MACRO,COMPLEX_MACRO
	"$checkpatch" --no-tree --no-summary --terse --ignore "$ignored" -f "${files[@]}"
	# The long strings of report/ are SQL and HTML, no messages.
	"$checkpatch" --no-tree --no-summary --terse --ignore "$ignored,SPLIT_STRING" -f "${split[@]}"
}

@test "every file begins with its licence" {
	cd "$top"
	bad=$(git ls-files | grep -vE '\.patch$|^README$|^docs/' | while read -r f; do
		[ ! -s "$f" ] || head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
			case $f in settings | config) ;; *) echo "$f" ;; esac
	done)
	[ -z "$bad" ] || { echo "$bad"; false; }
}

@test "no registry host, no path of one machine in any file" {
	cd "$top"
	run ! git grep -nE 'https?://[^ ]*debian|/work/main|/root/'  -- ':!tests/style.bats'
}

@test "test names are unique across the folders" {
	cd "$top"
	[ -z "$(git ls-files | grep -E '^(x86|arm64|riscv|guest_memfd)/.*_test\.c$' | xargs -n1 basename | sort | uniq -d)" ]
}

@test "each mutant says what it breaks, who must catch it and where" {
	cd "$top"
	for m in kernel/mutants/*.patch; do
		for key in Breaks Caught-by Machine; do
			grep -q "^$key: ." "$m" || { echo "$m: no $key"; false; }
		done
	done
}

@test "each case that a patch names is a case of a test" {
	cd "$top"
	unknown=$(comm -13 <(proof/cases.sh x86 arm64 riscv | jq -r '.[] | "\(.test).\(.case)"' | sort) \
		<(proof/headers.sh | jq -r '(.mutants[] | .caught_by[], .sometimes[]), .series[].fails_without[]' | sort -u))
	[ -z "$unknown" ] || { echo "$unknown"; false; }
}
