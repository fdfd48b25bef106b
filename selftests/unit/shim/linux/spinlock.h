/* SPDX-License-Identifier: GPL-2.0 */
/* Nobody waits for a lock: who takes one that is held, or leaves one that is not, stops the test. */
#ifndef _SHIM_LINUX_SPINLOCK_H
#define _SHIM_LINUX_SPINLOCK_H

#include <assert.h>
#include <linux/types.h>

typedef struct {
	bool held;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	assert(!lock->held);
	lock->held = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	assert(lock->held);
	lock->held = false;
}

#define spin_lock_bh(lock) spin_lock(lock)
#define spin_unlock_bh(lock) spin_unlock(lock)
#define lockdep_assert_held(lock) assert((lock)->held)
#define cond_resched() ((void)0)

#endif /* _SHIM_LINUX_SPINLOCK_H */
