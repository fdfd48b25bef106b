#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which way the device's own packets take: by which address and interface they leave a
# host with two uplinks, as routes, rules, addresses, links, marks and endpoints change;
# and which way errors take.
#
# usage: endpoint.sh KIND_A KIND_B
#
# Besides what device.sh draws, b is also behind c, and has an address that a reaches by
# either uplink:
#
#       a eth0 -------------------------------- eth0 b
#         eth1 ------- eth0 c eth1 ------------ eth1   lo 192.0.2.2 2001:db8::2
#                    10.0.2.3/24 fd00:2::3/64 -- .2 ::2
#
# d is a host behind a, whose packets a forwards:
#
#       d eth0 10.8.0.2/24 fd08::2/64 ----- eth2 a 10.8.0.1 fd08::1

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need nft ethtool
ktap_plan 53

# address FAMILY NAME: of b, of a's eth0 or eth1, or the other one of a's eth1.
address() {
	case $1-$2 in
	4-b) echo 192.0.2.2 ;;
	4-eth0) echo 10.0.0.1 ;;
	4-eth1) echo 10.0.1.1 ;;
	4-other) echo 10.0.1.11 ;;
	6-b) echo 2001:db8::2 ;;
	6-eth0) echo fd00::1 ;;
	6-eth1) echo fd00:1::1 ;;
	6-other) echo fd00:1::11 ;;
	esac
}

# way add|del|replace FAMILY UPLINK [WORD...]: the route to b by an uplink.
way() {
	local by=(via 10.0.0.2 dev eth0 src 10.0.0.1)
	case $2-$3 in
	4-eth1) by=(via 10.0.1.3 dev eth1 src 10.0.1.1) ;;
	6-eth0) by=(via fd00::2 dev eth0 src fd00::1) ;;
	6-eth1) by=(via fd00:1::3 dev eth1 src fd00:1::1) ;;
	esac
	ip_on a "-$2" route "$1" "$(address "$2" b)" "${by[@]}" "${@:4}"
}

# sources FAMILY: those that leave by eth1, by a rule.
sources() {
	if [ "$1" = 4 ]; then echo 10.0.1.0/24; else echo fd00:1::/64; fi
}

# endpoint_of FAMILY NAME PORT
endpoint_of() {
	echo "$(bracketed "$(address "$1" "$2")"):$3"
}

more_up() {
	topology_up &&
		ip link add eth1 netns "$PREFIX-c" type veth peer name eth1 netns "$PREFIX-b" &&
		ip -n "$PREFIX-c" -batch - <<-'END' &&
			address add 10.0.2.3/24 dev eth1
			address add fd00:2::3/64 dev eth1 nodad
			link set eth1 up
			route add 192.0.2.2 via 10.0.2.2
			route add 2001:db8::2 via fd00:2::2
		END
		ip -n "$PREFIX-b" -batch - <<-'END' &&
			address add 192.0.2.2/32 dev lo
			address add 2001:db8::2/128 dev lo nodad
			address add 10.0.2.2/24 dev eth1
			address add fd00:2::2/64 dev eth1 nodad
			link set eth1 up
			route add 10.0.0.1 dev eth0 src 192.0.2.2
			route add 10.0.1.0/24 via 10.0.2.3 src 192.0.2.2
			route add fd00::1 dev eth0 src 2001:db8::2
			route add fd00:1::/64 via fd00:2::3 src 2001:db8::2
		END
		on c sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
		on a sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 &&
		on a nft -f - <<-'END'
			table inet left {
				set by4 { type ipv4_addr . ifname; flags dynamic; }
				set by6 { type ipv6_addr . ifname; flags dynamic; }
				set initiation { type mark; flags dynamic; }
				set response { type mark; flags dynamic; }
				set keepalive { type mark; flags dynamic; }
				set data { type mark; flags dynamic; }
				set ttl4 { typeof ip ttl; flags dynamic; }
				set ttl6 { typeof ip6 hoplimit; flags dynamic; }
				chain outer {
					add @by4 { ip saddr . oifname }
					add @by6 { ip6 saddr . oifname }
					@th,64,8 1 add @initiation { meta mark }
					@th,64,8 2 add @response { meta mark }
					@th,64,8 4 udp length 40 add @keepalive { meta mark }
					@th,64,8 4 udp length > 40 add @data { meta mark }
					add @ttl4 { ip ttl }
					add @ttl6 { ip6 hoplimit }
				}
				chain out {
					type filter hook postrouting priority -300
					udp sport 51821 jump outer
				}
			}
		END
}

