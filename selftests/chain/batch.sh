#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the relay sends to the pc goes down the stack in batches: where the device takes
# a list of packets, where it takes none and they come apart above it, and where nobody
# wants them. And what the pc sends comes in batches, where a device of the vps puts them
# together, or a sender has. Whatever the way, what arrives is right.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# large_packets src|dst: a file goes to the pc twice, or from there; how many packets larger than an MTU
# the device to it is given on the vps, or gives.
large_packets() {
	local status from=lan to=pc addresses=("$PC4" "$PC6")
	[ "$1" = src ] || from=pc to=lan addresses=("$LAN4" "$LAN6")
	capture vps pc "$CHAIN_DIR/large" "udp and $1 port $RELAY_PORT and greater 1515" || return
	stream "$from" "$to" "${addresses[0]}" "$CHAIN_DIR/file" &&
		stream "$from" "$to" "${addresses[1]}" "$CHAIN_DIR/file"
	status=$?
	capture_end
	large=$(captured "$CHAIN_DIR/large")
	echo "$large large packets"
	return "$status"
}

in_batches() {
	large_packets "$1" && [ "$large" -gt 10 ]
}

# one_by_one DEVICE FEATURE: without that feature of a device of the vps.
one_by_one() {
	on vps ethtool -K "$1" "$2" off && large_packets src && on vps ethtool -K "$1" "$2" on &&
		[ "$large" -eq 0 ]
}

# The device to the pc keeps what comes for a moment, and puts together what belongs together. It does so
# only if the other end has no hand in that. As there is a socket at the port, a list is what it makes.
put_together() {
	on pc ethtool -K vps tso off && on vps ethtool -K pc gro on rx-gro-list on &&
		on vps sh -c 'echo 200000 >/sys/class/net/pc/gro_flush_timeout &&
			echo 1000 >/sys/class/net/pc/napi_defer_hard_irqs'
}

as_they_come() {
	on vps sh -c 'echo 0 >/sys/class/net/pc/napi_defer_hard_irqs &&
		echo 0 >/sys/class/net/pc/gro_flush_timeout' &&
		on vps ethtool -K pc gro off rx-gro-list off && on pc ethtool -K vps tso on
}

# What has come of the client's, what was sent on of it, and its bytes, as relay and flow tell.
counted() {
	jq -nc --argjson relay "$(relay)" --argjson flows "$(flows)" --argjson port "$CLIENT_PORT" '
		[$relay[0], ($flows[] | select(.client_port == $port))] | map(.forward |
			[.packets, .forwarded_packets, .forwarded_bytes])'
}

watched() {
	[ "$(captured "$CHAIN_DIR/mt.pcap")" -ge "$1" ]
}

# sums_right FILE LENGTH: how many of that length whose checksum is right.
sums_right() {
	tcpdump -n -vv -r "$1" 2>/dev/null | grep -c "udp sum ok\] UDP, length $2\$"
}

# Datagrams of the client that come to the vps as one packet are counted and sent on one by one. It has
# no socket at its port meanwhile. A capture that is not told otherwise has room for 8 packets at once.
one_packet() {
	local before after
	ip -n "$CHAIN-pc" link set wg0 down &&
		capture vps pc "$CHAIN_DIR/vps.pcap" "udp dst port $RELAY_PORT" &&
		capture mt wg1 "$CHAIN_DIR/mt.pcap" -s 2000 "udp dst port $RELAY_PORT" || return
	before=$(counted)
	forge pc batch --source "$CLIENT_PORT" && slowwait 10 watched 21
	capture_end
	after=$(counted)
	renew pc wg0
	printf '%s\n' "$before" "$after"
	tcpdump -n -r "$CHAIN_DIR/vps.pcap"
	tcpdump -n -vv -r "$CHAIN_DIR/mt.pcap"
	[ "$(captured "$CHAIN_DIR/vps.pcap")" -eq 1 ] && [ "$(captured "$CHAIN_DIR/mt.pcap")" -eq 21 ] &&
		[ "$(sums_right "$CHAIN_DIR/mt.pcap" 1008)" -eq 20 ] &&
		[ "$(sums_right "$CHAIN_DIR/mt.pcap" 496)" -eq 1 ] &&
		[ "$(jq -c "map([.[0] + 21, .[1] + 21, .[2] + $((20 * 1008 + 496))])" <<<"$before")" = "$after" ]
}

nothing_dropped() {
	holds '.[0] | [.forward, .reverse] | map(.drops | add) | add == 0' "$(relay)"
}

batches() {
	local family
	# Not a multiple of a segment: the last datagram of a batch may be a shorter one.
	head -c 1000001 /dev/urandom >"$CHAIN_DIR/file"
	for family in 4 6; do
		[ "$family" = 4 ] || outer 6
		check "IPv$family: the pc reaches the mt" answers pc "$MT4" 20
		check "IPv$family: batches reach the device" in_batches src
		check "IPv$family: they come apart above one that takes none" one_by_one pc tx-gso-list
		check "IPv$family: none is made without GRO on the tunnel" one_by_one wg1 gro
		check "IPv$family: a device puts together what comes" put_together
		check "IPv$family: batches come from it" in_batches dst
		check "IPv$family: it leaves them as they come" as_they_come
		check "IPv$family: datagrams sent as one packet go on one by one" one_packet
		check "IPv$family: the relay dropped nothing" nothing_dropped
	done
}

each_chain 18 batches "$@"
