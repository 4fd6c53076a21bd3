// SPDX-License-Identifier: GPL-2.0-only
/* Prints the life cycle's tables in the form of docs/internals/life-cycle.md. */
#include <stdio.h>

#include "lib/vm/phase.h"
#include "lib/vm/vmm_write.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static const char *const conditions[] = {
	"gate open", "one-kernel window", "arming: start", "LSTAR set",
	"SFMASK not 0", "other kernel seen", "own registers shown",
};

static const char *const opposites[] = {
	"gate closed", "no one-kernel window", "other arming", "LSTAR 0",
	"SFMASK 0", "no other kernel seen", "SMM or nested guest",
};

static const char *const acts[] = {
	"note the kernel", "look again soon", "check the floor",
	"end the window", "pin", "finish if pinned", "remember and settle",
	"keep the VM armed", "leave",
};

static const char *separator;

static void print_item(const char *text)
{
	printf("%s%s", separator, text);
	separator = ", ";
}

static void print_progresses(const struct phase_row *row)
{
	separator = "";
	if (row->pinnings == 1 << READY)
		printf("-");
	else if (row->progresses == (1 << NR_PROGRESS) - 1)
		printf("any");
	else
		for (unsigned int i = 0; i < NR_PROGRESS; i++)
			if (row->progresses & 1 << i)
				print_item(phase_progresses[i]);
}

static void print_row(const struct phase_row *row)
{
	printf("| ");
	separator = "";
	for (unsigned int i = 0; i < NR(phase_pinnings); i++)
		if (row->pinnings & 1 << i)
			print_item(phase_pinnings[i]);
	printf(" | ");
	print_progresses(row);
	printf(" | ");
	separator = "";
	for (unsigned int i = 0; i < NR(conditions); i++) {
		if (row->when & 1 << i)
			print_item(conditions[i]);
		if (row->unless & 1 << i)
			print_item(opposites[i]);
	}
	printf(" | %s%s%s | ",
	       row->pinning == AS_IS ? "as it was" : phase_pinnings[row->pinning],
	       row->pinning == READY ? "" : ", ",
	       row->pinning == READY ? "" :
	       row->progress == AS_IS ? "as it was" :
					phase_progresses[row->progress]);
	separator = "";
	for (unsigned int i = 0; i < NR(acts); i++)
		if (row->act & 1 << i)
			print_item(acts[i]);
	printf(" | %s |\n", row->why);
}

static const char *const vmm_conditions[] = {
	"the vCPU has a past", "reset", "paging was on", "paging is on",
	"pinned", "changed",
};

static const char *const vmm_opposites[] = {
	"no past", "no reset", "paging was off", "paging is off", "not pinned",
	"unchanged",
};

static const char *const vmm_acts[] = {
	[VMM_NOTHING] = "", [VMM_LOAD] = "look for a kernel",
	[VMM_COMPARE] = "report lowered pins", [VMM_INIT] = "INIT",
};

static void print_vmm_row(const struct vmm_row *row)
{
	printf("| ");
	separator = "";
	for (unsigned int i = 0; i < NR_VMM_WRITES; i++)
		if (row->states & 1 << i)
			print_item(vmm_writes[i]);
	printf(" | ");
	separator = "";
	for (unsigned int i = 0; i < NR(vmm_conditions); i++) {
		if (row->when & 1 << i)
			print_item(vmm_conditions[i]);
		if (row->unless & 1 << i)
			print_item(vmm_opposites[i]);
	}
	printf(" | %s | %s | %s |\n",
	       row->to == VMM_SAME ? "as it was" : vmm_writes[row->to],
	       vmm_acts[row->act], row->why);
}

static void print_vmm(void)
{
	for (unsigned int event = 0; event < NR_VMM_EVENTS; event++) {
		printf("\n### VMM: %s\n\n"
		       "| so far | when | then | action | why |\n"
		       "|---|---|---|---|---|\n", vmm_events[event]);
		for (unsigned int i = 0; i < vmm_nr_rows; i++)
			if (vmm_rows[i].event == event)
				print_vmm_row(&vmm_rows[i]);
	}
}

int main(void)
{
	for (unsigned int event = 0; event < NR_HAPPENINGS; event++) {
		printf("\n### %s\n\n"
		       "| pins | set-up | when | then | action | why |\n"
		       "|---|---|---|---|---|---|\n",
		       phase_happenings[event]);
		for (unsigned int i = 0; i < phase_nr_rows; i++)
			if (phase_rows[i].event == event)
				print_row(&phase_rows[i]);
	}
	print_vmm();
	return 0;
}
