#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# Attacks on the control registers of a Debian 6.12 guest, on Intel VMX.
set -u
# shellcheck source=tests/lab/vmx.sh
source "$LAB_DIR/../tests/lab/vmx.sh"

on_vmx ours 1500 --file "$REGPIN_LAB_WORK/guest-6.12.gz:$REGPIN_LAB_WORK/guest-6.12.gz" -- cr-attacks.sh 6.12
