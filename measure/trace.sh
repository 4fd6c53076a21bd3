#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# trace.sh COUNT: prints a trace of about COUNT lines for `regpin sim`. Four vCPUs start as
# under Linux, and continue with accesses of all kinds; one in a hundred violates
# linux.yaml. The trace is the same on every machine.
exec awk -v count="${1:?usage: trace.sh COUNT}" '
function line(cpu, text)
{
	block = block cpu " " text "\n"
}

BEGIN {
	for (cpu = 0; cpu < 4; cpu++) {
		line(cpu, "wrmsr 0xc0000080 0xd01")
		line(cpu, "cr0 0x80050033")
		line(cpu, "cr4 0x3506f0")
		line(cpu, "wrmsr 0xc0000081 0x23001000000000")
		line(cpu, "wrmsr 0xc0000082 0xffffffff81e00000")
		line(cpu, "wrmsr 0x176 0xffffffff81e02000")
		line(cpu, "wrmsr 0x175 0x" (cpu + 1) "000")
		line(cpu, "wrmsr 0xc0000084 0x47700")
	}
	printf "%s", block
	block = ""
	nr = split("wrmsr 0xc0000080 0xd01;wrmsr 0xc0000082 0xffffffff81e00000;" \
		   "wrmsr 0xc0000081 0x23001000000000;wrmsr 0xc0000084 0x47700;" \
		   "wrmsr 0x176 0xffffffff81e02000;wrmsr 0x48 0x1;" \
		   "wrmsr 0x6e0 0x123456789abc;rdmsr 0xc0000080;rdmsr 0x10;" \
		   "cr0 0x80050033;cr4 0x3506f0", all, ";")
	size = 20000
	seed = 1
	for (i = 0; i < size; i++) {
		seed = (seed * 16807) % 2147483647
		pick = int(seed / 64) % 100
		text = "wrmsr 0xc0000082 0x1000"
		if (pick)
			text = all[pick % nr + 1]
		line(seed % 4, text)
	}
	for (i = 0; i < count; i += size)
		printf "%s", block
}'
