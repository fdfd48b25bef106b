#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# These tests as one of kselftest's collections, by the kernel tree's own Makefile and runner: those of
# Debian's linux-source, which "make setup" unpacks.

here=$(dirname "$(realpath "$0")")
. "$here/lib/ktap.sh"
. "$here/lib/module-tree.sh"
linux=${NWG_CACHE:-}/kselftest
selftests=tools/testing/selftests

ktap_need make rsync
[ -d "$linux/$selftests" ] || ktap_skip_all "no $linux: run make setup, and this by selftests/run"
[ -n "${NWG_VM:-}" ] || ktap_skip_all "only in a VM: /lib/modules is replaced"
work=$(mktemp -d)
defer rm -rf "$work"
cp -r "$linux" "$work/linux" && cp -rL "$here" "$work/linux/$selftests/nwg" || exit 1

# installs: with what make tells the makes that it starts, as nothing else is.
installs() {
	make -C "$work/linux/$selftests" TARGETS=nwg KSFT_INSTALL_PATH="$work/installed" install &&
		diff - "$work/installed/kselftest-list.txt" <<-END
			nwg:chain.sh
			nwg:device.sh
			nwg:netlink.sh
			nwg:nwgctl.sh
		END
}

# ran ARGUMENT...: an installed program of them, with these arguments.
ran() {
	KSELFTEST_NETLINK_SH_ARGS="$*" "$work/installed/run_kselftest.sh" -t nwg:netlink.sh >"$work/output" 2>&1
	cat "$work/output"
}

skipped() {
	ran netlink/relay.sh && grep -q '^ok 1 selftests: nwg: netlink.sh # SKIP' "$work/output" &&
		grep -q "$1: install nwg" "$work/output"
}

passed() {
	ran netlink/relay.sh && grep -qx 'ok 1 selftests: nwg: netlink.sh' "$work/output" &&
		grep -qE '^# [1-9][0-9]* passed, 0 failed' "$work/output"
}

failed() {
	ran netlink/no-such-test && grep -q '^not ok 1 selftests: nwg: netlink.sh' "$work/output"
}

# what takes hours without virtual time is not in it
in_time() {
	local listed
	listed=$("$here/run" --kselftest --list) && grep -q 'netlink/relay.sh' <<<"$listed" &&
		! grep -E ' (device/timers|chain/quiet|nwgctl/help)\.sh| host | make ' <<<"$listed"
}

in_place() {
	make -s -C "$here" KSELFTEST="$work/linux/$selftests" --dry-run run_tests
}

ktap_plan 7
rmmod nwg || exit 1
defer insmod "$NWG_MODULE"
ktap_run "a kernel tree's Makefile installs them" installs
module_tree "$work/modules" || exit 1
rm "$work/modules/lib/modules/$(uname -r)/nwg.ko" && depmod -b "$work/modules" "$(uname -r)"
ktap_run "without the module they are skipped" skipped "module nwg for this kernel"
cp "$NWG_MODULE" "$work/modules/lib/modules/$(uname -r)" && depmod -b "$work/modules" "$(uname -r)"
ktap_run "without nwgctl, too" skipped "no nwgctl"
ln -s "$NWGCTL" /usr/local/bin/nwgctl
ktap_run "its runner runs them, with what is installed" passed
ktap_run "what fails is told" failed
ktap_run "only what has an end in real time" in_time
ktap_run "from the project's own tree, too" in_place
ktap_end
