# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced.  Our patches: a header for the reader and for the proof, then the diff,
# which is all that a kernel is made of.

# The diffs of the patches: a kernel's identity must not change with a header.
patch_diff()
{
	sed -sn '/^diff --git \|^--- \(a\/\|\/dev\/null\)/,$p' "$@" </dev/null
}

# All that is before the line of three dashes, or before the diff where there is none.
patch_header()
{
	sed '/^---$\|^diff --git \|^--- /,$d' "$1"
}
