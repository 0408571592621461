# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced.  Packages of newer Debian suites, fetched into the cache without
# touching the system's own package lists: the mirror is the one that the system
# is configured for, the lists are private.

# shellcheck source=kernel/shell.sh
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"

: "${KVM_WITNESS_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/kvm-witness}"
export KVM_WITNESS_CACHE

debian_suites=(bookworm bookworm-backports trixie trixie-backports)

debian_apt()
{
	local cmd=$1 dir=$KVM_WITNESS_CACHE/apt

	shift
	"$cmd" -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# The mirror that the system is configured for; empty when it has none.
debian_mirror()
{
	apt-get indextargets --format "\$(REPO_URI) \$(LABEL)" 'Created-By: Packages' |
		awk '$2 == "Debian" { print $1; exit }'
}

# Makes the private lists; a second call within a day reuses them.
debian_lists()
{
	local dir=$KVM_WITNESS_CACHE/apt uri suite keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	command -v apt-get >/dev/null ||
		die 3 "no apt-get here: set KDIR=<kernel tree>, or --kernel IMAGE"
	if [ -n "$(find "$dir/stamp" -mtime -1 2>/dev/null)" ] && [ "$(cat "$dir/stamp")" = "${debian_suites[*]}" ]; then
		return 0
	fi
	uri=$(debian_mirror)
	[ -n "$uri" ] || die 3 "apt knows no Debian mirror: run apt-get update, or set KDIR=<kernel tree>"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	for suite in "${debian_suites[@]}"; do
		echo "deb [signed-by=$keyring] $uri $suite main"
	done >"$dir/sources.list"
	debian_apt apt-get -qq update >&2 ||
		die 3 "cannot read the package lists of ${debian_suites[*]}: is the mirror reachable?"
	echo "${debian_suites[*]}" >"$dir/stamp"
}

# The newest version of PACKAGE in any of the suites, empty when there is none.
debian_version()
{
	debian_apt apt-cache madison "$1" | awk -F '|' '{ gsub(/ /, "", $2); print $2 }' | sort -V | tail -n 1
}

# Downloads PACKAGE=VERSION into the folder, prints the file's path.
debian_fetch()
{
	local pkg=$1 dir=$2

	mkdir -p "$dir"
	(cd "$dir" && debian_apt apt-get -qq download "$pkg" >&2) ||
		die 3 "cannot download $pkg: gone from the mirror? set KDIR=<kernel tree> instead"
	find "$dir" -maxdepth 1 -name "${pkg%%=*}_*.deb" -print -quit
}

# Downloads a file of the mirror, like pool/main/b/bochs/NAME, to DEST if its SHA-256
# is the one given.  False when it cannot be had.
debian_fetch_file()
{
	local uri

	command -v apt-get >/dev/null || return 1
	uri=$(debian_mirror)
	[ -n "$uri" ] || return 1
	/usr/lib/apt/apt-helper -q -o APT::Sandbox::User=root download-file \
		"${uri%/}/$1" "$2" "SHA256:$3" >&2
}
