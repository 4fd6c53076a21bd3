// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are `regpin sim` and `regpin explain` right? Random policies, as text; the life of a
 * guest under each on the KVM of this host; and what both programs predict for it: what
 * the guest sees, the register's value afterwards, the events and their rules.
 *
 *	test_live_believe REGPIN [POLICIES [SEED [ACCESSES]]]
 *
 * Not compared, and counted where they occur:
 * - the values of registers that change by themselves, or of which KVM makes another value
 *   than was written (the trace then gives that value); outcomes and events are compared;
 * - accesses that the CPU refuses without asking KVM, and values that KVM changes in
 *   registers that regpin remembers (SYSENTER_ESP that is not canonical);
 * - under TCG (TINY_TCG) values that it accepts where KVM refuses or cuts them;
 * - writes that do more than change a register: APIC_BASE, clocks, paravirtual MSRs;
 * - what follows a mask that leaves a value which KVM refuses: a trace cannot express that;
 * - explain, after the VMM or the operator has changed something, and its `require`.
 * Control registers, INIT, hypercalls, looks and time are tested elsewhere: see
 * test_rules.c, test_detect.c and tests/lab.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "believe.h"
#include "lib/judge/replay.h"
#include "lib/policy/guest.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "msr_probe.h"
#include "policy/policy_file.h"
#include "scene.h"

#define POLICIES	1000u
#define ACCESSES	50u

struct life recorded;
struct tally tally;
static struct tiny_vm twin_vm;
static struct tiny_vcpu twins[TINY_MODE_MAX];
static struct guest guest;
static const char *regpin;
static char dir[100];
char policy_path[128], trace_path[128], output[MAX_OUTPUT];
bool repeats;
static bool shown;
static uint64_t now_seed;

/* Counts a difference. The policy and trace are printed once. */
void differs(const struct step *step, unsigned int number, const char *format,
	     ...)
{
	va_list args;

	if (tally.wrong++ > 40)
		return;
	printf("# seed %" PRIu64 ", step %u (vCPU %u %s 0x%x, 0x%" PRIx64 " over 0x%" PRIx64 "%s): ",
	       now_seed, number, step->vcpu, step->op == TRACE_WRMSR ? "writes" :
	       step->op == TRACE_RDMSR ? "reads" : "op", step->index,
	       step->value, step->before, step->refusal ? ", refused" : "");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	shown = true;
}

/* Prints the output of `regpin COMMAND`. Returns its exit status. */
int ask(const char *command, const char *trace)
{
	char line[512];
	size_t used = 0, got;
	FILE *pipe;

	snprintf(line, sizeof(line), "%s %s --json --stock --guest %.12s:0x%x:0x%x %s %s 2>&1",
		 regpin, command, guest.vendor, guest.family, guest.model,
		 policy_path, trace);
	pipe = popen(line, "r");
	if (!pipe)
		abort();
	while ((got = fread(output + used, 1, sizeof(output) - 1 - used, pipe)))
		used += got;
	output[used] = 0;
	return pclose(pipe);
}

/* Does this KVM run a WRMSR twice? Tested without regpin. */
static void find_repeats(void)
{
	static uint8_t none[1];
	struct kvm_msr_filter filter = {
		.ranges[0] = { .flags = KVM_MSR_FILTER_WRITE, .base = MSR_EFER,
			       .nmsrs = 1, .bitmap = none },
	};
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;
	uint64_t efer = 0;
	int exits = 0;

	tiny_vm_new(&vm);
	probe_reasons(&vm, KVM_MSR_EXIT_REASON_FILTER);
	if (ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, &filter))
		abort();
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	tiny_get_msr(&vcpu, MSR_EFER, &efer);
	tiny_prepare(&vcpu, TINY_WRMSR, MSR_EFER, efer ^ EFER_NXE);
	while (!tiny_run(&vcpu) && exits < 5 &&
	       vcpu.run->exit_reason == KVM_EXIT_X86_WRMSR) {
		exits++;
		tiny_set_msr(&vcpu, MSR_EFER, efer ^ EFER_NXE);
		vcpu.run->msr.error = 0;
	}
	repeats = exits > 1;
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
}

