#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Several relays over one interface: to two homes, to two tunnels of one home, over both families;
# and many. Each leads to its own, counts its own, and is changed and removed by itself. And by the
# interface that they listen on, where the pc has two links to the vps.
#
#    pc ==== wg0: 10.7.0.2 ==== vps:60000 ==== mt   10.7.0.1, at 172.16.1.254:60000
#    pc ==== wgc: 10.9.0.2 ==== vps:60002 ==== mt   10.9.0.1, at [fd16::254]:60002
#    pc ==== wgb: 10.8.0.2 ==== vps:60001 ==== mt2  10.8.0.1, at 172.16.1.253:60000
#
# By interface, wgb and wgc both use one address and port of the vps:
#
#    pc -- 192.0.2.2, 2001:db8:2::2 -- pc, vps: 192.0.2.1, 2001:db8:2::1
#     `--- vpsb, fe80::b2 ------------ pcb, fe80::b1 ----'

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

OTHER_HOME=60001 OTHER_TUNNEL=60002
MOVED_PORT=60005
FIRST_OF_MANY=61000 MANY=50
BY_INTERFACE=60003 BY_VRF=60004 BY_NONE=60005
# Of what takes the second link, at the pc.
SECOND=7

# Another home, with a public address of its own.
mt2_up() {
	nodes mt2 && wire vps 203.0.113.1/24 mt2 203.0.113.2/24 &&
		tunnel mt2 wg1 172.16.1.253/24,fd16::253/64 1420 \
			peer "$(public vps-wg1)" allowed-ips 172.16.1.1/32,fd16::1/128 \
			endpoint "203.0.113.1:$DIAL_PORT" persistent-keepalive 25 &&
		wgtool vps set wg1 peer "$(public mt2-wg1)" allowed-ips 172.16.1.253/32,fd16::253/128 &&
		tunnel mt2 wg0 10.8.0.1/24 1340 listen-port "$RELAY_PORT"
}

# relay_to_peer PORT HOME TO RESPONDER
relay_to_peer() {
	nwgctl relay add dev wg1 listen "$1" peer "$(public "$2-wg1")" to "$3" responder "$(public "$4")"
}

# pc_tunnel NAME ADDRESS PORT HOME-TUNNEL ENDPOINT ALLOWED: and the home knows it.
pc_tunnel() {
	wgtool "${4%-*}" set "${4#*-}" peer "$(public "pc-$1")" allowed-ips "$2/32" &&
		tunnel pc "$1" "$2/24" 1340 listen-port "$3" \
			peer "$(public "$4")" endpoint "$5" allowed-ips "$6/32"
}

other_home_up() {
	mt2_up && relay_to_peer "$OTHER_HOME" mt2 "172.16.1.253:$RELAY_PORT" mt2-wg0 &&
		pc_tunnel wgb 10.8.0.2 51821 mt2-wg0 "192.0.2.1:$OTHER_HOME" 10.8.0.1
}

other_tunnel_up() {
	tunnel mt wgc 10.9.0.1/24 1340 listen-port "$OTHER_TUNNEL" &&
		relay_to_peer "$OTHER_TUNNEL" mt "[fd16::254]:$OTHER_TUNNEL" mt-wgc &&
		pc_tunnel wgc 10.9.0.2 51822 mt-wgc "[2001:db8:2::1]:$OTHER_TUNNEL" 10.9.0.1
}

# flow_of PORT [FILTER]: what there is of the relay's flows.
flow_of() {
	nwgctl -j flow show listen "$1" | jq -c "${2:-.}"
}

# own_flow PORT CLIENT MAPPED: the relay has one, of that client, which the home sees at that address.
own_flow() {
	flow_of "$1"
	holds "length == 1 and .[0].state == \"established\" and .[0].client_address == \"$2\" and
		.[0].mapped_address == \"$3\"" "$(flow_of "$1")"
}

