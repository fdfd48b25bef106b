#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client over one address family, an inner endpoint of the other: what the relay makes of the headers
# (RFC 7915), both ways, and that all sizes pass. And what it makes of them where both are the same.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# The link from the pc to the vps, and the tunnel behind it.
watch() {
	capture vps pc "$CHAIN_DIR/outside" "udp port $RELAY_PORT" &&
		capture mt wg1 "$CHAIN_DIR/inside" "udp port $RELAY_PORT"
}

# fields FILE ADDRESS: each datagram of a capture that has that source: a name for what it is by its
# length, TOS or traffic class, TTL or hop limit, whether the checksum is right.
fields() {
	tcpdump -n -vv -r "$CHAIN_DIR/$1" "src host $2" 2>/dev/null | awk '
		/ IP6 / || / IP / {
			tos = "0x"
			if (match($0, /class 0x[0-9a-f]+|tos 0x[0-9a-f]+/))
				tos = substr($0, RSTART, RLENGTH)
			sub(/.* 0x0*/, "0x", tos)
			match($0, /(hlim|ttl) [0-9]+/)
			ttl = substr($0, RSTART, RLENGTH)
			sub(/.* /, "", ttl)
		}
		match($0, /UDP, length [0-9]+|length [0-9]+$/) && /udp sum|no cksum|cksum/ {
			len = $NF
			sum = /udp sum ok/ ? "ok" : /no cksum/ ? "none" : "bad"
			print len, tos, ttl, sum
		}'
}

# what_is LENGTH FILE ADDRESS: the fields of the first such datagram.
what_is() {
	fields "$2" "$3" | awk -v len="$1" '$1 == len { print $2, $3, $4; exit }'
}

# same_but_a_hop BEFORE AFTER: the TOS as it was, one hop less, and the checksum right.
same_but_a_hop() {
	local before=$1 after=$2
	echo "$before, then $after"
	read -r tos ttl _ <<<"$before"
	[ -n "$before" ] && [ "$after" = "$tos $((ttl - 1)) ok" ]
}

pc_address() {
	if [ "$OUTER" = 6 ]; then echo 2001:db8:2::2; else echo 192.0.2.2; fi
}

# A handshake, and an echo with an ECN-capable TOS, which WireGuard copies outside: 28 + 900, padded
# to 928, and 32.
first_packets() {
	watch && answers pc "$MT4" 20 && on pc ping -q -c 1 -W 10 -Q 2 -s 900 "$MT4"
	local status=$?
	capture_end
	return "$status"
}

# to_home LENGTH, to_client LENGTH: the datagram of that length on both sides of the relay.
to_home() {
	same_but_a_hop "$(what_is "$1" outside "$(pc_address)" | sed 's/bad$/ok/')" \
		"$(what_is "$1" inside "$(vps_inside)")"
}

to_client() {
	same_but_a_hop "$(what_is "$1" inside "$(mt_inside)" | sed 's/bad$/ok/')" \
		"$(what_is "$1" outside "$(relay_address)")"
}

ecn_passes() {
	what_is 960 inside "$(vps_inside)" | grep '^0x2 ' &&
		what_is 960 outside "$(relay_address)" | grep '^0x2 '
}

# A datagram of the largest size that wg1 takes whole, and one that it does not.
sizes() {
	on pc ping -q -c 3 -i 0.2 -W 10 -M 'do' -s $(($(nested_mtu) - 28)) "$MT4" || return
	ip -n "$CHAIN-pc" link set wg0 mtu 1420 && ip -n "$CHAIN-mt" link set wg0 mtu 1420 &&
		on pc ping -q -c 3 -i 0.2 -W 10 -M 'do' -s $((1420 - 28)) "$MT4" &&
		on mt ping -q -c 3 -i 0.2 -W 10 -M 'do' -s $((1420 - 28)) "$PC4"
}

