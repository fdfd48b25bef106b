#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl flow show: which flows, in which order, and how many.
#
# usage: flow.sh [stock|nwg]

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/../chain/traffic.sh"
export PYTHONDONTWRITEBYTECODE=1

STRANGER=45000 OTHER_RELAY=60002

# All three clients have a session, the pc by far the most traffic, and a stranger waits for an answer.
clients_come() {
	home_up && on pc ping -q -c 10 -i 0.2 -W 10 -s 1000 "$MT4" && on pc2 ping -q -c 1 -W 10 "$MT4" &&
		on pc3 ping -q -c 2 -W 10 "$MT4" && forge pc initiation --source "$STRANGER" && relay_up "$OTHER_RELAY" &&
		shows 4 &&  shows 3 state established
}

# shows COUNT ARGUMENT...
shows() {
	holds "length == $1" "$(nwgctl -j flow show "${@:2}")"
}

# has FILTER ARGUMENT...
has() {
	local shown
	shown=$(nwgctl -j flow show "${@:2}")
	holds "$1" "$shown" && return
	echo "$shown"
	return 1
}

by_state() {
	has "length == 1 and .[0].client_port == $STRANGER" state new && shows 4 state new,established &&
		shows 0 state tentative
}

by_client() {
	has 'length == 2 and all(.client_address == "192.0.2.2")' client 192.0.2.0/24 &&
		has 'length == 2 and all(.client_address == "203.0.113.2")' client 203.0.113.2 &&
		has "length == 1 and .[0].client_port == $STRANGER" client "*:$STRANGER" &&
		shows 1 client "192.0.2.2:$CLIENT_PORT" && shows 0 client 2001:db8::/32
}

by_peer() {
	shows 4 peer "$(public mt-wg1)" && shows 0 peer "$(public mt-wg1)" listen "$OTHER_RELAY"
}

in_order() {
	has '[.[] | .forward.forwarded_bytes + .reverse.forwarded_bytes] | . == (sort | reverse)' sort bytes &&
		has '[.[] | .forward.forwarded_packets + .reverse.forwarded_packets] | . == sort' sort packets reverse &&
		has '[.[] | [.client_address, .client_port]] | . == sort' sort client &&
		has '[.[].age_ms] | . == (sort | reverse)' sort age &&
		has '[.[].expires_ms] | . == (sort | reverse)' sort expires &&
		has '[.[] | [.forward_idle_ms, .reverse_idle_ms // .forward_idle_ms] | min] | . == (sort | reverse)' sort idle
}

the_first() {
	has "length == 1 and .[0].client_port == $CLIENT_PORT and .[0].client_address == \"192.0.2.2\"" \
		sort bytes limit 1 && shows 2 limit 2 && shows 4 limit 100 &&
		has "length == 1 and .[0].client_port == $STRANGER" sort bytes reverse limit 1
}

# The head, and as many lines.
as_text() {
	[ "$(nwgctl flow show sort bytes limit 2 | wc -l)" -eq 3 ] &&
		nwgctl flow show sort bytes limit 1 | grep -qE "^wg1 +192\.0\.2\.2:$CLIENT_PORT "
}

# refused STATUS WORDS ARGUMENT...: of flow show.
refused() {
	local status=$1 words=$2 got name
	shift 2
	name="refused: ${*//[A-Za-z0-9+\/]*=/KEY}"
	nwgctl flow show "$@" >"$CHAIN_DIR/out" 2>"$CHAIN_DIR/err"
	got=$?
	if [ "$got" -ne "$status" ] || ! grep -qF -- "$words" "$CHAIN_DIR/err" || [ -s "$CHAIN_DIR/out" ]; then
		ktap_fail "$CHECK_CHAIN$name" "status $got, not $status, or not \`$words':" "$(<"$CHAIN_DIR/err")"
	else
		ktap_ok "$CHECK_CHAIN$name"
	fi
}

filters() {
	check "clients come" clients_come
	check "by state" by_state
	check "by client" by_client
	check "by the peer of the relay" by_peer
	check "sorted" in_order
	check "the first of them" the_first
	check "as text" as_text
	refused 1 "\`old' is no state of a flow" state old
	refused 1 "states are new, established and tentative" state new,
	refused 1 "is no address of clients" client nobody
	refused 1 "is no prefix length of" client 192.0.2.0/33
	refused 1 "is no port of clients" client 192.0.2.2:0
	refused 1 "Flows are not sorted by \`size'" sort size
	refused 1 "sort by one of client, bytes, packets, age, idle, expires" sort size
	refused 1 "\`sort' is missing" reverse
	refused 1 "limit is not a number" limit 0
	refused 1 "is there twice" state new state new
	refused 1 "Invalid argument: bogus" bogus
	refused 2 "no relay leads to the peer" peer "$(public pc-wg0)"
	refused 2 "hint: see which relays there are: nwgctl relay show" peer "$(public pc-wg0)"
}

each_chain 20 filters "${@:-stock}"
