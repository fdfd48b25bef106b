#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A flood of initiations, each from another source, and forged, that nobody can tell from true ones
# without the home's private key: what it leaves on the vps, and who gets through meanwhile. For a VM
# with virtual time, in which as many a second are sent however slow the machine is.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

FLOOD=$here/../../build/selftests/bench/flood
# What one CPU has time for, with all nodes of the chain: each takes it 17,100 instructions, see bench/RESULTS.md.
RATE=50000
# Longer than all of it takes.
MOST_SECONDS=120
# So many strangers in a second are let in before a relay asks for cookies.
LET_IN=64
# A handshake's first attempt, and two more, each five seconds and up to a third later.
TWO_RETRIES=12

# A line of its own to the vps, so that pc's and home's are as they would be without; what is answered is
# lost at its end.
line_for_flood() {
	modprobe tun && ip -n "$CHAIN-vps" tuntap add flood mode tun &&
		on vps tc qdisc replace dev flood root noqueue && ip -n "$CHAIN-vps" link set flood up &&
		routes vps '198.18.0.0/15 dev flood'
}

# counts: flows, datagrams sent on, those answered with a cookie; packets into the tunnel; and ns.
counts() {
	relay | jq -j '.[0] | "\(.flows.new + .flows.tentative + .flows.established) \(
		.forward.forwarded_packets) \(.forward.drops.cookie // 0) "'
	on vps cat /sys/class/net/wg1/statistics/tx_packets | tr '\n' ' '
	awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime
}

# Nobody has anything to say: each end of wg0 has sent its keepalive.
quiet() {
	skip_idle sleep 15
	QUIET=$(counts)
}

# flood_begins RATE
flood_begins() {
	local message
	message=$(python3 "$CHAIN_TOOLS/../device/flood.py" "$(public mt-wg0)") || return
	# A line is not slower because others have something to do.
	background vps chrt --fifo 1 "$FLOOD" flood 192.0.2.1 "$RELAY_PORT" "$message" "$1" "$MOST_SECONDS" \
		>"$CHAIN_DIR/flood"
	FLOODER=$!
	slowwait 20 pressed
}

pressed() {
	holds '.[0].forward.drops.cookie > 0' "$(relay)"
}

# Ten seconds of it, as it may be behind by some ms at either end: what has come is answered, and that is all;
# with what came before the relay knew.
kept_out() {
	local flows forwarded asked tunnel moment before after
	local flows_then forwarded_then asked_then tunnel_then moment_then
	sleep 1
	before=$(counts)
	sleep 10
	after=$(counts)
	printf '%s\n' "$QUIET" "$before" "$after"
	read -r flows forwarded asked tunnel moment <<<"$before"
	read -r flows_then forwarded_then asked_then tunnel_then moment_then <<<"$after"
	[ "$flows_then" -le "$flows" ] && [ "$forwarded_then" -eq "$forwarded" ] &&
		[ "$tunnel_then" -eq "$tunnel" ] || return
	PER_SECOND=$(((asked_then - asked) * 1000000000 / (moment_then - moment)))
	echo "$PER_SECOND a second are answered"
	[ "$PER_SECOND" -ge $((RATE * 99 / 100)) ] || return
	read -r _ forwarded _ tunnel _ <<<"$QUIET"
	[ $((forwarded_then - forwarded)) -le "$LET_IN" ] && [ $((tunnel_then - tunnel)) -le "$LET_IN" ]
}

# new_client NODE [SECONDS]: that nobody has seen before, from elsewhere. Its third initiation is answered, or
# one before.
new_client() {
	capture "$1" home "$CHAIN_DIR/new.pcap" "udp port $RELAY_PORT" || return
	local status tried
	skip_idle answers "$1" "$MT4" "${2:-$TWO_RETRIES}"
	status=$?
	capture_end
	tried=$(tcpdump -n -r "$CHAIN_DIR/new.pcap" 2>/dev/null |
		awk '/ length 148$/ { tried++ } / length 92$/ { exit } END { print tried }')
	echo "$tried initiations"
	[ "$status" -eq 0 ] && [ "$tried" -le 3 ] &&
		[ "$(captured "$CHAIN_DIR/new.pcap" "src port $RELAY_PORT and udp[8] == 3")" -ge 1 ]
}

