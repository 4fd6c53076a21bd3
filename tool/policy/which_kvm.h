/* SPDX-License-Identifier: GPL-2.0-only */
/* The KVM for which explain and sim work: this host's, or one that an option names. */
#ifndef REGPIN_TOOL_WHICH_KVM_H
#define REGPIN_TOOL_WHICH_KVM_H

#include "lib/kvm/host.h"

#include "base/json.h"

enum kvm_source {
	KVM_ASSUMED,		/* this host's can't be used: a stock one */
	KVM_HOST,		/* this host's */
	KVM_STOCK,		/* --stock: without the CR filter */
	KVM_CR_FILTER,		/* --cr-filter: with it */
};

/**
 * struct which_kvm - the chosen KVM, and how it was chosen
 * @option: 'H', 's' or 'f' for --host, --stock or --cr-filter; 0: none was given
 * @twice: two of these options were given
 * @source: enum kvm_source
 * @kvm_errno: KVM_ASSUMED: why this host's can't be used
 * @host: its capabilities
 */
struct which_kvm {
	int option;
	bool twice;
	enum kvm_source source;
	int kvm_errno;
	struct host host;
};

#define KVM_OPTIONS					\
	{ "host", no_argument, NULL, 'H' },		\
	{ "stock", no_argument, NULL, 's' },		\
	{ "cr-filter", no_argument, NULL, 'f' }

#define KVM_HELP								\
	"  --host       this host's KVM, which is the default; if it can't be used, the\n"	\
	"               default is a KVM without regpin's CR filter\n" \
	"  --stock      a KVM without the CR filter, as in all released kernels\n"\
	"  --cr-filter  a KVM with the CR filter\n"

/* Fills in @host for a KVM with or without the CR filter. */
void kvm_host(struct host *host, bool cr_filter);

/* Handles option @c. Returns false if it is not one of these options. */
bool kvm_option(struct which_kvm *kvm, int c);

/*
 * Sets @kvm->source and @kvm->host by the options. Returns false after a message of @command
 * if two KVMs were named; prints a message as well if this host's KVM can't be used.
 */
bool kvm_choose(struct which_kvm *kvm, const char *command);

#define KVM_TEXT	320	/* room for kvm_text() */

/* "this host's KVM, without the CR filter". Returns @to. */
const char *kvm_text(char to[KVM_TEXT], const struct which_kvm *kvm);

/* The object "kvm". */
void kvm_json(struct json *json, const struct which_kvm *kvm);

#endif
