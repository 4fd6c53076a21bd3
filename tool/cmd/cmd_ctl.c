// SPDX-License-Identifier: GPL-2.0-only
/* regpin ctl: sends requests to the agent of a VM. The protocol is in docs/protocol.md. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/options.h"
#include "base/printable.h"
#include "base/proc.h"
#include "base/words.h"
#include "cmd.h"
#include "cmd_help.h"
#include "ctl/ctl_client.h"
#include "ctl/ctl_command.h"
#include "ctl/ctl_list.h"
#include "ctl/ctl_socket.h"
#include "policy/policy_file.h"
#include "policy/problems.h"
#include "policy/yaml_tree.h"

static void print_line(const char *line)
{
	puts(line);
	fflush(stdout);
}

static void print_dropped(const char *count)
{
	fprintf(stderr, "regpin ctl: %s line%s lost: this reader was too slow\n",
		count, strcmp(count, "1") ? "s were" : " was");
}

/* Returns an exit code, or -1 to continue. */
static int read_options(int argc, char **argv, struct ctl_options *options)
{
	/* Above all characters, so that no short option can be one of them. */
	enum { FIRST = 0x100 };
	static const struct option longs[] = {
		{ "vm", required_argument, NULL, FIRST + CTL_OPT_VM },
		{ "vcpu", required_argument, NULL, FIRST + CTL_OPT_VCPU },
		{ "for", required_argument, NULL, FIRST + CTL_OPT_FOR },
		{ "last", required_argument, NULL, FIRST + CTL_OPT_LAST },
		{ "mode", required_argument, NULL, FIRST + CTL_OPT_MODE },
		{ "confirm", required_argument, NULL, FIRST + CTL_OPT_CONFIRM },
		{ "rule", required_argument, NULL, FIRST + CTL_OPT_RULE },
		{ "once", no_argument, NULL, FIRST + CTL_OPT_ONCE },
		{ "end", no_argument, NULL, FIRST + CTL_OPT_END },
		{ "follow", no_argument, NULL, FIRST + CTL_OPT_FOLLOW },
		{ "json", no_argument, NULL, FIRST + CTL_OPT_JSON },
		{ "yes", no_argument, NULL, FIRST + CTL_OPT_YES },
		{ "print", no_argument, NULL, FIRST + CTL_OPT_PRINT },
		{ "rollback", no_argument, NULL, FIRST + CTL_OPT_ROLLBACK },
		{ "rules", no_argument, NULL, FIRST + CTL_OPT_RULES },
		{ "ctl", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = option_next("ctl", argc, argv, "h", longs)) != -1) {
		if (c >= FIRST) {
			options->value[c - FIRST] = optarg ? optarg : "";
		} else if (c == 'c') {
			options->dir = optarg;
		} else {
			if (c == 'h')
				fputs(help_ctl, stdout);
			return c == 'h' ? EXIT_OK : EXIT_USAGE;
		}
	}
	options->hint = ctl_hint(options->dir);
	return -1;
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

/*
 * Reads the policy @path with all that it extends, because the agent may have other policy
 * folders. The agent reports problems of the text itself. Returns
 * EXIT_OK, or another exit code after a message.
 */
static int read_policy(const char *path, struct policy_written *written)
{
	struct problems *problems = problems_new();
	int err = problems ? policy_text_keep(path, written, problems) :
			     -ENOMEM;

	if (!err && !written->size) {
		fprintf(stderr, "regpin ctl: %s is empty: a policy has 1 to %u bytes\n",
			printable(path), YAML_MAX_SIZE);
		policy_forget(written);
		err = -EINVAL;
	} else if (err == -ENOMEM) {
		fputs("regpin ctl: out of memory\n", stderr);
	} else if (err) {
		problems_print(problems, path, stderr);
	}
	problems_free(problems);
	if (POLICY_UNREADABLE(err))
		return EXIT_FILE;
	return err ? EXIT_REJECTED : EXIT_OK;
}

static bool confirm(const char *name)
{
	char line[16];

	if (!isatty(STDIN_FILENO)) {
		fputs("regpin ctl: the policy was not put in force: there is no terminal for the question; --yes puts it in force without one\n",
		      stderr);
		return false;
	}
	fprintf(stderr, "Put it in force for %s? [y/N] ", name);
	return fgets(line, sizeof(line), stdin) &&
	       (*line == 'y' || *line == 'Y');
}

/* Repeats the numbers before the question, as the list may have scrolled away. */
static bool print_counts(const char *answer)
{
	unsigned int loosens, tightens, changes;

	if (sscanf(answer, "loosens=%u tightens=%u changes=%u", &loosens,
		   &tightens, &changes) != 3) {
		fputs("regpin ctl: the policy was not put in force: the agent did not report how much it changes; is it of another version?\n",
		      stderr);
		return false;
	}
	if (!loosens && !tightens && !changes)
		puts("in total: no difference to the policy in force");
	else
		printf("in total: loosens %u, tightens %u, changes %u\n",
		       loosens, tightens, changes);
	fflush(stdout);
	return true;
}

/* Sends the policy @path to be compared. Returns an exit code, or -1 to continue. */
static int send_policy(struct ctl_client *client, const char *name,
		       const char *path, const struct ctl_options *options)
{
	char request[CTL_LINE_MAX] = "", shown[POLICY_MAX_SOURCE];
	struct policy_written written = { .text = NULL };
	int status = read_policy(path, &written);
	enum ctl_answer_kind kind;

	if (status)
		return status;
	snprintf(shown, sizeof(shown), "%s", written.name);
	make_printable(shown);
	ctl_append(request, "policy size=%zu", written.size);
	if (options->value[CTL_OPT_MODE])
		ctl_append(request, " mode=%.20s", options->value[CTL_OPT_MODE]);
	ctl_append(request, " name=%s\n", shown);
	client_send(client, request, strlen(request));
	client_send(client, written.text, written.size);
	policy_forget(&written);
	kind = client_answer(client, CTL_WAIT_MS, print_line, print_dropped);
	return kind == CTL_OK ? -1 : answer_status(client, name, kind);
}

/* The policy is in force for @ms. Is it to stay? The question ends with that time. */
static int ask_to_keep(struct ctl_client *client, const char *name, uint32_t ms,
		       const char *option)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[16];

	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "regpin ctl: %s: 'regpin ctl%s %s confirm' keeps the policy; otherwise it is taken back\n",
			name, option, name);
		return EXIT_OK;
	}
	fprintf(stderr, "Keep it? Without an answer it is taken back. [y/N] ");
	if (poll(&pfd, 1, (int)ms) == 1 && fgets(line, sizeof(line), stdin) &&
	    (*line == 'y' || *line == 'Y'))
		return answer_status(client, name, ask(client, "confirm", CTL_WAIT_MS));
	fprintf(stderr, "\nregpin ctl: %s: the policy is not confirmed, and the agent takes it back when its time is over ('regpin ctl%s %s policy --rollback' does so now)\n",
		name, option, name);
	return EXIT_REJECTED;
}

