#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl up, down, reload and save: beside wg-quick(8), where that can do the same; what nwg adds; and
# that a file of which something cannot be done changes nothing.
#
#    here ------------ there
#    192.0.2.2      192.0.2.1
#    2001:db8::2    2001:db8::1

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}

# Keys: the interface's, and two peers'.
K=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
P1=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
P2=TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=

here() {
	ip netns exec up-here "$@"
}

ctl() {
	PATH=${NWGCTL_PATH:-$PATH} "$NWGCTL" -n up-here "$@"
}

topology() {
	local node
	for node in here there; do
		ip netns add "up-$node"
		defer ip netns del "up-$node"
		ip -n "up-$node" link set lo up
	done
	ip link add eth0 netns up-here type veth peer name eth0 netns up-there
	ip -n up-here addr add 192.0.2.2/24 dev eth0
	ip -n up-there addr add 192.0.2.1/24 dev eth0
	ip -n up-here addr add 2001:db8::2/64 dev eth0 nodad
	ip -n up-there addr add 2001:db8::1/64 dev eth0 nodad
	ip -n up-here link set eth0 up
	ip -n up-there link set eth0 up
	ip -n up-here route add default via 192.0.2.1
	ip -n up-here -6 route add default via 2001:db8::1
	slowwait 10 has_link_local >/dev/null
}

has_link_local() {
	ip -n up-here -6 -j addr show dev eth0 scope link -tentative | jq -e '.[].addr_info | length == 1'
}

# state: all that a file can change, as it is; what names who made a route is left out.
state() {
	local family
	for family in -4 -6; do
		ip -n up-here "$family" rule | sed 's/^[0-9]*:/rule:/; s/ proto [^ ]*//'
		ip -n up-here "$family" route show table all | sed 's/ proto [^ ]*//; s/ pref medium//' | sort
	done
	ip -n up-here -j addr show | jq -c '.[] | select(.ifname == "wg0") |
		[.mtu, .flags, [.addr_info[] | [.local, .prefixlen, .scope]]]'
	ctl showconf wg0 2>/dev/null
	ctl -j relay show | jq -c 'map(del(.forward, .reverse, .pressed))'
	here nft list ruleset
	here cat /proc/sys/net/ipv4/conf/all/src_valid_mark
}

# file [LINE]...: wg0's, with its key and then these lines.
file() {
	printf '%s\n' '[Interface]' "PrivateKey = $K" "$@" >"$work/wg0.conf"
}

# same_as_wg_quick NAME LINE...: both make the same of the file on the stock module, and both leave
# nothing behind.
same_as_wg_quick() {
	local name=$1 clean theirs ours left
	shift
	clean=$(state)
	file "$@"
	here wg-quick up "$work/wg0.conf" >"$work/log" 2>&1
	theirs=$(state | comparable)
	here wg-quick down "$work/wg0.conf" >>"$work/log" 2>&1
	reset_clean
	file "Kind = wireguard" "$@"
	ctl up "$work/wg0.conf" >>"$work/log" 2>&1
	ours=$(state | comparable)
	ctl down "$work/wg0.conf" >>"$work/log" 2>&1
	left=$(state)
	reset_clean
	if [ "$theirs" != "$ours" ] || [ "$(grep -c wg0 <<<"$ours")" -eq 0 ]; then
		ktap_fail "as wg-quick: $name" "$(diff <(echo "$theirs") <(echo "$ours"))" "$(cat "$work/log")"
	elif [ "$(without_mark <<<"$left")" != "$(without_mark <<<"$clean")" ]; then
		ktap_fail "as wg-quick: $name" "left:" "$(diff <(echo "$clean") <(echo "$left"))"
	else
		ktap_ok "as wg-quick: $name"
	fi
}

# What both leave on.
without_mark() {
	sed '$d'
}

reset_clean() {
	here sysctl -qw net.ipv4.conf.all.src_valid_mark=0
}

# The rule that keeps to the main table for what has more than a default route is for packets without the
# mark here, and for all there, which is the same. Of nft, the rules with the hooks that they are at: here
# they are in one table for both families.
comparable() {
	awk '/^table inet|^table ip/, /^[01]$/ {
			if (/^\t\ttype /)
				hook = $0
			else if (/^\t\t/)
				rules[hook $0]
			else if (/^[01]$/)
				print
			next
		}
		{
			sub(/not from all fwmark 0x[0-9a-f]* lookup main suppress/, "from all lookup main suppress")
			print
		}
		END {
			for (rule in rules)
				print rule | "sort"
		}'
}

# fails STATUS WORDS COMMAND...: nwgctl ends with STATUS, says WORDS, and all is as it was.
fails() {
	local status=$1 words=$2 before after got
	shift 2
	before=$(state)
	ctl "$@" >"$work/out" 2>"$work/err"
	got=$?
	after=$(state)
	if [ $got -eq "$status" ] && grep -qF -- "$words" "$work/err" && [ ! -s "$work/out" ] &&
		[ "$before" = "$after" ]; then
		ktap_ok "refused: $words"
	else
		ktap_fail "refused: $words" "exit status $got, not $status, or without those words:" \
			"$(cat "$work/err")" "$(diff <(echo "$before") <(echo "$after"))"
	fi
}

# holds FILTER ARGUMENT...: jq's FILTER holds for what nwgctl -j says.
holds() {
	local text
	text=$(ctl -j "${@:2}")
	jq -e "$1" <<<"$text" >/dev/null && return
	echo "$1: $text"
	return 1
}

address() {
	ip -n up-here -j addr show dev wg0 | jq -r '.[].addr_info[] | "\(.local)/\(.prefixlen)"' | sort | paste -sd ' '
}

mtu_is() {
	[ "$(ip -n up-here -j link show wg0 | jq .[].mtu)" -eq "$1" ]
}

gone() {
	! ip -n up-here link show wg0 2>/dev/null
}

# other_end: there, a stock interface with the key of $work/there.
other_end() {
	ip -n up-there link add wg9 type wireguard &&
		ip netns exec up-there wg set wg9 private-key "$work/there" listen-port 51820 \
			peer "$(wg pubkey <<<"$K")" allowed-ips 10.0.0.0/24,fd00::/64 &&
		ip -n up-there addr add 10.0.0.9/24 dev wg9 && ip -n up-there link set wg9 up
}

reaches() {
	here ping -q -c 1 -W 5 10.0.0.9
}

handshake() {
	ctl show wg0 latest-handshakes | awk -v key="$THERE" '$1 == key { print $2 }'
}

