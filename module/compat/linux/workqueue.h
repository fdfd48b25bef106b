/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Since 6.18 a workqueue says that its works stay on the CPU that they are queued on. Kbuild looks for the
 * flag and defines NWG_HAVE_WQ_PERCPU if it is there.
 */
#ifndef _NWG_COMPAT_LINUX_WORKQUEUE_H
#define _NWG_COMPAT_LINUX_WORKQUEUE_H

#include_next <linux/workqueue.h>

#ifndef NWG_HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

#endif /* _NWG_COMPAT_LINUX_WORKQUEUE_H */
