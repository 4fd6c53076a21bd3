# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The words of regpin's command lines, for bash and zsh, which both run this file as it
# is. It asks regpin for its commands and options, so it need not list them.

_regpin_commands()
{
	regpin help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

# Prints the long options in the help of a COMMAND.
_regpin_options()
{
	regpin help "$1" 2>/dev/null | grep -oE -- '(^|[^a-z-])--[a-z][a-z-]*' |
		grep -oE -- '--[a-z-]*' | sort -u
}

# Prints the values of option $2 of command $1. Status 1: it is a file, or free text.
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

# Prints the commands in the help of `ctl`.
_regpin_ctl_commands()
{
	regpin help ctl 2>/dev/null | sed '/^options:/q' | sed -n 's/^  \([a-z]\{2,\}\)\( .*\)*$/\1/p' | sort -u
}

_regpin_registers()
{
	regpin regs 2>/dev/null | awk 'NR > 1 {
		sub(/[0-9]+-[0-9]+$/, "", $1)
		sub(/[0-9]+-[0-9]+/, "i", $1)
		print $1
	}'
}

# Prints the words for position $1 (regpin itself is at 0) of a command line with command
# $2, where $3 has been typed after $4. Status 1: it is a file, or free text.
_regpin_words()
{
	if (($1 == 1)) || [[ $2 == help ]]; then
		_regpin_commands
	elif _regpin_values "$2" "$4"; then
		:
	elif [[ $3 == -* ]]; then
		_regpin_options "$2"
	elif [[ $2 == regs ]]; then
		_regpin_registers
	elif [[ $2 == ctl && $1 -eq 2 ]]; then
		echo list status
		regpin ctl list 2>/dev/null | awk 'NR > 1 { print $1 }'
	elif [[ $2 == ctl && $1 -eq 3 ]]; then
		_regpin_ctl_commands
	else
		return 1
	fi
}

