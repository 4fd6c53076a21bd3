#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# Guests that do at random what roads are made of: the pins must hold.
exec "${REGPIN_LAB_WORK:?}/roads/roads" --fuzz "${ROADS_SECONDS:-30}" --seed "${ROADS_SEED:-$RANDOM}"
