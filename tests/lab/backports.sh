# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by scenarios on the host whose guests have the kernel of Debian's backports, which
# is fetched only for them.
top=$(cd "$LAB_DIR/.." && pwd -P)

# Fetches the kernel and prepares its guest; without one the scenario ends here, with the
# reason.
get_backports()
{
	local said

	said=$("$LAB_DIR/fetch" --backports 2>&1) || {
		printf '%s\n' "$said" >&2
		echo "1..0 # SKIP no kernel of Debian's backports: $(sed -n 's/^# lab: ERROR: //p' <<<"$said")"
		exit 0
	}
	"$top/tests/lab/prepare" "$REGPIN_LAB_WORK" backports || {
		echo "not ok - the guest could not be prepared"
		exit 1
	}
}