# reloaded LINE...: the interface is changed into that, and the session with the other end stays.
reloaded() {
	local before
	before=$(handshake)
	file "ListenPort = 51820" "$@"
	ctl reload "$work/wg0.conf" && reaches && [ "$(handshake)" = "$before" ]
}

# A change of the file that says nothing new sends nothing to the kernel that anybody is told of.
nothing_is_changed() {
	local monitor
	ip netns exec up-here ip monitor link address route rule >"$work/changes" 2>&1 &
	monitor=$!
	slowwait 5 monitor_hears
	ctl reload "$work/wg0.conf" && ip -n up-here addr add 192.0.2.77/32 dev eth0 &&
		slowwait 5 grep -q 192.0.2.77 "$work/changes"
	kill "$monitor"
	wait "$monitor" 2>/dev/null
	ip -n up-here addr del 192.0.2.77/32 dev eth0
	cat "$work/changes"
	! grep -q wg0 "$work/changes"
}

# It listens: a change has come that was made for that.
monitor_hears() {
	ip -n up-here addr add 192.0.2.78/32 dev eth0
	ip -n up-here addr del 192.0.2.78/32 dev eth0
	grep -q 192.0.2.78 "$work/changes"
}

# A resolvconf that notes how it is called.
fake_resolvconf() {
	mkdir -p "$work/bin"
	cat >"$work/bin/resolvconf" <<-EOF
		#!/bin/sh
		echo "\$*" >>"$work/resolvconf"
	EOF
	chmod 755 "$work/bin/resolvconf"
}

left_out() {
	ctl up "$work/wg0.conf" 2>"$work/err" && ctl reload "$work/wg0.conf" && ctl down "$work/wg0.conf" &&
		grep -qF "wg0.conf:4: the servers are left out" "$work/err" && [ ! -e "$work/resolvconf" ]
}

notes_are() {
	diff "$work/notes" <(printf '%s\n' "$@")
}

# saved_and_made_again: what was set by hand is in the file, and comes back from there.
saved_and_made_again() {
	local before
	ctl set wg0 peer "$P2" allowed-ips 10.2.0.0/16 persistent-keepalive 9 endpoint 192.0.2.1:7 &&
		ip -n up-here addr add 10.8.0.8/24 dev wg0 && ctl save "$work/wg0.conf" || return
	before="$(ctl showconf wg0) $(address) $(ctl relay show | head -n 8 | grep -v flows)"
	grep -q "^PostUp = echo up %i >>$work/notes$" "$work/wg0.conf" || return
	ctl down "$work/wg0.conf" && gone && ctl up "$work/wg0.conf" || return
	diff <(echo "$before") \
		<(echo "$(ctl showconf wg0) $(address) $(ctl relay show | head -n 8 | grep -v flows)")
}

mode_is_kept() {
	[ "$(stat -c %a "$work/wg0.conf")" = 600 ]
}

unsaid_stays() {
	local before
	before=$(ctl show wg0 listen-port) && ctl reload "$work/wg0.conf" && ctl reload "$work/wg0.conf" &&
		[ "$(ctl show wg0 listen-port) $(ctl show wg0 private-key)" = "$before $K" ] &&
		holds '.[0].peers[0] | .persistent_keepalive == 25' show wg0
}

said_no_more() {
	[ "$(ctl show wg0 preshared-keys | cut -f 2)" = "$K" ] || return
	sed -i '/^PersistentKeepalive\|^PresharedKey/d' "$work/wg0.conf"
	ctl reload "$work/wg0.conf" && [ "$(ctl show wg0 preshared-keys | cut -f 2)" = '(none)' ] &&
		[ "$(ctl show wg0 persistent-keepalive | cut -f 2)" = off ]
}

other_routes_stay() {
	ip -n up-here route add 10.77.0.0/16 dev wg0 table 60 && sed -i 's/10.0.0.1/10.0.0.4/' "$work/wg0.conf" &&
		ctl reload "$work/wg0.conf" && [ "$(address)" = 10.0.0.4/24 ] &&
		ip -n up-here route show table 60 | grep -q 10.77.0.0/16 &&
		[ "$(here cat /proc/sys/net/ipv4/conf/wg0/promote_secondaries)" = 0 ]
}

other_addresses_stay() {
	ip -n up-here addr add 10.5.0.1 peer 10.5.0.2 dev wg0 && ctl reload "$work/wg0.conf" &&
		[ "$(address)" = "10.0.0.4/24 10.5.0.1/32" ]
}

saved_through_link() {
	ctl save "$work/wg0.conf" && [ -L "$work/wg0.conf" ] && grep -q "^PrivateKey = $K" "$work/real.conf" &&
		[ "$(stat -c %a "$work/real.conf")" = 600 ]
}

rules() {
	ip -n up-here rule | grep 'not from all fwmark'
	ip -n up-here -6 rule | grep 'not from all fwmark'
}

leaves_rules() {
	ctl "$1" "$work/wg0.conf" && [ -n "$RULES" ] && [ "$(rules)" = "$RULES" ] &&
		here nft list table inet nwg-wgall
}

firewall_is_back() {
	here nft flush ruleset && ctl reload "$work/wgall.conf" && here nft list table inet nwg-wgall
}

kept_out() {
	ip -n up-there route add 10.0.0.1/32 via 192.0.2.2
	! ip netns exec up-there ping -q -c 1 -W 5 10.0.0.1 && here nft delete table inet nwg-wgall &&
		ip netns exec up-there ping -q -c 1 -W 5 10.0.0.1 && ctl reload "$work/wgall.conf"
	local status=$?
	ip -n up-there route del 10.0.0.1/32
	return "$status"
}

# Its file names a table that nobody knows any more: those of the same mark are not its rules.
leaves_rules_by_broken_file() {
	file 'Address = 10.1.0.1/24' 'Table = vpn' 'FwMark = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0'
	ctl up "$work/wg0.conf" && sed -i 's/vpn/none/' "$work/wg0.conf" && leaves_rules down && gone
}

# A hook makes another one, which needs that as well, before something fails.
mark_is_valid_still() {
	file 'Address = 10.1.0.1/24' 'FwMark = 77' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0'
	mv "$work/wg0.conf" "$work/wg1.conf"
	file "PostUp = nwgctl up $work/wg1.conf; exit 7" '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0'
	! ctl up "$work/wg0.conf" && gone && [ "$(rules | wc -l)" -eq 2 ] &&
		[ "$(here cat /proc/sys/net/ipv4/conf/all/src_valid_mark)" = 1 ] && ctl down "$work/wg1.conf"
}

# An nft of which LINES come first.
fake_nft() {
	local nft
	nft=$(command -v nft)
	mkdir -p "$work/fake"
	printf '%s\n' '#!/bin/sh' "$@" "exec $nft \"\$@\"" >"$work/fake/nft"
	chmod 755 "$work/fake/nft"
}

