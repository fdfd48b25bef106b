#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What becomes of packets that an interface drops: each is counted once, and its reason is in the
# trace.
#
# usage: drops.sh [--only CASE]...

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=nwg KIND_B=$KIND_A
. "$here/device.sh"

ktap_need python3 ip
need_kinds
tracing=/sys/kernel/tracing
[ -e $tracing/events ] || mount -t tracefs tracefs $tracing ||
	ktap_skip_all "the kernel has no trace events"
event=$tracing/events/nwg/nwg_device_drop/enable
topology_up || exit 1
defer sh -c "echo 0 >$event"
echo >$tracing/trace
echo 1 >$event || exit 1
run_cases "$@" drops
ktap_end
