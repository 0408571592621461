// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probe of flushes before user space, see include/x86/vmscape.h.
 */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "cpu.h"
#include "ibpb.h"
#include "kallsyms.h"
#include "kmem.h"
#include "percpu.h"
#include "vmscape.h"
#include "watch.h"

/* As the kernel numbers its feature bits, since 6.9. */
#define FEATURE_BHI_CTRL	(21 * 32 + 2)
#define CPUID_7_2_EDX_BHI_CTRL	(1u << 4)

/* What a watchpoint is on. */
enum object { PRED_CMD, FLAG, OUTER, INNER, NR_OBJECTS };

static struct watch watches[VMSCAPE_CPUS];
static int cpus[VMSCAPE_CPUS];
static int here;			/* index of the CPU that the thread is pinned to */
static enum vmscape_mode mode;
static uint64_t addr[VMSCAPE_CPUS][NR_OBJECTS];
static unsigned int exit_source;	/* of the tracepoint, on both CPUs */
static bool used_at_entry;		/* system calls clear the branch history */
/* By the number of a hit's source. */
static enum object object_of[WATCH_MORE + 1];

struct window {
	struct vmscape_seen seen;
	unsigned int controls[NR_OBJECTS];
	bool dirty;			/* a VM-exit since the last flush */
	char unknown[256];
};

/* --- what a hit means ----------------------------------------------------- */

static bool by_kcore(const struct watch_hit *hit)
{
	unsigned int i;

	for (i = 0; i < hit->depth; i++) {
		if (!strcmp(kallsyms_name(hit->chain[i]), "read_kcore_iter"))
			return true;
	}
	return false;
}

static void on_flush(struct window *w, enum vmscape_mode kind)
{
	w->seen.flushes[kind]++;
	if (kind != mode)
		return;
	w->seen.extra += !w->dirty;
	w->dirty = false;
}

static void on_mark(struct window *w, enum object object)
{
	w->controls[object]++;
	w->seen.missed += w->dirty;
	w->dirty = false;
}

static void on_unknown(struct window *w, const struct watch_hit *hit)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; !*w->unknown && i < hit->depth && i < 6 && len < sizeof(w->unknown); i++)
		len += snprintf(w->unknown + len, sizeof(w->unknown) - len, " < %s", kallsyms_name(hit->chain[i]));
	if (!hit->depth)
		snprintf(w->unknown, sizeof(w->unknown), " (no call chain)");
}

static void on_pred_cmd(struct window *w, const struct watch_hit *hit)
{
	enum ibpb_cause cause = ibpb_classify_hit(hit);

	if (cause == IBPB_UNKNOWN)
		on_unknown(w, hit);
	else if (cause == IBPB_EXIT_TO_USER)
		on_flush(w, VMSCAPE_IBPB);
}

/*
 * Of a sequence the outer count is read once, by the function itself.  No call chain goes
 * beyond it.  But a processor that needs it at the entry of system calls has no BHI_CTRL,
 * and then it is not what flushes before user space.
 */
static void on_outer(struct window *w, const struct watch_hit *hit)
{
	w->seen.outer++;
	if (!hit->depth || strcmp(kallsyms_name(hit->chain[0]), "clear_bhb_loop_nofence"))
		on_unknown(w, hit);
	else if (used_at_entry)
		w->seen.bhb_at_entry++;
	else
		on_flush(w, VMSCAPE_BHB);
}

static void on_hit(const struct watch_hit *hit, void *arg)
{
	struct window *w = arg;
	enum object object = object_of[hit->source];

	if (hit->source == exit_source) {
		w->seen.exits++;
		w->dirty = true;
	} else if (by_kcore(hit)) {
		on_mark(w, object);
	} else if (object == PRED_CMD) {
		on_pred_cmd(w, hit);
	} else if (object == OUTER) {
		on_outer(w, hit);
	} else if (object == INNER) {
		w->seen.inner++;
	} else if (!hit->depth) {
		on_unknown(w, hit);
	} else {
		/* The way out to user space looks at the flag and clears it. */
		w->seen.flag_set += !ibpb_returns_to_user(kallsyms_name(hit->chain[0]));
	}
}

/* --- the probe ------------------------------------------------------------ */

bool vmscape_has_bhi_ctrl(void)
{
	uint64_t forced = kallsyms_addr("cpu_caps_set") + FEATURE_BHI_CTRL / 8;
	unsigned int eax, ebx, ecx, edx;
	uint8_t byte;

	if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && eax >= 2 &&
	    __get_cpuid_count(7, 2, &eax, &ebx, &ecx, &edx) && (edx & CPUID_7_2_EDX_BHI_CTRL))
		return true;
	/* What setcpuid= has forced. */
	return !kmem_open() && !kmem_read(forced, &byte, 1) && (byte & 1 << FEATURE_BHI_CTRL % 8);
}

bool vmscape_parameter(const char *word)
{
	char line[4096] = "", *save, *p;
	FILE *f = fopen("/proc/cmdline", "re");
	bool found = false;

	if (f && fgets(line, sizeof(line), f)) {
		for (p = strtok_r(line, " \n", &save); p; p = strtok_r(NULL, " \n", &save))
			found |= !strcmp(p, word);
	}
	if (f)
		fclose(f);
	return found;
}

int vmscape_cpu(int index)
{
	return cpus[index];
}

int vmscape_pin(int index)
{
	if (__cpu_pin(cpus[index]))
		case_fail("cannot pin to CPU %d", cpus[index]);
	here = index;
	return cpus[index];
}

