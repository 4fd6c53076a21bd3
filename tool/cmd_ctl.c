// SPDX-License-Identifier: GPL-2.0-only
/* regpin ctl: talks to the agent of a VM. The protocol: docs/protocol.md. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl_client.h"
#include "ctl_list.h"
#include "ctl_socket.h"
#include "options.h"
#include "proc.h"
#include "words.h"
#include "yaml_tree.h"

/**
 * struct ctl_options - the command line
 * @dir: --ctl
 * @vm: --vm
 * @vcpu: --vcpu
 * @for_: --for
 * @last: --last
 * @once: --once
 * @end: --end
 * @follow: --follow
 * @json: --json
 * @yes: --yes
 */
struct ctl_options {
	const char *dir, *vm, *vcpu, *for_, *last;
	bool once, end, follow, json, yes;
};

static void print_help(FILE *file)
{
	fputs("usage: regpin ctl [--ctl DIR] NAME COMMAND\n"
	      "       regpin ctl [--ctl DIR] list [--json]\n"
	      "\n"
	      "Commands the VM that was started with 'regpin run --name NAME'. Commands:\n"
	      "\n"
	      "  status [--json]                    what its VMs and vCPUs are in\n"
	      "  events [--last N] [--follow]       the last events, or those that come\n"
	      "  arm [--vm N], disarm [--vm N]      the pins hold from now on; or they don't\n"
	      "  allow|gp|stop --vcpu N [--vm N]    answer for a vCPU that is held\n"
	      "  window --for TIME [--once] [--vm N]\n"
	      "                                     no pins for TIME (60s, 5min, 1h), or until the\n"
	      "                                     next kernel is set up\n"
	      "  window --end [--vm N]              the window is closed\n"
	      "  mode report|enforce                violations are only told; or stopped\n"
	      "  policy FILE [--yes]                show what FILE changes, ask, put it in force\n"
	      "\n"
	      "Exit status: 0 it is done, 1 it was refused, 2 usage, 3 there is no such VM, or\n"
	      "its agent does not answer.\n", file);
}

