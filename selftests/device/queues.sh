#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a queue discipline of the interface below learns of what is inside: which packets are of one
# flow, so that it can be fair to each, and nothing else.
#
# usage: queues.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need python3
modprobe -a sch_prio sch_drr cls_flow 2>/dev/null ||
	ktap_skip_all "the kernel has not sch_prio, sch_drr and cls_flow"
ktap_plan 3

tc_on_a() {
	on a tc "$@"
}

# packets CLASS: that left by it.
packets() {
	tc_on_a -s class show dev eth0 |
		awk -v class="$1" '$1 == "class" { this = $3 } $1 == "Sent" && this == class { print $4 }'
}

# low_delay ADDRESS: packets that want it are in the queue for low delay. (As is ARP.)
low_delay() {
	local before
	tc_on_a qdisc replace dev eth0 root handle 1: prio && before=$(packets 1:1) &&
		on a ping -q -c 9 -i 0.2 -Q 0x10 "$1" && echo "$before, then $(packets 1:1)" &&
		[ "$(packets 1:1)" -ge $((before + 9)) ]
}

inner_low_delay() {
	! low_delay 10.7.0.2 && answers a 10.7.0.2
}

# Eight queues by the hash of the flow, and many flows.
spread() {
	local queue count used=0
	tc_on_a qdisc replace dev eth0 root handle 2: drr || return
	for queue in {1..8}; do
		tc_on_a class add dev eth0 parent 2: classid "2:$queue" drr || return
	done
	tc_on_a filter add dev eth0 parent 2: protocol all handle 1 flow hash keys rxhash divisor 8 \
		baseclass 2:1 || return
	on a python3 -c '
import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in range(5000, 5064):
    udp.sendto(b"x", ("10.7.0.2", port))'
	for queue in {1..8}; do
		count=$(packets "2:$queue")
		echo "2:$queue $count"
		[ "$count" -lt 2 ] || used=$((used + 1))
	done
	[ "$used" -ge 4 ]
}

topology_up || exit 1
device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821 &&
	answers a 10.7.0.2 || exit 1
ktap_run "outside, a packet for low delay goes first" low_delay 10.0.0.2
ktap_run "inside, it does not: that would show" inner_low_delay
ktap_run "inner flows are told apart" spread
ktap_end
