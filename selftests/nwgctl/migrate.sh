#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl migrate: a vps that translates, by iptables or nft, over the stock module's wg1, becomes one that
# relays. The steps that are printed are run as they are printed.
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
	ip netns exec "mig-$1" "${@:2}"
}

ctl() {
	"$NWGCTL" -n mig-vps "$@"
}

# tunnel NODE DEVICE ADDRESS MTU SET-ARGUMENT...
tunnel() {
	local node=$1 device=$2 address=$3 mtu=$4
	ip -n "mig-$node" link add "$device" mtu "$mtu" type wireguard &&
		on "$node" wg set "$device" private-key "$work/$node-$device" "${@:5}" &&
		ip -n "mig-$node" addr add "$address" dev "$device" &&
		ip -n "mig-$node" link set "$device" up
}

topology() {
	local node link
	for node in pc vps mt; do
		ip netns add "mig-$node"
		defer ip netns del "mig-$node"
		ip -n "mig-$node" link set lo up
	done
	for link in pc-wg0 mt-wg0 vps-wg1 mt-wg1; do
		wg genkey >"$work/$link"
		public[$link]=$(wg pubkey <"$work/$link")
	done
	ip link add vps netns mig-pc type veth peer name eth0 netns mig-vps
	ip link add mt netns mig-vps type veth peer name vps netns mig-mt
	ip -n mig-pc addr add 192.0.2.2/24 dev vps
	ip -n mig-vps addr add 192.0.2.1/24 dev eth0
	ip -n mig-vps addr add 198.51.100.1/24 dev mt
	ip -n mig-vps link set eth0 up
	ip -n mig-vps route add default via 192.0.2.2
	ip -n mig-mt addr add 198.51.100.2/24 dev vps
	for link in pc:vps vps:eth0 vps:mt mt:vps; do
		ip -n "mig-${link%:*}" link set "${link#*:}" up
	done
	# The mt is outside, too, by another uplink.
	ip -n mig-vps route add default via 198.51.100.2 metric 10
	tunnel mt wg1 172.16.1.254/24 1420 \
		peer "${public[vps-wg1]}" allowed-ips 172.16.1.0/24 endpoint 198.51.100.1:60100 persistent-keepalive 1
	tunnel mt wg0 10.7.0.1/24 1360 listen-port 60000 peer "${public[pc-wg0]}" allowed-ips 10.7.0.2/32
	tunnel pc wg0 10.7.0.2/24 1360 \
		peer "${public[mt-wg0]}" allowed-ips 10.7.0.1/32 endpoint 192.0.2.1:60000
}

# conf [LINE]...: the vps' file for wg-quick, with these lines in its first section.
conf() {
	mkdir -p /etc/wireguard
	printf '%s\n' '# The way home.' '[Interface]' "PrivateKey = $(cat "$work/vps-wg1")" 'Address = 172.16.1.1/24' \
		'ListenPort = 60100' 'MTU = 1420' "$@" '' '[Peer]' "PublicKey = ${public[mt-wg1]}" \
		'AllowedIPs = 172.16.1.254/32' >/etc/wireguard/wg1.conf
}

forwarding() {
	on vps sysctl -qw "net.ipv4.ip_forward=$1" "net.ipv4.conf.eth0.proxy_arp=$1"
}

# As it was before anything.
reset() {
	ip -n mig-vps link del wg1 2>/dev/null
	on vps nft flush ruleset
	! has_legacy || on vps iptables-legacy -t nat -F
	forwarding 0
	rm -rf /etc/nwg /etc/wireguard /etc/iptables /etc/ufw /etc/nftables.conf /etc/sysctl.d/99-nwg-test.*
	true
}

# A session begins anew.
reaches() {
	on pc wg set wg0 peer "${public[mt-wg0]}" remove &&
		on pc wg set wg0 peer "${public[mt-wg0]}" allowed-ips 10.7.0.1/32 endpoint 192.0.2.1:60000 &&
		on pc ping -q -c 1 -W 5 10.7.0.1
}

reaches_soon() {
	slowwait 30 reaches
}

