#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A home under load lets each source have 20 handshakes a second. Where all clients are one address to
# it, they share that: others use it up who show every cookie that they are asked for. With an address
# for each, from a pool or its own, nobody's use is another's loss. For a VM with virtual time.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# One attempt, and two more, each five seconds and up to a third later.
TWO_RETRIES=12

POOL=172.16.99.0/25
# Less than the relay lets each have; together so much that the home's allowance is used up again some
# milliseconds after it has grown.
STRANGERS=40 RATE=18

from_pool() {
	ip -n "$CHAIN-mt" route add "$POOL" dev wg1 &&
		wgtool mt set wg1 peer "$(public vps-wg1)" \
			allowed-ips "172.16.1.1/32,fd16::1/128,$POOL" &&
		nwgctl relay set listen "$RELAY_PORT" source pool "$POOL"
}

# What is answered of the home's flood still ends there.
as_themselves() {
	home_answers_anybody && routes mt 'blackhole 198.18.0.0/15 table 60' &&
		nwgctl relay set listen "$RELAY_PORT" source transparent
}

# Addresses of the pc's, one for each stranger.
places() {
	local i
	PLACES=()
	for ((i = 0; i < STRANGERS; i++)); do PLACES+=("192.0.2.$((100 + i))"); done
	addresses pc vps "$(printf '%s/24,' "${PLACES[@]}")"
}

home_flooded() {
	routes mt 'blackhole 198.18.0.0/15' && flooder lan 192.168.88.1 700 && flood lan
}

strangers() {
	background pc python3 "$CHAIN_TOOLS/strangers.py" 192.0.2.1 "$RELAY_PORT" \
		"$(public mt-wg0)" "$RATE" "${PLACES[@]}" >"$CHAIN_DIR/strangers" 2>&1
	CROWD=$!
	slowwait 30 grep -qx ready "$CHAIN_DIR/strangers" || {
		cat "$CHAIN_DIR/strangers"
		relay | jq -c '.[0]'
		return 1
	}
}

# All that they send goes to the home, which does not ask for cookies any more.
sent_on() {
	local before after
	before=$(initiations)
	sleep 2
	after=$(initiations)
	echo "$before, $after"
	[ $((${after% *} - ${before% *})) -ge $((2 * STRANGERS * RATE * 9 / 10)) ] &&
		[ "${after#* }" -eq "${before#* }" ]
}

initiations() {
	relay | jq -r '.[0] | "\(.forward.initiations) \(.reverse.cookie_replies)"'
}

# Nobody has another's place: an address for each of them, from POOL or those that they have.
seen_as() {
	flows | jq -r '.[] | select(.state == "new") | .mapped_address' | sort -u >"$CHAIN_DIR/seen"
	head -n 3 "$CHAIN_DIR/seen"
	[ "$(grep -c "^$1" "$CHAIN_DIR/seen")" -eq "$STRANGERS" ]
}

strangers_end() {
	kill "$CROWD"
	wait "$CROWD" 2>/dev/null
	# Their flows, too
	skip_idle sleep 20 && holds '.[0].flows.new == 0' "$(relay)"
}

# The client, from a port that nobody has seen.
comes() {
	wgtool pc set wg0 listen-port "$1" && renew pc wg0 && skip_idle answers pc "$MT4" "$TWO_RETRIES"
}

# One of three: somebody may come in the very moment, one of fifty, in which the allowance has grown.
kept_out() {
	local port
	for port; do comes "$port" || return 0; done
	return 1
}

allowance() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "a client is known" answers pc "$MT4"
	check "there are places for strangers" places
	check "the home is flooded" home_flooded
	check "all clients are one: who comes anew gets through within two retries" comes 51901
	check "strangers come who show their cookies" strangers
	check "all of theirs goes to the home" sent_on
	check "who comes anew does not get through: they use up its allowance" kept_out 51902 51912 51922
	check "they leave" strangers_end
	check "who comes anew gets through again" comes 51903
	check "each client has an address of a pool" from_pool
	check "as many strangers come" strangers
	check "all of theirs goes to the home" sent_on
	check "each has an address of it" seen_as 172.16.99.
	check "who comes anew gets through within two retries" comes 51904
	check "they leave" strangers_end
	check "each client is itself to the home" as_themselves
	check "as many strangers come" strangers
	check "all of theirs goes to the home" sent_on
	check "each has its own address" seen_as 192.0.2.
	check "who comes anew gets through within two retries" comes 51905
	check "they leave" strangers_end
	check "the flood ends" flood_ends lan
}

[ $# -gt 0 ] || set -- stock
each_chain 23 allowance "$@"
