# SPDX-License-Identifier: GPL-2.0-only
# regpin's events as OCSF 1.5.0 (schema.ocsf.io), one object for each line:
#
#	jq -c -f ocsf.jq vm1.jsonl
#
# Events that concern security are Detection Findings (2004) with the profile security_control.
# The beginning and the end of a VM are Application Lifecycle (6002). All others, for which
# OCSF has no class, are Base Events (0). The whole event is in `unmapped`.

def milliseconds: (.[0:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber);

# The event's own severity as High, Medium, Low or Informational.
def severity: {alert: 4, warning: 3, notice: 2, info: 1}[.severity];

def is_finding:
	IN("violation", "vmm-write", "detected", "deadline", "denied", "refused", "left");

# The action that was taken: [action_id, disposition_id].
def outcome:
	.action as $done
	| if $done == "gp" or $done == "stop" or .event == "refused" or .event == "denied"
	then [2, 2]							# Denied, Blocked
	elif $done == "drop" then [2, 6]				# Denied, Dropped
	elif $done == "mask" then [4, 11]				# Modified, Corrected
	elif $done == "restore" then [4, 9]				# Modified, Restored
	elif $done == "pause" then [0, 7]				# Unknown, Custom Action
	elif .event == "detected" then [3, 15]				# Observed, Detected
	else [3, 17] end;						# Observed, Logged

def sentence:
	.event as $event
	| [to_entries[] | select(.key | IN("name", "vm", "vcpu", "of", "register", "access", "rule",
		"where", "action", "reason", "command", "result"))
		| "\(.key) \(.value)"]
	| "regpin: \($event)" + (if length > 0 then " (" + join(", ") + ")" else "" end);

def base($class; $activity):
	{
		class_uid: $class,
		category_uid: ($class / 1000 | floor),
		activity_id: $activity,
		type_uid: ($class * 100 + $activity),
		severity_id: severity,
		time: (.time | milliseconds),
		message: (sentence + if .text then ": " + .text else "" end),
		metadata: {
			version: "1.5.0",
			product: {name: "regpin", vendor_name: "regpin"},
			event_code: .event,
			original_time: .time
		},
		unmapped: .,
		raw_data: tojson
	}
	+ if .count then {count: .count} else {} end
	+ if .first then {start_time: (.first | milliseconds), end_time: (.last | milliseconds)}
	else {} end;

def finding:
	outcome as [$action, $disposition]
	| base(2004; 1)
	+ {
		activity_name: "Create",
		action_id: $action,
		disposition_id: $disposition,
		is_alert: true,
		finding_info: ({
			uid: ([.time, .event, .name, .vm, .vcpu, .where] | map(select(. != null) | tostring)
				| join("/")),
			title: sentence
		} + if .rule then {analytic: ({name: .rule, type_id: 1}
			+ if .where then {uid: .where} else {} end)} else {} end),
		resources: [{
			type: "virtual machine",
			name: (.name // if .vm then "VM \(.vm)" else "VM" end)
		}]
	}
	| .metadata.profiles = ["security_control"];

if (.event | is_finding) or (.of // "" | is_finding) then finding
elif .event == "attached" then base(6002; 3) + {app: {name: "regpin", vendor_name: "regpin"}}
elif .event == "detached" then base(6002; 4) + {app: {name: "regpin", vendor_name: "regpin"}}
else base(0; 99) + {activity_name: .event} end
