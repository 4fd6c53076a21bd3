// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line of a log. Messages are searched for in the whole line, so that any prefix is
 * skipped, and without regard to case. The forms are those of Linux 5.10 to
 * 7.3 (arch/x86/mm/extable.c, arch/x86/kvm) and of QEMU's target/i386/kvm/kvm.c.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/policy/registers.h"
#include "log.h"
#include "log_event.h"


const char log_forms[] =
	"a trace (see regpin-trace(5)), or a log with lines of these: Linux ('unchecked MSR access error'), KVM ('unhandled rdmsr', 'ignored wrmsr' and the like), QEMU ('failed to set MSR', 'failed to get MSR'), KVM's trace events kvm_msr and kvm_cr, and regpin's own events";

#define DEBUGCTL	0x1d9u
#define HWCR		0xc0010015u
#define MMIO_CONF_BASE	0xc0010058u
#define NOT_SAID	TRACE_UNKNOWN	/* #GP, whose reason follows from the register */

/**
 * struct message - a message about an access to an MSR
 * @text: its beginning, which the MSR's index follows, or, if @index is not 0, the value
 * @between: the text between index and value; NULL: there is no value
 * @write: it is about a write
 * @vmms: it is about an access of the VMM
 * @guess: it leaves open whether KVM does not know the MSR or refuses the access
 * @refusal: why KVM refused the access
 * @index: the MSR's index, if the message is about one MSR only
 */
static const struct message {
	const char *text, *between;
	bool write, vmms, guess;
	enum trace_refusal refusal;
	uint32_t index;
} messages[] = {
	{ "unchecked MSR access error: RDMSR from ", NULL, false, false, true,
	  NOT_SAID, 0 },
	{ "unchecked MSR access error: WRMSR to ", " (tried to write ", true,
	  false, true, NOT_SAID, 0 },
	{ "unhandled rdmsr: ", NULL, false, false, false, TRACE_UNKNOWN, 0 },
	{ "unhandled wrmsr: ", " data ", true, false, false, TRACE_UNKNOWN, 0 },
	{ "uhandled wrmsr: ", " data ", true, false, false, TRACE_UNKNOWN, 0 },
	{ "ignored rdmsr: ", NULL, false, false, false, TRACE_UNKNOWN, 0 },
	{ "ignored wrmsr: ", " data ", true, false, false, TRACE_UNKNOWN, 0 },
	{ "unhandled rdmsr(", NULL, false, false, true, NOT_SAID, 0 },
	{ "unhandled wrmsr(", ") = ", true, false, true, NOT_SAID, 0 },
	{ "disabled perfctr wrmsr: ", " data ", true, false, false,
	  TRACE_TAKEN, 0 },
	{ "unimplemented perfctr wrmsr: ", " data ", true, false, false,
	  TRACE_TAKEN, 0 },
	{ "unimplemented wrmsr: ", " data ", true, false, false, TRACE_TAKEN,
	  0 },
	{ "unimplemented HWCR wrmsr: ", "", true, false, false, TRACE_INVALID,
	  HWCR },
	{ "unimplemented MMIO_CONF_BASE wrmsr: ", "", true, false, false,
	  TRACE_INVALID, MMIO_CONF_BASE },
	{ ": MSR_IA32_DEBUGCTLMSR ", "", true, false, false, TRACE_TAKEN,
	  DEBUGCTL },
	{ ": MSR_IA32_DEBUGCTL ", "", true, false, false, TRACE_TAKEN,
	  DEBUGCTL },
	{ "failed to get MSR ", NULL, false, true, true, NOT_SAID, 0 },
	{ "failed to set MSR ", " to ", true, true, true, NOT_SAID, 0 },
};

#define NR_MESSAGES	(sizeof(messages) / sizeof(messages[0]))

/* Returns the text after @what, or NULL if that is not there. Ignores case. */
static const char *behind(const char *text, const char *end, const char *what)
{
	size_t len = strlen(what);
	char first = (char)tolower((unsigned char)*what);

	for (; text + len <= end; text++)
		if (tolower((unsigned char)*text) == first &&
		    !strncasecmp(text, what, len))
			return text + len;
	return NULL;
}

/* Reads a hexadecimal number, with or without 0x. Returns the text after it, or NULL. */
static const char *hex(const char *at, const char *end, uint64_t max,
		       uint64_t *value)
{
	const char *begin;

	if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		at += 2;
	begin = at;
	*value = 0;
	for (; at < end && isxdigit((unsigned char)*at); at++) {
		unsigned int digit = isdigit((unsigned char)*at) ?
			(unsigned)(*at - '0') :
			(unsigned)(tolower((unsigned char)*at) - 'a' + 10);

		if (*value >> 60)
			return NULL;
		*value = *value << 4 | digit;
	}
	if (at == begin || *value > max ||
	    (at < end && (isalnum((unsigned char)*at) || *at == '_')))
		return NULL;
	return at;
}

