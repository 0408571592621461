// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arm's generic interrupt controllers, versions 2 and 3, see arm64.h.
 */
#include "arm64.h"

#define GICD_CTLR		0x000
#define GICD_IGROUPR(n)		(0x080 + (n) / 32 * 4)
#define GICD_ISENABLER(n)	(0x100 + (n) / 32 * 4)
#define GICD_IPRIORITYR(n)	(0x400 + (n))
#define GICD_ITARGETSR(n)	(0x800 + (n))
#define GICD_ICFGR(n)		(0xc00 + (n) / 16 * 4)
#define GICD_SGIR		0xf00
#define GICD_IROUTER(n)		(0x6000 + (n) * 8)

#define GICC_CTLR		0x00
#define GICC_PMR		0x04
#define GICC_IAR		0x0c
#define GICC_EOIR		0x10

#define GICR_TYPER		0x0008
#define GICR_WAKER		0x0014
#define GICR_SGI		0x10000		/* the second frame */

#define ICC_PMR_EL1		S3_0_C4_C6_0
#define ICC_IAR1_EL1		S3_0_C12_C12_0
#define ICC_EOIR1_EL1		S3_0_C12_C12_1
#define ICC_SGI1R_EL1		S3_0_C12_C11_5
#define ICC_SRE_EL1		S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1		S3_0_C12_C12_7

#define PRIORITY		0xa0

/* These names are macros. */
#define gic_read_sysreg(name)		read_sysreg(name)
#define gic_write_sysreg(name, value)	write_sysreg(name, value)

static unsigned int version;
static u64 dist, cpu_interface, redists;

static void find(void)
{
	int n = dt_compatible(-1, "arm,gic-v3");
	u64 size;

	if (dt_reg(n, 0, &dist, &size) && dt_reg(n, 1, &redists, &size)) {
		version = 3;
		return;
	}
	n = dt_compatible(-1, "arm,cortex-a15-gic");
	if (n < 0)
		n = dt_compatible(-1, "arm,gic-400");
	if (dt_reg(n, 0, &dist, &size) && dt_reg(n, 1, &cpu_interface, &size))
		version = 2;
}

unsigned int gic_version(void)
{
	return version;
}

u64 gic_dist(void)
{
	return dist;
}

/* Two frames each, four where VLPIs are; GICR_TYPER has the affinity above, and says which is the last. */
u64 gic_redist(void)
{
	u64 mpidr = read_sysreg(mpidr_el1), r = redists, type;
	u32 affinity = (mpidr & 0xffffff) | (mpidr >> 8 & 0xff000000);

	if (version != 3)
		return 0;
	for (;;) {
		type = mmio_read64(r + GICR_TYPER);
		if (type >> 32 == affinity)
			return r;
		if (type & BIT(4))
			return 0;
		r += type & BIT(1) ? 0x40000 : 0x20000;
	}
}

void gic_init_cpu(void)
{
	u64 r;

	if (!version)
		find();
	if (version == 3) {
		r = gic_redist();
		mmio_write(dist + GICD_CTLR, 0x12);	/* affinity routing, group 1 */
		if (r) {
			mmio_write(r + GICR_WAKER, 0);
			mmio_write(r + GICR_SGI + GICD_IGROUPR(0), -1);
		}
		gic_write_sysreg(ICC_SRE_EL1, 1);
		gic_write_sysreg(ICC_PMR_EL1, 0xff);
		gic_write_sysreg(ICC_IGRPEN1_EL1, 1);
	} else if (version == 2) {
		mmio_write(dist + GICD_CTLR, 1);
		mmio_write(cpu_interface + GICC_PMR, 0xff);
		mmio_write(cpu_interface + GICC_CTLR, 1);
	}
}

void gic_enable(unsigned int intid)
{
	u64 base = dist;

	if (version == 3 && intid < 32)
		base = gic_redist() + GICR_SGI;
	mmio_write8(base + GICD_IPRIORITYR(intid), PRIORITY);
	if (intid >= 32) {
		u32 edge = 2u << intid % 16 * 2;

		mmio_write(base + GICD_ICFGR(intid), mmio_read(base + GICD_ICFGR(intid)) | edge);
		if (version == 3) {
			mmio_write(base + GICD_IGROUPR(intid), mmio_read(base + GICD_IGROUPR(intid)) | 1u << intid % 32);
			mmio_write64(base + GICD_IROUTER(intid), cpus[0].hwid);
		} else {
			mmio_write8(base + GICD_ITARGETSR(intid), 1);
		}
	}
	mmio_write(base + GICD_ISENABLER(intid), 1u << intid % 32);
}

void gic_send(const struct cpu *cpu, unsigned int sgi)
{
	u64 id = cpu->hwid;

	if (version == 3)
		gic_write_sysreg(ICC_SGI1R_EL1, (u64)sgi << 24 | 1ull << (id & 0xf) | (id >> 8 & 0xff) << 16 |
				 (id >> 16 & 0xff) << 32 | (id >> 32 & 0xff) << 48);
	else
		mmio_write(dist + GICD_SGIR, 1u << (16 + cpu->id) | sgi);
}

unsigned int gic_acknowledge(void)
{
	if (version == 3)
		return gic_read_sysreg(ICC_IAR1_EL1) & 0xffffff;
	return version == 2 ? mmio_read(cpu_interface + GICC_IAR) & 0x3ff : SPURIOUS;
}

void gic_end(unsigned int intid)
{
	if (version == 3)
		gic_write_sysreg(ICC_EOIR1_EL1, intid);
	else
		mmio_write(cpu_interface + GICC_EOIR, intid);
}
