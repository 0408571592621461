// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests and their branch history, see include/x86/bhb_guest.h.
 */
#include <sched.h>

#include "bhb_guest.h"
#include "case.h"
#include "retired.h"

/* KVM_FEATURE_SHORT_BHB_SEQ: bit 18 of EAX of the leaf that is found by KVM's signature. */
#define LEAF_SIGNATURE	0x40000000u
#define LEAF_FEATURES	0x40000001u
#define SHORT_BHB_SEQ	(1u << 18)

/* CPUID.(7,2).EDX */
#define BHI_CTRL	(1u << 4)

#define MAX_ENTRIES	256
#define EXITS		10

/* --- CPUID ---------------------------------------------------------------- */

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *c, u32 function, u32 index)
{
	u32 i;

	for (i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == function &&
		    (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index))
			return e;
	}
	return NULL;
}

/* Makes it when the processor has no such leaf. */
static struct kvm_cpuid_entry2 *need(struct kvm_cpuid2 *c, u32 function, u32 index)
{
	struct kvm_cpuid_entry2 *e = find(c, function, index);

	if (e)
		return e;
	TEST_ASSERT(c->nent < MAX_ENTRIES, "%u entries of CPUID", c->nent);
	e = &c->entries[c->nent++];
	*e = (struct kvm_cpuid_entry2) {
		.function = function,
		.index = index,
		.flags = function == 7 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
	};
	return e;
}

static enum bhb_shown shown_in(struct kvm_cpuid2 *c)
{
	const struct kvm_cpuid_entry2 *features = find(c, LEAF_FEATURES, 0), *bhi = find(c, 7, 2);

	return (features && (features->eax & SHORT_BHB_SEQ) ? BHB_SHOW_SHORT : 0) |
	       (bhi && (bhi->edx & BHI_CTRL) ? BHB_SHOW_BHI_CTRL : 0);
}

bool bhb_kvm_supports_short(void)
{
	return shown_in((struct kvm_cpuid2 *)kvm_get_supported_cpuid()) & BHB_SHOW_SHORT;
}

bool bhb_kvm_supports_bhi_ctrl(void)
{
	return shown_in((struct kvm_cpuid2 *)kvm_get_supported_cpuid()) & BHB_SHOW_BHI_CTRL;
}

static void put(u32 *reg, u32 bit, bool set)
{
	*reg = set ? *reg | bit : *reg & ~bit;
}

int __bhb_show(struct kvm_vcpu *vcpu, enum bhb_shown shown)
{
	const struct kvm_cpuid2 *supported = kvm_get_supported_cpuid();
	struct kvm_cpuid_entry2 *leaf7;
	struct kvm_cpuid2 *c;
	int ret;

	c = calloc(1, sizeof(*c) + MAX_ENTRIES * sizeof(c->entries[0]));
	TEST_ASSERT(c && supported->nent < MAX_ENTRIES, "%u entries of CPUID", supported->nent);
	memcpy(c, supported, sizeof(*c) + supported->nent * sizeof(c->entries[0]));
	TEST_ASSERT(find(c, LEAF_SIGNATURE, 0), "KVM does not offer its own leaves of CPUID");
	put(&need(c, LEAF_FEATURES, 0)->eax, SHORT_BHB_SEQ, shown & BHB_SHOW_SHORT);
	leaf7 = find(c, 7, 0);
	if ((shown & BHB_SHOW_BHI_CTRL) && leaf7 && leaf7->eax < 2)
		leaf7->eax = 2;
	if ((shown & BHB_SHOW_BHI_CTRL) || find(c, 7, 2))
		put(&need(c, 7, 2)->edx, BHI_CTRL, shown & BHB_SHOW_BHI_CTRL);
	ret = __vcpu_ioctl(vcpu, KVM_SET_CPUID2, c) ? -errno : 0;
	free(c);
	return ret;
}

void bhb_show(struct kvm_vcpu *vcpu, enum bhb_shown shown)
{
	int ret = __bhb_show(vcpu, shown);

	if (ret)
		case_fail("KVM_SET_CPUID2 with CPUID %d of bhb_guest.h: %s", shown, strerror(-ret));
}

enum bhb_shown bhb_shown(struct kvm_vcpu *vcpu)
{
	enum bhb_shown shown;
	struct kvm_cpuid2 *c;

	c = calloc(1, sizeof(*c) + MAX_ENTRIES * sizeof(c->entries[0]));
	TEST_ASSERT(c, "no memory");
	c->nent = MAX_ENTRIES;
	vcpu_ioctl(vcpu, KVM_GET_CPUID2, c);
	shown = shown_in(c);
	free(c);
	return shown;
}

/* --- the guest ------------------------------------------------------------ */

enum { READ_SPEC_CTRL, WRITE_SPEC_CTRL, READ_CPUID, RUN };

