#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds report if need be, and runs it: "run_tests.sh report --help".

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"

out=${OUTPUT:-$top/build/$(host_arch)}
mkdir -p "$out" 2>/dev/null || die 3 "cannot write to $out: set OUTPUT=<folder>"
(
	flock 9
	make -s -C "$top" report OUTPUT="$out" >"$out/report.log" 2>&1
) 9>"$out/lock" || {
	grep -vE '^(make|  [A-Z])' "$out/report.log" | head -n 3 >&2
	die 3 "report does not build: are libsqlite3-dev and libjansson-dev installed? log in $out/report.log"
}
exec "$out/report/report" "$@"
