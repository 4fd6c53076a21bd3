// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "lib/policy/registers.h"

#include "base/exit_codes.h"
#include "event/event_names.h"
#include "sim.h"
#include "sim_read.h"

/* Values for the syscall set-up of a vCPU about which a log shows only that it is armed. */
#define SOME_ENTRY	0xffffffff80000000ull
#define SOME_MASK	0x47700ull

static int complain(const struct reader *reader, uint64_t line,
		    const struct trace_fault *fault)
{
	fprintf(stderr, "%s:%" PRIu64 ":%u: error: %s\n",
		printable(reader->input.name), line, fault->column,
		fault->text);
	return EXIT_REJECTED;
}

/* Runs @line, whose text is @text, and counts unexpected outcomes. */
static int run_statement(struct reader *reader, const struct trace_line *line,
			 const char *text)
{
	const struct trace_fault memory = { 1, "out of memory" };
	struct printer *printer = reader->printer;
	const struct input *input = &reader->input;
	struct sim *sim = reader->sim;
	enum expected expected = AS_EXPECTED;

	if (sim_do(sim, line) ||
	    (reader->other && sim_do(reader->other, line))) {
		complain(reader, input->line, &memory);
		return EXIT_FILE;
	}
	if (!sim_as_expected(sim, line))
		expected = reader->other &&
			   sim_as_expected(reader->other, line) ?
			WITH_CR_FILTER : UNEXPECTED;
	printer->unexpected += expected == UNEXPECTED;
	printer->elsewhere += expected == WITH_CR_FILTER;
	if (expected != AS_EXPECTED && !printer->json)
		print_unexpected(printer, sim, line, input->name, input->line,
				 expected);
	if (!printer->quiet || (expected != AS_EXPECTED && printer->json))
		print_line(printer, sim, line, text, input->line, expected);
	return EXIT_OK;
}

/* Runs a statement that was made from a line of a log. */
static int run_text(struct reader *reader, const char *text)
{
	struct trace_fault fault;
	struct trace_line line;

	if (trace_read(text, strlen(text), &line, &fault) > 0)
		return run_statement(reader, &line, text);
	return complain(reader, reader->input.line, &fault);
}

/* Sets the register to its value before @access, unless it has that value. */
static int run_set(struct reader *reader, const struct log_access *access,
		   unsigned int kind, uint32_t index, uint64_t value,
		   const char *about)
{
	struct log_access set = { .op = TRACE_SET, .vcpu = access->vcpu,
				  .kind = kind, .index = index,
				  .has_value = true, .value = value };
	char text[LOG_STATEMENT];

	if (sim_holds(reader->sim, access->vcpu, kind, index) == value)
		return EXIT_OK;
	log_statement(&set, text);
	reader->printer->about = about;
	return run_text(reader, text);
}

/* Arms the vCPU: the log shows that it is armed, but no line so far has armed it. */
static int run_arming(struct reader *reader, const struct log_access *access)
{
	static const char assumed[] = "assumed: the log does not have it";
	const struct sim *sim = reader->sim;
	char look[LOG_STATEMENT];
	int ret = EXIT_OK;

	if (sim_is_armed(sim, access->vcpu))
		return EXIT_OK;
	if (!sim_holds(sim, access->vcpu, REGPIN_MSR, MSR_LSTAR))
		ret = run_set(reader, access, REGPIN_MSR, MSR_LSTAR,
			      SOME_ENTRY, assumed);
	if (ret == EXIT_OK &&
	    !sim_holds(sim, access->vcpu, REGPIN_MSR, MSR_SFMASK))
		ret = run_set(reader, access, REGPIN_MSR, MSR_SFMASK,
			      SOME_MASK, assumed);
	reader->printer->about = "as the pins hold in the log";
	if (ret == EXIT_OK)
		ret = run_text(reader, "arm");
	snprintf(look, sizeof(look), "%" PRIu32 " look", access->vcpu);
	return ret == EXIT_OK ? run_text(reader, look) : ret;
}

static int run_access(struct reader *reader, const struct log_access *access)
{
	char name[REGISTER_NAME_MAX], about[128], text[LOG_STATEMENT];
	bool was_read = access->op == TRACE_RDMSR && access->has_value;
	int ret = EXIT_OK;

	reader->accesses++;
	if (access->has_old || was_read)
		ret = run_set(reader, access, access->kind, access->index,
			      access->has_old ? access->old : access->value,
			      "as in the log");
	if (ret == EXIT_OK && access->armed)
		ret = run_arming(reader, access);
	reader->printer->about = NULL;
	if (ret != EXIT_OK)
		return ret;
	event_register_name(name, access->kind, access->index);
	snprintf(about, sizeof(about), "%s%s", name, access->vmms ?
		 ", by the VMM, which no policy judges: a guest gets this" : "");
	/* For other registers the statement alone is enough. */
	if (access->op != TRACE_INIT && access->kind == REGPIN_MSR &&
	    (access->vmms || register_find(REGPIN_MSR, access->index)))
		reader->printer->about = about;
	log_statement(access, text);
	ret = run_text(reader, text);
	reader->printer->about = NULL;
	return ret;
}

