#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client that changes its port or address in mid-session goes on without a handshake; somebody else
# who shows its session moves nothing.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

OTHER_PORT=51999 THIRD_PORT=52001
STRANGER=45000

port_changes() {
	wgtool pc set wg0 listen-port "$1"
}

# address_changes FROM TO: of the pc, at once; the other stays when the first goes.
address_changes() {
	local len=24
	[[ $1 != *:* ]] || len=64
	on pc sysctl -qw net.ipv4.conf.vps.promote_secondaries=1
	ip -n "$CHAIN-pc" address add "$2/$len" dev vps && ip -n "$CHAIN-pc" address del "$1/$len" dev vps
}

# family_changes ENDPOINT: it reaches the relay over the other family.
family_changes() {
	wgtool pc set wg0 peer "$(public mt-wg0)" endpoint "$1"
}

# in_mid_transfer COMMAND...: echo requests every 50 ms while the client roams. Virtual time: one is
# under way at most.
in_mid_transfer() {
	local before lost pinging status carried
	session_stands || return
	before=$(handshake_time mt wg0)
	carried=$(transports)
	background pc ping -q -i 0.05 -c 60 -W 5 "$MT4" >"$CHAIN_DIR/ping"
	pinging=$!
	slowwait 10 carries $((carried + 20)) && "$@"
	status=$?
	wait "$pinging"
	lost=$(sed -n 's/^60 packets transmitted, \([0-9]*\) received.*/\1/p' "$CHAIN_DIR/ping")
	lost=$((60 - ${lost:-0}))
	echo "lost $lost, handshake at $before, now at $(handshake_time mt wg0)"
	[ "$status" -eq 0 ] && [ "$lost" -le 1 ] && [ "$(handshake_time mt wg0)" -eq "$before" ]
}

# carries N: the relay has sent on so many data messages to the mt.
carries() {
	[ "$(transports)" -ge "$1" ]
}

transports() {
	relay | jq '.[0].forward.transports'
}

# stream_meanwhile COMMAND...: a file is on its way from the pc, for two seconds, and gets there. (To the
# pc it would wait: who only receives, and from now on not even that, has nothing to send.)
stream_meanwhile() {
	local streaming carried status before
	session_stands || return
	before=$(handshake_time mt wg0)
	carried=$(transports)
	on pc tc qdisc add dev wg0 root tbf rate 4mbit burst 10kb latency 200ms || return
	stream pc lan "$LAN4" "$CHAIN_DIR/file" &
	streaming=$!
	slowwait 10 carries $((carried + 20)) && "$@" && kill -0 "$streaming" && wait "$streaming"
	status=$?
	on pc tc qdisc del dev wg0 root
	echo "handshake at $before, now at $(handshake_time mt wg0)"
	[ "$status" -eq 0 ] && [ "$(handshake_time mt wg0)" -eq "$before" ]
}

new_session() {
	renew pc wg0 && answers pc "$MT4"
}

# one_flow ADDRESS PORT: the one that there is leads there.
one_flow() {
	flows | jq -c '.[] | [.client_address, .client_port, .state]'
	holds "length == 1 and .[0].state == \"established\" and .[0].client_address == \"$1\" and
		.[0].client_port == $2" "$(flows)"
}

# pc_flow PORT: likewise of the flows that the pc has.
pc_flow() {
	flows | jq -c '.[] | [.client_address, .client_port, .state]'
	holds "map(select(.client_address == \"192.0.2.2\")) | length == 1 and
		.[0].state == \"established\" and .[0].client_port == $1" "$(flows)"
}

# The home has nothing to say but that it is there, 10 s later. 50 in a second, for 12 seconds.
one_way() {
	local receiver got
	background mt python3 -c "
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(('$MT4', 7000))
sock.settimeout(30)
got = 0
while True:
    data = sock.recv(100)
    if data == b'end':
        break
    got += 1
print(got)" >"$CHAIN_DIR/got"
	receiver=$!
	slowwait 10 listening mt udp 7000 && on pc python3 -c "
import socket, subprocess, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(('$MT4', 7000))
for number in range(650):
    if number == 50:
        subprocess.run(['$(port_tool)', 'set', 'wg0', 'listen-port', '$CLIENT_PORT'], check=True)
    sock.send(b'data')
    time.sleep(0.02)
sock.send(b'end')" && wait "$receiver"
	got=$(<"$CHAIN_DIR/got")
	echo "$got of 650"
	[ "$got" -ge 649 ]
}

port_tool() {
	if [ "$KIND_PC" = nwg ]; then echo "$NWGCTL"; else echo wg; fi
}

