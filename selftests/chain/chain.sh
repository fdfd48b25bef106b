# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The chain: a client reaches a home behind carrier-grade NAT through a VPS.
# Every node is a network namespace, every link a veth pair whose ends are named
# for the node at the other end; the addresses between them:
#
#    pc ---------------- vps --------------- isp -------------- mt ------------- lan
#         192.0.2.2/.1       198.51.100.1/.2     100.64.0.1/.2     192.168.88.1/.10
#    2001:db8:2::2/::1                           (masqueraded,     fd88::1/::10
#                                                 UDP forgotten
#                                                 after 30 s)
#
#    ==== wg0: 10.7.0.2, fd07::2 ======================= 10.7.0.1, fd07::1 ====
#    pc -- UDP --> vps:60000 [relay] -- inside wg1 --> mt 172.16.1.254:60000
#                  ==== wg1: 172.16.1.1 ====== 172.16.1.254 ====
#                  :60100    fd16::1           fd16::254, dials out, keepalive 25
#
# The isp lets nothing in that did not go out first, and gives ports of its own.
# home_up adds two more clients behind a household router, one address for both:
#
#    pc2, pc3 -- 10.1.N.2/.1 -- home -- 203.0.113.2/.1 -- vps
#
# Set before chain_up, or by chain_kind:
#   CHAIN               prefix of the namespaces' names
#   KIND_{PC,VPS,MT}    link kind of the node's tunnels: nwg or wireguard
#   FORWARD             relay: nwg's nested relay on the vps
#                       dnat: iptables DNAT and MASQUERADE and ip_forward=1, what
#                       people do without nwg; the tests' baseline
#                       flowtable: nft's, with a software flow table, the fastest way that
#                       stock parts have. For IPv4
#                       hub: the clients' wg0 ends on the vps, which routes into wg1, plain
#                       WireGuard; wg0's addresses of the mt are on its wg1. For IPv4 outside
#   OUTER               4 or 6: family between pc and vps
#   INNER               4 or 6: family inside wg1, by which the relay reaches the mt

CHAIN=nwg
CHAIN_DIR=''
NWGCTL=${NWGCTL:-$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../../build/nwgctl}

# shellcheck disable=SC2034 # for the tests
LAN4=192.168.88.10 LAN6=fd88::10 PC4=10.7.0.2 PC6=fd07::2
MT4=10.7.0.1 MT6=fd07::1
RELAY_PORT=60000
DIAL_PORT=60100
CLIENT_PORT=51820
# Where the isp's masquerading takes ports from, now and after a rebind.
CGNAT_PORTS=(40000-44999 50000-54999)

# chain_kind stock|nwg|over|baseline|flowtable|hub: stock wireguard at pc and mt with nwg on the vps;
# nwg everywhere; stock wireguard everywhere with nwg's relay over it; or with DNAT, on which
# checks of what only the relay can do have to fail; or with nft's and a flow table; or as a hub.
chain_kind() {
	KIND_PC=wireguard KIND_VPS=nwg KIND_MT=wireguard FORWARD=relay OUTER=4 INNER=4
	case $1 in
	stock) ;;
	nwg) KIND_PC=nwg KIND_MT=nwg ;;
	over) KIND_VPS=wireguard ;;
	baseline) KIND_VPS=wireguard FORWARD=dnat ;;
	flowtable) KIND_VPS=wireguard FORWARD=flowtable ;;
	hub) KIND_VPS=wireguard FORWARD=hub ;;
	*) echo "$1: stock, nwg, over, baseline, flowtable or hub" >&2 && return 2 ;;
	esac
}

# on NODE COMMAND...: run a command on a node.
on() {
	local node=$1
	shift
	ip netns exec "$CHAIN-$node" "$@"
}

# background NODE COMMAND...: start a command on a node; its process is $!.
background() {
	local node=$1
	shift
	ip netns exec "$CHAIN-$node" "$@" &
}

kind_of() {
	case $1 in
	pc*) echo "$KIND_PC" ;;
	vps) echo "$KIND_VPS" ;;
	mt*) echo "$KIND_MT" ;;
	esac
}

# wgtool NODE ARGUMENT...: the node's own tool for its tunnels: wg or nwgctl.
wgtool() {
	local node=$1 tool=wg
	shift
	[ "$(kind_of "$node")" != nwg ] || tool=$NWGCTL
	on "$node" "$tool" "$@"
}

