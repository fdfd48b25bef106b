#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl relay and flow: what they do, show and refuse.
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
	ip netns exec "ctl-$1" "${@:2}"
}

ctl() {
	"$NWGCTL" -n "ctl-$1" "${@:2}"
}

# tunnel NODE DEVICE ADDRESS MTU SET-ARGUMENT...
tunnel() {
	local node=$1 device=$2 address=$3 mtu=$4
	ip -n "ctl-$node" link add "$device" mtu "$mtu" type nwg &&
		ctl "$node" set "$device" private-key "$work/$node-$device" "${@:5}" &&
		ip -n "ctl-$node" addr add "$address" dev "$device" &&
		ip -n "ctl-$node" link set "$device" up
}

# A terminal is not told what to do by a name; programs get it as it is.
odd_name() {
	local name=$'w\e[2J' shown
	ip netns exec ctl-pc ip link add "$name" type nwg &&
		[[ " $(ctl pc show interfaces) " == *" $name "* ]] || return
	for shown in 'show interfaces' show 'show all listen-port'; do
		shown=$(script -qec "$NWGCTL -n ctl-pc --color=never $shown" /dev/null)
		[[ $shown == *'w?[2J'* && $shown != *$'\e'* ]] || { echo "$shown" && return 1; }
	done
	ip -n ctl-pc link del "$name"
}

topology() {
	local node link
	for node in pc vps mt; do
		ip netns add "ctl-$node"
		defer ip netns del "ctl-$node"
		ip -n "ctl-$node" link set lo up
	done
	for link in pc-wg0 mt-wg0 vps-wg1 mt-wg1; do
		"$NWGCTL" genkey >"$work/$link"
		public[$link]=$("$NWGCTL" pubkey <"$work/$link")
	done
	ip link add vps netns ctl-pc type veth peer name pc netns ctl-vps
	ip link add mt netns ctl-vps type veth peer name vps netns ctl-mt
	ip -n ctl-pc addr add 192.0.2.2/24 dev vps
	ip -n ctl-vps addr add 192.0.2.1/24 dev pc
	ip -n ctl-vps addr add 198.51.100.1/24 dev mt
	ip -n ctl-mt addr add 198.51.100.2/24 dev vps
	ip -n ctl-pc link set vps up
	ip -n ctl-vps link set pc up
	ip -n ctl-vps link set mt up
	ip -n ctl-mt link set vps up
	tunnel vps wg1 172.16.1.1/24 1420 listen-port 60100 \
		peer "${public[mt-wg1]}" allowed-ips 172.16.1.254/32
	tunnel mt wg1 172.16.1.254/24 1420 \
		peer "${public[vps-wg1]}" allowed-ips 172.16.1.0/24 endpoint 198.51.100.1:60100 persistent-keepalive 25
	tunnel mt wg0 10.7.0.1/24 1360 listen-port 60000 \
		peer "${public[pc-wg0]}" allowed-ips 10.7.0.2/32
	tunnel pc wg0 10.7.0.2/24 1360 \
		peer "${public[mt-wg0]}" allowed-ips 10.7.0.1/32 endpoint 192.0.2.1:60000
}

# What all relays on the vps are to do; what comes meanwhile, a keepalive of the pc's, is none of it.
relays() {
	ctl vps -j relay show |
		jq -c 'map(del(.forward, .reverse, .pressed, .flows["established", "new", "tentative"]))'
}

# refused STATUS WORDS ARGUMENT...: nwgctl on the vps ends with STATUS and says WORDS, and
# the relays are what they were.
refused() {
	local status=$1 words=$2 before after got name
	shift 2
	name="refused: ${*//[A-Za-z0-9+\/]*=/KEY}"
	before=$(relays)
	ctl vps "$@" >"$work/out" 2>"$work/err"
	got=$?
	after=$(relays)
	if [ $got -ne "$status" ] || ! grep -qF -- "$words" "$work/err" || [ -s "$work/out" ] ||
		[ "$before" != "$after" ]; then
		ktap_fail "$name" "exit status $got, not $status, or not with \`$words':" "$(cat "$work/err")" \
			"$before" "$after"
	else
		ktap_ok "$name"
	fi
}

