#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The carrier-grade NAT forgets the mt and gives it another port, while data flow and
# while nothing does: everything recovers by itself.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# wg1's keepalive of 25 s is the first thing that the vps hears from the new port. A timer of that
# length may be 2 s late, and time jumps while a look waits for the host.
RECOVERY=40

# A line per second over one TCP connection: the rebind comes in its middle.
slow_stream() {
	background mt socat -u TCP-LISTEN:7001,reuseaddr "OPEN:$CHAIN_DIR/slow,creat,trunc"
	SLOW_SERVER=$!
	slowwait 10 listening mt tcp 7001 || return
	for ((i = 0; i < 90; i++)); do
		echo "line $i"
		sleep 1
	done | on pc socat -u - "TCP:$MT4:7001" &
	SLOW_CLIENT=$!
	slowwait 10 grep -q 'line 2' "$CHAIN_DIR/slow"
}

slow_stream_complete() {
	wait "$SLOW_CLIENT" && wait "$SLOW_SERVER" &&
		diff "$CHAIN_DIR/slow" <(seq -f 'line %.0f' 0 89)
}

rebind() {
	PORT_BEFORE=$(mt_port)
	cgnat_rebind
}

cut_off() {
	! answers pc "$MT4" 2
}

port_changed() {
	local port
	port=$(mt_port)
	[ "$port" -ge "${CGNAT_PORTS[0]%-*}" ] && [ "$port" -le "${CGNAT_PORTS[0]#*-}" ] &&
		[ "$port" -ne "$PORT_BEFORE" ]
}

rebinds() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "the pc reaches the mt" answers pc "$MT4"
	CLIENT_WAS=$(client_at_mt)

	check "the cgnat forgets the mt, nothing flows" rebind
	check "the pc is cut off from the mt" cut_off
	check "wg1 moves to the new port in $RECOVERY s" skip_idle slowwait "$RECOVERY" port_changed
	check "the pc reaches the mt again" answers pc "$MT4"
	check "the mt reaches the pc again" answers mt "$PC4"

	check "data flow at a line per second" slow_stream
	check "the cgnat forgets the mt again" rebind
	check "wg1 moves to the new port in $RECOVERY s again" skip_idle slowwait "$RECOVERY" port_changed
	check "all the data arrive" skip_idle slow_stream_complete
	check "the mt has seen one and the same client address" same_client
}

each_chain 12 rebinds "$@"
