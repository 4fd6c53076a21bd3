#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The lab's functions that need neither a network nor a machine: how they convert apt's
# settings, and which places they refuse for a checkout.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd -P)
# shellcheck source=tests/tap.sh
source "$top/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=lab/common.sh
source "$top/lab/common.sh"
# shellcheck source=lab/apt.sh
source "$top/lab/apt.sh"
set +e
details=''
evidence()
{
	printf '%s\n' "$details" | sed 's/^/# /'
}

is() # DESCRIPTION GOT WANTED
{
	details="got:    $2"$'\n'"wanted: $3"
	[[ $2 == "$3" ]]
	ok $? "$1"
}

check() # DESCRIPTION COMMAND ..
{
	local what=$1

	shift
	details="failed: $*"
	[[ ! -s $work/said ]] || details+=$'\n'$(<"$work/said")
	"$@"
	ok $? "$what"
}

### Places

refused() # PATH
{
	(lab_place "$1" "the checkout") 2>"$work/said"
	check "lab_place refuses $1 at once" grep -q "^# lab: ERROR: the checkout $1 " "$work/said"
}

works() # PATH
{
	(lab_place "$1" "the checkout") 2>"$work/said"
	is "lab_place accepts $1" "$(<"$work/said")" ""
}

for path in /proc/x /sys/x /run/out/x /run/lab /run/tmp/regpin /tmp /var/tmp /dev/shm / '/home/a b' '/tmp/a,b' '/tmp/a:b'  "/tmp/a'b" "/tmp/a\$b"; do
	refused "$path"
done
for path in /tmp/x /var/tmp/x/y /dev/shm/x /run/x /run/user/0/x /outer/x /hostile /procession/x /home/a-b_c+d.e~f; do
	works "$path"
done
for path in /var/tmp/x /run/x /dev/shm/x /run/user/1000/y; do
	check "a mount of the outer guest covers $path" lab_covered "$path"
done
for path in /tmp/x /home/x /var/tmpx/y /running; do
	lab_covered "$path"
	is "no mount of the outer guest covers $path" $? 1
done

### apt's settings

if ! command -v apt-get >/dev/null; then
	skip "apt's settings" "no apt-get here"
	echo "1..$nr"
	exit $failed
fi

# An apt configuration without lists, so that nothing is downloaded.
new_apt() # removes all entries and keys
{
	rm -rf "$work/apt" "$work/lab"
	mkdir -p "$work/apt"/{sources,lists,cache,trusted} "$work/lab"
	: >"$work/apt/status"
	cat >"$work/apt.conf" <<-EOF
	Dir::Etc::SourceList "$work/apt/sources.list";
	Dir::Etc::SourceParts "$work/apt/sources";
	Dir::Etc::Trusted "$work/apt/trusted.gpg";
	Dir::Etc::TrustedParts "$work/apt/trusted";
	Dir::State::Lists "$work/apt/lists";
	Dir::State::status "$work/apt/status";
	Dir::Cache "$work/apt/cache";
	APT::Architecture "amd64";
	APT::Architectures { "amd64"; };
	EOF
	export APT_CONFIG=$work/apt.conf
}

ring=/usr/share/keyrings/debian-archive-keyring.gpg

# KIND: what lab_apt_stanza makes for trixie of the first entry of this kind
stanza()
{
	local entry

	entry=$(lab_apt_entries "$1" | sed -n 1p)
	[[ -n $entry ]] || { echo "no entry"; return; }
	lab_apt_stanza "$entry" "$ring" "$work/lab" trixie trixie-updates
}

# KIND: the suites and URIs that apt itself reads in that stanza
understood()
{
	mkdir -p "$work/lab/sources"
	stanza "$1" >"$work/lab/sources/lab.sources"
	# shellcheck disable=SC2016 # apt's own variables
	apt-get -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/lab/sources" --no-release-info indextargets \
		--format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>&1 | sort -u
}

new_apt
is "without an entry, none is found" "$(lab_apt_entries main)" ""

