/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modules of the running kernel.  A module is called as in /proc/modules: "kvm_amd".
 */
#ifndef KVM_WITNESS_MODULE_H
#define KVM_WITNESS_MODULE_H

#include <stdbool.h>
#include <stdint.h>

/* Is it loaded?  What is built into the kernel is not. */
bool module_loaded(const char *module);

/*
 * Loads the file of a module with parameters ("avic=1 npt=1"), or unloads a module, if
 * nobody uses it: 0 or -errno, -EWOULDBLOCK for one in use.
 */
int module_load(const char *file, const char *parameters);
int module_unload(const char *module);

/* Where the code of a loaded module begins; 0: it is not loaded, or that is not for us to know. */
uint64_t module_code(const char *module);

#endif /* KVM_WITNESS_MODULE_H */
