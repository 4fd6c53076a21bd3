// SPDX-License-Identifier: GPL-2.0-only
/* regpin sim: what a policy would say to a trace of accesses. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "guest.h"
#include "options.h"
#include "policy_fit.h"
#include "policy_text.h"
#include "replay.h"
#include "sim.h"
#include "sim_print.h"

#define INPUT_SIZE	(1u << 20)

static void print_help(FILE *file)
{
	fputs("usage: regpin sim [--json] [--quiet] [--stock] [--guest GUEST] POLICY TRACE\n"
	      "\n"
	      "Reads what vCPUs do from TRACE ('-': standard input), see regpin-trace(5), and\n"
	      "prints what comes of it under POLICY, by the same code that judges guests. What\n"
	      "is printed is a trace, too, with the outcomes as what is expected.\n"
	      "\n"
	      "  --json   print a JSON object a line instead\n"
	      "  --quiet  print only what is not as the trace expects\n"
	      "  --stock  on a KVM without regpin's CR filter\n"
	      GUEST_HELP
	      "\n"
	      "Exit status: 0, or 1 if the policy or the trace is wrong or something is not as\n"
	      "expected, 3 if the policy needs the CR filter and there is none.\n", file);
}

/**
 * struct input - the trace, as it is read
 * @name: for messages
 * @fd: what it is read from
 * @error: errno of a read that failed
 * @at: what is read and not taken yet
 * @end: where that ends
 * @line: number of the line that was taken last
 * @buf: where it is
 */
struct input {
	const char *name;
	int fd, error;
	bool over;
	char *at, *end;
	uint64_t line;
	char buf[INPUT_SIZE];
};

static void fill(struct input *input)
{
	size_t left = (size_t)(input->end - input->at);
	ssize_t len;

	memmove(input->buf, input->at, left);
	input->at = input->buf;
	input->end = input->buf + left;
	do
		len = read(input->fd, input->end, INPUT_SIZE - left);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		input->error = errno;
	if (len > 0)
		input->end += len;
	else
		input->over = true;
}

/*
 * The next line, which may be without an end if it is the last one or too long.
 * Returns its length, or 0 at the end.
 */
static size_t take(struct input *input, char **line)
{
	char *end;

	for (;;) {
		size_t left = (size_t)(input->end - input->at);

		end = left ? memchr(input->at, '\n', left) : NULL;
		if (end || input->over || left > TRACE_MAX_LINE)
			break;
		fill(input);
	}
	end = end ? end + 1 : input->end;
	*line = input->at;
	input->at = end;
	input->line++;
	return (size_t)(end - *line);
}

static int complain(const struct input *input, unsigned int column,
		    const char *text)
{
	fprintf(stderr, "%s:%" PRIu64 ":%u: error: %s\n", input->name,
		input->line, column, text);
	return EXIT_REJECTED;
}

/* A line of @len bytes. Returns an exit code; what was unexpected is counted. */
static int one(struct sim *sim, struct input *input, const char *text,
	       size_t len, struct printer *printer)
{
	struct trace_fault fault;
	struct trace_line line;
	bool good;
	int ret;

	if (len > TRACE_MAX_LINE)
		return complain(input, TRACE_MAX_LINE, "the line is too long");
	ret = trace_read(text, len, &line, &fault);
	if (ret < 0)
		return complain(input, fault.column, fault.text);
	if (!ret)
		return EXIT_OK;
	if (sim_do(sim, &line)) {
		complain(input, 1, "out of memory");
		return EXIT_HOST;
	}
	good = sim_as_expected(sim, &line);
	printer->unexpected += !good;
	if (!good && !printer->json)
		print_unexpected(printer, sim, &line, input->name, input->line);
	if (!printer->quiet || (!good && printer->json))
		print_line(printer, sim, &line, text, input->line, good);
	return EXIT_OK;
}

