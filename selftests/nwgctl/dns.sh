#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl up, reload and down: the name servers of a file, by resolvconf or resolvectl. Both are programs of
# the test's own here, which note how they are called; they stand in for what would change the system.

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}
K=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
P1=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=

# program NAME [LINE]...: that notes its words, and its input if it is to add something; then these lines.
program() {
	rm -f "$work/bin/resolvconf" "$work/bin/resolvectl"
	{
		printf '%s\n' '#!/bin/sh' "{ echo \"\$*\"; [ \"\$1\" != -a ] || cat; } >>$work/called" "${@:2}"
	} >"$work/bin/$1"
	chmod 755 "$work/bin/$1"
}

# calls WORDS...: since the last time, one line for each.
calls() {
	touch "$work/called"
	diff "$work/called" <([ $# -eq 0 ] || printf '%s\n' "$@")
	local status=$?
	rm "$work/called"
	return "$status"
}

# file [LINE]...: wg7's.
file() {
	printf '%s\n' '[Interface]' "PrivateKey = $K" 'MTU = 1400' 'Address = 10.7.7.1/24' "$@" >"$work/wg7.conf"
}

ctl() {
	PATH=$work/bin:$PATH "$NWGCTL" "$1" "$work/wg7.conf"
}

gone() {
	! ip link show wg7 2>/dev/null
}

# refused WORDS: up does not do it, says so, and leaves nothing.
refused() {
	ctl up 2>"$work/err"
	[ $? -eq 2 ] && grep -qF -- "$1" "$work/err" && gone && return
	cat "$work/err"
	return 1
}

# record NAME [LINE]...: there is one, where Debian's resolvconf and openresolv have it.
record() {
	mkdir -p "$(dirname "/run/resolvconf/$1")" && printf '%s\n' "${@:2}" >"/run/resolvconf/$1"
}

# exclusive NAME: it is openresolv's only one.
exclusive() {
	mkdir -p /run/resolvconf/exclusive && echo ' ' >"/run/resolvconf/exclusive/9999999 $1"
}

# A record without that mark is made anew, as its servers are not asked for all names.
marked() {
	rm -f "$work/called" /run/resolvconf/exclusive/*
	record interfaces/wg7 'nameserver 10.7.7.9' && file 'DNS = 10.7.7.9' && ctl reload &&
		calls '-a wg7 -m 0 -x' 'nameserver 10.7.7.9' && exclusive wg7 && ctl reload && calls
	local status=$?
	rm -f /run/resolvconf/interfaces/wg7
	return "$status"
}

# recorded NAME: what is recorded there is left alone by a reload if it is so already, and is taken away by one without DNS.
recorded() {
	record "$1" 'nameserver 10.7.7.9' 'search home.example lan' &&
		file 'DNS = 10.7.7.9, home.example, lan' && ctl reload && calls && file && ctl reload &&
		calls "-d ${1#*/} -f" && rm "/run/resolvconf/$1" && ctl reload && calls
}

# By one with domains only, too, which takes nothing else for the servers.
domains_are_left() {
	file 'DNS = home.example' && ctl reload && calls "-d wg7 -f" && file
}

# A reload that fails has ended no session: what the peer has sent is counted still.
sent() {
	"$NWGCTL" show wg7 transfer | cut -f 3
}

failed_before_sessions_end() {
	local before status
	file 'DNS = 10.7.7.8' '[Peer]' "PublicKey = $P1" 'AllowedIPs = 10.7.7.2/32' 'Endpoint = 127.0.0.1:9' && ctl reload &&
		rm -f "$work/called" && record interfaces/wg7 'nameserver 10.7.7.8' || return
	ping -c 1 -W 1 10.7.7.2
	before=$(sent)
	[ "$before" -gt 0 ] && file 'DNS = 10.7.7.9' || return
	ctl reload
	status=$?
	rm /run/resolvconf/interfaces/wg7
	[ "$status" -eq 2 ] && [ "$(sent)" = "$before" ]
}

interrupted() {
	local got
	file 'DNS = 10.7.7.9'
	ctl reload 2>"$work/err"
	got=$?
	[ "$(kill -l "$got")" = TERM ] && grep -qx 'Interrupted: wg7 is as it was' "$work/err"
}

ordered() {
	mkdir -p /etc/resolvconf && printf '%s\n' 'lo.inet6' 'lo' '*' 'tun*' 'ppp*' >/etc/resolvconf/interface-order &&
		file 'DNS = 10.7.7.9' && ctl up && calls '-a tun.wg7 -m 0 -x' 'nameserver 10.7.7.9' &&
		recorded interface/tun.wg7 && file 'DNS = 10.7.7.9' && ctl down && calls '-d tun.wg7 -f'
}

domains_only() {
	file 'DNS = home.example' && ctl up 2>"$work/err" && calls && ctl down && calls '-d wg7 -f' &&
		grep -qF "wg7.conf:5: no server is named, and the domains are left out" "$work/err"
}

# Where $work/some is they are not asked for all names: that is set.
by_resolved() {
	file 'DNS = 10.7.7.9 fd07::9 home.example' && ctl up &&
		calls 'dns wg7' 'domain wg7' 'dns wg7 10.7.7.9 fd07::9' 'domain wg7 ~. home.example' || return
	file 'DNS = 10.7.7.9 home.example' && ctl reload && calls 'dns wg7' 'domain wg7' || return
	touch "$work/some" && ctl reload && rm "$work/some" &&
		calls 'dns wg7' 'domain wg7' 'dns wg7 10.7.7.9' 'domain wg7 ~. home.example' || return
	file && ctl reload && calls 'dns wg7' 'domain wg7' 'revert wg7' && ctl down && calls 'dns wg7' 'domain wg7' 'revert wg7' &&
		ctl up && calls
}

ktap_need ip diff ping
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_VM:-}" ] || ktap_skip_all "only in a virtual machine: it makes files in /etc and /run"
work=$(mktemp -d)
defer rm -rf "$work"
mkdir "$work/bin"
umask 077
ip link set lo up
ktap_plan 22
defer sh -c '! ip link show wg7 >/dev/null 2>&1 || ip link del wg7'