each_has_its_flow() {
	own_flow "$RELAY_PORT" 192.0.2.2 172.16.1.1 && own_flow "$OTHER_HOME" 192.0.2.2 172.16.1.1 &&
		own_flow "$OTHER_TUNNEL" 2001:db8:2::2 fd16::1
}

# count_of PORT: what the relay has sent on to the home, and what back.
count_of() {
	nwgctl -j relay show listen "$1" |
		jq -r '.[0] | "\(.forward.transports) \(.reverse.transports)"'
}

# counts_alone PORT ADDRESS: five echoes through that relay's tunnel are counted there and nowhere
# else, but for a keepalive.
counts_alone() {
	local port before=() after=()
	local ports=("$RELAY_PORT" "$OTHER_HOME" "$OTHER_TUNNEL")
	for port in "${ports[@]}"; do before[port]=$(count_of "$port"); done
	on pc ping -q -c 5 -i 0.1 "$2" || return
	for port in "${ports[@]}"; do
		after[port]=$(count_of "$port")
		echo "$port: ${before[port]}, now ${after[port]}"
		read -r forward reverse < <(awk '{ print $3 - $1, $4 - $2 }' <<<"${before[port]} ${after[port]}")
		if [ "$port" = "$1" ]; then
			[ "$forward" -ge 5 ] && [ "$reverse" -ge 5 ] || return
		else
			[ "$forward" -le 1 ] && [ "$reverse" -le 1 ] || return
		fi
	done
}

# reverse_of PORT: what came back from the home for the relay's flow: messages and drops.
reverse_of() {
	flow_of "$1" '.[0].reverse'
}

# The other home sends to where the first home's client is known: not by its relay.
not_for_others() {
	local mapped before
	mapped=$(flow_of "$RELAY_PORT" '.[0].mapped_port')
	before=$(reverse_of "$RELAY_PORT")
	capture pc vps "$CHAIN_DIR/foreign" "$IS_DATA" || return
	data mt2 172.16.1.253 "$RELAY_PORT" 172.16.1.1 "$mapped" &&
		data mt 172.16.1.254 "$RELAY_PORT" 172.16.1.1 "$mapped" && slowwait 10 one_foreign
	local status=$?
	capture_end
	echo "$before, then $(reverse_of "$RELAY_PORT"), at the pc $(captured "$CHAIN_DIR/foreign")"
	# The home's own gets there, the other's not.
	[ "$status" -eq 0 ] && one_foreign &&
		[ "$(jq .packets <<<"$before")" -eq $(($(reverse_of "$RELAY_PORT" | jq .packets) - 1)) ]
}

one_foreign() {
	[ "$(captured "$CHAIN_DIR/foreign")" -eq 1 ]
}

# A query for example.com.
DNS="bytes.fromhex('1234 0100 0001 0000 0000 0000 07') + b'example' + bytes.fromhex('03') + b'com' +
	bytes.fromhex('00 0001 0001')"

# bad_of FILTER: a number of the first relay's.
bad_of() {
	nwgctl -j relay show listen "$RELAY_PORT" | jq ".[0].reverse | $1"
}

# From the inner endpoint to where the client is known comes what is no WireGuard, and is not for the client;
# TCP is not even the relay's, and the vps refuses it. What comes last gets there.
gone_bad() {
	local mapped shape packets status
	mapped=$(flow_of "$RELAY_PORT" '.[0].mapped_port')
	shape=$(bad_of '.drops.shape // 0') packets=$(bad_of .packets)
	capture pc vps "$CHAIN_DIR/bad" \
		"ip src host 192.0.2.1 and (udp[4:2] == 85 or not (udp and udp[8:4] & 0xffffff == 0))" || return
	datagram mt 172.16.1.254 "$RELAY_PORT" 172.16.1.1 "$mapped" "$DNS" &&
		on mt socat -u OPEN:/dev/null "TCP4:172.16.1.1:$mapped,bind=172.16.1.254:$RELAY_PORT" 2>&1 |
		grep "Connection refused" &&
		data mt 172.16.1.254 "$RELAY_PORT" 172.16.1.1 "$mapped" && slowwait 10 one_in bad
	status=$?
	capture_end
	echo "shape: $shape, then $(bad_of .drops.shape), packets: $packets, then $(bad_of .packets)"
	tcpdump -n -r "$CHAIN_DIR/bad"
	[ "$status" -eq 0 ] && one_in bad && [ "$(bad_of .drops.shape)" -eq $((shape + 1)) ] &&
		[ "$(bad_of .packets)" -eq $((packets + 2)) ]
}

