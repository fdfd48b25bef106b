#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the device erases, and when: see erase.py.
#
# usage: erase.sh [KIND [--only CASE]...]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=$KIND_A
. "$here/device.sh"

ktap_need python3 ip
need_kinds
grep -qw page_poison=1 /proc/cmdline ||
	ktap_skip_all "pages that were freed may still hold keys: boot with page_poison=1"
[ -e /sys/power/pm_test ] || ktap_skip_all "no /sys/power/pm_test to go to sleep with"
topology_up || exit 1
run_cases "${@:2}" erase
ktap_end