static int __attribute__((format(printf, 1, 2)))
usage(const char *format, ...)
{
	va_list ap;

	fputs("regpin ctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("; 'regpin ctl --help' tells more\n", stderr);
	return EXIT_USAGE;
}

static void print_line(const char *line)
{
	puts(line);
	fflush(stdout);
}

static void print_dropped(const char *count)
{
	fprintf(stderr, "regpin ctl: %s lines were lost: this reader was too slow\n",
		count);
}

/* Returns an exit code, or -1 to go on. */
static int read_options(int argc, char **argv, struct ctl_options *options)
{
	static const struct option longs[] = {
		{ "ctl", required_argument, NULL, 'c' },
		{ "vm", required_argument, NULL, 'v' },
		{ "vcpu", required_argument, NULL, 'u' },
		{ "for", required_argument, NULL, 'f' },
		{ "last", required_argument, NULL, 'l' },
		{ "once", no_argument, NULL, 'o' },
		{ "end", no_argument, NULL, 'e' },
		{ "follow", no_argument, NULL, 'F' },
		{ "json", no_argument, NULL, 'j' },
		{ "yes", no_argument, NULL, 'y' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = option_next("ctl", argc, argv, "h", longs)) != -1) {
		if (c == 'c')
			options->dir = optarg;
		else if (c == 'v')
			options->vm = optarg;
		else if (c == 'u')
			options->vcpu = optarg;
		else if (c == 'f')
			options->for_ = optarg;
		else if (c == 'l')
			options->last = optarg;
		else if (c == 'o')
			options->once = true;
		else if (c == 'e')
			options->end = true;
		else if (c == 'F')
			options->follow = true;
		else if (c == 'j')
			options->json = true;
		else if (c == 'y')
			options->yes = true;
		else
			print_help(c == 'h' ? stdout : stderr);
		if (c == 'h')
			return EXIT_OK;
		if (c == '?')
			return EXIT_USAGE;
	}
	return -1;
}

static void __attribute__((format(printf, 2, 3)))
append(char request[CTL_LINE_MAX], const char *format, ...)
{
	size_t len = strlen(request);
	va_list ap;

	va_start(ap, format);
	vsnprintf(request + len, CTL_LINE_MAX - len, format, ap);
	va_end(ap);
}

/* The request's keys, as the options say. Returns an exit code or -1. */
static int add_keys(char request[CTL_LINE_MAX],
		    const struct ctl_options *options)
{
	const char *fault = NULL;
	uint32_t ms = 0;

	if (options->for_)
		fault = duration_read(options->for_, &ms);
	if (options->for_ && !fault && !ms)
		fault = "0 is no time";
	if (fault)
		return usage("--for %s: %s", show(options->for_).text, fault);
	if (options->vm)
		append(request, " vm=%.20s", options->vm);
	if (options->vcpu)
		append(request, " vcpu=%.20s", options->vcpu);
	if (options->for_)
		append(request, " for=%" PRIu32, ms);
	if (options->once)
		append(request, " once=yes");
	if (options->last)
		append(request, " last=%.20s", options->last);
	if (options->follow)
		append(request, " follow=yes");
	if (options->json)
		append(request, " format=json");
	return -1;
}

/* Builds the request of @words. Returns an exit code, or -1 to go on. */
static int make_request(char **words, const struct ctl_options *options,
			char request[CTL_LINE_MAX])
{
	const char *verb = words[0], *object = words[1];
	bool mode = strcmp(verb, "mode") == 0;
	struct ctl_request parsed;
	char error[CTL_ERROR_MAX];
	int status;

	if (object && (!mode || words[2]))
		return usage("'%s' is too much", mode ? words[2] : object);
	if (strcmp(verb, "window") == 0 && options->end)
		verb = "window-end";
	else if (options->end)
		return usage("--end is for window");
	request[0] = 0;
	append(request, "%.100s", verb);
	if (object)
		append(request, " to=%.100s", object);
	status = add_keys(request, options);
	if (status >= 0)
		return status;
	/* The agent would say the same, but not of what it is told by us only. */
	if (ctl_request_read(&parsed, request, strlen(request), error) &&
	    parsed.verb != CTL_POLICY && parsed.verb != CTL_APPLY)
		return -1;
	if (strcmp(verb, "apply") == 0)
		snprintf(error, sizeof(error), "there is no command 'apply'");
	return usage("%s", error);
}

static int answer_status(struct ctl_client *client, const char *name,
			 enum ctl_answer_kind kind)
{
	if (kind == CTL_OK && *client->error)
		fprintf(stderr, "regpin ctl: %s: %s\n", name, client->error);
	if (kind == CTL_OK)
		return EXIT_OK;
	fprintf(stderr, "regpin ctl: %s: %s\n", name, client->error);
	return kind == CTL_REFUSED ? EXIT_REJECTED : EXIT_HOST;
}

static enum ctl_answer_kind ask(struct ctl_client *client, const char *request,
				int ms)
{
	client_send(client, request, strlen(request));
	client_send(client, "\n", 1);
	return client_answer(client, ms, print_line, print_dropped);
}

/* Reads the file as it is: what is wrong with it is for the agent to say. */
static char *read_file(const char *path, size_t *len)
{
	char *text = malloc(YAML_MAX_SIZE + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 || !text ? -1 : 1;

	for (*len = 0; n > 0 && *len <= YAML_MAX_SIZE; *len += (size_t)n) {
		n = read(fd, text + *len, YAML_MAX_SIZE + 1 - *len);
		if (n < 0)
			break;
	}
	if (n < 0)
		fprintf(stderr, "regpin ctl: %s can't be read: %s\n", path,
			strerror(errno));
	else if (*len > YAML_MAX_SIZE || !*len)
		fprintf(stderr, "regpin ctl: %s has %s: a policy has 1 to %u\n",
			path, *len ? "more than 65536 bytes" : "0 bytes",
			YAML_MAX_SIZE);
	if (fd >= 0)
		close(fd);
	if (n >= 0 && *len && *len <= YAML_MAX_SIZE)
		return text;
	free(text);
	return NULL;
}

static bool confirm(const char *name)
{
	char line[16];

	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "regpin ctl: not put in force: nobody is there to be asked; --yes does it without\n");
		return false;
	}
	fprintf(stderr, "Put it in force for %s? [y/N] ", name);
	return fgets(line, sizeof(line), stdin) &&
	       (*line == 'y' || *line == 'Y');
}