# relayed: by the relay, and by it alone.
relayed() {
	[ "$(on vps cat /proc/sys/net/ipv4/ip_forward)" = 0 ] &&
		[ "$(on vps cat /proc/sys/net/ipv4/conf/eth0/proxy_arp)" = 0 ] || return
	! { on vps nft list ruleset; has_legacy && on vps iptables-legacy-save; } 2>/dev/null | grep -i 'dnat\|masq' &&
		reaches_soon && ctl -j relay show | jq -e 'any(.[]; .flows.established == 1)'
}

# steps [ARGUMENT]...: as they are printed, a line each.
steps() {
	ctl migrate "$@" | sed -n '/^Steps/,$ { s/^  \([^ #]\)/\1/p }'
}

# run_steps STEPS [DIRECTORY of nwgctl]
run_steps() {
	local step
	while IFS= read -r step; do
		echo "+ $step"
		on vps env PATH="$work/${2:-bin}:$PATH" sh -ec "$step" </dev/null || return
	done <<<"$1"
}

# run_file STEPS: likewise, as one file.
run_file() {
	echo "$1" >"$work/steps"
	on vps env PATH="$work/bin:$PATH" sh -ex "$work/steps" </dev/null
}

# With an nwgctl that makes nothing, the steps end with the old interface, made anew.
is_back() {
	local before all
	before=$(on vps cat /sys/class/net/wg1/ifindex)
	mkdir -p "$work/broken"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n[ "$1" = up ] && exit 1\nexec "%s" "$@"\n' "$NWGCTL" >"$work/broken/nwgctl"
	chmod +x "$work/broken/nwgctl"
	all=$(steps wg1 --dry-run)
	! run_steps "$all" broken && on vps wg show wg1 peers | grep -qxF "${public[mt-wg1]}" &&
		[ "$(on vps cat /sys/class/net/wg1/ifindex)" != "$before" ]
}

# Of what no file was of, one is kept that makes it again.
goes_back() {
	[ "$(stat -c %a /etc/nwg/before/wg1.conf)" = 600 ] && ctl up /etc/nwg/before/wg1.conf &&
		ip -n mig-vps -d link show wg1 | grep -w wireguard &&
		on vps wg show wg1 allowed-ips | grep -F "${public[mt-wg1]}" &&
		ip -n mig-vps addr show wg1 | grep -wF 172.16.1.1/24
}

# connects PORT: somebody at home to the vps, through the tunnel, and stays.
connects() {
	local program='import socket, sys, time
if sys.argv[1] == "listen":
    listener = socket.create_server(("", int(sys.argv[2])))
    peer = listener.accept()
else:
    peer = socket.create_connection(("172.16.1.1", int(sys.argv[2])))
time.sleep(3600)'
	ip netns exec mig-vps python3 -c "$program" listen "$1" &
	defer kill $!
	slowwait 30 has_socket listening "$1"
	ip netns exec mig-mt python3 -c "$program" connect "$1" &
	defer kill $!
	slowwait 30 has_socket established "$1"
}

has_socket() {
	on vps ss -Htn state "$1" "sport = :$2" | grep -q .
}

# said WORDS, unsaid WORDS: of what is to be minded.
said() {
	minds "$1" any
}

unsaid() {
	minds "$1" 'any | not'
}

minds() {
	ctl -j migrate wg1 --dry-run >"$work/out" 2>&1
	jq -e --arg words "$1" '(.changes | type == "array") and
		([.changes[] | .reason | contains($words)] | '"$2"')' <"$work/out" >/dev/null && return
	cat "$work/out"
	return 1
}

# says PATTERN ABSENT ARGUMENT...: the one is in what migrate shows, the other is not.
says() {
	ctl migrate "${@:3}" --dry-run >"$work/out" 2>&1
	grep -qE -- "$1" "$work/out" && ! grep -qE -- "$2" "$work/out" && return
	cat "$work/out"
	return 1
}

# With room for one file, there is none.
writes_both() {
	mkdir -p "$work/full"
	mount -t tmpfs -o size=4k none "$work/full" || return
	fails 1 "No space left" migrate wg1 to "$work/full/wg1.conf"
	local status=$?
	find "$work/full" -type f | grep . && status=1
	umount "$work/full"
	return "$status"
}

relative() {
	(cd /etc/wireguard && says '^  wg-quick down wg1 ' 'wg-quick down [^w]' ./wg1.conf)
}

