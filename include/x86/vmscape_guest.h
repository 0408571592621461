/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of VMSCAPE's mitigations have in common: each boots with other kernel
 * parameters, and asks the same of the mitigation that it must find.
 */
#ifndef KVM_WITNESS_X86_VMSCAPE_GUEST_H
#define KVM_WITNESS_X86_VMSCAPE_GUEST_H

#include "vmscape.h"

/*
 * The setup of a test that was booted so that it must find @mode.  Skips where the
 * parameter @parameter (NULL: none) was not given.
 */
void vmscape_need(enum vmscape_mode mode, const char *parameter);

/* The same without a mode that was booted for: any that sysfs tells will do. */
void vmscape_as_sysfs_says(void);

/* Guest code without end: some VM-exits that KVM handles, then a return to user space. */
void vmscape_guest_code(void);

/* sysfs, the kernel's choice in memory and what ten runs of a guest show: all are the mode. */
void vmscape_mode_agrees(void);

/* One flush for each return to user space after VM-exits, be they few or many. */
void vmscape_once_per_return(void);

/* No flush for what does not enter the guest. */
void vmscape_nothing_without_entry(void);

/* A vCPU halts and wakes up on another CPU, to return to user space there at once. */
void vmscape_on_the_cpu_that_ran(void);

/* A vCPU halts, and another task returns to user space on its CPU. */
void vmscape_by_any_task(void);

/* The other kind of flush is not used. */
void vmscape_other_flush_unused(void);

/* For VMSCAPE_NONE: KVM leaves the CPU's flag alone. */
void vmscape_nobody_asks(void);

#endif /* KVM_WITNESS_X86_VMSCAPE_GUEST_H */