static size_t size_of(enum object object)
{
	return object == PRED_CMD ? 4 : 1;
}

static const char *find_addresses(int index)
{
	static const char * const flags[] = { "x86_predictor_flush_exit_to_user", "x86_ibpb_exit_to_user" };
	uint64_t *a = addr[index];
	const char *why = NULL;
	size_t i;

	a[PRED_CMD] = kallsyms_addr("x86_pred_cmd");
	a[OUTER] = kallsyms_addr("bhb_seq_outer_loop");
	a[INNER] = kallsyms_addr("bhb_seq_inner_loop");
	for (i = 0; i < ARRAY_SIZE(flags) && !a[FLAG]; i++)
		a[FLAG] = percpu_addr(flags[i], cpus[index], &why);
	if (!a[PRED_CMD])
		return "no symbol x86_pred_cmd in /proc/kallsyms (CONFIG_KALLSYMS_ALL)";
	return a[FLAG] ? NULL : why;
}

static const char *arm(int index)
{
	struct watch *w = &watches[index];
	uint64_t *a = addr[index];
	const char *why;

	why = watch_arm(w, a[PRED_CMD], size_of(PRED_CMD), WATCH_READ_WRITE, cpus[index]);
	object_of[0] = PRED_CMD;
	if (!why)
		why = watch_also(w, a[FLAG], size_of(FLAG), WATCH_READ_WRITE);
	object_of[w->nr_more] = FLAG;
	if (!why && a[OUTER]) {
		why = watch_also(w, a[OUTER], size_of(OUTER), WATCH_READ_WRITE);
		object_of[w->nr_more] = OUTER;
	}
	if (!why)
		why = watch_trace(w, "kvm", "kvm_exit", "vcpu_id");
	exit_source = w->nr_more;
	return why;
}

/* A watchpoint would recurse on a barrier of each kernel entry, and see none at VM-exit. */
static const char *cannot_watch(void)
{
	static const char * const files[] = { "retbleed", "spec_rstack_overflow", "vmscape" };
	static char why[200];
	char line[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (!cpu_vulnerability(files[i], line, sizeof(line)) || strncmp(line, "Mitigation: IBPB", 16) ||
		    strstr(line, "before exit to userspace"))
			continue;
		snprintf(why, sizeof(why), "%s is \"%s\": no watchpoint can tell", files[i], line);
		return why;
	}
	return NULL;
}

static struct window windows[VMSCAPE_CPUS];

static const char *mark_all(void)
{
	int i, object, back = here;
	const char *why;

	for (i = 0; i < VMSCAPE_CPUS; i++) {
		vmscape_pin(i);
		vmscape_mark();
	}
	vmscape_pin(back);
	for (i = 0; i < VMSCAPE_CPUS; i++) {
		memset(&windows[i], 0, sizeof(windows[i]));
		why = watch_drain(&watches[i], on_hit, &windows[i]);
		if (why)
			return why;
		for (object = 0; object < NR_OBJECTS; object++) {
			if (object == INNER ? watches[i].nr_more == exit_source : !addr[i][object])
				continue;
			if (!windows[i].controls[object])
				return "a watchpoint did not see a read that it must see (no call chains: CONFIG_UNWINDER_ORC?)";
		}
	}
	return NULL;
}

const char *vmscape_open(enum vmscape_mode wanted)
{
	const char *why = cannot_watch();
	char line[256];
	int i;

	mode = wanted;
	used_at_entry = cpu_vulnerability("spectre_v2", line, sizeof(line)) && strstr(line, "BHI: SW loop");
	if (!why && __cpu_need(cpus, VMSCAPE_CPUS) != VMSCAPE_CPUS)
		why = "needs two CPUs";
	if (!why)
		why = kallsyms_load();
	if (!why)
		why = kmem_open();
	for (i = 0; !why && i < VMSCAPE_CPUS; i++) {
		why = find_addresses(i);
		if (!why)
			why = arm(i);
	}
	if (why)
		return why;
	vmscape_pin(0);
	return mark_all();
}

void vmscape_watch_inner(void)
{
	const char *why;
	int i;

	for (i = 0; i < VMSCAPE_CPUS; i++) {
		if (!addr[i][INNER])
			case_fail("the loop counts are not data: no symbol bhb_seq_inner_loop");
		why = watch_also(&watches[i], addr[i][INNER], size_of(INNER), WATCH_READ_WRITE);
		if (why)
			case_fail("probe: %s", why);
		object_of[watches[i].nr_more] = INNER;
	}
}

void vmscape_mark(void)
{
	uint8_t buf[4];
	int object;

	for (object = 0; object < NR_OBJECTS; object++) {
		if (addr[here][object] && kmem_read(addr[here][object], buf, size_of(object)))
			case_fail("probe: cannot read the kernel's memory through /proc/kcore");
	}
}

void vmscape_window_open(void)
{
	const char *why = mark_all();

	if (why)
		case_fail("probe: %s", why);
}

void vmscape_window_close(struct vmscape_seen seen[VMSCAPE_CPUS])
{
	int i;

	vmscape_window_open();
	for (i = 0; i < VMSCAPE_CPUS; i++) {
		if (*windows[i].unknown)
			case_fail("a hit of unknown cause:%s", windows[i].unknown);
		seen[i] = windows[i].seen;
	}
}

bool vmscape_loop_counts(uint8_t *outer, uint8_t *inner)
{
	return addr[0][OUTER] && !kmem_read(addr[0][OUTER], outer, 1) &&
	       addr[0][INNER] && !kmem_read(addr[0][INNER], inner, 1);
}
