// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hands a blob to the shim as `regpin run` does, but for what MODE says, and executes
 * a program. For tests of what the shim does not accept.
 *
 *	handoff MODE SHIM BLOB PROGRAM [ARGUMENT ..]
 *
 * good; unsealed, no-write, no-shrink, no-grow: all seals but these; cut: the blob
 * lacks its last byte; empty: all of them; file: the blob is no memfd; small, magic,
 * version: the shared memory is not what it must be; closed: the blob's fd is closed;
 * text: the variable is nonsense
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handoff.h"

static const char *mode;

static bool is(const char *name)
{
	return !strcmp(mode, name);
}

static int make_blob(const char *path)
{
	int seals = F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	static char bytes[BLOB_MAX_SIZE];
	int from = open(path, O_RDONLY), fd;
	ssize_t size = from < 0 ? -1 : read(from, bytes, sizeof(bytes));

	if (size <= 0)
		err(70, "%s", path);
	if (is("file"))
		return from;
	fd = memfd_create("blob", MFD_ALLOW_SEALING);
	size = is("cut") ? size - 1 : is("empty") ? 0 : size;
	if (fd < 0 || write(fd, bytes, (size_t)size) != size)
		err(70, "memfd");
	seals &= ~(is("no-write") ? F_SEAL_WRITE : is("no-grow") ? F_SEAL_GROW :
		   is("no-shrink") ? F_SEAL_SHRINK : is("unsealed") ? seals : 0);
	if (fcntl(fd, F_ADD_SEALS, seals))
		err(70, "seals");
	return fd;
}

static int make_shared(void)
{
	int fd = memfd_create("handoff", 0);
	struct handoff *handoff;

	if (fd < 0 || ftruncate(fd, sizeof(*handoff)))
		err(70, "handoff");
	handoff = mmap(NULL, sizeof(*handoff), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);
	if (handoff == MAP_FAILED)
		err(70, "handoff");
	handoff->magic = HANDOFF_MAGIC + is("magic");
	handoff->version = HANDOFF_VERSION + is("version");
	ring_init(&handoff->ring);
	munmap(handoff, sizeof(*handoff));
	if (is("small") && ftruncate(fd, sizeof(*handoff) - 1))
		err(70, "handoff");
	return fd;
}

int main(int argc, char **argv)
{
	int blob, shared, wake;
	char env[64];

	if (argc < 5)
		errx(70, "what?");
	mode = argv[1];
	blob = make_blob(argv[3]);
	shared = make_shared();
	wake = eventfd(0, EFD_NONBLOCK);
	if (wake < 0)
		err(70, "eventfd");
	snprintf(env, sizeof(env), "%d,%d,%d", blob, shared, wake);
	setenv(HANDOFF_ENV, is("text") ? "1,2" : env, 1);
	setenv("LD_PRELOAD", argv[2], 1);
	if (is("closed"))
		close(blob);
	execv(argv[4], argv + 4);
	err(70, "%s", argv[4]);
}
