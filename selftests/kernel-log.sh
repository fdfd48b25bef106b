#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What lib/kernel-log takes for a fault in the kernel, and what not.

here=$(dirname "$(realpath "$0")")
# shellcheck source=lib/ktap.sh
. "$here/lib/ktap.sh"

# One log for each line: found, and the whole line is shown.
each_found() {
	local line status=0
	while read -r line; do
		[ "$(printf '%s\n' "[    1.000000] $line" "[    1.000001] quiet" | "$here/lib/kernel-log")" = "[    1.000000] $line" ] ||
			{ echo "not found: $line" && status=1; }
	done
	return "$status"
}

# The second trace is found, whether the first one comes or not.
next_found() {
	local first="[ 1.4] sysctl could not get directory: /net/ipv4/conf/wg0 -12" fault="[ 1.6] Call Trace:"
	[ "$(printf '%s\n' "$first" "[ 1.5] Call Trace:" "$fault" | "$here/lib/kernel-log")" = "$fault" ] &&
		[ "$(printf '%s\n' "$first" 1 2 3 4 "$fault" | "$here/lib/kernel-log")" = "$fault" ]
}

# A byte that is no text before a fault, and behind it
binary_found() {
	[ "$(printf '[ 1.0] \0\377\n[ 1.1] Oops\n[ 1.2] \0\n' | "$here/lib/kernel-log")" = "[ 1.1] Oops" ]
}

unreadable_is_told() {
	"$here/lib/kernel-log" /nonexistent 2>/dev/null
	[ $? -eq 2 ]
}

ktap_plan 5
ktap_run "each kind of fault is found" each_found <<'END'
WARNING: CPU: 0 PID: 1 at net/core/dev.c:10 register_netdevice+0x10/0x20
BUG: unable to handle page fault for address: ffffb5a0c0000000
BUG: kernel NULL pointer dereference, address: 0000000000000008
kernel BUG at lib/list_debug.c:53!
general protection fault, probably for non-canonical address 0xdffffc0000000000: 0000 [#1] PREEMPT SMP KASAN
Oops: 0000 [#1] PREEMPT SMP KASAN NOPTI
Unable to handle kernel paging request at virtual address ffff800008a3f000
Kernel panic - not syncing: Fatal exception in interrupt
stack-protector: Kernel stack is corrupted in: nwg_receive+0x10/0x20 [nwg]
BUG: KASAN: use-after-free in nwg_peer_put+0x10/0x20 [nwg]
BUG: KASAN: slab-out-of-bounds in nwg_peer_put+0x10/0x20 [nwg]
KASAN: null-ptr-deref in range [0x0000000000000008-0x000000000000000f]
leaked reference.
UBSAN: shift-out-of-bounds in module/peer.c:10:2
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: possible irq lock inversion dependency detected
WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected
WARNING: inconsistent lock state
WARNING: bad unlock balance detected!
WARNING: held lock freed!
WARNING: lock held when returning to user space!
WARNING: suspicious RCU usage
WARNING: ip/123 still has locks held!
[ BUG: Invalid wait context ]
BUG: MAX_LOCKDEP_ENTRIES too low!
BUG: MAX_LOCKDEP_CHAINS too low!
BUG: MAX_STACK_TRACE_ENTRIES too low!
turning off the locking correctness validator.
INFO: trying to register non-static key.
BUG: spinlock bad magic on CPU#0, ip/123
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580
BUG: scheduling while atomic: ip/123/0x00000200
BUG: using smp_processor_id() in preemptible [00000000] code: ip/123
BUG: using __this_cpu_add() in preemptible [00000000] code: ip/123
BUG: assuming non migratable context at module/peer.c:10
BUG: workqueue leaked lock or atomic: kworker/0:1/0x00000001/10
BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 33s!
watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [ip:123]
INFO: task ip:123 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt self-detected stall on CPU
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... }
rcu: rcu_preempt kthread starved for 5000 jiffies! g100 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
kmemleak: Cannot allocate a kmemleak_object structure
kmemleak: Kernel memory leak detector disabled
kmemleak: Memory pool empty, consider increasing CONFIG_DEBUG_KMEMLEAK_MEM_POOL_SIZE
ODEBUG: free active (active state 0) object type: timer_list hint: retry_expired+0x0/0x20 [nwg]
ODEBUG: Out of memory. ODEBUG disabled
ref_tracker: leaked reference.
ref_tracker: reference already released.
ref_tracker: memory allocation failure, unreliable refcount tracker.
refcount_t: underflow; use-after-free.
unregister_netdevice: waiting for wg0 to become free. Usage count = 2
Dead loop on virtual device wg0, fix it urgently!
protocol 0800 is buggy, dev wg0
IPv4: Attempt to release TCP socket in state 1 00000000aabbccdd
list_del corruption, ffff888000000000->next is LIST_POISON1 (dead000000000100)
list_add corruption. prev->next should be next (ffff888000000000), but was ffff888000000008.
usercopy: Kernel memory exposure attempt detected from SLUB object 'nwg_peer' (offset 0, size 8)!
detected buffer overflow in memcpy
memcpy: detected field-spanning write (size 8) of single field "x" at module/peer.c:10 (size 4)
BUG nwg_peer (Not tainted): Objects remaining in nwg_peer on __kmem_cache_shutdown()
kmem_cache_destroy nwg_peer: Slab cache still has objects when called from nwg_peer_exit+0x10/0x20 [nwg]
BUG kmalloc-64 (Tainted: G O): Poison overwritten
Unexpected gfp: 0x4 (GFP_DMA32). Fixing up to gfp: 0xcc0 (GFP_KERNEL). Fix your code!
Thread overran stack, or stack corrupted
ip: page allocation failure: order:0, mode:0x820(GFP_ATOMIC), nodemask=(null),cpuset=/,mems_allowed=0
nwg-vm: cannot unload nwg
nwg-vm: lockdep has switched itself off
END
ktap_run "a trace that is no fault hides no other" next_found
ktap_run "a log with other bytes than text in it hides nothing" binary_found
ktap_run "a log that cannot be read is not a clean one" unreadable_is_told
ktap_run "nothing else is" "$here/lib/kernel-log" <<'END'
[    0.000000] kasan: KernelAddressSanitizer initialized
[    0.000000] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
[    0.000000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15000)
[    0.100000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!
[    1.000000] nwg: loading out-of-tree module taints kernel.
[    1.100000] nwg: wg0: Peer 1 created
[    1.200000] nwg: wg0: Handshake for peer 1 did not complete after 20 attempts, giving up
[    1.300000] IPv6: ADDRCONF(NETDEV_CHANGE): veth0: link becomes ready
[    1.400000] sysctl could not get directory: /net/ipv4/conf/wg0 -12
[    1.400001] CPU: 0 PID: 87 Comm: faults.py Tainted: G           O       6.1.192-nwg-debug #1
[    1.400002] Hardware name: QEMU Standard PC (Q35 + ICH9, 2009)
[    1.400003] Call Trace:
END
ktap_end