# uplinks: a's two ways to b as they were in the beginning, eth0 the better one, and
# what has an address of eth1 leaves by eth1.
uplinks() {
	local f
	ip -n "$PREFIX-a" -batch - <<-'END' || return
		link set eth0 up
		link set eth1 up
		address replace 10.0.0.1/24 dev eth0
		address replace 10.0.1.1/24 dev eth1
		address replace 10.0.1.11/24 dev eth1
		address replace fd00::1/64 dev eth0 nodad
		address replace fd00:1::1/64 dev eth1 nodad
		address replace fd00:1::11/64 dev eth1 nodad
	END
	for f in 4 6; do
		while ip_on a "-$f" rule del pref 100 2>/dev/null; do :; done
		while ip_on a "-$f" route del "$(address "$f" b)" 2>/dev/null; do :; done
		way add "$f" eth0 metric 100 && way add "$f" eth1 metric 200 &&
			way replace "$f" eth1 table 101 &&
			ip_on a "-$f" rule add from "$(sources "$f")" lookup 101 pref 100 || return
	done
}

# left SET: what a's packets were like that left since forget.
left() {
	elements a set left "$1" | xargs
}

forget() {
	local set
	for set in by4 by6 initiation response keepalive data ttl4 ttl6; do
		echo "flush set inet left $set"
	done | on a nft -f -
}

# is GOT WANTED
is() {
	[ "$1" = "$2" ] || { echo "'$1' instead of '$2'" && false; }
}

# leaves_by FAMILY SOURCE INTERFACES COMMAND...: what leaves a during the command does so
# from this address by this interface, and nothing does otherwise. (By a VRF and the
# interface in it: "eth1 vrf1".)
leaves_by() {
	forget
	"${@:4}" && is "$(left "by$1")" "$2 ${3// / $2 }" && is "$(left "by$((10 - $1))")" ""
}

# When one is answered, ping waits for the rest twice as long as that took, or to where it would send
# again: on a slow kernel, later ones may take longer.
between=0.05
! debug_kernel || between=1

# pings END: each of some echo requests is answered.
pings() {
	local other=2
	[ "$1" = a ] || other=1
	on "$1" ping -q -c 3 -i "$between" -W 3 "10.7.0.$other" | grep -q '3 received' ||
		{ echo "no echo to all of $1's requests" && false; }
}

# unanswered [ADDRESS]: a gets no echo from there.
unanswered() {
	! skip_idle answers a "${1:-10.7.0.2}" 1
}

# reached_at FAMILY NAME: a knows nothing of b, which begins, with this address of a's.
reached_at() {
	uplinks && neither_up && device_up a "$B" && device_up b "$A" endpoint "$(endpoint_of "$1" "$2" 51821)"
}

# begins FAMILY: a does, and b knows nothing of it.
begins() {
	uplinks && neither_up && device_up a "$B" endpoint "$(endpoint_of "$1" b 51822)" && device_up b "$A"
}

tx_errors() {
	on a cat /sys/class/net/wga/statistics/tx_errors
}

# Source address and interface

sticks() {
	reached_at "$1" "$2" && leaves_by "$1" "$(address "$1" "$2")" "$3" pings b &&
		leaves_by "$1" "$(address "$1" "$2")" "$3" pings a
}

sticks_strictly() {
	local status
	on a sysctl -qw net.ipv4.conf.all.rp_filter=1
	sticks "$@"
	status=$?
	on a sysctl -qw net.ipv4.conf.all.rp_filter=0
	return "$status"
}

changes_over() {
	wg_on b set wgb peer "$A" endpoint "$(endpoint_of "$1" "$2" 51821)" &&
		leaves_by "$1" "$(address "$1" "$2")" "$3" pings b
}

# Where routing has the packets leave by another uplink than they came in by, IPv4 does
# not take this one's address there.
without_rule() {
	local source=eth0
	[ "$1" = 4 ] || source=other
	reached_at "$1" other && ip_on a "-$1" rule del pref 100 &&
		leaves_by "$1" "$(address "$1" "$source")" eth0 pings b
}

