# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by lab/fetch: turns the Debian repositories for which this machine's apt is
# set up, in whatever form (one-line or deb822, mirror+file:, keys in files or inline),
# into deb822 stanzas for another suite. Proxies and passwords stay in apt's own
# configuration, which remains in force. This file names no mirror.

# Fields that only matter for other packages or for discs: never copied.
lab_apt_dropped='^(types|suites|components|architectures|languages|targets|enabled|signed-by|x-repolib-name)$'

# Prints a tab-separated line for each binary repository: Origin, suite, component, and
# the file and number of its entry. apt only knows the Origin of repositories whose lists
# it has, so each repository is printed once more without.
lab_apt_targets()
{
	# shellcheck disable=SC2016 # apt's own variables
	local origin='$(ORIGIN)' known='$(RELEASE)'$'\t''$(COMPONENT)'$'\t''$(SOURCESENTRY)'

	apt-get indextargets --format "$origin"$'\t'"$known" 'Created-By: Packages' 2>/dev/null || true
	apt-get --no-release-info indextargets --format $'\t'"$known" 'Created-By: Packages' 2>/dev/null || true
}

# lab_apt_entries main|security: prints FILE:N of the entries that have Debian's packages,
# the most likely first. apt knows that for repositories whose lists it has; for the
# others the suite's name is a guess, which apt-get update proves or disproves.
lab_apt_entries()
{
	local names='(stable|oldstable|oldoldstable|testing|unstable|sid|buster|bullseye|bookworm|trixie|forky|duke)'

	lab_apt_targets | awk -F '\t' -v kind="$1" -v names="^$names(-[a-z]+)*(/updates)?\$" '
		$1 != "" { known[$2, $4] = 1 }
		$1 == "" && ($2, $4) in known { next }
		$3 != "main" || $2 !~ names || ($1 != "" && $1 != "Debian") { next }
		($2 ~ /(-security(-debug)?|\/updates)$/) != (kind == "security") { next }
		$2 ~ /-debug$/ { next }
		{ rank = ($1 == "Debian" ? 1 : 2) ($2 ~ /-(updates|backports|proposed)/ ? 2 : 1) }
		{ print rank "\t" NR "\t" $4 }' | sort -n | cut -f 3 | awk '!seen[$0]++'
}

# lab_apt_fields FILE:N: prints the fields of that entry, one "name<TAB>value" a line, with
# names in lower case. A continuation line of a value begins with a space, as in deb822.
lab_apt_fields()
{
	local file=${1%:*} n=${1##*:}

	if [[ $file == *.sources ]]; then
		awk -v n="$n" '
			/^#/ { next }
			/^[[:space:]]*$/ { if (open) { open = 0 } next }
			!open { open = 1; stanza++ }
			stanza != n { next }
			/^[[:space:]]/ { print; next }
			{
				colon = index($0, ":")
				value = substr($0, colon + 1)
				sub(/^[[:space:]]*/, "", value)
				print tolower(substr($0, 1, colon - 1)) "\t" value
			}' "$file"
	else
		# deb [ name=value name=value ] URI SUITE COMPONENT ..
		sed -n "${n}p" "$file" | sed 's/[[:space:]]#.*//' | awk '
			{
				line = $0
				sub(/^[[:space:]]*[^[:space:]]+[[:space:]]+/, "", line)
				if (line ~ /^\[/) {
					options = substr(line, 2, index(line, "]") - 2)
					line = substr(line, index(line, "]") + 1)
				}
				split(line, words, " ")
				print "uris\t" words[1]
				count = split(options, list, " ")
				for (i = 1; i <= count; i++) {
					equals = index(list[i], "=")
					name = tolower(substr(list[i], 1, equals - 1))
					sub(/[+-]$/, "", name)
					if (name == "arch") name = "architectures"
					if (name == "lang") name = "languages"
					if (name == "target") name = "targets"
					print name "\t" substr(list[i], equals + 1)
				}
			}'
	fi
}

# lab_apt_keys ENTRY KEYRING DIR: prints the value for Signed-By: KEYRING, which has the
# keys of all suites, and the keys that the entry names or, if it names none, those that
# apt trusts. Inline keys are written to DIR.
lab_apt_keys()
{
	local value keys=$2 file key Trusted='' Parts=''

	value=$(lab_apt_fields "$1" | awk -F '\t' '/^ / { if (on) print; next } { on = $1 == "signed-by"; if (on) print $2 }')
	if [[ $value == *-----BEGIN* ]]; then
		file=$3/inline-$(sha256sum <<<"$value" | cut -c1-16).asc
		sed 's/^ //; s/^\.$//' <<<"$value" | sed '1{/^$/d}' >"$file"
		printf '%s,%s\n' "$keys" "$file"
		return
	fi
	for key in ${value//,/ }; do
		[[ $key != /* || ! -r $key ]] || keys+=,$key
	done
	if [[ $keys == "$2" ]]; then
		eval "$(apt-config shell Trusted Dir::Etc::Trusted/f Parts Dir::Etc::TrustedParts/d)"
		for file in "$Trusted" "${Parts%/}"/*.{gpg,asc}; do
			[[ ! -s $file || ! -r $file || $file == *,* ]] || keys+=,$file
		done
	fi
	printf '%s\n' "$keys"
}

# lab_apt_stanza ENTRY KEYRING DIR SUITE..: prints a stanza for these suites of the
# entry's repository, with all other settings of the entry
lab_apt_stanza()
{
	local entry=$1 keys

	keys=$(lab_apt_keys "$1" "$2" "$3")
	shift 3
	printf 'Types: deb\nSuites: %s\nComponents: main\nArchitectures: amd64\nSigned-By: %s\n' "$*" "$keys"
	lab_apt_fields "$entry" | awk -F '\t' -v dropped="$lab_apt_dropped" '
		/^ / { if (on) print; next }
		{ on = $1 !~ dropped; if (on) print $1 ": " $2 }'
	echo
}

# lab_apt_uris ENTRY: prints its URIs, one per line; a mirror+file: list is replaced by its URIs
lab_apt_uris()
{
	local uri

	for uri in $(lab_apt_fields "$1" | awk -F '\t' '/^ / { if (on) print; next } { on = $1 == "uris"; if (on) print $2 }'); do
		case $uri in
		mirror+file:*) sed 's/#.*//' "${uri#mirror+file:}" | awk '{ print $1 }' ;;
		*) printf '%s\n' "$uri" ;;
		esac
	done | sed '/^$/d; s|/$||'
}
