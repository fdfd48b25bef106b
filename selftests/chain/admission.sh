#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is not WireGuard, or not for the home, ends on the vps without a reply, and is
# counted by reason.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# forged KIND|OPTION...: send and learn what changes in the relay's counters.
forged() {
	local before
	before=$(relay_counts)
	SENT=$(forge pc "$@") || return
	slowwait 5 all_arrived "$before" "$(sent)"
	CHANGED=$(difference "$before")
	echo "sent: $SENT; counted: $CHANGED"
	[ "$(changed packets)" -eq "$(sent)" ]
}

all_arrived() {
	[ "$(difference "$1" | value_of packets)" -eq "$2" ]
}

# value_of NAME: sum of the counts behind the name in "NAME COUNT" lines, all if none.
value_of() {
	awk -v names=" $* " 'names == "  " || index(names, " " $1 " ") { sum += $2 }
		END { print sum + 0 }'
}

sent() {
	value_of "$@" <<<"$SENT"
}

changed() {
	value_of "$@" <<<"$CHANGED"
}

# counted REASON KIND...: so many were dropped for the reason as were sent of the kinds.
counted() {
	local reason=$1
	shift
	echo "sent: $SENT; counted: $CHANGED"
	[ "$(sent "$@")" -gt 0 ] && [ "$(changed "$reason")" -eq "$(sent "$@")" ]
}

# passed N: N were sent on, and what was dropped makes up the rest.
passed() {
	echo "sent: $SENT; counted: $CHANGED"
	[ "$(changed forwarded)" -eq "$1" ] &&
		[ "$(changed)" -eq $((2 * $(changed packets))) ]
}