nwgctl() {
	on vps "$NWGCTL" "$@"
}

# key NODE-TUNNEL, public NODE-TUNNEL: file of a private key, text of its public key.
key() {
	if [ ! -e "$CHAIN_DIR/$1" ]; then
		(umask 077 && wg genkey >"$CHAIN_DIR/$1") &&
			wg pubkey <"$CHAIN_DIR/$1" >"$CHAIN_DIR/$1.public"
	fi
	echo "$CHAIN_DIR/$1"
}

public() {
	local key
	key=$(key "$1") && echo "$(<"$key.public")"
}

# nodes NAME...: make namespaces that forward nothing.
nodes() {
	local node
	for node; do
		ip netns add "$CHAIN-$node" || return
		on "$node" sh -c '
			sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 \
				net.ipv6.conf.default.accept_dad=0 \
				net.ipv6.conf.default.keep_addr_on_down=1 net.ipv4.conf.all.rp_filter=0
			ip link set lo up' || return
	done
}

# router NODE: make it forward.
router() {
	on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# wire A ADDRESSES B ADDRESSES: a link; addresses with prefix length, comma separated.
wire() {
	local a=$1 b=$3
	ip link add "$b" netns "$CHAIN-$a" type veth peer name "$a" netns "$CHAIN-$b" &&
		addresses "$a" "$b" "$2" && addresses "$b" "$a" "$4"
}

# addresses NODE DEVICE LIST [MTU]
addresses() {
	local address
	{
		for address in ${3//,/ }; do
			case $address in
			*:*) echo "address add $address dev $2 nodad" ;;
			*) echo "address add $address dev $2" ;;
			esac
		done
		echo "link set $2 up ${4:+mtu $4}"
	} | ip -n "$CHAIN-$1" -batch -
}

# routes NODE ROUTE...
routes() {
	local node=$1
	shift
	printf 'route add %s\n' "$@" | ip -n "$CHAIN-$node" -batch -
}

# tunnel NODE NAME ADDRESSES MTU [wg set arguments...]
tunnel() {
	local node=$1 name=$2 list=$3 mtu=$4
	shift 4
	ip -n "$CHAIN-$node" link add "$name" type "$(kind_of "$node")" &&
		wgtool "$node" set "$name" private-key "$(key "$node-$name")" "$@" &&
		addresses "$node" "$name" "$list" "$mtu"
}

# What wg0 may carry: wg1's 1420 less IP and UDP (28 or 48) and WireGuard (32); all of it with a hub.
nested_mtu() {
	case $FORWARD-$INNER in
	hub-*) echo 1420 ;;
	*-6) echo 1340 ;;
	*) echo 1360 ;;
	esac
}

# Where the clients' wg0 ends, which has RELAY_PORT.
wg0_end() {
	if [ "$FORWARD" = hub ]; then echo vps; else echo mt; fi
}

# relay_address: where the client finds the relay; relay_to: the inner endpoint.
relay_address() {
	if [ "$OUTER" = 6 ]; then echo 2001:db8:2::1; else echo 192.0.2.1; fi
}

relay_to() {
	if [ "$INNER" = 6 ]; then echo "[fd16::254]:$RELAY_PORT"; else echo "172.16.1.254:$RELAY_PORT"; fi
}

# vps_inside, mt_inside: the ends of wg1, as the relay has them.
vps_inside() {
	if [ "$INNER" = 6 ]; then echo fd16::1; else echo 172.16.1.1; fi
}

mt_inside() {
	if [ "$INNER" = 6 ]; then echo fd16::254; else echo 172.16.1.254; fi
}

relay_at() {
	echo "$(bracketed "$(relay_address)"):$RELAY_PORT"
}

underlay_up() {
	nodes pc isp mt lan &&
		vps_wired &&
		wire isp 100.64.0.1/24 mt 100.64.0.2/24 &&
		wire mt 192.168.88.1/24,fd88::1/64 lan "$LAN4/24,$LAN6/64" &&
		routes mt 'default via 100.64.0.1' &&
		routes lan 'default via 192.168.88.1' 'default via fd88::1' &&
		router isp && router mt && cgnat_up
}