/* Explain claims @action: do the guest's view and the register's value agree? */
static void compare_fate(const struct step *step, unsigned int n,
			 unsigned int action)
{
	int fate = action == REGPIN_GP ? TINY_GP :
		   action == REGPIN_PAUSE ? TINY_HELD :
		   action == REGPIN_STOP ? TINY_STOPPED : 0;
	uint64_t kept = step->index == MSR_EFER ? EFER_LMA : 0;
	uint64_t left = action < REGPIN_MASK ?
		(step->value & ~kept) | (step->before & kept) : step->before;
	bool undone = step->fate == TINY_GP && step->after == step->before;

	/* KVM may refuse the access itself, or the value that a mask left. */
	if ((step->refusal && action < REGPIN_DROP) ||
	    (action == REGPIN_MASK && undone))
		return;
	if (step->fate != fate)
		differs(step, n, "it ends with %d, explain: \"%s\"", step->fate,
			explain_last_sentence());
	else if (step->op == TRACE_WRMSR && step->known &&
		 !step->volatile_value && action != REGPIN_MASK &&
		 step->after != left)
		differs(step, n, "it holds 0x%" PRIx64 ", explain: \"%s\"",
			step->after, explain_last_sentence());
}

/* Compares the claims of explain: the event's action, and what the guest sees. */
static void compare_claim(const struct step *step, unsigned int n)
{
	const struct regpin_event *e = violation(step);
	struct claim claim = explain_claim(output, step), refused;
	unsigned int action = e ? e->action : REGPIN_ALLOW;
	const struct rule *rule = e && e->rule < recorded.policy->nr_rules ?
		&recorded.policy->rules[e->rule] : NULL;

	/* The floor is explained elsewhere. */
	if ((rule && rule->type == RULE_REQUIRE && step->index == MSR_LSTAR) ||
	    stopped_at_the_door(step) || judged_twice(step)) {
		tally.odd_phase++;
		return;
	}
	tally.claims++;
	/* KVM may refuse an access that the policy allows. */
	if (step->refusal && !claim.answered && !claim.request &&
	    claim.action < REGPIN_DROP && (!rule || rule_is_wide(rule))) {
		refused = explain_refused(output, step);
		claim.action = refused.found && (refused.action != REGPIN_GP) ?
			refused.action : REGPIN_ALLOW;
		claim.answered = refused.answered;
		claim.value = refused.value;
		if (step->fate != (claim.answered || claim.action == REGPIN_DROP ?
				   0 : TINY_GP))
			differs(step, n, "it ends with %d, explain: \"%s\"",
				step->fate, explain_last_sentence());
	}
	/* The man page states that KVM may change the value that a mask leaves. */
	if (e && claim.action == REGPIN_MASK &&
	    !replay_kept(step->index, (step->value & ~e->bits) |
				      (step->before & e->bits)))
		claim.action = REGPIN_GP;
	if (action != claim.action)
		differs(step, n, "%s was done by %s, explain: \"%s\" (armed %d, done %d, beside %d, settled %d, common 0x%" PRIx64 ")",
			regpin_action_names[action],
			rule ? rule_type_names[rule->type] : "no rule",
			explain_last_sentence(), step->moment.armed,
			step->moment.done, step->moment.beside,
			step->moment.settled, step->moment.common);
	if (claim.answered && (step->fate || step->read != claim.value))
		differs(step, n, "it read 0x%" PRIx64 " (%d), explain: \"%s\"",
			step->read, step->fate, explain_last_sentence());
	if (claim.request && step->fate)
		differs(step, n, "a request ends with %d", step->fate);
	if (!claim.request && !claim.answered)
		compare_fate(step, n, claim.action);
}

static void compare_explain(void)
{
	int status = ask("explain", "");

	if (status) {
		differs(&recorded.steps[0], 0, "explain ends with %d: %.300s", status,
			output);
		return;
	}
	for (unsigned int i = 0; i < recorded.nr_steps; i++) {
		const struct step *step = &recorded.steps[i];

		if (step->strange)
			break;
		if (step->op == TRACE_ANSWER || step->fate == TINY_STOPPED)
			break;
		if (step->op == TRACE_RDMSR || step->op == TRACE_WRMSR)
			compare_claim(step, i + 1);
	}
}

static bool new_policy_text(uint64_t *seed, char *text, size_t size,
			    struct regpin_policy *policy,
			    struct problems *problems)
{
	FILE *file;

	believe_policy(text, size, seed, guest.vendor, guest.family, guest.model);
	file = fopen(policy_path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
	if (!policy_text_file(policy_path, policy, problems))
		return true;
	tally.rejected++;
	return false;
}

static void one(uint64_t seed, unsigned int accesses,
		struct regpin_policy *policy, struct problems *problems)
{
	static char text[BELIEVE_TEXT];
	uint64_t own = seed * 0x9e3779b97f4a7c15ull + 1;

