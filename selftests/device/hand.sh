#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The device against a peer driven by hand: its protocol, and what it
# is as a network interface.
#
# usage: hand.sh [KIND [--only CASE]...]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=$KIND_A
. "$here/device.sh"

ktap_need python3 ip nft
need_kinds
topology_up || exit 1
run_cases "${@:2}" protocol interface
ktap_end
