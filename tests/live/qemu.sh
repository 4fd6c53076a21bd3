#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: qemu.sh QEMU_READ
#
# Does regpin read QEMU's command line as QEMU does? Each row is given to both. QEMU is
# started with -S, and its monitor is asked for its chipset, its accelerator and disable_s3.
# Prints TAP.
set -u

# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
reader=$(realpath "$1")
qemu=$(command -v qemu-system-x86_64) || {
	echo "1..0 # SKIP no qemu-system-x86_64"
	exit 0
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
answer='' said=''

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# QEMU: %s\n# regpin: %s\n' "$answer" "$said"
	sed 's/\r/\n/g' raw | tr -d '\033' | head -60 | sed 's/^/# monitor: /'
}

# ask PROGRAM ARGUMENTS: sets $answer, to "exits" if the program ends by itself
ask()
{
	local chipset=none accel=tcg s3=off

	{
		echo "info kvm"
		echo "info qtree"
		for n in {0..12}; do echo "qom-get /machine/unattached/device[$n] disable_s3"; done
		echo "qom-get /machine type"
		echo quit
	} >commands
	timeout 30 "$@" -m 64 -S -display none -nodefaults -no-user-config -monitor stdio \
		<commands >raw 2>&1
	tr '\r' '\n' <raw | sed 's/\x1b\[[A-Z]//g' >lines
	if ! grep -q '^kvm support:' lines; then
		answer=exits
		return
	fi
	! grep -q '^kvm support: enabled' lines || accel=kvm
	! grep -q 'dev: ICH9-LPC' lines || chipset=q35
	! grep -q 'dev: i440FX' lines || chipset=pc
	! grep -q '^"\(microvm\|isapc\)-machine"' lines || chipset=no-s3
	! grep -Eqx '0| *disable_s3 = 0 \(0x0\)' lines || s3=on
	answer="$chipset $accel s3=$s3"
}

# row WHAT ARGUMENTS: compares regpin's reading with QEMU's
row()
{
	local what=$1

	shift
	ask "${program:-$qemu}" "$@"
	said=$("$reader" "${program:-$qemu}" "$@")
	[[ $said == "$answer" && -n $said ]]
	ok $? "$what: $answer"
}

cat >q35.conf <<'C'
# a comment

[machine]
  type = "q35"
  accel = "kvm"
[global]
  driver = "ICH9-LPC"
  property = "disable_s3"
  value = "1"
C
cat >on.conf <<'C'
[global "x"]
driver = "ICH9-LPC"
property = "disable_s3"
value = "0"
C
printf '[accel]\n accel = "tcg"\n' >tcg.conf
printf '[machine]\n type = "pc"\n' >pc.conf
ln -s "$qemu" my-kvm
ln -s "$qemu" kvm-my

ich9=(-global ICH9-LPC.disable_s3=1)
piix4=(-global PIIX4_PM.disable_s3=1)
kvm=()
if [[ -r /dev/kvm && -w /dev/kvm ]]; then
	ask "$qemu" -accel kvm -machine none
	[[ $answer != "none kvm s3=off" ]] || kvm=(yes)
fi

# disable_s3 does not remove the sleep register. The monitor writes it, as the guest could.
# The firmware sets it up at a time of its own, so this is repeated.
sleeps()
{
	for ((i = 0; i < 20; i++)); do
		sleep 0.5
		printf 'o /w 0x604 0x2400\ninfo status\n'
	done 2>/dev/null | timeout 40 "$qemu" -accel tcg -m 64 -display none -nodefaults \
		-no-user-config -monitor stdio "$@" >raw 2>&1
	answer=running said=''
	! grep -q "paused (suspended)" raw || answer=suspended
}

sleeps -M pc "${piix4[@]}"
[[ $answer == suspended ]]
ok $? "pc: a guest that writes the sleep register suspends despite disable_s3"
sleeps -M pc,acpi=off
[[ $answer == running ]]
ok $? "pc: without ACPI that write does not suspend it"

