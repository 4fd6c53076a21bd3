/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of `regpin probe` that is about this KVM's version: lib/kvm/host_traits.h. */
#ifndef REGPIN_TOOL_PROBE_TRAITS_H
#define REGPIN_TOOL_PROBE_TRAITS_H

#include "lib/kvm/host_traits.h"

#include "base/json.h"

/* Lines of text on stdout; none if KVM can't be used. */
void probe_print_traits(const struct host *host,
			const struct host_traits *traits);

/* The object "traits"; what can't be told is null. */
void probe_json_traits(struct json *json, const struct host_traits *traits);

#endif
