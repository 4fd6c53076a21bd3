#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# Guests do at random what the roads do: the pins must hold. A WARN of the outer kernel ends
# it with status 98: roads 34 and 37 cause one, on stock KVM, too.
exec "${REGPIN_LAB_WORK:?}/roads/roads" --fuzz "${ROADS_SECONDS:-30}" --seed "${ROADS_SEED:-$RANDOM}"