/* Reads a decimal number. Returns the text after it, or NULL. */
static const char *decimal(const char *at, const char *end, uint32_t *value)
{
	const char *begin = at;
	uint64_t n = 0;

	for (; at < end && isdigit((unsigned char)*at); at++)
		if (n <= UINT32_MAX)
			n = n * 10 + (unsigned)(*at - '0');
	*value = (uint32_t)n;
	return at > begin && n <= UINT32_MAX ? at : NULL;
}

/*
 * The reason for a #GP that the log does not explain. KVM knows the registers that userspace
 * can write for the guest, and those with a message of their own, so it refused this access to
 * them. All others are taken as unknown to KVM.
 */
static enum trace_refusal by_register(uint32_t index)
{
	const struct regpin_register *reg = register_find(REGPIN_MSR, index);

	return (reg && reg->replay) || index == DEBUGCTL || index == HWCR ||
		index == MMIO_CONF_BASE ? TRACE_INVALID : TRACE_UNKNOWN;
}

/*
 * Reads the vCPU of "kvm [1234]: vcpu3, guest rIP: 0x..". Returns false if there is none. The
 * name of the host, before it, may contain vcpu and a number as well.
 */
static bool read_vcpu(const char *text, const char *end, uint32_t *vcpu)
{
	static const char rip[] = ", guest rip";
	const char *at = text, *number;

	*vcpu = 0;
	while ((at = behind(at, end, "vcpu"))) {
		for (number = at; at < end && isdigit((unsigned char)*at); at++)
			;
		if (at > number && behind(at, end, rip) == at + strlen(rip))
			return decimal(number, at, vcpu) &&
			       *vcpu <= TRACE_MAX_VCPU;
	}
	return true;
}

static enum log_kind of_message(const struct message *message, const char *text,
				const char *at, const char *end,
				struct log_access *access)
{
	uint64_t index = message->index;

	*access = (struct log_access){
		.op = message->write ? TRACE_WRMSR : TRACE_RDMSR,
		.refusal = message->refusal, .vmms = message->vmms,
	};
	if (!index)
		at = hex(at, end, UINT32_MAX, &index);
	if (!at || !read_vcpu(text, at, &access->vcpu))
		return LOG_UNRELATED;
	access->index = (uint32_t)index;
	if (message->guess)
		access->refusal = by_register(access->index);
	if (!message->write || (size_t)(end - at) < strlen(message->between) ||
	    strncasecmp(at, message->between, strlen(message->between)) != 0)
		return LOG_ACCESS;
	at += strlen(message->between);
	access->has_value = hex(at, end, UINT64_MAX, &access->value);
	return access->has_value ? LOG_ACCESS : LOG_UNRELATED;
}

/*
 * The vCPU of a trace event, by the thread's id before "[CPU]". A thread whose vCPU is not
 * known from a kvm_entry or kvm_exit gets the next number.
 */
static bool thread(const char *text, const char *end, uint32_t *id)
{
	const char *at;

	for (at = text; at < end && *at != '['; at++)
		;
	while (at > text && at[-1] == ' ')
		at--;
	end = at;
	while (at > text && isdigit((unsigned char)at[-1]))
		at--;
	return decimal(at, end, id);
}

static uint16_t *number_of(struct log *log, uint32_t id)
{
	unsigned int i = 0;

	while (i < log->nr && log->threads[i] != id)
		i++;
	if (i == LOG_THREADS)
		i--;
	if (i == log->nr) {
		log->threads[i] = id;
		log->vcpus[i] = (uint16_t)i;
		log->nr++;
	}
	return &log->vcpus[i];
}

static uint32_t vcpu_of(struct log *log, const char *text, const char *end)
{
	uint32_t id;

	return thread(text, end, &id) ? *number_of(log, id) : 0;
}

/* "kvm_entry: vcpu 0, rip ..", and kvm_exit since Linux 5.10: the vCPU of a thread. */
static enum log_kind of_entry(struct log *log, const char *text, const char *at,
			      const char *end)
{
	const char *name = behind(at, end, "vcpu ");
	uint32_t id, vcpu;

	if (name && thread(text, at, &id) && decimal(name, end, &vcpu) &&
	    vcpu <= TRACE_MAX_VCPU)
		*number_of(log, id) = (uint16_t)vcpu;
	return LOG_KNOWN;
}

