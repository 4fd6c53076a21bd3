// SPDX-License-Identifier: GPL-2.0-only
/*
 * The events in the journal. An identifier never changes, and is never used for another
 * event: misc/regpin.catalog and the filters of users have it, too.
 */
#include <string.h>

#include "base/nr.h"
#include "journal_table.h"

static const struct journal_type types[] = {
	{ "violation",
	  "cab89844cc4a4a72b824f2850ada5e95",
	  "a guest's access violated a rule of its policy" },
	{ "vmm-write",
	  "3d0b85a1edfd4a5d91eda8e7cacd1569",
	  "the VMM weakened a pinned register" },
	{ "detected",
	  "4977f2eb42fa418d902c8dcfa53da696",
	  "a register was found to violate a rule" },
	{ "armed",
	  "8be641958ddc44b9b53b3c8a9900cb96",
	  "the pins of a vCPU took effect" },
	{ "disarmed",
	  "d86ad15ea9644aafab78bda7f71d5054",
	  "the pins of a vCPU were lifted" },
	{ "reset",
	  "b4c4606ac9d44306ae777de35c824eae",
	  "the VMM has reset an armed vCPU" },
	{ "settled",
	  "1af3b88837d94d089378e66c87f79f14",
	  "a register was fixed later than normal" },
	{ "init",
	  "7b6721f84dbb41b3b444821c275fe36b",
	  "an armed vCPU got an INIT" },
	{ "deadline",
	  "6a2727aa5dcf453798b2a9216f1276a5",
	  "a vCPU has run too long without pins" },
	{ "shutdown",
	  "da9d36d58d064cb98e3146992bbe0de4",
	  "an armed vCPU met a shutdown" },
	{ "answered",
	  "38b0e9e506914e45a29312d0db4b890f",
	  "a held vCPU got its answer" },
	{ "unreached",
	  "08d55c96dbd544558615fe018d48d67f",
	  "regpin's signal does not reach a vCPU" },
	{ "failed",
	  "482ee5d8cdc8440180815fd6aec382a2",
	  "a call to the host failed" },
	{ "mode",
	  "ee5dd046f0634f7aab505983b04bef01",
	  "the mode in force at the start" },
	{ "degraded",
	  "4b6e1f3367b74d9cad26961b6835b76e",
	  "this host cannot enforce something optional" },
	{ "attached",
	  "c0b6b41d8928401e86a99784c8c43207",
	  "a VM got its policy" },
	{ "tolerated",
	  "076a28570adc473a83f19e3a5541a106",
	  "a VM has a feature that the policy does not accept" },
	{ "refused",
	  "300f586bf98a41b1bb1af996be006ae1",
	  "a VM was refused" },
	{ "unarmed",
	  "bb3f065982b64ed68b55d8d9e34ee725",
	  "no vCPU has armed" },
	{ "policy",
	  "89012da8baf74f8ca8df043aff632511",
	  "a new policy is in force" },
	{ "control",
	  "11ea7cbc922446b0993911d05f12c4db",
	  "the operator gave a command" },
	{ "moved",
	  "c9f0baeccfdf43a8ab5f5871f993c867",
	  "a VM's state runs under another regpin" },
	{ "left",
	  "870d3b81aadb46e68dda06f588b91078",
	  "a VM's state was taken out, and nothing may be pinned there" },
	{ "takeover",
	  "0b568ba4b65443288d39a1f9206a2d32",
	  "the agent has died, and its standby process has taken over" },
	{ "hook",
	  "010954924217432790ecf91ed850d2ca",
	  "the hook failed, or did not get all lines" },
	{ "denied",
	  "a84cd989b0174ab98c7b0cdc1d24a40c",
	  "a process asked for the policy and got nothing" },
	{ "message",
	  "3a435cdcad664696aa9b05b33866172e",
	  "a message of the agent" },
	{ "repeated",
	  "aec14fb43a724c749775b7cf503ca3fa",
	  "events were summed up" },
	{ "dropped",
	  "08db3f14aecf4374b2e26e3f747470c3",
	  "events did not fit into the ring" },
	{ "detached",
	  "3447600768874fa084d3aec6f7246cc4",
	  "all VMs are gone" },
};

const struct journal_type *journal_type(const char *event)
{
	static const struct journal_type other = {
		"", "", "an event",
	};

	for (size_t i = 0; i < NR(types); i++)
		if (strcmp(types[i].event, event) == 0)
			return &types[i];
	return &other;
}
