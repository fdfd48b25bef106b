/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Life-cycle events for the kernel log at debug level, in the form "wg0: Peer 3 created", so that
 * leaks can be told by pairing. Switched on with dynamic debug: echo 'module nwg +p'
 * >/proc/dynamic_debug/control
 */
#ifndef _NWG_LOG_H
#define _NWG_LOG_H

#include <linux/printk.h>

#define nwg_dbg(wg, format, ...) pr_debug("%s: " format, (wg)->dev->name, ##__VA_ARGS__)

#endif /* _NWG_LOG_H */
