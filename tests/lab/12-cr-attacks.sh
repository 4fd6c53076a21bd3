#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# Attacks on the control registers of a Debian 6.12 guest.
exec "$(dirname "$0")/cr-attacks.sh" 6.12
