// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hands a blob to the shim as `regpin run` does, except for the fault that MODE names, and
 * executes a program. For tests of what the shim refuses.
 *
 *	handoff MODE SHIM BLOB PROGRAM [ARGUMENT ..]
 *
 * good: no fault; unsealed, no-write, no-shrink, no-grow: the blob lacks all seals, or this
 * one; cut: the blob lacks its last byte; empty: it lacks all bytes; file: the blob is not
 * a memfd; small, small-control: the shared memory has a wrong size; version: the agent
 * sends another version; none, one: the agent sends that many files; word: its answer has
 * no meaning; closed: no process listens; text: the variable's value has no meaning
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "serve.h"

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

static void cut(int fd, size_t size)
{
	if (ftruncate(fd, (off_t)size - 1))
		err(70, "ftruncate");
}

int main(int argc, char **argv)
{
	struct served served;
	int listening;
	pid_t self;

	if (argc < 5)
		errx(70, "what?");
	mode = argv[1];
	serve_prepare(&served, make_blob(argv[3]));
	served.version += is("version");
	if (is("word"))
		served.word = HANDOFF_WORDS + 7;
	if (is("none") || is("one"))
		served.files[is("one")] = -1;
	if (is("small"))
		cut(served.files[2], sizeof(struct handoff));
	if (is("small-control"))
		cut(served.files[1], sizeof(struct control));
	listening = serve_listen();
	if (is("text"))
		setenv(HANDOFF_ENV, "1,2", 1);
	if (is("closed"))
		close(listening);
	self = getpid();
	if (!is("closed") && fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == self)
			serve(listening, &served);
		_exit(0);
	}
	setenv("LD_PRELOAD", argv[2], 1);
	execv(argv[4], argv + 4);
	err(70, "%s", argv[4]);
}
