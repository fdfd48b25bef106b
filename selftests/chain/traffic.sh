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

# Where the response comes before the stock module has noted that it has initiated, as on a slow kernel, it
# initiates once more, after 5 to 5.3 seconds.
ONCE_MORE=6

# Nothing ever comes from there.
exec {NOTHING}<> <(:)

# silence SECONDS: nothing is sent meanwhile, and it is no longer than that. A program would have to be started,
# and where the host is slow to give its file, virtual time goes on by seconds.
silence() {
	skip_idle read -r -t "$1" -u "$NOTHING"
	[ $? -gt 128 ]
}

# session_stands: the home's youngest session is not about to be followed by another.
session_stands() {
	local age
	for _ in 1 2 3; do
		age=$(($(date +%s) - $(handshake_time mt wg0)))
		[ "$age" -le "$ONCE_MORE" ] || return 0
		silence $((ONCE_MORE + 1 - age))
	done
	return 1
}

# What the mt has as its clients' addresses, and whether that is $CLIENT_WAS still.
client_at_mt() {
	wgtool mt show wg0 endpoints
}

same_client() {
	diff <(client_at_mt) <(echo "$CLIENT_WAS")
}

# datagrams FROM TO ADDRESS FILE: as stream, over UDP, 1000 B at a time. They may all come before the receiver has its
# turn: it has room for them (SO_RCVBUFFORCE).
datagrams() {
	local out=$4.$1-$2 server status
	background "$2" socat -u -b 2000 UDP6-RECV:7000,ipv6only=0,setsockopt-listen=1:33:4000000 \
		"OPEN:$out,creat,trunc"
	server=$!
	slowwait 10 listening "$2" udp 7000 &&
		on "$1" socat -u -b 1000 "OPEN:$4" "UDP-SENDTO:$(bracketed "$3"):7000" &&
		slowwait 10 same_hash "$4" "$out"
	status=$?
	kill "$server" && wait "$server" 2>/dev/null
	return "$status"
}

# marked_traffic INTERFACE: payload with a mark both ways, over both families, while all of the vps and
# that interface of the mt's, where it is decrypted, are captured.
marked_traffic() {
	payload "$CHAIN_DIR/marked" 100000
	capture vps any "$CHAIN_DIR/vps.pcap" && capture mt "$1" "$CHAIN_DIR/mt.pcap" || return
	stream pc mt "$MT4" "$CHAIN_DIR/marked" && stream mt pc "$PC6" "$CHAIN_DIR/marked" &&
		datagrams pc lan "$LAN4" "$CHAIN_DIR/marked"
	local status=$?
	capture_end
	return "$status"
}

# traces FILE: is there anything of the inner packets in the capture?
traces() {
	"$CHAIN_TOOLS/inner-traces.py" "$1" "$MARKER"
}

# at_least N COUNT...
at_least() {
	local count
	for count in "${@:2}"; do
		[ "$count" -ge "$1" ] || {
			echo "${*:2}: less than $1"
			return 1
		}
	done
}

# wg0_mtu MTU: at both of its ends.
wg0_mtu() {
	local node
	for node in pc "$(wg0_end)"; do ip -n "$CHAIN-$node" link set wg0 mtu "$1" || return; done
}

# Packets both ways that fill wg0 where that has wg1's MTU, while the line from the vps to the isp, and what
# is inside wg1, are captured.
large_traffic() {
	wg0_mtu 1420 && capture vps isp "$CHAIN_DIR/line.pcap" && capture mt wg1 "$CHAIN_DIR/inside.pcap" ||
		return
	on pc ping -q -c 15 -i 0.1 -W 10 -M 'do' -s $((1420 - 28)) "$MT4" &&
		on mt ping -q -c 15 -i 0.1 -W 10 -M 'do' -s $((1420 - 28)) "$PC4"
	local status=$?
	capture_end
	wg0_mtu "$(nested_mtu)" && return "$status"
}

# What the line carries but for what its two ends say to each other, is large_traffic in wg1, all of it.
wg1_alone() {
	local all tunnel
	all=$(captured "$CHAIN_DIR/line.pcap" 'ip or (ip6 and not src net fe80::/10)')
	tunnel=$(captured "$CHAIN_DIR/line.pcap" "udp port $DIAL_PORT")
	echo "$all packets, of wg1 $tunnel"
	at_least 60 "$tunnel" && [ "$tunnel" -eq "$all" ]
}

