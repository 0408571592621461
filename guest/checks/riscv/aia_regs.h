/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of IMSIC and APLIC, for the selftests' guests and the guest-side test kernel.
 *
 * Facts: "RISC-V Advanced Interrupt Architecture" 1.0.
 */
#ifndef CHECKS_AIA_REGS_H
#define CHECKS_AIA_REGS_H

/* Registers of an interrupt file, by siselect or as an attribute of KVM's device. */
#define AIA_EIDELIVERY		0x70
#define AIA_EITHRESHOLD		0x72
#define AIA_EIP(id)		(0x80 + (id) / 64 * 2)
#define AIA_EIE(id)		(0xc0 + (id) / 64 * 2)

/* Registers of the APLIC, by offset; sources are counted from 1. */
#define APLIC_DOMAINCFG		0x0000
#define APLIC_SOURCECFG(source)	(0x0004 + ((source) - 1) * 4)
#define APLIC_SETIP(source)	(0x1c00 + (source) / 32 * 4)
#define APLIC_SETIPNUM		0x1cdc
#define APLIC_IN_CLRIP(source)	(0x1d00 + (source) / 32 * 4)
#define APLIC_CLRIPNUM		0x1ddc
#define APLIC_SETIE(source)	(0x1e00 + (source) / 32 * 4)
#define APLIC_SETIENUM		0x1edc
#define APLIC_CLRIE(source)	(0x1f00 + (source) / 32 * 4)
#define APLIC_CLRIENUM		0x1fdc
#define APLIC_SETIPNUM_LE	0x2000
#define APLIC_SETIPNUM_BE	0x2004
#define APLIC_GENMSI		0x3000
#define APLIC_TARGET(source)	(0x3004 + ((source) - 1) * 4)

#define APLIC_DOMAINCFG_OFF	0x80000004u	/* little-endian, delivers by MSI */
#define APLIC_DOMAINCFG_ON	0x80000104u

/* What a source's wire means: sourcecfg. */
#define APLIC_INACTIVE		0
#define APLIC_DETACHED		1
#define APLIC_EDGE_RISE		4
#define APLIC_EDGE_FALL		5
#define APLIC_LEVEL_HIGH	6
#define APLIC_LEVEL_LOW		7

/* Where its MSIs go: target, and genmsi. */
#define APLIC_MSI(hart, id)	((uint32_t)(hart) << 18 | (id))

#endif /* CHECKS_AIA_REGS_H */
