// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the output of `regpin explain --json` as a person would: sentence by sentence,
 * without the code that made them.
 */
#include <stdio.h>
#include <string.h>

#include "believe.h"
#include "lib/policy/registers.h"

#define MAX_SENTENCE	4096

static char sentence[MAX_SENTENCE];

const char *explain_last_sentence(void)
{
	return sentence;
}

static _Noreturn void bail(const char *what, const char *text)
{
	printf("Bail out! explain printed an unknown sentence: %s: %.200s\n",
	       what, text);
	exit(1);
}

static const struct {
	const char *text;
	unsigned int action;
} words[] = {
	{ "allowed, logged", REGPIN_REPORT },
	{ "written without this change", REGPIN_MASK },
	{ "dropped", REGPIN_DROP },
	{ "#GP", REGPIN_GP },
	{ "refused (#GP)", REGPIN_GP },
	{ "the vCPU is held until the operator answers", REGPIN_PAUSE },
	{ "the VM is stopped", REGPIN_STOP },
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Does @text begin with one of these? */
static bool is_action(const char *text, unsigned int *action)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!begins(text, words[i].text))
			continue;
		*action = words[i].action;
		return true;
	}
	return false;
}

static unsigned int action_of(const char *text)
{
	unsigned int action;

	if (!is_action(text, &action))
		bail("an action", text);
	return action;
}

/* "NXE, bit 5 and bits 8-11" up to @end. */
static uint64_t bits_of(const struct regpin_register *reg, const char *text,
			const char *end)
{
	uint64_t bits = 0;

	while (text < end) {
		unsigned int lo, hi;
		char name[64];
		size_t len;

		len = strcspn(text, ", ");
		if (begins(text, "bits ") &&
		    sscanf(text, "bits %u-%u", &lo, &hi) == 2) {
			for (; lo <= hi; lo++)
				bits |= 1ull << lo;
			len = 5 + strcspn(text + 5, ", ");
		} else if (begins(text, "bit ") &&
			   sscanf(text, "bit %u", &lo) == 1) {
			bits |= 1ull << lo;
			len = 4 + strcspn(text + 4, ", ");
		} else {
			snprintf(name, sizeof(name), "%.*s", (int)len, text);
			if (!reg || !register_bit(reg, name))
				bail("a bit", text);
			bits |= register_bit(reg, name);
		}
		text += len;
		if (begins(text, ", "))
			text += 2;
		else if (begins(text, " and "))
			text += 5;
	}
	return bits;
}

