# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of the commands that need no VMM, with the tool as their argument: an
# empty directory with policies and a trace that several of them use.
regpin=$(realpath "${1:?usage: $(basename "$0") REGPIN_BINARY}") || exit 2
# shellcheck disable=SC2034 # for the tests
policy=$(realpath "$(dirname "$0")/../../policies/linux.yaml")
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$tmp" "$tap_dir"
cd "$tmp" || exit 2

# is STATUS PATTERN COMMAND ..: checks the exit status, and that a line of the output matches
is()
{
	gives "$1" "$2" "${*:3}" "${@:3}"
}

printf 'version: 1\nrules:\n  - register: CR0\n    sticky: [WP]\n' >cr.yaml
printf 'version: 1\nrules:\n  - register: CR0\n    sticky: [WP]\n    optional: true\n' >opt.yaml
printf '0 wrmsr LSTAR 1\n' >good
