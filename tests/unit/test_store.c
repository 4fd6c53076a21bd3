// SPDX-License-Identifier: GPL-2.0-only
/* The store: its quota, its locks, and files in it that it must neither trust nor follow. */
#include "cm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/policy_written.h"
#include "policy/store.h"
#include "policy/store_find.h"
#include "policy/store_room.h"
#include "policy/store_start.h"

static char dir[64], folder[128];
static char error[STORE_ERROR_MAX];

static int begin(void **state)
{
	/* In memory if possible, because fsync() takes seconds on a busy disk. */
	snprintf(dir, sizeof(dir), "%s/regpin-store-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir))
		return -1;
	snprintf(folder, sizeof(folder), "%s/s", dir);
	return setenv("REGPIN_STORE", folder, 1);
}

static int end(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void open_store(struct store *store)
{
	if (store_open(store, folder, error))
		fail_msg("%s", error);
}

static void close_store(struct store *store)
{
	close(store->lock);
	close(store->folder.fd);
}

/* The policy number @n, with @size bytes. */
static void make(struct policy_written *written, unsigned int n, size_t size)
{
	char name[32], *text = malloc(size + 1);

	assert_non_null(text);
	memset(text, '#', size);
	snprintf(name, sizeof(name), "p%u.yaml", n);
	memcpy(text, name, strlen(name));
	text[size] = 0;
	assert_int_equal(policy_keep(written, name, text, size), 0);
	free(text);
}

static int keep(struct store *store, unsigned int n, size_t size)
{
	struct policy_written written;
	int err;

	make(&written, n, size);
	err = store_keep(store, &written, error);
	policy_forget(&written);
	return err;
}

static bool is_there(unsigned int n, size_t size)
{
	struct policy_written written;
	struct kept kept;
	char *file;
	bool there;

	make(&written, n, size);
	there = store_find(NULL, written.hash, &kept, &file, error) == 0;
	if (there) {
		assert_string_equal(kept.name, written.name);
		assert_int_equal(kept.size, size);
		assert_memory_equal(kept.text, written.text, size);
	}
	free(file);
	policy_forget(&written);
	return there;
}

/* Makes the text look unused for @hours. */
static void age(unsigned int n, size_t size, int hours)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = 0 } };
	struct policy_written written;
	char path[256];

	times[1].tv_sec = time(NULL) - hours * 3600l;
	make(&written, n, size);
	snprintf(path, sizeof(path), "%s/%s", folder, written.hash);
	policy_forget(&written);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* The number of files whose names begin with @prefix; texts: "". */
static unsigned int count(const char *prefix)
{
	const struct dirent *entry;
	DIR *at = opendir(folder);
	unsigned int nr = 0;

	assert_non_null(at);
	while ((entry = readdir(at)))
		nr += *prefix ? !strncmp(entry->d_name, prefix, strlen(prefix)) :
				store_is_text(entry->d_name);
	closedir(at);
	return nr;
}

static void quota_of_texts(void **state)
{
	struct store store;

	open_store(&store);
	for (unsigned int i = 0; i < STORE_MAX_TEXTS; i++)
		assert_int_equal(keep(&store, i, 100), 0);
	assert_int_equal(count(""), STORE_MAX_TEXTS);
	for (unsigned int i = 0; i < STORE_MAX_TEXTS; i++)
		age(i, 100, 1 + (int)((i + 7) % STORE_MAX_TEXTS));
	/* Number 56 is the oldest, but is used again. */
	assert_int_equal(keep(&store, 56, 100), 0);
	assert_int_equal(keep(&store, 1000, 100), 0);
	assert_int_equal(count(""), STORE_MAX_TEXTS);
	assert_true(is_there(56, 100));
	assert_false(is_there(55, 100));
	assert_true(is_there(54, 100));
	assert_true(is_there(1000, 100));
	close_store(&store);
}