# ^C, while down asks whether there is a table: that goes all the same. As on a terminal, all are a group.
removed_despite_interrupt() {
	# shellcheck disable=SC2016 # the program's
	fake_nft '[ "$1" != list ] || kill -s INT -- -$PPID'
	ctl up "$work/wgall.conf" && here nft list table inet nwg-wgall || return
	PATH=$work/fake:$PATH setsid -w "$NWGCTL" -n up-here down "$work/wgall.conf"
	echo "exit status $?"
	! ip -n up-here link show wgall && ! here nft list table inet nwg-wgall
}

# An nft that is killed has not said that there is no table.
killed_is_said() {
	# shellcheck disable=SC2016 # the program's
	fake_nft '[ "$1" != list ] || kill -KILL $$'
	ctl up "$work/wgall.conf" || return
	PATH=$work/fake:$PATH ctl down "$work/wgall.conf" 2>"$work/err"
	[ $? -eq 2 ] && cat "$work/err" && grep -q "nft was ended by signal 9" "$work/err" &&
		here nft delete table inet nwg-wgall
}

# Also those for the mark that it had first.
removed_with_rules() {
	ctl up "$work/wgall.conf" && [ "$(rules | wc -l)" -eq 4 ] && ctl set wgall fwmark 77 &&
		ctl down "$work/wgall.conf" && [ -z "$(rules)" ]
}

# What remains of its rules tells nothing any more, and its file has no default route now.
table_goes_without_rules() {
	local number
	ctl up "$work/wg0.conf" && here nft list table inet nwg-wg0 || return
	for number in $(rules | cut -d : -f 1); do
		ip -n up-here rule del pref "$number"
	done
	sed -i 's/^Table = .*/Table = off/' "$work/wg0.conf"
	[ -z "$(rules)" ] && ctl down "$work/wg0.conf" && gone && ! here nft list table inet nwg-wg0
}

# And with the mark the MTU: the way to the peer is not asked for inside of the tunnel.
mark_stays() {
	ctl up "$work/wg0.conf" && mtu_is 1420 && ctl reload "$work/wg0.conf" && ctl reload "$work/wg0.conf" &&
		[ "$(ctl show wg0 fwmark)" = 0x60 ] && mtu_is 1420 || return
	sed -i '1a FwMark = off' "$work/wg0.conf"
	ctl reload "$work/wg0.conf" && [ "$(ctl show wg0 fwmark)" = off ] && ctl down "$work/wg0.conf"
}

# Of a hook's in a table of the file's, with a rule of the hook's: without it the tunnel's own packets would go into it.
mark_of_table_stays() {
	ctl up "$work/wg0.conf" && ctl reload "$work/wg0.conf" && [ "$(ctl show wg0 fwmark)" = 0x4d2 ] &&
		ctl down "$work/wg0.conf"
}

# Of eth0, in the file by its other name.
relay_by_other_name() {
	ip -n up-here link property add dev eth0 altname uplink && ctl up "$work/wg0.conf" &&
		ctl reload "$work/wg0.conf" && holds 'map([.listen_port, .listen_ifname]) == [[60000, "eth0"]]' relay show &&
		ctl down "$work/wg0.conf" && ip -n up-here link property del dev eth0 altname uplink
}

remains_removed() {
	ctl down "$work/wgall.conf" 2>"$work/err"
	[ $? -eq 2 ] && grep -q "what was left of it is removed now" "$work/err" && [ -z "$(rules)" ] &&
		! here nft list table inet nwg-wgall 2>/dev/null
}

port_is_taken() {
	ip netns exec up-here ss -Huln sport = :51900 | grep -q .
}

asked() {
	ctl up "$work/wg0.conf" <<<asked && ctl down "$work/wg0.conf"
}

kept_from_others() {
	ctl up "$work/wg0.conf" && ctl down "$work/wg0.conf" && [ "$(grep -c . "$work/others")" -ge 1 ] &&
		! grep -q others "$work/others" && [ ! -e "$work/appended" ]
}

interrupted() {
	local got
	ctl up "$work/wg0.conf" 2>"$work/err"
	got=$?
	cat "$work/err"
	[ "$(kill -l "$got")" = "$1" ] && grep -qx 'Interrupted: wg0 is as it was' "$work/err" && gone && notes_are post
}

# What it is cannot be asked for, right after it is made.
unknown_is_removed() {
	gcc -shared -fPIC -o "$work/fail.so" -x c - <<-'END' || return
		#include <errno.h>
		#include <linux/netlink.h>
		#include <linux/rtnetlink.h>
		#include <sys/socket.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		ssize_t sendto(int file, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size)
		{
			const struct nlmsghdr *header = data;
			static int made;
			if (made && header->nlmsg_type == RTM_GETLINK) {
				made = 0;
				errno = EIO;
				return -1;
			}
			made |= header->nlmsg_type == RTM_NEWLINK;
			return syscall(SYS_sendto, file, data, length, flags, to, size);
		}
	END
	LD_PRELOAD=$work/fail.so ctl up "$work/wg0.conf" 2>"$work/err"
	[ $? -eq 2 ] && cat "$work/err" && grep -q 'Unable to find interface wg0: Input/output error' "$work/err" && gone
}

down_interrupted() {
	local got
	ctl up "$work/wg0.conf" || return
	ctl down "$work/wg0.conf" 2>"$work/err"
	got=$?
	cat "$work/err"
	[ "$(kill -l "$got")" = TERM ] && ! gone && notes_are down && ! grep 'as it was' "$work/err" &&
		grep -qx 'Interrupted between commands of PreDown' "$work/err" &&
		grep -qF "wg0 is still there, PreDown was run up to line 4, and down begins with the first again: mend the command, or ip link del wg0 and then nwgctl down $work/wg0.conf" "$work/err" || return
	# As its hint says.
	ip -n up-here link del wg0
	ctl down "$work/wg0.conf" 2>"$work/err"
	[ $? -eq 2 ] && gone && notes_are down
}

# Before the first PreDown nothing is done, and behind the last one all is.
down_interrupted_around() {
	ctl up "$work/wg0.conf" || return
	python3 -c "$waiting_signal" "$NWGCTL" -n up-here down "$work/wg0.conf" 2>"$work/err"
	cat "$work/err"
	grep -qx 'Interrupted: wg0 is as it was' "$work/err" && ! gone && [ ! -e "$work/notes" ] || return
	ctl down "$work/wg0.conf"
	[ "$(kill -l $?)" = TERM ] && gone && notes_are down post
}

