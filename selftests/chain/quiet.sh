#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# wg0 without a keepalive of its own: after a quiet time that ends its session at both
# ends, and a router's memory of it, either side reaches the other.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

QUIET=200

quiet_time() {
	skip_idle sleep "$QUIET"
}

# Nothing went through wg0 in the quiet time: both handshakes are older than it.
was_quiet() {
	local now
	now=$(date +%s)
	[ $((now - $(handshake_time pc wg0))) -ge "$QUIET" ] &&
		[ $((now - $(handshake_time mt wg0))) -ge "$QUIET" ]
}

client_at_mt() {
	wgtool mt show wg0 endpoints
}

same_client() {
	diff <(client_at_mt) <(echo "$CLIENT_WAS")
}

one_flow() {
	holds 'length == 1 and .[0].state == "established"' "$(flows)"
}

quiet() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "the pc reaches the mt" answers pc "$MT4"
	CLIENT_WAS=$(client_at_mt)
	check "$QUIET s pass" quiet_time
	check "without a handshake of wg0" was_quiet
	check "the pc still reaches the mt" answers pc "$MT4"
	check "$QUIET s pass again" quiet_time
	check "without a handshake of wg0" was_quiet
	check "the mt still reaches the pc" answers mt "$PC4"
	check "and v6 behind it" answers mt "$PC6"
	check "the mt has seen one and the same client address" same_client
	check "all that time there was one flow" one_flow
}

each_chain 11 quiet "$@"