static int run(struct sim *sim, struct input *input, struct printer *printer)
{
	int ret = EXIT_OK;
	size_t len;
	char *line;

	while (ret == EXIT_OK && (len = take(input, &line)))
		ret = one(sim, input, line, len, printer);
	if (ret == EXIT_OK && input->error) {
		fprintf(stderr, "regpin sim: %s can't be read: %s\n",
			input->name, strerror(input->error));
		ret = EXIT_REJECTED;
	}
	print_flush(printer);
	if (printer->unexpected && !printer->json)
		fprintf(stderr, "regpin sim: %s: %" PRIu64
			" not as expected\n", input->name, printer->unexpected);
	return ret == EXIT_OK && printer->unexpected ? EXIT_REJECTED : ret;
}

/* A rule that is not enforced without the CR filter. */
static void tell_unfit(void *context, enum fitted fitted,
		       const struct rule *rule, const char *why)
{
	const struct regpin_policy *policy = context;

	if (fitted == FIT_REFUSED)
		fprintf(stderr, "%s:%" PRIu32 ":%" PRIu32 ": error: %s\n",
			policy->source, rule->line, rule->column, why);
}

/* The policy as the simulated host would have it, or an exit code. */
static int read_policy(const char *path, const struct host *host,
		       struct regpin_policy *policy)
{
	struct problems *problems = problems_new();
	int ret;

	if (!problems)
		return EXIT_HOST;
	ret = policy_text_file(path, policy, problems);
	/* Warnings are what 'regpin check' is for. */
	if (ret)
		problems_print(problems, path, stderr);
	problems_free(problems);
	if (ret)
		return EXIT_REJECTED;
	policy_fit_init(policy, host);
	if (policy_fit(policy, host, tell_unfit, policy))
		return EXIT_HOST;
	/* There is no time here that could pass. */
	policy->settings.deadline_ms = 0;
	return EXIT_OK;
}

/* All that is too large for the stack. */
struct all {
	struct regpin_policy policy;
	const struct guest *guest;
	struct sim sim;
	struct input input;
	struct printer printer;
};

static int simulate(struct all *all, const char *policy, const char *trace,
		    const struct host *host)
{
	int ret = read_policy(policy, host, &all->policy);

	if (ret != EXIT_OK)
		return ret;
	all->input.name = trace;
	all->input.at = all->input.end = all->input.buf;
	if (strcmp(trace, "-") != 0)
		all->input.fd = open(trace, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (all->input.fd < 0) {
		fprintf(stderr, "regpin sim: %s can't be read: %s\n", trace,
			strerror(errno));
		return EXIT_REJECTED;
	}
	ret = sim_open(&all->sim, &all->policy, host);
	if (ret) {
		fprintf(stderr, "regpin sim: no VM can be put under %s: %s\n",
			policy, strerror(-ret));
		ret = EXIT_HOST;
	} else {
		all->sim.guest = all->guest;
		ret = run(&all->sim, &all->input, &all->printer);
		sim_close(&all->sim);
	}
	if (all->input.fd)
		close(all->input.fd);
	return ret;
}

static int cmd_sim_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "stock", no_argument, NULL, 's' },
		{ "guest", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, quiet = false, stock = false, known = false;
	struct guest guest;
	struct host host;
	struct all *all;
	int c, ret;

	optind = 0;
	while ((c = option_next("sim", argc, argv, "h", options)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 's':
			stock = true;
			break;
		case 'g':
			if (!guest_option("sim", optarg, &guest))
				return EXIT_USAGE;
			known = true;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_OK;
		default:
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind + 2 != argc) {
		fputs("regpin sim: one policy and one trace are needed\n",
		      stderr);
		print_help(stderr);
		return EXIT_USAGE;
	}
	all = calloc(1, sizeof(*all));
	if (!all) {
		fputs("regpin sim: out of memory\n", stderr);
		return EXIT_HOST;
	}
	all->printer.json = json;
	all->printer.quiet = quiet;
	all->guest = known ? &guest : NULL;
	sim_host(&host, !stock);
	ret = simulate(all, argv[optind], argv[optind + 1], &host);
	free(all);
	return ret;
}

const struct cmd cmd_sim = {
	"sim", cmd_sim_main, "say what a policy makes of a trace of accesses",
};