# What a command of PreDown cannot do is its own error, with what is to be done.
down_refused() {
	ctl up "$work/wg0.conf" || return
	ctl down "$work/wg0.conf" 2>"$work/err"
	[ $? -eq 2 ] && cat "$work/err" && ! gone && grep -qF "wg0.conf:3: \`false' failed" "$work/err" &&
		grep -qF "ip link del wg0 and then nwgctl down $work/wg0.conf" "$work/err" && ip -n up-here link del wg0
}

# A signal waits from the start on.
waiting_signal='import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getpid(), signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])'

# Nothing is begun, and nothing taken back.
interrupted_before() {
	python3 -c "$waiting_signal" "$NWGCTL" -n up-here up "$work/wg0.conf" 2>"$work/err"
	[ $? -eq 2 ] && grep -q ^Interrupted "$work/err" && gone && [ ! -e "$work/notes" ]
}

ignored() {
	(trap '' HUP && ctl up "$work/wg0.conf") && ctl down "$work/wg0.conf"
}

# What has become of the lines that made it is no obstacle.
down_by_broken_file() {
	ctl up "$work/wg0.conf" || return
	file 'Address = 10.0.0.1/33' 'Table = nosuch' 'MTU = all' '[Relay]' 'Bogus'
	ctl down "$work/wg0.conf" 2>"$work/err" && gone && grep -q '^Warning: .*wg0.conf:5: MTU is not a number' "$work/err"
}

# While somebody else changes an interface nothing is done, until that is over.
one_after_the_other() {
	local other up
	exec {other}>/run/nwgctl.lock
	flock "$other" || return
	ctl up "$work/wg0.conf" {other}>&- &
	up=$!
	slowwait 10 is_waiting && gone || return
	exec {other}>&-
	wait "$up" && ctl down "$work/wg0.conf" && gone
}

# Whoever waits for that says so, can be ended, and has not begun: there is nothing that PostDown would take back.
waiting_is_ended() {
	local other up status
	file "PreUp = echo pre >>$work/notes" "PostDown = echo post >>$work/notes"
	rm -f "$work/notes"
	exec {other}>/run/nwgctl.lock
	flock "$other" || return
	"$NWGCTL" -n up-here up "$work/wg0.conf" {other}>&- 2>"$work/err" &
	up=$!
	slowwait 10 is_waiting && kill -TERM "$up" && slowwait 10 is_gone "$up"
	status=$?
	exec {other}>&-
	wait "$up"
	cat "$work/err"
	[ "$status" -eq 0 ] && gone && [ ! -e "$work/notes" ] &&
		grep -qx "Waiting for another nwgctl, which is changing an interface" "$work/err"
}

# Or a zombie, as long as it has not been waited for.
is_gone() {
	[ ! -e "/proc/$1/fd/0" ]
}

is_waiting() {
	grep -q -- '-> FLOCK' /proc/locks
}

# until_go COMMAND: of a file; it does that, and ends when $work/go is there.
until_go() {
	echo "$1; until [ -e $work/go ]; do sleep 0.1; done"
}

# meanwhile FIRST SECOND: the second is called while a hook of the first one runs, of which FIRST is the status.
meanwhile() {
	local first second
	"$NWGCTL" -n up-here "$1" "$work/wg0.conf" &
	first=$!
	slowwait 10 test -e "$work/notes" || return
	"$NWGCTL" -n up-here "$2" "$work/wg0.conf" 2>"$work/waits" &
	second=$!
	slowwait 10 grep -qx "Waiting for another nwgctl, which is changing wg0" "$work/waits"
	touch "$work/go"
	wait "$first"
	FIRST=$?
	wait "$second"
	local status=$?
	cat "$work/waits"
	rm "$work/go"
	return "$status"
}

# The second finds the interface, and has run no hook that it would take back.
second_runs_no_hook() {
	rm -f "$work/notes"
	file "PreUp = $(until_go "echo pre >>$work/notes")" "PostDown = echo post >>$work/notes"
	meanwhile up up
	[ $? -eq 2 ] && [ "$FIRST" -eq 0 ] && notes_are pre && ! gone && ctl down "$work/wg0.conf"
}

# The file has what was saved meanwhile.
second_reads_what_was_saved() {
	rm -f "$work/notes"
	file 'SaveConfig = true' "PreDown = $(until_go "echo down >>$work/notes")"
	ctl up "$work/wg0.conf" && ip -n up-here addr add 10.8.0.8/24 dev wg0 && meanwhile down up &&
		[ "$FIRST $(address)" = '0 10.8.0.8/24' ] && touch "$work/go" && ctl down "$work/wg0.conf"
	local status=$?
	rm "$work/go"
	return "$status"
}

# A reload that asks for a name, for as long as there is no $work/go, keeps no other from the interface.
names_keep_nobody() {
	local reload
	gcc -shared -fPIC -o "$work/asks.so" -x c - <<-'END' || return
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <fcntl.h>
		#include <netdb.h>
		#include <stdlib.h>
		#include <unistd.h>
		int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
		{
			int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
				dlsym(RTLD_NEXT, "getaddrinfo");
			close(creat(getenv("ASKED"), 0600));
			while (access(getenv("GO"), F_OK))
				usleep(10000);
			return next(host, service, hints, found);
		}
	END
	ctl up "$work/wg0.conf" || return
	ASKED=$work/asked GO=$work/go LD_PRELOAD=$work/asks.so "$NWGCTL" -n up-here reload "$work/wg0.conf" 2>"$work/err" &
	reload=$!
	slowwait 10 test -e "$work/asked" && timeout 20 "$NWGCTL" -n up-here down "$work/wg0.conf" && gone
	local status=$?
	touch "$work/go"
	wait "$reload"
	[ $? -eq 2 ] && [ "$status" -eq 0 ] && grep -q 'Unable to find interface wg0' "$work/err"
	status=$?
	rm "$work/go"
	return "$status"
}

# A command does not wait for its own interface, for which it would wait for ever; but it can save it.
own_by_hook() {
	rm -f "$work/notes"
	file "PostUp = timeout 60 nwgctl reload %i 2>$work/refused || echo refused >>$work/notes" \
		'PreDown = timeout 60 nwgctl save %i'
	cp "$work/wg0.conf" /etc/nwg/wg0.conf
	ctl up wg0 && ip -n up-here addr add 10.8.0.8/24 dev wg0 && ctl down wg0 && notes_are refused &&
		grep -q 10.8.0.8 /etc/nwg/wg0.conf && cat "$work/refused" &&
		grep -qx "Another nwgctl is changing wg0" "$work/refused" &&
		grep -qF "commands of a file do not wait: it may wait for them" "$work/refused"
	local status=$?
	rm /etc/nwg/wg0.conf
	return "$status"
}