static void quota_of_bytes(void **state)
{
	const size_t size = BUNDLE_MAX_SIZE;
	struct store store;

	open_store(&store);
	for (unsigned int i = 0; i < 40; i++) {
		assert_int_equal(keep(&store, i, size), 0);
		age(i, size, 100 - (int)i);
	}
	assert_true(count("") <= STORE_MAX_BYTES / size);
	assert_true(count("") >= STORE_MAX_BYTES / size - 1);
	assert_true(is_there(39, size));
	assert_true(is_there(39 - 20, size));
	assert_false(is_there(0, size));
	close_store(&store);
}

/* The texts of running agents stay, and a new one is not kept if all are in force. */
static void all_in_force(void **state)
{
	static struct store stores[STORE_MAX_TEXTS], other;

	for (unsigned int i = 0; i < STORE_MAX_TEXTS; i++) {
		open_store(&stores[i]);
		assert_int_equal(keep(&stores[i], i, 100), 0);
		age(i, 100, 1);
	}
	open_store(&other);
	assert_int_equal(keep(&other, 1000, 100), -EDQUOT);
	assert_non_null(strstr(error, "full of texts of policies that are in force"));
	assert_int_equal(count(""), STORE_MAX_TEXTS);
	/* A standby is a fork, which still has the lock when its agent has died. */
	close_store(&stores[5]);
	assert_int_equal(keep(&other, 1000, 100), 0);
	assert_false(is_there(5, 100));
	for (unsigned int i = 0; i < STORE_MAX_TEXTS; i++)
		assert_true(i == 5 || is_there(i, 100));
	/* An agent's next policy frees the place of the one before. */
	assert_int_equal(keep(&stores[7], 1001, 100), 0);
	assert_false(is_there(7, 100));
	for (unsigned int i = 0; i < STORE_MAX_TEXTS; i++)
		if (i != 5)
			close_store(&stores[i]);
	close_store(&other);
}

/* A fork has the same locks, which end when both are gone. */
static void fork_keeps_the_lock(void **state)
{
	static struct store stores[STORE_MAX_TEXTS], other;
	int ends[2];
	pid_t pid;

	for (unsigned int i = 0; i < STORE_MAX_TEXTS; i++) {
		open_store(&stores[i]);
		assert_int_equal(keep(&stores[i], i, 100), 0);
	}
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		char byte;

		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	for (unsigned int i = 0; i < STORE_MAX_TEXTS; i++)
		close_store(&stores[i]);
	open_store(&other);
	assert_int_equal(keep(&other, 1000, 100), -EDQUOT);
	close(ends[1]);
	waitpid(pid, NULL, 0);
	close(ends[0]);
	assert_int_equal(keep(&other, 1000, 100), 0);
	close_store(&other);
}

