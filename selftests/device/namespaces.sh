#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# An interface elsewhere than where it was made: its sockets stay, it moves in every
# direction, and each of the two namespaces may go first.
#
# usage: namespaces.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need jq ss socat python3
relay_results=$([ "$KIND_A" = nwg ] && echo 11 || echo 1)
ktap_plan $((17 + 2 * 13 + 2 * 4 + relay_results))
why_gone="the namespace in which the interface was made is gone"

# More nodes beside those of device.sh: x and y, and init, the initial namespace, each
# with a veth pair of its own to b, where its end is eth_NODE.
spaces_up() {
	defer spaces_down
	ip netns add "$PREFIX-x" && ip netns add "$PREFIX-y" && ip netns attach "$PREFIX-init" 1 &&
		wired x 8 && wired y 9 && wired init 10
}

wired() {
	ip_on b link add "eth_$1" type veth peer name "$PREFIX" netns "$PREFIX-$1" &&
		ip -n "$PREFIX-b" -batch - <<-END &&
			address add 10.0.$2.2/24 dev eth_$1
			address add fd00:$2::2/64 dev eth_$1 nodad
			link set eth_$1 up
		END
		ip -n "$PREFIX-$1" -batch - <<-END
			address add 10.0.$2.1/24 dev $PREFIX
			address add fd00:$2::1/64 dev $PREFIX nodad
			link set $PREFIX up
		END
}

spaces_down() {
	ip_on init link del wga 2>/dev/null
	for node in x y init; do
		ip netns del "$PREFIX-$node" 2>/dev/null
	done
}

# all_anew ENDPOINT: everything, with wga made in a.
all_anew() {
	spaces_down
	topology_down
	topology_make && spaces_up && pair_up "$1"
}

pair_up() {
	device_up a "$B" endpoint "$1" && device_up b "$A"
}

# set_on NODE ARGUMENT...: configure wga where it is.
set_on() {
	on "$1" "$(tool "$KIND_A")" set wga "${@:2}"
}

show_on() {
	on "$1" "$(tool "$KIND_A")" show wga "${@:2}"
}

# statistic NODE COUNTER: of wga where it is.
statistic() {
	ip_on "$1" -s -j link show wga | jq ".[0].stats64.$2"
}

more_than() {
	[ "$(statistic "$1" "$2")" -gt "$3" ]
}

# up_on NODE: with what a move takes from it.
up_on() {
	ip -n "$PREFIX-$1" -batch - <<-END
		address add 10.7.0.1/24 dev wga
		address add fd07::1/64 dev wga nodad
		link set wga up
	END
}

moves() {
	ip_on "$1" link set wga netns "$PREFIX-$2" && up_on "$2" &&
		! ip_on "$1" link show wga 2>/dev/null
}

# flows NODE: both ways between b and wga, which is there.
flows() {
	answers "$1" 10.7.0.2 && answers "$1" fd07::2 && answers b 10.7.0.1 && answers b fd07::1
}