# relay_counts: "NAME COUNT" per line: what came, what was sent on, drops by reason.
relay_counts() {
	relay | jq -r '.[0].forward |
		"packets \(.packets)", "forwarded \(.forwarded_packets)",
		(.drops // {} | to_entries[] | "\(.key) \(.value)")'
}

# difference BEFORE: what has been added since, without what has not changed.
difference() {
	awk '
		FNR == NR { count[$1] -= $2; next }
		{ count[$1] += $2 }
		END { for (name in count) if (count[name]) print name, count[name] }
	' <(echo "$1") <(relay_counts) | sort
}

watch() {
	capture mt wg1 "$CHAIN_DIR/mt.pcap" "udp dst port $RELAY_PORT" &&
		capture pc vps "$CHAIN_DIR/pc.pcap" \
			"(icmp or icmp6 or udp src port $RELAY_PORT) and src host $(relay_address)"
}

mt_has() {
	[ "$(captured "$CHAIN_DIR/mt.pcap")" -eq "$1" ]
}

pc_has_echo() {
	[ "$(captured "$CHAIN_DIR/pc.pcap" 'icmp[0] == 0 or icmp6[0] == 129')" -gt 0 ]
}

# seen_at_mt N: of all that was sent, the mt saw these; the last is waited for. What the pc
# would see of an error it sees of an echo.
seen_at_mt() {
	slowwait 5 mt_has "$1"
	answers pc "$(relay_address)" && slowwait 5 pc_has_echo
	capture_end
	mt_has "$1"
}

# Neighbour discovery is not an error: those are below 128. Nor is that echo. And no word of the relay's.
not_told() {
	pc_has_echo && [ "$(captured "$CHAIN_DIR/pc.pcap" 'icmp[0] != 0 or icmp6[0] < 128 or udp')" -eq 0 ]
}

# What comes by an address of the vps' own gets there, and makes no flow: the relay leaves it to the stack.
by_own_address() {
	local before result
	before=$(relay_counts)
	capture vps pc "$CHAIN_DIR/vps.pcap" "udp and src host $(relay_address)" || return
	forge pc initiation --foreign --from "$(relay_address)" && slowwait 5 at_vps
	result=$?
	capture_end
	[ "$result" -eq 0 ] && answers pc "$(relay_address)" && difference "$before" && [ -z "$(difference "$before")" ]
}

at_vps() {
	[ "$(captured "$CHAIN_DIR/vps.pcap")" -eq 1 ]
}

# The pc's own wg0 is down while its address and port are borrowed.
known_client() {
	answers pc "$MT4" && ip -n "$CHAIN-pc" link set wg0 down && watch
}

unhurt() {
	ip -n "$CHAIN-pc" link set wg0 up && answers pc "$MT4"
}

# The home reaches it no longer, and then again.
no_way() {
	local before client=192.0.2.2/32
	[ "$OUTER" = 4 ] || client=2001:db8:2::2/128
	before=$(reverse_dropped no-route)
	ip -n "$CHAIN-vps" route add unreachable "$client" || return
	! answers mt "$PC4" 2
	ip -n "$CHAIN-vps" route del unreachable "$client" || return
	echo "no-route: $before, now $(reverse_dropped no-route)"
	[ "$(reverse_dropped no-route)" -gt "$before" ] && answers mt "$PC4"
}

reverse_dropped() {
	relay | jq ".[0].reverse.drops.\"$1\" // 0"
}

# One source opens 40 flows at once: the burst of 5 and then 20 per second pass. The others are asked
# for a cookie.
flood() {
	local began=$EPOCHREALTIME most
	forged initiation --ports 40 || return
	most=$((5 + 20 * (${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 1000000 + 1))
	echo "at most $most"
	[ "$(changed forwarded)" -ge 5 ] && [ "$(changed forwarded)" -le "$most" ] &&
		passed $((40 - $(changed cookie)))
}

# Another address of the pc's has used up what it may initiate, too.
of_one_64() {
	ip -n "$CHAIN-pc" address add 2001:db8:2::64/64 dev vps && flood || return
	forged initiation --ports 20 --from 2001:db8:2::64 && [ "$(changed cookie)" -ge 15 ] || return
	ip -n "$CHAIN-pc" address del 2001:db8:2::64/64 dev vps
}

# The pc has not yet sent anything through wg0.
stranger() {
	check "$1: mt and pc are watched" watch
	check "$1: a stranger's datagrams arrive" forged junk lengths reserved mac1 unknown checksum
	check "$1: junk, wrong lengths and reserved bits are shape" counted shape junk lengths reserved
	check "$1: a wrong mac1 is mac1" counted mac1 mac1
	check "$1: all but initiations is no-flow" counted no-flow unknown
	check "$1: a broken checksum is malformed" counted malformed checksum
	check "$1: none was sent on" passed 0
	check "$1: an initiation with a right mac1 arrives" forged initiation
	check "$1: and is sent on" passed 1
	check "$1: the mt saw that one and nothing else" seen_at_mt 1
	check "$1: neither relay nor ICMP error told the stranger anything" not_told
	check "$1: nobody else sends by an address of the vps'" by_own_address
}

client() {
	check "$1: a client is known" known_client
	check "$1: datagrams with its address and port arrive" \
		forged junk lengths reserved mac1 --source "$CLIENT_PORT"
	check "$1: junk, wrong lengths and reserved bits are shape" counted shape junk lengths reserved
	check "$1: a wrong mac1 is mac1" counted mac1 mac1
	check "$1: none was sent on" passed 0
	check "$1: its data arrive" forged transport --source "$CLIENT_PORT"
	check "$1: and are sent on" passed 1
	check "$1: the mt saw that one and nothing else" seen_at_mt 1
	check "$1: data of their last hop arrive" forged transport --source "$CLIENT_PORT" --ttl 1
	check "$1: and are ttl" counted ttl transport
	check "$1: neither relay nor ICMP error told the client anything" not_told
	check "$1: the client's own session is unhurt" unhurt
	check "$1: what there is no way to it for is no-route" no_way
}

# Flows that all relays of a namespace may have, the module's parameter.
LIMIT=/sys/module/nwg/parameters/max_flows
SECOND_PORT=60001

# comes_anew NODE PORT SECONDS: from there, without a session, as another client, and is answered within
# so long.
comes_anew() {
	wgtool "$1" set wg0 listen-port "$2" && renew "$1" wg0 && skip_idle answers "$1" "$MT4" "$3"
}

dropped() {
	relay | jq ".[0].forward.drops.\"$1\""
}

established() {
	relay | jq -c '.[0].flows'
	holds ".[0].flows.established == $1" "$(relay)"
}

# per_source N: as many flows a source may have; those that there are stay.
per_source() {
	local before
	before=$(relay | jq '.[0].flows.established')
	nwgctl relay set listen "$RELAY_PORT" max-flows-per-source "$1" && established "$before"
}

# asked NODE PORT: comes anew, and is asked for a cookie, which it shows with one of two retries.
asked() {
	local before
	before=$(dropped cookie)
	comes_anew "$1" "$2" 12 || return
	echo "cookie: $before, now $(dropped cookie)"
	[ "$(dropped cookie)" -gt "$before" ]
}

unasked() {
	local before
	before=$(dropped cookie)
	comes_anew "$1" "$2" 3 && [ "$(dropped cookie)" -eq "$before" ]
}

refused() {
	local before
	before=$(dropped source-limit)
	! comes_anew "$1" "$2" 3 && [ "$(dropped source-limit)" -gt "$before" ]
}

both_known() {
	answers pc2 "$MT4" && answers pc3 "$MT4" && established 3
}

# The pc has a flow from before, and what comes from the household is one source.
household() {
	check "two clients live behind one router" home_up
	check "they are known" both_known
	check "a source may have four flows" per_source 4
	check "it has two: who comes anew is asked for a cookie, and gets in" asked pc2 51901
	check "and so is the next, and does" asked pc3 51902
	check "it has four: who comes anew is refused, and counted" refused pc2 51903
	check "nobody had to go for it" established 5
	check "who is known is answered" answers pc3 "$MT4"
	check "who comes anew of another source gets in at once" unasked pc 51904
	check "a source may have more" per_source 8
	check "who was refused gets in" skip_idle answers pc2 "$MT4" 20
}

# limit N: may all relays of a namespace have together.
limit() {
	echo "$1" >"$LIMIT" && [ "$(<"$LIMIT")" -eq "$1" ]
}

limit_is_high() {
	DEFAULT_LIMIT=$(<"$LIMIT")
	[ "$DEFAULT_LIMIT" -ge 65536 ] && ! limit 0 && [ "$(<"$LIMIT")" -eq "$DEFAULT_LIMIT" ]
}

# It knows no responder, and so asks nobody for a cookie.
second_relay() {
	nwgctl relay add dev wg1 listen "$SECOND_PORT" peer "$(public mt-wg1)" to "$(relay_to)"
}

# second N FILTER: from N ports, initiations to the second relay, which becomes as the filter says.
second() {
	RELAY_PORT=$SECOND_PORT forge pc initiation --ports "$1" && slowwait 5 second_is "$2"
}

second_is() {
	relay | jq -c '.[1] | .flows, .forward'
	holds ".[1] | $1" "$(relay)"
}

# Of the first relay there are seven.
namespace() {
	check "a namespace's limit is high, and not 0" limit_is_high
	check "there is a second relay" second_relay
	check "both together may have eight flows" limit 8
	check "seven are there: who comes anew is asked for a cookie, and gets in" asked pc 51905
	check "eight are there: the second relay refuses, and counts" \
		second 1 '.forward.drops["flow-limit"] == 1 and .flows.new == 0'
	check "there may be nine" limit 9
	check "it has one, which goes for the next" \
		second 3 '.forward.forwarded_packets == 3 and .flows.new == 1'
	check "of the first relay, nobody had to go" established 8
	check "who is known is answered" answers pc "$MT4"
	check "the limit is as before" limit "$DEFAULT_LIMIT"
}

admission() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	stranger v4
	check "v4: a guest's, whose checksum is to be put elsewhere, arrives" forged elsewhere
	check "v4: and is malformed" counted malformed elsewhere
	check "v4: it was not sent on" passed 0
	check "a flood of initiations is cookie" flood
	check "the relay moves to v6" outer 6
	stranger v6
	check "a flood of initiations of one /64 is cookie" of_one_64
	client v6
	check "the relay moves to v4" outer 4
	client v4
	household
	namespace
}

each_chain 79 admission "$@"
