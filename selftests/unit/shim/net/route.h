/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_ROUTE_H
#define _SHIM_NET_ROUTE_H

#include <linux/types.h>

#define RTN_UNICAST 1
#define RTN_LOCAL 2

struct net;
struct net_device;

unsigned int inet_addr_type_dev_table(struct net *net, const struct net_device *dev, __be32 addr);

#endif /* _SHIM_NET_ROUTE_H */
