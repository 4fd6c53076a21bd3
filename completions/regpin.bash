# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# bash completion for regpin. Commands and options are those that regpin itself lists,
# so that this file knows none of them; zsh reads it by bashcompinit.

_regpin_commands()
{
	regpin help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

# The long options in the help of a COMMAND.
_regpin_options()
{
	regpin help "$1" 2>/dev/null | grep -oE -- '(^|[^a-z-])--[a-z][a-z-]*' |
		grep -oE -- '--[a-z-]*' | sort -u
}

# The values of option $2 of command $1, or status 1: a file, or free text.
_regpin_values()
{
	case $2 in
	--mode)
		echo enforce report
		[[ $1 != ctl ]] || echo policy
		;;
	--guest) echo amd intel hygon ;;
	*) return 1 ;;
	esac
}

_regpin()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]:-} words

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words=$(_regpin_commands)
	elif [[ $command == help ]]; then
		words=$(_regpin_commands)
	elif words=$(_regpin_values "$command" "$previous"); then
		:
	elif [[ $current == -* ]]; then
		words=$(_regpin_options "$command")
	elif [[ $command == regs ]]; then
		words=$(regpin regs 2>/dev/null | awk 'NR > 1 { sub(/[0-9]+-[0-9]+$/, "", $1); sub(/[0-9]+-[0-9]+/, "i", $1); print $1 }')
	elif [[ $command == ctl && $COMP_CWORD -eq 2 ]]; then
		words="list $(regpin ctl list 2>/dev/null | awk '{ print $1 }')"
	else
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

# Where there is nothing to choose from it is a file.
complete -o default -F _regpin regpin