cat >"$work/apt/sources.list" <<E2
# deb http://commented.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/hostname,$ring check-valid-until=no] http://mirror.example/pub/linux bookworm main contrib # here
deb http://mirror.example/sec bookworm-security main
deb http://tools.example/linux/debian bookworm stable
E2
is "one-line: the main entry is found" "$(lab_apt_entries main)" "$work/apt/sources.list:3"
is "one-line: the security entry is found" "$(lab_apt_entries security)" "$work/apt/sources.list:4"
is "one-line: apt reads the same suites and URIs" "$(understood main)" "trixie main http://mirror.example/pub/linux/
trixie-updates main http://mirror.example/pub/linux/"
is "one-line: all keys are kept" "$(stanza main | sed -n 's/^Signed-By: //p')" "$ring,/etc/hostname,$ring"
is "one-line: other settings are kept" "$(stanza main | sed -n 's/^check-valid-until: //p')" no

new_apt
cat >"$work/apt/sources/a.sources" <<E2
# A comment before
Types: deb deb-src
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb
# A comment within
URIs: mirror+file:$work/mirrors
Suites: bookworm bookworm-updates
Components: main non-free-firmware
By-Hash: force
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEZZZZ
 -----END PGP PUBLIC KEY BLOCK-----
X-Note: after the key


Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
E2
printf 'http://one.example/debian/ priority:1\nhttp://two.example/debian\n' >"$work/mirrors"
: >"$work/apt/trusted/empty.gpg"
echo key >"$work/apt/trusted/some.gpg"
is "deb822: the enabled entry is found" "$(lab_apt_entries main)" "$work/apt/sources/a.sources:2"
is "deb822, mirror+file: apt reads the same suites and URIs" "$(understood main)" "trixie main mirror+file:$work/mirrors/
trixie-updates main mirror+file:$work/mirrors/"
is "deb822: other settings are kept" "$(stanza main | sed -n 's/^by-hash: //p')" force
file=$(stanza main | sed -n 's/^Signed-By: [^,]*,//p')
is "an inline key is written to a file" "$(cat "$file")" "-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEZZZZ
-----END PGP PUBLIC KEY BLOCK-----"
is "mirror+file: all URIs are listed, in order, for debootstrap" "$(lab_apt_uris "$work/apt/sources/a.sources:2")" \
	"http://one.example/debian
http://two.example/debian"
is "without Signed-By, the keyrings that apt trusts are named" "$(stanza security | sed -n 's/^Signed-By: //p')" \
	"$ring,$work/apt/trusted/some.gpg"

new_apt
cat >"$work/apt/sources/b.sources" <<E2
Types: deb
URIs:
 http://multi-a.example/debian
 http://multi-b.example/debian
Suites: stable-backports
Components: main
Architectures: amd64 i386
Signed-By: 0123456789ABCDEF0123456789ABCDEF01234567!

Types: deb
URIs: http://plain.example/debian
Suites: stable
Components: main
E2
is "an entry of the suite itself comes before its backports" "$(lab_apt_entries main | tr '\n' ' ')" \
	"$work/apt/sources/b.sources:2 $work/apt/sources/b.sources:1 "
is "URIs on separate lines are found" "$(lab_apt_uris "$work/apt/sources/b.sources:1")" "http://multi-a.example/debian
http://multi-b.example/debian"
is "a fingerprint in Signed-By is not taken as a keyring" \
	"$(lab_apt_stanza "$work/apt/sources/b.sources:1" "$ring" "$work/lab" trixie | sed -n 's/^Signed-By: //p')" "$ring"

new_apt
echo 'deb http://ubuntu.example/ubuntu noble main' >"$work/apt/sources.list"
is "an entry of another distribution is ignored" "$(lab_apt_entries main)" ""
REGPIN_CACHE=$work/cache "$top/lab/fetch" --refresh >"$work/said" 2>&1
is "lab/fetch fails without an entry" $? 1
check "lab/fetch prints the reason and what to do" grep -q 'is set up for no Debian repository .*REGPIN_DEBIAN=' "$work/said"
is "no file of the tree names a mirror's host" \
	"$(git -C "$top" grep -lIE '(deb|ftp|security|snapshot|httpredir|cdn)[a-z.-]*[.]debian[.](org|net)' -- . ':!tests/unit/lab.sh' 2>/dev/null)" ""
echo "1..$nr"
exit $failed
