#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Under traffic, what the device stands on is taken away and put back: its peer, its
# key, its port, the link, the interface, its namespaces, and the module. What the
# kernel's log says of it is for the runner to judge.
#
# usage: teardown.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need socat
[ "$KIND_A" != "$KIND_B" ] || ktap_skip_all "the module of a is to be removed: b needs another"
ktap_plan 31

rounds=5

# From b alone, so that no process holds a's namespace: echo requests, which a answers,
# and datagrams, as fast as it goes and whatever happens.
# shellcheck disable=SC2016 # $0 is for the inner shell
traffic_on() {
	background b sh -c 'while :; do ping -q -f -s 1000 "$0"; sleep 0.1; done' 10.7.0.1 \
		>/dev/null 2>&1
	background b sh -c 'while :; do
		socat -u -b 1300 OPEN:/dev/zero "UDP-SENDTO:$0:9"; sleep 0.1
	done' 10.7.0.1 >/dev/null 2>&1
}

# Whoever started it, and what it started in the meantime.
traffic_off() {
	slowwait 10 none_run
}

none_run() {
	local processes
	processes=$(ip netns pids "$PREFIX-b" 2>/dev/null)
	[ -z "$processes" ] || { xargs kill <<<"$processes" 2>/dev/null && false; }
}

received() {
	on a cat /sys/class/net/wga/statistics/rx_packets
}

more_than() {
	[ "$(received)" -gt "$1" ]
}

# b notices by itself after 15 s that a has lost the session; here it is told. It is also told where a
# is: if a went back to its port without sending anything from there, b sends to the other for ever.
tell_b() {
	ip_on b link set wgb down
	wg_on b set wgb peer "$A" endpoint 10.0.0.1:51821
	ip_on b link set wgb up
}

flows() {
	tell_b
	slowwait 20 more_than $(($(received) + 300))
}

a_up() {
	device_up a "$B" endpoint 10.0.0.2:51822
}

peer_goes() {
	wg_on a set wga peer "$B" remove &&
		wg_on a set wga peer "$B" allowed-ips 10.7.0.2/32,fd07::2/128
}

key_changes() {
	wg genkey | wg_on a set wga private-key /dev/stdin && wg_on a set wga private-key "$work/a"
}

port_changes() {
	wg_on a set wga listen-port 40000 && wg_on a set wga listen-port 51821
}

link_bounces() {
	ip_on a link set wga down && ip_on a link set wga up
}

interface_goes() {
	ip_on a link del wga && a_up
}

many_times() {
	local round
	for ((round = 0; round < rounds; round++)); do
		flows && "$@" || return
		sleep 0.3
	done
}

# Sockets here, the interface elsewhere: each of the two namespaces may go first.
moved_away() {
	ip netns add "$PREFIX-elsewhere" &&
		ip_on a link set wga netns "$PREFIX-elsewhere" &&
		ip -n "$PREFIX-elsewhere" -batch - <<-END
			address add 10.7.0.1/24 dev wga
			link set wga up
		END
}

received_elsewhere() {
	ip -n "$PREFIX-elsewhere" -s -j link show wga | sed 's/.*"rx":{"bytes":\([0-9]*\).*/\1/'
}

more_elsewhere_than() {
	[ "$(received_elsewhere)" -gt "$1" ]
}

flows_elsewhere() {
	tell_b
	slowwait 20 more_elsewhere_than $(($(received_elsewhere) + 100000))
}

gone() {
	! ip -n "$PREFIX-b" link show eth0 2>/dev/null
}

# b's end of the veth goes with a's namespace, when that is really gone.
namespace_goes() {
	ip netns del "$PREFIX-a" && slowwait 20 gone
}

# b went with its veth as well, or as good as.
namespace_back() {
	traffic_off
	topology_down
	topology_make && a_up && device_up b "$A" endpoint 10.0.0.1:51821 && traffic_on
}

module=wireguard
[ "$KIND_A" != nwg ] || module=nwg

module_goes() {
	rmmod "$module" && [ ! -e "/sys/module/$module" ] && ! ip_on a link show wga 2>/dev/null
}

module_back() {
	if [ "$module" = nwg ] && [ -n "${NWG_MODULE:-}" ]; then
		insmod "$NWG_MODULE" dyndbg=+p
	else
		modprobe "$module" dyndbg=+p
	fi && a_up
}

unused() {
	[ "$(<"/sys/module/$module/refcnt")" -eq 0 ]
}

# As the kernel tells at debug level: what was made is gone again.
paired() {
	local made destroyed
	made=$(dmesg | grep -c "wga: $1.* created")
	destroyed=$(dmesg | grep -c "wga: $1.* destroyed")
	echo "$made created, $destroyed destroyed"
	[ "$made" -gt 0 ] && [ "$made" -eq "$destroyed" ]
}

debug_on() {
	echo "module $module +p" >/sys/kernel/debug/dynamic_debug/control
}

topology_up || exit 1
debug_on || exit 1
defer traffic_off
a_up && device_up b "$A" endpoint 10.0.0.1:51821 && traffic_on
ktap_run "traffic flows" flows

for what in peer_goes key_changes port_changes link_bounces interface_goes; do
	ktap_run "$what, $rounds times" many_times "$what"
	ktap_run "$what: traffic flows again" flows
done

ktap_run "the interface moves to another namespace" moved_away
ktap_run "traffic flows there" flows_elsewhere
ktap_run "that namespace is removed" ip netns del "$PREFIX-elsewhere"
ktap_run "the interface is made anew" slowwait 10 a_up
ktap_run "traffic flows again" flows

ktap_run "the interface moves to another namespace" moved_away
ktap_run "the one it was made in is removed" namespace_goes
ktap_run "so is the other" ip netns del "$PREFIX-elsewhere"
ktap_run "everything is made anew" namespace_back
ktap_run "traffic flows again" flows

ktap_run "the namespace is removed with the interface in it" namespace_goes
ktap_run "everything is made anew" namespace_back
ktap_run "traffic flows again" flows

ktap_run "the module is removed" module_goes
ktap_run "it is put back" module_back
ktap_run "traffic flows again" flows

ktap_run "the interface is removed" ip_on a link del wga
ktap_run "nothing uses the module" slowwait 5 unused
ktap_run "every peer created is destroyed" slowwait 5 paired Peer
ktap_run "every interface created is destroyed" slowwait 5 paired Interface
ktap_end
