# SPDX-License-Identifier: GPL-2.0-only
#
# A line of the table of steps, out of a step.json.

def left($n): . + " " * ($n - length);
def right($n): tostring | " " * ($n - length) + .;

"\(.commit[:12])  \(.verdict | left(4))  "
+ (if .failed + .passed == 0 then "" else "\(.failed) of \(.failed + .passed) failed" end | left(15))
+ "  build \(.build | right(4)) s  run \(.seconds | right(4)) s  "
+ "\(.subject[:60])\(if .verdict == "skip" then ": \(.why[:100])" else "" end)"
