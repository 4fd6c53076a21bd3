// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tries the roads around the CR filter and prints TAP.
 * usage: roads --expect open|closed [--but NUMBER] ... [NUMBER ...]
 *        roads --fuzz SECONDS [--seed N]; roads --list
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "roads.h"

#define SECONDS	60

bool have_cr_filter;
static struct result *shared;

static _Noreturn void __attribute__((format(printf, 2, 0)))
finish(enum outcome outcome, const char *format, va_list args)
{
	shared->outcome = outcome;
	vsnprintf(shared->text, sizeof(shared->text), format, args);
	_exit(0);
}

#define FINISH(name, outcome) \
	_Noreturn void name(const char *format, ...) \
	{ \
		va_list args; \
		va_start(args, format); \
		finish(outcome, format, args); \
	}

FINISH(is_open, OPEN)
FINISH(is_closed, CLOSED)
FINISH(is_skipped, SKIPPED)
FINISH(is_broken, BROKEN)

/* Each try has a process of its own, so that a failure does not end the others. */
static struct result *run(void (*try)(void))
{
	int status;
	pid_t pid;

	shared->outcome = BROKEN;
	shared->text[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		alarm(SECONDS);
		try();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		shared->outcome = BROKEN;
		snprintf(shared->text, sizeof(shared->text), "no process: %s",
			 strerror(errno));
	} else if (!shared->text[0]) {
		shared->outcome = BROKEN;
		snprintf(shared->text, sizeof(shared->text),
			 "the try ended without a result, wait status %#x%s",
			 status, WIFSIGNALED(status) &&
			 WTERMSIG(status) == SIGALRM ? ": time is up" : "");
	}
	return shared;
}

static const char *missing(unsigned int needs)
{
	if ((needs & NEEDS_SVM) && !kvm_cpu_has(X86_FEATURE_SVM))
		return "no nested SVM here";
	if ((needs & NEEDS_VMX) && !kvm_cpu_has(X86_FEATURE_VMX))
		return "no nested VMX here";
	if ((needs & NEEDS_SMM) && !kvm_has_cap(KVM_CAP_X86_SMM))
		return "this KVM has no SMM";
	if ((needs & NEEDS_FEP) && !kvm_is_forced_emulation_enabled())
		return "kvm.force_emulation_prefix is 0";
	return NULL;
}

static unsigned int count, failures;

static void report(const struct road *road, enum outcome wanted)
{
	static const char *const words[] = { "open", "closed", "skipped",
					     "broken" };
	const char *why;
	bool good;

	if (road->wants == VMM_DUTY) {
		printf("ok %u - road %u (%s) # SKIP the VMM's duty: %s\n", ++count,
		       road->number, road->name, road->text);
		return;
	}
	why = missing(road->needs);
	if (!why && !have_cr_filter && road->wants == ONLY_CLOSED)
		why = "is about the CR filter itself";
	if (!why && !have_cr_filter && road->wants == ONLY_OPEN)
		why = "is about the CR filter itself";
	if (why) {
		printf("ok %u - road %u (%s) # SKIP %s\n", ++count,
		       road->number, road->name, why);
		return;
	}
	if (road->wants == STAYS_OPEN || road->wants == ONLY_OPEN)
		wanted = OPEN;
	if (road->wants == STAYS_CLOSED || road->wants == ONLY_CLOSED)
		wanted = CLOSED;
	run(road->try);
	if (shared->outcome == SKIPPED) {
		printf("ok %u - road %u (%s) # SKIP %s\n", ++count,
		       road->number, road->name, shared->text);
		return;
	}
	good = shared->outcome == wanted;
	printf("%sok %u - road %u (%s): %s%s: %s\n", good ? "" : "not ",
	       ++count, road->number, road->name, words[shared->outcome],
	       road->wants == AS_EXPECTED ?
	       have_cr_filter ? "" : " on stock" : "", shared->text);
	if (!good) {
		printf("# wanted: %s\n", words[wanted]);
		failures++;
	}
	if (wanted == OPEN && have_cr_filter && road->text)
		printf("# the VMM: %s\n", road->text);
	fflush(stdout);
}

static const struct road *const groups[] = {
	cr_roads, smm_roads, init_roads, svm_roads, vmx_roads, new_roads,
	new_svm_roads, new_vmx_roads,
};

#define for_each_road(road) \
	for (unsigned int _i = 0; _i < ARRAY_SIZE(groups); _i++) \
		for (const struct road *road = groups[_i]; road->number; road++)

static bool is_wanted(const struct road *road, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if ((unsigned int)atoi(*names) == road->number)
			return true;
	return false;
}

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: roads --expect open|closed [--but NUMBER] ... [NUMBER ...]\n"
		"       roads --fuzz SECONDS [--seed N]\n"
		"       roads --list\n");
	exit(2);
}

struct options {
	enum outcome wanted;	/* BROKEN if it was not given */
	uint64_t but;		/* a bit for each road that is left out */
	uint64_t seed;
	int seconds;		/* of random guests; -1 if there are none */
	bool list;
};

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "expect", required_argument, NULL, 'e' },
		{ "but", required_argument, NULL, 'b' },
		{ "fuzz", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*options = (struct options){ .wanted = BROKEN, .seed = 1, .seconds = -1 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'e' && !strcmp(optarg, "open"))
			options->wanted = OPEN;
		else if (c == 'e' && !strcmp(optarg, "closed"))
			options->wanted = CLOSED;
		else if (c == 'b')
			options->but |= 1ul << atoi(optarg) % 64;
		else if (c == 'f')
			options->seconds = atoi(optarg);
		else if (c == 's')
			options->seed = strtoull(optarg, NULL, 0);
		else if (c == 'l')
			options->list = true;
		else
			usage();
	}
	if (!options->list && options->wanted == BROKEN && options->seconds < 0)
		usage();
}

/* Ordered by number: there are few, and a number may be in several files. */
static void report_all(const struct options *options, char **names)
{
	unsigned int last = 0;

	for_each_road(road)
		if (road->number > last)
			last = road->number;
	for (unsigned int n = 1; n <= last; n++)
		for_each_road(road)
			if (road->number == n && !(options->but >> n & 1) &&
			    is_wanted(road, names))
				report(road, options->wanted);
}

int main(int argc, char **argv)
{
	struct options options;

	read_options(argc, argv, &options);
	if (options.list) {
		for_each_road(road)
			printf("%u %s\n", road->number, road->name);
		return 0;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(shared != MAP_FAILED, "mmap");
	have_cr_filter = kvm_has_cap(KVM_CAP_X86_CR_FILTER);
	printf("# this KVM has %s CR filter; %s%s\n",
	       have_cr_filter ? "the" : "no",
	       kvm_cpu_has(X86_FEATURE_SVM) ? "nested SVM" :
	       kvm_cpu_has(X86_FEATURE_VMX) ? "nested VMX" : "not nested",
	       options.wanted == OPEN ? ", expected: open" :
	       options.wanted == CLOSED ? ", expected: closed" : "");
	if (options.seconds >= 0)
		return fuzz(options.seconds, options.seed, run);
	report_all(&options, argv + optind);
	printf("1..%u\n", count);
	return failures ? 1 : 0;
}