# loses FAMILY SOURCE COMMAND...: after the command a's packets leave by eth0 from there.
loses() {
	reached_at "$1" other && leaves_by "$1" "$(address "$1" other)" eth1 pings b && "${@:3}" &&
		leaves_by "$1" "$(address "$1" "$2")" eth0 pings a
}

loses_address() {
	loses "$1" eth0 ip_on a address del "$(address "$1" other)/$([ "$1" = 4 ] && echo 24 || echo 64)" dev eth1
}

loses_link() {
	loses "$1" eth0 ip_on a link set eth1 down
}

loses_rule() {
	local source=eth0
	[ "$1" = 4 ] || source=other
	loses "$1" "$source" ip_on a "-$1" rule del pref 100
}

# The rule for its address leads to eth0 from now on, while all else leaves by eth1.
changes_rule() {
	local source=eth1 interface=eth1
	[ "$1" = 4 ] || source=other interface=eth0
	reached_at "$1" other && leaves_by "$1" "$(address "$1" other)" eth1 pings b &&
		way del "$1" eth0 metric 100 &&
		way replace "$1" eth0 table 101 &&
		leaves_by "$1" "$(address "$1" "$source")" "$interface" pings a
}

no_way() {
	local before
	reached_at "$1" other && pings b && ip_on a "-$1" rule del pref 100 &&
		way del "$1" eth0 && way del "$1" eth1 ||
		return
	before=$(tx_errors)
	forget
	unanswered && is "$(left by4)$(left by6)" "" || return
	# Stock counts none.
	[ "$KIND_A" != nwg ] || [ "$(tx_errors)" -gt "$before" ] || return
	way add "$1" eth1 && pings a
}

# Routes come and go while a sends and gets echoes all the time.
takes_over() {
	local source=eth0 ping status
	[ "$1" = 4 ] || source=eth1
	begins "$1" && ip_on a "-$1" rule del pref 100 &&
		way del "$1" eth0 && pings a || return
	background a ping -q -i 0.05 10.7.0.2 >"$work/ping"
	ping=$!
	leaves_by "$1" "$(address "$1" eth1)" eth1 pings a &&
		way add "$1" eth0 metric 100 &&
		leaves_by "$1" "$(address "$1" "$source")" eth0 pings a &&
		way del "$1" eth0 &&
		leaves_by "$1" "$(address "$1" eth1)" eth1 pings a
	status=$?
	kill -INT "$ping"
	wait "$ping"
	cat "$work/ping"
	[ "$status" -eq 0 ] && awk '/transmitted/ { lost = $1 - $4; sent = $1 }
		END { exit sent < 10 || lost > 1 }' "$work/ping"
}

# The route's cache

tracing=/sys/kernel/tracing/instances/endpoint

tracing_on() {
	local event
	mkdir "$tracing" && defer rmdir "$tracing" || return
	for event in fib/fib_table_lookup fib6/fib6_table_lookup; do
		echo 'dport == 51822' >"$tracing/events/$event/filter" &&
			echo 1 >"$tracing/events/$event/enable" || return
	done
}

# lookups COMMAND...: how many tables were looked into for packets to b's port meanwhile.
lookups() {
	echo >"$tracing/trace"
	"$@" >/dev/null && grep -vc '^#' "$tracing/trace"
}

looks_up_none() {
	is "$(lookups pings a)" 0 || { cat "$tracing/trace" && false; }
}

looks_up_after() {
	local count
	"$@" || return
	count=$(lookups answers a 10.7.0.2)
	[ "$count" -gt 0 ] || { echo "$*: no route was looked up" && return 1; }
	# The answer may have told the address that we were reached at, and that counts, too.
	pings a && looks_up_none
}

caches() {
	local other=10.0.0.2:51822
	[ "$1" = 4 ] || other='[fd00::2]:51822'
	begins "$1" && pings a && looks_up_none &&
		looks_up_after way add "$1" eth1 metric 300 &&
		looks_up_after wg_on a set wga fwmark 0x1 &&
		looks_up_after wg_on a set wga peer "$B" endpoint "$other" &&
		looks_up_after wg_on a set wga peer "$B" endpoint "$(endpoint_of "$1" b 51822)" &&
		looks_up_after ip_on a link set eth0 down
}

