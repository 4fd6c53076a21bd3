// SPDX-License-Identifier: GPL-2.0-only
#include "cm.h"
#include "explore.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/core.h"
#include "lib/vm/lifecycle.h"
#include "lib/vm/phase.h"
#include "lib/vm/types.h"
#include "phase_flags.h"

#include <stdlib.h>
#include <string.h>

#define KERNEL	0xffffffff81000000ull
#define SFMASK	0x47700ull
#define ESP	0xfffffe0000003000ull
#define CR0_ON	0x80010033ull
#define EFER_ON	0xd01ull

/* No thread has this number: the kernel's limit is 2^22. */
#define NO_THREAD	0x7ffffff0

bool phases_met[NR_PHASES];

static uint64_t *msr(unsigned int n, uint32_t index)
{
	return &mock.vcpus[n].msrs[replay_slot(index)];
}

/* The VMM writes the registers of a reset, or a state. */
static void vmm_acts(unsigned int n, char event)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	regpin_vcpu_before_write(vcpu->regpin);
	if (event == 'R' || event == 'm')
		memset(vcpu->msrs, 0, sizeof(vcpu->msrs));
	if (event == 'R' || event == 'r') {
		vcpu->sregs.cr0 = 0x60000010;
		vcpu->sregs.cr4 = vcpu->sregs.efer = 0;
		vcpu->sregs.cs.base = 0xffff0000;
	}
	if (event == 'd')
		*msr(n, MSR_LSTAR) = 0;
	if (event == 'D') {
		*msr(n, MSR_LSTAR) = KERNEL;
		*msr(n, MSR_SFMASK) = SFMASK;
		*msr(n, MSR_EFER) = vcpu->sregs.efer = EFER_ON;
		vcpu->sregs.cr0 = CR0_ON;
	}
	regpin_vcpu_after_write(vcpu->regpin);
	vcpu->sregs.cs.base = 0;
}

static bool guest_acts(char event, unsigned int n)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	switch (event) {
	case 'L':
		mock_wrmsr(n, MSR_LSTAR, KERNEL);
		return true;
	case 'Z':
		mock_wrmsr(n, MSR_LSTAR, 0);
		return true;
	case 'S':
	case 's':
		mock_wrmsr(n, MSR_SFMASK, event == 'S' ? SFMASK : 0);
		return true;
	case 'P':
		mock_wrmsr(n, MSR_EFER, EFER_ON);
		vcpu->sregs.cr0 = CR0_ON;
		return true;
	case 'Q':
		lifecycle_request(vcpu->regpin);
		return mock.vm->policies.now->arming == ARM_REQUEST;
	case 'V':
		mock_wrmsr(n, MSR_SYSENTER_ESP, ESP);
		return true;
	case 'I':
	case 'i':
		mock_init(n);
		if (event == 'I')
			mock_sipi(n);
		return true;
	case 'X':
		vcpu->run.exit_reason = KVM_EXIT_SHUTDOWN;
		regpin_vcpu_exit(vcpu->regpin);
		return true;
	default:
		vcpu->run.flags ^= 1;	/* KVM_RUN_X86_SMM */
		return true;
	}
}

static bool swap_policy(const struct regpin_policy *other)
{
	static const struct regpin_policy *first;

	if (mock.vm->policies.whole != other)
		first = mock.vm->policies.whole;
	if (regpin_vm_set_policy(mock.vm, mock.vm->policies.whole == other ? first :
								    other))
		return false;
	regpin_vm_policy_done(mock.vm);
	return true;
}

static bool operator_acts(char event, struct regpin_vcpu *vcpu,
			  const struct regpin_policy *other)
{
	switch (event) {
	case 'W':
	case 'O':
		regpin_vm_window(mock.vm, event == 'O');
		return true;
	case 'C':
		regpin_vm_disarm(mock.vm);
		return true;
	case 'A':
		return !regpin_vm_arm(mock.vm);
	case 'Y':
		return swap_policy(other);
	default:
		return !regpin_vcpu_answer(vcpu, event == 'a' ? REGPIN_ALLOW :
								REGPIN_GP);
	}
}

