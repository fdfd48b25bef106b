/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_ADDRCONF_H
#define _SHIM_NET_ADDRCONF_H

#include <linux/rculist.h>
#include <net/ipv6.h>
#include "device.h"

#define IPV6_ADDR_LINKLOCAL 0x20
#define IFA_F_DEPRECATED 0x20
#define IFA_F_DADFAILED 0x08
#define IFA_F_TENTATIVE 0x40

static inline int ipv6_addr_type(const struct in6_addr *addr)
{
	return ntohl(addr->s6_addr32[0]) >> 22 == 0xfe80 >> 6 ? IPV6_ADDR_LINKLOCAL : 0;
}

static inline bool ipv6_prefix_equal(const struct in6_addr *a, const struct in6_addr *b,
				     unsigned int len)
{
	return !memcmp(a, b, len / 8);
}

#define __in6_dev_get(dev) (&(dev)->address6)

/* Whether an address is this machine's own */
bool ipv6_chk_addr(struct net *net, const struct in6_addr *addr, const struct net_device *dev,
		   int strict);

#endif /* _SHIM_NET_ADDRCONF_H */
