/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.16 has renamed from_timer(). Kbuild looks for the new name and defines
 * NWG_HAVE_TIMER_CONTAINER_OF if it is there.
 */
#ifndef _NWG_COMPAT_LINUX_TIMER_H
#define _NWG_COMPAT_LINUX_TIMER_H

#include_next <linux/timer.h>

#ifndef NWG_HAVE_TIMER_CONTAINER_OF
#define timer_container_of from_timer
#endif

#endif /* _NWG_COMPAT_LINUX_TIMER_H */
