/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_IPV6_H
#define _SHIM_NET_IPV6_H

#include <linux/in6.h>
#include <linux/types.h>
#include <string.h>

static inline bool ipv6_addr_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool ipv6_addr_v4mapped(const struct in6_addr *addr)
{
	return !addr->s6_addr32[0] && !addr->s6_addr32[1] && addr->s6_addr32[2] == htonl(0xffff);
}

/* @len: in whole bytes */
static inline void ipv6_addr_prefix(struct in6_addr *prefix, const struct in6_addr *addr, int len)
{
	memset(prefix, 0, sizeof(*prefix));
	memcpy(prefix, addr, len / 8);
}

static inline void ipv6_addr_set_v4mapped(__be32 addr, struct in6_addr *mapped)
{
	*mapped = (struct in6_addr){ .s6_addr32 = { 0, 0, htonl(0xffff), addr } };
}

#endif /* _SHIM_NET_IPV6_H */
