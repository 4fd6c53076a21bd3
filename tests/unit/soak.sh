#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/soak runs the parts that are named, keeps the result of each for the sum, and refuses
# other names, as ./check does. The parts here are of a tree in which each script only prints
# a line of TAP.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd -P)
# shellcheck source=tests/tap.sh
source "$top/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# No commit of a checkout around it.
export GIT_CEILING_DIRECTORIES=${work%/*}
evidence() { sed 's/^/# /' "$work/said"; }

mkdir -p "$work/tests/fuzz" "$work/tests/lab" "$work/build/tests/unit" "$work/lab"
cp "$top/tests/soak" "$work/tests/soak"
script() # FILE: the standard input is its body
{
	{ echo '#!/bin/sh'; cat; } >"$work/$1"
	chmod +x "$work/$1"
}
script tests/fuzz/run <<<'echo "ok - blob: for $2 s"; echo "1..1"'
script tests/lab/run <<<'for s; do echo "    ok 1 - $s"; done; [ "$1" != soak-strict-vmx ] || exit 3'
script tests/lab/boots <<<'echo "ok 1 - boots: $1 s"; echo "not ok 2 - lost"; exit 1'
script tests/lab/soak-kernel <<<'echo "ok - each # SKIP no source"'
script lab/install <<<'echo "$@" >installed'
script build/tests/unit/test_explore <<<'echo "# x: $REGPIN_EXPLORE states, y"'

soak() # ARGUMENT ..
{
	"$work/tests/soak" "$@" >"$work/said" 2>&1
}
said() { grep -qxE -- "$1" "$work/said"; }

soak build states fuzz
ok $? "two parts that pass: the status is 0"
said 'ok - three vCPUs in all orders: 3 states' && said 'ok - blob: for 600 s' && ! grep -q 'soak-cr' "$work/said"
ok $? "only the two parts ran"
said "# soak: fuzz: 1 passed, 0 failed, 0 skipped in 0:00:0., 20[0-9-]*, commit unknown" &&
	said '# soak: kernel: not run' && said '# soak: all: 2 passed, 0 failed, 0 skipped, 5 parts not run, 1 commits'
ok $? "results of the parts, and their sum"

soak build kernel
said '# soak: all: 2 passed, 0 failed, 1 skipped, 4 parts not run, 1 commits'
ok $? "a later run adds its part to the sum"
SOAK_SECONDS=5 soak build fuzz
said 'ok - blob: for 5 s' && said '# soak: all: 2 passed, 0 failed, 1 skipped, 4 parts not run, 1 commits'
ok $? "a part that runs again counts once"
sed -i 's/ unknown / other /' "$work/build/soak/fuzz.result"
soak build lab
said '# soak: all: 5 passed, 0 failed, 1 skipped, 3 parts not run, 2 commits'
ok $? "results of two commits are reported as such"

soak build boots
[[ $? == 1 ]] && said '# soak: boots: 1 passed, 1 failed, 0 skipped .*' && grep -qx 'lab kernel' "$work/installed"
ok $? "a part that fails: the status is 1, and its failures count"
soak build strict
[[ $? == 1 ]] && said 'not ok - strict ended with status 1' && said '# soak: strict: 2 passed, 1 failed, .*'
ok $? "a part that ends badly without a failed test counts as a failure"

soak build states nothing
[[ $? == 2 ]] && said "tests/soak: there is no part 'nothing'; the parts are: fuzz threads states lab strict boots kernel"
ok $? "an unknown part is refused with the list"
mapfile -t parts < <(sed -n 's/.*the parts are: //p' "$work/said" | tr ' ' '\n')
[[ $(wc -l <"$work/said") == 1 ]]
ok $? "with an unknown part none runs"
soak
[[ $? == 2 ]] && grep -q '^usage: ' "$work/said" && for part in "${parts[@]}"; do grep -q "^  $part " "$work/said" || exit; done
ok $? "without arguments the usage lists the parts"

"$top/check" soak=states,nothing >"$work/said" 2>&1
[[ $? == 2 ]] && grep -q "no part 'nothing'; the parts are: ${parts[*]}\$" "$work/said"
ok $? "./check refuses an unknown part of soak"
"$top/check" soak= >"$work/said" 2>&1
[[ $? == 2 ]] && grep -q "no part ''" "$work/said"
ok $? "./check refuses an empty part of soak"
"$top/check" --help >"$work/said" 2>&1
for part in "${parts[@]}"; do
	tr '\n\t' '  ' <"$work/said" | grep -qE "named:.*\<$part\>" || echo "$part"
done >"$work/missing"
[[ ! -s $work/missing && ${#parts[@]} == 7 ]]
ok $? "./check --help names all parts"
soak build
printf '%s\n' "${parts[@]}" >"$work/wanted"
sed -n 's/^# soak: \([a-z]*\)$/\1/p' "$work/said" | cmp -s - "$work/wanted"
ok $? "without a name all parts run, in their order"

echo "1..$nr"
exit $failed
