#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl doctor: each thing that it finds is brought about, found, and gone when it is mended.
#
#    pc ---------- vps ---------- mt
#       192.0.2.2/.1  198.51.100.1/.2
#    ==== wg0: 10.7.0.2 ========= 10.7.0.1
#    pc --UDP--> vps:60000 --inside wg1--> mt 172.16.1.254:60000
#                ==== wg1: 172.16.1.1 == .254

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}

on() {
	ip netns exec "doc-$1" "${@:2}"
}

ctl() {
	"$NWGCTL" -n "doc-$1" "${@:2}"
}

# tunnel NODE DEVICE ADDRESS MTU SET-ARGUMENT...
tunnel() {
	local node=$1 device=$2 address=$3 mtu=$4
	ip -n "doc-$node" link add "$device" mtu "$mtu" type nwg &&
		ctl "$node" set "$device" private-key "$work/$node-$device" "${@:5}" &&
		ip -n "doc-$node" addr add "$address" dev "$device" &&
		ip -n "doc-$node" link set "$device" up
}

mt_wg1() {
	tunnel mt wg1 172.16.1.254/24 1420 \
		peer "${public[vps-wg1]}" allowed-ips 172.16.1.0/24 endpoint 198.51.100.1:60100 persistent-keepalive 25
}

add_relay() {
	ctl vps relay add dev wg1 listen 60000 peer "${public[mt-wg1]}" to 172.16.1.254:60000 "$@"
}

topology() {
	local node link
	for node in pc vps mt; do
		ip netns add "doc-$node"
		defer ip netns del "doc-$node"
		ip -n "doc-$node" link set lo up
	done
	for link in pc-wg0 mt-wg0 vps-wg1 mt-wg1; do
		"$NWGCTL" genkey >"$work/$link"
		public[$link]=$("$NWGCTL" pubkey <"$work/$link")
	done
	ip link add vps netns doc-pc type veth peer name pc netns doc-vps
	ip link add mt netns doc-vps type veth peer name vps netns doc-mt
	ip -n doc-pc addr add 192.0.2.2/24 dev vps
	ip -n doc-vps addr add 192.0.2.1/24 dev pc
	ip -n doc-vps addr add 198.51.100.1/24 dev mt
	ip -n doc-mt addr add 198.51.100.2/24 dev vps
	ip -n doc-pc link set vps up
	ip -n doc-vps link set pc up
	ip -n doc-vps link set mt up
	ip -n doc-mt link set vps up
	tunnel vps wg1 172.16.1.1/24 1420 listen-port 60100 \
		peer "${public[mt-wg1]}" allowed-ips 172.16.1.254/32
	mt_wg1
	tunnel mt wg0 10.7.0.1/24 1360 listen-port 60000 \
		peer "${public[pc-wg0]}" allowed-ips 10.7.0.2/32
	tunnel pc wg0 10.7.0.2/24 1360 \
		peer "${public[mt-wg0]}" allowed-ips 10.7.0.1/32 endpoint 192.0.2.1:60000
	add_relay responder "${public[mt-wg0]}"
}

# found NODE ID [SECONDS]: the doctor says so, and ends with 1.
found() {
	local text status
	text=$(skip_idle ctl "$1" -j doctor seconds "${3:-0}")
	status=$?
	[ "$status" -eq 1 ] && jq -e --arg id "$2" 'any(.[]; .id == $id and .what != "" and .remedy != "")' <<<"$text" \
		>/dev/null && return
	echo "exit status $status, no $2:" "$text"
	return 1
}

# noted NODE ID [SECONDS]: it says so, and that nothing is wrong.
noted() {
	local text
	text=$(skip_idle ctl "$1" -j doctor seconds "${3:-0}") &&
		jq -e --arg id "$2" 'all(.[]; .note) and ([.[] | select(.id == $id and .remedy != "")] | length == 1)' \
			<<<"$text" >/dev/null && return
	echo "$text"
	return 1
}

