// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IBPB probe, see include/x86/ibpb.h.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "cpu.h"
#include "ibpb.h"
#include "kallsyms.h"
#include "kmem.h"
#include "retired.h"
#include "watch.h"
#include "util.h"

#define PRED_CMD_LEN	4

static struct watch watches[IBPB_CPUS];
static int cpus[IBPB_CPUS];
static int here;			/* index of the CPU that the thread is pinned to */
static uint64_t pred_cmd;

/* Of the window that was closed last; more than a ring can hold do not come. */
static bool tracing;
static struct {
	struct ibpb_event *event;
	size_t nr, room;
} kept[IBPB_CPUS];

/* --- who asked for the barrier ------------------------------------------- */

struct cause_of {
	const char *function;
	enum ibpb_cause cause;
};

/* Innermost frame that is in here decides. */
static const struct cause_of causes[] = {
	{ "kvm_arch_vcpu_load",		IBPB_VCPU_LOAD },
	{ "svm_vcpu_load",		IBPB_VCPU_LOAD },
	{ "vmx_vcpu_load",		IBPB_VCPU_LOAD },
	{ "vmx_vcpu_load_vmcs",		IBPB_VCPU_LOAD },
	{ "nested_svm_vmexit",		IBPB_NESTED_EXIT },
	{ "nested_vmx_vmexit",		IBPB_NESTED_EXIT },
	{ "__nested_vmx_vmexit",	IBPB_NESTED_EXIT },
	{ "vcpu_enter_guest",		IBPB_VM_ENTRY },
	{ "vcpu_run",			IBPB_VM_ENTRY },
	{ "kvm_arch_vcpu_ioctl_run",	IBPB_VM_ENTRY },
	{ "cond_mitigation",		IBPB_MM_SWITCH },
	{ "switch_mm_irqs_off",		IBPB_MM_SWITCH },
	{ "ib_prctl_set",		IBPB_PRCTL },
	{ "arch_prctl_spec_ctrl_set",	IBPB_PRCTL },
	{ "arch_seccomp_spec_mitigate",	IBPB_PRCTL },
	{ "read_kcore_iter",		IBPB_CONTROL },
};

/*
 * The exit-to-user barrier is inlined into whatever returns to user space, so
 * these count only as the direct caller: each is also the outermost frame of
 * everything else.
 */
static const char * const returns_to_user[] = {
	"do_syscall_64", "do_int80_emulation", "do_fast_syscall_32", "__do_fast_syscall_32",
	"syscall_exit_to_user_mode", "irqentry_exit", "irqentry_exit_to_user_mode",
	"exit_to_user_mode_prepare", "ret_from_fork",
};

static const char * const returns_to_user_prefix[] = { "exc_", "sysvec_", "fred_", "common_interrupt" };

bool ibpb_returns_to_user(const char *fn)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(returns_to_user); i++) {
		if (!strcmp(fn, returns_to_user[i]))
			return true;
	}
	for (i = 0; i < ARRAY_SIZE(returns_to_user_prefix); i++) {
		if (!strncmp(fn, returns_to_user_prefix[i], strlen(returns_to_user_prefix[i])))
			return true;
	}
	return false;
}

enum ibpb_cause ibpb_classify(const unsigned long long *chain, unsigned int depth,
			      const char *(*name)(unsigned long long addr))
{
	unsigned int i;
	size_t c;

	/* Before 6.16 or so the barrier is inlined: its caller is then frame 0. */
	if (depth && !strcmp(name(chain[0]), "write_ibpb")) {
		chain++;
		depth--;
	}
	if (depth && ibpb_returns_to_user(name(chain[0])))
		return IBPB_EXIT_TO_USER;
	for (i = 0; i < depth; i++) {
		const char *fn = name(chain[i]);

		for (c = 0; c < ARRAY_SIZE(causes); c++) {
			if (!strcmp(fn, causes[c].function))
				return causes[c].cause;
		}
	}
	return IBPB_UNKNOWN;
}

static const char *name_of(unsigned long long addr)
{
	return kallsyms_name(addr);
}

enum ibpb_cause ibpb_classify_hit(const struct watch_hit *hit)
{
	unsigned long long chain[WATCH_CHAIN_MAX];
	unsigned int i;

	for (i = 0; i < hit->depth; i++)
		chain[i] = hit->chain[i];
	return ibpb_classify(chain, hit->depth, name_of);
}

/* --- what must be there --------------------------------------------------- */

static bool cpu_has_flag(const char *flag)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char *line = NULL, *word, *save;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		if (strncmp(line, "flags", 5))
			continue;
		for (word = strtok_r(line, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save))
			found |= !strcmp(word, flag);
		break;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/*
 * "Mitigation: IBPB" of these files is IBPB on kernel entry, "IBPB on VMEXIT" is
 * the barrier that KVM has in its invisible window; either way nothing is to be
 * learnt, and the first would hang the machine.
 */
