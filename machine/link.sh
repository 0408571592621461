#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Puts the tests into a kernel tree's kselftest, and takes them out again.
#
#   machine/link.sh add|remove TREE
#
# What is put there is a folder with a makefile of three lines: a symbolic link to
# this project would leave make no way to know which tree it was called from.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"

tree=$2
dir=$tree/tools/testing/selftests/kvm-witness
mark='# Made by "make link" of kvm-witness; "make unlink" removes it.'

[ -n "$tree" ] || die 2 "set KDIR=<kernel tree>"
[ -f "$tree/tools/testing/selftests/lib.mk" ] || die 2 "$tree has no tools/testing/selftests"
if [ -e "$dir" ] && ! grep -qxF "$mark" "$dir/Makefile" 2>/dev/null; then
	die 2 "$dir is not ours: move it away first"
fi

case $1 in
add)
	mkdir -p "$dir"
	cat >"$dir/Makefile" <<EOF
# SPDX-License-Identifier: GPL-2.0-only
$mark
WITNESS := $top
include \$(WITNESS)/Makefile.kselftest
EOF
	ln -sf "$top/settings" "$top/config" "$dir/"
	note "make -C $tree/tools/testing/selftests TARGETS=kvm-witness"
	;;
remove)
	[ ! -e "$dir" ] || rm -r "$dir"
	;;
*) die 2 "add or remove?" ;;
esac
