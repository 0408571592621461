/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arm64 side of the guest-side test kernel, for its boot code and for checks.
 *
 * It runs at EL1.  All is mapped one to one: what the device tree says is memory as
 * memory, in blocks of 1 GiB, all else as devices.
 */
#ifndef GUEST_ARM64_H
#define GUEST_ARM64_H

#include "../../core/dt/dt.h"
#include "../../core/guest.h"
#include "../../core/mmio.h"

#define read_sysreg(name)							\
({										\
	u64 __value;								\
										\
	asm volatile("mrs %0, " #name : "=r"(__value));				\
	__value;								\
})

#define write_sysreg(name, value)						\
({										\
	asm volatile("msr " #name ", %0\n\tisb" : : "r"((u64)(value)) : "memory");	\
})

/* The exception class of a fault's cause. */
#define ESR_EC(esr)		((esr) >> 26 & 0x3f)
#define EC_UNKNOWN		0x00
#define EC_SVC			0x15
#define EC_DATA_ABORT		0x25
#define EC_BRK			0x3c
#define ESR_DFSC(esr)		((esr) & 0x3f)
#define ESR_WNR			BIT(6)

/* --- PSCI ----------------------------------------------------------------- */

/* A call by the device tree's conduit; what it returns.  Skips the case where there is none. */
s64 psci(u64 id, u64 x1, u64 x2, u64 x3);
bool psci_there(void);

/* --- the GIC -------------------------------------------------------------- */

#define SPURIOUS	1023
#define TIMER_INTID	27		/* the virtual timer's PPI */

/* 2, 3; 0: there is none that is known here. */
unsigned int gic_version(void);
u64 gic_dist(void);

/* Where this CPU's redistributor is; 0 without. */
u64 gic_redist(void);

/* Readies the GIC for this CPU. */
void gic_init_cpu(void);

/* Enables one SGI, PPI or SPI; an SPI is routed to the first CPU, and to be an edge. */
void gic_enable(unsigned int intid);

/* Sends an SGI. */
void gic_send(const struct cpu *cpu, unsigned int sgi);

/* The interrupt that is next, or SPURIOUS; and its end. */
unsigned int gic_acknowledge(void);
void gic_end(unsigned int intid);

#endif /* GUEST_ARM64_H */