one_in() {
	[ "$(captured "$CHAIN_DIR/$1")" -eq 1 ]
}

# undisturbed ADDRESSES COMMAND...: while that is done, and until some time after, the pc's tunnels to these
# addresses lose nothing.
undisturbed() {
	local addresses address pings=() status
	read -ra addresses <<<"$1"
	shift
	for address in "${addresses[@]}"; do
		background pc ping -n -i 0.01 "$address" >"$CHAIN_DIR/echoes.$address"
		pings+=($!)
	done
	more_echoes "${addresses[@]}" && "$@" && more_echoes "${addresses[@]}"
	status=$?
	kill "${pings[@]}" && wait "${pings[@]}" 2>/dev/null
	for address in "${addresses[@]}"; do
		echo "$address: $(echoes "$address" | wc -l) echoes"
		diff <(echoes "$address") <(seq "$(echoes "$address" | wc -l)") || status=1
	done
	return "$status"
}

# echoes ADDRESS: the numbers of those that have come.
echoes() {
	sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$CHAIN_DIR/echoes.$1"
}

more_echoes() {
	local address
	for address; do
		slowwait 10 echoes_above "$address" $(($(echoes "$address" | wc -l) + 20)) || return
	done
}

echoes_above() {
	[ "$(echoes "$1" | wc -l)" -ge "$2" ]
}

# all_answer: by each of the three.
all_answer() {
	answers pc "$MT4" 20 && answers pc 10.8.0.1 20 && answers pc 10.9.0.1 20
}

# mapped: who each client is for its home, all of the same flows as before.
mapped() {
	flows | jq -c 'map([.client_port, .mapped_address, .mapped_port]) | sort'
}

# changes PORT ARGUMENT...: of that relay, and all flows stay.
changes() {
	local before
	before=$(mapped)
	nwgctl relay set listen "$@" && all_answer && diff <(echo "$before") <(mapped)
}

# redirected HOME PORT ARGUMENT...: the second relay is changed by these, and its client's data are led there,
# from where the client was known before, and nowhere else. The relay counts on.
redirected() {
	local home=$1 port=$2 before mapped filter status
	shift 2
	before=$(mapped) mapped=$(flow_of "$OTHER_HOME" '.[0].mapped_port')
	filter="udp and src host 172.16.1.1 and src port $mapped"
	sample >"$CHAIN_DIR/samples"
	nwgctl relay set listen "$OTHER_HOME" "$@" &&
		capture mt wg1 "$CHAIN_DIR/led-mt" "$filter" && capture mt2 wg1 "$CHAIN_DIR/led-mt2" "$filter" || return
	# One of them has nobody who answers.
	on pc ping -q -c 3 -i 0.1 -W 1 10.8.0.1
	slowwait 10 led_to "$home" 3
	status=$?
	capture_end
	sample >>"$CHAIN_DIR/samples"
	echo "mt: $(captured "$CHAIN_DIR/led-mt"), mt2: $(captured "$CHAIN_DIR/led-mt2")"
	[ "$status" -eq 0 ] && never_back "$CHAIN_DIR/samples" && diff <(echo "$before") <(mapped) &&
		[ "$(captured "$CHAIN_DIR/led-$home" "dst port $port")" -ge 3 ] &&
		[ $(($(captured "$CHAIN_DIR/led-mt") + $(captured "$CHAIN_DIR/led-mt2"))) -eq \
			"$(captured "$CHAIN_DIR/led-$home" "dst port $port")" ]
}