# The vps on its own, so that it can be lost and put back.
vps_wired() {
	nodes vps &&
		wire pc 192.0.2.2/24,2001:db8:2::2/64 vps 192.0.2.1/24,2001:db8:2::1/64 &&
		wire vps 198.51.100.1/24 isp 198.51.100.2/24
}

vps_up() {
	vps_wired && wg1_up_vps && forward_up
}

cgnat_up() {
	on isp nft -f - <<-END &&
		table inet cgnat {
			chain forward {
				type filter hook forward priority filter; policy drop;
				iifname "mt" accept
				ct state established,related accept
			}
			chain input {
				type filter hook input priority filter; policy drop;
				ct state established,related accept
			}
			chain source {
				type nat hook postrouting priority srcnat;
				oifname "vps" meta l4proto { tcp, udp } masquerade to :${CGNAT_PORTS[0]} random
			}
		}
	END
		on isp sysctl -qw net.netfilter.nf_conntrack_udp_timeout=30 \
			net.netfilter.nf_conntrack_udp_timeout_stream=30
}

# The isp forgets all it knew and gives other ports from now on.
cgnat_rebind() {
	CGNAT_PORTS=("${CGNAT_PORTS[1]}" "${CGNAT_PORTS[0]}")
	on isp nft -f - <<-END && on isp conntrack -F 2>/dev/null
		flush chain inet cgnat source
		add rule inet cgnat source oifname "vps" meta l4proto { tcp, udp } \
			masquerade to :${CGNAT_PORTS[0]} random
	END
}

# Port that the vps sees the mt at, 0 if it does not know it.
mt_port() {
	wgtool vps show wg1 endpoints | sed -n 's/.*:\([0-9]*\)$/\1/p' | grep . || echo 0
}

wg1_up_vps() {
	tunnel vps wg1 172.16.1.1/24,fd16::1/64 1420 listen-port "$DIAL_PORT" \
		peer "$(public mt-wg1)" allowed-ips 172.16.1.254/32,fd16::254/128
}

wg1_up_mt() {
	tunnel mt wg1 172.16.1.254/24,fd16::254/64 1420 \
		peer "$(public vps-wg1)" allowed-ips 172.16.1.1/32,fd16::1/128 \
		endpoint 198.51.100.1:$DIAL_PORT persistent-keepalive 25
}

wg0_up() {
	if [ "$FORWARD" = hub ]; then
		hub_up
	else
		tunnel mt wg0 $MT4/24,$MT6/64 "$(nested_mtu)" listen-port "$RELAY_PORT"
	fi
}

# The vps is in both tunnels, and the mt and what is behind it have a way to wg0's clients.
hub_up() {
	router vps && tunnel vps wg0 10.7.0.254/24,fd07::254/64 "$(nested_mtu)" listen-port "$RELAY_PORT" &&
		wgtool vps set wg1 peer "$(public mt-wg1)" allowed-ips \
			"172.16.1.254/32,fd16::254/128,$MT4/32,$MT6/128,192.168.88.0/24,fd88::/64" &&
		routes vps "$MT4 dev wg1" "$MT6 dev wg1" '192.168.88.0/24 dev wg1' 'fd88::/64 dev wg1' &&
		wgtool mt set wg1 peer "$(public vps-wg1)" \
			allowed-ips 172.16.1.1/32,fd16::1/128,10.7.0.0/24,fd07::/64 &&
		addresses mt wg1 "$MT4/24,$MT6/64"
}

# client_up NODE HOST ENDPOINT: wg0 on a client, as 10.7.0.HOST and fd07::HOST.
client_up() {
	local end
	end=$(wg0_end)
	wgtool "$end" set wg0 peer "$(public "$1-wg0")" allowed-ips "10.7.0.$2/32,fd07::$2/128" &&
		tunnel "$1" wg0 "10.7.0.$2/24,fd07::$2/64" "$(nested_mtu)" listen-port "$CLIENT_PORT" \
			peer "$(public "$end-wg0")" endpoint "$3" \
			allowed-ips $MT4/32,$MT6/128,192.168.88.0/24,fd88::/64 &&
		client_routes "$1"
}

client_routes() {
	routes "$1" '192.168.88.0/24 dev wg0' 'fd88::/64 dev wg0'
}

