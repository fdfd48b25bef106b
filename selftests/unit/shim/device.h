/* SPDX-License-Identifier: GPL-2.0 */
/* In place of the module's device.h: what relays see of an interface. A test fills it. */
#ifndef _SHIM_DEVICE_H
#define _SHIM_DEVICE_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/types.h>

struct net;

struct in_ifaddr {
	__be32 ifa_local;
};

struct inet6_ifaddr {
	struct list_head if_list;
	struct in6_addr addr;
	u32 flags;
	u8 prefix_len;
};

struct inet6_dev {
	struct list_head addr_list;
};

/**
 * struct net_device - an interface
 * @ifindex: its index
 * @address4: its IPv4 address, of a /24; 0 if it has none
 * @address6: its IPv6 addresses
 */
struct net_device {
	int ifindex;
	unsigned int mtu;
	struct in_ifaddr address4;
	struct inet6_dev address6;
};

struct nwg_device {
	struct net_device *dev;
	struct list_head relays;
};

#define dev_net(dev) ((void)(dev), (struct net *)NULL)

#endif /* _SHIM_DEVICE_H */