static const char *entry_ibpb(void)
{
	static const char * const files[] = { "retbleed", "spec_rstack_overflow", "vmscape" };
	static char why[200];
	size_t i, len = strlen("Mitigation: IBPB");
	char line[128];

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (!cpu_vulnerability(files[i], line, sizeof(line)) || strncmp(line, "Mitigation: IBPB", len))
			continue;
		if (line[len] && line[len] != ';' && strncmp(line + len, " on VMEXIT", 10))
			continue;
		snprintf(why, sizeof(why),
			 "%s is \"%s\": a watchpoint on the barrier would recurse or see nothing",
			 files[i], line);
		return why;
	}
	return NULL;
}

const char *ibpb_vcpu_switch_off(void)
{
	static char why[300];
	char line[192];

	if (!cpu_vulnerability("spectre_v2", line, sizeof(line)))
		return "no /sys/devices/system/cpu/vulnerabilities/spectre_v2";
	if (strstr(line, "IBPB: conditional") || strstr(line, "IBPB: always-on"))
		return NULL;
	snprintf(why, sizeof(why),
		 "KVM's barrier between vCPUs is off (spectre_v2: %s); boot with spectre_v2_user=on",
		 line);
	return why;
}

static const char *pick_cpus(void)
{
	int n = __cpu_need(cpus, IBPB_CPUS);

	if (n < 0)
		return "sched_getaffinity() failed";
	return n == IBPB_CPUS ? NULL : "needs two CPUs";
}

/* --- the probe ------------------------------------------------------------ */

int ibpb_cpu(int index)
{
	return cpus[index];
}

void ibpb_pin(int index)
{
	if (__cpu_pin(cpus[index]))
		case_fail("cannot pin to CPU %d", cpus[index]);
	here = index;
}

struct window {
	struct ibpb_counts counts;
	char unknown[256];
	size_t records[IBPB_CPUS];	/* of the watchpoint's ring */
};

/* The second witness, where there is one: barriers since the probe was opened. */
static const char *no_retired;
static struct {
	uint64_t at_open, seen;		/* by the processor; by the watchpoint */
	uint64_t then, seen_then;	/* at one instant of the last mark() */
	size_t pending;
} witness[IBPB_CPUS];

static void keep(int index, struct ibpb_event event)
{
	if (!tracing)
		return;
	if (kept[index].nr == kept[index].room) {
		kept[index].room = kept[index].room * 2 + 1024;
		kept[index].event = realloc(kept[index].event, kept[index].room * sizeof(event));
		if (!kept[index].event)
			case_fail("out of memory");
	}
	kept[index].event[kept[index].nr++] = event;
}

static void add_hit(const struct watch_hit *hit, void *arg)
{
	struct window *w = arg;
	int index = hit->cpu == cpus[1];
	enum ibpb_cause cause;
	size_t len = 0;
	unsigned int i;

	w->records[index]++;
	if (hit->source) {
		keep(index, (struct ibpb_event){
			.type = hit->source == 1 ? IBPB_EVENT_ENTRY : IBPB_EVENT_EXIT,
			.vcpu = hit->field,
		});
		return;
	}
	cause = ibpb_classify_hit(hit);
	w->counts.n[index][cause]++;
	if (cause != IBPB_CONTROL) {
		witness[index].seen++;
		witness[index].seen_then += w->records[index] <= witness[index].pending;
	}
	keep(index, (struct ibpb_event){ .type = IBPB_EVENT_BARRIER, .cause = cause });

	if (cause != IBPB_UNKNOWN || *w->unknown)
		return;
	for (i = 0; i < hit->depth && i < 6 && len < sizeof(w->unknown); i++)
		len += snprintf(w->unknown + len, sizeof(w->unknown) - len, " < %s",
				name_of(hit->chain[i]));
}

/* What the processor has done, and how much of the ring belongs to that. */
static void ask_witness(int index)
{
	witness[index].seen_then = witness[index].seen;
	if (no_retired)
		return;
	do {
		witness[index].then = retired_read(RETIRED_IBPB, RETIRED_ROOT, cpus[index]);
		witness[index].pending = watch_pending(&watches[index]);
	} while (witness[index].then != retired_read(RETIRED_IBPB, RETIRED_ROOT, cpus[index]));
}

/* A barrier that KVM has where no debug register is live shows here only. */
static const char *witness_disagrees(int index)
{
	static char why[128];
	uint64_t done = witness[index].then - witness[index].at_open;

	if (no_retired || done == witness[index].seen_then)
		return NULL;
	snprintf(why, sizeof(why), "the watchpoint saw %llu barriers on CPU %d, the processor did %llu",
		 (unsigned long long)witness[index].seen_then, cpus[index], (unsigned long long)done);
	return why;
}

