#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All places that have the version agree: meson.build, what is built, DKMS, CHANGELOG.md, the
# library's description in abi/, and pages that state whether there is a release.
# usage: versions.sh REGPIN_BINARY BUILD_DIR
set -u
export LC_ALL=C
regpin=$(realpath "${1:?usage: versions.sh REGPIN_BINARY BUILD_DIR}") && build=$(realpath "${2:?no BUILD_DIR}") || exit 2
top=$(cd "$(dirname "$0")/../.." && pwd -P)
# shellcheck source=tests/tap.sh
source "$top/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
evidence() { sed 's/^/# /' "$work/faults"; }

version_of() # DIR
{
	sed -n "s/^ *version: '\([0-9]*\.[0-9]*\.[0-9]*\)',\$/\1/p" "$1/meson.build"
}

# The places where a page states that there is no release yet, except for the procedure.
no_release()
{
	grep -nE 'not released yet|No release has been made|version [0-9.]+ is released' \
		README.md SECURITY.md docs/*.md man/*.scd | grep -v '"not released yet"'
}

# Prints what disagrees with meson.build in the tree DIR.
faults() # DIR
{
	local version head soversion abi

	version=$(version_of "$1")
	cd "$1" || return
	[[ -n $version ]] || { echo "meson.build: no version MAJOR.MINOR.PATCH"; return; }

	grep -qxF "PACKAGE_VERSION=\"$version\"" kernel/dkms.conf || echo "kernel/dkms.conf: not $version"
	grep -noE 'regpin(-kvm/|-)[0-9]+\.[0-9.]*[0-9]' kernel/README.md >"$work/kernel"
	[[ -s $work/kernel ]] || echo "kernel/README.md: no version"
	grep -vE "[-/]${version//./\\.}\$" "$work/kernel" | sed "s,.*,kernel/README.md: & is not $version,"

	grep '^## ' CHANGELOG.md >"$work/headings"
	head=$(head -n 1 "$work/headings")
	[[ $head =~ ^"## $version, "('not released yet'|20[0-9]{2}-[0-9]{2}-[0-9]{2})$ ]] ||
		echo "CHANGELOG.md: the first heading is not '## $version, not released yet', or with a date: $head"
	sed 1d "$work/headings" | grep -vE '^## [0-9]+\.[0-9]+\.[0-9]+, 20[0-9]{2}-[0-9]{2}-[0-9]{2}$' |
		sed 's/.*/CHANGELOG.md: & is not a heading with a date/'
	sed 's/^## \([^,]*\),.*/\1/' "$work/headings" | sort -c -u -r -V 2>/dev/null ||
		echo "CHANGELOG.md: the versions do not fall"

	soversion=$(sed -n "s/.*soversion: '\([0-9]*\)'.*/\1/p" lib/meson.build)
	abi=abi/libregpin.so.$soversion.abi.xml
	[[ $(echo abi/*.abi.xml) == "$abi" ]] || { echo "$abi: it is not the description that is there"; return; }
	grep -q "soname='libregpin.so.$soversion'" "$abi" || echo "$abi: another soname"
	sed -n 's/^REGPIN_\([0-9.]*\) {$/\1/p' lib/libregpin.map >"$work/nodes"
	[[ -s $work/nodes ]] || echo "lib/libregpin.map: no version node"
	{ cat "$work/nodes"; echo "${version%.*}"; } | sort -C -V ||
		echo "lib/libregpin.map: a version node is newer than $version, or not in order"

	if [[ $head == *'not released yet' ]]; then
		# Before the first release the pages have to state that there is none.
		(($(wc -l <"$work/headings") > 1)) ||
			[[ $(no_release | grep -cE '^(README|SECURITY)\.md:') -ge 2 ]] ||
			echo "README.md or SECURITY.md: there is no release, and they do not state that"
		return
	fi
	no_release | sed "s/\$/ -- but $version is released/"
	grep -qE "^\| ${version//./\\.} \|" SECURITY.md || echo "SECURITY.md: no row for $version"
	diff <(sed -n "s/.*<elf-symbol name='\([a-z_0-9]*\)' version='\([^']*\)'.*/\2 \1/p" "$abi" | sort) \
		<(awk '/^REGPIN/ { node = $1 } /^\tregpin/ { sub(";", ""); print node, $1 }' lib/libregpin.map | sort) |
		sed -n "s,^[<>].*,$abi: differs from lib/libregpin.map: &,p"
}

copy() # a fresh copy, in $work/tree, of the files that have a version
{
	rm -rf "$work/tree"
	mkdir -p "$work/tree"
	(cd "$top" && cp --parents meson.build lib/meson.build lib/libregpin.map abi/*.xml kernel/dkms.conf \
		kernel/README.md CHANGELOG.md README.md SECURITY.md man/*.scd docs/*.md "$work/tree")
}

# A fault that is planted is found. FILE is changed by sed's SCRIPT.
planted() # FILE SCRIPT DESCRIPTION [FAULT]: FAULT is how the line that names it begins
{
	sed -i -E "$2" "$work/tree/$1"
	(faults "$work/tree") >"$work/faults"
	grep -q "^${4:-$1}" "$work/faults"
	ok $? "found: $3"
}

version=$(version_of "$top")
(faults "$top") >"$work/faults"
[[ ! -s $work/faults ]]
ok $? "the files of the tree agree on one version"
{
	"$regpin" --version | grep -vxF "regpin $version"
	readelf -d "$build"/lib/libregpin.so | grep -F SONAME | grep -vF "[libregpin.so.$(sed -n "s/.*soversion: '\([0-9]*\)'.*/\1/p" "$top/lib/meson.build")]"
	[[ -e $build/lib/libregpin.so.$version ]] || echo "no libregpin.so.$version"
	grep -qx "Version: $version" "$build/meson-private/libregpin.pc" || echo "libregpin.pc: another version"
} >"$work/faults"
[[ ! -s $work/faults ]]
ok $? "the command, the library and its pkg-config file have that version"

copy
planted kernel/dkms.conf 's/^(PACKAGE_VERSION=").*"/\19.9.9"/' "another version in dkms.conf"
copy
planted kernel/README.md 's,regpin-kvm/[0-9.]*[0-9],regpin-kvm/9.9.9,' "another version in kernel/README.md"
copy
planted CHANGELOG.md '0,/^## /s/^## .*/## 9.9.9, not released yet/' "another version in CHANGELOG.md"
copy
planted CHANGELOG.md '0,/^## /s/^(## [^,]*), .*/\1, soon/' "a heading without a date"
copy
planted CHANGELOG.md '$a ## 9.9.9, 2026-01-01' "an older version with a higher number"
copy
planted lib/meson.build "s/soversion: '[0-9]+'/soversion: '99'/" "a soversion without a description" abi/libregpin.so.99
copy
planted lib/libregpin.map 's/^REGPIN_[0-9.]+/REGPIN_99.0/' "a version node of a later version"

# The tree as a release has it.
released()
{
	copy
	sed -i -E "0,/^## /s/^## .*/## $version, 2026-01-01/" "$work/tree/CHANGELOG.md"
	sed -i -E "/^## 2026/d; s/not released yet[;.]?//; s/No release has been made yet//; s/[^.]*version [0-9.]+ is released\.//" \
		"$work/tree"/{README.md,SECURITY.md,docs/*.md,man/*.scd}
	grep -qE "^\| ${version//./\\.} \|" "$work/tree/SECURITY.md" || echo "| $version | x |" >>"$work/tree/SECURITY.md"
	awk '/^REGPIN/ { node = $1 } /^\tregpin/ { sub(";", ""); print "<elf-symbol name='\''" $1 "'\'' version='\''" node "'\''" }' \
		"$work/tree/lib/libregpin.map" >"$work/symbols"
	for abi in "$work"/tree/abi/*.xml; do
		{ grep -v '<elf-symbol ' "$abi"; cat "$work/symbols"; } >"$abi.new"
		mv "$abi.new" "$abi"
	done
}
released
(faults "$work/tree") >"$work/faults"
[[ ! -s $work/faults ]]
ok $? "a tree in which the version is released can agree"
planted README.md "\$a Version $version is not released yet." "a page that states that the release is none"
released
planted SECURITY.md '/^\| [0-9]/d' "no row in SECURITY.md"
released
planted abi/libregpin.so.0.abi.xml "/name='regpin_vm_attach'/d" "a description of the ABI without a function of the release"
echo "1..$nr"
exit $failed