led_to() {
	[ "$(captured "$CHAIN_DIR/led-$1")" -ge "$2" ]
}

to_other_port() {
	wgtool mt2 set wg0 listen-port "$MOVED_PORT" &&
		redirected mt2 "$MOVED_PORT" to "172.16.1.253:$MOVED_PORT" && all_answer
}

to_other_home() {
	redirected mt "$MOVED_PORT" peer "$(public mt-wg1)" to "172.16.1.254:$MOVED_PORT" &&
		! answers pc 10.8.0.1 3
}

to_first_again() {
	wgtool mt2 set wg0 listen-port "$RELAY_PORT" &&
		redirected mt2 "$RELAY_PORT" peer "$(public mt2-wg1)" to "172.16.1.253:$RELAY_PORT" && all_answer
}

# One goes, the others' flows stay.
removed() {
	nwgctl relay del listen "$1" && ! answers pc "$2" 3 && answers pc "$MT4" && answers pc 10.9.0.1
}

put_back() {
	relay_to_peer "$OTHER_HOME" mt2 "172.16.1.253:$RELAY_PORT" mt2-wg0 && answers pc 10.8.0.1 30
}

peer_removed() {
	wgtool vps set wg1 peer "$(public mt2-wg1)" remove && ! answers pc 10.8.0.1 3 &&
		answers pc "$MT4" && answers pc 10.9.0.1
}

peer_put_back() {
	wgtool vps set wg1 peer "$(public mt2-wg1)" allowed-ips 172.16.1.253/32,fd16::253/128 &&
		renew mt2 wg1 && answers pc 10.8.0.1 30
}

# By turns to either home, each to a port of its own.
many_up() {
	local n homes=(mt2 mt)
	for ((n = 0; n < MANY; n++)); do
		nwgctl relay add dev wg1 listen $((FIRST_OF_MANY + n)) \
			peer "$(public "${homes[n % 2]}-wg1")" \
			to "172.16.1.$((n % 2 + 253)):$((FIRST_OF_MANY + 1000 + n))" || return
	done
	[ "$(relay | jq length)" -eq $((MANY + 3)) ]
}

# An initiation to each; each home has those that are its own, at the ports that are.
many_lead_home() {
	local n home filter
	filter="udp dst portrange $((FIRST_OF_MANY + 1000))-$((FIRST_OF_MANY + 999 + MANY))"
	capture mt wg1 "$CHAIN_DIR/many-254" "$filter" && capture mt2 wg1 "$CHAIN_DIR/many-253" "$filter" ||
		return
	to_each && slowwait 10 many_arrived
	capture_end
	for home in 253 254; do
		diff <(tcpdump -n -r "$CHAIN_DIR/many-$home" 2>/dev/null | sed -E 's/.* > ([0-9.]+): .*/\1/' | sort) \
			<(for ((n = home - 253; n < MANY; n += 2)); do
				echo "172.16.1.$home.$((FIRST_OF_MANY + 1000 + n))"
			done | sort) || return
	done
}

# A source may initiate 20 times in a second.
to_each() {
	on pc python3 -c "
import socket, sys, time
sys.path.insert(0, '$CHAIN_TOOLS')
from forge import message, INITIATION
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    for port in range($FIRST_OF_MANY, $((FIRST_OF_MANY + MANY))):
        sock.sendto(message(INITIATION, 148), ('192.0.2.1', port))
        time.sleep(0.06)"
}

many_arrived() {
	[ $(($(captured "$CHAIN_DIR/many-253") + $(captured "$CHAIN_DIR/many-254"))) -ge "$MANY" ]
}

many_down() {
	local n
	for ((n = 0; n < MANY; n++)); do
		nwgctl relay del listen $((FIRST_OF_MANY + n)) || return
	done
	[ "$(relay | jq length)" -eq 3 ]
}