# Nor for ever where it does not know that it is one.
own_by_stranger() {
	rm -f "$work/notes"
	file "PostUp = env -u NWGCTL_HOOK timeout 300 nwgctl reload $work/wg0.conf 2>$work/refused || echo \$? >>$work/notes"
	ctl up "$work/wg0.conf" && notes_are 2 && cat "$work/refused" &&
		grep -qx "Another nwgctl is changing wg0" "$work/refused" &&
		grep -qF "commands of its file are run, and may wait for this one" "$work/refused" &&
		ctl down "$work/wg0.conf"
}

# A command brings up another interface, and takes it down.
another_by_hook() {
	ctl up "$work/wg0.conf" && ip -n up-here link show wg1 && ctl down "$work/wg0.conf" && gone &&
		! ip -n up-here link show wg1
}

# Nor from another namespace.
not_uninstalled() {
	! here make -C "$here/../.." uninstall >"$work/out" 2>&1 && cat "$work/out" && ! gone &&
		grep -q "^nwg: interfaces would go, .*: wg0. First" "$work/out" || return
	! make -C "$here/../.." uninstall >"$work/out" 2>&1 && cat "$work/out" && ! gone &&
		grep -q "^nwg: interfaces would go, .*: wg0 in namespace up-here. First" "$work/out"
}

# Standard error is closed, and a hook leaves somebody behind: the locks are not kept.
locks_are_free() {
	local kept status
	ctl up "$work/wg0.conf" 2>&-
	kept=$(cat "$work/notes")
	timeout 20 "$NWGCTL" -n up-here down "$work/wg0.conf"
	status=$?
	kill "$kept"
	[ "$status" -eq 0 ] && gone
}

unheard() {
	local got
	ctl up "$work/wg0.conf" 2>/dev/full
	got=$?
	[ "$got" -eq 2 ] && gone
}

ktap_need ip wg wg-quick jq nft ping socat ss flock make gcc python3
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "module nwg is not loaded: run by selftests/run"
work=$(mktemp -d)
defer rm -rf "$work"
umask 077
ktap_plan 134
topology

same_as_wg_quick "addresses, and routes to allowed IPs" \
	'Address = 10.0.0.1/24, fd00::1/64' 'Address = 10.0.0.2/24' 'Address=10.9.9.9' 'ListenPort = 51820' \
	'[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.0.0.7/32, 10.5.0.0/16, fd00::7/128, fd05::/48' \
	'Endpoint = 192.0.2.1:7' 'PersistentKeepalive = 25' \
	'[Peer]' "PublicKey = $P2" 'AllowedIPs = 10.6.0.0/16,10.5.7.0/24'
same_as_wg_quick "a default route, of both families" \
	'Address = 10.0.0.1/32, fd00::1/128' 'ListenPort = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0, ::/0' \
	'Endpoint = 192.0.2.1:7'
same_as_wg_quick "a default route of IPv4, and addresses of both" \
	'Address = 10.0.0.1/32, 10.0.0.2/32, fd00::1/128' 'ListenPort = 51820' '[Peer]' "PublicKey = $P1" \
	'AllowedIPs = 0.0.0.0/0, fd00::2/128' 'Endpoint = 192.0.2.1:7'
same_as_wg_quick "a default route, with a mark of the file's" \
	'Address = 10.0.0.1/32' 'FwMark = 0x77' 'ListenPort = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0'
same_as_wg_quick "another table" \
	'Address = 10.0.0.1/24' 'Table = 1234' 'ListenPort = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0, 10.0.0.0/25'
mkdir -p /etc/iproute2/rt_tables.d
echo '0x4d3 vpn # of the administrator' >/etc/iproute2/rt_tables.d/up-test.conf
defer rm /etc/iproute2/rt_tables.d/up-test.conf
same_as_wg_quick "another table, by its name" \
	'Address = 10.0.0.1/24' 'Table = vpn' 'ListenPort = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.5.0.0/16'
same_as_wg_quick "a number in hexadecimal, and keys without a value" \
	'Address = 10.0.0.1/24' 'Table = 0x4d2' 'ListenPort = 51820' 'Address =' 'DNS =' 'MTU =' 'PostUp =' \
	'[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.5.0.0/16'
same_as_wg_quick "no routes" \
	'Address = 10.0.0.1/24' 'Table = off' 'ListenPort = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0, 10.7.0.0/16'
same_as_wg_quick "an MTU, comments, and any case" \
	'address=10.0.0.1/24 # here' 'MTU = 1300' '# nothing' 'listenport = 51820' '[peer]' "publickey=$P1" 'allowedips=10.7.0.0/16'
same_as_wg_quick "the MTU of the way to a peer" \
	'Address = 10.0.0.1/24' 'ListenPort = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.7.0.0/16' 'Endpoint = 192.0.2.1:7'

# What cannot be done.
file 'Address = 10.0.0.1/24'
ctl up "$work/wg0.conf"
ktap_run "up makes an interface of kind nwg" holds 'map(select(.ifname == "wg0" and .kind == "nwg")) | length == 1' \
	show interfaces
