// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of KVM's structures that vmlinux itself, compiled with the stock headers,
 * reads and writes. kernel/build compiles this to assembly twice, with the stock headers
 * and with the patched ones, and compares the numbers: modversions would not notice.
 */
#include <linux/kbuild.h>
#include <linux/kvm_host.h>

void layout_probe(void);
void layout_probe(void)
{
	/* kernel/entry/kvm.c */
	DEFINE(vcpu_run, offsetof(struct kvm_vcpu, run));
	DEFINE(vcpu_stat, offsetof(struct kvm_vcpu, stat));
	DEFINE(vcpu_stat_signal_exits, offsetof(struct kvm_vcpu, stat.signal_exits));
	DEFINE(run_exit_reason, offsetof(struct kvm_run, exit_reason));
	/* arch/x86/events/intel/core.c */
	DEFINE(pmu_size, sizeof(struct kvm_pmu));
	DEFINE(pmu_pebs_enable, offsetof(struct kvm_pmu, pebs_enable));
	DEFINE(pmu_host_cross_mapped_mask, offsetof(struct kvm_pmu, host_cross_mapped_mask));
	DEFINE(pmu_ds_area, offsetof(struct kvm_pmu, ds_area));
	DEFINE(pmu_pebs_data_cfg, offsetof(struct kvm_pmu, pebs_data_cfg));
	/* The registers that KVM_RUN shares with userspace follow the union's padding. */
	DEFINE(run_s, offsetof(struct kvm_run, s));
	DEFINE(run_size, sizeof(struct kvm_run));
}
