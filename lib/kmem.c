// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel memory through /proc/kcore, an ELF core file whose program headers map
 * virtual addresses to file offsets.  See include/kmem.h.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmem.h"

static int kcore = -1;
static Elf64_Phdr *phdrs;
static size_t nr_phdrs;

static bool read_headers(int fd)
{
	Elf64_Ehdr eh;
	size_t len;

	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG))
		return false;
	len = (size_t)eh.e_phnum * sizeof(*phdrs);
	phdrs = malloc(len);
	if (!phdrs || pread(fd, phdrs, len, eh.e_phoff) != (ssize_t)len)
		return false;
	nr_phdrs = eh.e_phnum;
	return true;
}

const char *kmem_open(void)
{
	static char why[128];

	if (kcore >= 0)
		return NULL;
	kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore < 0) {
		snprintf(why, sizeof(why),
			 "/proc/kcore: %s (needs root, CONFIG_PROC_KCORE, no lockdown)",
			 strerror(errno));
		return why;
	}
	if (!read_headers(kcore)) {
		close(kcore);
		kcore = -1;
		return "/proc/kcore has no ELF program headers (lockdown?)";
	}
	return NULL;
}

int kmem_read(uint64_t addr, void *buf, size_t len)
{
	size_t i;

	for (i = 0; i < nr_phdrs; i++) {
		const Elf64_Phdr *p = &phdrs[i];

		if (p->p_type != PT_LOAD || addr < p->p_vaddr ||
		    addr - p->p_vaddr >= p->p_memsz || p->p_memsz - (addr - p->p_vaddr) < len)
			continue;
		if (pread(kcore, buf, len, p->p_offset + (addr - p->p_vaddr)) == (ssize_t)len)
			return 0;
	}
	return -1;
}
