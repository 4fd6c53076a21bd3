# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by tests that are scripts: all that commands print with --json is kept, and in the
# end compared with the schema. The test has $regpin, and counts in $nr and $failed.

# keep_json DIR TESTS: from now on $regpin is a script that calls the tool, and keeps its
# output with --json in files in DIR, one for each command. TESTS is the directory tests/. The
# command lines of processes begin with the tool itself, $tool.
keep_json()
{
	json_kept=$1/.json
	json_tests=$2
	mkdir "$json_kept" || exit 2
	# shellcheck disable=SC2034 # for the test
	tool=$regpin
	cat >"$json_kept/regpin" <<-E
		#!/bin/sh
		command=\$1
		case " \$* " in
		*" ctl "*" list "* | *" ctl status "*) command=list ;;
		*" ctl "*" status "*) command=status ;;
		esac
		[ "\$(readlink /proc/\$\$/fd/1)" != /dev/full ] || exec "$regpin" "\$@"
		case " \$* " in
		*" --json "*" --json "* | *" --help "* | *" --follow "*) ;;
		*" --json "*)
			kept=\$(mktemp "$json_kept/\$command.XXXXXX")
			"$regpin" "\$@" >"\$kept"
			status=\$?
			cat "\$kept"
			exit \$status
			;;
		esac
		exec "$regpin" "\$@"
	E
	chmod +x "$json_kept/regpin"
	regpin=$json_kept/regpin
}

# The last test of a script: each line of each command fits that command's part of the schema.
json_fits()
{
	nr=$((nr + 1))
	json_what="all that was printed with --json fits the schema"
	json_schema=$json_tests/../docs/schema/commands-1.json
	: >"$json_kept/bad"
	json_checked=0
	for json_command in check probe explain diff sim regs status list; do
		# Wrong arguments print nothing.
		find "$json_kept" -name "$json_command.*" -size +0 -exec cat {} + >"$json_kept/lines"
		[ -s "$json_kept/lines" ] || continue
		json_checked=$((json_checked + 1))
		"$json_tests/schema_check" "$json_schema#/\$defs/$json_command" "$json_kept/lines" \
			>>"$json_kept/bad" 2>&1
		if [ $? -eq 77 ]; then
			echo "ok $nr - $json_what # SKIP no python3-jsonschema"
			return
		fi
	done
	if [ -s "$json_kept/bad" ] || [ $json_checked -eq 0 ]; then
		echo "not ok $nr - $json_what"
		echo "# $json_checked commands printed something"
		head -n 5 "$json_kept/bad" | cut -c 1-600 | sed 's/^/# /'
		# shellcheck disable=SC2034 # for the test
		failed=1
	else
		echo "ok $nr - $json_what ($json_checked commands)"
	fi
}