static unsigned int worse(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/* The action on a cleared bit, such as "#GP", in @text after "cleared". */
static unsigned int by_clearing(const struct step *step, uint64_t bits,
				const char *text)
{
	static const char floor[] =
		" while paging is on, if the VM's first armed vCPU has the bit";

	if (begins(text, floor)) {
		text += strlen(floor);
		bits &= step->moment.paging ? step->moment.floor : 0;
	}
	if (!begins(text, " ("))
		bail("what is done", text);
	return step->before & ~step->value & bits ? action_of(text + 2) :
						    REGPIN_ALLOW;
}

/* "NXE and bit 5", "all bits but NXE" or "any bit", up to @end. */
static uint64_t group_of(const struct step *step, const char *text,
			 const char *end)
{
	const struct regpin_register *reg = register_find(REGPIN_MSR,
							  step->index);

	if (begins(text, "any bit"))
		return ~0ull;
	if (begins(text, "all bits but "))
		return ~bits_of(reg, text + strlen("all bits but "), end);
	return bits_of(reg, text, end);
}

/* "clearing NXE is not stopped (allowed, logged)"; @end is " is not stopped (". */
static unsigned int by_freedom(const struct step *step, const char *text,
			       const char *end)
{
	static const char floor[] =
		"while paging is on, if the VM's first armed vCPU has the bit, clearing ";
	uint64_t set = ~step->before & step->value;
	uint64_t cleared = step->before & ~step->value, changed;

	if (begins(text, "changing ")) {
		changed = set | cleared;
		text += strlen("changing ");
	} else if (begins(text, "setting ")) {
		changed = set;
		text += strlen("setting ");
	} else if (begins(text, "clearing ")) {
		changed = cleared;
		text += strlen("clearing ");
	} else if (begins(text, floor)) {
		changed = step->moment.paging ?
				  cleared & step->moment.floor : 0;
		text += strlen(floor);
	} else {
		bail("what is not stopped", text);
	}
	return changed & group_of(step, text, end) ?
		       action_of(end + strlen(" is not stopped (")) : 0;
}

/* One group of bits: "NXE can't be cleared once set (#GP)". */
static unsigned int by_group(const struct step *step, const char *text)
{
	uint64_t old = step->before, new = step->value, bits;
	const char *verb = strstr(text, " can't "), *next = strchr(text, ';');
	const char *free = strstr(text, " is not stopped (");

	if (free && (!next || free < next))
		return by_freedom(step, text, free);
	if (begins(text, "no bit can ")) {
		bits = ~0ull;
		verb = text + strlen("no bit can ");
	} else if (!verb) {
		bail("a group of bits", text);
	} else {
		bits = group_of(step, text, verb);
		verb += strlen(" can't ");
	}
	if (begins(verb, "change ("))
		return (old ^ new) & bits ?
			       action_of(verb + strlen("change (")) : 0;
	if (begins(verb, "be cleared once set"))
		return by_clearing(step, bits,
				   verb + strlen("be cleared once set"));
	if (!begins(verb, "be set ("))
		bail("what bits can't", verb);
	return ~old & new & bits ? action_of(verb + strlen("be set (")) : 0;
}

/* Reads one of the sentences. */
static unsigned int by_one(const struct step *step, const char *text)
{
	const struct moment *m = &step->moment;
	/* APM volume 2, "Extended Feature Enable Register": LMA is not written. */
	uint64_t kept = step->index == MSR_EFER ? EFER_LMA : 0;
	uint64_t value = (step->value & ~kept) | (step->before & kept);
	bool same = step->before == value;
	const char *other = strstr(text, "(otherwise: ");
	unsigned int always;

	if (begins(text, "free") && (!text[4] || text[4] == ';'))
		return REGPIN_ALLOW;
	if (begins(text, "other bits are free"))
		return REGPIN_ALLOW;
	/* If PAT has its reset value, the moment has no common value yet. */
	if (begins(text, "while that is PAT's reset value, "))
		return REGPIN_ALLOW;
	if (is_action(text, &always))
		return always;
	if (!begins(text, "only of ") && !begins(text, "free while "))
		return by_group(step, text);
	if (!other)
		bail("a sentence", text);
	other += strlen("(otherwise: ");
	if (begins(text, "only of the value that the VM's first armed vCPU has there ("))
		return m->no_common || value == m->common ?
			       REGPIN_ALLOW : action_of(other);
	if (begins(text, "free while it is 0, then only of the value that it holds ("))
		return same || !step->before ? REGPIN_ALLOW : action_of(other);
	if (begins(text, "only of the value that it holds, or held after its syscall set-up ("))
		return same || value == m->once ? REGPIN_ALLOW :
							action_of(other);
	if (begins(text, "only of the value that it holds ("))
		return same ? REGPIN_ALLOW : action_of(other);
	bail("a sentence", text);
}

/* The claim of @text about this write: all sentences hold at the same time. */
static unsigned int write_claim(const struct step *step, const char *text)
{
	unsigned int action = REGPIN_ALLOW;

	for (;;) {
		const char *end = strstr(text, "; ");

		action = worse(action, by_one(step, text));
		if (!end)
			return action;
		text = end + 2;
	}
}

/* Copies the string that begins at @json, after its quote. */
static void take(const char *json)
{
	size_t len = 0;

	for (; *json && *json != '"'; json++) {
		if (*json == '\\')
			json++;
		if (len + 1 < sizeof(sentence))
			sentence[len++] = *json;
	}
	sentence[len] = 0;
}

/* Takes the string of @key between @json and @end. */
static bool take_key(const char *json, const char *end, const char *key)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":\"", key);
	at = strstr(json, quoted);
	if (!at || at >= end)
		return false;
	take(at + strlen(quoted));
	return true;
}

/*
 * Does the array "registers" of the object from @at to @end contain MSR @index? Its
 * elements have an "index", and a "count" if they are ranges.
 */