/* "msr_write c0000080 = 0xd01 (#GP)", "cr_write 4 = 0x3506f0" */
static enum log_kind of_event(struct log *log, const char *text, const char *at,
			      const char *end, bool cr,
			      struct log_access *access)
{
	const char *read = behind(at, end, cr ? "cr_read " : "msr_read ");
	const char *write = behind(at, end, cr ? "cr_write " : "msr_write ");
	uint64_t number;

	*access = (struct log_access){
		.vcpu = vcpu_of(log, text, at), .has_value = true,
	};
	at = read || write ? hex(read ? read : write, end, UINT32_MAX, &number) :
			     NULL;
	at = at ? behind(at, end, "= ") : NULL;
	at = at ? hex(at, end, UINT64_MAX, &access->value) : NULL;
	if (!at)
		return LOG_UNRELATED;
	if (cr) {
		access->op = TRACE_CR;
		access->kind = number ? REGPIN_CR4 : REGPIN_CR0;
		return write && (!number || number == 4) ? LOG_ACCESS :
							   LOG_KNOWN;
	}
	access->op = write ? TRACE_WRMSR : TRACE_RDMSR;
	access->index = (uint32_t)number;
	if (behind(at, end, "(#GP)")) {
		access->refusal = by_register(access->index);
		access->has_value = write;
	}
	return LOG_ACCESS;
}

/* regpin's KVM: "kvm_cr_filter: xcr0 by xsetbv: 0x1 -> 0x7 filtered ..." */
static enum log_kind of_filter(struct log *log, const char *text,
			       const char *at, const char *end,
			       struct log_access *access)
{
	*access = (struct log_access){
		.op = TRACE_CR, .kind = REGPIN_XCR0, .has_value = true,
		.vcpu = vcpu_of(log, text, at),
	};
	/* Writes to other control registers have a kvm_cr event as well. */
	if (!behind(at, end, "xcr0 by "))
		return LOG_KNOWN;
	at = behind(at, end, "-> ");
	return at && hex(at, end, UINT64_MAX, &access->value) ? LOG_ACCESS :
								LOG_UNRELATED;
}

enum log_kind log_read(struct log *log, const char *text, size_t size,
		       struct log_access *access)
{
	const char *end = text + size, *at;

	at = memchr(text, '{', size);
	if (at) {
		enum log_kind kind = log_event(at, (size_t)(end - at), access);

		if (kind != LOG_UNRELATED)
			return kind;
	}
	/* All known messages contain one of these. */
	if (!behind(text, end, "msr") && !behind(text, end, "kvm_"))
		return LOG_UNRELATED;
	if ((at = behind(text, end, "kvm_msr: ")))
		return of_event(log, text, at, end, false, access);
	if ((at = behind(text, end, "kvm_cr: ")))
		return of_event(log, text, at, end, true, access);
	if ((at = behind(text, end, "kvm_cr_filter: ")))
		return of_filter(log, text, at, end, access);
	if ((at = behind(text, end, "kvm_entry: ")) ||
	    (at = behind(text, end, "kvm_exit: ")))
		return of_entry(log, text, at, end);
	for (size_t i = 0; i < NR_MESSAGES; i++)
		if ((at = behind(text, end, messages[i].text)))
			return of_message(&messages[i], text, at, end, access);
	return LOG_UNRELATED;
}

void log_statement(const struct log_access *access, char text[LOG_STATEMENT])
{
	static const char *const crs[] = {
		[REGPIN_CR0] = "cr0", [REGPIN_CR4] = "cr4",
		[REGPIN_XCR0] = "xcr0",
	};
	static const char *const refusals[] = {
		[TRACE_TAKEN] = "", [TRACE_UNKNOWN] = " unknown",
		[TRACE_INVALID] = " invalid",
	};
	char value[24] = " ?", reg[16];

	if (access->has_value)
		snprintf(value, sizeof(value), " 0x%" PRIx64, access->value);
	if (access->kind == REGPIN_MSR)
		snprintf(reg, sizeof(reg), "0x%" PRIx32, access->index);
	else
		snprintf(reg, sizeof(reg), "%s", crs[access->kind]);
	if (access->op == TRACE_INIT)
		snprintf(text, LOG_STATEMENT, "%" PRIu32 " init", access->vcpu);
	else if (access->op == TRACE_CR)
		snprintf(text, LOG_STATEMENT, "%" PRIu32 " %s%s", access->vcpu,
			 reg, value);
	else
		snprintf(text, LOG_STATEMENT, "%" PRIu32 " %s %s%s%s",
			 access->vcpu, access->op == TRACE_SET ? "set" :
			 access->op == TRACE_WRMSR ? "wrmsr" : "rdmsr", reg,
			 access->op == TRACE_RDMSR ? "" : value,
			 access->op == TRACE_SET ? "" :
			 refusals[access->refusal]);
}