# Somebody behind the home is ready for a flood of its own, in bursts: then it is under load.
home_flooder() {
	routes mt 'blackhole 198.18.0.0/15' && flooder lan 192.168.88.1 700
}

# The home works off what it gets, too, of which all together would be more than the CPU has time for.
both_flooded() {
	flood_begins $((RATE / 2)) && flood lan
}

floods_end() {
	kill -TERM "$FLOODER" && wait "$FLOODER" && flood_ends lan
}

# The home has asked for a cookie, which only its own load makes it do. All interfaces of the stock module are under
# load together, so that the client asks for one, too, and initiates once more.
home_asked() {
	local before
	before=$(relay | jq '.[0].reverse.cookie_replies')
	new_client "$1" $((TWO_RETRIES + 6)) || return
	echo "the home asked $before times before, and $(relay | jq '.[0].reverse.cookie_replies') now"
	[ "$(relay | jq '.[0].reverse.cookie_replies')" -gt "$before" ]
}

# anew SECONDS: the same port, without a session.
anew() {
	renew pc wg0 && skip_idle answers pc "$MT4" "$1"
}

# Of what is sent to where the flood is from: a datagram has 92 bytes with its headers, what it answers has 176.
less_than_asked() {
	on vps timeout 30 tcpdump -i flood -c 50 -w "$CHAIN_DIR/answers.pcap" 'dst net 198.18.0.0/15' &&
		[ "$(captured "$CHAIN_DIR/answers.pcap" 'ip[2:2] = 92 and udp[8] = 3')" -eq 50 ]
}

# How many there were: all but those that the line holds, as nobody reads them.
lost_answers() {
	on vps cat /sys/class/net/flood/statistics/tx_dropped
}

# All that was sent has been answered, but for those before the relay knew; and they were so many.
flood_over() {
	local sent took asked answers
	kill -TERM "$FLOODER" && wait "$FLOODER" || return
	read -r sent took <"$CHAIN_DIR/flood"
	read -r _ _ asked _ < <(counts)
	ktap_diag "initiations a second = $((sent * 1000000000 / took))" >&3
	echo "$sent sent in $took ns, $asked answered with a cookie"
	[ $((sent * 1000000000 / took)) -ge $((RATE * 99 / 100)) ] && [ "$asked" -ge $((sent - LET_IN)) ] || return
	answers=$(($(lost_answers) + $(on vps cat /sys/class/net/flood/tx_queue_len)))
	echo "$answers answers"
	[ "$answers" -ge $((sent - LET_IN)) ] && [ "$answers" -le "$((asked + 10))" ]
}

flooded() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "a client is known" answers pc "$MT4"
	check "there are two more, who have not said anything" home_up
	check "there is a line for a flood" line_for_flood
	check "somebody may flood the home" home_flooder
	check "nobody says anything" quiet
	check "the relay is flooded" flood_begins "$RATE"
	check "no flow is made for it, and not one packet goes into the tunnel" kept_out
	check "each answer is smaller than what it answers" less_than_asked
	check "who is known goes on" answers pc "$MT4" 3
	check "and gets through at once without a session" anew 3
	check "a new client gets through within two retries, with a cookie" new_client pc2
	check "who was new goes on" answers pc2 "$MT4" 3
	check "all of the flood, $RATE a second, has come and was answered" flood_over
	check "half of it, and the home is flooded, too" both_flooded
	check "who is known gets through within two retries, with a cookie of the home's" anew "$TWO_RETRIES"
	check "another new client gets through within two retries, with a cookie for each" home_asked pc3
	check "the floods end" floods_end
}

[ -x "$FLOOD" ] || ktap_skip_all "$FLOOD is missing: make -C selftests/bench"
[ -n "${NWG_VM_PACER:-}" ] || ktap_skip_all "so much in a second needs virtual time"
exec 3>&1
[ $# -gt 0 ] || set -- stock
each_chain 18 flooded "$@"
