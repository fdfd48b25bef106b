#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What happens to relays and flows, and each handshake, is told to who listens where they are, in order,
# and to who traces. For a VM with virtual time.
#
# usage: events.sh [stock|nwg]

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/../chain/traffic.sh"
export PYTHONDONTWRITEBYTECODE=1

OTHER_PORT=51999 STRANGER=45000
OTHER_RELAY=60002
TRACING=/sys/kernel/tracing

# listen NODE NAME: to a file of that name, until the chain is down.
listen() {
	background "$1" python3 "$here/events.py" listen >"$CHAIN_DIR/$2" 2>"$CHAIN_DIR/$2.log"
	slowwait 20 grep -qx ready "$CHAIN_DIR/$2.log"
}

# mark: what has been told up to now is past.
mark() {
	PAST=$(wc -l <"$CHAIN_DIR/events")
}

since() {
	tail -n "+$((PAST + 1))" "$CHAIN_DIR/events"
}

# told FILTER: so it is of the events since the mark, in one list.
told() {
	holds "$1" "$(since | jq -s .)"
}

# tells FILTER: at the latest in a moment; or what there was instead.
tells() {
	slowwait 5 told "$1" && return
	since
	return 1
}

# lines FILTER: a line for each event that it makes one of.
lines() {
	since | jq -r "$1"
}

are() {
	diff <(printf '%s\n' "${@:2}") <(lines "$1")
}

# flows_tell LINE...: event, port of the client, state and end of each event of a flow.
flows_tell() {
	# shellcheck disable=SC2016 # jq's
	slowwait 5 are 'select(.event | startswith("flow-")) |
		"\(.event) \(.client_port) \(.state) \(.end // "-")"' "$@"
}

# relays_tell LINE...: event, interface and port of each event of a relay.
relays_tell() {
	slowwait 5 are 'select(.event | startswith("relay-")) | "\(.event) \(.ifname) \(.listen_port)"' "$@"
}

# all_tell PREFIX CONDITION: each event that is named so meets it.
all_tell() {
	tells "map(select(.event | startswith(\"$1\"))) | length > 0 and all(.[]; $2)"
}

