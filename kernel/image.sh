#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the path of Debian's own kernel image of a series, boot/vmlinuz-<release>,
# with its lib/modules/<release> beside it.  Fetched once, kept in the cache.
#
#   kernel/image.sh SERIES		like 6.1 or 7.2

set -euo pipefail
# shellcheck source=kernel/debian.sh
. "$(dirname "$(readlink -f "$0")")/debian.sh"

series=${1:-}
[[ $series =~ ^[0-9]+\.[0-9]+$ ]] || die 2 "kernel series '$series': want something like 6.1"
dest=$KVM_WITNESS_CACHE/image
mkdir -p "$dest" || die 3 "cannot write to $dest: set KVM_WITNESS_CACHE=<folder>"

exec 9>"$dest/lock"
flock 9

dir=$(find "$dest" -maxdepth 1 -name "$series-*" ! -name '*.tmp' | sort -V | tail -n 1)
if [ -z "$dir" ]; then
	debian_lists
	# linux-image-6.1.0-44-amd64, linux-image-7.2.12+deb13-amd64; not -cloud-, -rt-, -dbg
	pkg=$(debian_apt apt-cache pkgnames "linux-image-$series." |
		grep -E "^linux-image-${series//./\\.}\.[0-9][0-9.+a-z]*(-[0-9]+)?(\+deb[0-9]+)?-amd64$" |
		sort -V | tail -n 1)
	[ -n "$pkg" ] || die 3 "Debian has no linux-image of series $series in: ${debian_suites[*]}"
	version=$(debian_version "$pkg")
	tmp=$dest/$series-.tmp
	rm -rf "$tmp"
	trap 'rm -rf "$tmp"' EXIT
	# Since 7.0 or so the image package is empty and depends on two others.
	for part in "$pkg" "${pkg/-image-/-binary-}" "${pkg/-image-/-modules-}"; do
		[ "$(debian_version "$part")" = "$version" ] || continue
		note "fetching $part $version"
		deb=$(debian_fetch "$part=$version" "$tmp")
		note "$(basename "$deb") SHA-256 $(sha256sum "$deb" | cut -d' ' -f1)"
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp" ||
			die 3 "cannot unpack $part: is the disk full? ($dest)"
		rm -f "$deb"
	done
	# Newer packages have all of it in usr/lib/modules/<release>.
	[ -d "$tmp/lib" ] || ln -s usr/lib "$tmp/lib"
	release=${pkg#linux-image-}
	if [ -f "$tmp/lib/modules/$release/vmlinuz" ]; then
		mkdir -p "$tmp/boot"
		ln -s "../lib/modules/$release/vmlinuz" "$tmp/boot/vmlinuz-$release"
	fi
	[ -f "$tmp/boot/vmlinuz-$release" ] || die 3 "$pkg $version has no boot/vmlinuz-$release"
	dir=$dest/$series-${version//[^0-9A-Za-z.-]/_}
	mv "$tmp" "$dir"
	trap - EXIT
fi
find "$dir/boot" -name 'vmlinuz-*' -print -quit
