# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What all bats files know.

bats_require_minimum_version 1.5.0
top=$(readlink -f "$BATS_TEST_DIRNAME/..")
out=${OUTPUT:-$top/build/x86}
boot=$out/machine/boot
fakes=$top/tests/fake
unset KDIR
export KVM_WITNESS_CACHE=${KVM_WITNESS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvm-witness}

# browser ARG...: headless, without a network; its state is in the working directory.
browser()
{
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$PWD/chromium" "$@" 2>browser.log 3>&-
}

# screenshot NAME URL [FLAG...]: kept as build/x86/report/<NAME>.png, for a person to look at.
screenshot()
{
	local png=$out/report/$1.png

	mkdir -p "$out/report"
	browser "${@:3}" --window-size=1400,1800 --screenshot="$png" "$2" >/dev/null
	[ "$(stat -c %s "$png")" -gt 20000 ]
}
