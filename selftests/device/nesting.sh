#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tunnels inside each other, and tunnels whose packets lead back into them.
#
# usage: nesting.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"
. "$here/../lib/memory.sh"

[ "$KIND_A" != go ] || ktap_skip_all "wireguard-go cuts no loops"
ktap_plan 24
DEPTH=12
tracer=/proc/sys/kernel/stack_tracer_enabled

# nested END OTHER PEER-KEY: tunnels n1, n2, ... to the other end, each inside the one
# before, in turn over v4 and over v6.
nested() {
	local end=$1 own=1 other=2 level outer
	[ "$end" = a ] || own=2 other=1
	for ((level = 1; level <= DEPTH; level++)); do
		case $level in
		1) outer=10.0.0.$other ;;
		*[02468]) outer=[fd08:$((level - 1))::$other] ;;
		*) outer=10.8.$((level - 1)).$other ;;
		esac
		link_add "$end" "n$level" &&
			wg_on "$end" set "n$level" private-key "$work/$end" \
				listen-port $((52000 + level)) peer "$2" \
				allowed-ips "10.8.$level.$other/32,fd08:$level::$other/128" \
				endpoint "$outer:$((52000 + level))" &&
			ip -n "$PREFIX-$end" -batch - <<-END || return
				address add 10.8.$level.$own/24 dev n$level
				address add fd08:$level::$own/64 dev n$level nodad
				link set n$level up
			END
	done
}

all_nested() {
	nested a "$B" && nested b "$A"
}

# Small packets, and such as every tunnel makes fragments of for the next.
level_works() {
	answers a "10.8.$1.2" && answers a "fd08:$1::2" && answers b "10.8.$1.1" &&
		on a ping -q -c 3 -i 0.1 -W 2 -s 1392 "10.8.$1.2" &&
		on b ping -q -c 3 -i 0.1 -W 2 -s 1372 "fd08:$1::1"
}

# tx COUNTER...: sum over the interfaces under test, wherever they are.
tx() {
	local node
	for node in a x; do
		[ ! -e "/run/netns/$PREFIX-$node" ] ||
			ip -n "$PREFIX-$node" -s -o link show type "$KIND_A" || return
	done | awk -F '[\\\\]' -v wanted=" $* " '
		{
			for (i = 1; i < NF; i++) {
				if ($i !~ /TX:/)
					continue
				split($i, name, " ")
				count = split($(i + 1), value, " ")
				for (j = 1; j <= count; j++)
					if (index(wanted, " " name[j + 1] " "))
						sum += value[j]
			}
		}
		END { print sum + 0 }'
}

lost_are() {
	local now
	now=$(tx errors dropped)
	echo "$now packets lost, at least $1 expected"
	[ "$now" -ge "$1" ]
}

# cut NODE ADDRESS [SIZE]: 20 packets do not arrive, which is counted, and do not go
# round for ever.
cut() {
	local before
	before=$(tx errors dropped) || return
	! on "$1" ping -q -c 20 -i 0.02 -w 2 -s "${3:-56}" "$2" &&
		lost_are $((before + 20)) && comes_to_rest
}

comes_to_rest() {
	slowwait 10 at_rest
}

at_rest() {
	local before
	before=$(tx packets) || return
	sleep 0.5
	[ "$(tx packets)" -eq "$before" ]
}

# One level more than nwg goes through: nothing is answered, and the outermost tunnel drops it all. What
# the stock module does not answer has to be counted.
accounted() {
	local before outermost sent answered
	before=$(tx errors dropped) outermost=$(dropped_by n1) || return
	read -r sent answered < <(on a ping -q -c 20 -i 0.1 -w 10 "10.8.$1.2" |
		sed -n 's/^\([0-9]*\) .* \([0-9]*\) received.*/\1 \2/p')
	echo "$answered of $sent answered"
	if [ "$KIND_A" = nwg ]; then
		outermost=$(($(dropped_by n1) - outermost))
		echo "$outermost dropped by the outermost"
		[ "$sent" -ge 20 ] && [ "$answered" -eq 0 ] && [ "$outermost" -ge "$sent" ]
	else
		lost_are $((before + sent - answered))
	fi
}

dropped_by() {
	on a cat "/sys/class/net/$1/statistics/tx_dropped"
}

# The deepest, whatever becomes of it, leaves the others as they are.
deepest() {
	on a ping -q -f -c 200 -w 10 "10.8.$DEPTH.2"
	on b ping -q -f -c 200 -w 10 "10.8.$DEPTH.1"
	level_works 4
}

