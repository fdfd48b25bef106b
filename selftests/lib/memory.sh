# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Whether memory comes back. After ktap.sh.

# memory: what the kernel has allocated and cannot drop, in kB.
memory() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo
}

memory_is_back() {
	local now
	now=$(memory)
	echo "$now kB, $1 before"
	[ "$now" -le $(($1 + 1024)) ]
}

# memory_returns NAME KB: one result: it is what it was, but for what the allocators keep. What waits
# for a grace period takes a moment.
memory_returns() {
	if debug_kernel; then
		ktap_skip "$1" "this kernel keeps what was freed, and at its end looks for what is lost"
	else
		ktap_run "$1" slowwait 20 memory_is_back "$2"
	fi
}