bool happens(char event, unsigned int n, const struct regpin_policy *other)
{
	struct regpin_vcpu *vcpu = mock.vcpus[n].regpin;

	if (strchr("RrmDd", event)) {
		vmm_acts(n, event);
		return true;
	}
	if (strchr("WOCAYag", event))
		return operator_acts(event, vcpu, other);
	if (event == 'G') {
		atomic_store(&vcpu->wake.thread, NO_THREAD);
		return true;
	}
	if (event == 'T')
		pass_time();
	if (event == 'T' || event == 'K') {
		mock_tick(n);
		return true;
	}
	/* All other events need a guest that runs. */
	if (regpin_vcpu_enter(vcpu) != REGPIN_ENTER && event != 'E')
		return false;
	regpin_vcpu_leave(vcpu);
	return event == 'E' || guest_acts(event, n);
}

/*
 * The pins do not count if the phase belongs to an earlier life or is stale: the vCPU
 * detects that before it runs.
 */
static bool is_void(const struct regpin_vcpu *vcpu)
{
	return vcpu->life.vm_life != mock.vm->gate.life ||
	       (phase_counts(vcpu->life.phase) && mock.vm->gate.state == GATE_CLOSED);
}

static unsigned int phase_now(const struct regpin_vcpu *vcpu)
{
	const struct phase_moment moment = { 0 };

	return is_void(vcpu) ?
		phase_next(vcpu->life.phase, PINS_VOID, &moment).to : vcpu->life.phase;
}

static uint8_t *key_vcpu(uint8_t *at, const struct regpin_vcpu *vcpu,
			 uint64_t now, uint64_t deadline)
{
	const struct mock_vcpu *regs = &mock.vcpus[vcpu->id];

	*at++ = (uint8_t)phase_now(vcpu);
	*at++ = is_void(vcpu);
	*at++ = is_void(vcpu) && phase_counts(vcpu->life.phase);
	*at++ = vcpu->life.in_setup;
	*at++ = vcpu->wake.attention;
	*at++ = vcpu->writes.state != VMM_NONE;
	*at++ = vmm_loads(vcpu->writes.state);
	*at++ = vcpu->writes.state == VMM_OFF || vcpu->writes.state == VMM_LOADS_OFF;
	*at++ = vcpu->life.settled_uniform;
	*at++ = vcpu->end.reports_stop;
	*at++ = vcpu->end.in_shutdown;
	*at++ = vcpu->deadline.waived;
	*at++ = vcpu->wake.ticked;
	*at++ = vcpu->deadline.since ? 1 + (now - vcpu->deadline.since >= deadline) : 0;
	*at++ = !!vcpu->detect.polled_at;
	*at++ = (uint8_t)vcpu->hold.why;
	*at++ = (uint8_t)vcpu->hold.answer;
	*at++ = (uint8_t)(vcpu->hold.ticket == REGPIN_ACTION_MAX ?
			  0 : vcpu->hold.ticket);
	*at++ = vcpu->wake.thread == NO_THREAD;
	*at++ = (uint8_t)((*msr(vcpu->id, MSR_LSTAR) != 0) |
			  (*msr(vcpu->id, MSR_SFMASK) != 0) << 1 |
			  (*msr(vcpu->id, MSR_SYSENTER_ESP) != 0) << 2);
	*at++ = (uint8_t)((regs->sregs.cr0 & CR0_PG ? 1 : 0) |
			  (regs->sregs.efer ? 2 : 0) |
			  (regs->run.flags & 1) << 2);
	*at++ = (uint8_t)((vcpu->detect.seen[0] & CR0_PG ? 1 : 0) |
			  (vcpu->detect.efer ? 2 : 0) |
			  (vcpu->detect.efer_filtered ? 4 : 0));
	return at;
}

