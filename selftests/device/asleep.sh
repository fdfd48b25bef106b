#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# From the moment that a machine prepares to sleep no handshake begins or ends: else new keys
# would be in memory, and in the image of a hibernation, which those from before were wiped of.
# The machine stops where all programs are frozen, and waits. The kernel goes on: timers expire,
# and what netem holds back arrives.
#
# usage: asleep.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need python3 tcpdump
[ "$(nproc)" -gt 1 ] || ktap_skip_all "one CPU only: while it waits nothing else runs"
[ -w /sys/power/pm_test ] || ktap_skip_all "no /sys/power/pm_test to go to sleep with"
# Seconds; half of them must be enough to get there.
wait=8
ktap_plan 5

falls_asleep() {
	echo "$wait" >/sys/module/suspend/parameters/pm_test_delay
	echo freezer >/sys/power/pm_test
	dmesg -C
	# An initiation of b's is on its way, for half of the wait.
	on b tc qdisc add dev eth0 root netem delay $((wait / 2))s &&
		ip_on b link set wgb down && ip_on b link set wgb up && sleep 0.5 &&
		echo mem >/sys/power/state
	local status=$?
	on b tc qdisc del dev eth0 root
	echo none >/sys/power/pm_test
	return "$status"
}

# messages FROM TYPE: how many of them a sent or got while the machine waited.
messages() {
	local begun
	begun=$(dmesg --time-format iso | sed -n 's/ .*suspend debug: Waiting.*//p')
	python3 - "$work/wire" "$(date -d "${begun/,/.}" +%s.%N)" "$wait" "$1" "$2" <<-'END'
		import socket, struct, sys
		data = open(sys.argv[1], "rb").read()
		begun, wait = float(sys.argv[2]), int(sys.argv[3])
		sender, kind = socket.inet_aton(sys.argv[4]), int(sys.argv[5])
		count, position = 0, 24
		while position + 16 <= len(data):
		    seconds, micros, length = struct.unpack_from("<III", data, position)
		    frame = data[position + 16:position + 16 + length]
		    position += 16 + length
		    inside = 0 < seconds + micros / 1e6 - begun < wait - 0.2
		    count += inside and frame[26:30] == sender and frame[42] == kind
		print(count)
	END
}

# none_sent: by a, which has a keepalive to send each second.
none_sent() {
	local type sent status=0
	for type in 1 2 3 4; do
		sent=$(messages 10.0.0.1 "$type")
		echo "$sent of type $type"
		[ "$sent" = 0 ] || status=1
	done
	return "$status"
}

topology_up || exit 1
device_up a "$B" endpoint 10.0.0.2:51822 persistent-keepalive 1 &&
	device_up b "$A" endpoint 10.0.0.1:51821 persistent-keepalive 1
ktap_run "a and b talk" answers a 10.7.0.2
background a tcpdump -i eth0 -U -s 96 -w "$work/wire" udp 2>"$work/tcpdump"
capture=$!
slowwait 10 grep -q listening "$work/tcpdump"
ktap_run "the machine waits on its way to sleep" falls_asleep
sleep 1
kill "$capture" && wait "$capture"
ktap_run "meanwhile an initiation came" [ "$(messages 10.0.0.2 1)" -gt 0 ]
ktap_run "it was not answered, and nothing was sent" none_sent
ktap_run "awake, they talk" answers b 10.7.0.1 20
ktap_end