# What the home calls the client's session: seen on the way.
sniff_index() {
	capture vps pc "$CHAIN_DIR/sniffed" "udp dst port $RELAY_PORT and udp[8] == 4" &&
		answers pc "$MT4"
	local status=$?
	capture_end
	INDEX=$(tcpdump -n -r "$CHAIN_DIR/sniffed" -c 1 -x 2>/dev/null | awk '
		/0x0020:/ { print substr($2, 1, 4) substr($3, 1, 4) }')
	[ "$status" -eq 0 ] && [ ${#INDEX} -eq 8 ]
}

# counts: datagrams sent on, those dropped as of no flow and for their rate.
counts() {
	relay | jq -r '.[0].forward | "\(.forwarded_packets) \(.drops["no-flow"]) \(.drops.rate)"'
}

# forged COUNT OPTION...: what became of data from a stranger, as counts.
forged() {
	local before after
	before=$(counts)
	forge pc transport --ports "$1" "${@:2}" >/dev/null || return
	slowwait 10 all_counted "$before" "$1"
	after=$(counts)
	read -r SENT_ON NO_FLOW RATE < <(awk 'NR == 1 { split($0, was) }
		NR == 2 { print $1 - was[1], $2 - was[2], $3 - was[3] }' <<<"$before"$'\n'"$after")
	echo "sent on $SENT_ON, no flow $NO_FLOW, rate $RATE"
}

all_counted() {
	awk -v count="$2" 'NR == 1 { was = $1 + $2 + $3 }
		NR == 2 { exit $1 + $2 + $3 - was < count }' <<<"$1"$'\n'"$(counts)"
}

guessed() {
	local before
	before=$(flows | jq length)
	forged 20 --source "$STRANGER" && [ "$NO_FLOW" -eq 20 ] && holds "length == $before" "$(flows)"
}

sniffed() {
	forged 20 --source "$STRANGER" --index "$INDEX" && [ "$SENT_ON" -eq 20 ] &&
		holds 'map(.state) | sort == ["established", "tentative"]' "$(flows)"
}

# No more than that, however many there are.
too_many() {
	forged 1200 --source "$STRANGER" --index "$INDEX" && [ "$RATE" -ge 100 ] &&
		[ $((SENT_ON + 20)) -eq 1024 ]
}

# From as many addresses, no more than two are believed.
from_everywhere() {
	local n
	for n in {100..130}; do echo "address add 192.0.2.$n/24 dev vps"; done |
		ip -n "$CHAIN-pc" -batch - || return
	for n in {100..130}; do
		forge pc transport --source "$STRANGER" --from "192.0.2.$n" --index "$INDEX" || return
	done >/dev/null
	slowwait 10 believed 2
	local status=$?
	for n in {100..130}; do echo "address del 192.0.2.$n/24 dev vps"; done |
		ip -n "$CHAIN-pc" -batch - || return
	return "$status"
}

believed() {
	flows | jq -c 'map(.state)'
	holds "(map(select(.state == \"tentative\")) | length) == $1" "$(flows)" &&
		holds ".[0].flows.tentative == $1 and .[0].flows.established == 1" "$(relay)"
}

# One of the home's own people: with a session of its own, it shows the pc's where it is, and initiates.
insider() {
	local before
	home_up && routes home '192.0.2.1 via 203.0.113.1' &&
		ip -n "$CHAIN-pc2" link set wg0 down && new_session && session_stands && sniff_index && before=$(pc_handshake) &&
		forge pc2 transport --source "$CLIENT_PORT" --index "$INDEX" >/dev/null &&
		slowwait 10 believed 1 &&
		wgtool pc2 set wg0 peer "$(public mt-wg0)" endpoint "$(relay_at)" && renew pc2 wg0 &&
		answers pc2 "$MT4" 20 || return
	flows | jq -c '.[] | [.client_address, .client_port, .state]'
	holds 'map(select(.state == "established") | .client_address) | sort ==
		["192.0.2.2", "203.0.113.2"]' "$(flows)" && unmoved && [ "$(pc_handshake)" -eq "$before" ]
}

# When the pc's last handshake with the mt was.
pc_handshake() {
	wgtool mt show wg0 latest-handshakes | awk -v pc="$(public pc-wg0)" '$1 == pc { print $2 }'
}

# Somebody on the way takes a datagram of the pc's from the line, and sends it on from elsewhere: the home, to
# which it is new, answers there. For a stranger's port on the pc's own address.
stolen() {
	pc_flow "$CLIENT_PORT" && capture vps pc "$CHAIN_DIR/stolen" "udp src port $CLIENT_PORT" || return
	on vps nft -f - <<-END
		table ip theft {
			chain raw {
				type filter hook prerouting priority raw;
				udp sport $CLIENT_PORT drop
			}
		}
	END
	! answers pc "$MT4" 2
	capture_end
	on pc python3 -c "
import socket, subprocess, sys
lines = subprocess.run(('tcpdump', '-n', '-x', '-r', '$CHAIN_DIR/stolen'), check=True, text=True,
                       capture_output=True).stdout.splitlines()
packets = []
for line in lines:
    if line.startswith('\t'):
        packets[-1] += bytes.fromhex(line.split(':', 1)[1].replace(' ', ''))
    else:
        packets.append(b'')
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(('192.0.2.2', $STRANGER))
    sock.sendto(packets[-1][28:], ('192.0.2.1', $RELAY_PORT))" &&
		slowwait 10 pc_flow "$STRANGER"
}

# Until the pc sends again.
given_back() {
	on vps nft delete table ip theft && answers pc "$MT4" && pc_flow "$CLIENT_PORT"
}

# pooled PORT: the home sees clients at addresses of their own from now on; the flow is made anew.
pooled() {
	nwgctl relay set listen "$RELAY_PORT" source pool 172.16.1.8/29 &&
		wgtool mt set wg1 peer "$(public vps-wg1)" \
			allowed-ips 172.16.1.1/32,fd16::1/128,172.16.1.8/29 &&
		port_changes "$1" && new_session && in_pool "$1"
}

# in_pool PORT: the flow that leads there has such an address.
in_pool() {
	flows | jq -c '.[] | [.client_address, .client_port, .state, .mapped_address]'
	holds "map(select(.client_address == \"192.0.2.2\" and .client_port == $1)) | length == 1 and
		.[0].state == \"established\" and
		(.[0].mapped_address | test(\"^172[.]16[.]1[.](9|1[0-4])$\"))" "$(flows)"
}

unmoved() {
	answers pc "$MT4" && holds 'any(.state == "established" and .client_port == '"$CLIENT_PORT"' and
		.client_address == "192.0.2.2")' "$(flows)"
}

roam() {
	head -c 1000000 /dev/urandom >"$CHAIN_DIR/file"
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "the pc reaches the mt" answers pc "$MT4"
	check "another port, in mid-transfer" in_mid_transfer port_changes "$OTHER_PORT"
	check "the flow leads there" one_flow 192.0.2.2 "$OTHER_PORT"
	check "another address, in mid-transfer" in_mid_transfer address_changes 192.0.2.2 192.0.2.3
	check "the flow leads there, too" one_flow 192.0.2.3 "$OTHER_PORT"
	check "a new session, not to be renewed soon" new_session
	check "the way back, while a file goes" stream_meanwhile address_changes 192.0.2.3 192.0.2.2
	check "the flow leads back" one_flow 192.0.2.2 "$OTHER_PORT"
	check "where data go one way only, none is lost" one_way
	check "the session is seen on its way" sniff_index
	check "who guesses is nobody" guessed
	check "who has seen the session is tried" sniffed
	check "and moves nothing" unmoved
	check "and cannot send much" too_many
	check "others are tried, but few" from_everywhere
	check "they move nothing, either" unmoved
	check "and are soon forgotten" slowwait 40 believed 0
	check "the pc is where it was" unmoved
	check "nor does another client of the home's that shows the session and initiates" insider
	check "who takes the pc's datagrams from the line has its flow" stolen
	check "until the pc sends again" given_back
	check "clients have addresses of their own inside" pooled "$OTHER_PORT"
	check "another port, in mid-transfer" in_mid_transfer port_changes "$THIRD_PORT"
	check "the flow leads there, with an address of its own" in_pool "$THIRD_PORT"
	check "the relay moves to v6" outer 6
	check "the pc reaches the mt" answers pc "$MT4" 20
	check "another IPv6 address, in mid-transfer" in_mid_transfer address_changes 2001:db8:2::2 2001:db8:2::3
	check "the flow leads there" one_flow 2001:db8:2::3 "$THIRD_PORT"
	check "the relay leads into IPv6, for a client over IPv4" outer 4 6
	check "the pc reaches the mt" answers pc "$MT4" 20
	check "the client goes over IPv6, in mid-transfer" in_mid_transfer family_changes "[2001:db8:2::1]:$RELAY_PORT"
	check "the flow leads there" one_flow 2001:db8:2::3 "$THIRD_PORT"
}

each_chain 33 roam "$@"