# Rows without KVM come first: they hold on every host.
row "nothing"
row "-machine" -machine q35
row "--machine" --machine q35
row "-M" -M q35
row "type=" -M smm=off,type=q35
row "the last type wins" -M q35 -machine pc
row "merged" -M q35 -machine smm=off
row "by version" -M pc-q35-7.2 "${ich9[@]}"
row "by version" -M pc-i440fx-7.2 "${piix4[@]}"
row "microvm" -M microvm
row "isapc" -M isapc -cpu 486
row "pc without ACPI" -M pc,acpi=off
row "pc without ACPI, twice" -M pc,acpi=off -M acpi=on
row "-no-acpi" -no-acpi
row "q35 without ACPI" -M q35,acpi=off
row "none" -machine none
row "q35, its own option" -M q35 "${ich9[@]}"
row "q35, the other's" -M q35 "${piix4[@]}"
row "pc, its own" -M pc "${piix4[@]}"
row "pc, the other's" -M pc "${ich9[@]}"
row "the last -global wins" -M q35 "${ich9[@]}" -global ICH9-LPC.disable_s3=0
row "the last -global wins" -M q35 -global ICH9-LPC.disable_s3=0 "${ich9[@]}"
row "0x1" -M q35 -global ICH9-LPC.disable_s3=0x1
row "255" -M q35 -global ICH9-LPC.disable_s3=255
row "the long form" -M q35 -global driver=ICH9-LPC,property=disable_s3,value=1
row "the long form, mixed" -M q35 -global value=0,property=disable_s3,driver=ICH9-LPC,value=1
row "the long form, undone" -M q35 "${ich9[@]}" -global driver=ICH9-LPC,property=disable_s3,value=0
row "the parent's property" -M q35 "${ich9[@]}" -global acpi-device-interface.disable_s3=0
row "the option's text inside another word" -M q35 -name guest=ICH9-LPC.disable_s3=1
row "the option's text inside another word" -M q35 -name microvm
row "an option's name as an argument" -M pc -pidfile -no-acpi
row "a comma in a name" -M q35 -name "a,,-machine,,microvm"
row "-readconfig" -accel tcg -readconfig on.conf -M q35
row "-readconfig, then -global" -M q35 -readconfig on.conf "${ich9[@]}"
row "-global, then -readconfig" -M q35 "${ich9[@]}" -readconfig on.conf
row "[accel]" -readconfig tcg.conf
row "[machine]" -M q35 -readconfig pc.conf "${ich9[@]}"
row "[machine] before -M" -readconfig pc.conf -M q35 "${ich9[@]}"
row "-set" -M q35 -readconfig on.conf -global driver=ICH9-LPC,property=disable_s3,value=1,id=y -set global.y.value=0
row "TCG first" -accel tcg -accel kvm
row "tcg:kvm" -M accel=tcg:kvm
row "accel=tcg" -enable-kvm -M accel=tcg
row "-accel accel=" -accel kvm,accel=tcg
row "an unknown accelerator" -M accel=nonsense:tcg
row "-version" -version
row "-machine help" -machine help
row "-M q35,help" -M 'q35,help'
row "-accel ?" -accel '?'

if [[ ${#kvm[@]} -gt 0 ]]; then
	row "-enable-kvm" -enable-kvm
	row "--enable-kvm" --enable-kvm -M q35
	row "-accel kvm" -accel kvm
	row "kvm:tcg" -M pc,accel=kvm:tcg
	row "KVM first" -accel kvm -accel tcg
	row "-enable-kvm last" -M accel=tcg -enable-kvm
	row "accel= last" -M accel=tcg -M accel=kvm
	row "all options in a file" -readconfig q35.conf
	row "all options in a file, undone on the command line" -readconfig q35.conf -global ICH9-LPC.disable_s3=0
	row "libvirt's question" -machine none,accel=kvm:tcg
	program=./kvm-my row "a name that begins with kvm" -M pc
	program=./my-kvm row "a name that ends with kvm" -M pc
	program=./my-kvm row "a name that ends with kvm, with -accel tcg" -M pc -accel tcg
else
	skip "rows with KVM" "QEMU cannot use /dev/kvm"
fi

printf '1..%d\n' "$nr"
exit "$failed"