# An uplink can go for good while a route by it is cached.
uplink_removed() {
	begins "$1" && pings a && ip_on a link add eth3 type dummy && ip_on a link set eth3 up &&
		ip_on a "-$1" route add "$(address "$1" b)" dev eth3 metric 10 || return
	unanswered && timeout 20 ip -n "$PREFIX-a" link del eth3 && pings a
}

# The mark

# marked MARK SET...: so was all that left since forget, and some did.
marked() {
	local set
	for set in "${@:2}"; do
		is "$(left "$set")" "$(printf '0x%08x' "$1")" || { echo "mark of $set" && return 1; }
	done
}

marks() {
	begins "$1" && wg_on a set wga fwmark 0x1234 && forget && pings a &&
		marked 0x1234 initiation data &&
		wg_on a set wga fwmark 0x5678 && forget && pings a && marked 0x5678 data &&
		wg_on a set wga peer "$B" persistent-keepalive 1 && slowwait 5 marked 0x5678 keepalive &&
		reached_at "$1" eth0 && wg_on a set wga fwmark 0x1234 && forget && pings b &&
		marked 0x1234 response data
}

# A rule for the mark counts from the moment on at which the mark is set.
mark_routes() {
	begins "$1" && ip_on a "-$1" rule add fwmark 0x9 lookup 101 pref 100 &&
		leaves_by "$1" "$(address "$1" eth0)" eth0 pings a && wg_on a set wga fwmark 0x9 &&
		leaves_by "$1" "$(address "$1" eth1)" eth1 pings a || return
	# What came to this address is no reason to go on with it once the mark is gone.
	ip_on a "-$1" rule del from "$(sources "$1")" &&
		wg_on a set wga fwmark 0 && leaves_by "$1" "$(address "$1" eth0)" eth0 pings a
}

# VRF

in_vrf() {
	"$@"
	local status=$?
	on a sysctl -qw net.ipv4.udp_l3mdev_accept=0
	ip_on a link del vrf1
	return "$status"
}

# An uplink in a VRF, which the socket accepts from and which the mark leads into.
uplink_in_vrf() {
	reached_at "$1" other && on a sysctl -qw net.ipv4.udp_l3mdev_accept=1 && vrf_up eth1 &&
		ip_on a address replace fd00:1::1/64 dev eth1 nodad &&
		ip_on a address replace fd00:1::11/64 dev eth1 nodad &&
		ip_on a "-$1" route flush table 101 &&
		ip_on a "-$1" rule add fwmark 0x77 lookup 201 pref 100 &&
		way add "$1" eth1 table 201 &&
		wg_on a set wga fwmark 0x77 &&
		leaves_by "$1" "$(address "$1" other)" "eth1 vrf1" pings b &&
		leaves_by "$1" "$(address "$1" other)" "eth1 vrf1" pings a
}

# The interface in a VRF, its packets outside.
device_in_vrf() {
	begins "$1" && vrf_up wga && ip_on a address replace fd07::1/64 dev wga nodad &&
		leaves_by "$1" "$(address "$1" eth0)" eth0 on a ping -q -c 3 -i "$between" -W 3 -I vrf1 10.7.0.2 &&
		pings b && on b ping -q -c 1 -W 3 fd07::1
}

# An address that is a local route's, and no interface's.
sticks_any() {
	reached_at 4 other && ip_on a route replace local 10.9.0.0/24 dev lo &&
		ip_on a rule add from 10.9.0.0/24 lookup 101 pref 100 &&
		ip_on c route replace 10.9.0.0/24 via 10.0.1.1 &&
		ip_on b route replace 10.9.0.0/24 via 10.0.2.3 src 192.0.2.2 &&
		wg_on b set wgb peer "$A" endpoint 10.9.0.5:51821 && leaves_by 4 10.9.0.5 eth1 pings b
}

# Link-local endpoints: c has b's address on the other link, and a has the same on both.

link_local_up() {
	uplinks && ip_on a address replace fe80::a/64 dev eth0 nodad &&
		ip_on a address replace fe80::a/64 dev eth1 nodad &&
		ip_on b address replace fe80::b/64 dev eth0 nodad &&
		ip_on c address replace fe80::b/64 dev eth0 nodad
}

