/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When KVM flushes the L1 data cache before VM-entry: the parameter vmentry_l1d_flush of
 * KVM-Intel.  It is the host's, so that a test has l1d_find_mode() in its prepare() and
 * l1d_restore_mode() as its finish().
 */
#ifndef KVM_WITNESS_X86_L1D_H
#define KVM_WITNESS_X86_L1D_H

/* Keeps the mode that is found, for those below. */
void l1d_find_mode(void);

/* Skips the case unless this is a processor with L1TF whose mode can be set. */
void l1d_need(void);

/* "always", "cond" or "never". */
void l1d_set_mode(const char *mode);

/* Sets the mode that was found, and complains when that fails. */
void l1d_restore_mode(void);

#endif /* KVM_WITNESS_X86_L1D_H */
