#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two clients behind one public address, told apart by the source port that their
# router gave each, and a third one elsewhere: each has a flow of its own.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

PC2=10.7.0.3 PC3=10.7.0.4

# The router has to give one of them another port: both send from the same.
one_source_port() {
	[ "$(wgtool pc2 show wg0 listen-port)" = "$(wgtool pc3 show wg0 listen-port)" ]
}

distinct_at_mt() {
	[ "$(wgtool mt show wg0 endpoints | cut -f 2 | sort -u | grep -c 172.16.1.1:)" -eq 3 ]
}

flows_per_client() {
	holds 'length == 3 and all(.state == "established") and
		(map([.client_address, .client_port]) | unique | length) == 3 and
		(map(select(.client_address == "203.0.113.2")) | length) == 2 and
		(map([.mapped_address, .mapped_port]) | unique | length) == 3' "$(flows)"
}

# Both at once, and different data each way.
at_once() {
	local first second
	payload "$CHAIN_DIR/up" 400000
	head -c 400000 /dev/urandom >"$CHAIN_DIR/down"
	stream pc2 mt "$MT4" "$CHAIN_DIR/up" &
	first=$!
	stream lan pc3 "$PC3" "$CHAIN_DIR/down" &
	second=$!
	wait "$first" && wait "$second"
}

# forwarded FILTER: bytes sent on from the clients that the jq filter selects.
forwarded() {
	flows | jq "map(select($1) | .forward.forwarded_bytes) | add"
}

# 5 times 1000 B, IP and ICMP 28, padded to 16, WireGuard 32; a handshake or a
# keepalive may fall into the same second.
counted_apart() {
	local own='.client_address == "192.0.2.2"' own_before others_before
	own_before=$(forwarded "$own")
	others_before=$(forwarded "$own | not")
	on pc ping -q -c 5 -i 0.2 -s 1000 "$MT4" || return
	echo "own $own_before to $(forwarded "$own"), others $others_before to $(forwarded "$own | not")"
	[ $(($(forwarded "$own") - own_before)) -ge $((5 * 1072)) ] &&
		[ $(($(forwarded "$own") - own_before)) -lt $((6 * 1072)) ] &&
		[ $(($(forwarded "$own | not") - others_before)) -lt 1072 ]
}

clients() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "two clients live behind one router" home_up
	check "both have the same source port" one_source_port
	check "the first reaches the mt" answers pc2 "$MT4"
	check "the second reaches the mt" answers pc3 "$MT4"
	check "the client elsewhere reaches the mt" answers pc "$MT4"
	check "the mt sees three clients" distinct_at_mt
	check "the relay has a flow for each, two from one address" flows_per_client
	check "the mt reaches the first" answers mt "$PC2"
	check "the lan reaches the second" answers lan "$PC3"
	check "both carry data at once" at_once
	check "one client's packets are counted in its flow" counted_apart
}

each_chain 12 clients "$@"
