// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line of a trace. Millions of lines are read in a second, so words are compared in place,
 * and the reason for an error is determined only after the error has occurred.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "lib/policy/register_index.h"
#include "lib/policy/register_names.h"
#include "lib/policy/registers.h"
#include "policy/register_unknown.h"
#include "trace.h"


const char *const outcome_names[OUTCOME_MAX] = {
	[OUTCOME_OK] = "ok",	   [OUTCOME_REPORT] = "report",
	[OUTCOME_MASK] = "mask",   [OUTCOME_DROP] = "drop",
	[OUTCOME_GP] = "gp",	   [OUTCOME_PAUSE] = "pause",
	[OUTCOME_STOP] = "stop",   [OUTCOME_NONE] = "none",
	[OUTCOME_OPEN] = "?",
};

/**
 * struct cursor - the position in the line
 * @begin: the line
 * @at: the end of the text that has been read
 * @end: the end of the line, or the beginning of its comment
 * @word: the last word, @len bytes
 */
struct cursor {
	const char *begin, *at, *end;
	const char *word;
	size_t len;
	struct trace_fault *fault;
};

static int __attribute__((format(printf, 2, 3), cold))
wrong(struct cursor *c, const char *format, ...)
{
	va_list args;

	c->fault->column = (unsigned int)(c->word - c->begin) + 1;
	va_start(args, format);
	vsnprintf(c->fault->text, sizeof(c->fault->text), format, args);
	va_end(args);
	return -1;
}

/* Copies the word, or its beginning, without control characters. Returns @text. */
static const char *word_text(const struct cursor *c, char text[64])
{
	size_t len = c->len < 63 ? c->len : 63;

	memcpy(text, c->word, len);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			text[i] = '?';
	text[len] = 0;
	return text;
}

/* The word in a form for messages. */
static struct shown shown(const struct cursor *c)
{
	char text[64];