/* The list may have scrolled away: the numbers stand right before the question. */
static bool print_counts(const char *answer)
{
	unsigned int loosens, tightens, changes;

	if (sscanf(answer, "loosens=%u tightens=%u changes=%u", &loosens,
		   &tightens, &changes) != 3) {
		fputs("regpin ctl: the agent did not count what the policy changes: is it of another version?\n",
		      stderr);
		return false;
	}
	if (!loosens && !tightens && !changes)
		puts("it stops what the policy in force stops");
	else
		printf("in total: loosens %u, tightens %u, changes %u\n",
		       loosens, tightens, changes);
	fflush(stdout);
	return true;
}

static int send_policy(struct ctl_client *client, const char *name,
		       const char *path, bool yes)
{
	char request[CTL_LINE_MAX] = "", shown[POLICY_MAX_SOURCE];
	enum ctl_answer_kind kind;
	size_t len;
	char *text = read_file(path, &len);

	if (!text)
		return EXIT_REJECTED;
	snprintf(shown, sizeof(shown), "%s", path);
	make_printable(shown);
	append(request, "policy size=%zu name=%s\n", len, shown);
	client_send(client, request, strlen(request));
	client_send(client, text, len);
	free(text);
	kind = client_answer(client, CTL_WAIT_MS, print_line, print_dropped);
	if (kind != CTL_OK)
		return answer_status(client, name, kind);
	if (!print_counts(client->error) || (!yes && !confirm(name)))
		return EXIT_REJECTED;
	return answer_status(client, name, ask(client, "apply", CTL_WAIT_MS));
}

static int command(const char *name, char **words,
		   const struct ctl_options *options)
{
	bool policy = strcmp(words[0], "policy") == 0;
	static struct ctl_client client;
	char request[CTL_LINE_MAX];
	int status = -1;

	if (policy && (!words[1] || words[2]))
		return usage("policy takes one FILE");
	if (!policy)
		status = make_request(words, options, request);
	if (status >= 0)
		return status;
	if (client_open(&client, options->dir, name, CTL_GREETING_MS) < 0) {
		fprintf(stderr, "regpin ctl: %s: %s\n", name, client.error);
		return EXIT_HOST;
	}
	if (policy)
		status = send_policy(&client, name, words[1], options->yes);
	else
		status = answer_status(&client, name,
				       ask(&client, request, options->follow ?
						   -1 : CTL_WAIT_MS));
	client_close(&client);
	return status;
}

static int cmd_ctl_main(int argc, char **argv)
{
	struct ctl_options options = { .dir = NULL };
	int status = read_options(argc, argv, &options);
	char buf[PATH_MAX];
	char **words = argv + optind;

	if (status >= 0)
		return status;
	if (!options.dir)
		options.dir = ctl_default_dir(buf);
	if (!options.dir)
		return usage("XDG_RUNTIME_DIR is not set: name the directory by --ctl DIR");
	if (!words[0])
		return usage("which VM? 'regpin ctl list' lists them");
	if (strcmp(words[0], "list") == 0)
		return words[1] ? usage("'%s' is too much", words[1]) :
				  ctl_list(options.dir, options.json);
	if (ctl_name_fault(words[0]))
		return usage("'%s' is no VM's name: %s", words[0],
			     ctl_name_fault(words[0]));
	if (!words[1])
		return usage("what is %s to do?", words[0]);
	return command(words[0], words + 1, &options);
}

const struct cmd cmd_ctl = {
	.name = "ctl",
	.main = cmd_ctl_main,
	.help = "command a VM that was started by 'run'",
};
