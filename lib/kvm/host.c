// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Properties of the running KVM. Nothing is cached: each probe costs a few ioctls, and
 * with kvm_amd a VM for a few milliseconds. The shim uses this file as well, so the code
 * here must neither allocate memory nor use stdio nor change errno.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "host.h"
#include "ioctl.h"
#include "lib/policy/guest.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "uapi.h"
#include "vmload.h"

#define IGNORE_MSRS	"/sys/module/kvm/parameters/ignore_msrs"
#define UNRESTRICTED	"/sys/module/kvm_intel/parameters/unrestricted_guest"

static bool has_cap(int kvm_fd, unsigned long cap)
{
	return kvm_ioctl(kvm_fd, KVM_CHECK_EXTENSION, (void *)cap) > 0;
}

/* Is @word one of the words of @list, which are separated by commas? */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list; list = strchr(list, ',')) {
		if (*list == ',')
			list++;
		if (strncmp(list, word, len) == 0 &&
		    (!list[len] || list[len] == ','))
			return true;
	}
	return false;
}

/* Does @list only have words that HOST_ENV may have? */
static bool are_known_words(const char *list)
{
	static const char *const words[] = {
		"nofilter", "nofilterexit", "nocrfilter", "nokvm", "vmload",
	};

	while (*list) {
		size_t len = strcspn(list, ","), i;

		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strlen(words[i]) == len &&
			    strncmp(words[i], list, len) == 0)
				break;
		if (i == sizeof(words) / sizeof(words[0]))
			return false;
		list += len;
		list += *list == ',';
	}
	return true;
}

static void clear_host(struct host *host, int err)
{
	memset(host, 0, sizeof(*host));
	host->kvm_errno = err;
}

/* Applies HOST_ENV. An unknown word takes all capabilities away, so that it is noticed. */
static void apply_force(struct host *host)
{
	const char *force = getenv(HOST_ENV);

	if (!force)
		return;
	if (!are_known_words(force))
		clear_host(host, EINVAL);
	else if (has_word(force, "nokvm"))
		clear_host(host, ENOENT);
	host->pretended = are_known_words(force) && has_word(force, "nokvm");
	if (has_word(force, "nofilter"))
		host->msr_filter = false;
	if (has_word(force, "nofilterexit"))
		host->msr_exits = false;
	if (has_word(force, "nocrfilter"))
		host->cr_filter = false;
	if (has_word(force, "vmload"))
		host->vmload_open = true;
}

static bool probe_crs(struct host *host, int kvm_fd)
{
	const int flags = KVM_X86_CR_FILTER_EXIT | KVM_X86_CR_FILTER_EXIT_INIT;
	int have = kvm_ioctl(kvm_fd, KVM_CHECK_EXTENSION,
			     (void *)(uintptr_t)KVM_CAP_X86_CR_FILTER);

	if (have < 0 || (have & flags) != flags)
		return false;
	for (uint64_t i = 0; i < NR_CRS; i++) {
		struct kvm_device_attr attr = {
			.group = KVM_X86_GRP_CR_FILTER, .attr = i,
			.addr = (uintptr_t)&host->filterable[i],
		};

		if (kvm_ioctl(kvm_fd, KVM_GET_DEVICE_ATTR, &attr))
			return false;
	}
	return true;
}

/* Is the module parameter @path on? False if there is no such parameter. */
static bool read_flag(const char *path)
{
	char c = 'N';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = 'N';
	close(fd);
	return c == 'Y' || c == '1';
}

/* Reads the CPUID that KVM offers. Newer KVMs ignore other bits in a guest's CPUID. */
static void probe_cpuid(struct host *host, int kvm_fd)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[KVM_MAX_CPUID_ENTRIES];
	} cpuid;

	memset(&cpuid, 0, sizeof(cpuid));
	cpuid.header.nent = KVM_MAX_CPUID_ENTRIES;
	if (kvm_ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &cpuid))
		cpuid.header.nent = 0;
	guest_from_cpuid(&host->offers, &cpuid.header);
	/*
	 * Another KVM may list the MSR although only the host can use it, to read and
	 * write 0.
	 */
	if (host->vendor != HOST_VMX) {
		host->offers.feature_control = 0;
		return;
	}
	/*
	 * With MSR bitmaps, kvm_intel does not intercept a guest's SYSENTER_ESP and
	 * SYSENTER_EIP. All CPUs that can run today's guests have MSR bitmaps.
	 */
	host->linear_bits = linear_bits_from_cpuid(&cpuid.header);
	host->emulates_real_mode = !read_flag(UNRESTRICTED);
}

enum host_vendor host_vendor_of(bool amd, bool intel, bool kvm,
				const char vendor[12])
{
	/*
	 * Both vendor modules are built into the kernel: of loadable modules, only the one
	 * for this CPU loads. AMD's and Hygon's CPUs have SVM; all others that can run KVM
	 * have VMX.
	 */
	if (amd && intel)
		return memcmp(vendor, "AuthenticAMD", 12) == 0 ||
		       memcmp(vendor, "HygonGenuine", 12) == 0 ?
			       HOST_SVM : HOST_VMX;
	if (amd || intel)
		return amd ? HOST_SVM : HOST_VMX;
	return kvm ? HOST_OTHER : HOST_UNKNOWN;
}

static enum host_vendor find_vendor(void)
{
	uint32_t max, words[3] = { 0 };
	char vendor[12];

	__cpuid(0, max, words[0], words[2], words[1]);
	memcpy(vendor, words, sizeof(vendor));
	return host_vendor_of(access("/sys/module/kvm_amd", F_OK) == 0,
			      access("/sys/module/kvm_intel", F_OK) == 0,
			      access("/sys/module/kvm", F_OK) == 0, vendor);
}