	return show(word_text(c, text));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the next word. Returns false at the end. */
static inline bool next(struct cursor *c)
{
	const char *at = c->at;

	while (at < c->end && is_blank(*at))
		at++;
	c->word = at;
	while (at < c->end && !is_blank(*at))
		at++;
	c->len = (size_t)(at - c->word);
	c->at = at;
	return c->len;
}

static inline bool is(const struct cursor *c, const char *word)
{
	return c->len == strlen(word) && !memcmp(c->word, word, c->len);
}

/* Reads 0x and at most 16 digits, the form of most numbers. */
static inline bool hex(const struct cursor *c, uint64_t *value)
{
	uint64_t number = 0;

	if (c->len < 3 || c->len > 18 || c->word[0] != '0' || c->word[1] != 'x')
		return false;
	for (size_t i = 2; i < c->len; i++) {
		unsigned int digit = (unsigned char)c->word[i] - (unsigned)'0';

		if (digit > 9) {
			digit = ((unsigned char)c->word[i] | 0x20u) -
				(unsigned)'a';
			if (digit > 5)
				return false;
			digit += 10;
		}
		number = number << 4 | digit;
	}
	*value = number;
	return true;
}

static int number(struct cursor *c, uint64_t max, const char *what,
		  uint64_t *value)
{
	const char *fault;

	if (!next(c))
		return wrong(c, "%s is missing", what);
	if (hex(c, value) && *value <= max)
		return 0;
	fault = number_read(c->word, c->len, max, value);
	if (fault && max == TRACE_MAX_VCPU)
		return wrong(c, "%s as %s: %s (the range is 0 to %u)", shown(c).text,
			     what, fault, TRACE_MAX_VCPU);
	return fault ? wrong(c, "%s as %s: %s", shown(c).text, what, fault) : 0;
}

/* Finds a register by name. Found ones are cached, as most traces have only a few. */
static const struct regpin_register *by_name(const struct cursor *c,
					     uint32_t *index)
{
	static struct {
		char name[48];
		struct register_named named;
	} known[64];
	char name[sizeof(known[0].name)] = "";
	unsigned int slot = 0;

	if (c->len >= sizeof(name) || memchr(c->word, 0, c->len))
		return NULL;
	memcpy(name, c->word, c->len);
	for (size_t i = 0; i < c->len; i++)
		slot = slot * 31 + (unsigned char)name[i];
	slot %= sizeof(known) / sizeof(known[0]);
	if (memcmp(known[slot].name, name, sizeof(name)) != 0) {
		memcpy(known[slot].name, name, sizeof(name));
		if (!register_by_name(name, &known[slot].named))
			known[slot].named.reg = NULL;
	}
	*index = known[slot].named.index;
	return known[slot].named.reg;
}

static bool is_change(const struct cursor *c)
{
	return c->len && (c->word[0] == '+' || c->word[0] == '-');
}

/* "+SMEP" or "-16": one bit, or a field, of the line's register. */
static int change(struct cursor *c, struct trace_line *line)
{
	const struct regpin_register *found =
		register_find(line->kind, line->index);
	char name[48] = "";
	uint64_t bits = 0, n;

	if (c->len - 1 < sizeof(name) && !memchr(c->word, 0, c->len))
		memcpy(name, c->word + 1, c->len - 1);
	if (found)
		bits = register_bit(found, name);
	if (!bits && !number_read(name, strlen(name), 63, &n))
		bits = 1ull << n;
	if (!bits)
		return wrong(c, "%s does not change a bit: write + or - and the name of a bit of this register ('regpin regs' lists them), or a number from 0 to 63",
			     shown(c).text);
	if (bits & (line->set | line->clear))
		return wrong(c, "%s: this bit is changed twice",
			     shown(c).text);
	line->relative = true;
	if (c->word[0] == '+')
		line->set |= bits;
	else
		line->clear |= bits;
	return 0;
}

/* Reads the value that is written: a number, or changes of bits. */
static int value(struct cursor *c, struct trace_line *line)
{
	struct cursor ahead = *c;

	if (next(&ahead) && is(&ahead, "?") && line->op == TRACE_WRMSR) {
		line->open = true;
		*c = ahead;
		return 0;
	}
	if (!is_change(&ahead))
		return number(c, UINT64_MAX, "a value", &line->value);
	while (is_change(&ahead)) {
		*c = ahead;
		if (change(c, line))
			return -1;
		next(&ahead);
	}
	return 0;
}

/* Is the word an MSR's index? */
static bool is_index(const struct cursor *c, uint64_t *index)
{
	char word[64], plain[REGISTER_TITLE_MAX];
	char last = c->word[c->len - 1];

	if (hex(c, index))
		return *index <= UINT32_MAX;
	if (c->word[0] >= '0' && c->word[0] <= '9' &&
	    !number_read(c->word, c->len, UINT32_MAX, index))
		return true;
	/* As manuals write it: "C0000080H", "MSRC001_0015". */
	return (last == 'h' || last == 'H' || c->len == strlen("MSRC001_0015")) &&
	       register_index_text(plain, word_text(c, word)) == plain &&
	       !number_read(plain, strlen(plain), UINT32_MAX, index);
}

/* A register by name or index; @cr: it may be a control register. */
static int reg(struct cursor *c, bool cr, struct trace_line *line)
{
	const struct regpin_register *found;
	char name[64];
	uint64_t index;

	if (!next(c))
		return wrong(c, "the register is missing: write a name, or an MSR's index");
	/* As events write it: "MSR 0x64e". */
	if (is(c, "MSR") && !next(c))
		return wrong(c, "the MSR's index is missing");
	line->kind = REGPIN_MSR;
	if (is_index(c, &index)) {
		line->index = (uint32_t)index;
		return 0;
	}
	if (c->word[0] >= '0' && c->word[0] <= '9')
		return wrong(c, "%s as an MSR: %s (an index is 0 to 0xffffffff)",
			     shown(c).text,
			     number_read(c->word, c->len, UINT32_MAX, &index));
	found = by_name(c, &line->index);
	if (!found) {
		char why[REGISTER_UNKNOWN_MAX];

		register_unknown(why, sizeof(why), word_text(c, name));
		return wrong(c, "%s", why);
	}
	if (found->kind != REGPIN_MSR && !cr)
		return wrong(c, "%s is not an MSR: the statements cr0, cr4 and xcr0 write control registers, for example 0 cr4 0x20",
			     shown(c).text);
	line->kind = found->kind;
	return 0;
}

static int answer(struct cursor *c, struct trace_line *line)
{
	static const char *const words[] = {
		[OUTCOME_OK] = "allow", [OUTCOME_GP] = "gp",
		[OUTCOME_STOP] = "stop",
	};
	static const uint8_t actions[] = {
		[OUTCOME_OK] = REGPIN_ALLOW, [OUTCOME_GP] = REGPIN_GP,
		[OUTCOME_STOP] = REGPIN_STOP,
	};

	next(c);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!words[i] || !is(c, words[i]))
			continue;
		line->value = actions[i];
		return 0;
	}
	return wrong(c, "an answer is allow, gp or stop");
}

static int cr_write(struct cursor *c, struct trace_line *line)
{
	line->kind = is(c, "cr0") ? REGPIN_CR0 : is(c, "cr4") ? REGPIN_CR4 :
								REGPIN_XCR0;
	line->op = TRACE_CR;
	return value(c, line);
}