/* Does the line begin with a number and a trace's word? No line of a log does. */
static bool is_meant_as_statement(const char *text, size_t size)
{
	static const char *const words[] = {
		"rdmsr", "wrmsr", "cr0", "cr4", "xcr0", "init", "hypercall",
		"look", "set", "answer",
	};
	size_t at = 0;

	while (at < size && (text[at] == ' ' || text[at] == '\t'))
		at++;
	if (at == size || !isdigit((unsigned char)text[at]))
		return false;
	while (at < size && isalnum((unsigned char)text[at]))
		at++;
	if (at == size || (text[at] != ' ' && text[at] != '\t'))
		return false;
	while (at < size && (text[at] == ' ' || text[at] == '\t'))
		at++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (size - at >= len && !memcmp(text + at, words[i], len) &&
		    (size - at == len || !isalnum((unsigned char)text[at + len])))
			return true;
	}
	return false;
}

/* Handles a line that is neither a statement, see @fault, nor a line of a known log. */
static int take_unknown(struct reader *reader, const char *text, size_t size,
			const struct trace_fault *fault)
{
	if (reader->reading == READS_TRACE ||
	    is_meant_as_statement(text, size))
		return complain(reader, reader->input.line, fault);
	reader->skipped++;
	if (reader->reading == READS_NOTHING && !reader->fault_line) {
		reader->fault = *fault;
		reader->fault_line = reader->input.line;
	}
	return EXIT_OK;
}

/* Handles a statement, of a trace, or one that a user has added to a log. */
static int take_statement(struct reader *reader, const struct trace_line *line,
			  const char *text)
{
	if (reader->reading == READS_NOTHING) {
		/* A single word, such as "reset", may be a line of a log as well. */
		if (reader->fault_line && line->op >= TRACE_RESET) {
			reader->skipped++;
			return EXIT_OK;
		}
		if (reader->fault_line)
			return complain(reader, reader->fault_line,
					&reader->fault);
		reader->reading = READS_TRACE;
	}
	return run_statement(reader, line, text);
}

static int one(struct reader *reader, const char *text, size_t size)
{
	const struct trace_fault too_long = { TRACE_MAX_LINE,
					      "the line is too long" };
	struct log_access access;
	struct trace_fault fault;
	struct trace_line line;
	enum log_kind kind;
	int ret;

	if (size > TRACE_MAX_LINE)
		return take_unknown(reader, text, size, &too_long);
	ret = trace_read(text, size, &line, &fault);
	if (!ret)
		return EXIT_OK;
	if (ret > 0)
		return take_statement(reader, &line, text);
	kind = log_read(&reader->log, text, size, &access);
	if (kind == LOG_UNRELATED)
		return take_unknown(reader, text, size, &fault);
	if (reader->reading == READS_NOTHING)
		reader->reading = READS_LOG;
	reader->events += kind == LOG_KNOWN;
	return kind == LOG_ACCESS ? run_access(reader, &access) : EXIT_OK;
}

/* Prints the numbers of lines of a log, and the limits of such a result. */
static void print_summary(const struct reader *reader)
{
	fprintf(stderr, "regpin sim: %s is a log: %" PRIu64 " of its lines %s, %" PRIu64 " %s, %" PRIu64 " could not be read%s\n",
		printable(reader->input.name), reader->accesses,
		reader->accesses == 1 ? "is an access" : "are accesses",
		reader->events,
		reader->events == 1 ? "is another event" : "are other events",
		reader->skipped,
		sim_armed_ever(reader->sim) ? "" :
		"; nothing in it has armed a vCPU, so no pin (sticky, never, frozen, once, uniform, require) was in force");
}

static int finish(const struct reader *reader)
{
	if (reader->input.error) {
		fprintf(stderr, "regpin sim: %s can't be read: %s\n",
			printable(reader->input.name),
			strerror(reader->input.error));
		return EXIT_FILE;
	}
	if (reader->reading == READS_NOTHING && reader->fault_line) {
		complain(reader, reader->fault_line, &reader->fault);
		fprintf(stderr, "regpin sim: no line of %s is known: sim reads %s\n",
			printable(reader->input.name), log_forms);
		return EXIT_REJECTED;
	}
	if (reader->reading == READS_LOG && !reader->printer->quiet)
		print_summary(reader);
	return EXIT_OK;
}

int reader_run(struct reader *reader)
{
	int ret = EXIT_OK;
	size_t size;
	char *line;

	while (ret == EXIT_OK && (size = input_take(&reader->input, &line)))
		ret = one(reader, line, size);
	print_flush(reader->printer);
	fflush(stdout);
	return ret == EXIT_OK ? finish(reader) : ret;
}