endpoint_is() {
	is "$(wg_on a show wga endpoints | cut -f 2)" "$1"
}

link_local_begins() {
	link_local_up && neither_up && device_up a "$B" endpoint '[fe80::b%eth0]:51822' && device_up b "$A" &&
		endpoint_is '[fe80::b%eth0]:51822' && forget && pings a &&
		[[ $(left by6) =~ ^fe80:[^\ ]*\ eth0$ ]] && endpoint_is '[fe80::b%eth0]:51822' &&
		wg_on a set wga peer "$B" endpoint '[fe80::b%eth1]:51822' && forget &&
		unanswered && [[ $(left by6) =~ ^fe80:[^\ ]*\ eth1$ ]]
}

link_local_answers() {
	link_local_up && neither_up && device_up a "$B" && device_up b "$A" endpoint '[fe80::a%eth0]:51821' &&
		leaves_by 6 fe80::a eth0 pings b && endpoint_is '[fe80::b%eth0]:51822' &&
		leaves_by 6 fe80::a eth0 pings a
}

# The same with the link in a VRF.
link_local_in_vrf() {
	link_local_up && neither_up && device_up a "$B" && device_up b "$A" endpoint '[fe80::a%eth0]:51821' &&
		on a sysctl -qw net.ipv4.udp_l3mdev_accept=1 && vrf_up eth0 &&
		ip_on a address replace fe80::a/64 dev eth0 nodad &&
		leaves_by 6 fe80::a eth0 pings b && endpoint_is '[fe80::b%eth0]:51822'
}

# Errors to who sends into the tunnel

d_up() {
	ip netns add "$PREFIX-d" && defer ip netns del "$PREFIX-d" &&
		ip link add eth2 netns "$PREFIX-a" type veth peer name eth0 netns "$PREFIX-d" &&
		ip -n "$PREFIX-d" -batch - <<-'END' &&
			address add 10.8.0.2/24 dev eth0
			address add fd08::2/64 dev eth0 nodad
			link set eth0 up
			route add default via 10.8.0.1
			route add default via fd08::1
		END
		ip -n "$PREFIX-a" -batch - <<-'END' &&
			address add 10.8.0.1/24 dev eth2
			address add fd08::1/64 dev eth2 nodad
			link set eth2 up
		END
		on a sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
}

# says WHAT ADDRESS PING-OPTION...: d is told, by an error that arrives there.
says() {
	on d ping -c 1 -W 3 "${@:3}" "$2" >"$work/said"
	grep -qF "$1" "$work/said" || { cat "$work/said" && echo "nothing says '$1'" && false; }
}

# No peer; a peer without endpoint; too big for the tunnel.
errors() {
	local unreachable='Destination Host Unreachable' inner=10.7.0. size=1393
	local big='Frag needed and DF set (mtu = 1420)'
	[ "$1" = 4 ] || unreachable='Address unreachable' inner=fd07:: size=1373 \
		big='Packet too big: mtu=1420'
	begins 4 && wg_on a set wga peer "$B" allowed-ips 10.7.0.2/32,10.8.0.0/24,fd07::2/128,fd08::/64 \
		peer "$(wg genkey | wg pubkey)" allowed-ips 10.7.0.8/32,fd07::8/128 &&
		wg_on b set wgb peer "$A" allowed-ips 10.7.0.1/32,10.8.0.0/24,fd07::1/128,fd08::/64 &&
		ip_on b route replace 10.8.0.0/24 dev wgb && ip_on b route replace fd08::/64 dev wgb &&
		on d ping -q -c 1 -W 3 "${inner}2" && says "$unreachable" "${inner}7" &&
		says "$unreachable" "${inner}8" && says "$big" "${inner}2" -M 'do' -s "$size"
}

errors_masqueraded() {
	local status
	on a nft -f - <<-'END'
		table inet nat {
			chain source {
				type nat hook postrouting priority srcnat
				oifname "wga" masquerade
			}
		}
	END
	ip_on d route flush cache
	ip_on d -6 route flush cache
	errors "$1"
	status=$?
	on a nft delete table inet nat
	return "$status"
}

