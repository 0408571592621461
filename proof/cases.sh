#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The cases of several architectures as one JSON list, in the order of the tests: what
# run_tests.sh --list --json tells of each, but arch is a list, of those that have it.
#
#   proof/cases.sh ARCH...

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"

for arch; do
	"$top/run_tests.sh" --list --json --machine "$(machines_of "$arch" | sed -n 1p)"
done | jq -s '
	add | [.[] | {id: "\(.test).\(.case)", arch, case: .}]
	| (group_by(.id) | map({key: .[0].id, value: map(.arch)}) | from_entries) as $archs
	| reduce .[] as $c ([]; if any(.[]; .id == $c.id) then . else . + [$c] end)
	| map(.case + {arch: $archs[.id]})'
