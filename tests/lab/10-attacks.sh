#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 500
# Attacks on the MSRs of stock Debian guests. Of Debian 13's own kernel only what regpin
# does: the rest takes a minute more.
exec "$(dirname "$0")/msr-attacks.sh" linux.yaml 6.12 6.1 trixie:pinned
