#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# KTAP as it should be and as it should not, a file each, into the folder DIR: where the
# fuzzer begins, and what tests/report.bats reads.  good-* is read without a problem.
#
#   tests/fuzz/corpus.sh DIR

set -eu
mkdir -p "$1"
cd "$1"

run=$'KTAP version 1\n1..2\n  KTAP version 1\n  1..2\n  # words\n  ok 1 one\n  ok 2 two # SKIP no IBPB\n# a_test: 2.00 s\nok 1 a_test\n'
run+=$'  KTAP version 1\n  1..2\n  ok 1 one\n  ok 2 two\n# b_test: 0.50 s\nok 2 b_test\n'

printf '%s' "$run" >good-pass
printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 one\n  not ok 2 two # 0 barriers, want 1\nnot ok 1 a_test # 1 of 2 cases\n' >good-fail
printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..3\n  ok 1 one\n# console: BUG: kernel NULL pointer dereference\n  not ok 2 two # ERROR crash: BUG\n  not ok 3 three # ERROR missing: BUG\nnot ok 1 a_test # ERROR crash: BUG\n' >good-crash
printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 one # TIMEOUT 120 seconds\nnot ok 1 a_test # TIMEOUT 120 seconds\n' >good-timeout
printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 one\nnot ok 1 a_test # kernel warning: WARNING: CPU: 0\n' >good-splat
printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..0 # SKIP no KVM\nok 1 a_test # SKIP no KVM\n' >good-skip
printf 'TAP version 13\n1..2\nok 1 a_test\nnot ok 2 b_test\n' >good-flat

printf '%s' "$run" | head -c 90 >cut-off
printf '%s' "$run" | sed '/ok 1 one/d' >lost-line
printf '%s' "$run" | sed 's/ok 2 two/ok 2 t\x00o/' >nul
printf '%s' "$run" | sed 's/^1\.\.2/1..3/' >plan-too-long
printf '%s' "$run" | sed 's/^1\.\.2/1..1/' >plan-too-short
printf '%s' "$run" | sed '/^ *1\.\./d' >no-plan
printf '%s' "$run" | sed 's/^1\.\.2/1..99999999999999999999/' >absurd-plan
printf '%s' "$run" | sed 's/ok 2 two.*/ok 2 one/' >twice-the-name
printf '%s' "$run" | sed 's/ok 2 b_test/ok 2 a_test/' >twice-the-test
printf '%s%s' "$run" "$run" >twice-the-document
printf '%s' "$run" | sed 's/^ *//' >flattened
printf '%s' "$run" | tr 'o\n' '\377\n' >garbled
printf '%s' "$run" | sed 's/  ok 1 one/  not ok 1 one/' >parent-lies
printf '%s' "$run" | sed '$d' >no-last-result
printf '%s' "$run" | sed 1d >no-version
printf '%sBail out! no space left\n' "$run" >bail-out
: >empty
head -c 3000 /dev/zero >zeros
{
	printf 'KTAP version 1\n1..2\nok 1 a_test\nok 2 '
	head -c 10485760 /dev/zero | tr '\0' x
	printf ' # SKIP\n'
} >long-line
{
	for ((i = 0; i < 50; i++)); do
		printf '%*sKTAP version 1\n%*s1..1\n' $((2 * i)) '' $((2 * i)) ''
	done
	printf '%*snot ok 1 deepest\n' 98 ''
	for ((i = 48; i >= 0; i--)); do
		printf '%*sok 1 level%d\n' $((2 * i)) '' "$i"
	done
} >deep