/* Agents that keep texts at the same time never exceed the quota, or break a text. */
static void race(void **state)
{
	struct store store;

	for (unsigned int child = 0; child < 6; child++) {
		if (fork())
			continue;
		open_store(&store);
		for (unsigned int i = 0; i < 40; i++) {
			int err = keep(&store, child * 100 + i, 200);

			/* The lock may be busy for too long on a slow disk. */
			if (err != 0 && err != -EAGAIN)
				_exit(1);
		}
		_exit(0);
	}
	for (unsigned int child = 0; child < 6; child++) {
		int status;

		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_true(count("") <= STORE_MAX_TEXTS);
	assert_true(count("") > 0);
	assert_int_equal(count(STORE_TEMPORARY), 0);
	for (unsigned int i = 0; i < 600; i++)
		if (!is_there(i, 200))
			assert_non_null(strstr(error, "no policy with this hash"));
}

/* Another process of this user may hold the lock: the agent does not wait for long. */
static void lock_is_held(void **state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	struct store store, other;

	open_store(&store);
	open_store(&other);
	assert_int_equal(fcntl(other.lock, F_OFD_SETLK, &lock), 0);
	assert_int_equal(keep(&store, 1, 100), -EAGAIN);
	assert_non_null(strstr(error, "holds the lock"));
	close_store(&other);
	assert_int_equal(keep(&store, 1, 100), 0);
	close_store(&store);
}

/* A disk that is full in the middle of a text leaves no part of it, and no file. */
static void full_disk(void **state)
{
	struct rlimit limit = { 5000, RLIM_INFINITY }, old;
	struct store store;

	open_store(&store);
	assert_int_equal(keep(&store, 1, 100), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(keep(&store, 2, 10000), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(count(""), 1);
	assert_int_equal(count(STORE_TEMPORARY), 0);
	assert_int_equal(keep(&store, 2, 10000), 0);
	assert_true(is_there(2, 10000));
	close_store(&store);
}

/* The remains of an agent that was killed are removed, and other files stay. */
static void left_overs(void **state)
{
	struct store store;
	char path[256];

	open_store(&store);
	snprintf(path, sizeof(path), "%s/" STORE_TEMPORARY "text", folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	snprintf(path, sizeof(path), "%s/notes", folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(keep(&store, 1, 100), 0);
	assert_int_equal(count(STORE_TEMPORARY), 0);
	assert_int_equal(access(path, F_OK), 0);
	close_store(&store);
}

/* A file that is no text takes no room from texts: it is removed, or does not count. */
static void strange_files(void **state)
{
	char path[256], hash[POLICY_HASH_MAX];
	struct store store;
	int fd;

	open_store(&store);
	assert_int_equal(keep(&store, 1, 100), 0);
	age(1, 100, 1);
	memset(hash, 'a', sizeof(hash) - 1);
	hash[sizeof(hash) - 1] = 0;
	snprintf(path, sizeof(path), "%s/%s", folder, hash);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	assert_int_equal(keep(&store, 2, 100), 0);
	assert_true(is_there(1, 100));
	assert_int_equal(access(path, F_OK), -1);
	for (char c = '0'; c <= '9'; c++) {
		path[strlen(path) - 1] = c;
		assert_int_equal(mkfifo(path, 0600), 0);
	}
	assert_int_equal(keep(&store, 3, 100), 0);
	assert_true(is_there(1, 100));
	close_store(&store);
}

/* The newest name of a file is the one that places have. */
static void other_name(void **state)
{
	struct policy_written written;
	struct store store;
	struct kept kept;
	char *file;

	open_store(&store);
	make(&written, 1, 100);
	assert_int_equal(store_keep(&store, &written, error), 0);
	free(written.name);
	written.name = strdup("an\nother.yaml");
	assert_int_equal(store_keep(&store, &written, error), 0);
	assert_int_equal(store_find(NULL, written.hash, &kept, &file, error), 0);
	assert_string_equal(kept.name, "an\\x0aother.yaml");
	free(file);
	policy_forget(&written);
	close_store(&store);
}

/* Records of starts have a quota of their own. */
static void quota_of_starts(void **state)
{
	struct store store;
	char name[STORE_START_NAME];

	open_store(&store);
	assert_int_equal(keep(&store, 1, 100), 0);
	for (unsigned int i = 0; i < STORE_MAX_STARTS + 10; i++) {
		snprintf(name, sizeof(name), STORE_START "%064u", i);
		assert_int_equal(store_write(&store, name, "x", 1, "", 0, error), 0);
	}
	assert_int_equal(count(STORE_START), STORE_MAX_STARTS);
	assert_true(is_there(1, 100));
	close_store(&store);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(quota_of_texts),
		TEST(quota_of_bytes),
		TEST(all_in_force),
		TEST(fork_keeps_the_lock),
		TEST(race),
		TEST(lock_is_held),
		TEST(full_disk),
		TEST(left_overs),
		TEST(strange_files),
		TEST(other_name),
		TEST(quota_of_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
