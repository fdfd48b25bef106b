#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The chain comes up from the home's side, and traffic of every kind passes it: TCP
# and UDP, both directions, v4 and v6, over v4 and over v6.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# Nobody but the mt has sent anything: the vps does not know where it is.
wg1_from_mt() {
	slowwait 20 handshaken vps wg1 && handshaken mt wg1
}

behind_cgnat() {
	local port
	port=$(mt_port)
	[ "$port" -ge "${CGNAT_PORTS[0]%-*}" ] && [ "$port" -le "${CGNAT_PORTS[0]#*-}" ] &&
		wgtool vps show wg1 endpoints | grep -q "198.51.100.2:$port"
}

# What the mt takes the pc for, and the one flow that leads there.
mt_sees() {
	wgtool mt show wg0 endpoints | grep -qF "$1"
}

one_flow() {
	holds 'length == 1 and .[0].state == "established" and .[0].handshakes >= 1' "$(flows)"
}

both_ways() {
	local family
	payload "$CHAIN_DIR/tcp" 300000
	payload "$CHAIN_DIR/udp" 20000
	for family in 4 6; do
		local mt=MT$family pc=PC$family lan=LAN$family
		check "$1: TCP v$family from pc to mt" stream pc mt "${!mt}" "$CHAIN_DIR/tcp"
		check "$1: TCP v$family from mt to pc" stream mt pc "${!pc}" "$CHAIN_DIR/tcp"
		check "$1: TCP v$family from pc to lan" stream pc lan "${!lan}" "$CHAIN_DIR/tcp"
		check "$1: UDP v$family from pc to mt" datagrams pc mt "${!mt}" "$CHAIN_DIR/udp"
		check "$1: UDP v$family from mt to pc" datagrams mt pc "${!pc}" "$CHAIN_DIR/udp"
	done
}

large_file() {
	head -c 50000000 /dev/urandom >"$CHAIN_DIR/large"
	stream pc mt "$MT4" "$CHAIN_DIR/large"
}

# home_sends FROM-PORT TO-PORT PAYLOAD: from the address of the inner endpoint to the vps'.
home_sends() {
	datagram mt "$(mt_inside)" "$1" "$(vps_inside)" "$2" "$3"
}

reaches_vps() {
	answers mt 172.16.1.1 && answers mt fd16::1
}

# From the inner endpoint itself, to a port that no client has: the larger one in fragments, of which the relay
# cannot tell whose they are.
to_a_program() {
	local receiver status
	payload "$CHAIN_DIR/said" 4100
	background vps socat -u -b 5000 UDP6-RECV:7001,ipv6only=0 "OPEN:$CHAIN_DIR/heard,creat,trunc"
	receiver=$!
	slowwait 10 listening vps udp 7001 &&
		home_sends "$RELAY_PORT" 7001 "open('$CHAIN_DIR/said', 'rb').read()[:100]" &&
		home_sends "$RELAY_PORT" 7001 "open('$CHAIN_DIR/said', 'rb').read()[100:]" &&
		slowwait 10 same_hash "$CHAIN_DIR/said" "$CHAIN_DIR/heard"
	status=$?
	kill "$receiver" && wait "$receiver" 2>/dev/null
	return "$status"
}

# Data: a handshake may be begun once more meanwhile.
came_back() {
	relay | jq '.[0].reverse.transports'
}

# To where the client is known, but not from the inner endpoint; what does comes last, and gets there.
from_another_port() {
	local mapped before status
	answers pc "$MT4" || return
	mapped=$(flows | jq '.[0].mapped_port')
	before=$(came_back)
	capture pc vps "$CHAIN_DIR/pc.pcap" "$IS_DATA" || return
	home_sends $((RELAY_PORT + 1)) "$mapped" 'message(TRANSPORT, 77)' &&
		home_sends $((RELAY_PORT + 1)) "$mapped" 'message(TRANSPORT, 4000)' &&
		home_sends "$RELAY_PORT" "$mapped" 'message(TRANSPORT, 77)' && slowwait 10 one_at_pc
	status=$?
	capture_end
	echo "$before, then $(came_back), at the pc $(captured "$CHAIN_DIR/pc.pcap")"
	[ "$status" -eq 0 ] && one_at_pc && [ "$(came_back)" -eq $((before + 1)) ]
}

one_at_pc() {
	[ "$(captured "$CHAIN_DIR/pc.pcap")" -eq 1 ]
}

# What is not for a client goes the normal way.
not_for_clients() {
	check "$1: the mt reaches the vps' own addresses in the tunnel" reaches_vps
	check "$1: what the home sends to a program of the vps' arrives, in fragments, too" to_a_program
	check "$1: what comes from another port of the home's is not the client's" from_another_port
}

connect() {
	check "wg1 comes up from the mt's side alone" wg1_from_mt
	check "the vps sees the mt at a port of the cgnat" behind_cgnat
	check "wg0's handshake passes the vps" answers pc "$MT4"
	check "both ends have the handshake" handshaken mt wg0
	check "the mt sees the client at the vps' tunnel address" mt_sees 172.16.1.1:
	check "the relay shows one established flow" one_flow
	not_for_clients "inner v4"
	both_ways "outer v4"
	check "a 50 MB file has the right hash" large_file
	check "the relay moves to v6" outer 6
	check "wg0's handshake passes the vps over v6" answers pc "$MT4"
	check "the mt sees the client at the vps' v6 tunnel address" mt_sees "[fd16::1]:"
	not_for_clients "inner v6"
	both_ways "outer v6"
}

each_chain 36 connect "$@"
