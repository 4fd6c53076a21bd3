// SPDX-License-Identifier: GPL-2.0-only
#include "lib/policy/registers.h"

#include "probe_ask.h"

struct probe_answer probe_ask(const struct host *host, unsigned int kind,
			      unsigned int type)
{
	struct rule rule = {
		.kind = (uint8_t)kind, .type = (uint8_t)type, .count = 1,
		.mask = UINT64_MAX, .action = REGPIN_GP,
		.access = ACCESS_WRITE,
	};
	struct probe_answer answer = { .why = NULL };

	answer.enforced = host_enforces(host, &rule, &answer.why);
	return answer;
}

bool probe_possible(unsigned int kind, unsigned int type)
{
	return (kind == REGPIN_MSR && type != RULE_ALLOW) ||
	       type == RULE_REPORT || type == RULE_STICKY || type == RULE_NEVER ||
	       type == RULE_FROZEN ||
	       (type == RULE_REQUIRE && kind != REGPIN_XCR0);
}

const char *probe_by_vmload(size_t *i)
{
	while (*i < regpin_nr_registers) {
		const struct regpin_register *r = &regpin_registers[(*i)++];

		if (r->kind == REGPIN_MSR &&
		    host_vmload_loads(r->index, r->count))
			return r->name;
	}
	return NULL;
}

enum fitted probe_fitted(const struct host *host,
			 const struct regpin_policy *policy,
			 const struct rule *rule)
{
	return fit_detects(policy, host, rule) ? FIT_DETECTED :
	       rule->flags & RULE_OPTIONAL ? FIT_LEFT_OUT : FIT_REFUSED;
}
