/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the framework differs from kernel version to kernel version, the tests
 * see one form of it: this one.
 *
 * The 7.2 and 7.3 frameworks need nothing here for what the tests use so far.
 */
#ifndef KVM_WITNESS_COMPAT_H
#define KVM_WITNESS_COMPAT_H

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"

#endif /* KVM_WITNESS_COMPAT_H */
