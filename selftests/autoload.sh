#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who asks for a link kind or a generic netlink family gets the module that serves it, as with the
# stock one: from a module tree that is nwg, the stock module and what they need.

here=$(dirname "$(realpath "$0")")
. "$here/lib/ktap.sh"
. "$here/lib/module-tree.sh"
NWGCTL=${NWGCTL:-$(realpath -m "$here/../build/nwgctl")}

ktap_need depmod ip modinfo modprobe setpriv unshare wg
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "no module nwg to load anew: run by selftests/run"
[ -n "${NWG_VM:-}" ] || ktap_skip_all "only in a VM: /lib/modules is replaced"
if ! { modprobe wireguard && rmmod wireguard; }; then ktap_skip_all "no stock module wireguard"; fi

work=$(mktemp -d)
defer rm -rf "$work"
release=$(uname -r)
tree=$work/lib/modules/$release

# by MODULE COMMAND...: the module is not loaded; then comes COMMAND, and it is, and no other.
by() {
	local module=$1 other=nwg
	[ "$1" = wireguard ] || other=wireguard
	unloaded nwg && unloaded wireguard && "${@:2}" && [ -d "/sys/module/$module" ] &&
		[ ! -d "/sys/module/$other" ]
}

unloaded() {
	[ ! -d "/sys/module/$1" ] || rmmod "$1"
}

kind() {
	ip link add w0 type "$1" && ip -d link show w0 | grep -qw "$1" && ip link del w0
}

kind_in_namespace() {
	setpriv --reuid 1001 --regid 1001 --clear-groups unshare --map-root-user --net \
		ip link add w0 type "$1"
}

# Resolving a family asks for it. The tools, where there is no interface to show:
family() {
	genl ctrl get name "$1" | grep -q "Name: $1"
}

drop_in() {
	"$@" && [ "$(</sys/module/nwg/parameters/drop_in)" = Y ]
}

wg_shows_nwg() {
	ip link add w0 type wireguard && [ "$(wg show interfaces)" = w0 ] &&
		wg set w0 listen-port 5000 && [ "$(wg show w0 listen-port)" = 5000 ] && ip link del w0
}

# As on a kernel that it is not built for.
without_nwg() {
	local status
	rm "$tree/nwg.ko" && depmod -b "$work" "$release" && by wireguard "$@"
	status=$?
	cp "$NWG_MODULE" "$tree" && depmod -b "$work" "$release" && return "$status"
}

ktap_plan 13
module_tree "$work" || exit 1
defer insmod "$NWG_MODULE"
defer unloaded nwg
for name in nwg wireguard; do
	ktap_run "kind $name" by $name kind $name
	ktap_run "kind $name, for root of a user namespace" by $name kind_in_namespace $name
	ktap_run "family $name" by $name family $name
done
ktap_run "nwgctl relay show" by nwg "$NWGCTL" relay show
cp "$here/../tools/modprobe.d/nwg-drop-in.conf" /etc/modprobe.d/
defer rm /etc/modprobe.d/nwg-drop-in.conf
ktap_run "kind wireguard, with the example for modprobe.d" by nwg drop_in kind wireguard
ktap_run "family wireguard, with the example" by nwg drop_in family wireguard
ktap_run "kind nwg, with the example" by nwg drop_in kind nwg
ktap_run "wg, with the example" by nwg wg_shows_nwg
ktap_run "kind wireguard, with the example, without nwg" without_nwg kind wireguard
ktap_run "family wireguard, with the example, without nwg" without_nwg family wireguard
ktap_end
