# SPDX-License-Identifier: GPL-2.0-only
# The accesses of linux-msr-accesses.tsv by `guest`, as lines of a trace with the expected
# results: those to be refused if `refused` is 1, and otherwise the others.
function number(text,    i, value)
{
	text = tolower(text)
	for (i = 3; i <= length(text); i++)
		value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return value
}

# awks differ in %x of a number above 31 bits.
function hex(value,    text)
{
	do {
		text = substr("0123456789abcdef", value % 16 + 1, 1) text
		value = int(value / 16)
	} while (value)
	return "0x" text
}

function is_for(list,    a, i, n, vendor)
{
	vendor = guest
	sub(/:.*/, "", vendor)
	n = split(list, a, ",")
	for (i = 1; i <= n; i++)
		if (a[i] == "all" || a[i] == vendor || a[i] == guest)
			return 1
	return 0
}

function one(index_, access,    value)
{
	value = refused ? "0" : index_ in pinned ? pinned[index_] : "0"
	if (access != "write")
		print "0 rdmsr " index_ (refused ? " => gp" : " => ok")
	if (access != "read")
		print "0 wrmsr " index_ " " value (refused ? " => gp" : " => ok")
}

BEGIN {
	pinned["0xc0000080"] = "0xd01"
	pinned["0xc0000081"] = "0x23001000000000"
	pinned["0xc0000082"] = "0xffffffff81e00000"
	pinned["0xc0000083"] = "0xffffffff81e01000"
	pinned["0xc0000084"] = "0x257fd5"
	pinned["0x174"] = "0x10"
	pinned["0x175"] = "0xfffffe0000003000"
	pinned["0x176"] = "0xffffffff81e02000"
	pinned["0x277"] = "0x407050600070106"
}

/^#/ || $8 == "-" || ($5 == "refused") != refused || !is_for($6) {
	next
}

{
	n = split($7, list, ",")
	for (i = 1; i <= n; i++) {
		split(list[i], ends, "-")
		last = number(ends[2] == "" ? ends[1] : ends[2])
		for (at = number(ends[1]); at <= last; at++)
			one(hex(at), $8)
	}
}
