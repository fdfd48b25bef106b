#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many allowed IPs and many peers: all of them are kept and told, the right one is
# found, and their memory comes back. With virtual time, a second is 10^9 instructions.
#
# usage: scale.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"
. "$here/../lib/memory.sh"

ktap_need python3 jq nft
ktap_plan 36

slow=1
! debug_kernel || slow=10

# timed SECONDS NAME COMMAND...: one result; it also fails if it takes longer.
timed() {
	local limit=$(($1 * slow)) name=$2 start=${EPOCHREALTIME/[.,]/} output status took
	shift 2
	output=$("$@" 2>&1)
	status=$?
	took=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
	ktap_diag "$name, ms = $took"
	if [ "$status" -ne 0 ]; then
		ktap_fail "$name" "$* failed ($status)" "$output"
	elif [ "$took" -gt "${limit}000" ]; then
		ktap_fail "$name" "that is more than $limit s"
	else
		ktap_ok "$name"
	fi
}

# device_fresh: with its key, and routes for what prefixes are taken from.
device_fresh() {
	! ip_on a link show wga >/dev/null 2>&1 || ip_on a link del wga || return
	link_add a wga && wg_on a set wga private-key "$work/a" listen-port 51821 &&
		ip -n "$PREFIX-a" -batch - <<-END
			address add 10.7.0.1/24 dev wga
			address add fd07::1/64 dev wga nodad
			link set wga up
			route add 11.0.0.0/8 dev wga src 10.7.0.1
			route add fd11::/16 dev wga src fd07::1
		END
}

# sink NAME PORT: another device of b's, that takes what it is sent.
sink() {
	(umask 077 && wg genkey >"$work/$1") && wg pubkey <"$work/$1" >"$work/$1.public" &&
		link_add b "$1" && wg_on b set "$1" private-key "$work/$1" listen-port "$2" \
		peer "$A" allowed-ips 10.7.0.1/32,fd07::1/128 && ip_on b link set "$1" up
}

public() {
	cat "$work/$1.public"
}

# What comes to b and by which device, before it is looked at in any other way.
watch_sinks() {
	on b nft -f - <<-'END'
		table inet watch {
			set seen4 { typeof iifname . ip daddr; flags dynamic; size 1000; }
			set seen6 { typeof iifname . ip6 daddr; flags dynamic; size 1000; }
			chain first {
				type filter hook prerouting priority raw;
				ip saddr 10.7.0.1 add @seen4 { iifname . ip daddr }
				ip6 saddr fd07::1 add @seen6 { iifname . ip6 daddr }
			}
		}
	END
}

sees() {
	diff <(elements b table watch) <(sort "$work/wanted")
}

# arrive "DEVICE ADDRESS"...: what is sent to each address, arrives by that device.
arrive() {
	local address
	printf '%s\n' "$@" >"$work/wanted"
	on b nft flush set inet watch seen4
	on b nft flush set inet watch seen6
	while read -r _ address; do
		on a ping -q -c 1 -W 0.1 "$address" >/dev/null
	done <"$work/wanted"
	slowwait 10 sees
}

# peer KEY PORT: the beginning of one in a file.
peer() {
	printf '[Peer]\nPublicKey = %s\nEndpoint = 10.0.0.2:%s\n' "$1" "$2"
}

interface() {
	printf '[Interface]\nPrivateKey = %s\nListenPort = 51821\n' "$(<"$work/a")"
}

# prefixes FIRST STEP: each STEPth of 65,280 prefixes of each family, a line each.
prefixes() {
	awk -v first="$1" -v step="$2" 'BEGIN {
		for (i = first; i < 255 * 256; i += step) {
			printf "11.%d.%d.0/24\n", i / 256, i % 256
			printf "fd11:%x::/48\n", i + 1
		}
	}'
}

# Lines as allowed IPs in a file, a hundred in each line of it.
allowed_ips() {
	awk '{ printf "%s%s", NR % 100 == 1 ? "\nAllowedIPs = " : ", ", $0 } END { print "" }'
}

# has KEY FIRST STEP: the peer's allowed IPs are those prefixes.
has() {
	cmp <(wg_on a show wga allowed-ips | grep -F "$1" | cut -f 2 | tr ' ' '\n' | sort) \
		<(prefixes "$2" "$3" | sort)
}

