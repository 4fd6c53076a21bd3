# SPDX-License-Identifier: GPL-2.0-only
# regpin's events in the Elastic Common Schema 9.0, one document for each line:
#
#	jq -c -f ecs.jq vm1.jsonl
#
# The whole event is in `regpin`, with all of `bits` as strings, because Elasticsearch takes
# one type for each field.

def is_finding:
	IN("violation", "vmm-write", "detected", "deadline", "denied", "refused", "left");

# The event's own severity, as in the journal's PRIORITY.
def severity: {alert: 3, warning: 4, notice: 5, info: 6}[.severity];

def denied:
	(.action // "" | IN("gp", "drop", "mask", "stop"))
	or .event == "refused" or .event == "denied";

def categories:
	if (.event | is_finding) or (.of // "" | is_finding) then
		{
			kind: "alert",
			category: ["intrusion_detection"],
			type: [if denied then "denied" elif .action == "report" then "allowed"
				else "info" end],
			# of what the guest, or a process, has tried
			outcome: (if denied then "failure" elif .action == "report" then "success"
				else "unknown" end)
		}
	elif .event == "attached" then {kind: "event", category: ["host"], type: ["start"]}
	elif .event == "detached" then {kind: "event", category: ["host"], type: ["end"]}
	elif .event == "control" then
		{
			kind: "event",
			category: ["configuration"],
			type: ["change"],
			outcome: (if .result == "done" then "success" else "failure" end)
		}
	elif .event | IN("policy", "mode") then
		{kind: "event", category: ["configuration"], type: ["change"]}
	else {kind: "event", category: ["host"], type: ["info"]} end;

def sentence:
	.event as $event
	| [to_entries[] | select(.key | IN("name", "vm", "vcpu", "of", "register", "access", "rule",
		"where", "action", "reason", "command", "result"))
		| "\(.key) \(.value)"]
	| "regpin: \($event)" + (if length > 0 then " (" + join(", ") + ")" else "" end);

{
	"@timestamp": .time,
	ecs: {version: "9.0.0"},
	message: (sentence + if .text then ": " + .text else "" end),
	event: ({
		action: .event,
		module: "regpin",
		dataset: "regpin.events",
		provider: "regpin",
		severity: severity,
		original: tojson
	}
	+ categories
	+ if .first then {start: .first, end: .last} else {} end),
	observer: {vendor: "regpin", product: "regpin"},
	regpin: (. + if .bits then {bits: (.bits | map(tostring))} else {} end)
}
+ if .rule then {rule: ({name: .rule}
	+ if .where then {id: .where, ruleset: (.where | sub(":[0-9]+:[0-9]+$"; ""))} else {} end)}
else {} end
+ (.operator // . | if .uid then {user: {id: (.uid | tostring)}} else {} end
	+ if .pid then {process: {pid: .pid}} else {} end)
