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