static bool names_have(const char *at, const char *end, uint32_t index)
{
	const char *close = strstr(at, "]");

	if (strstr(at, "\"others\":true") && strstr(at, "\"others\":true") < end)
		return true;
	while ((at = strstr(at, "\"index\":\"")) && at < close) {
		unsigned int first = 0, count;

		at += strlen("\"index\":\"");
		if (sscanf(at, "0x%x\",\"count\":%u", &first, &count) != 2)
			count = 1;
		if (index - first < count)
			return true;
	}
	return false;
}

/* Finds the object about @index in the array "accesses"; stores its end in @end. */
static const char *find_object(const char *json, uint32_t index,
			       const char **end)
{
	const char *at = strstr(json, "\"accesses\":[");

	if (!at)
		bail("no accesses", json);
	for (at += strlen("\"accesses\":["); *at == '{' || *at == ',';
	     at = *end) {
		*end = strstr(at, "}}");
		if (!*end)
			bail("an object", at);
		*end += 2;
		if (names_have(at, *end, index))
			return at;
	}
	return NULL;
}

/* Skips lines whose text is the same as the next one's. */
static bool take_phase(const char *json, const char *end,
		       const struct moment *m)
{
	static const char *const keys[] = { "after_setup", "setup",
					    "first_setup", "unarmed", "beside" };
	static const signed char instead[] = { -1, 0, 1, -1, 3 };
	int phase = m->armed ? (m->done ? 0 : m->settled ? 1 : 2) :
			       m->beside && m->settled ? 4 : 3;

	if (take_key(json, end, "always"))
		return true;
	for (; phase >= 0; phase = instead[phase])
		if (take_key(json, end, keys[phase]))
			return true;
	return false;
}

static struct claim read_claim(void)
{
	struct claim claim = { .found = true };
	unsigned long long value;

	if (!strcmp(sentence, "dropped: the guest reads 0")) {
		claim.action = REGPIN_DROP;
	} else if (!strcmp(sentence, "refused (#GP)")) {
		claim.action = REGPIN_GP;
	} else if (sscanf(sentence, "return 0x%llx", &value) == 1) {
		claim.answered = true;
		claim.value = value;
		if (strstr(sentence, ", logged"))
			claim.action = REGPIN_REPORT;
	} else if (strcmp(sentence, "free") != 0) {
		claim.action = action_of(sentence);
	}
	return claim;
}

struct claim explain_claim(const char *json, const struct step *step)
{
	const char *end, *at = find_object(json, step->index, &end);
	struct claim claim = { .found = at };

	if (!at)
		return claim;
	if (step->op == TRACE_RDMSR) {
		if (!take_key(at, end, "reads"))
			bail("no reads", at);
		return read_claim();
	}
	if (!take_phase(at, end, &step->moment))
		bail("no phase", at);
	claim.request = !strcmp(sentence, "a write requests arming");
	if (!claim.request)
		claim.action = write_claim(step, sentence);
	return claim;
}

struct claim explain_refused(const char *json, const struct step *step)
{
	const char *at = strstr(json, "\"refused\":{"), *gp;
	bool read = step->op == TRACE_RDMSR;
	struct claim claim = { 0 };
	unsigned long long value;
	int len = 0;

	if (!at || !take_key(at, at + strlen(at), step->refusal ==
			     TRACE_UNKNOWN ? "unknown" : "invalid"))
		return claim;
	claim.found = true;
	gp = strstr(sentence, "#GP, as without regpin");
	if (read && sscanf(sentence, "reads give 0x%llx", &value) == 1) {
		claim.answered = true;
		claim.value = value;
		sscanf(sentence, "reads give 0x%*x%n", &len);
		claim.action = begins(sentence + len, ", with an event") ?
				       REGPIN_DROP : REGPIN_ALLOW;
	} else if (!read && strstr(sentence, "writes are dropped, with an event")) {
		claim.action = REGPIN_DROP;
	} else if (gp) {
		claim.action = strstr(gp, ", and an event") ? REGPIN_REPORT :
							      REGPIN_GP;
	} else {
		bail("what is refused", sentence);
	}
	return claim;
}
