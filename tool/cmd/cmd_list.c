// SPDX-License-Identifier: GPL-2.0-only
/* regpin list: all VMs of the host that regpin pins. */
#include <stdbool.h>
#include <stdio.h>

#include "base/exit_codes.h"
#include "base/options.h"
#include "base/words.h"
#include "cmd.h"
#include "cmd_help.h"
#include "ctl/ctl_hint.h"
#include "ctl/ctl_list.h"

static int list_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ctl", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	bool json = false;
	int c;

	optind = 0;
	while ((c = option_next("list", argc, argv, "h", options)) != -1) {
		if (c == 'c') {
			dir = optarg;
		} else if (c == 'j') {
			json = true;
		} else if (c == 'h') {
			fputs(help_list, stdout);
			return EXIT_OK;
		} else {
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return usage_error("list", "unexpected argument %s: 'regpin ctl%s NAME status' prints one VM",
				   show(argv[optind]).text, ctl_hint(dir).text);
	return ctl_list("list", dir, json);
}

const struct cmd cmd_list = {
	.name = "list",
	.main = list_main,
	.help = "print all VMs that were started by 'run'",
};