# beside NODE ID: a note, whatever else it says.
beside() {
	local text
	text=$(skip_idle ctl "$1" -j doctor seconds 0)
	jq -e --arg id "$2" 'any(.[]; .id == $id and .note)' <<<"$text" >/dev/null && return
	echo "$text"
	return 1
}

# gone NODE ID [SECONDS]: whatever else it says, this not.
gone() {
	local text
	text=$(skip_idle ctl "$1" -j doctor seconds "${3:-0}")
	jq -e --arg id "$2" 'all(.[]; .id != $id)' <<<"$text" >/dev/null && return
	echo "$text"
	return 1
}

# healthy NODE [SECONDS]
healthy() {
	local text
	text=$(skip_idle ctl "$1" doctor seconds "${2:-0}" 2>&1) &&
		grep -qx 'Nothing is wrong.' <<<"$text" && ! grep -q '^Note' <<<"$text" && return
	echo "$text"
	return 1
}

# told PATTERN NODE: a line for people.
told() {
	local text
	text=$(ctl "$2" doctor seconds 0)
	grep -qE -- "$1" <<<"$text" && return
	echo "$text"
	return 1
}

reaches() {
	on pc ping -q -c 1 -W 5 10.7.0.1
}

restart_pc() {
	ip -n doc-pc link set wg0 down && ip -n doc-pc link set wg0 up
}

# refused STATUS WORDS COMMAND...
refused() {
	local text status
	text=$("${@:3}" 2>&1)
	status=$?
	[ "$status" -eq "$1" ] && grep -qF -- "$2" <<<"$text" && return
	echo "exit status $status: $text"
	return 1
}

instances=/sys/kernel/tracing/instances

# Interrupted while it watches, it leaves no tracing on.
interrupted() {
	local doctor status
	"$NWGCTL" -n doc-vps doctor seconds 600 &
	doctor=$!
	slowwait 30 is_watching
	kill -TERM "$doctor"
	wait "$doctor"
	status=$?
	[ "$status" -eq 1 ] && ! is_watching && return
	echo "exit status $status"
	ls "$instances"
	return 1
}

# Not before that it has taken the signals.
is_watching() {
	[ -n "$(ls "$instances")" ]
}

# unwatched COMMAND...: that tracing is not to be had is said.
unwatched() {
	local text
	text=$("$@") && jq -e 'any(.[]; .id == "not-watched" and .note)' <<<"$text" >/dev/null && return
	echo "$text"
	return 1
}

# An instance of that name is somebody else's, and stays.
not_its_own() {
	unwatched bash -c "mkdir $instances/nwgctl-\$\$; exec '$NWGCTL' -n doc-vps -j doctor seconds 1" &&
		rmdir "$instances"/nwgctl-*
}

# early RULE...: of a raw chain.
early() {
	on vps nft -f - <<-EOF
		table inet early
		delete table inet early
		table inet early {
			chain early { type filter hook prerouting priority raw; $* }
		}
	EOF
}

# Somebody sends one packet, and nobody is to answer.
tries() {
	on "$1" ping -q -c 1 -W 1 "$2" >/dev/null
	true
}

ktap_need ip iptables ping jq nft python3 setpriv unshare
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "module nwg is not loaded: run by selftests/run"
work=$(mktemp -d)
defer rm -rf "$work"
umask 077
declare -A public
ktap_plan 72

ip netns add doc-none
defer ip netns del doc-none
rmmod nwg
ktap_run "the module is not loaded" found none no-module
ktap_run "people are told what to load" told 'modprobe nwg' none
if modprobe wireguard; then
	ktap_run "the stock module is in the way" told 'modprobe -r wireguard first' none
	# Alone: nwg needs others that came with it.
	rmmod wireguard
else
	ktap_skip "the stock module is in the way" "there is none"
fi
insmod "$NWG_MODULE"
ktap_run "where there is nothing, nothing is wrong" healthy none
now=$(date +%s)
date -qs @1000000000 >/dev/null 2>&1 || date -s @1000000000 >/dev/null
ktap_run "the clock is wrong" found none clock
date -s "@$((now + 1))" >/dev/null
ktap_run "refused: a word that it does not know" eval "ctl none doctor all 2>&1 | grep -F 'Invalid argument: all'"
ktap_run "refused: seconds that are none" refused 1 'seconds is not a number from 0 to 86400' ctl none doctor seconds x
ktap_run "refused: more than a day" refused 1 "to 86400: \`86401'" ctl none doctor seconds 86401
ktap_run "refused: seconds twice" refused 1 "\`seconds' is there twice" ctl none doctor seconds 1 seconds 1

