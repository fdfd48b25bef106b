/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_L3MDEV_H
#define _SHIM_NET_L3MDEV_H

struct net_device;

/* No interface is in a VRF here. */
static inline int l3mdev_master_ifindex_rcu(const struct net_device *dev)
{
	(void)dev;
	return 0;
}

#endif /* _SHIM_NET_L3MDEV_H */
