#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# Attacks on the MSRs of a Debian 6.12 guest, on Intel VMX and a stock KVM. They run under
# linux-strict.yaml, so the scenario also shows that Linux misses no MSR there.
set -u
# shellcheck source=tests/lab/vmx.sh
source "$LAB_DIR/../tests/lab/vmx.sh"

on_vmx stock 1500 --stock --file "$REGPIN_LAB_WORK/guest-6.12.gz:$REGPIN_LAB_WORK/guest-6.12.gz" \
	-- msr-attacks.sh linux-strict.yaml 6.12
