#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: installed.sh ROOT BUILD
#
# The files of an installation: the links of its pages lead somewhere, the files that
# the pages name exist, and systemd finds the catalog. Prints TAP.
set -u
root=$(cd "$1" && pwd) && build=$(cd "$2" && pwd) || exit 2
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/tap.sh
source "$root/tests/tap.sh"
command -v meson >/dev/null && command -v jq >/dev/null || { echo '1..0 # SKIP no meson or no jq'; exit 0; }

# option BUILD NAME: the value of an option
option()
{
	jq -r --arg name "$2" '.[] | select(.name == $name).value' "$1/meson-info/intro-buildoptions.json"
}

prefix=$(option "$build" prefix) datadir=$(option "$build" datadir)
doc=$dir/to$prefix/$datadir/doc/regpin
meson install -C "$build" --no-rebuild --quiet --destdir "$dir/to" >"$dir/log" 2>&1
ok $? "an installation into a folder"
"$root/tests/links.sh" "$doc" >"$dir/links"
wrong=$?
ok $wrong "all links in installed pages lead somewhere"
[[ $wrong == 0 ]] || grep '^#' "$dir/links"
grep -rhoE "$prefix/[A-Za-z0-9./_-]+\.(yaml|h)" "$doc" --include='*.md' | sort -u >"$dir/named"
: >"$dir/missing"
while IFS= read -r file; do
	[[ -e $dir/to$file ]] || echo "$file" >>"$dir/missing"
done <"$dir/named"
[[ $(wc -l <"$dir/named") -gt 8 ]] || echo "only these are named: $(<"$dir/named")" >>"$dir/missing"
none "the policies and headers that installed pages name exist" "$dir/missing"

# catalog_of OPTION ..: where a build with these options installs the catalog
catalog_of()
{
	rm -rf "$dir/build"
	meson setup -Dtests=false -Dman=disabled -Dshim=false -Dexamples=false "$@" "$dir/build" "$root" >"$dir/log" 2>&1 &&
		jq -r 'to_entries[] | select(.key | endswith("/regpin.catalog")).value' \
			"$dir/build/meson-info/intro-installed.json"
}

of_systemd=$(pkg-config --variable=catalogdir systemd 2>/dev/null)
if [[ $of_systemd ]]; then
	[[ $(catalog_of -Dprefix=/usr) == "$of_systemd/regpin.catalog" ]]
	ok $? "with the prefix /usr the catalog is where systemd reads it"
else
	skip "with the prefix /usr the catalog is where systemd reads it" "no systemd.pc"
fi
[[ $(catalog_of -Dcatalogdir=/etc/systemd/catalog) == /etc/systemd/catalog/regpin.catalog ]]
ok $? "-Dcatalogdir names another folder"
echo "1..$nr"
exit "$failed"
