/* SPDX-License-Identifier: GPL-2.0-only */
/* `regpin probe`: traits of this KVM's version, see lib/kvm/host_traits.h. */
#ifndef REGPIN_TOOL_PROBE_TRAITS_H
#define REGPIN_TOOL_PROBE_TRAITS_H

#include "lib/kvm/host_traits.h"

#include "base/json.h"

/* Prints lines of text; none if KVM can't be used. */
void probe_print_traits(const struct host *host,
			const struct host_traits *traits);

/* The object "traits"; traits that are not known are null. */
void probe_json_traits(struct json *json, const struct host_traits *traits);

#endif