topology
ktap_run "the pc reaches the mt" reaches
for node in pc vps mt; do
	ktap_run "nothing is wrong at the $node" healthy $node
done
ktap_run "refused: who may not see the interfaces" refused 2 'Operation not permitted' \
	on vps setpriv --bounding-set=-net_admin,-sys_admin "$NWGCTL" doctor seconds 0
ktap_run "interrupted, it leaves no tracing on" interrupted
ktap_run "nor takes away somebody else's" not_its_own
ktap_run "without tracing it says so" unwatched \
	unshare -m bash -c "umount /sys/kernel/tracing; exec '$NWGCTL' -n doc-vps -j doctor seconds 1"

# The interface.
ip -n doc-mt link set wg1 down
ktap_run "an interface is down" found mt down
ip -n doc-mt link set wg1 up
ip -n doc-pc link add wg8 type nwg
ktap_run "an interface has no private key" found pc no-private-key
ip -n doc-pc link del wg8
ip -n doc-vps link set wg1 mtu 1500
slowwait 5 reaches >/dev/null
ktap_run "an MTU is too large for the way" found vps mtu
ip -n doc-vps link set wg1 mtu 1420
ctl pc set wg0 peer "${public[mt-wg0]}" endpoint 203.0.113.9:60000
ktap_run "there is no route to an endpoint" found pc unreachable
ctl pc set wg0 peer "${public[mt-wg0]}" endpoint 192.0.2.1:60000

# Why there is no handshake. Who initiates does so again after five seconds.
stranger() {
	tunnel pc wg8 10.8.0.2/24 1420 peer "$1" allowed-ips 10.8.0.0/24 endpoint 192.0.2.1:60100 persistent-keepalive 1
}
cp "$work/pc-wg0" "$work/pc-wg8"
stranger "${public[mt-wg0]}"
ktap_run "somebody has another public key for this end" found vps wrong-public-key 6
ktap_run "people are told which it is" eval "skip_idle ctl vps doctor seconds 6 | grep -F '${public[vps-wg1]}'"
ip -n doc-pc link del wg8
stranger "${public[vps-wg1]}"
ktap_run "somebody is no peer" found vps unknown-peer 6
ip -n doc-pc link del wg8
ip -n doc-mt link del wg1
date -s "@$(($(date +%s) - 3600))" >/dev/null
mt_wg1
ktap_run "a peer's clock was set back" found vps old-time-stamp 6
date -s "@$(($(date +%s) + 7200))" >/dev/null
slowwait 20 reaches >/dev/null
ktap_run "and right again" healthy vps 6
"$NWGCTL" genpsk >"$work/psk"
ctl vps set wg1 peer "${public[mt-wg1]}" preshared-key "$work/psk"
ip -n doc-mt link set wg1 down
ip -n doc-mt link set wg1 up
ktap_run "a preshared key is at one end only" found mt not-authentic 6
ctl vps set wg1 peer "${public[mt-wg1]}" preshared-key /dev/null
slowwait 20 reaches >/dev/null
on vps nft -f - <<-EOF
	table inet filter {
		chain input { type filter hook input priority 0; udp dport 60100 drop; }
	}
EOF
skip_idle sleep 220
ktap_run "the other end is gone" found mt no-answer
ktap_run "people are told for how long" told 'has not answered for [3-9] minutes' mt
ktap_run "who waits for it has a note" beside vps quiet
ktap_run "and is told which rule keeps it out" found vps input-drop
ktap_run "by its place" told 'table inet filter, chain input: udp dport 60100 drop' vps
ip -n doc-mt link del wg1
mt_wg1
ktap_run "the other end's port is blocked" found mt no-answer
on vps nft delete table inet filter
ip -n doc-mt link set wg1 down
ip -n doc-mt link set wg1 up
slowwait 20 reaches >/dev/null
ktap_run "which is gone" gone vps input-drop