handshake() {
	mark
	renew mt wg1 && tells 'any(.event == "peer-handshake")' || return
	sleep 1
	tells "map(select(.event == \"peer-handshake\")) | length == 1 and .[0].ifname == \"wg1\" and
		(.[0].peers | length == 1 and .[0].public_key == \"$(public mt-wg1)\" and
			.[0].endpoint == \"198.51.100.2:$(mt_port)\")"
}

no_secrets() {
	! grep -q -e preshared -e private -e allowedips "$CHAIN_DIR/events"
}

relay_made() {
	mark
	relay_up "$OTHER_RELAY" && relays_tell "relay-new wg1 $OTHER_RELAY" &&
		all_tell relay- ".peer == \"$(public mt-wg1)\" and .responder == \"$(public mt-wg0)\" and
			.to_ip4 == \"172.16.1.254\" and .to_port == $RELAY_PORT and .peer_present == 1 and
			.max_flows == 4096 and .pressed == 0"
}

relay_changed() {
	mark
	nwgctl relay set listen "$OTHER_RELAY" max-flows 5 && relays_tell "relay-set wg1 $OTHER_RELAY" &&
		all_tell relay- '.max_flows == 5'
}

relay_removed() {
	mark
	nwgctl relay del listen "$OTHER_RELAY" && relays_tell "relay-del wg1 $OTHER_RELAY" &&
		all_tell relay- '.max_flows == 5'
}

established() {
	mark
	answers pc "$MT4" && flows_tell "flow-begin $CLIENT_PORT new -" "flow-state $CLIENT_PORT established -" &&
		all_tell flow- ".ifname == \"wg1\" and .listen_port == $RELAY_PORT and
			.client_ip4 == \"192.0.2.2\" and .local_ip4 == \"192.0.2.1\" and
			.mapped_ip4 == \"172.16.1.1\" and .mapped_port >= 1024 and .expires > 0 and
			(.forward | has(\"initiations\"))"
}

# What is too large is told once, with what would be right: wg0 is 1420 at first.
too_large() {
	mark
	ip -n "$CHAIN-pc" link set wg0 mtu 1420 && on pc ping -q -c 3 -i 0.2 -s 1392 "$MT4" &&
		flows_tell "flow-mtu $CLIENT_PORT established -" && all_tell flow- '.mtu == 1360' &&
		ip -n "$CHAIN-pc" link set wg0 mtu 1360
}

roams() {
	mark
	wgtool pc set wg0 listen-port "$OTHER_PORT" && answers pc "$MT4" &&
		flows_tell "flow-begin $OTHER_PORT tentative -" "flow-end $CLIENT_PORT established replaced" \
			"flow-state $OTHER_PORT established -"
}

home_too_large() {
	mark
	ip -n "$CHAIN-mt" link set wg0 mtu 1420 && on mt ping -q -c 3 -i 0.2 -s 1392 "$PC4" &&
		flows_tell "flow-mtu $OTHER_PORT established -" && all_tell flow- '.mtu == 1360' &&
		ip -n "$CHAIN-mt" link set wg0 mtu 1360
}

expires() {
	mark
	forge pc initiation --source "$STRANGER" && flows_tell "flow-begin $STRANGER new -" &&
		skip_idle sleep 25 && flows_tell "flow-begin $STRANGER new -" "flow-end $STRANGER new expired"
}

# pressure LINE...: each change.
pressure_tells() {
	slowwait 5 are 'select(.event == "relay-pressure") | .pressed' "$@"
}

# Those of the strangers who are let in are flows that end.
strangers() {
	mark
	forge pc initiation --ports 200 && skip_idle sleep 3 && pressure_tells 1 0 &&
		holds '.[0].pressed == false' "$(relay)" && skip_idle sleep 25
}

# Without a responder nobody is asked for a cookie; and the pc has a flow.
full() {
	mark
	nwgctl relay set listen "$RELAY_PORT" responder none max-flows 2 &&
		forge pc initiation --source 45001 && forge pc initiation --source 45002 &&
		flows_tell "flow-begin 45001 new -" "flow-end 45001 new evicted" "flow-begin 45002 new -" &&
		pressure_tells 1 && holds '.[0].pressed' "$(relay)"
}

room_again() {
	skip_idle sleep 30
	pressure_tells 1 0 && flows_tell "flow-begin 45001 new -" "flow-end 45001 new evicted" \
		"flow-begin 45002 new -" "flow-end 45002 new expired" &&
		nwgctl relay set listen "$RELAY_PORT" responder "$(public mt-wg0)" max-flows 4096
}

peer_tells() {
	slowwait 5 are 'select(.event == "relay-set") | .peer_present' "$@"
}

# The pc's session goes on, and its flow.
peer_goes() {
	mark
	wgtool vps set wg1 peer "$(public mt-wg1)" remove && peer_tells 0 &&
		wgtool vps set wg1 peer "$(public mt-wg1)" allowed-ips 172.16.1.254/32,fd16::254/128 &&
		peer_tells 0 1 && renew mt wg1 && answers pc "$MT4" 30
}

# Of who has roamed once, the relay knows the flow, whose end comes before its own.
relay_with_flows() {
	mark
	nwgctl relay del listen "$RELAY_PORT" &&
		flows_tell "flow-end $OTHER_PORT established removed" &&
		relays_tell "relay-del wg1 $RELAY_PORT" && forward_up
}

# Another interface, with a relay to nobody.
other_up() {
	ip -n "$CHAIN-vps" link add wg2 type nwg &&
		nwgctl set wg2 peer "$(public other)" allowed-ips 10.9.9.9/32 &&
		nwgctl relay add dev wg2 listen "$OTHER_RELAY" peer "$(public other)" to 10.9.9.9:1
}

with_interface() {
	mark
	other_up && ip -n "$CHAIN-vps" link del wg2 &&
		relays_tell "relay-new wg2 $OTHER_RELAY" "relay-del wg2 $OTHER_RELAY"
}

interface_moves() {
	mark
	other_up && ip -n "$CHAIN-vps" link set wg2 netns "$CHAIN-isp" &&
		relays_tell "relay-new wg2 $OTHER_RELAY" "relay-del wg2 $OTHER_RELAY"
}

# A namespace with a relay, and a flow of somebody whom nobody answers.
gone_up() {
	nodes gone && ip -n "$CHAIN-gone" link add wg1 type nwg &&
		on gone "$NWGCTL" set wg1 private-key "$(key gone)" peer "$(public other)" \
			allowed-ips 10.9.9.9/32 endpoint 127.0.0.1:9 &&
		addresses gone wg1 10.9.9.1/24 &&
		on gone "$NWGCTL" relay add dev wg1 listen "$OTHER_RELAY" peer "$(public other)" to 10.9.9.9:1 &&
		on gone python3 -c "import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'\\1' + bytes(147), ('127.0.0.1', $OTHER_RELAY))"
}

netns_of() {
	on "$1" stat -L -c %i /proc/self/ns/net
}

# traced EVENT NETNS: its lines, without what comes before.
traced() {
	sed -nE "s/^.* nwg_relay_$1: (dev=.* netns=$2 .*)$/\1/p" "$TRACING/trace"
}

tracing() {
	local event
	echo >"$TRACING/trace" || return
	for event in drop flow pressure; do
		echo "$1" >"$TRACING/events/nwg/nwg_relay_$event/enable" || return
	done
}

# Nobody listens there, or it would stay.
with_namespace() {
	local netns
	gone_up && netns=$(netns_of gone) && ends_in "$netns" NOT_ENDED &&
		node_down gone && slowwait 20 ends_in "$netns" NOT_ENDED REMOVED
}

ends_in() {
	diff <(printf '%s\n' "${@:2}") <(traced flow "$1" | sed 's/.* end=//')
}

# All that was told of flows and pressure.
same_in_trace() {
	local netns
	netns=$(netns_of vps)
	PAST=0
	# shellcheck disable=SC2016 # jq's
	diff <(lines 'select(.event | startswith("flow-")) |
			"\(.client_port) \(.state) \(.end // "not_ended")" | ascii_upcase') \
		<(traced flow "$netns" | sed -E 's/.* client=\[.*\]:([0-9]+) state=(.*) end=(.*)$/\1 \2 \3/') &&
		diff <(lines 'select(.event == "relay-pressure") | .pressed') \
			<(traced pressure "$netns" | sed 's/.* pressed=//')
}

shapes() {
	relay | jq '.[0].forward.drops.shape'
}

shapes_traced() {
	[ "$(traced drop "$(netns_of vps)" | grep -c ' reason=SHAPE$')" -eq "$(shapes)" ]
}

# Each that is counted; the relay was made anew, and nothing of the kind was sent before.
drops_traced() {
	[ "$(shapes)" -eq 0 ] && forge pc junk --source "$STRANGER" && slowwait 5 shapes_traced || return
	traced drop "$(netns_of vps)"
	[ "$(shapes)" -ge 20 ] && traced drop "$(netns_of vps)" | grep -qE "^dev=wg1 ifindex=[0-9]+ netns=[0-9]+ \
port=$RELAY_PORT direction=FORWARD client=\[::ffff:192\.0\.2\.2\]:$STRANGER len=1200 reason=SHAPE$"
}

# Which takes all interfaces with it.
module_goes() {
	mark
	rmmod nwg && relays_tell "relay-del wg1 $RELAY_PORT"
}

silent() {
	[ ! -s "$CHAIN_DIR/elsewhere" ]
}

events() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "somebody listens" listen vps events
	check "somebody listens elsewhere" listen isp elsewhere
	check "all is traced" tracing 1
	check "a handshake, and where the peer is" handshake
	check "a relay is made" relay_made
	check "it is changed" relay_changed
	check "it is removed" relay_removed
	check "a flow begins, and is established" established
	check "what is too large for the tunnel, once" too_large
	check "its client roams" roams
	check "what the home sends is too large, once" home_too_large
	check "one that nobody answers" expires
	check "too many strangers: pressure, which ends" strangers
	check "where there is no room: pressure, and who waits goes" full
	check "when there is room again, it ends" room_again
	check "the peer goes, and comes" peer_goes
	check "who does not read is told that there was more" on vps python3 "$here/events.py" lost "$RELAY_PORT"
	check "who may not listen" on vps python3 "$here/events.py" refused
	check "a relay is removed with its flows" relay_with_flows
	check "with its interface" with_interface
	check "as its interface moves" interface_moves
	check "no secrets are told" no_secrets
	check "all of it is in order" python3 "$here/events.py" ordered "$CHAIN_DIR/events"
	check "and the same in the trace" same_in_trace
	check "which has what is dropped" drops_traced
	check "a relay goes with its namespace, in the trace" with_namespace
	check "nothing is heard elsewhere" silent
	check "tracing ends" tracing 0
	check "a relay goes with the module" module_goes
	check "the module is put back" module_comes
}

python3 -c 'import yaml' || ktap_skip_all "a module of Python is missing: run make setup"
[ -e $TRACING/events ] || mount -t tracefs tracefs $TRACING ||
	ktap_skip_all "the kernel has no trace events"
defer tracing 0
each_chain 31 events "${@:-stock}"
