#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwg@.service and nwg.target, with systemd as init: enabled, reloaded, stopped, with a file that is wrong, and
# after a boot.

here=$(dirname "$(realpath "$0")")
# shellcheck source=lib/ktap.sh
. "$here/lib/ktap.sh"

[ -n "${NWG_VM:-}" ] || ktap_skip_all "not in a VM, and it would change this machine's units"
[ -x /lib/systemd/systemd ] || ktap_skip_all "systemd is missing"
ktap_need systemctl nsenter ip jq
key=$("$NWGCTL" genkey)
peer=$("$NWGCTL" genkey | "$NWGCTL" pubkey)

# As make install puts them, and of all other units none: they take a minute here.
install -D -m 755 "$NWGCTL" /usr/local/bin/nwgctl
install -m 644 "$here"/../tools/systemd/nwg* /etc/systemd/system/
rm -rf /etc/systemd/system/*.wants /etc/systemd/system/*.requires
for directory in /lib/systemd/system/*.wants /lib/systemd/system-generators; do
	mount -t tmpfs units "$directory"
done
mkdir -p /etc/nwg

# What the relay listens on comes late, as an address by DHCP does.
cat >/etc/systemd/system/late.service <<'END'
[Unit]
Before=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "sleep 2; ip addr add 192.0.2.1/32 dev lo"
END
mkdir /etc/systemd/system/network-online.target.wants
ln -s ../late.service /etc/systemd/system/network-online.target.wants/

# configure PORT: of the relay
configure() {
	(umask 077 && cat >/etc/nwg/wg1.conf) <<-END
		[Interface]
		PrivateKey = $key
		ListenPort = 60100
		Address = 172.16.1.1/24
		PostUp = echo up \${WG_ENDPOINT_RESOLUTION_RETRIES-unset} >>$work/retries
		PostDown = echo down \${WG_ENDPOINT_RESOLUTION_RETRIES-unset} >>$work/retries
		[Peer]
		PublicKey = $peer
		AllowedIPs = 172.16.1.254/32
		[Relay]
		Listen = 192.0.2.1:$1
		Peer = $peer
		To = 172.16.1.254:60000
	END
}

# boot: systemd as the first process of a namespace, with a control group of its own
boot() {
	mkdir -p /sys/fs/cgroup/system
	bash -c 'echo $$ >/sys/fs/cgroup/system/cgroup.procs; exec "$@"' - \
		unshare --mount --pid --cgroup --fork bash -c '
			mount -t proc proc /proc && umount /sys/fs/cgroup &&
			mount -t cgroup2 cgroup /sys/fs/cgroup && mount -t tmpfs -o mode=755 run /run && exec env container=selftest \
				/lib/systemd/systemd --unit=multi-user.target' >"$work/console" 2>&1 &
	outside=$!
	slowwait 60 first_process && init=$(pgrep -P "$outside") && slowwait 120 eval 'inside systemctl is-active multi-user.target >/dev/null 2>&1'
}

# booted NAME: a result, in this shell, which knows then who the first process is
booted() {
	if boot; then
		ktap_ok "$1"
	else
		ktap_fail "$1" "$(cat "$work/console"; inside systemctl --no-pager list-jobs 2>&1)"
	fi
}

first_process() {
	[ "$(ps --ppid "$outside" -o comm=)" = systemd ]
}

inside() {
	nsenter --target "$init" --mount --pid --cgroup "$@"
}

halt() {
	kill -KILL "$init"
	wait "$outside"
	! ip link show wg1 >/dev/null 2>&1 || ip link del wg1
	ip addr del 192.0.2.1/32 dev lo
}

relay_port() {
	"$NWGCTL" -j relay show | jq -r '.[].listen_port'
}

is_up() {
	inside systemctl is-active nwg@wg1 && ip link show wg1 up && [ "$(relay_port)" = "$1" ]
}

enabled() {
	configure 60000 && inside systemctl enable --now nwg@wg1 && is_up 60000
}

is_gone() {
	! ip link show wg1 2>/dev/null && [ -z "$(relay_port)" ]
}

# The same interface, and not one that was made anew
reloaded() {
	local before
	before=$(</sys/class/net/wg1/ifindex)
	configure 60001 && inside systemctl reload nwg@wg1 && is_up 60001 && [ "$(</sys/class/net/wg1/ifindex)" = "$before" ]
}

stopped() {
	inside systemctl stop nwg@wg1 && is_gone
}

# Nobody tries again what is not start; and a number of the administrator's is not changed.
names_once() {
	local drop_in=/etc/systemd/system/nwg@wg1.service.d
	grep -qx 'up 0' "$work/retries" && grep -qx 'down unset' "$work/retries" || return
	mkdir "$drop_in" && printf '[Service]\nEnvironment=WG_ENDPOINT_RESOLUTION_RETRIES=3\n' >"$drop_in/retries.conf"
	rm "$work/retries"
	inside systemctl daemon-reload && inside systemctl start nwg@wg1 && inside systemctl stop nwg@wg1
	cat "$work/retries"
	rm -r "$drop_in"
	inside systemctl daemon-reload && diff "$work/retries" <(printf 'up 3\ndown 3\n')
}

# Stopped with it, it is not waited for.
target_is_all() {
	inside systemctl start nwg.target && is_up 60001 && inside systemctl stop nwg.target && slowwait 30 is_gone
}

# Another attempt would not mend it, so that there is none, and what was tried is undone.
wrong_file_ends_it() {
	sed -i 's/^Peer = .*/Peer = nonsense/' /etc/nwg/wg1.conf
	! inside systemctl start nwg@wg1 || return
	inside systemctl show -p ExecMainStatus -p ActiveState -p NRestarts nwg@wg1
	[ "$(inside systemctl show -P ExecMainStatus nwg@wg1)" = 1 ] &&
		[ "$(inside systemctl show -P ActiveState nwg@wg1)" = failed ] && is_gone
}

# The relay's address has to have come first.
up_after_boot() {
	slowwait 60 is_up 60002
}

# A day of a server's that a package is upgraded on: the interface stays.
stays() {
	inside systemctl daemon-reload && is_up 60002
}

work=$(mktemp -d)
defer rm -rf "$work"
ktap_plan 10
booted "systemd is the first process"
ktap_run "enable --now: interface and relay are there" enabled
ktap_run "reload: what differs is changed" reloaded
ktap_run "stop: nothing is left" stopped
ktap_run "only start looks up names once" names_once
ktap_run "nwg.target is all of them" target_is_all
ktap_run "a file that is wrong is not tried again" wrong_file_ends_it
configure 60002
halt
booted "once more"
ktap_run "up after a boot, once its address is there" up_after_boot
ktap_run "daemon-reload leaves it as it is" stays
halt
ktap_end
