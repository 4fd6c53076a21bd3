# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# bash completion for regpin, appended to words.sh.

_regpin()
{
	local current=${COMP_WORDS[COMP_CWORD]} words

	COMPREPLY=()
	words=$(_regpin_words "$COMP_CWORD" "${COMP_WORDS[1]:-}" "$current" \
		"${COMP_WORDS[COMP_CWORD - 1]}") || return
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

# Without words to choose from, complete file names.
complete -o default -F _regpin regpin
