// SPDX-License-Identifier: GPL-2.0-only
/* The VMM of the roads: a VM, its pins, its exits. */
#include <errno.h>

#include "roads.h"

#define LOW_FROM	0x2000ul	/* the library allocates nothing before it */
#define LOW_TO		0x100000ul
#define MEMORY		0x800000ul

/*
 * Like the library's vm_create(), but the first MiB is kept free for the attacks, where
 * the library would load the program.
 */
static struct kvm_vm *new_vm(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_DEFAULT);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, 0, 0,
				    MEMORY / getpagesize(), 0);
	if (vm_phy_pages_alloc(vm, (LOW_TO - LOW_FROM) / getpagesize(),
			       LOW_FROM, 0) != LOW_FROM)
		is_broken("the first MiB is not free");
	kvm_vm_elf_load(vm, program_invocation_name);
	ucall_init(vm, MEMORY);
	kvm_arch_vm_post_create(vm);
	virt_map(vm, (uint64_t)low(0), 0, LOW_TO / getpagesize());
	return vm;
}

struct kvm_vm *road_vm(struct kvm_vcpu **vcpu, void *guest)
{
	struct kvm_vm *vm = new_vm();

	*vcpu = vm_vcpu_add(vm, 0, guest);
	return vm;
}

struct kvm_vm *road_vm2(struct kvm_vcpu **vcpu, void *guest,
			struct kvm_vcpu **other, void *others_guest)
{
	struct kvm_vm *vm = new_vm();

	*vcpu = vm_vcpu_add(vm, 0, guest);
	if (other)
		*other = vm_vcpu_add(vm, 1, others_guest);
	return vm;
}

void road_smm_memory(struct kvm_vm *vm)
{
	struct userspace_mem_region *slot0 = memslot2region(vm, 0);
	struct kvm_userspace_memory_region region = {
		.slot = 1u << 16,
		.memory_size = slot0->region.memory_size,
		.guest_phys_addr = slot0->region.guest_phys_addr,
		.userspace_addr = slot0->region.userspace_addr,
	};

	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

void road_set_filter(struct kvm_vm *vm, const struct kvm_x86_cr_filter *filter)
{
	if (have_cr_filter)
		vm_ioctl(vm, KVM_X86_SET_CR_FILTER, (struct kvm_x86_cr_filter *)filter);
}

void road_pin(struct kvm_vm *vm, unsigned int flags)
{
	struct kvm_x86_cr_filter filter = { .flags = flags };

	filter.regs[KVM_X86_CR_FILTER_CR0].clear_mask = PIN_CR0;
	filter.regs[KVM_X86_CR_FILTER_CR4].clear_mask = PIN_CR4;
	road_set_filter(vm, &filter);
}

void road_deny_msr(struct kvm_vm *vm, uint32_t msr)
{
	uint8_t bitmap = 0;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_WRITE, .nmsrs = 1, .base = msr,
			.bitmap = &bitmap,
		},
	};

	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

int road_run(struct kvm_vcpu *vcpu, struct said *said)
{
	struct ucall uc;

	if (said)
		memset(said, 0, sizeof(*said));
	if (__vcpu_run(vcpu))
		return -errno;
	if (vcpu->run->exit_reason != KVM_EXIT_IO)
		return vcpu->run->exit_reason;
	switch (get_ucall(vcpu, &uc)) {
	case UCALL_SYNC:
		if (said) {
			said->stage = uc.args[1];
			memcpy(said->values, uc.args + 2, sizeof(said->values));
		}
		break;
	case UCALL_ABORT:
		is_broken("the guest gave up: %s:%lu: %s",
			  (const char *)uc.args[GUEST_FILE],
			  uc.args[GUEST_LINE], uc.buffer);
	}
	return KVM_EXIT_IO;
}

struct said road_run_to(struct kvm_vcpu *vcpu, uint64_t stage)
{
	struct said said;
	int reason = road_run(vcpu, &said);

