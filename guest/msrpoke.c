// SPDX-License-Identifier: GPL-2.0-only
/*
 * An attack by root in a guest, without a module: writes an MSR through /dev/cpu/N/msr.
 *
 *   msrpoke NAME CPU INDEX SET CLEAR FLIP    attack, read back, undo
 *   msrpoke read CPU INDEX                   print it
 *   msrpoke write CPU INDEX VALUE            write it, and do not undo that
 *
 * CPU must not be the one on which this program runs: after an attack on LSTAR, the next
 * system call on that CPU would be its last.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int msr_read(int fd, uint32_t index, uint64_t *value)
{
	return pread(fd, value, 8, index) == 8 ? 0 : errno;
}

static int msr_write(int fd, uint32_t index, uint64_t value)
{
	return pwrite(fd, &value, 8, index) == 8 ? 0 : errno;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

static int attack(const char *name, int fd, uint32_t index, char **masks)
{
	uint64_t old = 0, new, seen = 0;
	int err = msr_read(fd, index, &old);

	if (err) {
		printf("%s how=dev read: %s\n", name, strerror(err));
		return 1;
	}
	new = ((old | number(masks[0])) & ~number(masks[1])) ^ number(masks[2]);
	err = msr_write(fd, index, new);
	msr_read(fd, index, &seen);
	if (!err)
		msr_write(fd, index, old);
	/* The driver returns EIO if the write gets #GP. */
	printf("%s how=dev gp=%d old=%#llx tried=%#llx seen=%#llx\n", name,
	       err == EIO, (unsigned long long)old, (unsigned long long)new,
	       (unsigned long long)seen);
	return err && err != EIO;
}

int main(int argc, char **argv)
{
	uint64_t value = 0;
	cpu_set_t cpus;
	char path[40];
	int fd, err;

	if (argc < 4) {
		fprintf(stderr, "usage: msrpoke NAME CPU INDEX SET CLEAR FLIP\n"
			"       msrpoke read CPU INDEX\n"
			"       msrpoke write CPU INDEX VALUE\n");
		return 2;
	}
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	snprintf(path, sizeof(path), "/dev/cpu/%s/msr", argv[2]);
	fd = open(path, O_RDWR);
	if (fd < 0) {
		perror(path);
		return 1;
	}
	if (!strcmp(argv[1], "read") && argc == 4) {
		err = msr_read(fd, (uint32_t)number(argv[3]), &value);
		printf("read=%#llx errno=%d\n", (unsigned long long)value, err);
		return !!err;
	}
	if (!strcmp(argv[1], "write") && argc == 5) {
		err = msr_write(fd, (uint32_t)number(argv[3]),
				number(argv[4]));
		printf("write errno=%d\n", err);
		return !!err;
	}
	if (argc != 7)
		return 2;
	return attack(argv[1], fd, (uint32_t)number(argv[3]), argv + 4);
}