# The relay.
ctl vps relay del listen 60000
add_relay
ktap_run "a relay that lets in all that looks like WireGuard" found vps no-responder
ctl vps relay set listen 60000 responder "${public[vps-wg1]}"
restart_pc
tries pc 10.7.0.1
ktap_run "a relay with another responder" found vps wrong-responder 6
ctl vps relay set listen 60000 responder "${public[mt-wg0]}"
restart_pc
slowwait 20 reaches >/dev/null
ktap_run "and with the right one" healthy vps 6
ctl vps relay del listen 60000
add_relay responder "${public[mt-wg0]}"
ip -n doc-mt link set wg0 down
restart_pc
on pc ping -q -c 1 -W 4 10.7.0.1 >/dev/null
ktap_run "the home's inner WireGuard does not answer" found vps home-silent
ip -n doc-mt link set wg0 up
restart_pc
slowwait 20 reaches >/dev/null
ktap_run "and does again" healthy vps
ip -n doc-pc link set wg0 mtu 1420
on pc ping -q -c 1 -W 5 -s 1392 10.7.0.1 >/dev/null
ktap_run "an inner MTU is too large" found vps inner-mtu
ktap_run "people are told which fits" told 'MTU = 1360' vps
ip -n doc-pc link set wg0 mtu 1360
ctl vps relay set listen 60000 max-flows 1
ctl pc set wg0 listen-port 50001
restart_pc
tries pc 10.7.0.1
ktap_run "a relay is full" found vps pressed
ctl vps relay set listen 60000 max-flows 4096
ctl vps relay del listen 60000
add_relay responder "${public[mt-wg0]}"
ctl vps set wg1 peer "${public[mt-wg1]}" remove
ktap_run "a relay's peer is not there" found vps no-peer
ctl vps set wg1 peer "${public[mt-wg1]}" allowed-ips 172.16.1.254/32,fd16::/64
ip -n doc-mt link set wg1 down
ktap_run "the home has not dialled in" found vps not-dialled-in
ip -n doc-mt link set wg1 up
slowwait 20 reaches >/dev/null
ctl vps relay add dev wg1 listen 60006 peer "${public[mt-wg1]}" to '[fd16::1]:60000' responder "${public[mt-wg0]}"
ctl pc set wg0 peer "${public[mt-wg0]}" endpoint 192.0.2.1:60006
restart_pc
tries pc 10.7.0.1
ktap_run "an interface without an address of the family" found vps no-address 6
ip -n doc-vps addr add fd16::2/64 dev wg1 nodad
ktap_run "and with one" gone vps no-address 6
ip -n doc-vps addr del fd16::2/64 dev wg1
ctl vps relay del listen 60006
ctl pc set wg0 peer "${public[mt-wg0]}" endpoint 192.0.2.1:60000
restart_pc
slowwait 20 reaches >/dev/null
ktap_run "nothing is wrong again" healthy vps

# The machine.
on vps sysctl -qw net.ipv4.ip_forward=1
ktap_run "forwarding is on, and not needed" noted vps forwarding
on vps sysctl -qw net.ipv4.ip_forward=0
on vps sysctl -qw net.ipv6.conf.all.forwarding=1
ktap_run "and of IPv6" told 'forwards IPv6' vps
on vps sysctl -qw net.ipv6.conf.all.forwarding=0
early 'udp dport { 53, 60000 } drop;'
ktap_run "a raw chain drops what is for the relay" found vps raw-drop
ktap_run "people are told which" told 'table inet early, chain early' vps
early 'udp dport 60000 accept; udp dport { 53, 60000 } drop;'
ktap_run "or accepts it before" healthy vps
early 'policy drop;'
ktap_run "its policy does" found vps raw-drop
early 'policy drop; udp dport 60000 accept;'
ktap_run "or it is accepted before" healthy vps
early 'ip saddr 203.0.113.66 udp dport 60000 drop;'
ktap_run "a filter of sources is a note" noted vps raw-may-drop
early 'udp dport 60000 limit rate over 1000/second drop;'
ktap_run "a limit is one, too" noted vps raw-may-drop
early 'tcp dport 60000 drop; udp dport 53 drop; icmp type echo-request drop;'
ktap_run "what drops something else is right" healthy vps
on vps nft delete table inet early
on vps nft -f - <<-EOF
	table inet late {
		chain late { type filter hook input priority filter; udp dport 60000 drop; }
	}
	table inet nwg-wg1 {
		chain addresses { type filter hook prerouting priority raw; iifname != "wg1" ip daddr 172.16.1.1 drop; }
	}