	while (!new_policy_text(&own, text, sizeof(text), policy, problems))
		;
	now_seed = seed;
	tally.policies++;
	tally.armings[policy->arming]++;
	recorded.policy = policy;
	recorded.seed = own;
	recorded.mode = seed % 3 || tiny_no_unpaged_lme() ? TINY_LONG :
							TINY_PROTECTED;
	recorded.twin = &twins[recorded.mode];
	recorded.skipped = 0;
	shown = false;
	believe_live(&recorded, accesses);
	tally.skipped += recorded.skipped;
	believe_sim();
	compare_explain();
	if (shown && tally.printed++ < 5) {
		for (char *line = strtok(text, "\n"); line;
		     line = strtok(NULL, "\n"))
			printf("#   %s\n", line);
	}
}

static void make_dir(void)
{
	const char *in = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/believe.XXXXXX", in && *in ? in : "/tmp");
	if (!mkdtemp(dir)) {
		printf("Bail out! %s: %s\n", dir, strerror(errno));
		exit(2);
	}
	snprintf(policy_path, sizeof(policy_path), "%s/p.yaml", dir);
	snprintf(trace_path, sizeof(trace_path), "%s/t.trace", dir);
}

static void open_twins(void)
{
	tiny_vm_new(&twin_vm);
	probe_reasons(&twin_vm, KVM_MSR_EXIT_REASON_UNKNOWN |
				KVM_MSR_EXIT_REASON_INVAL);
	tiny_vcpu_new(&twin_vm, &twins[TINY_LONG], 0, TINY_LONG);
	tiny_vcpu_new(&twin_vm, &twins[TINY_PROTECTED], 1, TINY_PROTECTED);
	guest_from_cpuid(&guest, twin_vm.cpuid);
}

static void remove_files(void)
{
	unlink(policy_path);
	unlink(trace_path);
	rmdir(dir);
}

static void print_tally(void)
{
	printf("# %u accesses, %u lines; %u values not compared, %u accesses left out, %u traces cut by a mask that KVM refuses; %u claims, %u of require left out\n",
	       tally.accesses, tally.steps, tally.volatiles, tally.skipped,
	       tally.cut, tally.claims, tally.odd_phase);
	printf("# %u texts were no policies; of accesses %u ended well, %u with #GP, %u held, %u stopped; KVM did not know %u, refused %u\n",
	       tally.rejected, tally.fates[0], tally.fates[TINY_GP],
	       tally.fates[TINY_HELD], tally.fates[TINY_STOPPED],
	       tally.refusals[TRACE_UNKNOWN], tally.refusals[TRACE_INVALID]);
	if (repeats)
		printf("# this KVM runs a WRMSR again that changes NXE or LME: %u events came twice\n",
		       tally.repeated);
	for (int i = 0; i < RULE_TYPE_MAX; i++)
		printf("# events by %s: %u\n", rule_type_names[i], tally.types[i]);
	for (int i = 1; i < REGPIN_ACTION_MAX; i++)
		printf("# events with %s: %u\n", regpin_action_names[i],
		       tally.actions[i]);
}

/* Were all types of rules and all actions compared? */
static bool covered(unsigned int policies)
{
	bool all = tally.policies == policies;

	for (int i = 0; i < RULE_TYPE_MAX; i++)
		all = all && (tally.types[i] || i == RULE_VALUE || i == RULE_ALLOW);
	for (int i = 1; i < REGPIN_ACTION_MAX; i++)
		all = all && tally.actions[i];
	for (int i = 0; i < ARM_MAX; i++)
		all = all && tally.armings[i];
	return all;
}

int main(int argc, char **argv)
{
	unsigned int policies = argc > 2 ? (unsigned int)atoi(argv[2]) : POLICIES;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	unsigned int accesses = argc > 4 ? (unsigned int)atoi(argv[4]) : ACCESSES;
	struct problems *problems = problems_new();
	struct regpin_policy *policy = calloc(1, sizeof(*policy));
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	regpin = argc > 1 ? argv[1] : NULL;
	if (!regpin || !policy || !problems)
		return 2;
	make_dir();
	open_twins();
	find_repeats();
	for (unsigned int i = 0; i < policies; i++)
		one(seed + i, accesses, policy, problems);
	print_tally();
	ok(!tally.wrong, "%u policies x %u accesses: %u differences", policies,
	   accesses, tally.wrong);
	if (policies >= 200)
		ok(covered(policies), "each rule, action and arming was met");
	if (tally.wrong)
		printf("# the last policy and trace: %s\n", dir);
	else
		remove_files();
	tiny_vcpu_free(&twins[TINY_LONG]);
	tiny_vcpu_free(&twins[TINY_PROTECTED]);
	tiny_vm_free(&twin_vm);
	free(policy);
	problems_free(problems);
	return tap_done();
}