/*
 * A read of the variable on each CPU; all hits since the last call go to @w.
 * The reads must be among them: the watchpoints live, and nothing before the
 * reads can have been missed.
 */
static const char *mark(struct window *w)
{
	int i, back = here;
	uint32_t value;
	const char *why;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < IBPB_CPUS; i++) {
		ibpb_pin(i);
		if (kmem_read(pred_cmd, &value, PRED_CMD_LEN))
			return "cannot read x86_pred_cmd through /proc/kcore";
	}
	ibpb_pin(back);

	for (i = 0; i < IBPB_CPUS; i++) {
		kept[i].nr = 0;
		ask_witness(i);
		why = watch_drain(&watches[i], add_hit, w);
		if (!why)
			why = witness_disagrees(i);
		if (why)
			return why;
		if (w->counts.n[i][IBPB_CONTROL])
			continue;
		return w->counts.n[i][IBPB_UNKNOWN] ?
			"call chains cannot be trusted here (CONFIG_UNWINDER_ORC is not set?)" :
			"the watchpoint did not see a read of x86_pred_cmd that it must see";
	}
	return NULL;
}

/* What is in the rings already does not count. */
static void begin_witness(void)
{
	int i;

	for (i = 0; i < IBPB_CPUS; i++) {
		ask_witness(i);
		witness[i].at_open = witness[i].then;
		witness[i].seen = -witness[i].pending;
	}
}

static const char *arm(void)
{
	const char *why = NULL;
	int i;

	for (i = 0; !why && i < IBPB_CPUS; i++)
		why = watch_arm(&watches[i], pred_cmd, PRED_CMD_LEN, WATCH_READ_WRITE, cpus[i]);
	return why;
}

const char *ibpb_probe_open(void)
{
	struct window w;
	const char *why;

	if (!cpu_has_flag("ibpb"))
		return "the CPU has no IBPB (kernels of 7.x can pretend: setcpuid=ibpb)";
	why = entry_ibpb();
	if (!why)
		why = pick_cpus();
	if (!why)
		why = kallsyms_load();
	if (!why)
		why = kmem_open();
	if (why)
		return why;

	pred_cmd = kallsyms_addr("x86_pred_cmd");
	if (!pred_cmd)
		return "no symbol x86_pred_cmd in /proc/kallsyms (CONFIG_KALLSYMS_ALL)";
	ibpb_pin(0);
	why = arm();
	no_retired = retired_open();
	if (!why && !no_retired)
		begin_witness();
	return why ? why : mark(&w);
}

static void must_mark(struct window *w)
{
	const char *why = mark(w);

	if (why)
		case_fail("probe: %s", why);
}

void ibpb_window_open(void)
{
	struct window before;

	must_mark(&before);
}

struct ibpb_counts ibpb_window_close(void)
{
	struct window w;

	must_mark(&w);
	if (*w.unknown)
		case_fail("a barrier of unknown cause:%s", w.unknown);
	return w.counts;
}

const char *ibpb_trace(void)
{
	const char *why = NULL;
	int i;

	for (i = 0; !why && i < IBPB_CPUS; i++) {
		why = watch_trace(&watches[i], "kvm", "kvm_entry", "vcpu_id");
		if (!why)
			why = watch_trace(&watches[i], "kvm", "kvm_exit", "vcpu_id");
	}
	tracing = !why;
	return why;
}

const struct ibpb_event *ibpb_events(int index, size_t *nr)
{
	*nr = kept[index].nr;
	return kept[index].event;
}

static bool for_a_guest(enum ibpb_cause cause)
{
	return cause == IBPB_VCPU_LOAD || cause == IBPB_VM_ENTRY || cause == IBPB_NESTED_EXIT;
}

const char *ibpb_check_order(const struct ibpb_event *events, size_t nr, unsigned int *switches)
{
	unsigned int barriers = 0, entries = 0, want, last = 0;
	static char why[160];
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct ibpb_event *e = &events[i];

		if (e->type == IBPB_EVENT_BARRIER) {
			barriers += for_a_guest(e->cause);
			continue;
		}
		/* What came before the exit has not covered the guest that exits. */
		if (e->type == IBPB_EVENT_EXIT) {
			barriers = 0;
			continue;
		}
		want = e->vcpu != last;
		if (entries++) {
			*switches += want;
			if (barriers != want) {
				snprintf(why, sizeof(why),
					 "VM-entry %u of the window: vCPU %u after vCPU %u with %u barriers in between, want %u",
					 entries, e->vcpu, last, barriers, want);
				return why;
			}
		}
		last = e->vcpu;
		barriers = 0;
	}
	return NULL;
}

unsigned int ibpb_by_kvm(const struct ibpb_counts *c, int index)
{
	unsigned int cause, n = 0;

	for (cause = 0; cause < NR_IBPB_CAUSES; cause++)
		n += for_a_guest(cause) ? c->n[index][cause] : 0;
	return n;
}
