/* SPDX-License-Identifier: GPL-2.0 */
/* Time stands still until a test moves it. */
#ifndef _SHIM_LINUX_JIFFIES_H
#define _SHIM_LINUX_JIFFIES_H

#include <linux/timekeeping.h>
#include <linux/types.h>

#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define time_before(a, b) ((long)((a) - (b)) < 0)
#define time_in_range_open(a, b, c) (time_after_eq(a, b) && time_before(a, c))

#endif /* _SHIM_LINUX_JIFFIES_H */
