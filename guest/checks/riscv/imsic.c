// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hart's file of the IMSIC, see imsic.h.
 */
#include "aia_regs.h"
#include "imsic.h"

struct imsic imsic;

/* The S-mode's: its interrupts are those of supervisor externals. */
void imsic_find(void)
{
	u64 size;
	int n;

	imsic.node = -1;
	for (n = dt_compatible(-1, "riscv,imsics"); n >= 0; n = dt_compatible(n, "riscv,imsics")) {
		if (dt_cell(n, "interrupts-extended", 1, 0) == IRQ_EXTERNAL && dt_reg(n, 0, &imsic.base, &size))
			imsic.node = n;
	}
	imsic.nr_ids = dt_cell(imsic.node, "riscv,num-ids", 0, 0);
}

u64 imsic_read(unsigned int reg)
{
	aia_write(siselect, reg);
	return aia_read(sireg);
}

void imsic_write(unsigned int reg, u64 value)
{
	aia_write(siselect, reg);
	aia_write(sireg, value);
}

unsigned int imsic_claim(void)
{
	u64 top;

	asm volatile("csrrw %0, 0x15c, zero" : "=r"(top) : : "memory");
	return top >> 16;
}

void imsic_clear(void *arg)
{
	unsigned int id;

	csr_clear(sie, BIT(IRQ_EXTERNAL));
	imsic_write(AIA_EIDELIVERY, 0);
	imsic_write(AIA_EITHRESHOLD, 0);
	for (id = 0; id <= imsic.nr_ids; id += 64) {
		imsic_write(AIA_EIE(id), 0);
		imsic_write(AIA_EIP(id), 0);
	}
}

void imsic_enable(unsigned int id)
{
	imsic_write(AIA_EIE(id), imsic_read(AIA_EIE(id)) | BIT(id % 64));
	imsic_write(AIA_EIDELIVERY, 1);
	csr_set(sie, BIT(IRQ_EXTERNAL));
}

int imsic_file_of(const struct cpu *cpu)
{
	unsigned int i;
	u32 phandle;

	for (i = 0;; i++) {
		phandle = dt_cell(imsic.node, "interrupts-extended", 2 * i, 0);
		if (!phandle)
			return -1;
		if (cpu_of_intc(phandle) == cpu)
			return i;
	}
}

u64 imsic_page_of(const struct cpu *cpu)
{
	int file = imsic_file_of(cpu);

	CASE_EXPECT(file >= 0, "hart %llu has no file in the device tree's IMSIC", (unsigned long long)cpu->hwid);
	return imsic.base + ((u64)file << (12 + dt_cell(imsic.node, "riscv,guest-index-bits", 0, 0)));
}