# tours NODE...: from each to the next.
tours() {
	while [ $# -gt 1 ]; do
		echo "from $1 to $2"
		moves "$1" "$2" && flows "$2" || return
		shift
	done
}

# listens_in NODE PORT: there, and in no other.
listens_in() {
	local node
	for node in a x y init; do
		if [ "$node" = "$1" ]; then
			listening "$node" udp "$2" || return
		else
			! listening "$node" udp "$2" || return
		fi
	done
}

port_closed() {
	! listening "$1" udp "$2"
}

port_changes() {
	set_on x listen-port 40001 && listens_in a 40001 && port_closed a 51821 && flows x
}

# prohibited NODE add|del: what is marked does not leave there.
prohibited() {
	ip_on "$1" rule "$2" fwmark 0x77 pref 50 prohibit
}

fwmark_counts_in_a() {
	prohibited x add && set_on x fwmark 0x77 && flows x && prohibited x del || return
	prohibited a add && ! answers x 10.7.0.2 2 && set_on x fwmark 0 && flows x &&
		prohibited a del
}

# What is marked inside is not so outside, in another namespace.
mark_stays() {
	prohibited a add && on x ping -q -c 1 -w 5 -m 119 10.7.0.2 && prohibited a del
}

no_netnsid() {
	ip_on x -d -j link show wga | jq -e '.[0] | has("link_netnsid") | not'
}

# In b, so that nothing else holds a namespace: as fast as it goes, whatever happens.
traffic_on() {
	background b sh -c 'while :; do ping -q -f -s 1000 10.7.0.1; sleep 0.1; done' \
		>/dev/null 2>&1
	traffic=$!
}

traffic_off() {
	kill "$traffic" 2>/dev/null
	ip netns pids "$PREFIX-b" | xargs -r kill 2>/dev/null
}

# flooded NODE: traffic goes on arriving there.
flooded() {
	on "$1" ping -q -c 1 -w 10 10.7.0.2 &&
		slowwait 10 more_than "$1" rx.packets $(($(statistic "$1" rx.packets) + 50))
}

tours_under_traffic() {
	local from=x to status=0
	traffic_on
	for to in y a init x y a init x; do
		echo "from $from to $to"
		if ! moves "$from" "$to" || ! flooded "$to"; then
			status=1
			break
		fi
		from=$to
	done
	traffic_off
	return "$status"
}

# The end in b of a namespace's veth pair goes when the namespace is really gone.
gone() {
	! ip_on b link show "$1" 2>/dev/null
}

dies() {
	ip netns del "$PREFIX-$1" && slowwait 20 gone "$2"
}

# make_with_limit N: whether a namespace can be made when N are allowed.
make_with_limit() {
	local limit=/proc/sys/user/max_net_namespaces was status
	was=$(<$limit)
	echo "$1" >$limit
	unshare --net true 2>/dev/null
	status=$?
	echo "$was" >$limit
	return "$status"
}

# others_are N: so many live beside those that there were before the test.
others_are() {
	make_with_limit $((others + $1 + 1))
}

# configured NODE ENDPOINT: a new wga, which is there.
configured() {
	set_on "$1" private-key "$work/a" listen-port 51821 peer "$B" \
		allowed-ips 10.7.0.2/32,fd07::2/128 endpoint "$2" && up_on "$1" && flows "$1"
}

# From a, an interface is ordered for x.
made_elsewhere() {
	ip_on x link del wga && ip_on a link add wga netns "$PREFIX-x" type "$KIND_A" &&
		configured x 10.0.0.2:51822 && listens_in a 51821
}

made_in_init() {
	ip_on x link del wga && ip_on init link add wga type "$KIND_A" &&
		configured init 10.0.10.2:51822
}

no_carrier() {
	ip_on x -j link show wga | jq -e '.[0] | .operstate == "DOWN" and
		(.flags | contains(["UP", "NO-CARRIER"]))'
}

still_told() {
	show_on x
	[ "$(show_on x peers)" = "$B" ] && [ "$(show_on x listen-port)" = 51821 ] &&
		[ "$(show_on x transfer | awk '{ print ($2 > 0 && $3 > 0) }')" = 1 ]
}

peers_change() {
	local other
	other=$(wg genkey | wg pubkey)
	set_on x peer "$other" allowed-ips 10.7.0.3/32 && [ "$(show_on x peers | wc -l)" = 2 ] &&
		set_on x peer "$other" remove && [ "$(show_on x peers)" = "$B" ] &&
		set_on x peer "$B" persistent-keepalive 1 endpoint 10.0.0.22:51822 &&
		wg genkey | set_on x private-key /dev/stdin
}

# What is sent is lost, and nothing else happens.
lost() {
	! answers x 10.7.0.2 2 && ! answers x fd07::2 2
}

# for_lack COMMAND...: refused, and nwg says that it is because of the namespace.
for_lack() {
	local text
	! text=$("$@" 2>&1) || return
	echo "$text"
	[ "$KIND_A" != nwg ] || [[ $text = *$why_gone* ]]
}

# other NODE: of x and y.
other() {
	if [ "$1" = x ]; then echo y; else echo x; fi
}

# tries NODE NAME: an interface has sent or failed to.
tries() {
	ip_on "$1" -s -j link show "$2" |
		jq -e '.[0].stats64.tx | .packets + .errors + .dropped > 0' >/dev/null
}

# Of two interfaces each was made where the other is, and sends into it.
circle() {
	local from to
	for from in x y; do
		to=$(other "$from")
		ip_on "$from" link add "wg$from" type "$KIND_A" &&
			on "$from" "$(tool "$KIND_A")" set "wg$from" private-key "$work/a" \
				peer "$B" allowed-ips 0.0.0.0/0,::/0 persistent-keepalive 1 \
				endpoint "$1" &&
			ip_on "$from" link set "wg$from" netns "$PREFIX-$to" &&
			ip -n "$PREFIX-$to" -batch - <<-END || return
				address add 10.5.0.1/24 dev wg$from
				address add fd05::1/64 dev wg$from nodad
				link set wg$from up
				route add default dev wg$from
				route add ::/0 dev wg$from
			END
	done
	for from in x y; do
		slowwait 10 tries "$(other "$from")" "wg$from" || return
		! on "$from" ping -q -c 20 -i 0.02 -w 2 192.0.2.1 || return
	done
}

# The clients' side is in x, the tunnel's sockets are in a.
relay_added() {
	on x "$NWGCTL" relay add dev wga listen 60000 peer "$B" to 10.7.0.2:7000 &&
		listening x udp 60000
}

# to_relay COMMAND...: while the inner endpoint listens, what has the shape of an initiation is
# sent to the relay; then the command.
to_relay() {
	local got status
	: >"$work/relayed"
	background b timeout 30 socat -u UDP-RECV:7000 "OPEN:$work/relayed,creat,trunc"
	got=$!
	slowwait 10 listening b udp 7000 &&
		on b python3 -c "import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'\1' + bytes(147), ('10.0.8.1', 60000))" &&
		"$@"
	status=$?
	kill "$got"
	wait "$got"
	return "$status"
}

relays() {
	to_relay slowwait 10 test -s "$work/relayed"
}

nothing_comes() {
	! slowwait 3 test -s "$work/relayed"
}

relay_ends() {
	moves x y && port_closed x 60000 && port_closed y 60000 || return
	[ "$(on x "$NWGCTL" relay show)$(on y "$NWGCTL" relay show)" = "" ]
}

said() {
	dmesg | grep -F "wga: $1"
}

relay_moves_back() {
	moves y x && relay_added
}

does_not_relay() {
	to_relay nothing_comes
}

nowhere_else() {
	ip_on x link set wga netns "$PREFIX-y" && for_lack ip_on y link set wga up
}

not_back() {
	! ip_on init link show wga
}

# There are none but those that were there before.
others=0
until make_with_limit $((others + 1)); do ((others++)); done

topology_up || exit 1
spaces_up || exit 1
pair_up 10.0.0.2:51822
ktap_run "traffic flows" flows a
ktap_run "it moves, traffic flows" tours a x
ktap_run "its port is open where it was made, and nowhere else" listens_in a 51821
ktap_run "as of the stock one, ip tells no link-netnsid" no_netnsid
ktap_run "a new port is opened where it was made" port_changes
ktap_run "its fwmark counts where it was made" fwmark_counts_in_a
ktap_run "a mark inside does not count there" mark_stays
ktap_run "it moves back, on, and through the initial namespace" tours x a y init x y a x
ktap_run "its port is still open where it was made, and nowhere else" listens_in a 40001
ktap_run "it moves under traffic" tours_under_traffic
ktap_run "made in one namespace by order from another, it has its port there" made_elsewhere

ktap_run "one is made in the initial namespace" made_in_init
ktap_run "it moves out, on, and back" tours init x y init x
ktap_run "its port is open there, and nowhere else" listens_in init 51821
ktap_run "the namespace where it is is removed" dies x eth_x
ktap_run "its port closes" slowwait 5 port_closed init 51821
ktap_run "it did not go back to where it was made" not_back

for endpoint in 10.0.0.2:51822 '[fd00::2]:51822'; do
	all_anew "$endpoint"
	ktap_run "made anew, it moves; its peer is $endpoint" tours a x
	ktap_run "the namespace where it was made is removed" dies a eth0
	ktap_run "nothing holds that namespace" slowwait 20 others_are 4
	ktap_run "the interface is up, without carrier" slowwait 5 no_carrier
	ktap_run "it tells its configuration and counters" still_told
	ktap_run "what it is to send is lost" lost
	ktap_run "its peers and its key can be changed" peers_change
	ktap_run "its port cannot" for_lack set_on x listen-port 40001
	ktap_run "nor can its fwmark" for_lack set_on x fwmark 1
	ktap_run "it goes down" ip_on x link set wga down
	ktap_run "it does not come up again" for_lack ip_on x link set wga up
	ktap_run "nor does it elsewhere" nowhere_else
	ktap_run "it is deleted" ip_on y link del wga
done

for endpoint in 192.0.2.1:51822 '[2001:db8::1]:51822'; do
	all_anew 10.0.0.2:51822
	ktap_run "two, each made where the other is, send into each other: to $endpoint" \
		circle "$endpoint"
	ktap_run "one namespace is removed" dies x eth_x
	ktap_run "and the other" dies y eth_y
	ktap_run "nothing holds them" slowwait 20 others_are 3
done

if [ "$KIND_A" != nwg ]; then
	ktap_skip "relays over an interface that moved" "the stock module has none"
	ktap_end
fi
all_anew 10.0.0.2:51822
ktap_run "it moves" tours a x
ktap_run "it gets a relay there" relay_added
ktap_run "the relay works" relays
dmesg -C
ktap_run "the interface moves, the relay ends" relay_ends
ktap_run "the log says so" said "Relays removed: they cannot change namespace"
ktap_run "traffic flows" flows y
ktap_run "it moves back and gets a relay anew" relay_moves_back
ktap_run "the namespace where it was made is removed" dies a eth0
ktap_run "what comes for the relay is lost" does_not_relay
ktap_run "the namespace with interface and relay is removed" dies x eth_x
ktap_run "nothing holds them" slowwait 20 others_are 3
ktap_end