/* Shows what a policy changes, asks, and puts it in force. */
static int change_policy(struct ctl_client *client, const char *name, char **words,
			 const struct ctl_options *options)
{
	char request[CTL_LINE_MAX] = "";
	enum ctl_answer_kind kind;
	int status = -1;
	uint32_t ms = 0;

	if (words[1]) {
		status = send_policy(client, name, words[1], options);
	} else {
		ctl_command_request(words, options, request);
		kind = ask(client, request, CTL_WAIT_MS);
		status = kind == CTL_OK ? -1 : answer_status(client, name, kind);
	}
	if (status >= 0)
		return status;
	if (!print_counts(client->error) ||
	    (!options->value[CTL_OPT_YES] && !confirm(name)))
		return EXIT_REJECTED;
	if (options->value[CTL_OPT_CONFIRM])
		duration_read(options->value[CTL_OPT_CONFIRM], &ms);
	snprintf(request, sizeof(request), ms ? "apply confirm=%" PRIu32 "ms" : "apply", ms);
	status = answer_status(client, name, ask(client, request, CTL_WAIT_MS));
	return status || !ms ? status : ask_to_keep(client, name, ms, options->hint.text);
}

static void print_text(const char *bytes, size_t len)
{
	bool terminal = isatty(STDOUT_FILENO);

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		bool control = (byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f;

		/* The agent may be compromised. */
		putchar(terminal && (control || byte > 0x7f) ? '?' : byte);
	}
}

