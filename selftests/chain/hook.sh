#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The relay's hook is there while there is a relay, and leaves alone what is not for one: other
# addresses, other ports, other protocols, broadcasts, what is routed. It comes after raw chains and before
# all others. Needs the function tracer.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# On the link to the pc, and no relay's.
OTHER_ADDRESS=192.0.2.9
OTHER_PORT=60001

TRACING=/sys/kernel/tracing/instances/nwg-hook

tracing_on() {
	if [ ! -d "$TRACING" ]; then
		mkdir "$TRACING" && defer rmdir "$TRACING" || return
	fi
	echo 'hook*:mod:nwg' >"$TRACING/set_ftrace_filter" &&
		echo function >"$TRACING/current_tracer"
}

# hooked: which of the module's hooks see a datagram of each family that is not for the relay.
hooked() {
	local address
	echo >"$TRACING/trace"
	for address in 192.0.2.1 '[2001:db8:2::1]'; do
		echo | on pc socat -u - "UDP-SENDTO:$address:9" || return
		answers pc "${address//[][]/}" || return
	done
	grep -o 'hook[46]' "$TRACING/trace" | sort -u | xargs
}

hooks_are() {
	local found
	found=$(hooked) || return
	echo "$found"
	[ "$found" = "$1" ]
}

relay_removed() {
	nwgctl relay del listen "$1"
}

two_addresses() {
	relay_up "192.0.2.1:$RELAY_PORT" && ip -n "$CHAIN-vps" address add "$OTHER_ADDRESS/24" dev pc
}

relay_packets() {
	relay | jq '.[0].forward.packets'
}

# filtered_at PRIORITY: a chain of that drops what the pc sends to the relay.
filtered_at() {
	on vps nft -f - <<-END
		table inet filtered
		delete table inet filtered
		table inet filtered {
			chain early {
				type filter hook prerouting priority $1;
				iifname "pc" udp dport $RELAY_PORT counter drop
			}
		}
	END
}

# filtered: how many that chain has dropped.
filtered() {
	on vps nft -j list table inet filtered | jq '[.. | .counter? | .packets? // empty] | add'
}

filters() {
	local before
	before=$(relay_packets)
	filtered_at "$1" && ! answers pc "$MT4" 3 || return
	echo "filtered: $(filtered), relay: $before packets, now $(relay_packets)"
	[ "$(filtered)" -ge 3 ] && [ "$(relay_packets)" -eq "$before" ]
}

filters_not() {
	local before
	before=$(relay_packets)
	filtered_at "$1" && answers pc "$MT4" || return
	echo "filtered: $(filtered), relay: $before packets, now $(relay_packets)"
	[ "$(filtered)" -eq 0 ] && [ "$(relay_packets)" -gt "$before" ]
}

no_filter() {
	on vps nft delete table inet filtered
}

# passes_by RECEIVER ADDRESS SENDER: what a socat address on the pc sends gets to one on the vps, and
# the relay counts nothing. Many times, as nobody repeats a datagram.
passes_by() {
	local before receiver status
	before=$(relay_packets)
	: >"$CHAIN_DIR/received"
	background vps socat -u "$1" "OPEN:$CHAIN_DIR/received"
	receiver=$!
	slowwait 10 repeat "$2"
	status=$?
	kill "$receiver" 2>/dev/null && wait "$receiver" 2>/dev/null
	echo "relay: $before packets, now $(relay_packets)"
	[ "$status" -eq 0 ] && [ "$(relay_packets)" -eq "$before" ]
}

repeat() {
	echo "for a program" | on pc socat -u - "$1" 2>/dev/null
	grep -q "for a program" "$CHAIN_DIR/received"
}

# Nobody listens there, and the sender is told.
refused() {
	on pc python3 -c "import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(10)
sock.connect(('192.0.2.1', $OTHER_PORT))
sock.send(b'anybody?')
try:
    sock.recv(1)
except ConnectionRefusedError:
    raise SystemExit(0)
raise SystemExit('no error')"
}

# The vps as a router: to the isp, at the relay's port.
routed_by() {
	local before status
	before=$(relay_packets)
	capture isp vps "$CHAIN_DIR/routed" "udp dst port $RELAY_PORT and src host 192.0.2.2" &&
		router vps && ip -n "$CHAIN-pc" route add 198.51.100.0/24 via 192.0.2.1 &&
		on pc sh -c "echo routed | socat -u - UDP4-SENDTO:198.51.100.2:$RELAY_PORT" &&
		slowwait 10 one_routed
	status=$?
	capture_end
	on vps sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	[ "$status" -eq 0 ] && [ "$(relay_packets)" -eq "$before" ]
}

one_routed() {
	[ "$(captured "$CHAIN_DIR/routed")" -eq 1 ]
}

# traced NAME COMMAND...: as check, where calls can be traced.
traced() {
	if grep -qw function /sys/kernel/tracing/available_tracers; then
		check "$@"
	else
		ktap_skip "$CHECK_CHAIN$1" "this kernel has no function tracer"
	fi
}

hook() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	traced "calls are traced" tracing_on
	traced "with a relay there is a hook for each family" hooks_are "hook4 hook6"
	check "a second relay has no more" relay_up "$OTHER_PORT"
	traced "as before" hooks_are "hook4 hook6"
	check "the second is removed" relay_removed "$OTHER_PORT"
	traced "the first keeps them" hooks_are "hook4 hook6"
	check "what is routed to the port goes its way" routed_by
	check "the relay is removed" relay_removed "$RELAY_PORT"
	traced "there is no hook" hooks_are ""
	check "the relay has one address, and the vps another" two_addresses
	check "the pc reaches the mt" answers pc "$MT4"
	check "a raw chain filters what is for the relay" filters raw
	check "and so does one just before the relay" filters -251
	check "one just behind it sees nothing" filters_not -249
	check "nor does one of mangle" filters_not mangle
	check "nor of filter" filters_not filter
	check "there is no such chain any more" no_filter
	wgtool pc set wg0 peer "$(public mt-wg0)" remove
	check "at the other address a program has the port" passes_by \
		"UDP4-RECV:$RELAY_PORT,bind=$OTHER_ADDRESS" "UDP4-SENDTO:$OTHER_ADDRESS:$RELAY_PORT"
	check "at the relay's, one has the port of TCP" passes_by \
		"TCP4-LISTEN:$RELAY_PORT,bind=192.0.2.1,fork,reuseaddr" "TCP4:192.0.2.1:$RELAY_PORT"
	check "or another one of UDP" passes_by \
		"UDP4-RECV:$OTHER_PORT,bind=192.0.2.1" "UDP4-SENDTO:192.0.2.1:$OTHER_PORT"
	check "one has broadcasts to the port" passes_by \
		"UDP4-RECV:$RELAY_PORT,bind=192.0.2.255" \
		"UDP4-SENDTO:192.0.2.255:$RELAY_PORT,broadcast,bind=192.0.2.2"
	check "and where nobody listens, that is what the sender is told" refused
}

each_chain 23 hook "$@"
