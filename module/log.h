/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Life-cycle events for the kernel log at debug level, in the form "wg0: Peer 3 created", so that
 * leaks can be told by pairing. Switched on with dynamic debug: echo 'module nwg +p'
 * >/proc/dynamic_debug/control
 */
#ifndef _NWG_LOG_H
#define _NWG_LOG_H

#include <linux/printk.h>

/*
 * A peer in a message: its number, and where it is. Read without a lock: while that changes, the
 * message may have a bit of both.
 */
#define NWG_LOG_PEER "peer %llu (%pISpfsc)"
#define nwg_log_peer(peer) (peer)->id, &(peer)->endpoint.value.addr

#define nwg_dbg(wg, format, ...) pr_debug("%s: " format, (wg)->dev->name, ##__VA_ARGS__)

#endif /* _NWG_LOG_H */
