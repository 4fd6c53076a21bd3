#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 500
# Attacks on the MSRs of stock Debian guests. On Debian 13's own kernel they run only with
# regpin, as the run without it takes a minute more.
exec "$(dirname "$0")/msr-attacks.sh" linux.yaml 6.12 6.1 trixie:pinned
