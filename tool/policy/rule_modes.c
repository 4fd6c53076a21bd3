// SPDX-License-Identifier: GPL-2.0-only
#include "rule_modes.h"

static unsigned int find(const struct rule_modes *modes, uint32_t line,
			 uint32_t column)
{
	unsigned int i = 0;

	while (i < modes->nr && (modes->list[i].line != line ||
				 modes->list[i].column != column))
		i++;
	return i;
}

enum policy_mode rule_modes_find(const struct rule_modes *modes, uint32_t line,
				 uint32_t column)
{
	unsigned int i = modes ? find(modes, line, column) : 0;

	return modes && i < modes->nr ? modes->list[i].mode : MODE_POLICY;
}

bool rule_modes_set(struct rule_modes *modes, uint32_t line, uint32_t column,
		    enum policy_mode mode)
{
	unsigned int i = find(modes, line, column);

	if (mode == MODE_POLICY) {
		if (i < modes->nr)
			modes->list[i] = modes->list[--modes->nr];
		return true;
	}
	if (i == RULE_MODES_MAX)
		return false;
	modes->list[i].line = line;
	modes->list[i].column = column;
	modes->list[i].mode = mode;
	modes->nr += i == modes->nr;
	return true;
}
