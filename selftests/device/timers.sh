#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The device's timers. For a VM with virtual time; anywhere else it takes twenty minutes.
#
# usage: timers.sh [KIND [--only CASE]...]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=$KIND_A
. "$here/device.sh"

ktap_need python3 ip
need_kinds
# Keypairs that come and go are told at debug level.
echo "module $KIND_A +p" >/sys/kernel/debug/dynamic_debug/control || exit 1
topology_up || exit 1
run_cases "${@:2}" --parallel timers
ktap_end