file 'DNS = 10.7.7.9, fd07::9%eth0' 'DNS = home.example'
program resolvconf
ktap_run "up" ctl up
ktap_run "resolvconf is told" calls '-a wg7 -m 0 -x' 'nameserver 10.7.7.9' 'nameserver fd07::9%eth0' 'search home.example'
exclusive wg7
ktap_run "openresolv's record is left alone if it is right, and taken away once" recorded interfaces/wg7
ktap_run "one that is not marked is made anew" marked
record interfaces/wg7 'nameserver 10.7.7.9'
ktap_run "domains without a server leave none" domains_are_left
rm /run/resolvconf/interfaces/wg7
ktap_run "down has none to take away" ctl down
ktap_run "and does not" calls
ktap_run "Debian's resolvconf gets a name that it sorts to the front" ordered
rm -f /etc/resolvconf/interface-order
ktap_run "domains without a server: nothing is done, with a warning" domains_only
# shellcheck disable=SC2016 # the program's
program resolvconf '[ "$1" != -a ] || ! tail -n 1 '"$work"'/called | grep 10.7.7.9'
file
ctl up
ktap_run "what resolvconf refuses, a reload refuses before any session ends" failed_before_sessions_end
ktap_run "and gives back what was recorded" calls '-a wg7 -m 0 -x' 'nameserver 10.7.7.9' '-a wg7 -m 0 -x' 'nameserver 10.7.7.8'
rm -f /run/resolvconf/exclusive/*
failed_before_sessions_end >/dev/null 2>&1
ktap_run "without a mark, if it had none" calls '-a wg7 -m 0 -x' 'nameserver 10.7.7.9' '-a wg7 -m 0' 'nameserver 10.7.7.8'
ctl down
# shellcheck disable=SC2016 # the program's
program resolvconf '[ "$1" != -a ] || kill -TERM $PPID'
file
ctl up
rm -f "$work/called"
ktap_run "a signal ends a reload" interrupted
ktap_run "and has it undone" calls '-a wg7 -m 0 -x' 'nameserver 10.7.7.9' '-d wg7 -f'
ctl down
# shellcheck disable=SC2016 # the program's
program resolvconf '[ "$1" != -a ] || exit 5'
rm -f "$work/called"
file 'DNS = 10.7.7.9'
ktap_run "what resolvconf refuses is not up" refused "wg7.conf:5: resolvconf ended with exit status 5"
ktap_run "and what it has is taken away" calls '-a wg7 -m 0 -x' 'nameserver 10.7.7.9' '-d wg7 -f'

# shellcheck disable=SC2016 # the program's
program resolvectl 'case $1.$3 in dns.) echo "Link 7 (wg7): 10.7.7.9" ;; domain.) echo "Link 7 (wg7): $([ -e '"$work"'/some ] || echo "~.") home.example" ;; esac'
ktap_run "systemd-resolved is told, and has it taken away by a reload without DNS" by_resolved
ctl down
rm -f "$work/called"
ln -s resolvectl "$work/bin/resolvconf"
ktap_run "also where resolvconf is resolvectl" by_resolved
ctl down
rm -f "$work/called"
# shellcheck disable=SC2016 # the program's
program resolvectl '[ "$1" != domain ] || exit 6'
file 'DNS = 10.7.7.9'
ktap_run "what it refuses is not up" refused "wg7.conf:5: resolvectl ended with exit status 6"
ktap_run "and what it has is taken away" calls 'dns wg7' 'dns wg7 10.7.7.9' 'domain wg7 ~.' 'revert wg7'
rm "$work/bin/resolvectl"
if PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v resolvconf resolvectl >/dev/null; then
	ktap_skip "there is neither" "this machine has one"
	ktap_skip "nor is anything left" "this machine has one"
else
	ktap_run "there is neither" refused "wg7.conf:5: Unable to set name servers: there is neither resolvconf nor resolvectl"
	ktap_run "with the remedy" grep -qF "install openresolv or systemd-resolved, or take DNS out" "$work/err"
fi
ktap_end