ktap_run "make uninstall leaves it, and says what to do first" not_uninstalled
fails 2 "nwgctl reload $work/wg0.conf changes it; nwgctl down $work/wg0.conf removes it" up "$work/wg0.conf"
ktap_run "down" ctl down "$work/wg0.conf"
ktap_run "and it is gone" gone
ip -n up-here link add wg0 type dummy
fails 2 "see whose it is: ip -d link show wg0" up "$work/wg0.conf"
ip -n up-here link del wg0
fails 2 "make it: nwgctl up $work/wg0.conf" down "$work/wg0.conf"
fails 2 "make it: nwgctl up $work/wg0.conf" reload "$work/wg0.conf"
fails 2 "make it: nwgctl up $work/wg0.conf" save "$work/wg0.conf"
fails 1 "a file or an interface is to be named" up
fails 1 "a file or an interface is to be named" up wg0 wg1
fails 1 "No file for \`wg7': neither /etc/nwg/wg7.conf nor /etc/wireguard/wg7.conf" up wg7
cp "$work/wg0.conf" "$work/wg 0.conf"
fails 1 "is not the name of an interface" up "$work/wg 0.conf"
cp "$work/wg0.conf" "$work/wg0"
fails 1 "does not end in .conf" up "$work/wg0"
fails 1 "Unable to open" up "$work/none.conf"
# Nothing is made before all of a file is read.
wrong() {
	local got
	file "${@:2}"
	ctl up "$work/wg0.conf" >"$work/out" 2>"$work/err"
	got=$?
	if [ $got -eq 1 ] && grep -qF -- "$1" "$work/err" && [ ! -s "$work/out" ] && gone; then
		ktap_ok "refused: $1"
	else
		ktap_fail "refused: $1" "exit status $got, or without those words:" "$(cat "$work/err")"
	fi
}
wrong "wg0.conf:3: Unable to parse address: \`10.0.0.1/33'" 'Address = 10.0.0.1/33'
wrong "wg0.conf:3: Unable to parse the name server's address: \`10.0.0.999'" 'DNS = 10.0.0.9 10.0.0.999'
wrong "wg0.conf:4: MTU is not from 68 to" '' 'MTU = 67'
wrong "wg0.conf:3: MTU is not a number" 'MTU = all'
wrong "wg0.conf:3: No routing table has that name: \`mine'" 'Table = mine'
wrong "wg0.conf:3: No WireGuard interface is of that kind: \`tun'" 'Kind = tun'
wrong "wg0.conf:3: SaveConfig is neither true nor false: \`yes'" 'SaveConfig = yes'
wrong "wg0.conf:3: Line unrecognized: \`Adress=...'" 'Adress = 10.0.0.1/24'
wrong "wg0.conf:3: A relay has no Listen" '[Relay]' "Peer = $P1" 'To = 10.0.0.2:60000'
wrong "wg0.conf:4: A relay has no To" '' '[Relay]' 'Listen = 60000' "Peer = $P1"
wrong "wg0.conf:3: A relay has no Peer" '[Relay]' 'Listen = 60000' 'To = 10.0.0.2:60000' '[Peer]' "PublicKey = $P1"
wrong "wg0.conf:4: Port is not a number from 1 to 65535: \`0'" '[Relay]' 'Listen = 0'
wrong "wg0.conf:4: Source is none of masquerade, pool PREFIX, transparent: \`both'" '[Relay]' 'Source = both'
wrong "wg0.conf:4: Limit is not a number" '[Relay]' 'Limit = 0'
wrong "wg0.conf:4: A responder's key is not all zeroes" '[Relay]' \
	'ResponderKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
wrong "wg0.conf:4: Line unrecognized: \`Listne...'" '[Relay]' 'Listne = 60000'
wrong "wg0.conf:5: Listen is there twice" '[Relay]' 'Listen = 60000' 'Listen = 60001'
relay=('[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.0.0.2/32' '[Relay]' 'Listen = 60000' "Peer = $P1"
	'To = 10.0.0.2:60000')
half() {
	file 'Address = 10.0.0.1/24' "${@:2}"
	fails 2 "$1" up "$work/wg0.conf"
}
half "wg0.conf:11: Unable to add relay" "${relay[@]}" '[Relay]' 'Listen = 60001' "Peer = $P2" 'To = 10.0.0.2:60000'
half "wg0.conf:4: \`false' failed" "PostUp = false" "${relay[@]}"
half "wg0.conf:4: Unable to add address fd00::1/64" "Address = fd00::1/64" 'MTU = 1000' "${relay[@]}"
ip -n up-here route add 10.44.0.0/16 dev eth0
half "wg0.conf:4: Unable to add route 10.44.0.0/16" '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.44.0.0/16'
ip -n up-here route del 10.44.0.0/16 dev eth0
half "exit status 7" "PreUp = echo pre %i >>$work/notes" "PostUp = echo up %i >>$work/notes" 'PostUp = exit 7' \
	"PreDown = echo down %i >>$work/notes" "PostDown = echo post %i >>$work/notes" "${relay[@]}"
ktap_run "what hooks have done is undone by theirs" notes_are 'pre wg0' 'up wg0' 'down wg0' 'post wg0'

# A relay, and what of it a reload changes.
wg genkey >"$work/there"
THERE=$(wg pubkey <"$work/there")
ktap_run "there is somebody" other_end
wg0=('Address = 10.0.0.1/24' "PostUp = echo up %i >>$work/notes")
peer=('[Peer]' "PublicKey = $THERE" 'AllowedIPs = 10.0.0.9/32, 10.3.0.0/16' 'Endpoint = 192.0.2.1:51820')
relay=('[Relay]' 'Listen = 60000' "Peer = $THERE" 'To = 10.0.0.9:60000')
file "ListenPort = 51820" "${wg0[@]}" "${peer[@]}" "${relay[@]}"
ktap_run "up, with a relay" ctl up "$work/wg0.conf"
ktap_run "which is there" holds '.[0] | .listen_port == 60000 and .to_address == "10.0.0.9" and .to_port == 60000 and
	.flows.max == 4096' relay show
ktap_run "the other end is reached" reaches
ktap_run "a reload with the same file changes nothing" nothing_is_changed
ktap_run "one with another address, MTU, route and relay keeps the session" reloaded \
	'Address = 10.0.0.3/24, fd00::3/64' 'MTU = 1312' "${peer[@]/10.3/10.4}" \
	'[Relay]' 'Listen = 60000' "Peer = $THERE" 'To = 10.4.0.9:60001' 'Limit = 5' 'Source = pool 10.4.2.0/24' \
	'[Relay]' 'Listen = 60001' "Peer = $THERE" 'To = 10.0.0.9:60000'
ktap_run "it has those addresses" [ "$(address)" = '10.0.0.3/24 fd00::3/64' ]
ktap_run "that MTU" mtu_is 1312
ktap_run "that route" [ "$(ip -n up-here route show 10.4.0.0/16 | wc -l) $(ip -n up-here route show 10.3.0.0/16 |
	wc -l)" = '1 0' ]
ktap_run "and those relays" holds 'map([.listen_port, .to_address, .to_port, .flows.max, .source]) | sort == [
	[60000, "10.4.0.9", 60001, 5, "pool 10.4.2.0/24"], [60001, "10.0.0.9", 60000, 4096, "masquerade"]]' relay show
file "ListenPort = 51820" "${wg0[@]}" 'MTU = 1400' "${peer[@]/10.4/10.5}" "${relay[@]}" \
	'[Relay]' 'Listen = 60002' "Peer = $P2" 'To = 10.0.0.9:60000'
fails 2 "wg0.conf:15: Unable to add relay" reload "$work/wg0.conf"
file "Kind = wireguard" "${wg0[@]}"
fails 2 "wg0 is of kind nwg, and $work/wg0.conf says wireguard" reload "$work/wg0.conf"
fails 2 "it is of kind nwg: nwgctl down $work/wg0.conf removes it" up "$work/wg0.conf"
file "ListenPort = 51820" "${wg0[@]}" "${peer[@]}" "${relay[@]}"
ctl reload "$work/wg0.conf"
ktap_run "what is saved is made again" saved_and_made_again
ktap_run "the file is nobody else's" mode_is_kept
ktap_run "down" ctl down "$work/wg0.conf"

