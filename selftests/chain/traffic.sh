# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Traffic through the chain, and what the relay says about it.

CHAIN_TOOLS=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=selftests/lib/ktap.sh
. "$CHAIN_TOOLS/../lib/ktap.sh"
# shellcheck source=selftests/lib/traffic.sh
. "$CHAIN_TOOLS/../lib/traffic.sh"
# shellcheck source=selftests/chain/chain.sh
. "$CHAIN_TOOLS/chain.sh"

# Text that payloads consist of and captures are searched for.
MARKER='this is private to pc and mt; '

# payload FILE BYTES: text that a capture is searched for, every line its own.
payload() {
	yes "$MARKER" | nl | head -c "$2" >"$1"
}

# handshake_time NODE TUNNEL: latest handshake with any peer, 0 if there was none.
handshake_time() {
	wgtool "$1" show "$2" latest-handshakes | awk '$2 > max { max = $2 } END { print max + 0 }'
}

handshaken() {
	[ "$(handshake_time "$1" "$2")" -gt 0 ]
}

# datagrams FROM TO ADDRESS FILE: as stream, over UDP, 1000 B at a time.
datagrams() {
	local out=$4.$1-$2 server status
	background "$2" socat -u -b 2000 UDP6-RECV:7000,ipv6only=0 "OPEN:$out,creat,trunc"
	server=$!
	slowwait 10 listening "$2" udp 7000 &&
		on "$1" socat -u -b 1000 "OPEN:$4" "UDP-SENDTO:$(bracketed "$3"):7000" &&
		slowwait 10 same_hash "$4" "$out"
	status=$?
	kill "$server" && wait "$server" 2>/dev/null
	return "$status"
}

# forge NODE KIND|OPTION...: send made-up datagrams to the relay, print "KIND COUNT".
forge() {
	local node=$1
	shift
	on "$node" python3 "$CHAIN_TOOLS/forge.py" "$(relay_address)" "$RELAY_PORT" \
		"$(public mt-wg0)" "$@"
}

# relay, flows: what nwgctl shows of them, as JSON; holds FILTER JSON: is it so?
relay() {
	nwgctl -j relay show
}

flows() {
	nwgctl -j flow show
}

holds() {
	[ -n "$2" ] && jq -e "$1" <<<"$2"
}

# check NAME COMMAND...: as ktap_run, but in this shell, so that the command may keep
# what it learns, and start what is to go on.
check() {
	local name=$CHECK_CHAIN$1 status
	shift
	"$@" >"$CHECK_OUTPUT" 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		ktap_ok "$name"
	else
		ktap_fail "$name" "$* failed ($status): $(<"$CHECK_OUTPUT")"
	fi
	return "$status"
}

# each_chain N FUNCTION [CHAIN]...: the FUNCTION, which gives N results, on a chain of
# every kind that is named (see chain_kind), and the end of the test.
each_chain() {
	local results=$1 function=$2 kind
	shift 2
	[ $# -gt 0 ] || set -- stock nwg
	CHECK_OUTPUT=$(mktemp) CHECK_CHAIN=''
	defer rm -f "$CHECK_OUTPUT"
	ktap_need wg nft conntrack iptables tcpdump socat jq python3
	ktap_plan $(($# * (results + 2)))
	for kind; do
		CHECK_CHAIN="$kind: "
		chain_kind "$kind" || exit 2
		defer chain_down
		if check "the chain is up" chain_up; then "$function"; fi
		check "the chain is down" chain_down
	done
	ktap_end
}
