#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel tree's own test of WireGuard, tools/testing/selftests/wireguard/netns.sh, as it
# is, on nwg in place of the stock module. "make setup" takes it out of Debian's linux-source.
#
# usage: drop-in-netns.sh [KIND]    KIND: nwg, or wireguard for the stock module

here=$(dirname "$(realpath "$0")")
. "$here/lib/ktap.sh"
. "$here/lib/drop-in.sh"
netns=${NWG_CACHE:-}/kselftest/tools/testing/selftests/wireguard/netns.sh

[ -r "$netns" ] || ktap_skip_all "no $netns: run make setup, and this by selftests/run"
[ -e /sys/kernel/debug/dynamic_debug/control ] || ktap_skip_all "the kernel has no dynamic debug"
ktap_need wg ip ping ss iperf3 ncat iptables
work=$(mktemp -d)
defer rm -rf "$work"
# It sleeps by waiting for standard input, which therefore must not end.
mkfifo "$work/idle"
dmesg -C
drop_in_or_stock "${1:-nwg}" dyndbg=+p || exit 1

passes() {
	local status
	bash "$netns" <>"$work/idle" >"$work/output" 2>&1
	status=$?
	sed 's/\x1b\[[0-9]*m//g' "$work/output" | tail -n 40
	return "$status"
}

came_to_its_end() {
	grep -q 'Objects that were created were also destroyed' "$work/output"
}

# It only warns of that.
loop_is_cut() {
	came_to_its_end && ! grep 'does not do the right thing' "$work/output"
}

# events OBJECT EVENT: how often the kernel's log has it.
events() {
	dmesg | grep -c "wg[0-9]*: $1 .*$2"
}

# Without messages of the module its check of what is left would pass, too.
objects_were_seen() {
	local object created destroyed
	for object in Interface Peer Keypair; do
		created=$(events "$object" created)
		destroyed=$(events "$object" destroyed)
		echo "$object: $created created, $destroyed destroyed"
		[ "$created" -ge 10 ] && [ "$created" -eq "$destroyed" ] || return
	done
}

met_the_module() {
	if [ "${1:-nwg}" = wireguard ]; then
		[ -d /sys/module/wireguard ]
	else
		[ ! -d /sys/module/wireguard ] && [ "$(</sys/module/nwg/parameters/drop_in)" = Y ]
	fi
}

ktap_plan 5
ktap_run "netns.sh passes" passes
ktap_run "it came to its end" came_to_its_end
ktap_run "a loop over two namespaces stays small" loop_is_cut
ktap_run "it saw interfaces, peers and keypairs created and destroyed" objects_were_seen
ktap_run "the other module was not there" met_the_module "$@"
ktap_end