/* In the guest's memory. */
static uint64_t op, value, vector;

static void guest_code(void)
{
	u32 eax, ebx, ecx, edx;
	int i;

	for (;;) {
		vector = 0;
		switch (op) {
		case READ_SPEC_CTRL:
			vector = rdmsr_safe(MSR_IA32_SPEC_CTRL, &value);
			break;
		case WRITE_SPEC_CTRL:
			vector = wrmsr_safe(MSR_IA32_SPEC_CTRL, value);
			break;
		case READ_CPUID:
			__cpuid(LEAF_FEATURES, 0, &eax, &ebx, &ecx, &edx);
			value = eax & SHORT_BHB_SEQ ? BHB_SHOW_SHORT : 0;
			__cpuid(7, 2, &eax, &ebx, &ecx, &edx);
			value |= edx & BHI_CTRL ? BHB_SHOW_BHI_CTRL : 0;
			break;
		case RUN:
			for (i = 0; i < EXITS; i++)
				__cpuid(0, 0, &eax, &ebx, &ecx, &edx);
			break;
		}
		GUEST_SYNC(0);
	}
}

static unsigned int ask(struct kvm_vcpu *vcpu, uint64_t what, uint64_t *v)
{
	struct kvm_vm *vm = vcpu->vm;
	struct ucall uc;

	op = what;
	value = v ? *v : 0;
	sync_global_to_guest(vm, op);
	sync_global_to_guest(vm, value);
	vcpu_run(vcpu);
	TEST_ASSERT(get_ucall(vcpu, &uc) == UCALL_SYNC, "the guest ended by exit %s",
		    exit_reason_str(vcpu->run->exit_reason));
	sync_global_from_guest(vm, vector);
	sync_global_from_guest(vm, value);
	if (v)
		*v = value;
	return vector;
}

struct kvm_vcpu *bhb_create(enum bhb_shown shown)
{
	struct kvm_vcpu *vcpu;

	vm_create_with_one_vcpu(&vcpu, guest_code);
	bhb_show(vcpu, shown);
	return vcpu;
}

struct kvm_vcpu *bhb_add(struct kvm_vm *vm, u32 id, enum bhb_shown shown)
{
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, id, guest_code);

	bhb_show(vcpu, shown);
	return vcpu;
}

enum bhb_shown bhb_guest_reads(struct kvm_vcpu *vcpu)
{
	uint64_t shown = 0;

	ask(vcpu, READ_CPUID, &shown);
	return shown;
}

unsigned int bhb_guest_writes(struct kvm_vcpu *vcpu, uint64_t v)
{
	return ask(vcpu, WRITE_SPEC_CTRL, &v);
}

unsigned int bhb_guest_reads_spec_ctrl(struct kvm_vcpu *vcpu, uint64_t *v)
{
	*v = 0;
	return ask(vcpu, READ_SPEC_CTRL, v);
}

void bhb_guest_runs(struct kvm_vcpu *vcpu)
{
	ask(vcpu, RUN, NULL);
}

/* --- where the bit would be a lie ----------------------------------------- */

void bhb_case_not_offered(void)
{
	CASE_EXPECT(!bhb_kvm_supports_short(), "KVM offers the bit");
}

void bhb_case_refused(void)
{
	struct kvm_vcpu *vcpu = bhb_create(BHB_SHOW_NOTHING);
	int ret = __bhb_show(vcpu, BHB_SHOW_SHORT);

	CASE_EXPECT(ret == -EINVAL, "KVM_SET_CPUID2 with the bit: %d, want -EINVAL", ret);
	CASE_EXPECT(bhb_guest_reads(vcpu) == BHB_SHOW_NOTHING, "after it was refused the guest reads %d",
		    bhb_guest_reads(vcpu));
}

/* --- VM-entries ----------------------------------------------------------- */

void bhb_entries_need(void)
{
	const char *why = retired_open();

	if (why)
		case_skip("%s", why);
}

void bhb_entries_begin(void)
{
	retired_reset();
}

struct bhb_entries bhb_entries_end(void)
{
	uint64_t n, length = retired_log_length();
	struct bhb_entries e = { .every = ~0ull };
	int cpu = sched_getcpu();
	struct retired r;

	for (n = 0; n < length; n++) {
		TEST_ASSERT(retired_log(n, &r), "the log has only some of %llu entries", (unsigned long long)length);
		if (r.what != RETIRED_VM_ENTRY || r.cpu != cpu)
			continue;
		e.all++;
		e.with += !!(retired_spec_ctrl(&r) & BHB_BHI_DIS_S);
		e.any |= retired_spec_ctrl(&r);
		e.every &= retired_spec_ctrl(&r);
	}
	TEST_ASSERT(e.all, "no VM-entry on CPU %d", cpu);
	return e;
}
