#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The debug kernel finds what it is there to find: a module commits one fault of each kind
# in a VM, and the run is failed for each.

here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

# The first report of some checkers is their last, and one of KASAN ends lockdep.
faults=(
	no_rcu "suspicious RCU usage"
	any_cpu "using smp_processor_id() in preemptible"
	atomic_sleep "sleeping function called from invalid context"
	lock_order "possible circular locking dependency"
	far_shift "UBSAN: shift-out-of-bounds"
	past_array "UBSAN: array-index-out-of-bounds"
	refcount "refcount_t: addition on 0"
	list "list_del corruption"
	free_active_timer "ODEBUG: free active"
	tracker "leaked reference"
	hang "blocked for more than"
	use_after_free "KASAN: use-after-free"
	leak "new suspected memory leaks"
)

# In the VM: commit all of them.
if [ "$1" = commit ]; then
	echo 10 >/proc/sys/kernel/hung_task_timeout_secs
	for ((i = 0; i < ${#faults[@]}; i += 2)); do
		skip_idle eval "echo ${faults[i]} >/sys/module/faulty/parameters/commit"
	done
	exit
fi

kernel=$(echo "$top"/build/debug/kernel/vmlinuz-*)
[ -e "$kernel" ] || ktap_skip_all "no debug kernel: run make debug"
ktap_plan $((1 + ${#faults[@]} / 2))
report=$("$here/../vm/run" --icount --kernel "$kernel" --module "$top/build/debug/faulty/faulty.ko" \
	--timeout 600 -- "$here/checkers.sh" commit 2>&1)
status=$?
report=${report%%vm/run: the first of it*} # the lines that were found, and no others
if [ "$status" -eq 99 ]; then
	ktap_ok "the run is failed for the kernel's reports"
else
	ktap_fail "the run is failed for the kernel's reports" "exit status $status" "$report"
fi
for ((i = 0; i < ${#faults[@]}; i += 2)); do
	ktap_run "${faults[i]}: ${faults[i + 1]}" grep -F "${faults[i + 1]}" <<<"$report"
done
ktap_end
