/* SPDX-License-Identifier: GPL-2.0 */
/* RCU with one thread: a reader never runs at the same time as a writer. */
#ifndef _SHIM_LINUX_RCUPDATE_H
#define _SHIM_LINUX_RCUPDATE_H

#include <linux/slab.h>
#include <linux/types.h>

#define rcu_read_lock() ((void)0)
#define rcu_read_unlock() ((void)0)
#define RCU_INIT_POINTER(pointer, value) ((void)((pointer) = (value)))
#define rcu_assign_pointer(pointer, value) ((void)((pointer) = (value)))
#define rcu_access_pointer(pointer) (pointer)
#define rcu_dereference(pointer) (pointer)
#define rcu_dereference_raw(pointer) (pointer)
#define rcu_dereference_protected(pointer, condition) ((void)(condition), (pointer))
/* At once: whatever still uses the memory then is reported by the address sanitizer. */
#define kfree_rcu(object, head) ((void)&(object)->head, kfree(object))
/* When a test says that a grace period has passed */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void rcu_barrier(void);

#endif /* _SHIM_LINUX_RCUPDATE_H */
