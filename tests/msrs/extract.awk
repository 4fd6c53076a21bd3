# SPDX-License-Identifier: GPL-2.0-only
#
# awk -f extract.awk NAMES FILE ...: prints each MSR access in C or assembler files of
# Linux, as "file<TAB>register<TAB>access". NAMES has the names of MSRs, one on a line. A
# register is a name in the argument of a call that reads ("r") or writes ("w") an MSR, or
# that argument itself, without blanks, if it has no name because it is computed or a
# number. A name that is in no such call is "n": it is in a table, a comparison or
# assembler.

# Comments and strings are left out. Lines are joined, as a call may span several.
function add(line,    at)
{
	while (1) {
		if (in_comment) {
			at = index(line, "*/")
			if (!at)
				return
			line = substr(line, at + 2)
			in_comment = 0
		}
		# The first of these counts: a string may contain the start of a comment.
		if (!match(line, /"([^"\\]|\\.)*"|\/\*|\/\//))
			break
		text = text substr(line, 1, RSTART - 1)
		if (substr(line, RSTART, 2) == "//")
			return
		in_comment = substr(line, RSTART, 2) == "/*"
		line = substr(line, RSTART + RLENGTH)
	}
	text = text line " "
}

# Returns argument number n of the call whose arguments are at the beginning of s.
function argument(s, n,    at, c, depth, arg)
{
	for (at = 1; at <= length(s); at++) {
		c = substr(s, at, 1)
		if (index("([{", c))
			depth++
		if (index(")]}", c) && --depth < 0)
			break
		if (c == "," && !depth) {
			if (!--n)
				break
			arg = ""
			continue
		}
		arg = arg c
	}
	return n > 1 ? "" : arg
}

# Is it a function's own declaration, or a call without such an argument?
function no_access(arg)
{
	return arg ~ /^[ \t]*(const|unsigned|signed|u8|u32|u64|int|uint|long|void|struct|enum|static|bool)([ \t]|$)/ ||
		arg ~ /^[ \t]*(void)?[ \t]*$/
}

function out(name, access)
{
	if (access ~ /r/)
		print file "\t" name "\tr"
	if (access ~ /w/)
		print file "\t" name "\tw"
	called[file, name] = 1
}

function one_call(arg, access,    rest, name, names)
{
	rest = arg
	while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
		name = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		# A file may define names of its own, in capitals.
		if (!(name in known) && (name !~ /^[A-Z][A-Z0-9_]*$/ || length(name) < 6))
			continue
		out(name, access)
		names++
	}
	gsub(/[ \t]/, "", arg)
	if (!names)
		out(arg, access)
}

function calls(    rest, call, arg)
{
	rest = text
	while (match(rest, /[A-Za-z0-9_]*(rdmsr|wrmsr|msr_read|msr_write|read_msr|write_msr|msr_set_bit|msr_clear_bit)[A-Za-z0-9_]*[ \t]*\(/)) {
		call = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		arg = argument(substr(rest, 1, 400), call ~ /on_cpu/ ? 2 : 1)
		if (!no_access(arg))
			one_call(arg, call ~ /rdmsr|read/ ? "r" : call ~ /wrmsr|write/ ? "w" : "rw")
	}
}

function end_of_file(    rest, name)
{
	if (file == "")
		return
	calls()
	rest = text
	while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
		name = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		if ((name in known) && !((file, name) in called))
			print file "\t" name "\tn"
	}
	text = ""
}

NR == FNR {
	known[$1] = 1
	next
}

FNR == 1 {
	end_of_file()
	file = FILENAME
	in_comment = 0
}

{
	add($0)
}

END {
	end_of_file()
}
