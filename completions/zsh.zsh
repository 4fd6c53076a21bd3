# SPDX-License-Identifier: GPL-2.0-only
# zsh completion for regpin, appended to words.sh. The first call defines the function.

_regpin()
{
	local list

	if list=$(_regpin_words $((CURRENT - 1)) "${words[2]:-}" "$PREFIX" \
		"${words[CURRENT - 1]}"); then
		compadd -- ${=list}
	else
		_files
	fi
}

_regpin "$@"
