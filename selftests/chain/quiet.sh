#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# wg0 without a keepalive of its own: after a quiet time that ends its session at both
# ends, and a router's memory of it, either side reaches the other; the home does as long as the flow
# lives, 540 s from the home's last packet.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

QUIET=200
LONG=530

# was_quiet SECONDS: nothing went through wg0 in them: both handshakes are older.
was_quiet() {
	local now
	now=$(($(date +%s) + ONCE_MORE))
	[ $((now - $(handshake_time pc wg0))) -ge "$1" ] &&
		[ $((now - $(handshake_time mt wg0))) -ge "$1" ]
}

# flow_was_quiet SECONDS: the one that there is says so. The home's last packet is the reply to an echo
# request, and the pc's last a keepalive, 10 s later; or they have initiated once more, and the last of all is
# the home's response.
flow_was_quiet() {
	local idle=$((($1 - ONCE_MORE) * 1000))
	flows | jq -c '.[] | [.state, .age_ms, .forward_idle_ms, .reverse_idle_ms, .expires_ms]'
	holds "length == 1 and (.[0] | .state == \"established\" and .age_ms >= $1 * 1000 and
		.forward_idle_ms >= $idle - 11000 and .forward_idle_ms <= .reverse_idle_ms + 1000 and
		.reverse_idle_ms >= $idle and .expires_ms > 0 and
		(.reverse_idle_ms + .expires_ms - 540000 | fabs) <= 2000)" "$(flows)"
}

one_flow() {
	holds 'length == 1 and .[0].state == "established"' "$(flows)"
}

quiet() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "the pc reaches the mt" answers pc "$MT4"
	CLIENT_WAS=$(client_at_mt)
	check "$QUIET s pass" silence "$QUIET"
	check "without a handshake of wg0" was_quiet "$QUIET"
	check "and without a packet of the flow" flow_was_quiet "$QUIET"
	check "the pc still reaches the mt" answers pc "$MT4"
	check "$QUIET s pass again" silence "$QUIET"
	check "without a handshake of wg0" was_quiet "$QUIET"
	check "the mt still reaches the pc" answers mt "$PC4"
	check "and v6 behind it" answers mt "$PC6"
	check "the pc reaches the mt" answers pc "$MT4"
	check "$LONG s pass" silence "$LONG"
	check "without a handshake of wg0" was_quiet "$LONG"
	check "and without a packet of the flow, which has some seconds to live" flow_was_quiet "$LONG"
	check "the mt still reaches the pc" answers mt "$PC4" 8
	check "the mt has seen one and the same client address" same_client
	check "all that time there was one flow" one_flow
}

each_chain 17 quiet "$@"