# json FILTER ARGUMENT...: jq's FILTER holds for what nwgctl -j prints on the vps.
json() {
	local filter=$1 text
	shift
	text=$(ctl vps -j "$@")
	jq -e "$filter" <<<"$text" >/dev/null && return
	echo "$filter: $text"
	return 1
}

# text PATTERN ARGUMENT...: a line of what nwgctl prints on the vps has PATTERN.
text() {
	local pattern=$1 text
	shift
	text=$(ctl vps "$@")
	grep -qE -- "$pattern" <<<"$text" && return
	echo "$pattern: $text"
	return 1
}

# without PATTERN ARGUMENT...: nwgctl prints something on the vps, and no line of it has PATTERN.
without() {
	local pattern=$1 text
	shift
	text=$(ctl vps "$@")
	[ -n "$text" ] && ! grep -qE -- "$pattern" <<<"$text" && return
	echo "$text"
	return 1
}

# Without privileges the kernel refuses, and the hint says what to do.
unprivileged() {
	local text
	text=$(on vps setpriv --reuid 65534 --clear-groups "$NWGCTL" relay show 2>&1)
	[ $? -eq 2 ] && grep -q 'hint: be root' <<<"$text" && return
	echo "$text"
	return 1
}

key_not_shown() {
	local text
	text=$(ctl vps set wg1 private-key "$responder" 2>&1)
	[ $? -eq 1 ] && grep -q 'name of its file' <<<"$text" && ! grep -qF "$responder" <<<"$text"
}

ktap_need ip ping jq setpriv
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "module nwg is not loaded: run by selftests/run"
work=$(mktemp -d)
defer rm -rf "$work"
umask 077
declare -A public
ktap_plan 92
topology
peer=${public[mt-wg1]} responder=${public[mt-wg0]}
add=(relay add dev wg1 listen 60000 peer "$peer" to 172.16.1.254:60000)

for words in -v "relay show --version"; do
	# shellcheck disable=SC2086 # words
	ktap_run "nwgctl $words" text '^nwgctl [0-9]+\.' $words
done
ktap_run "refused: a key in place of its file, which is not shown" key_not_shown
refused 1 "\`listen' is missing" relay add dev wg1 peer "$peer" to 172.16.1.254:60000
refused 1 "\`dev' is missing" relay add listen 60000 peer "$peer" to 172.16.1.254:60000
refused 1 "\`peer' is missing" relay add dev wg1 listen 60000 to 172.16.1.254:60000
refused 1 "\`to' is missing" relay add dev wg1 listen 60000 peer "$peer"
refused 1 "a value must follow" "${add[@]}" responder
refused 1 "is there twice" "${add[@]}" listen 60001
refused 1 "Invalid argument: bogus" "${add[@]}" bogus
refused 1 "max-flows is not a number" "${add[@]}" max-flows 0
refused 1 "max-flows is not a number" "${add[@]}" max-flows 4294967296
refused 1 "max-flows-per-source is not a number" "${add[@]}" max-flows-per-source 0
refused 1 "A new relay checks mac1 of no responder" "${add[@]}" responder none
refused 1 "not all zeroes" "${add[@]}" responder AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
refused 1 "Port is not a number from 1 to 65535" relay del listen 0
refused 1 "Port is not a number from 1 to 65535" relay del listen 192.0.2.1:65536
refused 1 "IPv6 address without brackets" relay del listen 2001:db8::1:60000
refused 1 "is no single address" relay del listen 0.0.0.0:60000
refused 1 "Unable to parse IP address" relay del listen localhost:60000
refused 1 "nothing is to be changed" relay set listen 60000
refused 1 "by its \`listen' alone" relay del listen 60000 max-flows 5
refused 1 "by its \`listen' alone" relay del listen 60000 max-flows-per-source 5
refused 1 "Invalid subcommand" relay bogus
refused 2 "ip link add nosuch type nwg" relay add dev nosuch listen 60000 peer "$peer" to 172.16.1.254:60000
refused 2 "allowed IPs" relay add dev wg1 listen 60000 peer "$peer" to 10.9.9.9:60000
refused 2 "nwgctl show wg1 peers" relay add dev wg1 listen 60000 peer "$responder" to 172.16.1.254:60000
refused 2 "ss -ulpn sport = :60100" relay add dev wg1 listen 60100 peer "$peer" to 172.16.1.254:60000
refused 2 "nwgctl relay show" relay del listen 60000
refused 2 "nwgctl relay show" relay set listen 60000 max-flows 5
refused 2 "ip link add nosuch type nwg" relay show dev nosuch
ktap_run "refused: not root" unprivileged