# at_boot UNIT-FILE: with it the unit is enabled, without it is said that nothing does it.
at_boot() {
	local words='nothing is known that brings it up at boot'
	ctl migrate wg1 --dry-run >"$work/out" || return
	! grep -q 'systemctl enable' "$work/out" && grep -qF "$words" "$work/out" || return
	mkdir -p "$(dirname "$1")" && touch "$1" || return
	ctl migrate wg1 --dry-run >"$work/out"
	rm "$1"
	grep -qx '  systemctl enable nwg@wg1' "$work/out" && ! grep -qF "$words" "$work/out" && return
	cat "$work/out"
	return 1
}

# migrates NAME PATTERN...: from what is up to a relay, by the steps; the patterns are of what --dry-run shows.
migrates() {
	local name=$1 all
	shift
	ktap_run "$name: the pc reaches the mt by translation" reaches_soon
	ktap_run "$name: --dry-run writes nothing, and shows what would be" dry "$@"
	all=$(steps)
	ktap_run "$name: the file is there, and only root's" is_private
	ktap_run "$name: the steps are taken" run_steps "$all"
	ktap_run "$name: the pc reaches the mt by a relay, and nothing is forwarded" relayed
}

# dry PATTERN...: each is in what is shown, no secret is.
dry() {
	local text before pattern
	before=$(everything)
	text=$(ctl --dry-run migrate wg1) || return
	echo "$text"
	for pattern; do
		grep -qE -- "$pattern" <<<"$text" || { echo "not there: $pattern" && return 1; }
	done
	! grep -qF "$(cat "$work/vps-wg1")" <<<"$text" && [ "$before" = "$(everything)" ]
}

everything() {
	find /etc/nwg /etc/wireguard -type f -exec cat {} + 2>/dev/null
	on vps nft list ruleset
	on vps ip -j addr show | jq -c 'map([.ifname, .addr_info])'
	on vps cat /proc/sys/net/ipv4/ip_forward
}

is_private() {
	[ "$(stat -c %a:%u /etc/nwg/wg1.conf)" = 600:0 ] && grep -qx 'To = 172.16.1.254:60000' /etc/nwg/wg1.conf
}

# rid_of PATTERN KEPT FILE: the one is not in the file, the other is.
rid_of() {
	cat "$3"
	! grep -qE -- "$1" "$3" && grep -qF -- "$2" "$3"
}

has_legacy() {
	on vps iptables-legacy -t nat -S >/dev/null 2>&1
}

# left WORDS RULE...: a rule of iptables' table nat that is not carried over, and why.
left() {
	local words=$1 text
	shift
	on vps iptables -t nat "$@" || return
	text=$(ctl -j migrate wg1 --dry-run 2>"$work/err")
	on vps iptables -t nat -D "${@:2}" || return
	jq -e --arg words "$words" 'any(.left[]; (.reason | contains($words)) and .remedy != "" and .what != "")' \
		<<<"$text" >/dev/null && return
	echo "$text"
	cat "$work/err"
	return 1
}

# fails STATUS WORDS ARGUMENT...: nwgctl ends with STATUS and says WORDS.
fails() {
	local got
	"$NWGCTL" -n mig-vps "${@:3}" >"$work/out" 2>"$work/err"
	got=$?
	[ "$got" -eq "$1" ] && grep -qF -- "$2" "$work/err" && return
	echo "exit status $got:" "$(cat "$work/err")" "$(cat "$work/out")"
	return 1
}

ktap_need ip ping jq nft iptables wg wg-quick python3 ss
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "module nwg is not loaded: run by selftests/run"
work=$(mktemp -d)
defer rm -rf "$work"
mkdir "$work/bin"
ln -s "$NWGCTL" "$work/bin/nwgctl"
umask 077
declare -A public
ktap_plan 64
topology

# iptables, by the file's hooks, with the switch of forwarding.
# shellcheck disable=SC2016
conf 'PreUp = echo before' \
	'PostUp = iptables -t nat -A PREROUTING -i eth0 -p udp --dport 60000 -j DNAT --to-destination 172.16.1.254:60000; iptables -t nat -A POSTROUTING -o %i -j MASQUERADE' \
	'PostUp = iptables -A FORWARD -i eth0 -o %i -p udp --dport 60000 -j ACCEPT; touch /run/mig-up; sysctl -qw net.ipv4.ip_forward=1' \
	'PostDown = iptables -t nat -D PREROUTING -i eth0 -p udp --dport 60000 -j DNAT --to-destination 172.16.1.254:60000 || true; iptables -t nat -D POSTROUTING -o %i -j MASQUERADE' \
	'PostDown = iptables -D FORWARD -i eth0 -o %i -p udp --dport 60000 -j ACCEPT'
