#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# regs.sh REGPIN_BINARY: the registers that regs finds and prints. TAP.
# shellcheck source=tests/unit/tools_scene.sh
source "$(dirname "$0")/tools_scene.sh"

is 0 '^EFER +0xc0000080 +efer +cold +replay' "$regpin" regs
is 0 '^EFER  0xc0000080$' "$regpin" regs msr_efer
is 0 '^ +11 +NXE .NX.$' "$regpin" regs 0xc0000080
is 0 '^IA32_PMC3  0xc4$' "$regpin" regs ia32_pmc3
is 0 '^IA32_PMC0-7  0xc1-0xc8$' "$regpin" regs IA32_PMC
is 0 '^IA32_PMC3  0xc4$' "$regpin" regs 196
is 0 'no name for it' "$regpin" regs 0x12345
is 0 '^CR4  -$' "$regpin" regs cr4
is 0 '^SMEP: bit 20 of CR4$' "$regpin" regs smep
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs '*energy*'
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs ENERGY
is 0 '^PKGC3_IRTL +0x60a +power' "$regpin" regs power
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs 0x610-0x612
is 2 'runs backwards' "$regpin" regs 0x612-0x610
is 2 "no rules on 'CR3'" "$regpin" regs CR3
is 2 "no register 'C0000080': as an index it is written 0xC0000080" "$regpin" regs C0000080
is 2 "no register 'MSR C001_0015': as an index it is written 0xC0010015" "$regpin" regs 'MSR C001_0015'
is 0 'rules: allow .KVM never filters' "$regpin" regs X2APIC
is 0 'rules: deny, value, allow .deny: only reads' "$regpin" regs TSC_DEADLINE
is 0 'rules: sticky, never, frozen, require, once, uniform, deny, value, allow, report .replay' "$regpin" regs EFER
is 0 'rules: sticky, never, frozen, report .enforced' "$regpin" regs XCR0
is 0 'rules: none' "$regpin" regs 0xffffffff
# The search is by words: letters inside a word find nothing. regs, sim and check propose a
# name for a misspelt one by the same rule.
is 0 '^IA32_THERM_STATUS +0x19c +power' "$regpin" regs therm
is 0 '^APIC_BASE +0x1b +apic' "$regpin" regs MSR_APIC_BAS
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs 'energy status'
is 0 '^LEGACY_XAPIC_DISABLED: bit 0 of ' "$regpin" regs LEGACY_XAPIC
is 0 '^SYSENTER_EIP +0x176' "$regpin" regs SYSENTER-EIP
is 0 '^XCR0 +- +cr ' "$regpin" regs xfeature
for name in EFERR OCK NERGY ASK_; do
	is 2 "no register '$name'" "$regpin" regs $name
done
is 2 "no register 'EFERR'; did you mean 'EFER'\?" "$regpin" regs EFERR
is 2 "no register 'LSTRA'; did you mean 'LSTAR'\?" "$regpin" regs LSTRA
is 2 "no register 'IA32_MC4_STATSU'; did you mean 'IA32_MC4_STATUS'\?" "$regpin" regs IA32_MC4_STATSU=1
is 2 "no register 'OCK'\. An MSR" "$regpin" regs OCK
printf 'version: 1\nrules: [{register: [LSTRA], uniform: true}]\n' >near.yaml
is 1 "2:21: error: there is no register 'LSTRA'; did you mean 'LSTAR'\?" "$regpin" check near.yaml
# The columns are as wide as the longest of the lines printed: each column starts at one
# position.
columns()
{
	"$regpin" regs "$@" | awk 'NR == 1 { two = index($0, $2); three = index($0, $3) }
		substr($0, two - 1, 1) != " " || substr($0, two, 1) == " " ||
		substr($0, three - 1, 1) != " " || substr($0, three, 1) == " " || / $/ { bad = 1 }
		END { exit bad || NR < 2 }'
}
is 0 '' columns
for what in therm 0x60d-0x612 'IA32_X*'; do
	is 0 '' columns "$what"
