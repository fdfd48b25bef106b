#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Messages that come thick and are nobody's own, as those of a router: they go down the stack as one
# packet, come apart above a driver that wants them so, whole and with their checksums, and arrive in
# order. c sends, through a, to b.
#
# usage: lists.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

COUNT=2000 LINE=eth0

ktap_need ethtool python3 tcpdump
ktap_plan 10

# flood: so many datagrams from c to b; all of them arrive, in order.
flood() {
	local receiver
	on b python3 - "$COUNT" <<-'END' &
		import socket, sys
		receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		receiver.setsockopt(socket.SOL_SOCKET, 33, 1 << 25)  # SO_RCVBUFFORCE
		receiver.bind(("10.7.0.2", 7000))
		receiver.settimeout(5)
		got = []
		while got[-1:] != [int(sys.argv[1]) - 1]:
		    try:
		        got.append(int.from_bytes(receiver.recv(2000)[:4], "big"))
		    except TimeoutError:
		        break
		if got != list(range(int(sys.argv[1]))):
		    sys.exit(f"{len(got)} have come, in order: {got == sorted(got)}")
	END
	receiver=$!
	slowwait 10 receives && on c python3 - "$COUNT" <<-'END' && wait "$receiver"
		import os, socket, sys, time
		sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		# As many as an interface brings at a time: nothing else has the CPU meanwhile.
		os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
		for number in range(int(sys.argv[1])):
		    sender.sendto(number.to_bytes(4, "big") + bytes(496), ("10.7.0.2", 7000))
		    if number % 40 == 39:
		        time.sleep(0.001)
	END
}

receives() {
	on b grep -q '0200070A:1B58' /proc/net/udp
}

# Without the headers outside, which those of a list have but once.
MESSAGE=$((500 + 28 + 32))

all_captured() {
	[ "$(bytes_captured "$work/seen")" -ge $((COUNT * MESSAGE)) ]
}

each_captured() {
	[ "$(captured "$work/seen")" -ge "$COUNT" ]
}

# flood_captured NODE CONDITION: what leaves a or comes to b meanwhile; $work/seen has it, once the condition
# holds: what has been received may not have been written yet.
flood_captured() {
	local status
	capture "$1" "$LINE" "$work/seen" -s 2000 'udp dst port 51822' || return
	flood && slowwait 20 "$2"
	status=$?
	[ "$status" -eq 0 ] || cat "$work/seen.log"
	capture_end
	return "$status"
}

# lists: how many packets were more than one message.
lists() {
	captured "$work/seen" 'greater 1500'
}

as_one() {
	flood_captured a all_captured && echo "$(lists) lists" && [ "$(lists)" -gt 0 ]
}

by_itself() {
	local status
	on a ethtool -K wga gso off && flood_captured a each_captured && echo "$(lists) lists" && [ "$(lists)" = 0 ]
	status=$?
	on a ethtool -K wga gso on && return "$status"
}

offloads() {
	on a ethtool -K eth0 gso "$1" tx-udp-segmentation "$1" tx-gso-list "$1" tx "$1" >/dev/null
}

# tcpdump does not say so of what is cut off or no UDP.
apart() {
	local good bad status
	offloads off && flood_captured b each_captured
	status=$?
	offloads on && [ "$status" -eq 0 ] || return
	good=$(tcpdump -nn -vv -r "$work/seen" 2>/dev/null | grep -c 'udp sum ok')
	bad=$(tcpdump -nn -vv -r "$work/seen" 2>/dev/null | grep -c 'bad udp cksum')
	echo "$good right, $bad wrong"
	[ "$bad" = 0 ] && [ "$good" -ge "$COUNT" ]
}

# tunnel_end NODE PEER ADDRESS
tunnel_end() {
	ip_on "$1" link add geneve type geneve id 1 remote "$2" &&
		ip_on "$1" address add "$3" dev geneve && ip_on "$1" link set geneve up
}

# Whose headers would not have room in front of each.
into_tunnel() {
	tunnel_end a 10.0.0.2 10.9.0.1/24 && tunnel_end b 10.0.0.1 10.9.0.2/24 &&
		wg_on a set wga peer "$B" endpoint 10.9.0.2:51822 || return
	LINE=geneve
	flood_captured a each_captured && echo "$(lists) lists" && [ "$(lists)" = 0 ]
}

cases() {
	if [ "$KIND_A" = nwg ]; then
		ktap_run "$1: many leave as one packet" as_one
	else
		ktap_skip "$1: many leave as one packet" "the stock module sends each by itself"
	fi
	ktap_run "$1: all arrive, in order" flood
	ktap_run "$1: those that come apart above the driver have right checksums" apart
	ktap_run "$1: without segmentation offload each goes by itself" by_itself
}

topology_up || exit 1
on a sysctl -qw net.ipv4.ip_forward=1
ip_on c route add 10.7.0.0/24 via 10.0.1.1
device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821 &&
	wg_on b set wgb peer "$A" allowed-ips 10.7.0.1/32,10.0.1.0/24 &&
	ip_on b route add 10.0.1.0/24 dev wgb && answers a 10.7.0.2 || exit 1
cases IPv4
ktap_run "the other way is over IPv6 from now on" wg_on a set wga peer "$B" endpoint '[fd00::2]:51822'
cases IPv6
if modprobe geneve; then
	ktap_run "a list comes apart before it goes into a tunnel of the stack's" into_tunnel
else
	ktap_skip "a list comes apart before it goes into a tunnel of the stack's" "no module geneve for this kernel"
fi
ktap_end