on vps wg-quick up wg1 >"$work/log" 2>&1
migrates "iptables in hooks" '^-PostUp = iptables -t nat' '^[+]PostUp = touch /run/mig-up$' '^-PostDown' \
	'^[+]Listen = [*]%eth0:60000$' 'wg-quick down wg1' 'the tunnel is down from here' 'nwgctl set wg1 peer .* endpoint 198.51.100.2:' \
	'sysctl -w net/ipv4/ip_forward=0'
ktap_run "comments, and hooks of something else, are kept" \
	grep -qx -e '# The way home.' -e 'PreUp = echo before' /etc/nwg/wg1.conf
ktap_run "refused: the file is there already" fails 1 "Unable to write /etc/nwg/wg1.conf: File exists" migrate wg1
ctl down wg1 2>/dev/null
reset

# iptables, by hand; rules of others stay.
conf
mkdir -p /etc/iptables
printf '%s\n' net.ipv4.conf.eth0.proxy_arp=1 kernel.sysrq=0 >/etc/sysctl.d/99-nwg-test.conf
mkdir -p /etc/ufw
printf '%s\n' net/ipv4/ip_forward=1 net/ipv4/tcp_sack=1 >/etc/ufw/sysctl.conf
on vps wg-quick up wg1 >"$work/log" 2>&1
forwarding 1
by_hand() {
	local iptables=$1
	on vps "$iptables" -t nat -A PREROUTING -d 192.0.2.1 -p udp --dport 60000 -m comment --comment "home's" \
		-j DNAT --to-destination 172.16.1.254:60000 &&
		on vps "$iptables" -t nat -A POSTROUTING -o wg1 -p udp -j SNAT --to-source 172.16.1.1
}
by_hand iptables
on vps iptables -A FORWARD -i eth0 -o wg1 -j ACCEPT
on vps iptables -A FORWARD -i wg1 -j ACCEPT
on vps iptables -P FORWARD DROP
on vps iptables -A INPUT -p tcp --dport 22 -j ACCEPT
on vps iptables-save >/etc/iptables/rules.v4
cp /etc/iptables/rules.v4 /etc/ufw/before.rules
ktap_run "what switches forwarding on is known" unsaid "what switches it on at boot is not known"
echo net.ipv4.ip_forward=1 >/etc/sysctl.d/99-nwg-test.bak
migrates "iptables by hand" '^[+]Listen = 192.0.2.1:60000$' '^[+]Source = masquerade$' \
	'^[+]# ResponderKey =$' "sed -i '[0-9d;]*' /etc/iptables/rules.v4" \
	"sed -i '[0-9d;]*' /etc/ufw/before.rules" "sed -i '1d' /etc/ufw/sysctl.conf" '/etc/sysctl.d/99-nwg-test.conf'
ktap_run "what is loaded at boot makes them no more" rid_of 'DNAT|wg1' 'dport 22' /etc/iptables/rules.v4
ktap_run "nor is ufw's" rid_of 'DNAT|wg1' 'dport 22' /etc/ufw/before.rules
ktap_run "nor forwarding" rid_of net kernel.sysrq=0 /etc/sysctl.d/99-nwg-test.conf
ktap_run "a file that is not read at boot is as it was" grep -qx net.ipv4.ip_forward=1 /etc/sysctl.d/99-nwg-test.bak
ktap_run "a rule of something else is there" on vps iptables -C INPUT -p tcp --dport 22 -j ACCEPT
ctl down wg1 2>/dev/null
on vps iptables -P FORWARD ACCEPT
reset

# iptables-legacy.
if has_legacy; then
	conf
	on vps wg-quick up wg1 >"$work/log" 2>&1
	forwarding 1
	by_hand iptables-legacy
	migrates "iptables-legacy" 'iptables-legacy -t nat -D PREROUTING' 'iptables-legacy -t nat -D POSTROUTING'
	ctl down wg1 2>/dev/null
	reset
else
	for what in translates "does not write" writes steps relays; do
		ktap_skip "iptables-legacy $what" "this kernel has no iptables-legacy"
	done
