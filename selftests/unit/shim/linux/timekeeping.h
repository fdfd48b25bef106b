/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_TIMEKEEPING_H
#define _SHIM_LINUX_TIMEKEEPING_H

#include <linux/types.h>

/* Of what jiffies count */
#define HZ 250

extern unsigned long jiffies;

#define NSEC_PER_SEC 1000000000L

/* Jiffies at the boot of the machine, which a test sets */
extern unsigned long shim_boot;

static inline u64 ktime_get_coarse_boottime_ns(void)
{
	return (u64)(jiffies - shim_boot) * (NSEC_PER_SEC / HZ);
}

static inline u64 ktime_get_boottime_seconds(void)
{
	return (u64)(jiffies - shim_boot) / HZ;
}

#endif /* _SHIM_LINUX_TIMEKEEPING_H */