# fragments line|inside: in large_traffic's captures; of its packets each comes in two, or none does.
fragments() {
	captured "$CHAIN_DIR/$1.pcap" 'ip[6:2] & 0x3fff != 0 or ip6[6] == 44'
}

in_fragments() {
	at_least 120 "$(fragments "$1")"
}

whole() {
	diff <(fragments "$1") <(echo 0)
}

# forge NODE KIND|OPTION...: send made-up datagrams to the relay, print "KIND COUNT".
forge() {
	local node=$1
	shift
	on "$node" python3 "$CHAIN_TOOLS/forge.py" "$(relay_address)" "$RELAY_PORT" \
		"$(public "$(wg0_end)-wg0")" "$@"
}

# datagram NODE FROM FROM-PORT TO TO-PORT PAYLOAD: through a raw socket, as the port may be a tunnel's; the
# payload as Python has it.
datagram() {
	on "$1" python3 -c "
import sys
sys.path.insert(0, '$CHAIN_TOOLS')
from forge import message, raw_udp, TRANSPORT
from sizes import raw
with raw('$2') as sock:
    sock.bind(('$2', 0))
    sock.connect(('$4', $5))
    sock.send(raw_udp(sock, $3, $5, $6))"
}

# data NODE FROM FROM-PORT TO TO-PORT: what has the shape of a data message. IS_DATA: that length, which no other
# message has.
# shellcheck disable=SC2034 # for the tests
IS_DATA='udp and (udp[4:2] == 85 or ip6[44:2] == 85)'
data() {
	datagram "$@" 'message(TRANSPORT, 77)'
}

# flooder NODE ADDRESS COUNT: a process that floods the relay's port there while it is told to, COUNT
# initiations at once.
flooder() {
	declare -gA FLOODERS
	background "$1" python3 "$CHAIN_TOOLS/../device/flood.py" "$2:$RELAY_PORT" \
		"$(public mt-wg0)" "$3" >"$CHAIN_DIR/flood.$1" 2>&1
	FLOODERS[$1]=$!
	slowwait 20 grep -qx ready "$CHAIN_DIR/flood.$1"
}

bursts_of() {
	grep -c burst "$CHAIN_DIR/flood.$1"
}

more_bursts() {
	[ "$(bursts_of "$1")" -ge "$2" ]
}

# flood NODE...: each floods from now on, and has begun to.
flood() {
	local node before
	for node; do
		before=$(bursts_of "$node")
		kill -USR1 "${FLOODERS[$node]}" && slowwait 10 more_bursts "$node" $((before + 1)) || return
	done
}

# flood_ends NODE...: and nobody counts as pressed, or under load, any more.
flood_ends() {
	local node
	for node; do
		kill -USR2 "${FLOODERS[$node]}" || return
	done
	skip_idle sleep 3
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

# sample: what both show now, on a line. never_back FILE: from sample to sample no counter of a relay or flow is
# less, or gone, and all have relays that count.
sample() {
	jq -nc --argjson relays "$(relay)" --argjson flows "$(flows)" '{ $relays, $flows }'
}

never_back() {
	jq -s '
		def counters($name): map({ key: $name, value: { forward, reverse, handshakes } }) | .[];
		map([(.relays[] | [.] | counters("relay \(.[0].listen_ifname):\(.[0].listen_port)")),
			(.flows[] | [.] | counters("flow \(.[0].listen_port) \(.[0].client_address):\(.[0].client_port)"))] |
			from_entries | [paths(numbers) as $path | { key: ($path | join(" ")), value: getpath($path) }] |
			from_entries) as $samples |
		[range(1; $samples | length) as $i | $samples[$i - 1] | to_entries[] |
			select(.value > ($samples[$i][.key] // -1)) | "\(.key): \(.value), then \($samples[$i][.key])"] as $back |
		if $back == [] and ($samples | length > 1 and all(length > 0)) then
			"\($samples | length) samples of \($samples[0] | length) counters"
		else
			$back, error("not so")
		end' "$1"
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
