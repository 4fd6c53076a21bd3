// SPDX-License-Identifier: GPL-2.0-only
/* Files in memory, which the agent gives to other processes. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/policy/blob.h"

#include "memory.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

static int memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING |
				    MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)	/* before Linux 6.3 */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int memory_text(const char *name, const char *text, size_t size)
{
	int fd = memory_file(name);

	if (fd < 0)
		return -1;
	if (write_all(fd, text, size) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
				   F_SEAL_WRITE) == 0)
		return fd;
	close(fd);
	return -1;
}

int memory_blob(const struct regpin_policy *policy)
{
	static char blob[BLOB_MAX_SIZE];

	return memory_text("regpin-policy", blob, blob_seal(policy, blob));
}

void *memory_map(const char *name, size_t size, int seals, int *fd)
{
	void *at;

	*fd = memory_file(name);
	if (*fd < 0 || ftruncate(*fd, (off_t)size) < 0)
		return NULL;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (at == MAP_FAILED ||
	    fcntl(*fd, F_ADD_SEALS, seals | F_SEAL_SHRINK | F_SEAL_GROW |
				    F_SEAL_SEAL) < 0)
		return NULL;
	return at;
}