ktap_run "relay add" ctl vps "${add[@]}" responder "$responder"
refused 2 "nwgctl relay del listen 60000" "${add[@]}"
ktap_run "relay show" text '^relay: \*:60000$' relay show
ktap_run "relay show -j" json "length == 1 and .[0].ifname == \"wg1\" and .[0].listen_port == 60000 and
	.[0].peer == \"$peer\" and .[0].responder == \"$responder\" and .[0].peer_present and
	.[0].to_address == \"172.16.1.254\" and .[0].to_port == 60000" relay show
ktap_run "relay show has the limits" text 'at most 4096, 256 of one source' relay show
ktap_run "relay set" ctl vps relay set listen 60000 max-flows 5
ktap_run "relay set changes that alone" json ".[0].flows.max == 5 and .[0].flows.max_per_source == 256 and
	.[0].responder == \"$responder\"" relay show
ktap_run "relay set responder none" ctl vps relay set listen 60000 responder none
ktap_run "the responder is gone" json '.[0] | has("responder") | not' relay show
ctl vps relay set listen 60000 responder "$responder"
ktap_run "no flow yet" json 'length == 0' flow show

on pc bash -c 'echo junk >/dev/udp/192.0.2.1/60000'
ktap_run "junk is counted" slowwait 5 json '.[0].forward.drops.shape == 1' relay show
ktap_run "a drop is shown by its name" text 'forward drops: shape 1' -s relay show
ktap_run "that there was one, without -s, too" text '^  forward: 0 packets, 0 B sent on; 1 dropped$' relay show
ktap_run "and no more" without 'shape|received|messages' relay show
ktap_run "what arrived, with -s behind" text '^  forward: 1 packet, 5 B received; 0 packets, 0 B sent on$' relay show -s
ktap_run "a session through the relay" slowwait 20 on pc ping -c 3 -W 2 10.7.0.1
ktap_run "flow show -j" json '.[0] | length >= 1 and .client_address == "192.0.2.2" and
	.local_address == "192.0.2.1" and .mapped_address == "172.16.1.1" and .listen_port == 60000 and
	.state == "established" and .handshakes == 1 and .forward.initiations >= 1 and .reverse.responses == 1 and
	.expires_ms > 0 and .expires_ms <= 540000' flow show
ktap_run "flow show has a head" text '^INTERFACE +CLIENT +LOCAL +MAPPED +STATE ' flow show
ktap_run "flow show has a line" text '^wg1 +192\.0\.2\.2:[0-9]+ +192\.0\.2\.1:60000 +172\.16\.1\.1:[0-9]+ +established +1 ' \
	flow show listen 60000
ktap_run "every packet is sent on or dropped" json '.[0] | [.forward, .reverse] |
	all(.packets == .forwarded_packets + ([.drops[]] | add))' relay show
ktap_run "flows are counted" json '.[0].flows.established == 1' relay show
ktap_run "relay set of a limit" ctl vps relay set listen 60000 max-flows-per-source 1
ktap_run "keeps the flow" json '.[0].flows | .max_per_source == 1 and .max == 5 and .established == 1' relay show
ktap_run "a filter that fits" json 'length == 1' relay show dev wg1 listen 60000
refused 2 "nwgctl relay show" relay show listen 192.0.2.1:60000
refused 2 "nwgctl relay show" flow show listen 192.0.2.1:60000
ktap_run "relay del" ctl vps relay del listen 60000
ktap_run "neither relay nor flow is left" json 'length == 0' flow show

