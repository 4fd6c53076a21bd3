// SPDX-License-Identifier: GPL-2.0-only
#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/ioctl.h"
#include "lib/kvm/pages.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "mock_kvm.h"

#include <errno.h>
#include <stdlib.h>
#include <stdatomic.h>
#include <string.h>


struct mock mock;

/* The bits that INIT cleared; mock_sipi() reports them. */
static struct protections lost[MOCK_VCPUS];
static struct regpin_policy *mock_policy;

const uint32_t mock_others[MOCK_OTHERS] = {
	MSR_TSC_AUX, MSR_MTRR_PHYSBASE0, MSR_MTRR_PHYSBASE0 + 1, 0x2ff,
	MSR_FEATURE_CONTROL, MSR_MCG_CAP
};

static uint64_t *find_msr(struct mock_vcpu *vcpu, uint32_t index)
{
	int slot = replay_slot(index);

	if (slot >= 0)
		return &vcpu->msrs[slot];
	for (int i = 0; i < MOCK_OTHERS; i++)
		if (mock_others[i] == index)
			return &vcpu->others[i];
	return NULL;
}

static int do_msrs(struct mock_vcpu *vcpu, struct kvm_msrs *list, bool write)
{
	if (write && ++mock.nr_sets == mock.failing_set) {
		errno = mock.failing_errno;
		return errno ? -1 : 0;
	}
	for (uint32_t i = 0; i < list->nmsrs; i++) {
		struct kvm_msr_entry *entry = &list->entries[i];
		uint64_t *value = find_msr(vcpu, entry->index);

		if (!value)
			return (int)i;
		if (write)
			*value = entry->data;
		else
			entry->data = *value;
		if (entry->index == MSR_EFER)
			vcpu->sregs.efer = *value;
	}
	return (int)list->nmsrs;
}

static int vcpu_ioctl(struct mock_vcpu *vcpu, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_MSRS:
		return do_msrs(vcpu, arg, false);
	case KVM_SET_MSRS:
		return do_msrs(vcpu, arg, true);
	case KVM_GET_SREGS:
		memcpy(arg, &vcpu->sregs, sizeof(vcpu->sregs));
		return 0;
	case KVM_SET_SREGS:
		memcpy(&vcpu->sregs, arg, sizeof(vcpu->sregs));
		vcpu->msrs[replay_slot(MSR_EFER)] = vcpu->sregs.efer;
		return 0;
	case KVM_GET_REGS:
		memset(arg, 0, sizeof(struct kvm_regs));
		return 0;
	case KVM_GET_XCRS:
		memset(arg, 0, sizeof(struct kvm_xcrs));
		return 0;
	case KVM_SET_REGS:
		return 0;
	case KVM_GET_VCPU_EVENTS:
		memset(arg, 0, sizeof(struct kvm_vcpu_events));
		((struct kvm_vcpu_events *)arg)->flags =
			KVM_VCPUEVENT_VALID_NMI_PENDING |
			KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM;
		((struct kvm_vcpu_events *)arg)->smi.smm = vcpu->run.flags & 1;
		return 0;
	case KVM_GET_NESTED_STATE:
		/* A kernel before 6.10 sets no flag in struct kvm_run. */
		((struct kvm_nested_state *)arg)->flags =
			vcpu->in_l2 ? KVM_STATE_NESTED_GUEST_MODE : 0;
		return 0;
	case KVM_SET_VCPU_EVENTS:
		memcpy(&mock.put, arg, sizeof(mock.put));
		return 0;
	case KVM_RUN:	/* The entry only completes an exit. */
		errno = EINTR;
		return -1;
	}
	errno = ENOTTY;
	return -1;
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	if (mock.before)
		mock.before(fd, request);
	if (request == mock.fails) {
		errno = mock.fails_with;
		return mock.fails_with ? -1 : 0;
	}
	if (fd >= 0 && fd < MOCK_VCPUS)
		return vcpu_ioctl(&mock.vcpus[fd], request, arg);
	if (fd == MOCK_VM && request == KVM_X86_SET_CR_FILTER) {
		memcpy(&mock.filter, arg, sizeof(mock.filter));
		mock.nr_filters++;
		return 0;
	}
	if (fd == MOCK_VM && (request == KVM_ENABLE_CAP ||
			      request == KVM_X86_SET_MSR_FILTER))
		return 0;
	errno = EIO;
	return -1;
}

/* vCPUs of several threads send events at the same time, as to the ring. */
static void on_event(void *context, const struct regpin_event *event)
{
	static atomic_flag lock = ATOMIC_FLAG_INIT;

	(void)context;
	while (atomic_flag_test_and_set(&lock))
		__builtin_ia32_pause();
	if (mock.nr_events < MOCK_EVENTS)
		mock.events[mock.nr_events++] = *event;
	atomic_flag_clear(&lock);
}

static void on_kick(void *context, struct regpin_vcpu *vcpu)
{
	(void)context;
	(void)vcpu;
}

