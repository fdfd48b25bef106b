#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who a client is to the home: an address of a pool, or itself, and what the home needs for that.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

POOL4=172.16.99.8/29 POOL6=fd16:99::/64

source_is() {
	nwgctl relay set listen "$RELAY_PORT" source "$@" &&
		holds ".[0].source == \"$*\"" "$(relay)"
}

# home_routes PREFIX...: by wg1, and what comes from there is taken.
home_routes() {
	local prefix allowed=172.16.1.1/32,fd16::1/128
	for prefix; do
		allowed=$allowed,$prefix
		ip -n "$CHAIN-mt" route replace "$prefix" dev wg1 || return
	done
	wgtool mt set wg1 peer "$(public vps-wg1)" allowed-ips "$allowed"
}

endpoints() {
	wgtool mt show wg0 endpoints | cut -f 2 | sort
}

endpoint_of() {
	wgtool mt show wg0 endpoints | sed -n "s|^$(public "$1-wg0")	||p"
}

# A handshake from another port, so that it is another client to the relay.
comes_anew() {
	wgtool "$1" set wg0 listen-port "$2" && renew "$1" wg0 && answers "$1" "$MT4"
}

# in_pool PATTERN: each endpoint.
in_pool() {
	endpoints
	[ "$(endpoints | grep -c "$1")" -eq "$(endpoints | grep -vc none)" ]
}

apart() {
	answers pc2 "$MT4" && answers pc3 "$MT4" && in_pool '^172\.16\.99\.\(9\|1[0-4]\):51820$' &&
		[ "$(endpoints | uniq | wc -l)" -eq 3 ]
}

# Nothing is sent for as long as flows live: the addresses are free, and each gets its own again.
same_again() {
	local before
	before=$(endpoint_of pc)
	skip_idle sleep 600 && holds 'length == 0' "$(flows)" && comes_anew pc 51900 || return
	echo "$before, then $(endpoint_of pc)"
	[ "$(endpoint_of pc)" = "$before" ]
}

# What does not fit into wg1 comes in fragments, from the home, too.
large() {
	local node status
	for node in pc mt; do ip -n "$CHAIN-$node" link set wg0 mtu 1420 || return; done
	on pc ping -q -c 3 -i 0.2 -W 10 -M 'do' -s 1392 "$MT4" &&
		on mt ping -q -c 3 -i 0.2 -W 10 -M 'do' -s 1392 "$PC4"
	status=$?
	for node in pc mt; do ip -n "$CHAIN-$node" link set wg0 mtu "$(nested_mtu)" || return; done
	return "$status"
}

# More than there are addresses: those who are known keep theirs.
crowd() {
	local before
	before=$(endpoint_of pc)
	forge pc initiation --ports 20 && answers pc "$MT4" || return
	relay | jq -c '.[0].flows, .[0].forward.drops'
	[ "$(endpoint_of pc)" = "$before" ] && holds '.[0].flows | .new + .established <= 6' "$(relay)"
}

# Who is known stays what it is, without a handshake.
keeps() {
	local before since
	session_stands || return
	since=$(handshake_time mt wg0)
	before=$(endpoint_of pc)
	source_is masquerade && answers pc "$MT4" && [ "$(endpoint_of pc)" = "$before" ] &&
		[ "$(handshake_time mt wg0)" -eq "$since" ] && comes_anew pc 51901 &&
		endpoint_of pc | grep '^172\.16\.1\.1:'
}

# reverse_path VALUE: the mt asks of what comes out of wg1 whether it would itself send there so. Its default
# route leads elsewhere, the mark is on wg0's own packets alone.
reverse_path() {
	on mt sysctl -qw "net.ipv4.conf.wg1.rp_filter=$1"
}

refused_by_path() {
	on mt nstat -asz TcpExtIPReversePathFilter | awk 'NR > 1 { print $2 }'
}

strict_path() {
	local before
	before=$(refused_by_path)
	reverse_path 1 && wgtool pc set wg0 listen-port 51905 && renew pc wg0 && ! answers pc "$MT4" 3 || return
	echo "refused: $before, now $(refused_by_path)"
	[ "$(refused_by_path)" -gt "$before" ]
}

loose_path() {
	local before
	before=$(refused_by_path)
	reverse_path 2 && comes_anew pc 51906 && [ "$(refused_by_path)" -eq "$before" ] && reverse_path 0
}

itself() {
	echo "$(endpoint_of pc), $(endpoint_of pc2)"
	[ "$(endpoint_of pc)" = "192.0.2.2:51902" ] && endpoint_of pc2 | grep '^203\.0\.113\.2:'
}

other_family() {
	! answers pc "$MT4" 3 && holds '.[0].forward.drops.family >= 1' "$(relay)"
}

source_of_clients() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "two clients live behind one router" home_up
	check "a pool" source_is pool "$POOL4"
	check "the home routes it" home_routes "$POOL4"
	check "a client gets through" answers pc "$MT4"
	check "large packets pass" large
	check "two more, of one address: each has an address of the pool" apart
	check "who comes again has the same" same_again
	check "a crowd takes no address that is in use" crowd
	check "another source for who comes, not for who is there" keeps
	check "transparent" source_is transparent
	check "the home answers anybody by the tunnel" home_answers_anybody
	check "not where it has rp_filter 1" strict_path
	check "2 lets clients in" loose_path
	check "a client gets through as itself" comes_anew pc 51902
	check "and one behind a router" comes_anew pc2 51903
	check "the home sees them as they are" itself
	check "large packets pass to a client as itself" large
	check "over the other family there is no such thing" outer_transparent
	check "which is counted" other_family
	check "a pool of IPv6 addresses, for clients over IPv4" pool6
	check "a client gets through there" comes_anew pc 51904
	check "with an address of it" in_pool '^\[fd16:99::.*\]:51820$'
	check "what has nowhere to go is counted, and nobody is told" peer_gone
}

# To a stranger over IPv6, whose address the home is to see, an error of the tunnel's would find a way.
peer_gone() {
	outer 6 && source_is transparent && wgtool vps set wg1 peer "$(public mt-wg1)" remove &&
		capture pc vps "$CHAIN_DIR/told.pcap" 'icmp6[0] < 128 or icmp6[0] == 129' || return
	local before status
	before=$(no_peer)
	forge pc initiation && slowwait 5 no_peer_above "$before" &&
		answers pc "$(relay_address)" && slowwait 5 echo_captured
	status=$?
	capture_end
	[ "$status" -eq 0 ] && [ "$(captured "$CHAIN_DIR/told.pcap" 'icmp6[0] < 128')" -eq 0 ]
}

echo_captured() {
	[ "$(captured "$CHAIN_DIR/told.pcap" 'icmp6[0] == 129')" -ge 1 ]
}

no_peer() {
	relay | jq '.[0].forward.drops["no-peer"]'
}

no_peer_above() {
	[ "$(no_peer)" -gt "$1" ]
}

outer_transparent() {
	outer 6 4 && source_is transparent
}

pool6() {
	for client in pc2 pc3; do
		wgtool mt set wg0 peer "$(public "$client-wg0")" remove || return
	done
	outer 4 6 && source_is pool "$POOL6" && home_routes "$POOL6"
}

each_chain 24 source_of_clients "$@"
