// SPDX-License-Identifier: GPL-2.0-only
/* regpin ctl: sends requests to the agent of a VM. The protocol is in docs/protocol.md. */
#include <errno.h>
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
		{ "once", no_argument, NULL, FIRST + CTL_OPT_ONCE },
		{ "end", no_argument, NULL, FIRST + CTL_OPT_END },
		{ "follow", no_argument, NULL, FIRST + CTL_OPT_FOLLOW },
		{ "json", no_argument, NULL, FIRST + CTL_OPT_JSON },
		{ "yes", no_argument, NULL, FIRST + CTL_OPT_YES },
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
		fputs("regpin ctl: there is not enough memory\n", stderr);
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
	if (kind != CTL_OK)
		return answer_status(client, name, kind);
	if (!print_counts(client->error) ||
	    (!options->value[CTL_OPT_YES] && !confirm(name)))
		return EXIT_REJECTED;
	return answer_status(client, name, ask(client, "apply", CTL_WAIT_MS));
}

static int command(const char *name, char **words,
		   const struct ctl_options *options)
{
	static struct ctl_client client;
	char request[CTL_LINE_MAX];
	int status = ctl_command_check(words, options);

	if (status >= 0)
		return status;
	if (client_open(&client, options->dir, name, CTL_GREETING_MS) < 0) {
		fprintf(stderr, "regpin ctl: %s: %s\n", name, client.error);
		return EXIT_HOST;
	}
	if (strcmp(words[0], "policy") == 0) {
		status = send_policy(&client, name, words[1], options);
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
	bool given = options.dir;

	if (status >= 0)
		return status;
	if (words[0] && strcmp(words[words[1] != NULL], "help") == 0) {
		fputs(help_ctl, stdout);
		return EXIT_OK;
	}
	if (!given)
		options.dir = ctl_default_dir(buf);
	if (!options.dir)
		return usage_error("ctl", "XDG_RUNTIME_DIR is not set: name the directory by --ctl DIR");
	if (!words[0])
		return usage_error("ctl", "name a VM: 'regpin ctl list' lists them");
	if (ctl_name_reserved(words[0])) {
		status = ctl_table_check(words[0], words[1], &options);
		return status >= 0 ? status :
			ctl_list(options.dir, given,
				 options.value[CTL_OPT_JSON]);
	}
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