forward_up() {
	case $FORWARD in
	relay) relay_up "$RELAY_PORT" ;;
	dnat)
		router vps
		on vps iptables -t nat -A PREROUTING ! -i wg1 -p udp --dport "$RELAY_PORT" \
			-j DNAT --to-destination 172.16.1.254:$RELAY_PORT &&
			on vps iptables -t nat -A POSTROUTING -o wg1 -j MASQUERADE &&
			on vps ip6tables -t nat -A PREROUTING ! -i wg1 -p udp --dport "$RELAY_PORT" \
				-j DNAT --to-destination "[fd16::254]:$RELAY_PORT" &&
			on vps ip6tables -t nat -A POSTROUTING -o wg1 -j MASQUERADE
		;;
	flowtable)
		router vps
		on vps nft -f - <<-END
			table ip relay {
				flowtable fast {
					hook ingress priority filter;
					devices = { pc, wg1 };
				}
				chain forward {
					type filter hook forward priority filter;
					meta l4proto udp flow add @fast
				}
				chain destination {
					type nat hook prerouting priority dstnat;
					iifname != "wg1" udp dport $RELAY_PORT dnat to 172.16.1.254:$RELAY_PORT
				}
				chain source {
					type nat hook postrouting priority srcnat;
					oifname "wg1" masquerade
				}
			}
		END
		;;
	esac
}

# relay_up LISTEN: the relay from LISTEN ([ADDRESS:]PORT) to the mt's wg0.
relay_up() {
	nwgctl relay add dev wg1 listen "$1" peer "$(public mt-wg1)" to "$(relay_to)" \
		responder "$(public mt-wg0)"
}

# For a relay with source transparent: by wg1 goes what the mt's wg0 sends, and only that, not what wg1
# itself does.
home_answers_anybody() {
	wgtool mt set wg1 peer "$(public vps-wg1)" allowed-ips 0.0.0.0/0,::/0 &&
		wgtool mt set wg0 fwmark 0x60 && ip -n "$CHAIN-mt" rule add fwmark 0x60 table 60 &&
		routes mt 'default dev wg1 table 60'
}

# renew NODE TUNNEL: forget all sessions; the next packet begins a new one.
renew() {
	ip -n "$CHAIN-$1" link set "$2" down && ip -n "$CHAIN-$1" link set "$2" up &&
		case $1-$2 in pc*-wg0) client_routes "$1" ;; esac
}

# outer FAMILY [INNER]: the pc comes over that family from now on, and so does what is inside wg1,
# unless it is to be another.
outer() {
	local node
	OUTER=$1 INNER=${2:-$1}
	# It may initiate once more, by the family of before, to the relay that comes.
	ip -n "$CHAIN-pc" link set wg0 down || return
	if [ "$FORWARD" = relay ]; then
		nwgctl relay del listen "$RELAY_PORT" && relay_up "$RELAY_PORT" || return
	fi
	for node in pc mt; do
		ip -n "$CHAIN-$node" link set wg0 mtu "$(nested_mtu)"
	done
	wgtool pc set wg0 peer "$(public mt-wg0)" endpoint "$(relay_at)" && renew pc wg0
}

# chain_up: all of it, with the relay, but no packet sent through wg0.
chain_up() {
	CHAIN_DIR=$(mktemp -d) && underlay_up && wg1_up_vps && forward_up && wg1_up_mt &&
		wg0_up && client_up pc 2 "$(relay_at)"
}

# node_down NODE: with all that runs there.
node_down() {
	ip netns pids "$CHAIN-$1" | xargs -r kill
	ip netns del "$CHAIN-$1"
}

chain_down() {
	local node status=0
	for node in $(ip netns list | sed -n "s/^$CHAIN-\([^ ]*\).*/\1/p"); do
		node_down "$node" || status=1
	done
	rm -rf "$CHAIN_DIR"
	return "$status"
}

# home_up: the household of pc2 and pc3, both behind 203.0.113.2.
home_up() {
	local n
	nodes home pc2 pc3 && router home &&
		wire home 203.0.113.2/24 vps 203.0.113.1/24 &&
		on home nft -f - <<-'END' || return
			table ip home {
				chain source {
					type nat hook postrouting priority srcnat;
					oifname "vps" masquerade
				}
			}
		END
	for n in 2 3; do
		wire "pc$n" "10.1.$n.2/24" home "10.1.$n.1/24" &&
			routes "pc$n" "default via 10.1.$n.1" &&
			client_up "pc$n" $((n + 1)) 203.0.113.1:$RELAY_PORT || return
	done
}
