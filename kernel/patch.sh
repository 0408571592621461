# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced, with note() of debian.sh.  Our patches: a header for the reader and for the
# proof, then the diff, which is all that a kernel or an emulator is made of.

# The diffs of the patches: a kernel's identity must not change with a header.
patch_diff()
{
	sed -sn '/^diff --git \|^--- \(a\/\|\/dev\/null\)/,$p' "$@" </dev/null
}

# patch_id PATCH: the hash of its diff
patch_id()
{
	patch_diff "$1" | sha256sum | cut -d' ' -f1
}

# apply_patch TREE PATCH WHERE: ends the build when the patch does not fit; WHERE is what
# the reader is told that TREE is.
apply_patch()
{
	local log

	! log=$(patch -d "$1" -p1 --fuzz=0 --no-backup-if-mismatch <"$2" 2>&1) || return 0
	note "$(basename "$2") does not apply to $3:"
	grep -E 'FAILED|find file|malformed|patching file' <<<"$log" |
		grep -B1 -E 'FAILED|find file|malformed' >&2
	exit 1
}

# All that is before the line of three dashes, or before the diff where there is none.
patch_header()
{
	sed '/^---$\|^diff --git \|^--- /,$d' "$1"
}