/* Reads a statement about a vCPU, whose number has been read. */
static int of_vcpu(struct cursor *c, struct trace_line *line)
{
	if (!next(c))
		return wrong(c, "a statement is missing after the vCPU: one of rdmsr, wrmsr, cr0, cr4, xcr0, init, hypercall, set, look and answer");
	if (is(c, "wrmsr")) {
		line->op = TRACE_WRMSR;
		return reg(c, false, line) || value(c, line) ? -1 : 0;
	}
	if (is(c, "rdmsr")) {
		line->op = TRACE_RDMSR;
		return reg(c, false, line);
	}
	if (is(c, "cr0") || is(c, "cr4") || is(c, "xcr0"))
		return cr_write(c, line);
	if (is(c, "set")) {
		line->op = TRACE_SET;
		return reg(c, true, line) || value(c, line) ? -1 : 0;
	}
	if (is(c, "answer")) {
		line->op = TRACE_ANSWER;
		return answer(c, line);
	}
	if (is(c, "init"))
		line->op = TRACE_INIT;
	else if (is(c, "hypercall"))
		line->op = TRACE_HYPERCALL;
	else if (is(c, "look"))
		line->op = TRACE_LOOK;
	else
		return wrong(c, "%s is not a statement: after a vCPU comes one of rdmsr, wrmsr, cr0, cr4, xcr0, init, hypercall, set, look and answer",
			     shown(c).text);
	return 0;
}

/* Reads a statement about the VM. */
static int of_vm(struct cursor *c, struct trace_line *line)
{
	struct cursor ahead;

	if (is(c, "reset")) {
		line->op = TRACE_RESET;
	} else if (is(c, "arm")) {
		line->op = TRACE_ARM;
	} else if (is(c, "disarm")) {
		line->op = TRACE_DISARM;
	} else if (is(c, "window")) {
		line->op = TRACE_WINDOW;
		ahead = *c;
		line->once = next(&ahead) && is(&ahead, "once");
		if (line->once)
			*c = ahead;
	} else {
		return wrong(c, "a line begins with a vCPU's number (0 to %u), or it is reset, arm, disarm, window or window once; this is %s",
			     TRACE_MAX_VCPU, shown(c).text);
	}
	return 0;
}

/* Reads "unknown" or "invalid" after an access to an MSR. */
static bool refusal(const struct cursor *c, struct trace_line *line)
{
	if (line->op != TRACE_RDMSR && line->op != TRACE_WRMSR)
		return false;
	if (is(c, "unknown"))
		line->refusal = TRACE_UNKNOWN;
	else if (is(c, "invalid"))
		line->refusal = TRACE_INVALID;
	return line->refusal != TRACE_TAKEN;
}

/* "=> gp", "=> 0x500" */
static int expectation(struct cursor *c, struct trace_line *line)
{
	if (!is(c, "=>"))
		return wrong(c, "%s is one word too many: only '=> OUTCOME' or a comment may follow a statement; rdmsr and wrmsr may also end with unknown or invalid",
			     shown(c).text);
	line->expects = true;
	if (!next(c))
		return wrong(c, "the expected outcome is missing: a number, ok, report, mask, drop, gp, pause, stop, none or ?");
	line->outcome = OUTCOME_MAX;
	if (c->word[0] >= '0' && c->word[0] <= '9') {
		c->at = c->word;
		if (number(c, UINT64_MAX, "the expected outcome", &line->result))
			return -1;
	} else {
		for (int i = 0; i < OUTCOME_MAX; i++)
			if (is(c, outcome_names[i]))
				line->outcome = (enum outcome)i;
		if (line->outcome == OUTCOME_MAX)
			return wrong(c, "%s is not an outcome: a number, ok, report, mask, drop, gp, pause, stop, none or ?",
				     shown(c).text);
	}
	if (next(c))
		return wrong(c, "%s is one word too many: a statement has one outcome",
			     shown(c).text);
	return 0;
}

/* The line's end, without a comment. */
static const char *end_of(const char *text, size_t size)
{
	const char *end = text + size, *comment;

	if (end > text && end[-1] == '\n')
		end--;
	if (end > text && end[-1] == '\r')
		end--;
	comment = memchr(text, '#', (size_t)(end - text));
	return comment ? comment : end;
}

int trace_read(const char *text, size_t size, struct trace_line *line,
	       struct trace_fault *fault)
{
	struct cursor c = { .begin = text, .at = text, .fault = fault,
			    .end = end_of(text, size) };
	uint64_t vcpu = 0;
	int ret;

	if (!next(&c))
		return 0;
	*line = (struct trace_line){ .start = (size_t)(c.word - text) };
	if (c.word[0] >= '0' && c.word[0] <= '9') {
		if (c.len == 1) {
			vcpu = (uint64_t)(c.word[0] - '0');
		} else {
			c.at = c.word;
			if (number(&c, TRACE_MAX_VCPU, "a vCPU's number",
				   &vcpu))
				return -1;
		}
		line->vcpu = (uint32_t)vcpu;
		ret = of_vcpu(&c, line);
	} else {
		ret = of_vm(&c, line);
	}
	if (ret)
		return -1;
	line->len = (size_t)(c.at - text) - line->start;
	if (!next(&c))
		return 1;
	if (refusal(&c, line)) {
		line->len = (size_t)(c.at - text) - line->start;
		if (!next(&c))
			return 1;
	}
	return expectation(&c, line) ? -1 : 1;
}
