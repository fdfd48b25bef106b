/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_ROUTE_H
#define _SHIM_NET_ROUTE_H

#include <linux/types.h>

#define RTN_UNICAST 1
#define RTN_LOCAL 2

struct net;

unsigned int inet_addr_type(struct net *net, __be32 addr);

#endif /* _SHIM_NET_ROUTE_H */
