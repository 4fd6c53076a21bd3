# SPDX-License-Identifier: GPL-2.0-only
# zsh completion for regpin, behind words.sh. Its first call defines it.

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
