#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the folder of a pristine kernel tree, out of Debian's source package
# linux-source-<series>.  It is fetched once and kept in the cache; what was
# fetched is printed on stderr.
#
#   kernel/source.sh [SERIES]		SERIES like 7.2; default 7.3

set -euo pipefail
# shellcheck source=kernel/debian.sh
. "$(dirname "$(readlink -f "$0")")/debian.sh"

series=${1:-7.3}
[[ $series =~ ^[0-9]+\.[0-9]+$ ]] || die 2 "kernel series '$series': want something like 7.3"
pkg=linux-source-$series
src=$KVM_WITNESS_CACHE/src
mkdir -p "$src" || die 3 "cannot write to $src: set KVM_WITNESS_CACHE=<folder>"

exec 9>"$src/lock"
flock 9

# -H: the folder may be a link to another cache's.
cached()
{
	find -H "$src" -maxdepth 2 -path "$src/$pkg-*/complete" -printf '%h\n' | sort -V | tail -n 1
}

dir=$(cached)
if [ -z "$dir" ]; then
	debian_lists
	version=$(debian_version "$pkg")
	[ -n "$version" ] ||
		die 3 "no $pkg in ${debian_suites[*]}: set KDIR=<kernel tree>, or try another series"
	note "fetching $pkg $version"
	tmp=$src/tmp.$$
	trap 'rm -rf "$tmp"' EXIT
	deb=$(debian_fetch "$pkg=$version" "$tmp")
	sha=$(sha256sum "$deb" | cut -d' ' -f1)
	note "$(basename "$deb") SHA-256 $sha"
	note "unpacking (1.8 GB)"
	mkdir "$tmp/tree"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$pkg.tar.xz" |
		tar -xJ --strip-components=1 -C "$tmp/tree" ||
		die 3 "cannot unpack $pkg: is the disk full? ($src)"
	printf 'package %s\nversion %s\nsha256 %s\n' "$pkg" "$version" "$sha" >"$tmp/complete"
	rm -f "$deb"
	# The version's ~ and + mean something to make and to the shell.
	dir=$src/$pkg-${version//[^0-9A-Za-z.-]/_}
	mv "$tmp" "$dir"
	trap - EXIT
fi
echo "$dir/tree"
