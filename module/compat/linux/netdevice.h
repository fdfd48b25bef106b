/* SPDX-License-Identifier: GPL-2.0 */
/*
 * That an interface sends without a lock of its queue was a feature bit up to 6.11, and is a field
 * since. Kbuild looks for the bit and defines NWG_HAVE_F_LLTX if it is there.
 *
 * Whether it receives in threads was a bool, and is one of several ways since 6.17. Kbuild looks for
 * those and defines NWG_HAVE_NAPI_THREADED if they are there.
 */
#ifndef _NWG_COMPAT_LINUX_NETDEVICE_H
#define _NWG_COMPAT_LINUX_NETDEVICE_H

#include_next <linux/netdevice.h>

static inline void nwg_netdev_set_lltx(struct net_device *dev)
{
#ifdef NWG_HAVE_F_LLTX
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

#ifndef NWG_HAVE_NAPI_THREADED
#define NETDEV_NAPI_THREADED_DISABLED false
#define NETDEV_NAPI_THREADED_ENABLED true
#endif

#endif /* _NWG_COMPAT_LINUX_NETDEVICE_H */