nested_down() {
	local end level
	for end in a b; do
		for ((level = 1; level <= DEPTH; level++)); do
			ip_on "$end" link del "n$level" || return
		done
	done
}

pair_up() {
	device_up a "$B" endpoint "$1" && device_up b "$A" && answers a 10.7.0.2
}

# into_itself ADDRESS ENDPOINT: with a session, the way to the endpoint leads in there.
into_itself() {
	pair_up "$2" && wg_on a set wga peer "$B" allowed-ips "10.7.0.2/32,$1" &&
		ip_on a route add "$1" dev wga && cut a 10.7.0.2
}

# recovers ROUTE...: without those routes traffic flows as before.
recovers() {
	local route
	for route; do
		# shellcheck disable=SC2086 # a route is several words
		ip_on a route del $route || return
	done
	answers a 10.7.0.2
}

# Everything by the tunnel, but its own packets by what is marked.
default_route() {
	ip_on b address add 192.0.2.1/32 dev lo && ip_on a route add default via 10.0.0.2 &&
		pair_up 192.0.2.1:51822 &&
		wg_on a set wga fwmark 0x77 peer "$B" allowed-ips 0.0.0.0/0 &&
		ip_on a route add default dev wga table 77 &&
		ip_on a rule add not fwmark 0x77 lookup 77 pref 100 &&
		ip_on a rule add lookup main suppress_prefixlength 0 pref 99 &&
		answers a 10.7.0.2 && answers a 192.0.2.1
}

without_mark() {
	wg_on a set wga fwmark 0 && cut a 10.7.0.2 && cut a 192.0.2.1
}

with_mark() {
	wg_on a set wga fwmark 0x77 && answers a 10.7.0.2 && answers a 192.0.2.1 &&
		ip_on a rule del pref 100 && ip_on a rule del pref 99 &&
		ip_on a route del default via 10.0.0.2
}

# Each of two leads into the other.
into_each_other() {
	pair_up 10.0.0.2:51822 && link_add a wgz && link_add b wgz &&
		wg_on a set wgz private-key "$work/a" listen-port 51831 peer "$B" \
			allowed-ips 10.9.0.2/32,10.0.0.2/32 endpoint 10.0.0.22:51832 &&
		wg_on b set wgz private-key "$work/b" listen-port 51832 peer "$A" \
			allowed-ips 10.9.0.1/32 &&
		ip_on a address add 10.9.0.1/24 dev wgz && ip_on a link set wgz up &&
		ip_on b address add 10.9.0.2/24 dev wgz && ip_on b link set wgz up &&
		answers a 10.9.0.2 &&
		wg_on a set wga peer "$B" allowed-ips 10.7.0.2/32,10.0.0.22/32 &&
		ip_on a route add 10.0.0.22 dev wga && ip_on a route add 10.0.0.2 dev wgz &&
		cut a 10.7.0.2 && cut a 10.9.0.2
}

# The sockets' namespace sends what they send back into the interface's.
by_another_namespace() {
	ip netns add "$PREFIX-x" &&
		ip_on a link add to_x type veth peer name to_a netns "$PREFIX-x" &&
		pair_up 10.0.0.2:51822 &&
		wg_on a set wga peer "$B" allowed-ips 10.7.0.2/32,10.0.0.2/32 &&
		ip_on a link set wga netns "$PREFIX-x" || return
	ip -n "$PREFIX-a" -batch - <<-END &&
		address add 10.3.0.1/24 dev to_x
		link set to_x up
	END
		ip -n "$PREFIX-x" -batch - <<-END &&
			address add 10.3.0.2/24 dev to_a
			address add 10.7.0.1/24 dev wga
			link set to_a up
			link set wga up
			route add default via 10.3.0.1
			route add 10.0.0.2 dev wga
		END
		on x sysctl -qw net.ipv4.ip_forward=1 && answers x 10.7.0.2 &&
		ip_on a route add 10.0.0.2 via 10.3.0.2 || return
	# The stock module lets large packets go round for ever, in more and more fragments.
	if [ "$KIND_A" = nwg ]; then
		cut x 10.7.0.2 && cut x 10.7.0.2 1392
	else
		! on x ping -q -c 20 -i 0.02 -w 2 10.7.0.2 && comes_to_rest
	fi
}