fi

# nft, and an interface that no file is of.
by_nft() {
	cat >/etc/nftables.conf <<-EOF
		table inet relay {
			set ports {
				type inet_service
				elements = { 60000, 60001 }
			}
			chain early {
				type nat hook prerouting priority dstnat; policy accept;
				iifname != "wg1" udp dport @ports dnat ip to 172.16.1.254:60000
			}
			chain late {
				type nat hook postrouting priority srcnat; policy accept;
				oifname "wg1" masquerade
			}
		}
		table inet other {
			chain input {
				type filter hook input priority filter; policy accept;
			}
		}
	EOF
	on vps nft -f /etc/nftables.conf
}
tunnel vps wg1 172.16.1.1/24 1420 listen-port 60100 \
	peer "${public[mt-wg1]}" allowed-ips 172.16.1.254/32
forwarding 1
by_nft
slowwait 30 reaches >/dev/null
ktap_run "what switches forwarding on is not known" said "what switches it on at boot is not known"
ktap_run "both files are written, or none" writes_both
mkdir -p /etc/systemd/network
printf '%s\n' '[NetDev]' Name=wg1 Kind=wireguard >/etc/systemd/network/home.netdev
migrates "nft" 'it is named in /etc/systemd/network/home.netdev$' \
	'nwgctl up wg1 [|][|] [{] nwgctl up /etc/nwg/before/wg1.conf; false; [}]' '^[+]Listen = 60000$' '^[+]Listen = 60001$' 'ip link del wg1' 'nft delete rule inet relay early handle' \
	'nftables.conf'
ktap_run "nft's file makes the rules no more, and the rest" rid_of 'dnat|masquerade' 'table inet other' /etc/nftables.conf
ktap_run "and nft takes it" on vps nft -c -f /etc/nftables.conf
ctl down wg1 2>/dev/null
ktap_run "what no file was of can be had again" goes_back
mv /etc/nwg/wg1.conf "$work"
ktap_run "refused: the file for that is there already" fails 1 "Unable to write /etc/nwg/before/wg1.conf: File exists" \
	migrate wg1
rm /etc/systemd/network/home.netdev
reset

# What is not carried over.
conf
on vps wg-quick up wg1 >"$work/log" 2>&1
ktap_run "refused: no rule leads into the tunnel" fails 1 "No rule can be made a relay over wg1" migrate wg1
on vps iptables -t nat -A PREROUTING -p udp --dport 60009 -j DNAT --to-destination 172.16.1.254:60000
ktap_run "if the new one cannot be up, the old one is" is_back
slowwait 30 on mt ping -q -c 1 -W 5 172.16.1.1 >/dev/null
ktap_run "nobody is logged in over it" unsaid "you may be logged in so"
connects 2222
ktap_run "somebody may be" said "172.16.1.254 is connected over it to TCP port 2222: you may be logged in so"
for directory in /etc /usr/local/lib /usr/lib; do
	ktap_run "the unit in $directory is enabled" at_boot "$directory/systemd/system/nwg@.service"
done
ktap_run "left: a range of ports" left "range of ports" \
	-A PREROUTING -p udp --dport 61000:61009 -j DNAT --to-destination 172.16.1.254
ktap_run "left: tcp" left "it translates tcp" \
	-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.16.1.254:80
ktap_run "left: for some sources" left "-s 198.51.100.0/24" \
	-A PREROUTING -s 198.51.100.0/24 -p udp --dport 61000 -j DNAT --to-destination 172.16.1.254:60000
ktap_run "left: no peer is for it" left "no peer of wg1 has 172.16.1.77 in its allowed IPs" \
	-A PREROUTING -p udp --dport 61000 -j DNAT --to-destination 172.16.1.77:60000
ktap_run "left: it leads elsewhere" left "leads to another interface" \
	-A PREROUTING -p udp --dport 61000 -j DNAT --to-destination 203.0.113.7:60000
on vps wg set wg1 peer "${public[mt-wg1]}" allowed-ips 172.16.1.254/32,198.51.100.0/24
ktap_run "left: an allowed IP that is routed elsewhere" left "198.51.100.7 is reached by another interface, mt" \
	-A PREROUTING -p udp --dport 61000 -j DNAT --to-destination 198.51.100.7:60000