# What the file does not say, and what it says no more.
peer=('[Peer]' "PublicKey = $THERE" 'AllowedIPs = 10.0.0.9/32' 'Endpoint = 192.0.2.1:51820')
printf '%s\n' '[Interface]' 'Address = 10.0.0.1/24' "PostUp = nwgctl set %i private-key $work/here" "${peer[@]}" \
	"PersistentKeepalive = 25" "PresharedKey = $K" >"$work/wg0.conf"
printf '%s\n' "$K" >"$work/here"
mkdir -p "$work/bin"
ln -s "$NWGCTL" "$work/bin/nwgctl"
PATH=$work/bin:$PATH
ktap_run "up, with a key that a hook sets" ctl up "$work/wg0.conf"
ktap_run "a reload keeps the key, and the port that the kernel has chosen" unsaid_stays
ktap_run "one without PresharedKey and PersistentKeepalive takes them away" said_no_more
ktap_run "another address leaves alone routes that a hook has made" other_routes_stay
ktap_run "and an address with another end" other_addresses_stay
ktap_run "down" ctl down "$work/wg0.conf"

# A file without secrets that everybody may read, by a link.
chmod 644 "$work/wg0.conf"
mv "$work/wg0.conf" "$work/real.conf"
ln -s real.conf "$work/wg0.conf"
ktap_run "up, of a link" ctl up "$work/wg0.conf"
ktap_run "what is saved is written where the link leads, for the owner only" saved_through_link
ktap_run "down" ctl down "$work/wg0.conf"
rm "$work/wg0.conf"

# Two interfaces with one mark: one to all the world, and one whose packets are to be kept out of it.
file 'Address = 10.0.0.1/24' 'FwMark = 51820' "${peer[@]/10.0.0.9\/32/0.0.0.0\/0}"
mv "$work/wg0.conf" "$work/wgall.conf"
file 'Address = 10.1.0.1/24' 'FwMark = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.1.0.2/32'
ktap_run "up, with a default route" ctl up "$work/wgall.conf"
RULES=$(rules)
ktap_run "up, with the same mark" ctl up "$work/wg0.conf"
ktap_run "a reload leaves alone the rules" leaves_rules reload
file 'Address = 10.1.0.1/24' 'FwMark = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.1.0.2/32, 10.1.0.3/32' \
	'[Relay]' 'Listen = 60000' "Peer = $P2" 'To = 10.1.0.2:60000'
fails 2 "wg0.conf:8: Unable to add relay" reload "$work/wg0.conf"
ktap_run "nor does one that fails change them" [ "$(rules)" = "$RULES" ]
file 'Address = 10.1.0.1/24' 'FwMark = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0'
fails 2 "Unable to add route 0.0.0.0/0 over wg0" reload "$work/wg0.conf"
file 'Address = 10.1.0.1/24' 'FwMark = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.1.0.2/32'
ktap_run "down leaves alone the rules" leaves_rules down
ktap_run "also where its file names no table that there is" leaves_rules_by_broken_file
file 'Address = 10.1.0.1/24' 'FwMark = 51820' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 0.0.0.0/0'
fails 2 "Unable to add route 0.0.0.0/0 over wg0" up "$work/wg0.conf"
file 'Address = 10.0.0.1/24' 'FwMark = 51820' "${peer[@]/10.0.0.9\/32/0.0.0.0\/0, ::\/0}"
mv "$work/wg0.conf" "$work/wgall.conf"
ktap_run "a reload adds the other family" ctl reload "$work/wgall.conf"
ktap_run "with its rules" [ "$(rules | wc -l)" -eq 4 ]
ktap_run "somebody flushes all tables, and a reload brings back the firewall" firewall_is_back
ktap_run "which keeps out packets to the interface's addresses that come in elsewhere" kept_out
ip -n up-here link set wgall down
file 'Address = 10.1.0.1/24'
fails 2 "Unable to find interface wg0" down "$work/wg0.conf"
ip -n up-here link set wgall up
file 'Address = 10.0.0.1/24' 'FwMark = 51820' "${peer[@]}"
mv "$work/wg0.conf" "$work/wgall.conf"
ktap_run "one without default routes takes them away" ctl reload "$work/wgall.conf"
ktap_run "and their rules and firewall" [ "$(rules | wc -l) $(here nft list ruleset | wc -l)" = "0 0" ]
file 'Address = 10.0.0.1/24' 'FwMark = 51820' "${peer[@]/10.0.0.9\/32/0.0.0.0\/0}"
mv "$work/wg0.conf" "$work/wgall.conf"
ctl reload "$work/wgall.conf"
ktap_run "somebody removes the interface" ip -n up-here link del wgall
ktap_run "down removes what is left of it, and says so" remains_removed
reset_clean

file 'Address = 10.0.0.1/24' 'Table = auto' "${peer[@]/10.0.0.9\/32/0.0.0.0\/0, ::\/0}"
mv "$work/wg0.conf" "$work/wgall.conf"
ktap_run "down takes away the rules, whatever the mark is now" removed_with_rules
reset_clean
file 'Address = 10.0.0.1/24' 'Table = auto' "${peer[@]/10.0.0.9\/32/0.0.0.0\/0}"
ktap_run "down takes away the firewall, also after somebody has flushed the rules" table_goes_without_rules
reset_clean
ktap_run "^C does not end what down has to do" removed_despite_interrupt
ktap_run "an nft that is killed is an error" killed_is_said
reset_clean
ktap_run "what fails leaves another default route its marks" mark_is_valid_still
reset_clean
file 'Table = off' 'PostUp = nwgctl set %i fwmark 0x60; ip route add default dev %i table 60' \
	'PostUp = ip rule add not fwmark 0x60 table 60' 'PostDown = ip rule del not fwmark 0x60 table 60' \
	"${peer[@]/10.0.0.9\/32/0.0.0.0\/0}"
ktap_run "a reload keeps a mark that a hook has set" mark_stays
file 'Table = 1234' 'PostUp = nwgctl set %i fwmark 1234; ip rule add not fwmark 1234 table 1234' \
	'PostDown = ip rule del not fwmark 1234 table 1234' "${peer[@]/10.0.0.9\/32/0.0.0.0\/0}"
