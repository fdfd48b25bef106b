#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the relay sends to the pc goes down the stack in batches: where the device takes
# a list of packets, where it takes none and they come apart above it, and where nobody
# wants them. Whatever the way, what arrives is right.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# large_packets: a file goes to the pc twice; how many packets larger than an MTU the
# device to it is given on the vps.
large_packets() {
	local status
	capture vps pc "$CHAIN_DIR/large" "udp and src port $RELAY_PORT and greater 1515" || return
	stream lan pc "$PC4" "$CHAIN_DIR/file" && stream lan pc "$PC6" "$CHAIN_DIR/file"
	status=$?
	capture_end
	large=$(captured "$CHAIN_DIR/large")
	echo "$large large packets"
	return "$status"
}

in_batches() {
	large_packets && [ "$large" -gt 10 ]
}

# one_by_one DEVICE FEATURE: without that feature of a device of the vps.
one_by_one() {
	on vps ethtool -K "$1" "$2" off && large_packets && on vps ethtool -K "$1" "$2" on &&
		[ "$large" -eq 0 ]
}

nothing_dropped() {
	holds '.[0].reverse.drops | add == 0' "$(relay)"
}

batches() {
	local family
	# Not a multiple of a segment: the last datagram of a batch may be a shorter one.
	head -c 1000001 /dev/urandom >"$CHAIN_DIR/file"
	for family in 4 6; do
		[ "$family" = 4 ] || outer 6
		check "IPv$family: the pc reaches the mt" answers pc "$MT4" 20
		check "IPv$family: batches reach the device" in_batches
		check "IPv$family: they come apart above one that takes none" one_by_one pc tx-gso-list
		check "IPv$family: none is made without GRO on the tunnel" one_by_one wg1 gro
		check "IPv$family: the relay dropped nothing" nothing_dropped
	done
}

each_chain 10 batches "$@"
