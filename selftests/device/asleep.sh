#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# From the moment that a machine prepares to sleep no handshake begins or ends: else new keys
# would be in memory, and in the image of a hibernation, which those from before were wiped of. That
# they were wiped before, and not only after, is seen from that nothing is sent with them.
# The machine stops where all programs are frozen, and waits. The kernel goes on: timers expire,
# and what netem holds back arrives.
#
# usage: asleep.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need ping tcpdump
[ "$(nproc)" -gt 1 ] || ktap_skip_all "one CPU only: while it waits nothing else runs"
[ -w /sys/power/pm_test ] || ktap_skip_all "no /sys/power/pm_test to go to sleep with"
ktap_plan 7

# The kernel waits without letting go of its CPU, for up to 64 s, which is no fault here.
[ ! -w /proc/sys/kernel/watchdog_thresh ] || echo 60 >/proc/sys/kernel/watchdog_thresh
stall=/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
[ ! -w "$stall" ] || echo 120 >"$stall"

held_back() {
	on b tc -s qdisc show dev eth0 | grep -q 'backlog .* [1-9][0-9]*p'
}

# say COMMAND...: what it was, if it fails.
say() {
	"$@" || {
		echo "not so: $*"
		return 1
	}
}

# sleep_for STATE SECONDS: an initiation of b's is on its way, for half of them. All in $work/wire. To
# hibernate takes 5 s, whatever is said.
sleep_for() {
	local status
	echo "$2" >/sys/module/suspend/parameters/pm_test_delay
	capture a any "$work/wire" -s 96 'udp or icmp' && ip_on b link set wgb down &&
		on b tc qdisc add dev eth0 root netem delay $(($2 / 2))s && ip_on b link set wgb up &&
		say slowwait 10 held_back && echo "$1" >/sys/power/state &&
		say slowwait 20 asleep $(($2 / 2))
	status=$?
	capture_end
	on b tc qdisc del dev eth0 root
	return "$status"
}

# asleep SECONDS: prints from when until when the machine slept. A program that pings itself all
# the time then did not: that was for that long at least.
asleep() {
	tcpdump -n -tt -r "$work/wire" 'icmp[icmptype] = icmp-echo and dst 127.0.0.1' 2>/dev/null |
		awk -v least="$1" '
			last && $1 - last > until - from { from = last; until = $1 }
			{ last = $1 }
			END { printf "%f %f\n", from, until; exit until - from < least }'
}

# messages FROM TYPE: how many came while the machine slept. Not close to its ends: when the
# program runs again depends on others.
messages() {
	local from until
	read -r from until < <(asleep 0)
	tcpdump -n -tt -r "$work/wire" "src $1 and udp[8] = $2" 2>/dev/null |
		awk -v from="$from" -v until="$until" '
			BEGIN { margin = (until - from) / 4 }
			from + margin < $1 && $1 < until - margin' | wc -l
}

# How long it takes to get there, and so whether the initiation comes then, depends on the machine.
initiation_comes() {
	local seconds
	for seconds in 8 16 32 64; do
		sleep_for mem "$seconds" || return
		[ "$(messages 10.0.0.2 1)" -eq 0 ] || return 0
	done
	return 1
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
echo freezer >/sys/power/pm_test
defer eval 'echo none >/sys/power/pm_test'
device_up a "$B" endpoint 10.0.0.2:51822 persistent-keepalive 1 &&
	device_up b "$A" endpoint 10.0.0.1:51821 persistent-keepalive 1
ktap_run "a and b talk" answers a 10.7.0.2
background a ping -q -i 0.1 127.0.0.1 >/dev/null
defer kill $!
ktap_run "while the machine is on its way to sleep an initiation comes" initiation_comes
ktap_run "it is not answered, and nothing is sent" none_sent
ktap_run "awake, they talk" answers b 10.7.0.1 20
if grep -qw disk /sys/power/state; then
	ktap_run "the machine is on its way to hibernation" sleep_for disk 8
	ktap_run "nothing is sent meanwhile" none_sent
	ktap_run "awake from that, they talk" answers b 10.7.0.1 20
else
	for what in "the machine is on its way" "nothing is sent meanwhile" "awake, they talk"; do
		ktap_skip "hibernation: $what" "the kernel does not hibernate"
	done
fi
ktap_end
