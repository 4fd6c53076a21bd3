// SPDX-License-Identifier: LGPL-2.1-or-later
/* Properties of the running KVM that depend on its version; see host_traits.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "host_traits.h"
#include "ioctl.h"

/* The kernel headers of Debian 12 lack these. */
#define CAP_VM_TYPES		235
#define QUIRK_NESTED_SVM_SHARED_PAT	(1 << 11)

#define PARAMETER	"/sys/module/kvm_amd/parameters/"

/* KVM_CHECK_EXTENSION; 0 if it fails. */
static int check_cap(int kvm_fd, unsigned long cap)
{
	int ret = kvm_ioctl(kvm_fd, KVM_CHECK_EXTENSION, (void *)cap);

	return ret < 0 ? 0 : ret;
}

static enum host_answer yes_no(bool yes)
{
	return yes ? HOST_YES : HOST_NO;
}

/* Is the parameter @path of kvm_amd on? A kvm_amd without it does not have the feature. */
static enum host_answer read_parameter(const struct host *host, const char *path)
{
	char c = '0';
	int fd;

	if (host->vendor != HOST_SVM)
		return HOST_NO;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? HOST_NO : HOST_NOT_KNOWN;
	if (read(fd, &c, 1) != 1)
		c = '0';
	close(fd);
	return yes_no(c == 'Y' || c == '1');
}

const char *host_vm_type_name(unsigned int type)
{
	static const char *const names[] = {
		[2] = "SEV", [3] = "SEV-ES", [4] = "SEV-SNP", [5] = "TDX",
	};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

enum host_answer host_deadline_of(enum host_vendor vendor, const char *release)
{
	switch (vendor) {
	case HOST_VMX:
		return HOST_YES;
	case HOST_SVM:
		/* kvm_amd has the fast path in 7.2 and 7.3, but not in 6.12. */
		return yes_no(strtoul(release, NULL, 10) >= 7);
	default:
		return HOST_NOT_KNOWN;
	}
}

static void probe_fd(struct host_traits *traits, const struct host *host,
		     int kvm_fd)
{
	int quirks = check_cap(kvm_fd, KVM_CAP_DISABLE_QUIRKS2);
	struct utsname name;

	*traits = (struct host_traits){
		.vm_types = (uint32_t)check_cap(kvm_fd, CAP_VM_TYPES),
		.deadline = HOST_NOT_KNOWN,
		.nested_pat = yes_no(quirks & QUIRK_NESTED_SVM_SHARED_PAT),
		.lbrv = read_parameter(host, PARAMETER "lbrv"),
		.vls = read_parameter(host, PARAMETER "vls"),
		.fred = yes_no(host->offers.fred),
	};
	if (!uname(&name))
		traits->deadline = host_deadline_of(host->vendor, name.release);
}

void host_traits_probe(struct host_traits *traits, const struct host *host)
{
	int saved = errno, fd = -1;

	if (!host->kvm_errno)
		fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		probe_fd(traits, host, fd);
		close(fd);
	} else {
		*traits = (struct host_traits){
			.deadline = HOST_NOT_KNOWN,
			.nested_pat = HOST_NOT_KNOWN,
			.lbrv = HOST_NOT_KNOWN,
			.vls = HOST_NOT_KNOWN,
			.fred = HOST_NOT_KNOWN,
		};
	}
	errno = saved;
}