# refused ADDRESS: the sender is told.
refused() {
	local text
	text=$(on a ping -q -c 1 -W 1 "$1")
	echo "$text"
	[[ $text = *"0 received, +1 errors"* ]]
}

removed() {
	local peers
	wg_on a set wga peer "$1" remove && peers=$(wg_on a show wga peers) || return
	! grep -F "$1" <<<"$peers"
}

deleted() {
	ip_on a link del wga && ! ip_on a link show wga 2>/dev/null
}

# many_peers N: in a file, with all that it can say of one, and as a dump tells them.
many_peers() {
	python3 - "$1" "$work/peers" "$work/peers.dump" <<-'END'
		import base64, hashlib, sys
		def key(*seed):
		    return base64.b64encode(hashlib.sha256(repr(seed).encode()).digest()).decode()
		with open(sys.argv[2], "w") as conf, open(sys.argv[3], "w") as dump:
		    for n in range(int(sys.argv[1])):
		        public, preshared = key("public", n), key("preshared", n)
		        endpoint = f"192.0.2.1:{n + 1}"
		        allowed = f"11.{n >> 8}.{n & 255}.0/24", f"fd11:{n + 1:x}::/48"
		        keepalive = n // 1000 if n % 1000 == 0 else 0
		        print(f"[Peer]\nPublicKey = {public}\nPresharedKey = {preshared}\n"
		              f"Endpoint = {endpoint}\nAllowedIPs = {', '.join(allowed)}\n"
		              f"PersistentKeepalive = {keepalive}", file=conf)
		        print(public, preshared, endpoint, ",".join(allowed), 0, 0, 0,
		              keepalive or "off", sep="\t", file=dump)
	END
}

# told DUMP: the peers are those, in this order.
told() {
	wg_on a show wga dump >"$work/told" && cmp <(tail -n +2 "$work/told") "$1"
}

none_left() {
	wg_on a setconf wga "$work/none.conf" && told /dev/null
}

# The bytes of the interface are those of its peers, both ways.
counters_agree() {
	local peers interface
	peers=$(wg_on a show wga transfer | awk '{ in_ += $2; out += $3 } END { print in_, out }')
	interface=$(ip_on a -s -j link show wga |
		jq -r '.[0].stats64 | "\(.rx.bytes) \(.tx.bytes)"')
	echo "peers: $peers, interface: $interface"
	[ "$peers" = "$interface" ] && [ "${peers% *}" -gt 0 ] && [ "${peers#* }" -gt 0 ]
}

overlap_up() {
	local length port=51840
	for length in 0 8 16 24 32; do
		sink "p$length" $((++port)) || return
	done
	device_fresh && wg_on a set wga \
		peer "$(public p0)" endpoint 10.0.0.2:51841 allowed-ips 0.0.0.0/0,::/0 \
		peer "$(public p8)" endpoint 10.0.0.2:51842 allowed-ips 11.0.0.0/8,fd11::/16 \
		peer "$(public p16)" endpoint 10.0.0.2:51843 allowed-ips 11.1.0.0/16,fd11:1::/32 \
		peer "$(public p24)" endpoint 10.0.0.2:51844 allowed-ips 11.1.1.0/24,fd11:1:1::/48 \
		peer "$(public p32)" endpoint 10.0.0.2:51845 \
		allowed-ips 11.1.1.1/32,fd11:1:1::1/128 &&
		ip_on a route add 12.0.0.0/8 dev wga src 10.7.0.1 &&
		ip_on a route add fd12::/16 dev wga src fd07::1
}

# without LENGTH: the prefixes of that peer are taken away.
without() {
	wg_on a set wga peer "$(public "p$1")" allowed-ips ""
}

# memory_at_rest: what waits to be freed, which it does for up to 5 s, is freed. Prints memory.
memory_at_rest() {
	local before now
	before=$(memory)
	skip_idle sleep 6
	now=$(memory)
	echo "$now"
	[ "$now" -eq "$before" ]
}

topology_up || exit 1
sink wgb 51831 && sink wgc 51832 && watch_sinks || exit 1
B=$(public wgb) C=$(public wgc)
{ interface && peer "$B" 51831 && prefixes 0 1 | allowed_ips; } >"$work/all.conf"
{ peer "$C" 51832 && prefixes 1 2 | allowed_ips; } >"$work/odd.conf"
interface >"$work/none.conf"
many_peers 10000
{ interface && cat "$work/peers"; } >"$work/peers.conf"
{ interface && head -n $((6 * 5000)) "$work/peers"; } >"$work/half.conf"
{ interface && head -n $((6 * 500)) "$work/peers"; } >"$work/some.conf"
head -n 5000 "$work/peers.dump" >"$work/half.dump"