fragmented() {
	relay | jq '.[0].forward.fragmented'
}

# As many on the tunnel as fit into it: two fragments of each that is too large.
whole_or_fragments() {
	local large before
	before=$(fragmented)
	capture mt wg1 "$CHAIN_DIR/sizes" "src host $(vps_inside)" && sizes
	local status=$?
	capture_end
	large=$(captured "$CHAIN_DIR/sizes" \
		'(ip[6:2] & 0x3fff != 0) or (ip6 and ip6[6] == 44)')
	echo "$large fragments"
	# The mt's own are the other way; those to it are of three echo requests and three replies.
	[ "$status" -eq 0 ] && [ "$large" -eq 12 ] && [ $(($(fragmented) - before)) -eq 6 ]
}

# The MTU that the ends of wg0 should have, once they were seen to have another.
mtu_is_told() {
	holds ".[0].mtu == $(nested_mtu)" "$(flows)"
}

streams() {
	stream pc mt "$MT4" "$CHAIN_DIR/file" && stream mt pc "$PC4" "$CHAIN_DIR/file" &&
		stream pc lan "$LAN6" "$CHAIN_DIR/file" && stream lan pc "$PC6" "$CHAIN_DIR/file"
}

flow_shows_both() {
	holds "length == 1 and .[0].client_address == \"$(pc_address)\" and
		.[0].mapped_address == \"$(vps_inside)\" and .[0].mtu == null" "$(flows)"
}

nothing_dropped() {
	relay | jq -c '.[0] | .forward.drops, .reverse.drops'
	holds '.[0] | (.forward.drops | add // 0) + (.reverse.drops | add // 0) == 0' "$(relay)"
}

# Over IPv4 a datagram may have no checksum; IPv6 must have one.
sum_is_made() {
	capture mt wg1 "$CHAIN_DIR/unsummed" "udp dst port $RELAY_PORT" &&
		capture vps pc "$CHAIN_DIR/before" "udp dst port $RELAY_PORT" &&
		forge pc unsummed && slowwait 10 has_one
	capture_end
	echo "$(fields before "$(pc_address)"), then $(fields unsummed "$(vps_inside)")"
	fields before "$(pc_address)" | grep ' none$' &&
		fields unsummed "$(vps_inside)" | grep ' ok$'
}

has_one() {
	[ "$(captured "$CHAIN_DIR/unsummed")" -ge 1 ]
}

# way NAME: all of it, over the families that are set.
way() {
	check "$1: the pc reaches the mt" first_packets
	check "$1: the flow has both addresses" flow_shows_both
	check "$1: the initiation is rewritten" to_home 148
	check "$1: the response is rewritten" to_client 92
	check "$1: data to the home are rewritten" to_home 960
	check "$1: data to the client are rewritten" to_client 960
	check "$1: ECN passes" ecn_passes
	check "$1: streams both ways" streams
	check "$1: the largest datagrams pass whole, larger ones in fragments" whole_or_fragments
	check "$1: whose tunnel it was, and what its MTU should be, is told" mtu_is_told
	check "$1: the relay dropped nothing" nothing_dropped
}

# same NAME: where both families are the same, the headers are rewritten in place.
same() {
	check "$1: the pc reaches the mt" first_packets
	check "$1: data to the home are rewritten" to_home 960
	check "$1: data to the client are rewritten" to_client 960
	check "$1: ECN passes" ecn_passes
}

mixed() {
	head -c 1000001 /dev/urandom >"$CHAIN_DIR/file"
	check "wg1 is up" slowwait 20 handshaken vps wg1
	same "v4"
	check "the relay leads into IPv6" outer 4 6
	way "v4 to v6"
	check "a datagram without a checksum gets one" sum_is_made
	check "the relay leads into IPv4" outer 6 4
	way "v6 to v4"
	check "the relay leads into IPv6 again" outer 6
	same "v6"
}

each_chain 35 mixed "$@"