on vps wg set wg1 peer "${public[mt-wg1]}" allowed-ips 172.16.1.254/32
ktap_run "left: an address that this machine does not have" left "192.0.2.99 is not an address of this machine" \
	-A PREROUTING -d 192.0.2.99 -p udp --dport 61000 -j DNAT --to-destination 172.16.1.254:60000
ktap_run "left: the tunnel's own port" left "UDP port 60100 has a socket" \
	-A PREROUTING -p udp --dport 60100 -j DNAT --to-destination 172.16.1.254:60000
ktap_run "left: another relay has the packets" left "the relay on *:60009, of a rule before it, has some of" \
	-A PREROUTING -i eth0 -p udp --dport 60009 -j DNAT --to-destination 172.16.1.254:60000
ip -n mig-vps link add wg5 type nwg
ctl set wg5 peer "${public[pc-wg0]}" allowed-ips 10.5.0.0/24
ctl relay add dev wg5 listen 61001 peer "${public[pc-wg0]}" to 10.5.0.2:60000
ktap_run "left: a relay of another interface has the port" left "there is a relay on *:61001 already" \
	-A PREROUTING -i eth0 -p udp --dport 61001 -j DNAT --to-destination 172.16.1.254:60000
ip -n mig-vps link del wg5
ktap_run "forwarding is for nobody else" unsaid "it may need this machine to forward IPv4"
on vps iptables -A FORWARD -i tun0 -o wg1 -p udp --dport 60000 -j ACCEPT
forwarding 1
ktap_run "somebody who comes by another interface is not cut off" \
	says 'FORWARD -i tun0 -o wg1' 'ip_forward=0|-D FORWARD' wg1
on vps iptables -F FORWARD
ktap_run "by a relative path it is the same file" relative
mkdir -p "$work/a" "$work/b" /etc/nwg /etc/systemd/system/multi-user.target.wants
cp /etc/wireguard/wg1.conf /etc/nwg
ln -s /nowhere /etc/systemd/system/multi-user.target.wants/nwg@wg1.service
ktap_run "the unit of the old file is disabled" says '^  systemctl disable nwg@wg1' '^  systemctl enable nwg@wg1$' \
	wg1 to "$work/b/wg1.conf"
ktap_run "and enabled again when the old tunnel is up" \
	says '[{] [^;]* up [^;]*; systemctl enable nwg@wg1; false; [}]$' 'enable --now' wg1 to "$work/b/wg1.conf"
rm -r /etc/nwg /etc/systemd/system/multi-user.target.wants/nwg@wg1.service
ktap_run "refused: no such directory" fails 1 "There is no directory $work/c" migrate wg1 to "$work/c/wg1.conf"
sed '/^\[Peer\]/,$d' /etc/wireguard/wg1.conf >"$work/a/wg1.conf"
ktap_run "refused: a file without the peer" fails 1 "wg1.conf has no peer ${public[mt-wg1]}, which a rule leads to" \
	migrate "$work/a/wg1.conf" to "$work/b/wg1.conf"
ktap_run "with the remedy" fails 1 \
	"have the interface written into it, and migrate then: nwgctl save $work/a/wg1.conf" \
	migrate "$work/a/wg1.conf" to "$work/b/wg1.conf"
ktap_run "refused: another name" fails 1 "is not the name of a file for wg1" migrate wg1 to /tmp/wg7.conf
ktap_run "refused: what is no word of it" fails 1 "Invalid argument: twice" migrate wg1 twice
ktap_run "refused: --dry-run elsewhere" fails 1 "only migrate has it" --dry-run up wg1
reset

# A file whose PostDown fails, and has deleted a rule in words of its own; the next one is not run.
conf 'PostUp = iptables -t nat -A PREROUTING -p udp --dport 60000 -j DNAT --to-destination 172.16.1.254:60000' \
	'PostUp = iptables -t nat -A POSTROUTING -o %i -j MASQUERADE' 'PostDown = iptables -t nat -F PREROUTING; false' \
	'PostDown = iptables -t nat -D POSTROUTING -o %i -j MASQUERADE'
on vps wg-quick up wg1 >"$work/log" 2>&1
forwarding 1
slowwait 30 reaches >/dev/null
ktap_run "the steps are taken as one, though some fail" run_file "$(steps)"
ktap_run "and the pc reaches the mt by a relay" relayed
ktap_end
