/* SPDX-License-Identifier: GPL-2.0 */
/* Work is done when a test finds that it is due. */
#ifndef _SHIM_LINUX_WORKQUEUE_H
#define _SHIM_LINUX_WORKQUEUE_H

#include <linux/jiffies.h>
#include <linux/kernel.h>

struct work_struct {
	char unused;
};

/* @due: jiffies when it is, if @pending */
struct delayed_work {
	struct work_struct work;
	bool pending;
	unsigned long due;
};

#define system_power_efficient_wq NULL

static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}

static inline bool queue_delayed_work(void *queue, struct delayed_work *work, unsigned long delay)
{
	(void)queue;
	if (work->pending)
		return false;
	work->pending = true;
	work->due = jiffies + delay;
	return true;
}

#endif /* _SHIM_LINUX_WORKQUEUE_H */