static int print_policy(struct ctl_client *client, const char *name)
{
	client_send(client, "print\n", 6);
	return answer_status(client, name, client_text(client, CTL_WAIT_MS, print_text));
}

static int command(const char *name, char **words,
		   const struct ctl_options *options)
{
	static struct ctl_client client;
	char request[CTL_LINE_MAX];
	int status = ctl_command_check(words, options), err;

	if (status >= 0)
		return status;
	err = client_open(&client, options->dir, name, CTL_GREETING_MS);
	if (err) {
		fprintf(stderr, "regpin ctl: %s: %s", name, client.error);
		if (err == -ENOENT)
			fprintf(stderr, "; 'regpin list%s' lists them", options->hint.text);
		fputc('\n', stderr);
		return EXIT_HOST;
	}
	if (options->value[CTL_OPT_PRINT]) {
		status = print_policy(&client, name);
	} else if (strcmp(words[0], "policy") == 0) {
		status = change_policy(&client, name, words, options);
	} else {
		ctl_command_request(words, options, request);
		status = answer_status(&client, name,
				       ask(&client, request,
					   options->value[CTL_OPT_FOLLOW] ?
						   -1 : CTL_WAIT_MS));
	}
	client_close(&client);
	return status;
}

/* Reports a missing command. @name may be a mistyped 'status' or 'list', which need none. */
static int no_command(const char *name)
{
	struct nearest nearest;

	nearest_begin(&nearest, name);
	nearest_try(&nearest, "status");
	nearest_try(&nearest, "list");
	return usage_error("ctl", "'%s' is taken for a VM's name, and a command is missing after it%s",
			   name, nearest_hint(&nearest).text);
}

static int cmd_ctl_main(int argc, char **argv)
{
	struct ctl_options options = { .dir = NULL };
	int status = read_options(argc, argv, &options);
	char buf[PATH_MAX];
	char **words = argv + optind;

	if (status >= 0)
		return status;
	if (words[0] && strcmp(words[words[1] != NULL], "help") == 0) {
		fputs(help_ctl, stdout);
		return EXIT_OK;
	}
	if (!words[0])
		return usage_error("ctl", "name a VM: 'regpin list%s' lists them",
				   options.hint.text);
	if (ctl_name_reserved(words[0])) {
		status = ctl_table_check(words[0], words[1], &options);
		return status >= 0 ? status :
			ctl_list("ctl", options.dir, options.value[CTL_OPT_JSON]);
	}
	if (!options.dir)
		options.dir = ctl_default_dir(buf);
	if (!options.dir)
		return usage_error("ctl", "XDG_RUNTIME_DIR is not set: name the directory by --ctl DIR");
	if (ctl_name_fault(words[0]))
		return usage_error("ctl", "'%s' can't be a VM's name: %s", words[0],
				 ctl_name_fault(words[0]));
	if (!words[1])
		return no_command(words[0]);
	return command(words[0], words + 1, &options);
}

const struct cmd cmd_ctl = {
	.name = "ctl",
	.main = cmd_ctl_main,
	.help = "control a VM that was started by 'run'",
};
