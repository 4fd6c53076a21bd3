# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests that run a small VMM under `regpin run` on the real KVM, with the
# tool and the shim as their arguments. It checks what they need and makes a private
# directory with ./vmm in it. A machine without KVM is a reason to skip; a program of ours
# that does not compile is a failure.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/tap.sh
source "$here/../tap.sh"
# shellcheck disable=SC2034 # for the tests
regpin=$(realpath "$1")
shim=$(realpath "$2")

skip_all()
{
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

compile() # OUTPUT SOURCE [OPTION ..]
{
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -o "$1" "$here/$2" "${@:3}" || {
		printf 'Bail out! %s does not compile\n' "$2"
		exit 1
	}
}

# The agent ends after the VMM: tests wait for its last event.
await() # PATTERN FILE
{
	for ((i = 0; i < 300; i++)); do
		grep -qs -- "$1" "$2" && return 0
		sleep 0.05
	done
	return 1
}

[[ -r /dev/kvm && -w /dev/kvm ]] || skip_all "no access to /dev/kvm"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$dir" "$tap_dir"
"$regpin" probe --json | grep -q '"msr_filter":true,"msr_exits":true' ||
	skip_all "this KVM has no MSR filter"
[[ -r $shim ]] || skip_all "no shim at $shim"
command -v jq >/dev/null || skip_all "no jq"

cd "$dir" || exit 1
# Where `regpin ctl` has its sockets for a user who is not root.
export XDG_RUNTIME_DIR=$dir
ulimit -c 0
# Lines of events are kept for the schema.
: >.kept-events
# shellcheck disable=SC2034 # for tap.sh
events_kept=$dir/.kept-events
compile vmm fakevmm.c

# The policy of most of these tests: two bits that the VMM's guest may not clear.
cat >policy.yaml <<'EOF'
version: 1
arming: start
rules:
  - register: EFER
    sticky: [SCE, NXE]
EOF