	if (reason != KVM_EXIT_IO || said.stage != stage)
		is_broken("the guest does not reach stage %lu: %s, stage %lu",
			  stage, road_exit(vcpu, reason), said.stage);
	return said;
}

const char *road_exit(struct kvm_vcpu *vcpu, int reason)
{
	static char text[80];

	if (reason < 0)
		snprintf(text, sizeof(text), "KVM_RUN: %s", strerror(-reason));
	else if (reason == KVM_EXIT_IO)
		snprintf(text, sizeof(text), "KVM_EXIT_IO, port %#x",
			 vcpu->run->io.port);
	else if (reason == KVM_EXIT_SHUTDOWN)
		return "KVM_EXIT_SHUTDOWN";
	else if (reason == KVM_EXIT_X86_CR_WRITE)
		snprintf(text, sizeof(text), "KVM_EXIT_X86_CR_WRITE, cause %u",
			 road_cr_write(vcpu)->cause);
	else if (reason == KVM_EXIT_FAIL_ENTRY)
		return "KVM_EXIT_FAIL_ENTRY";
	else if (reason == KVM_EXIT_INTERNAL_ERROR)
		snprintf(text, sizeof(text), "KVM_EXIT_INTERNAL_ERROR %u",
			 vcpu->run->internal.suberror);
	else
		snprintf(text, sizeof(text), "exit reason %d", reason);
	return text;
}

uint64_t road_cr0(struct kvm_vcpu *vcpu)
{
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	return sregs.cr0;
}

uint64_t road_cr4(struct kvm_vcpu *vcpu)
{
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	return sregs.cr4;
}

void road_judge(struct kvm_vcpu *vcpu, int reason, const struct said *said)
{
	uint64_t cr0, cr4;

	if (reason == KVM_EXIT_SHUTDOWN)
		is_closed("KVM_EXIT_SHUTDOWN");
	if (reason == KVM_EXIT_X86_CR_WRITE)
		is_closed("KVM_EXIT_X86_CR_WRITE: register %u, bits %#llx, the VMM decides",
			  road_cr_write(vcpu)->reg,
			  road_cr_write(vcpu)->filtered);
	if (reason != KVM_EXIT_IO || said->stage != ATTACKED)
		is_broken("%s, stage %lu", road_exit(vcpu, reason),
			  said->stage);
	cr0 = said->values[0];
	cr4 = said->values[1];
	/* On SVM the guest reads the host's CR4.MCE, so only the pins are compared. */
	if ((cr0 ^ road_cr0(vcpu)) & PIN_CR0 || (cr4 ^ road_cr4(vcpu)) & PIN_CR4)
		is_broken("the guest sees CR0 %#lx, CR4 %#lx, the host %#lx, %#lx",
			  cr0, cr4, road_cr0(vcpu), road_cr4(vcpu));
	if (~cr0 & PIN_CR0)
		is_open("the guest runs with CR0 %#lx", cr0);
	if (~cr4 & PIN_CR4)
		is_open("the guest runs with CR4 %#lx", cr4);
	if (said->values[2] >= VMFAIL(0))
		is_closed("VMfail %lu, CR0 %#lx, CR4 %#lx",
			  said->values[2] - VMFAIL(0), cr0, cr4);
	if (!said->values[2])
		is_broken("no exception, and the bits are still there");
	is_closed("exception %lu, CR0 %#lx, CR4 %#lx", said->values[2], cr0,
		  cr4);
}

void road_go_on(struct kvm_vcpu *vcpu)
{
	struct said said;
	int reason = road_run(vcpu, &said);

	road_judge(vcpu, reason, &said);
}

struct kvm_vcpu *road_svm_vm(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest);
	vm_vaddr_t svm;

	vcpu_alloc_svm(vm, &svm);
	vcpu_args_set(vcpu, 1, svm);
	road_smm_memory(vm);
	return vcpu;
}

struct kvm_vcpu *road_vmx_vm(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest);
	vm_vaddr_t vmx;

	vcpu_alloc_vmx(vm, &vmx);
	vcpu_args_set(vcpu, 1, vmx);
	road_smm_memory(vm);
	return vcpu;
}
