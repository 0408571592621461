// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd, see include/gmem.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/sizes.h>

#include "case.h"
#include "compat.h"
#include "gmem.h"
#include "kvm_syscalls.h"
#include "numa.h"

/* Above what the framework puts low, as in the kernel's own guest_memfd test. */
#define GUEST_ADDR	((uint64_t)SZ_4G)
#define GUEST_SLOT	1

void gmem_need(uint64_t flags)
{
	uint64_t has;

	if (!kvm_check_cap(KVM_CAP_GUEST_MEMFD))
		case_skip("no guest_memfd in this KVM");
	if (!flags)
		return;
	has = kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS);
	if (flags & ~has)
		case_skip("guest_memfd with flags %#llx only, want %#llx",
			  (unsigned long long)has, (unsigned long long)flags);
}

int gmem_create(size_t pages, uint64_t flags)
{
	return vm_create_guest_memfd(vm_create_barebones(), pages * getpagesize(), flags);
}

char *gmem_map(int fd, size_t first, size_t pages)
{
	return __kvm_mmap(pages * getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  first * getpagesize());
}

int __gmem_allocate(int fd, size_t first, size_t pages)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, first * getpagesize(), pages * getpagesize()) ? -errno : 0;
}

void gmem_allocate(int fd, size_t first, size_t pages)
{
	int ret = __gmem_allocate(fd, first, pages);

	TEST_ASSERT(!ret, "fallocate() of %zu pages from %zu: %s", pages, first, strerror(-ret));
}

void gmem_punch(int fd, size_t first, size_t pages)
{
	kvm_fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, first * getpagesize(),
		      pages * getpagesize());
}

void gmem_set_policy(int fd, size_t first, size_t pages, int mode, unsigned long nodes)
{
	char *mem = gmem_map(fd, first, pages);

	numa_mbind(mem, pages * getpagesize(), mode, nodes);
	kvm_munmap(mem, pages * getpagesize());
}

void gmem_touch(char *mem, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		WRITE_ONCE(mem[i * getpagesize()], 1);
}

static sigjmp_buf landing;

static void land(int signal)
{
	siglongjmp(landing, signal);
}

int gmem_signal_of(char *at)
{
	struct sigaction old_bus, old_segv, sa = { .sa_handler = land };
	int seen;

	sigaction(SIGBUS, &sa, &old_bus);
	sigaction(SIGSEGV, &sa, &old_segv);
	seen = sigsetjmp(landing, 1);
	if (!seen)
		WRITE_ONCE(*at, 1);
	sigaction(SIGBUS, &old_bus, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	return seen;
}

/* What the guest is to do; it has a copy. */
static struct {
	uint64_t mem, pages, page_size;
} order;

static void count_up(uint8_t *at)
{
	WRITE_ONCE(*at, READ_ONCE(*at) + 1);
}

static void guest_code(void)
{
	for (;;) {
		uint64_t i;

		for (i = 0; i < READ_ONCE(order.pages); i++)
			count_up((uint8_t *)READ_ONCE(order.mem) + i * READ_ONCE(order.page_size));
		GUEST_DONE();
	}
}

void gmem_guest_set_slot(struct gmem_guest *g, size_t first, size_t pages)
{
	vm_set_user_memory_region2(g->vm, GUEST_SLOT, KVM_MEM_GUEST_MEMFD, GUEST_ADDR,
				   pages * getpagesize(), NULL, g->fd, first * getpagesize());
}

static struct gmem_guest create_guest(struct vm_shape shape, size_t pages, uint64_t flags)
{
	struct gmem_guest g;

	g.vm = vm_create_shape_with_one_vcpu(shape, &g.vcpu, guest_code);
	g.fd = vm_create_guest_memfd(g.vm, pages * getpagesize(), flags);
	gmem_guest_set_slot(&g, 0, pages);
	virt_map(g.vm, GUEST_ADDR, GUEST_ADDR, pages * getpagesize() / g.vm->page_size);
	return g;
}

struct gmem_guest gmem_guest_create(size_t pages, uint64_t flags)
{
	return create_guest(VM_SHAPE_DEFAULT, pages, flags);
}

struct gmem_guest gmem_guest_create_private(size_t pages, uint64_t flags)
{
	struct vm_shape shape = VM_SHAPE_DEFAULT;
	struct gmem_guest g;

#ifdef __x86_64__
	shape.type = KVM_X86_SW_PROTECTED_VM;
#endif
	if (!(kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(shape.type)) || shape.type == VM_TYPE_DEFAULT)
		case_skip("no type of VM that has private memory by software alone");
	g = create_guest(shape, pages, flags);
	vm_mem_set_private(g.vm, GUEST_ADDR, pages * getpagesize());
	return g;
}

void gmem_guest_touch(struct gmem_guest *g, size_t first, size_t pages)
{
	order.mem = GUEST_ADDR + first * getpagesize();
	order.pages = pages;
	order.page_size = getpagesize();
	sync_global_to_guest(g->vm, order);
	vcpu_run(g->vcpu);
	TEST_ASSERT(get_ucall(g->vcpu, NULL) == UCALL_DONE, "the guest did not get to its end");
}

int __gmem_guest_prefault(struct gmem_guest *g, size_t first, size_t pages)
{
	struct kvm_pre_fault_memory range = {
		.gpa = GUEST_ADDR + first * getpagesize(),
		.size = pages * getpagesize(),
	};

	/* It says how far it got when a signal ends it early. */
	while (range.size) {
		if (__vcpu_ioctl(g->vcpu, KVM_PRE_FAULT_MEMORY, &range) && errno != EINTR)
			return -errno;
	}
	return 0;
}

void gmem_guest_prefault(struct gmem_guest *g, size_t first, size_t pages)
{
	int ret;

	if (!kvm_check_cap(KVM_CAP_PRE_FAULT_MEMORY))
		case_skip("no KVM_PRE_FAULT_MEMORY in this KVM");
	ret = __gmem_guest_prefault(g, first, pages);
	TEST_ASSERT(!ret, "KVM_PRE_FAULT_MEMORY: %s", strerror(-ret));
}