/* regpin_vm_attach() would ask /dev/kvm, so set the members directly. */
void mock_open(struct regpin_policy *policy)
{
	memset(&mock, 0, sizeof(mock));
	memset(lost, 0, sizeof(lost));
	mock_policy = policy;
	assert_int_equal(finish_policy(policy), 0);
	mock.vm = pages_alloc(sizeof(*mock.vm));
	assert_non_null(mock.vm);
	mock.vm->policies.now = policy;
	mock.vm->policies.whole = policy;
	mock.vm->fd = MOCK_VM;
	mock.vm->options.event = on_event;
	mock.vm->options.kick = on_kick;
	mock.vm->host.cr_filter = true;
	mock.vm->host.msr_filter = mock.vm->host.msr_exits = true;
	memset(mock.vm->host.filterable, 0xff,
	       sizeof(mock.vm->host.filterable));
	mock.vm->filters.msrs_wanted = mock.vm->filters.crs_wanted = true;
	for (unsigned int i = 0; i < MOCK_VCPUS; i++) {
		struct mock_vcpu *vcpu = &mock.vcpus[i];

		vcpu->sregs.cr0 = 0x60000010;
		assert_int_equal(regpin_vcpu_attach(mock.vm, (int)i, i,
						    &vcpu->run, &vcpu->regpin),
				 0);
		vcpu->regpin->guest.efer_forbidden = 0;
	}
}

void mock_open_stock(struct regpin_policy *policy)
{
	mock_open(policy);
	mock.vm->host.cr_filter = false;
	memset(mock.vm->host.filterable, 0, sizeof(mock.vm->host.filterable));
	mock.vm->filters.crs_wanted = false;
	mock.vm->polled = true;
}

void mock_close(void)
{
	for (unsigned int i = 0; i < MOCK_VCPUS; i++)
		regpin_vcpu_detach(mock.vcpus[i].regpin);
	regpin_vm_detach(mock.vm);
	free(mock_policy);
	mock.before = NULL;
}

unsigned int mock_count(unsigned int type)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < mock.nr_events; i++)
		count += mock.events[i].type == type;
	return count;
}

bool mock_wrmsr(unsigned int n, uint32_t index, uint64_t value)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = KVM_EXIT_X86_WRMSR;
	vcpu->run.msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	vcpu->run.msr.index = index;
	vcpu->run.msr.data = value;
	vcpu->run.msr.error = 0;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 1);
	regpin_vcpu_leave(vcpu->regpin);
	return !vcpu->run.msr.error;
}

bool mock_mov_cr(unsigned int n, unsigned int cr, uint64_t value)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];
	__u64 *reg = cr ? &vcpu->sregs.cr4 : &vcpu->sregs.cr0;
	unsigned int nr = cr ? KVM_X86_CR_FILTER_CR4 : KVM_X86_CR_FILTER_CR0;
	const struct kvm_x86_cr_filter_reg *f = &mock.filter.regs[nr];
	struct regpin_cr_write *w = regpin_cr_write(&vcpu->run);

	regpin_vcpu_enter(vcpu->regpin);
	if ((*reg & ~value & f->clear_mask) || (~*reg & value & f->set_mask)) {
		vcpu->run.exit_reason = KVM_EXIT_X86_CR_WRITE;
		*w = (struct regpin_cr_write){ .error = 1, .reg = nr };
		w->old_value = *reg;
		w->value = value;
		assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 1);
		regpin_vcpu_leave(vcpu->regpin);
		if (w->error)
			return false;
		value = w->value;
	}
	*reg = value;
	regpin_vcpu_leave(vcpu->regpin);
	return true;
}

int mock_look(unsigned int n)
{
	struct regpin_vcpu *vcpu = mock.vcpus[n].regpin;
	int entry;

	vcpu_alert(vcpu);
	entry = regpin_vcpu_enter(vcpu);
	regpin_vcpu_leave(vcpu);
	return entry;
}

int mock_tick(unsigned int n)
{
	regpin_vcpu_tick(mock.vcpus[n].regpin);
	return mock_look(n);
}

void mock_init(unsigned int n)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	lost[n] = (struct protections){ vcpu->sregs.cr0, vcpu->sregs.cr4,
					vcpu->sregs.efer };
	vcpu->sregs.cr0 = 0x60000010;
	vcpu->sregs.cr4 = vcpu->sregs.efer = 0;
	vcpu->msrs[replay_slot(MSR_EFER)] = 0;
}

void mock_sipi(unsigned int n)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];
	struct regpin_cr_write *w = regpin_cr_write(&vcpu->run);

	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = KVM_EXIT_X86_CR_WRITE;
	*w = (struct regpin_cr_write){ .cause = KVM_X86_CR_CAUSE_INIT };
	w->init.cr0 = lost[n].cr0;
	w->init.cr4 = lost[n].cr4;
	w->init.efer = lost[n].efer;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 1);
	regpin_vcpu_enter(vcpu->regpin);
	regpin_vcpu_leave(vcpu->regpin);
}

void mock_boot(unsigned int n, uint64_t cr4)
{
	assert_true(mock_wrmsr(n, MSR_EFER, 0xd01));
	assert_true(mock_mov_cr(n, 0, 0x80010033));
	assert_true(mock_mov_cr(n, 1, cr4));
	assert_true(mock_wrmsr(n, MSR_LSTAR, 0xffffffff81000000));
	assert_true(mock_wrmsr(n, MSR_SFMASK, 0x47700));
}
