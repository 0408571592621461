// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the boot protocol and ACPI tell, see x86.h.
 */
#include <string.h>

#include "entry.h"

/* Xen's include/public/arch-x86/hvm/start_info.h */
struct hvm_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp, memmap;
	u32 nr_memmap;
};

struct hvm_memmap {
	u64 begin, size;
	u32 type, reserved;
};

/* The multiboot specification, 0.6.96 */
struct multiboot_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, nr_modules, modules, symbols[4];
	u32 mmap_length, mmap;
};

struct multiboot_mmap {
	u32 size;
	u64 begin, length;
	u32 type;
} __attribute__((packed));

#define MAX_RAM	16
#define RAM	1	/* the type, in both */

static struct {
	u64 begin, end;
} ram[MAX_RAM];
static unsigned int nr_ram;
static u64 rsdp;

static void add_ram(u64 begin, u64 size, u32 type)
{
	if (type != RAM || nr_ram == MAX_RAM)
		return;
	ram[nr_ram].begin = begin;
	ram[nr_ram++].end = begin + size;
}

bool ram_range(unsigned int n, u64 *begin, u64 *end)
{
	if (n >= nr_ram)
		return false;
	*begin = ram[n].begin;
	*end = ram[n].end;
	return true;
}

/* Returns the command line. */
const char *boot_protocol(bool multiboot, const void *info)
{
	const struct hvm_start_info *pvh = info;
	const struct multiboot_info *mb = info;
	u32 i;

	if (!multiboot) {
		const struct hvm_memmap *map = (const void *)pvh->memmap;

		rsdp = pvh->rsdp;
		for (i = 0; pvh->version && i < pvh->nr_memmap; i++)
			add_ram(map[i].begin, map[i].size, map[i].type);
		return pvh->cmdline ? (const char *)pvh->cmdline : "";
	}
	for (i = 0; mb->flags & BIT(6) && i < mb->mmap_length;) {
		const struct multiboot_mmap *map = (const void *)(u64)(mb->mmap + i);

		add_ram(map->begin, map->length, map->type);
		i += map->size + sizeof(map->size);
	}
	return mb->flags & BIT(2) ? (const char *)(u64)mb->cmdline : "";
}

/* --- ACPI ----------------------------------------------------------------- */

static bool sums_to_zero(const u8 *p, u32 n)
{
	u8 sum = 0;

	while (n--)
		sum += *p++;
	return !sum;
}

/* Without word of the loader: where BIOSes have it, the EBDA and the last 128 KiB below 1 MiB. */
static const u8 *find_rsdp(void)
{
	u64 where = 0x40e, ebda, p;

	/* Not a constant for the compiler, which would know that nothing can be there. */
	asm("" : "+r"(where));
	ebda = *(u16 *)where << 4;
	if (rsdp)
		return (const u8 *)rsdp;
	for (p = ebda; ebda >= 0x80000 && ebda < 0xa0000 && p < ebda + 1024; p += 16) {
		if (!memcmp((void *)p, "RSD PTR ", 8) && sums_to_zero((void *)p, 20))
			return (const u8 *)p;
	}
	for (p = 0xe0000; p < 0x100000; p += 16) {
		if (!memcmp((void *)p, "RSD PTR ", 8) && sums_to_zero((void *)p, 20))
			return (const u8 *)p;
	}
	return NULL;
}

static bool is_mapped(u64 p)
{
	return p && p < BIT(32);
}

const void *acpi_table(const char *signature)
{
	const u8 *r = find_rsdp(), *root, *p;
	bool wide;

	if (!r || memcmp(r, "RSD PTR ", 8))
		return NULL;
	wide = r[15] >= 2 && *(const u64 *)(r + 24);
	root = (const u8 *)(wide ? *(const u64 *)(r + 24) : *(const u32 *)(r + 16));
	if (!is_mapped((u64)root))
		return NULL;
	for (p = root + 36; p < root + *(const u32 *)(root + 4); p += wide ? 8 : 4) {
		u64 table = wide ? *(const u64 *)p : *(const u32 *)p;

		if (is_mapped(table) && !memcmp((void *)table, signature, 4) &&
		    sums_to_zero((void *)table, *(const u32 *)(table + 4)))
			return (const void *)table;
	}
	return NULL;
}
