// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which files count as a KVM, and which of its answers count. The test gives the
 * answers.
 */
#include "cm.h"
#include "lib/kvm/host.h"
#include "lib/kvm/ioctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


#define FLAGS	(KVM_X86_CR_FILTER_EXIT | KVM_X86_CR_FILTER_EXIT_INIT)

static struct {
	int version, flags;
	uint64_t no_register;	/* KVM cannot report the filter of this one */
	bool no_cpuid;
	unsigned int asked;	/* number of registers that were asked for */
} kvm;

static int refuse(int err)
{
	errno = err;
	return -1;
}

/* KVM_CREATE_VM fails, so the trial of VMLOAD finds nothing. */
int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	const struct kvm_device_attr *attr = arg;

	(void)fd;
	switch (request) {
	case KVM_GET_API_VERSION:
		return kvm.version >= 0 ? kvm.version : refuse(EIO);
	case KVM_CHECK_EXTENSION:
		return (uintptr_t)arg == KVM_CAP_X86_CR_FILTER ? kvm.flags : 1;
	case KVM_GET_DEVICE_ATTR:
		assert_int_equal(attr->group, KVM_X86_GRP_CR_FILTER);
		if (attr->attr == kvm.no_register)
			return refuse(ENXIO);
		*(uint64_t *)(uintptr_t)attr->addr = 0x100 + attr->attr;
		kvm.asked++;
		return 0;
	case KVM_GET_SUPPORTED_CPUID:
		if (kvm.no_cpuid)
			return refuse(E2BIG);
		((struct kvm_cpuid2 *)arg)->nent = 1;
		((struct kvm_cpuid2 *)arg)->entries[0] =
			(struct kvm_cpuid_entry2){ .function = 0x80000001,
						   .ecx = 1 << 2 };	/* SVM */
		return 0;
	}
	return refuse(ENOTTY);
}

static void begin(void)
{
	unsetenv(HOST_ENV);
	memset(&kvm, 0, sizeof(kvm));
	kvm.version = KVM_API_VERSION;
	kvm.flags = FLAGS;
	kvm.no_register = UINT64_MAX;
}

static void test_filter(void **state)
{
	struct host host;

	begin();
	host_probe_fd(&host, 3);
	assert_int_equal(host.kvm_errno, 0);
	assert_true(host.msr_filter && host.msr_exits && host.cr_filter);
	assert_true(host.smm && host.nested);
	for (uint64_t i = 0; i < NR_CRS; i++)
		assert_int_equal(host.filterable[i], 0x100 + i);
	assert_true(host.offers.svm);
}

/* A filter that lacks a part counts as none, so rules on control registers are polled. */
static void test_part_of_a_filter(void **state)
{
	static const int lacking[] = { 0, KVM_X86_CR_FILTER_EXIT,
				       KVM_X86_CR_FILTER_EXIT_INIT };
	struct host host;

	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		begin();
		kvm.flags = lacking[i];
		host_probe_fd(&host, 3);
		assert_false(host.cr_filter);
		assert_int_equal(kvm.asked, 0);
	}
	for (uint64_t i = 0; i < NR_CRS; i++) {
		begin();
		kvm.no_register = i;
		host_probe_fd(&host, 3);
		assert_false(host.cr_filter);
		assert_true(host.msr_filter);
	}
}

static void test_other_version(void **state)
{
	struct host host;

	begin();
	kvm.version = KVM_API_VERSION + 1;
	errno = 99;
	host_probe_fd(&host, 3);
	assert_int_equal(errno, 99);
	assert_int_equal(host.kvm_errno, EPROTO);
	assert_false(host.msr_filter || host.msr_exits || host.cr_filter);
	begin();
	kvm.version = -1;
	host_probe_fd(&host, 3);
	assert_int_equal(host.kvm_errno, EIO);
}

static void test_no_cpuid(void **state)
{
	struct host host;

	begin();
	kvm.no_cpuid = true;
	host_probe_fd(&host, 3);
	assert_int_equal(host.kvm_errno, 0);
	assert_false(host.offers.svm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_part_of_a_filter),
		cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_no_cpuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