# Relays on one interface each.
at=(relay add dev wg1 peer "$peer" to 172.16.1.254:60000 listen)
refused 1 "not the name of an interface" "${at[@]}" %:60000
refused 1 "not the name of an interface" "${at[@]}" %interface-1234567:60000
refused 1 "%DEV:PORT" "${at[@]}" '[::]%pc:60000'
refused 2 "see which interfaces there are: ip link" "${at[@]}" %nosuch:60000
ktap_run "relay add on an interface" ctl vps "${at[@]}" %pc:60000
refused 2 "nwgctl relay del listen %pc:60000" "${at[@]}" %pc:60000
refused 2 "ss -ulpn sport = :60000" "${add[@]}"
ktap_run "and on another" ctl vps "${at[@]}" 198.51.100.1%mt:60000
refused 2 "nwgctl relay show" relay del listen 60000
refused 2 "nwgctl relay show" relay del listen 198.51.100.1:60000
refused 2 "ip link" flow show listen %nosuch:60000
ktap_run "relay show" text '^relay: \*%pc:60000$' relay show
ktap_run "what is shown names it" text '^relay: 198\.51\.100\.1%mt:60000$' relay show listen 198.51.100.1%mt:60000
ktap_run "relay show -j" json 'length == 1 and .[0].listen_ifname == "pc" and .[0].listen_port == 60000 and
	(.[0] | has("listen_address") | not)' relay show listen '*%pc:60000'
ktap_run "relay set" ctl vps relay set listen %pc:60000 max-flows 7
ktap_run "relay set changes that alone" json 'map({ (.listen_ifname): .flows.max }) | add ==
	{ pc: 7, mt: 4096 }' relay show
ktap_run "a session through the one" slowwait 20 on pc ping -c 3 -W 2 10.7.0.1
ktap_run "flow show" text '^wg1 +192\.0\.2\.2:[0-9]+ +192\.0\.2\.1%pc:60000 +172\.16\.1\.1:' \
	flow show listen %pc:60000
ktap_run "flow show -j" json 'length == 1 and .[0].listen_ifname == "pc"' flow show
ktap_run "none of the other" json 'length == 0' flow show listen 198.51.100.1%mt:60000
ktap_run "relay del" ctl vps relay del listen %pc:60000
ktap_run "the other is there" json 'length == 1 and .[0].listen_ifname == "mt"' relay show
ktap_run "names on a terminal" odd_name

# Over an interface of the stock module's, of whose peers ours knows nothing: nwgctl looks.
ip -n ctl-vps link add wgs type wireguard
ctl vps set wgs private-key "$work/vps-wg1" peer "$peer" allowed-ips 172.16.1.254/32
over=(relay add dev wgs listen 60001 peer "$peer" to)
unknown=(relay add dev wgs listen 60001 peer "$responder" to 172.16.1.254:60000)
refused 2 "the interface has no peer with this key" "${unknown[@]}"
refused 2 "hint: see which peers there are: nwgctl show wgs peers" "${unknown[@]}"
refused 2 "not in the peer's allowed IPs: add it to them first" "${over[@]}" 172.16.1.253:60000
refused 2 "not in the peer's allowed IPs: add it to them first" "${over[@]}" '[fd16::254]:60000'
ktap_run "relay add" ctl vps "${over[@]}" 172.16.1.254:60000
refused 2 "nwgctl show wgs peers" relay set listen 60001 peer "$responder"
refused 2 "not in the peer's allowed IPs" relay set listen 60001 to 172.16.1.253:60000
ktap_run "relay set" ctl vps relay set listen 60001 to 172.16.1.254:60002
ktap_run "relay show" json 'map(select(.ifname == "wgs")) | length == 1 and .[0].to_port == 60002' relay show
ktap_end