ktap_run "also where the mark is the number of the file's table" mark_of_table_stays
file 'Address = 10.0.0.1/24' "${peer[@]}" '[Relay]' 'Listen = %uplink:60000' "Peer = $THERE" 'To = 10.0.0.9:60000'
ktap_run "and a relay on an interface by its other name" relay_by_other_name

# One peer goes, one comes, and the relay to it cannot be: the one that was to go has its session still.
file 'ListenPort = 51820' 'Address = 10.0.0.1/24' "${peer[@]}" '[Relay]' 'Listen = 60000' "Peer = $THERE" 'To = 10.0.0.9:60000'
ctl up "$work/wg0.conf"
ktap_run "the other end is reached" reaches
HANDSHAKE=$(handshake)
file 'ListenPort = 51820' 'Address = 10.0.0.1/24' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.4.0.0/16' \
	'[Relay]' 'Listen = 60001' "Peer = $P2" 'To = 10.4.0.9:60000'
fails 2 "wg0.conf:8: Unable to add relay" reload "$work/wg0.conf"
ktap_run "what fails has not ended the session of a peer that was to go" [ "$(handshake)" = "$HANDSHAKE" ]
ip netns exec up-here socat -u UDP4-RECV:51900 /dev/null &
defer kill $!
slowwait 5 port_is_taken
file 'ListenPort = 51900' 'Address = 10.0.0.1/24' "${peer[@]}"
fails 2 "wg0.conf:3: Unable to" reload "$work/wg0.conf"
ktap_run "and which line and program, for a port that is taken" grep -q 'ss -ulpn sport = :51900' "$work/err"
ctl down "$work/wg0.conf" || ktap_diag "not down"
fails 2 "wg0.conf:3: Unable to set up wg0: Address already in use" up "$work/wg0.conf"

file 'Address = 10.0.0.1/24'
ktap_run "an interface of which nothing is known goes" unknown_is_removed

# Commands of a file.
file 'PostUp = false; true' 'Address = 10.0.0.1/24'
fails 2 "\`false; true' failed: bash ended with exit status 1" up "$work/wg0.conf"
file 'PostUp = false | true'
fails 2 "exit status 1" up "$work/wg0.conf"
# The pattern is not what it looks for.
# shellcheck disable=SC2016 # of the file's
file 'PostUp = read -r line; [ "$line" = asked ]; if grep -l "s3cr[3]t" /proc/[0-9]*/cmdline; then exit 1; fi; : s3cr3t'
ktap_run "a command has standard input, and is in no command line" asked
# shellcheck disable=SC2016 # of the file's
file 'PostUp = setpriv --reuid 65534 --clear-groups sh -c "echo : others >&3; cat /proc/self/fd/3" 2>&1 | tee '"$work/others"' || :' \
	'PostUp = for fd in 3 255; do echo ": >'"$work/appended"'" >>/proc/$$/fd/$fd || :; done'
ktap_run "whom a command becomes can neither read nor change what the shell runs" kept_from_others
# shellcheck disable=SC2016 # of the file's
file 'PostUp = kill -9 $$'
fails 2 "was ended by signal 9" up "$work/wg0.conf"
rm "$work/notes"
file 'PreUp = false' "PostUp = echo never >>$work/notes" "PreDown = echo never >>$work/notes" \
	'PostDown = false' "PostDown = echo post >>$work/notes"
fails 2 "wg0.conf:3: \`false' failed" up "$work/wg0.conf"
ktap_run "PostDown, all of it, is run after PreUp" notes_are post
file "PostUp = echo up >>$work/notes" 'PostUp = exit 7' "PreDown = echo down >>$work/notes" \
	"PostDown = echo post >>$work/notes"
fails 2 "exit status 7" up "$work/wg0.conf"
ktap_run "and PreDown and PostDown after PostUp" notes_are post up down post
# shellcheck disable=SC2016 # of the file's
for signal in TERM QUIT; do
	rm "$work/notes"
	file "PostUp = kill -$signal "'$PPID' "PostUp = echo never >>$work/notes" "PostDown = echo post >>$work/notes"
	ktap_run "SIG$signal has it undone, and said" interrupted "$signal"
done
rm "$work/notes"
# shellcheck disable=SC2016 # of the file's
file "PreDown = echo down >>$work/notes" "PreDown = kill -TERM "'$PPID' "PreDown = echo never >>$work/notes"
ktap_run "down says how far PreDown was run" down_interrupted
rm "$work/notes"
# shellcheck disable=SC2016 # of the file's
file "PreDown = echo down >>$work/notes; kill -TERM "'$PPID' "PostDown = echo post >>$work/notes"
ktap_run "a signal comes too early for PreDown, and too late" down_interrupted_around
file 'PreDown = false'
ktap_run "a PreDown that fails keeps the interface" down_refused
rm "$work/notes"
file "PreUp = echo pre >>$work/notes" "PostDown = echo post >>$work/notes"
ktap_run "before PreUp there is nothing to undo" interrupted_before
# shellcheck disable=SC2016 # of the file's
file 'PostUp = kill -HUP $PPID'
ktap_run "a signal that is ignored changes nothing of it" ignored
file 'Address = 10.0.0.1/24'
ktap_run "down takes a file with errors" down_by_broken_file
file 'Address = 10.0.0.1/24'
ktap_run "one waits for the other" one_after_the_other
ktap_run "who waits says so, and can be ended" waiting_is_ended
ktap_run "two make one interface: the second does nothing" second_runs_no_hook
ktap_run "up, while the file is saved by down" second_reads_what_was_saved
file 'Address = 10.0.0.1/24' '[Peer]' "PublicKey = $P1" 'Endpoint = 192.0.2.1:7'
ktap_run "nobody waits for one that looks up a name" names_keep_nobody
mkdir -p /etc/nwg
ktap_run "a command of a file does not wait for its own interface" own_by_hook
ktap_run "and what it has started elsewhere only so long" own_by_stranger
file 'Address = 10.0.0.1/24'
cp "$work/wg0.conf" "$work/wg1.conf"
file 'Address = 10.1.0.1/24' "PostUp = timeout 60 nwgctl up $work/wg1.conf" "PreDown = timeout 60 nwgctl down $work/wg1.conf"
ktap_run "but for the commands of a file" another_by_hook
file "PreUp = sleep 1000 >/dev/null & echo "'$!'" >$work/notes"
ktap_run "nobody whom a command leaves keeps the lock" locks_are_free
file 'PostUp = echo up >&2; exit 3' 'Address = 10.0.0.1/24'
ktap_run "standard error that is full changes nothing of it" unheard

fake_resolvconf
file 'Address = 10.0.0.1/24' 'DNS = 10.0.0.9'
ktap_run "name servers are not those of the system's own namespace" left_out
ktap_end
