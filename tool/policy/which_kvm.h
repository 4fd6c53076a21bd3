/* SPDX-License-Identifier: GPL-2.0-only */
/* The KVM that explain and sim speak of: this host's, or one that an option names. */
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
 * struct which_kvm - a KVM, and why it is this one
 * @option: 'H', 's' or 'f', as --host, --stock or --cr-filter was given; 0: none was
 * @twice: two of them were given
 * @source: enum kvm_source
 * @kvm_errno: KVM_ASSUMED: why this host's can't be used
 * @host: what it can do
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

/* What @policy is enforced by: a KVM with or without the CR filter. */
void kvm_host(struct host *host, bool cr_filter);

/* Takes option @c. Returns false if it is none of these. */
bool kvm_option(struct which_kvm *kvm, int c);

/*
 * Finds out what it can do. @command is for the message that is printed to stderr if
 * two KVMs were named, and then false is returned, or if one has to be assumed.
 */
bool kvm_settle(struct which_kvm *kvm, const char *command);

#define KVM_TEXT	320	/* room for kvm_text() */

/* "this host's KVM, without the CR filter". Returns @to. */
const char *kvm_text(char to[KVM_TEXT], const struct which_kvm *kvm);

/* The object "kvm". */
void kvm_json(struct json *json, const struct which_kvm *kvm);

#endif