# Errors from outside

counter() {
	on "$1" nstat -asz "$2" | awk 'NR > 1 { print $2 }'
}

# Whatever b's host says of b's port: a goes on.
told_unreachable() {
	local kind kinds counter=IcmpInDestUnreachs before
	kinds='icmp type net-unreachable,icmp type host-unreachable,icmp type prot-unreachable,icmp type port-unreachable,icmp type host-prohibited,icmp type admin-prohibited'
	if [ "$1" = 6 ]; then
		kinds='icmpv6 type no-route,icmpv6 type admin-prohibited,icmpv6 type addr-unreachable,icmpv6 type port-unreachable'
		counter=Icmp6InDestUnreachs
	fi
	begins "$1" && pings a || return
	on b sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	while read -r kind; do
		before=$(counter a "$counter")
		on b nft "add table inet refuse; add chain inet refuse in { type filter hook input priority 0; };
			add rule inet refuse in udp dport 51822 reject with $kind" || return
		unanswered
		on b nft delete table inet refuse
		[ "$(counter a "$counter")" -gt "$before" ] || { echo "$kind did not arrive" && return 1; }
		pings a || return
	done < <(tr , '\n' <<<"$kinds")
}

# The way by c carries less than eth1 does. Over IPv6 that is a's to learn.
narrow_way() {
	local status reassembled too_big
	begins "$1" && way del "$1" eth0 && pings a || return
	reassembled=$(counter b "Ip${1#4}ReasmOKs")
	too_big=$(counter a Icmp6InPktTooBigs)
	ip_on c link set eth1 mtu 1300 && ip_on b link set eth1 mtu 1300 &&
		slowwait 10 on a ping -q -c 1 -W 1 -s 1392 -M 'do' 10.7.0.2 &&
		on a ping -q -c 1 -W 1 -s 1372 fd07::2 &&
		[ "$(counter b "Ip${1#4}ReasmOKs")" -gt "$reassembled" ] &&
		{ [ "$1" = 4 ] || [ "$(counter a Icmp6InPktTooBigs)" -gt "$too_big" ]; }
	status=$?
	ip_on c link set eth1 mtu 1500
	ip_on b link set eth1 mtu 1500
	return "$status"
}

# Endpoints that are none

# odd FAMILY ENDPOINT...: they lead nowhere, and to nothing else; but what is sent to all on
# b's link arrives at b. No time is skipped, or b would begin a new session and be known again.
odd() {
	local endpoint before
	begins "$1" && pings a || return
	for endpoint in "${@:2}"; do
		before=$(on a cat /sys/class/net/wga/statistics/tx_packets)
		wg_on a set wga peer "$B" endpoint "$endpoint" || { echo "$endpoint is refused" && return 1; }
		! answers a 10.7.0.2 1 || [[ $endpoint = 10.0.0.255:* || $endpoint = \[ff02::1]:* ]] ||
			{ echo "$endpoint is answered" && return 1; }
		[ $(($(on a cat /sys/class/net/wga/statistics/tx_packets) - before)) -lt 10 ] ||
			{ echo "packets to $endpoint go round" && return 1; }
		wg_on a set wga peer "$B" endpoint "$(endpoint_of "$1" b 51822)" || return
		pings a || { echo "$endpoint left something behind" && return 1; }
	done
}

# Checksums are made where nobody offloads them, and are never left out.
checksums() {
	local status
	begins "$1" && on a ethtool -K eth0 tx off && on b nft -f - <<-'END' || return
		table inet sums {
			counter none { }
			chain in {
				type filter hook prerouting priority -300
				udp dport 51822 udp checksum 0 counter name none
			}
		}
	END
	pings a && on b nft list counter inet sums none | grep 'packets 0 ' &&
		is "$(counter b "Udp${1#4}InCsumErrors")" 0
	status=$?
	on a ethtool -K eth0 tx on
	on b nft delete table inet sums
	return "$status"
}

# The hop limit is the host's, whatever it is inside.
hop_limit() {
	local status setting=net.ipv4.ip_default_ttl
	[ "$1" = 4 ] || setting=net.ipv6.conf.eth0.hop_limit
	begins "$1" && on a sysctl -qw "$setting=99" && forget &&
		on a ping -q -c 1 -W 3 -t 7 10.7.0.2 && on a ping -q -c 1 -W 3 -t 7 fd07::2 &&
		is "$(left "ttl$1")" 99
	status=$?
	on a sysctl -qw "$setting=64"
	return "$status"
}

# A host without IPv6, but for a peer at an IPv6 address.
without_ipv6() {
	local status
	uplinks && link_del a || return
	on a sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	link_add a wga &&
		wg_on a set wga private-key "$work/a" listen-port 51821 \
			peer "$(wg genkey | wg pubkey)" allowed-ips 10.7.0.6/32 endpoint "$(endpoint_of 6 b 1)" \
			peer "$B" allowed-ips 10.7.0.2/32 &&
		ip_on a address add 10.7.0.1/24 dev wga && ip_on a link set wga up &&
		device_up b "$A" endpoint "$(endpoint_of 4 eth0 51821)" &&
		leaves_by 4 "$(address 4 eth0)" eth0 pings b && unanswered 10.7.0.6 && pings a
	status=$?
	on a sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
	return "$status"
}

more_up && d_up && tracing_on || exit 1

for f in 4 6; do
	ktap_run "v$f: reached at an uplink's second address: all leaves from it, by it" sticks $f other eth1
	ktap_run "v$f: likewise at its first" sticks $f eth1 eth1
	ktap_run "v$f: likewise at the other uplink" changes_over $f eth0 eth0
	ktap_run "v$f: likewise with rp_filter strict" sticks_strictly $f other eth1
	ktap_run "v$f: without a rule for it packets leave by the better uplink" without_rule $f
	ktap_run "v$f: the address is removed: by routing" loses_address $f
	ktap_run "v$f: the uplink goes down: by routing" loses_link $f
	ktap_run "v$f: the rule for the address goes: by routing" loses_rule $f
	better "v$f: the rule leads to another uplink: by routing" changes_rule $f
	ktap_run "v$f: all routes go: nothing leaves, errors are counted; one comes back" no_way $f
	ktap_run "v$f: a better route comes and goes: packets follow, none is lost" takes_over $f
	ktap_run "v$f: the route is looked up once, and anew after what may change it" caches $f
	ktap_run "v$f: the uplink that the cached route leads to is removed" uplink_removed $f
	ktap_run "v$f: initiations, responses, data, keepalives have the mark" marks $f
	ktap_run "v$f: a rule for the mark counts at once" mark_routes $f
	better "v$f: the uplink in a VRF: from the address that was reached" in_vrf uplink_in_vrf $f
	ktap_run "v$f: the interface in a VRF, its packets outside" in_vrf device_in_vrf $f
	ktap_run "v$f: a forwarded packet's sender is told why it went nowhere" errors $f
	ktap_run "v$f: so is one behind source NAT" errors_masqueraded $f
	ktap_run "v$f: whatever errors the endpoint's host sends, traffic goes on" told_unreachable $f
	ktap_run "v$f: a way that carries less" narrow_way $f
	ktap_run "v$f: checksums" checksums $f
	ktap_run "v$f: the hop limit is the host's" hop_limit $f
done
ktap_run "an endpoint with a link-local address stays on its link" link_local_begins
ktap_run "a link-local peer is answered on its link, from where it was reached" link_local_answers
better "a link-local peer in a VRF is answered on its link" in_vrf link_local_in_vrf
better "an address that is a local route's sticks, too" sticks_any
ktap_run "v4: odd endpoints" odd 4 255.255.255.255:51822 10.0.0.255:51822 224.0.0.1:51822 \
	127.0.0.1:51821 10.0.0.1:51821 10.7.0.1:51821 10.7.0.2:51822 0.0.0.0:51821 240.0.0.1:51822 192.0.2.2:0
ktap_run "v6: odd endpoints" odd 6 '[::1]:51821' '[fd00::1]:51821' '[fd07::1]:51821' '[fd07::2]:51822' '[::]:51821' \
	'[ff02::1]:51822' '[ff0e::1]:51822' '[::ffff:10.0.0.2]:51822' '[fe80::b]:51822' '[2001:db8::2]:0'
ktap_run "IPv6 is disabled: all works over IPv4" without_ipv6
ktap_end