struct key state_key(unsigned int nr, uint64_t now, uint64_t deadline)
{
	const struct regpin_vm *vm = mock.vm;
	struct key key = { 0 };
	uint8_t *at = key.bytes;

	*at++ = (uint8_t)vm->gate.state;
	*at++ = vm->gate.state == GATE_WINDOW && vm->gate.once;
	*at++ = vm->gate.kernel_seen;
	*at++ = vm->values.ended_by_time;
	*at++ = (uint8_t)vm->values.settled;
	assert_ptr_equal(at, key.bytes + KEY_FIRST);
	*at++ = vm->values.first ? (uint8_t)(1 + vm->values.first->id) : 0;
	*at++ = vm->filters.crs_set;
	*at++ = vm->stopped;
	*at++ = vm->filters.refused;
	*at++ = vm->gate.life != 0;
	*at++ = (uint8_t)vm->gate.cause;
	*at++ = (uint8_t)vm->policies.now->arming;
	*at++ = vm->policies.previous != NULL;
	for (unsigned int n = 0; n < nr; n++)
		at = key_vcpu(at, mock.vcpus[n].regpin, now, deadline);
	return key;
}

/* A vCPU's part of the key, and whether it is the first armed one. */
struct key_part {
	uint8_t bytes[KEY_VCPU], first;
};

static int compare_parts(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key_part));
}

void key_sort(struct key *key, unsigned int nr)
{
	struct key_part parts[MOCK_VCPUS] = { 0 };
	uint8_t *at = key->bytes + KEY_VM;

	for (unsigned int n = 0; n < nr; n++) {
		memcpy(parts[n].bytes, at + n * KEY_VCPU, KEY_VCPU);
		parts[n].first = key->bytes[KEY_FIRST] == n + 1;
	}
	qsort(parts, nr, sizeof(parts[0]), compare_parts);
	for (unsigned int n = 0; n < nr; n++) {
		memcpy(at + n * KEY_VCPU, parts[n].bytes, KEY_VCPU);
		if (parts[n].first)
			key->bytes[KEY_FIRST] = (uint8_t)(n + 1);
	}
}

/*
 * Has the vCPU looked at itself and stayed unpinned, with a kernel and nothing to prevent
 * its pins?
 */
static bool is_forgotten(const struct regpin_vcpu *vcpu)
{
	return !vcpu->wake.attention && mock.vm->gate.state == GATE_OPEN &&
	       *msr(vcpu->id, MSR_LSTAR) && !phase_stale(phase_now(vcpu)) &&
	       !phase_pinned(phase_now(vcpu));
}

const char *state_is_wrong(unsigned int nr)
{
	struct regpin_vm *vm = mock.vm;

	for (unsigned int n = 0; n < nr; n++) {
		const struct regpin_vcpu *vcpu = mock.vcpus[n].regpin;
		unsigned int phase = phase_now(vcpu);

		phases_met[phase] = true;
		if (!vcpu->wake.attention && is_void(vcpu))
			return "the vCPU has looked, and its pins are of another life";
		if (is_forgotten(vcpu))
			return "the vCPU has looked and has a kernel, and is not pinned";
		if (!vcpu->wake.attention && phase == PHASE_READY &&
		    vm->values.settled != UNIFORM_SETTLED)
			return "the vCPU is ready, and the values are not settled";
		if (vcpu->life.settled_uniform && phase != PHASE_READY &&
		    !is_void(vcpu))
			return "the vCPU has settled the values, and is not ready";
		if (vcpu_is_pinned(vcpu) && vm->gate.state != GATE_OPEN)
			return "pins hold while the gate is closed";
	}
	if (vm_is_armed(vm) && vm->filters.crs_wanted && !vm->filters.crs_set &&
	    !vm->stopped)
		return "the VM is armed without the CR filter";
	return NULL;
}