done
is 2 "no register 'IA32_PMC8': the registers of this family are IA32_PMC0-7" "$regpin" regs IA32_PMC8
is 2 "no register 'IA32_MC32_CTL': the registers of this family are IA32_MC0-31_CTL" "$regpin" regs IA32_MC32_CTL
is 0 '^LSTAR  0xc0000082$' "$regpin" regs MSR_IA32_LSTAR
is 0 '^IA32_MC4_MISC  0x413$' "$regpin" regs IA32_MC4_MISC
is 0 '^IA32_MC0-31_CTL  0x400-0x47c$' "$regpin" regs IA32_MCi_CTL
is 0 '^IA32_MC0-31_CTL +0x400-0x47c +mce' "$regpin" regs 'MSR_IA32_MC*_CTL'
is 0 '^IA32_MC4_ADDR +0x412 +mce' "$regpin" regs 'IA32_MC4_*'
is 0 '^PPERF  0x64e$' "$regpin" regs 'MSR 0x64e'
is 0 '^PPERF  0x64e$' "$regpin" regs MSR 0x64e
is 0 '^PPERF +0x64e +pmu' "$regpin" regs MSRs 0x64e-0x64f
is 0 '^PPERF  0x64e$' "$regpin" regs 64eH
is 0 '^PPERF +0x64e +pmu' "$regpin" regs 'MSRs 0x64e..0x64f'
is 0 '^  on atom: ATOM_PKG_C2_RESIDENCY$' "$regpin" regs 0x3f8
is 0 '^  on pentium-m: PENTIUM_M_LER_TO_LIP$' "$regpin" regs LER_FROM_LIP
is 0 '^AIBRSE: bit 21 of EFER$' "$regpin" regs autoibrs
is 0 '^SGX_LC: bit 17 of IA32_FEATURE_CONTROL$' "$regpin" regs sgx_lc
is 0 '^    8      LME$' "$regpin" regs EFER=0xd01
is 0 '^    3      SKIP_L1DFL_VMENTRY$' "$regpin" regs 0x10a 0x69
is 0 '^    12-51  BASE = 0xfee00$' "$regpin" regs 'APIC_BASE = 0xfee00900'
is 0 '^    reserved or without a name: 2, 60-62$' "$regpin" regs EFER=0x7000000000000004
is 0 '^    bits: 0, 63$' "$regpin" regs 0x12345=0x8000000000000001
is 0 '^TSC  0x10$' "$regpin" regs EFER 0x10
is 2 "'' as a value of EFER: there is no number" "$regpin" regs EFER=
is 2 'as a value of EFER: it is too large' "$regpin" regs EFER=0x10000000000000000
is 2 "after its register" "$regpin" regs =1
is 2 "no register 'EFFER'" "$regpin" regs EFFER=1
is 2 'too large' "$regpin" regs 0x100000000
is 2 'begin with 0x|is not a number' "$regpin" regs 1f
is 2 '^EFER' "$regpin" regs LSTR EFER
"$regpin" regs --json >all.json
if command -v jq >/dev/null; then
	is 0 '^true$' jq '.registers | length > 200 and all(.known)' all.json
	"$regpin" regs --json IA32_PMC3 0x12345 0x12346 >some.json
	is 0 '^true$' jq '(.registers | length) == 3 and .registers[0].index == "0xc4" and (.registers[1].known | not)' some.json
	"$regpin" regs --json APIC_BASE=0xfee00901 0x3f8 IA32_MCi_CTL >some.json
	is 0 '^true$' jq '.registers[0].decoded == {"value": "0xfee00901", "fields": [
		{"field": "BSP", "low": 8, "width": 1, "value": "0x1"},
		{"field": "EN", "low": 11, "width": 1, "value": "0x1"},
		{"field": "BASE", "low": 12, "width": 40, "value": "0xfee00"}], "unnamed": [0]} and
		.registers[1].elsewhere == [{"register": "ATOM_PKG_C2_RESIDENCY", "cpus": "atom"}] and
		.registers[2].register == "IA32_MCi_CTL" and .registers[2].count == 32 and .registers[2].stride == 4' some.json
fi

json_fits
echo "1..$nr"
exit "$failed"