# Once in vain, so that what stays allocated for the next time is there.
device_fresh && wg_on a setconf wga "$work/all.conf" && wg_on a setconf wga "$work/some.conf" &&
	device_fresh || exit 1
before=0
debug_kernel || before=$(slowwait 120 memory_at_rest) || exit 1

timed 20 "65,280 prefixes of each family are set for one peer" wg_on a setconf wga "$work/all.conf"
timed 20 "they are all told" has "$B" 0 1
ktap_diag "memory that they take, kB = $(($(memory) - before))"
ktap_run "what is for the first, one in the middle and the last arrives" arrive \
	"wgb 11.0.0.9" "wgb 11.127.128.9" "wgb 11.254.255.9" "wgb fd11:1::9" "wgb fd11:ff00::9"
ktap_run "what is for none is refused, v4" refused 11.255.0.9
ktap_run "what is for none is refused, v6" refused fd11:ff01::9
timed 20 "half of them are given to another peer" wg_on a addconf wga "$work/odd.conf"
ktap_run "the first has the other half" has "$B" 0 2
ktap_run "the second has them" has "$C" 1 2
ktap_run "traffic follows" arrive \
	"wgb 11.0.0.9" "wgc 11.0.1.9" "wgb 11.254.254.9" "wgc 11.254.255.9" \
	"wgb fd11:1::9" "wgc fd11:2::9" "wgb fd11:feff::9" "wgc fd11:ff00::9"
ktap_run "the interface counts what its peers count" counters_agree
timed 5 "the first peer is removed" removed "$B"
ktap_run "its half goes with it, v4" refused 11.0.0.9
ktap_run "its half goes with it, v6" refused fd11:1::9
ktap_run "the second keeps its own" has "$C" 1 2
timed 5 "all are removed" none_left
memory_returns "their memory comes back" "$before"

timed 30 "10,000 peers are set" wg_on a setconf wga "$work/peers.conf"
timed 20 "they are all told, as they were set" told "$work/peers.dump"
ktap_diag "memory that they take, kB = $(($(memory) - before))"
timed 5 "one is added" wg_on a set wga peer "$B" endpoint 10.0.0.2:51831 allowed-ips 11.250.0.0/24
ktap_run "what is for it arrives" arrive "wgb 11.250.0.9"
timed 30 "a sync with the file removes it again" wg_on a syncconf wga "$work/peers.conf"
ktap_run "and leaves all else as it was" told "$work/peers.dump"
timed 20 "a sync removes half of them" wg_on a syncconf wga "$work/half.conf"
ktap_run "and leaves the others" told "$work/half.dump"
timed 5 "all are removed" none_left
memory_returns "their memory comes back" "$before"
wg_on a setconf wga "$work/half.conf"
timed 5 "the interface is deleted with half of them" deleted
memory_returns "its memory comes back" "$before"

ktap_run "an interface with peers for overlapping prefixes" overlap_up
ktap_run "the longest prefix counts" arrive \
	"p0 12.1.1.1" "p8 11.2.1.1" "p16 11.1.2.1" "p24 11.1.1.2" "p32 11.1.1.1" \
	"p0 fd12:1:1::1" "p8 fd11:2::1" "p16 fd11:1:2::1" "p24 fd11:1:1::2" "p32 fd11:1:1::1"
without 32
ktap_run "without the longest, the next one" arrive "p24 11.1.1.1" "p24 fd11:1:1::1"
without 16
ktap_run "without one in the middle, the ones around it" arrive \
	"p24 11.1.1.1" "p8 11.1.2.1" "p24 fd11:1:1::1" "p8 fd11:1:2::1"
without 24
without 8
ktap_run "without all but the shortest, that one" arrive "p0 11.1.1.1" "p0 fd11:1:1::1"
without 0
ktap_run "without any, nothing, v4" refused 11.1.1.1
ktap_run "without any, nothing, v6" refused fd11:1:1::1
ktap_run "the interface counts what its peers count" counters_agree
ktap_end
