#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the stack leaves to the interface and takes from it in one piece: segmentation,
# checksums, scattered buffers, GRO; and packets as big as IP has them.
#
# usage: offload.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need ethtool iperf3 jq python3 socat tcpdump
ktap_plan 19

# features on|off NAME...: of the device in a.
features() {
	local state=$1 shown name
	shift
	shown=$(on a ethtool -k wga) || return
	for name; do
		grep -q "^\s*$name: $state" <<<"$shown" || {
			grep "$name" <<<"$shown"
			return 1
		}
	done
}

# watched FILTER COMMAND...: it succeeds; $work/log says how many packets passed wga meanwhile
# that the filter matches, none or one.
watched() {
	local filter=$1 capture status
	shift
	: >"$work/log"
	background a tcpdump --immediate-mode -i wga -s 64 -c 1 -w "$work/seen" "$filter" \
		2>"$work/log"
	capture=$!
	slowwait 10 grep -q listening "$work/log" && "$@" >/dev/null
	status=$?
	kill "$capture" 2>/dev/null
	wait "$capture"
	return "$status"
}

seen() {
	watched "$@" && grep '^1 packet captured' "$work/log"
}

not_seen() {
	watched "$@" && grep '^0 packets captured' "$work/log"
}

to_b() {
	on a iperf3 -c 10.7.0.2 -n 2M -i 0
}

from_b() {
	on a iperf3 -c 10.7.0.2 -n 2M -i 0 -R
}

# UDP segmentation: one send of 40 datagrams of 1200 bytes; and a file from the page cache
# without a copy.
udp_segments() {
	background b socat -u -b 2000 UDP4-RECV:7002 "OPEN:$work/segments,creat,trunc"
	local server=$! status
	slowwait 10 listening b udp 7002 && on a python3 - <<-'END' && slowwait 10 arrived 48000
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(socket.IPPROTO_UDP, 103, 1200)  # UDP_SEGMENT
		s.sendto(bytes(i % 251 for i in range(48000)), ("10.7.0.2", 7002))
	END
	status=$?
	kill "$server"
	wait "$server" 2>/dev/null
	[ "$status" -eq 0 ] && python3 -c 'import sys
sys.exit(open(sys.argv[1], "rb").read() != bytes(i % 251 for i in range(48000)))' "$work/segments"
}

arrived() {
	[ "$(stat -c %s "$work/segments")" -eq "$1" ]
}

zero_copy() {
	background b socat -u TCP-LISTEN:7003 "OPEN:$work/zero,creat,trunc"
	slowwait 10 listening b tcp 7003 && on a python3 - "$work/payload" <<-'END' &&
		import os, socket, sys
		s = socket.create_connection(("10.7.0.2", 7003))
		with open(sys.argv[1], "rb") as f:
		    left = os.fstat(f.fileno()).st_size
		    while left:
		        left -= os.sendfile(s.fileno(), f.fileno(), None, left)
	END
		wait $! && same_hash "$work/payload" "$work/zero"
}

# mtu OUTER INNER, of both ends.
mtu() {
	ip_on a link set eth0 mtu "$1" && ip_on b link set eth0 mtu "$1" &&
		ip_on a link set wga mtu "$2" && ip_on b link set wgb mtu "$2"
}

# The largest packet passes whole, one more byte is refused.
largest() {
	local header=28
	[[ $2 != *:* ]] || header=48
	on a ping -q -c 2 -w 10 -M 'do' -s $(($1 - header)) "$2" &&
		! on a ping -q -c 1 -w 1 -M 'do' -s $(($1 - header + 1)) "$2"
}

outer() {
	wg_on a set wga peer "$B" endpoint "$1:51822" &&
		wg_on b set wgb peer "$A" endpoint "$2:51821"
}

# in_ipip: TCP in IPIP inside, which comes as it goes: in pieces beyond the MTU, both ways.
in_ipip() {
	ip_on a link add ipip9 type ipip local 10.7.0.1 remote 10.7.0.2 &&
		ip_on b link add ipip9 type ipip local 10.7.0.2 remote 10.7.0.1 &&
		ip_on a address add 10.9.0.1/24 dev ipip9 && ip_on b address add 10.9.0.2/24 dev ipip9 &&
		ip_on a link set ipip9 up && ip_on b link set ipip9 up &&
		stream a b 10.9.0.2 "$work/payload" && stream b a 10.9.0.1 "$work/payload" &&
		ip_on a link del ipip9 && ip_on b link del ipip9
}

topology_up
on b iperf3 -s -D
head -c 3000000 /dev/urandom >"$work/payload"
device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821
ktap_run "a and b talk" answers a 10.7.0.2

ktap_run "segmentation, checksums and scattered buffers are on" features on \
	tx-checksumming scatter-gather tcp-segmentation-offload generic-segmentation-offload \
	tx-udp-segmentation generic-receive-offload rx-checksumming
ktap_run "TCP leaves the stack in pieces beyond the MTU" seen \
	'tcp and src 10.7.0.1 and greater 3000' to_b
ktap_run "TCP comes into the stack in pieces beyond the MTU" seen \
	'tcp and src 10.7.0.2 and greater 3000' from_b
ktap_run "UDP datagrams are segmented" udp_segments
if modprobe ipip; then
	ktap_run "what is in a tunnel of the stack's is segmented, too" in_ipip
else
	ktap_skip "what is in a tunnel of the stack's is segmented, too" "no module ipip for this kernel"
fi
ktap_run "a file is sent without a copy" zero_copy
on a ethtool -K wga gso off tso off sg off tx off gro off tx-udp-segmentation off
ktap_run "all of it can be switched off" features off tx-checksumming scatter-gather \
	tcp-segmentation-offload generic-segmentation-offload generic-receive-offload
ktap_run "then no piece is beyond the MTU" not_seen 'tcp and greater 1500' to_b
ktap_run "and what is sent still arrives" stream a b 10.7.0.2 "$work/payload"
on a ethtool -K wga gso on tso on sg on tx on gro on tx-udp-segmentation on

for family in 4 6; do
	if [ "$family" = 4 ]; then
		outer 10.0.0.2 10.0.0.1 && mtu 9000 8940
		ktap_run "jumbo frames, IPv4: the largest" largest 8940 10.7.0.2
	else
		outer '[fd00::2]' '[fd00::1]' && mtu 9000 8920
		ktap_run "jumbo frames, IPv6: the largest" largest 8920 fd07::2
	fi
	ktap_run "jumbo frames, IPv$family: a stream" stream a b 10.7.0.2 "$work/payload"
	mtu 65535 65475
	ktap_run "the largest MTU, IPv$family: the largest packet" largest 65475 10.7.0.2
	ktap_run "the largest MTU, IPv$family: a stream" stream b a 10.7.0.1 "$work/payload"
done
# The stock module drops what comes in many more fragments than these.
mtu 1500 65455
ktap_run "a packet beyond the link's MTU: in outer fragments" \
	on a ping -q -c 2 -w 10 -s 20000 10.7.0.2
ktap_end
