#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The roads around a CR filter, on AMD with the kernel's own KVM: all are open.
exec "${REGPIN_LAB_WORK:?}/roads/roads" --expect open
