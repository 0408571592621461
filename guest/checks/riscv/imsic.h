/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IMSIC of S-mode that the device tree has, and the file of it of the hart that asks.
 */
#ifndef CHECKS_IMSIC_H
#define CHECKS_IMSIC_H

#include "../../boot/riscv/riscv.h"

/* By number: not every assembler knows the names. */
#define siselect	0x150
#define sireg		0x151
#define stopei		0x15c
#define stopi		0xdb0
#define aia_read(csr)		csr_read(csr)
#define aia_write(csr, value)	csr_write(csr, value)

extern struct imsic {
	int node;		/* negative: there is none, and the rest means nothing */
	u64 base;
	unsigned int nr_ids;
} imsic;

void imsic_find(void);

/* By siselect and sireg. */
u64 imsic_read(unsigned int reg);
void imsic_write(unsigned int reg, u64 value);

/* The interrupt that is next, 0: none; it is pending no more. */
unsigned int imsic_claim(void);

/* Delivers nothing, has nothing pending or enabled. */
void imsic_clear(void *arg);
void imsic_enable(unsigned int id);

/* Which file is the CPU's, by the order of "interrupts-extended"; -1: none. */
int imsic_file_of(const struct cpu *cpu);

/* Where its MSIs go; without a file the case fails. */
u64 imsic_page_of(const struct cpu *cpu);

#endif /* CHECKS_IMSIC_H */