EOF
ktap_run "what comes behind the relay, or what up makes, too" healthy vps
on vps nft delete table inet late
on vps nft delete table inet nwg-wg1
on vps iptables -t raw -A PREROUTING -p tcp --tcp-flags ALL NONE -j DROP
on vps iptables -t raw -A PREROUTING -p icmp -j DROP
on vps iptables -t raw -A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
on vps iptables -t raw -A PREROUTING -p udp -m multiport --dports 53,123 -j DROP
ktap_run "what iptables drops of something else is right" healthy vps
on vps iptables -t raw -A PREROUTING -p udp --dport 59000:61000 -j DROP
ktap_run "iptables drops what is for the relay" found vps raw-drop
once() {
	local text
	text=$(ctl vps -j doctor seconds 0)
	jq -e '[.[] | select(.id | startswith("raw"))] | length == 1' <<<"$text" >/dev/null && return
	echo "$text"
	return 1
}
ktap_run "which is found once" once
on vps iptables -t raw -F
on vps nft -f - <<-EOF
	table ip nat {
		chain translate { type nat hook prerouting priority dstnat; udp dport 60000 dnat to 172.16.1.254:60000; }
	}
EOF
ktap_run "an old rule translates the port" found vps old-dnat
ktap_run "people are told where to" told '172.16.1.254' vps
on vps nft delete table ip nat
on vps nft -f - <<-EOF
	table ip nat {
		chain translate { type nat hook prerouting priority dstnat; udp dport 60000-60009 dnat to 172.16.1.254; }
	}
EOF
ktap_run "one that translates other ports, too, is a note" noted vps old-dnat
ktap_run "with these" told 'take port 60000 out of it, not all of it: 60001-60009 may be needed' vps
on vps nft delete table ip nat

# The files.
mkdir -p /etc/nwg
conf=/etc/nwg/wg1.conf
conf() {
	printf '%s\n' '[Interface]' "PrivateKey = $(cat "$work/vps-wg1")" "$@" >"$conf"
}
conf 'Adress = 10.0.0.1/24' '[Relay]' 'Listen = 0'
ktap_run "a file cannot be read" found vps file
conf '[Relay]' 'Listen = 60007' "Peer = ${public[mt-wg1]}" 'To = 172.16.1.254:60000'
ktap_run "a relay of a file is not there" found vps no-relay
conf 'Kind = wireguard'
ktap_run "an interface is of another kind than its file" found vps other-kind
conf '[Relay]' 'Listen = 60007' "Peer = ${public[mt-wg1]}" 'To = 172.16.1.254:60000'
ip netns exec doc-vps python3 -c 'import socket, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 60007))
time.sleep(600)' &
holder=$!
has_port() {
	on vps ss -Huln sport = :60007 | grep -q .
}
slowwait 10 has_port >/dev/null
ktap_run "as a program has its port" found vps port-taken
kill "$holder"
cp /etc/nwg/wg1.conf /etc/nwg/wg7.conf
ktap_run "an interface of a file is not there" found vps not-up
rm -r /etc/nwg
mkdir -p /etc/wireguard
conf=/etc/wireguard/wg1.conf
conf '[Relay]' 'Listen = 60007' "Peer = ${public[mt-wg1]}" 'To = 172.16.1.254:60000'
ktap_run "a file of wg-quick is read, too" found vps no-relay
rm "$conf"
ktap_run "nothing is wrong in the end" healthy vps
ktap_end
