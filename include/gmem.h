/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_memfd, counted in pages.
 */
#ifndef KVM_WITNESS_GMEM_H
#define KVM_WITNESS_GMEM_H

#include <stddef.h>
#include <stdint.h>

struct kvm_vm;
struct kvm_vcpu;

#define GMEM_SHARED	(GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

/* Skips the case unless KVM has guest_memfd with these flags. */
void gmem_need(uint64_t flags);

/* A file of a VM that has nothing else. */
int gmem_create(size_t pages, uint64_t flags);

/* [first, first + pages) of the file.  __gmem_allocate() returns 0 or -errno. */
char *gmem_map(int fd, size_t first, size_t pages);
int __gmem_allocate(int fd, size_t first, size_t pages);
void gmem_allocate(int fd, size_t first, size_t pages);
void gmem_punch(int fd, size_t first, size_t pages);

/* Sets the NUMA policy of these pages and leaves nothing mapped. */
void gmem_set_policy(int fd, size_t first, size_t pages, int mode, unsigned long nodes);

/* Writes a byte to each page. */
void gmem_touch(char *mem, size_t pages);

/* What touching that byte ends with: 0, or the number of a signal. */
int gmem_signal_of(char *at);

/*
 * A VM whose one vCPU has a guest_memfd file as its memory.  gmem_guest_touch() has it
 * add one to the first byte of each page; gmem_guest_prefault() has KVM map the pages
 * without that, and returns 0 or -errno.
 */
struct gmem_guest {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	int fd;
};

struct gmem_guest gmem_guest_create(size_t pages, uint64_t flags);

/* The same with memory that the VM itself calls private.  Skips where there is no such VM. */
struct gmem_guest gmem_guest_create_private(size_t pages, uint64_t flags);

void gmem_guest_touch(struct gmem_guest *g, size_t first, size_t pages);
int __gmem_guest_prefault(struct gmem_guest *g, size_t first, size_t pages);
void gmem_guest_prefault(struct gmem_guest *g, size_t first, size_t pages);

/*
 * Its memory slot, which gmem_guest_create() has made of the whole file.  No pages: there
 * is none; it must go before it can have other ones.
 */
void gmem_guest_set_slot(struct gmem_guest *g, size_t first, size_t pages);

#endif /* KVM_WITNESS_GMEM_H */