# The second link, which neither end sends over unless it is told to.
second_link() {
	ip link add vpsb netns "$CHAIN-pc" type veth peer name pcb netns "$CHAIN-vps" &&
		addresses pc vpsb fe80::b2/64 && addresses vps pcb 198.18.0.1/24,fe80::b1/64 &&
		ip -n "$CHAIN-pc" rule add fwmark "$SECOND" lookup "$SECOND" &&
		ip -n "$CHAIN-pc" -6 rule add fwmark "$SECOND" lookup "$SECOND" &&
		printf '%s\n' "route add 192.0.2.1 dev vpsb src 192.0.2.2 table $SECOND" \
			"route add 198.18.0.1 dev vpsb src 192.0.2.2 table $SECOND" \
			"route add 2001:db8:2::1 via fe80::b1 dev vpsb src 2001:db8:2::2 table $SECOND" |
		ip -n "$CHAIN-pc" -batch - &&
		routes vps '192.0.2.0/24 dev pcb metric 5000' '2001:db8:2::/64 via fe80::b2 dev pcb metric 5000'
}

# A program on the vps has what comes in on the second link, at the port of a relay on the first.
wrong_interface() {
	local before receiver status
	before=$(relay)
	background vps socat -u "UDP4-RECV:$BY_INTERFACE,so-bindtodevice=pcb" "OPEN:$CHAIN_DIR/second,creat"
	receiver=$!
	slowwait 10 sent_on_second
	status=$?
	kill "$receiver" && wait "$receiver" 2>/dev/null
	[ "$status" -eq 0 ] && diff <(jq .[-1] <<<"$before") <(relay | jq .[-1])
}

sent_on_second() {
	echo "for a program" | on pc socat -u - "UDP4-SENDTO:192.0.2.1:$BY_INTERFACE,so-bindtodevice=vpsb"
	grep -q "for a program" "$CHAIN_DIR/second"
}

# home_of TUNNEL: where the pc's leads
home_of() {
	if [ "$1" = wgb ]; then echo mt2-wg0; else echo mt-wgc; fi
}

# leads TUNNEL ENDPOINT MARK: the pc's tunnel goes there, over that link. anew: with a new session, as no relay
# knows that of another, and the pc would follow the home's answers to the one that does.
leads() {
	wgtool pc set "$1" fwmark "$3" peer "$(public "$(home_of "$1")")" endpoint "$2"
}

anew() {
	leads "$@" && renew pc "$1"
}

# own_flow_by INTERFACE CLIENT MAPPED
own_flow_by() {
	own_flow "%$1:$BY_INTERFACE" "$2" "$3" &&
		holds ".[0].listen_ifname == \"$1\"" "$(flow_of "%$1:$BY_INTERFACE")"
}

each_by_interface() {
	anew wgb "192.0.2.1:$BY_INTERFACE" 0 && anew wgc "192.0.2.1:$BY_INTERFACE" "$SECOND" &&
		answers pc 10.8.0.1 30 && answers pc 10.9.0.1 30 &&
		own_flow_by pc 192.0.2.2 172.16.1.1 && own_flow_by pcb 192.0.2.2 fd16::1
}

