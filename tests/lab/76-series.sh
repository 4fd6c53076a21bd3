#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# The series in kernel/6.12 applies, is clean by checkpatch, and builds.
exec "$LAB_DIR/../kernel/check"