static void probe(struct host *host, int kvm_fd)
{
	memset(host, 0, sizeof(*host));
	host->api_version = kvm_ioctl(kvm_fd, KVM_GET_API_VERSION, NULL);
	if (host->api_version < 0) {
		clear_host(host, errno);
		return;
	}
	if (host->api_version != KVM_API_VERSION) {
		host->kvm_errno = EPROTO;
		return;
	}
	/*
	 * KVM_CAP_X86_USER_SPACE_MSR answers 1, not its reasons; the FILTER
	 * reason came with KVM_CAP_X86_MSR_FILTER, in the same release.
	 */
	host->msr_filter = has_cap(kvm_fd, KVM_CAP_X86_MSR_FILTER);
	host->msr_exits = has_cap(kvm_fd, KVM_CAP_X86_USER_SPACE_MSR) &&
			  host->msr_filter;
	host->cr_filter = probe_crs(host, kvm_fd);
	host->smm = has_cap(kvm_fd, KVM_CAP_X86_SMM);
	host->nested = has_cap(kvm_fd, KVM_CAP_NESTED_STATE);
	host->ignore_msrs = read_flag(IGNORE_MSRS);
	host->vendor = find_vendor();
	probe_cpuid(host, kvm_fd);
	host->vmload_open = host->vendor == HOST_SVM &&
			    host_vmload_open(kvm_fd);
}

void host_probe_fd(struct host *host, int kvm_fd)
{
	int saved = errno;

	probe(host, kvm_fd);
	apply_force(host);
	errno = saved;
}

void host_probe(struct host *host)
{
	int saved = errno;
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		clear_host(host, errno);
		apply_force(host);
	} else {
		host_probe_fd(host, fd);
		close(fd);
	}
	errno = saved;
}

static const char *kvm_error(int err)
{
	switch (err) {
	case ENOENT:
		return "there is no /dev/kvm: load kvm_intel or kvm_amd, and switch virtualisation on in the firmware (or nested virtualisation in the host above)";
	case EACCES:
	case EPERM:
		return "no permission to open /dev/kvm: become a member of its group (usually kvm)";
	case ENODEV:
	case ENXIO:
		return "/dev/kvm has no driver: load kvm_intel or kvm_amd";
	case EPROTO:
		return "/dev/kvm has another API version than 12";
	case ENOTTY:
		return "/dev/kvm is not KVM's device";
	case EINVAL:
		return HOST_ENV " has a word that is none of nofilter, nofilterexit, nocrfilter, nokvm, vmload";
	default:
		return "/dev/kvm can't be opened";
	}
}

const char host_vmload_text[] =
	"on this host a guest's VMLOAD loads the syscall and SYSENTER MSRs, FS_BASE and KERNEL_GS_BASE past every filter (kvm_amd uses virtual VMLOAD): load kvm_amd with vls=0";

static bool overlaps(uint32_t index, uint32_t count, uint32_t first,
		     uint32_t last)
{
	return count && index <= last && index + (count - 1) >= first;
}

bool host_vmload_loads(uint32_t index, uint32_t count)
{
	return overlaps(index, count, MSR_SYSENTER_CS, MSR_SYSENTER_EIP) ||
	       overlaps(index, count, MSR_STAR, MSR_SFMASK) ||
	       overlaps(index, count, MSR_FS_BASE, MSR_KERNEL_GS_BASE);
}

static const char *msr_fault(const struct host *host)
{
	if (!host->msr_filter)
		return "this KVM has no MSR filter (KVM_CAP_X86_MSR_FILTER): Linux 5.10 or later has it";
	if (!host->msr_exits)
		return "this KVM can't hand filtered MSR accesses to userspace (KVM_MSR_EXIT_REASON_FILTER): Linux 5.10 or later has it";
	return NULL;
}

const char *host_kvm_fault(const struct host *host)
{
	return host->kvm_errno ? kvm_error(host->kvm_errno) : msr_fault(host);
}

static const char *rule_fault(const struct host *host, const struct rule *rule)
{
	if (host->kvm_errno)
		return kvm_error(host->kvm_errno);
	if (rule->kind != REGPIN_MSR && !host->cr_filter)
		return "this KVM has no CR filter, so writes to control registers can't be stopped (regpin's KVM series adds one)";
	if (msr_fault(host))
		return msr_fault(host);
	/* With ignore_msrs, KVM completes such accesses itself and never exits. */
	if (rule->type == RULE_UNKNOWN && host->ignore_msrs)
		return "kvm's parameter ignore_msrs is on, so KVM ignores accesses to MSRs that it does not know, and forwards none: switch it off (echo 0 > /sys/module/kvm/parameters/ignore_msrs), or leave `unknown` out";
	/* A rule that only reports protects nothing: see vm_report_tolerated(). */
	if (rule->action != REGPIN_REPORT && host_vmload_passes(host, rule))
		return host_vmload_text;
	return NULL;
}

bool host_vmload_passes(const struct host *host, const struct rule *rule)
{
	/* VMLOAD only writes registers, so a rule on reads alone still holds. */
	return host->vmload_open && rule->kind == REGPIN_MSR &&
	       rule_wants(rule) & ACCESS_WRITE &&
	       (rule->type == RULE_DEFAULT ||
		host_vmload_loads(rule->index, rule->count));
}

bool host_enforces(const struct host *host, const struct rule *rule,
		   const char **why)
{
	const char *text = rule_fault(host, rule);

	if (text)
		*why = text;
	return !text;
}
