#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What relaying costs the vps: nothing that makes it a router or a firewall, and no
# sight of what it carries.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# every_setting VALUE NAME...: each sysctl that matches has the value, and one does.
every_setting() {
	on vps sysctl -n --pattern "$2" -a | sort -u | diff - <(echo "$1")
}

# The files are there when there are, or were, such tables.
no_rules() {
	local rules tables
	rules=$(on vps nft list ruleset) && tables=$(
		on vps find /proc/net/ -maxdepth 1 -name 'ip*_tables_names' -exec cat {} +
	) || return
	echo "$rules$tables"
	[ -z "$rules$tables" ]
}

conntrack_on_vps() {
	on vps conntrack -L -f "$1" 2>/dev/null
}

# Packets of wg0 on the vps' side of the client, and of wg1 towards the mt.
saw_both_legs() {
	at_least 100000 "$(bytes_captured "$CHAIN_DIR/vps.pcap" "udp dst port $RELAY_PORT and src host 192.0.2.2")" \
		"$(bytes_captured "$CHAIN_DIR/vps.pcap" "udp src port $DIAL_PORT")"
}

# The search finds what there is to find: the same traffic, decrypted at the mt.
finds_at_mt() {
	local marks pairs
	read -r marks pairs < <(traces "$CHAIN_DIR/mt.pcap")
	at_least 50 "$marks" "$pairs"
}

finds_nothing_at_vps() {
	diff <(traces "$CHAIN_DIR/vps.pcap") <(echo 0 0)
}

track_connections() {
	on vps nft -f - <<-'END'
		table inet track {
			chain input {
				type filter hook prerouting priority filter;
				ct state new counter
			}
			chain output {
				type filter hook output priority filter;
				ct state new counter
			}
		}
	END
}

# Conntrack follows the tunnel that ends here, and sees nothing of the relay.
tracks_the_dial() {
	conntrack_on_vps ipv4 | grep -q "dport=$DIAL_PORT"
}

relay_untracked() {
	local entries
	entries=$(conntrack_on_vps ipv4 && conntrack_on_vps ipv6) || return
	! grep "port=$RELAY_PORT" <<<"$entries"
}

# Both ends anew, so that conntrack sees the first packets of everything.
new_sessions() {
	renew pc wg0 && renew mt wg1 && answers pc "$MT4" 20 && answers mt "$PC6"
}

private() {
	check "traffic passes" answers pc "$MT4" 20
	check "ip_forward is 0" every_setting 0 'net\.ipv4\.ip_forward$'
	check "v4 forwarding is 0 on every interface" every_setting 0 'net\.ipv4\.conf\..*\.forwarding'
	check "v6 forwarding is 0 on every interface" every_setting 0 'net\.ipv6\.conf\..*\.forwarding'
	check "proxy_arp is 0 on every interface" every_setting 0 'net\.ipv4\.conf\..*\.proxy_arp$'
	check "no nft and no iptables rules" no_rules
	check "no conntrack entry for the relay" relay_untracked
	check "traffic with a mark passes" marked_traffic wg0
	check "the capture on the vps has both legs" saw_both_legs
	check "the mark and the inner addresses are seen at the mt" finds_at_mt
	check "neither is seen on the vps, on any interface" finds_nothing_at_vps
	check "packets pass that are too large for wg1" large_traffic
	check "they are in fragments inside of it" in_fragments inside
	check "on the line between vps and home is wg1 alone" wg1_alone
	check "and no fragment" whole line
	check "conntrack is made to work on the vps" track_connections
	check "new sessions pass with conntrack at work" new_sessions
	check "conntrack follows the mt's dialling in" tracks_the_dial
	check "but still has no entry for the relay" relay_untracked
}

each_chain 19 private "$@"
