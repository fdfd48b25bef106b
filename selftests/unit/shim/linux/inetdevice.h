/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses of an interface, of each family at most one, which a test gives it. */
#ifndef _SHIM_LINUX_INETDEVICE_H
#define _SHIM_LINUX_INETDEVICE_H

#include "device.h"

#define in_device net_device
#define __in_dev_get_rcu(dev) ((dev)->address4.ifa_local ? (dev) : NULL)
#define in_dev_for_each_ifa_rcu(ifa, dev) for ((ifa) = &(dev)->address4; (ifa); (ifa) = NULL)

static inline bool inet_ifa_match(__be32 addr, const struct in_ifaddr *ifa)
{
	return !((addr ^ ifa->ifa_local) & htonl(0xffffff00));
}

#endif /* _SHIM_LINUX_INETDEVICE_H */