# What is too big for the way of the outer packet leaves in fragments, which have a header of their
# own over v6.
in_fragments() {
	ip_on a address add fd03::1/64 dev to_x nodad &&
		ip -n "$PREFIX-x" -batch - <<-END &&
			address add fd03::2/64 dev to_a nodad
			link set wga mtu 1500
		END
		on x sysctl -qw net.ipv6.conf.all.forwarding=1 &&
		on x "$(tool "$KIND_A")" set wga peer "$B" endpoint '[fd00::2]:51822' \
			allowed-ips 10.7.0.2/32,10.0.0.2/32,fd00::2/128 &&
		answers x 10.7.0.2 && ip -n "$PREFIX-x" route add fd00::2 dev wga &&
		ip_on a route add fd00::2 via fd03::2 &&
		cut x 10.7.0.2 && cut x 10.7.0.2 1400 || return
	ip -n "$PREFIX-x" link set wga mtu 1420 && ip_on a route del fd00::2 via fd03::2 &&
		on x "$(tool "$KIND_A")" set wga peer "$B" endpoint 10.0.0.2:51822
}

there_as_well() {
	ip_on a route del 10.0.0.2 via 10.3.0.2 && answers x 10.7.0.2
}

# Without a session the packets wait, and the initiations are lost.
without_session() {
	local before
	device_up a "$B" endpoint 10.0.0.2:51822 &&
		wg_on a set wga peer "$B" allowed-ips 0.0.0.0/0 &&
		ip_on a route add 10.0.0.2 dev wga || return
	before=$(tx errors dropped) || return
	! on a ping -q -c 200 -i 0.01 -w 5 10.7.0.2 && lost_are $((before + 200 - 128)) &&
		comes_to_rest && { [ "$KIND_A" != nwg ] || gives_up; } &&
		ip_on a route del 10.0.0.2 dev wga
}

# An initiation that comes back is not a packet that wants a handshake: it would never end, as it does
# not with the stock module.
gives_up() {
	local before
	skip_idle sleep 100
	before=$(tx packets errors dropped)
	skip_idle sleep 20
	[ "$(tx packets errors dropped)" -eq "$before" ]
}

all_deleted() {
	ip netns del "$PREFIX-x" && ip_on a link del wgz && ip_on b link del wgz
}

stack_used() {
	cat /sys/kernel/tracing/stack_trace
	[ "$(<"/sys/kernel/tracing/stack_max_size")" -le 12288 ]
}

tracer_off() {
	echo 0 >"$tracer"
}

other_down() {
	ip netns del "$PREFIX-x" 2>/dev/null
}

topology_up || exit 1
defer other_down
if [ -e $tracer ]; then
	echo 1 >$tracer
	defer tracer_off
fi
ktap_run "$DEPTH tunnels, each inside the one before" all_nested
for level in 1 2 3 4; do
	ktap_run "$level deep: packets of all sizes are answered" level_works $level
done
ktap_run "5 deep: none is answered, and all are dropped and counted" accounted 5
ktap_run "$DEPTH deep: whatever becomes of them, the rest works" deepest
ktap_run "all are deleted" nested_down
before=$(memory)

ktap_run "a way to the endpoint that leads into the interface, v4: cut" \
	into_itself 10.0.0.2/32 10.0.0.2:51822
ktap_run "without it traffic flows again" recovers "10.0.0.2 dev wga"
ktap_run "the same, v6" into_itself fd00::2/128 '[fd00::2]:51822'
ktap_run "without it traffic flows again" recovers "fd00::2 dev wga"
ktap_run "the same, without a session" without_session
ktap_run "a default route through the tunnel, with its fwmark" default_route
ktap_run "without: cut" without_mark
ktap_run "with it again" with_mark
ktap_run "two interfaces that lead into each other: cut" into_each_other
ktap_run "without those ways traffic flows again" recovers "10.0.0.2 dev wgz" "10.0.0.22 dev wga"
ktap_run "a way back by another namespace: cut" by_another_namespace
better "the same over v6, in fragments: cut" in_fragments
ktap_run "without it traffic flows again" there_as_well
ktap_run "all are deleted" all_deleted
memory_returns "nothing of it is kept" "$before"
if [ -e $tracer ]; then
	ktap_diag "stack, bytes = $(</sys/kernel/tracing/stack_max_size)"
	ktap_run "a quarter of the stack is left" stack_used
else
	ktap_skip "a quarter of the stack is left" "the kernel has no stack tracer"
fi
ktap_end
