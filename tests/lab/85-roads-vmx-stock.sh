#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# The roads around a CR filter, on Intel with the kernel's own KVM: all are open.
set -u
roads=${REGPIN_LAB_WORK:?}/roads/roads.static
bad=0

"$LAB_DIR/bochs" --timeout 300 --stock --out "$LAB_OUT/open" "$roads" --expect open --but 27 --but 34 \
	>"$LAB_OUT/open.tap" || bad=1
grep -v '^1\.\.' "$LAB_OUT/open.tap"
count=$(grep -cE '^(not )?ok ' "$LAB_OUT/open.tap")
# These roads make the host's kernel warn, which the lab counts as a failure.
for road in 27 34; do
	"$LAB_DIR/bochs" --stock --out "$LAB_OUT/$road" "$roads" --expect open $road >"$LAB_OUT/$road.tap"
	rc=$?
	line=$(sed -n 's/^ok 1 //p' "$LAB_OUT/$road.tap")
	count=$((count + 1))
	if ((rc == 98)) && [[ -n $line ]] && grep -q 'WARNING: .*vmx\.c:' "$LAB_OUT/$road/dmesg.txt"; then
		echo "ok $count $line"
	else
		echo "not ok $count - road $road: the stock kernel warns"
		bad=1
	fi
done
echo "1..$count"
exit $bad