# answers_on_second ENDPOINT: to where the vps' routes lead over the first, and from nowhere but the very endpoint,
# though the second link has another address.
answers_on_second() {
	# Not those of the other tunnel, which may send a keepalive.
	local filter="udp src port $BY_INTERFACE and dst port 51822" address=${1%:*} status
	address=${address//[][]/}
	anew wgc "$1" "$SECOND" && answers pc 10.9.0.1 30 || return
	capture pc vps "$CHAIN_DIR/first-link" "$filter" &&
		capture pc vpsb "$CHAIN_DIR/second-link" "$filter" &&
		on pc ping -q -c 5 -i 0.1 10.9.0.1 && slowwait 10 answered_on_second
	status=$?
	capture_end
	echo "first: $(captured "$CHAIN_DIR/first-link"), second: $(captured "$CHAIN_DIR/second-link")"
	tcpdump -n -r "$CHAIN_DIR/second-link"
	[ "$status" -eq 0 ] && [ "$(captured "$CHAIN_DIR/first-link")" -eq 0 ] &&
		[ "$(captured "$CHAIN_DIR/second-link" "not src host $address")" -eq 0 ]
}

answered_on_second() {
	[ "$(captured "$CHAIN_DIR/second-link")" -ge 5 ]
}

forward_of() {
	nwgctl -j relay show listen "$1" | jq -c '.[0].forward | [.packets, .drops["no-flow"], .drops.mac1]'
}

# Same address, same port: what comes over the second link is not of the flow that the first has.
no_flow_of_other() {
	local first second
	first=$(forward_of "%pc:$BY_INTERFACE") second=$(forward_of "%pcb:$BY_INTERFACE")
	leads wgb "192.0.2.1:$BY_INTERFACE" "$SECOND" && ! answers pc 10.8.0.1 3
	local status=$?
	echo "first: $first, now $(forward_of "%pc:$BY_INTERFACE")"
	echo "second: $second, now $(forward_of "%pcb:$BY_INTERFACE")"
	[ "$status" -eq 0 ] && [ "$first" = "$(forward_of "%pc:$BY_INTERFACE")" ] &&
		[ "$second" != "$(forward_of "%pcb:$BY_INTERFACE")" ] &&
		leads wgb "192.0.2.1:$BY_INTERFACE" 0 && answers pc 10.8.0.1
}

# The second link's address is one of the VRF then, and the way to the pc is.
by_vrf() {
	printf '%s\n' "link add red type vrf table 10" "link set red up" "link set pcb master red" \
		"route add 192.0.2.0/24 dev pcb table 10" | ip -n "$CHAIN-vps" -batch - &&
		relay_to_peer "198.18.0.1%red:$BY_VRF" mt "[fd16::254]:$OTHER_TUNNEL" mt-wgc &&
		anew wgc "198.18.0.1:$BY_VRF" "$SECOND" && answers pc 10.9.0.1 30 &&
		holds '.[0] | .listen_ifname == "red" and .flows.established == 1' \
			"$(nwgctl -j relay show listen "198.18.0.1%red:$BY_VRF")"
}

# accepts_vrf 0|1: whether what comes in on a VRF is for those who listen on all interfaces.
accepts_vrf() {
	on vps sysctl -qw net.ipv4.udp_l3mdev_accept="$1"
}

# A relay without an interface has what comes in on the VRF if sockets would, and answers there.
vrf_of_all() {
	local status
	relay_to_peer "$BY_NONE" mt "[fd16::254]:$OTHER_TUNNEL" mt-wgc &&
		anew wgc "198.18.0.1:$BY_NONE" "$SECOND" && ! answers pc 10.9.0.1 3 &&
		holds '.[0].forward.packets == 0' "$(nwgctl -j relay show listen "$BY_NONE")" &&
		accepts_vrf 1 && anew wgc "198.18.0.1:$BY_NONE" "$SECOND" && answers pc 10.9.0.1 30 &&
		own_flow "$BY_NONE" 192.0.2.2 fd16::1
	status=$?
	accepts_vrf 0 && nwgctl relay del listen "$BY_NONE" && return "$status"
}

# events_from NODE: to a file, until the chain is down.
events_from() {
	background "$1" python3 "$CHAIN_TOOLS/../netlink/events.py" listen \
		>"$CHAIN_DIR/events" 2>"$CHAIN_DIR/events.log"
	slowwait 20 grep -qx ready "$CHAIN_DIR/events.log"
}

# ends_with INTERFACE PORT INDEX: that relay, with an event and a word in the log.
ends_with() {
	slowwait 5 ended_with "$2" "$3" && dmesg | grep -q "wg1: Relay on port $2 removed: $1, which it listens on, goes" &&
		holds "map(select(.listen_ifname == \"$1\")) == []" "$(relay)"
}

ended_with() {
	holds "map(select(.event == \"relay-del\" and .listen_port == $1 and .listen_ifindex == $2)) |
		length == 1" "$(jq -s . "$CHAIN_DIR/events")"
}

index_of() {
	on vps cat "/sys/class/net/$1/ifindex"
}

ingress_goes() {
	local index
	index=$(index_of pcb) && ip -n "$CHAIN-vps" link del pcb && ends_with pcb "$BY_INTERFACE" "$index" &&
		holds 'any(.[]; .listen_ifname == "pc")' "$(relay)" && answers pc 10.8.0.1
}

ingress_moves() {
	local index
	index=$(index_of red) && ip -n "$CHAIN-vps" link del red && ends_with red "$BY_VRF" "$index" &&
		ip -n "$CHAIN-vps" link add moves type dummy && index=$(index_of moves) &&
		relay_to_peer "%moves:$BY_INTERFACE" mt "[fd16::254]:$OTHER_TUNNEL" mt-wgc &&
		ip -n "$CHAIN-vps" link set moves name moved && holds 'any(.[]; .listen_ifname == "moved")' "$(relay)" &&
		ip -n "$CHAIN-vps" link set moved netns "$CHAIN-isp" && ends_with moved "$BY_INTERFACE" "$index"
}

led_back() {
	anew wgb "192.0.2.1:$OTHER_HOME" 0 && anew wgc "[2001:db8:2::1]:$OTHER_TUNNEL" 0 && all_answer
}

by_interface() {
	check "the pc has a second link" second_link
	check "a relay on the first alone" relay_to_peer "%pc:$BY_INTERFACE" \
		mt2 "172.16.1.253:$RELAY_PORT" mt2-wg0
	check "what comes in on the second is a program's" wrong_interface
	check "a relay on the second, on the same port" relay_to_peer "%pcb:$BY_INTERFACE" \
		mt "[fd16::254]:$OTHER_TUNNEL" mt-wgc
	check "each has what comes in on its own" each_by_interface
	check "and answers there" answers_on_second "192.0.2.1:$BY_INTERFACE"
	check "and over IPv6" answers_on_second "[2001:db8:2::1]:$BY_INTERFACE"
	check "the flow of a client on the one is none on the other" no_flow_of_other
	check "a relay on a VRF has what comes in on its interface" by_vrf
	check "one without an interface has it if sockets would" vrf_of_all
	check "somebody listens to events" events_from vps
	check "a relay ends with the interface that it listens on, the others lose nothing" undisturbed \
		"$MT4 10.8.0.1" ingress_goes
	check "with a VRF, and as that moves, under another name" ingress_moves
	check "those from before have gone on" led_back
}

several() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "there is another home, and a relay to it" other_home_up
	check "there is another tunnel to the first, over IPv6" other_tunnel_up
	check "all three get through" all_answer
	check "each relay has its client's flow" each_has_its_flow
	check "the first counts its own" counts_alone "$RELAY_PORT" "$MT4"
	check "the second counts its own" counts_alone "$OTHER_HOME" 10.8.0.1
	check "the third counts its own" counts_alone "$OTHER_TUNNEL" 10.9.0.1
	check "a home reaches its own clients, not the other's" not_for_others
	check "of a home gone bad nothing but WireGuard gets to its client" gone_bad
	check "one is changed, all flows stay, nothing is lost" undisturbed "$MT4 10.8.0.1 10.9.0.1" \
		changes "$OTHER_HOME" max-flows 7
	check "one leads to another port: with its flows and counters" to_other_port
	check "to another home: likewise" to_other_home
	check "and back" to_first_again
	check "one is removed, the others go on and lose nothing" undisturbed "$MT4 10.9.0.1" \
		removed "$OTHER_HOME" 10.8.0.1
	check "it is put back" put_back
	check "a home's peer is removed, the other's relays go on and lose nothing" undisturbed \
		"$MT4 10.9.0.1" peer_removed
	check "it is put back" peer_put_back
	check "$MANY more relays" many_up
	check "each leads to its own home and port" many_lead_home
	check "those from before go on" all_answer
	check "the many are removed" many_down
	check "those from before still go on" all_answer
	by_interface
}

each_chain 37 several "$@"
