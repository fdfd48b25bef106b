# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of the device share: three namespaces, and the device in each kind.
#
#       namespace a                                           namespace b
#     +-----------------------------+                       +-----------------------------+
#     | wga  KIND_A                 |                       | wgb  KIND_B                 |
#     |      10.7.0.1/24 fd07::1/64 |                       |      10.7.0.2/24 fd07::2/64 |
#     |                             |         veth          |                             |
#     | eth0 10.0.0.1/24            +-----------------------+ eth0 10.0.0.2/24            |
#     |      fd00::1/64             |                       |      fd00::2/64             |
#     |      10.0.0.11/24           |                       |      10.0.0.22/24           |
#     |      fd00::11/64            |                       |      fd00::22/64            |
#     |                             |                       +-----------------------------+
#     |                             |                         namespace c
#     |                             |         veth          +-----------------------------+
#     | eth1 10.0.1.1/24            +-----------------------+ eth0 10.0.1.3/24            |
#     |      10.0.1.11/24           |                       |      10.0.1.4/24            |
#     |      fd00:1::1/64           |                       |      fd00:1::3/64           |
#     +-----------------------------+                       +-----------------------------+
#
# b is a real peer. In c the cases in Python play a peer by hand (see bench.py). Floods
# come from 198.18.0.0/15, to which a and b have no way: that is, with forged sources.
#
# KIND_A, the device under test, and KIND_B are nwg, wireguard (the stock module) or go
# (wireguard-go). Every test here must pass with KIND_A=wireguard, too: that is how what
# it expects was established.

KIND_A=${KIND_A:-nwg}
KIND_B=${KIND_B:-wireguard}
device_dir=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
NWGCTL=${NWGCTL:-$device_dir/../../build/nwgctl}
PREFIX=${PREFIX:-nwg-device}
export PYTHONDONTWRITEBYTECODE=1

# tool KIND: the program that configures the kind.
tool() {
	if [ "$1" = nwg ]; then echo "$NWGCTL"; else echo wg; fi
}

# on NODE COMMAND...: run a command in a namespace.
on() {
	local node=$1
	shift
	ip netns exec "$PREFIX-$node" "$@"
}

# background NODE COMMAND...: start a command in a namespace; its process is $!.
background() {
	ip netns exec "$PREFIX-$1" "${@:2}" &
}

# ip_on NODE ARGUMENT...: ip in a namespace, without the cost of entering it.
ip_on() {
	ip -n "$PREFIX-$1" "${@:2}"
}

# wg_on NODE ARGUMENT...: configure or show the node's device.
wg_on() {
	local kind=$KIND_A
	[ "$1" = a ] || kind=$KIND_B
	on "$1" "$(tool "$kind")" "${@:2}"
}

# elements NODE set|table NAME...: what nft has in that set, or in the sets of that table, a line each.
# (jq takes longer to start than all the rest of a check.)
elements() {
	on "$1" nft list "$2" inet "${@:3}" | awk '
		/elements = {/, /}/ {
			sub(/.*{/, "")
			sub(/}.*/, "")
			gsub(/"/, "")
			gsub(/ \. /, " ")
			count = split($0, part, ",")
			for (i = 1; i <= count; i++) {
				gsub(/^[ \t]+|[ \t]+$/, "", part[i])
				if (part[i] != "")
					print part[i]
			}
		}' | sort
}

# need_kinds: skip where a kind is not to be had; load the stock module, unless nwg is in its place (drop-in.sh).
need_kinds() {
	local kind
	for kind in "$KIND_A" "$KIND_B"; do
		case $kind in
		nwg) [ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make" ;;
		wireguard)
			ktap_need wg
			[ -n "${drop_in_loaded:-}" ] || modprobe wireguard || ktap_skip_all "no stock module"
			;;
		go)
			ktap_need wg wireguard-go
			modprobe tun || [ -e /dev/net/tun ] || ktap_skip_all "no tun"
			# When its turn comes late, what has arrived must still be there.
			echo 4194304 >/proc/sys/net/core/rmem_default
			;;
		*) echo "$kind: not nwg, wireguard or go" >&2 && exit 2 ;;
		esac
	done
}

# link_add NODE NAME: a device of the node's kind.
link_add() {
	local kind=$KIND_A
	[ "$1" = a ] || kind=$KIND_B
	if [ "$kind" = go ]; then
		# It says that it need not run on Linux.
		on "$1" wireguard-go "$2" >/dev/null 2>&1
	else
		ip_on "$1" link add "$2" type "$kind"
	fi
}

# vrf_up INTERFACE: put this interface of a's into a VRF with table 201.
vrf_up() {
	ip_on a link add vrf1 type vrf table 201 && ip_on a link set vrf1 up &&
		ip_on a link set "$1" master vrf1
}

topology_up() {
	defer topology_down
	topology_make
}

topology_make() {
	local node
	for node in a b c; do
		ip netns add "$PREFIX-$node" || return
		ip_on $node link set lo up
	done
	ip link add eth0 netns "$PREFIX-a" type veth peer name eth0 netns "$PREFIX-b"
	ip link add eth1 netns "$PREFIX-a" type veth peer name eth0 netns "$PREFIX-c"
	ip -n "$PREFIX-a" -batch - <<-'END'
		address add 10.0.0.1/24 dev eth0
		address add fd00::1/64 dev eth0 nodad
		address add 10.0.0.11/24 dev eth0
		address add fd00::11/64 dev eth0 nodad preferred_lft 0
		address add 10.0.1.1/24 dev eth1
		address add 10.0.1.11/24 dev eth1
		address add fd00:1::1/64 dev eth1 nodad
		link set eth0 up
		link set eth1 up
		route add blackhole 198.18.0.0/15
	END
	ip -n "$PREFIX-b" -batch - <<-'END'
		address add 10.0.0.2/24 dev eth0
		address add fd00::2/64 dev eth0 nodad
		address add 10.0.0.22/24 dev eth0
		address add fd00::22/64 dev eth0 nodad preferred_lft 0
		link set eth0 up
		route add blackhole 198.18.0.0/15
	END
	ip -n "$PREFIX-c" -batch - <<-'END'
		address add 10.0.1.3/24 dev eth0
		address add 10.0.1.4/24 dev eth0
		address add fd00:1::3/64 dev eth0 nodad
		link set eth0 up
	END
}

topology_down() {
	local node
	for node in a b c; do
		ip netns del "$PREFIX-$node" 2>/dev/null
	done
}

# better NAME COMMAND...: what the stock module does not do.
better() {
	if [ "$KIND_A" = nwg ]; then
		ktap_run "$@"
	else
		ktap_skip "$1" "only nwg does that"
	fi
}

# run_cases MODULE...: run the cases of Python modules against the device in a; plans.
run_cases() {
	local line diagnostics=()
	while read -r line; do
		case $line in
		"plan "*) ktap_plan "${line#plan }" ;;
		"# "*) diagnostics+=("${line#\# }") ;;
		"ok "*) ktap_ok "${line#ok }" && diagnostics=() ;;
		"not ok "*)
			ktap_fail "${line#not ok }" "$(printf '%s\n' "${diagnostics[@]}")"
			diagnostics=()
			;;
		*) ktap_diag "$line" ;;
		esac
	done < <(KIND_A=$KIND_A TOOL_A=$(tool "$KIND_A") NS_A=$PREFIX-a NS_C=$PREFIX-c \
		python3 "$device_dir/cases.py" "$@" 2>&1)
}
