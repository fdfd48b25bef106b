/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_DSFIELD_H
#define _SHIM_NET_DSFIELD_H

#include <linux/ipv6.h>
#include <linux/types.h>
#include <string.h>

static inline u8 ipv6_get_dsfield(const struct ipv6hdr *header)
{
	__be16 first;

	memcpy(&first, header, sizeof(first));
	return ntohs(first) >> 4;
}

static inline void ip6_flow_hdr(struct ipv6hdr *header, unsigned int tclass, __be32 flowlabel)
{
	const __be32 first = htonl(6U << 28 | tclass << 20) | flowlabel;

	memcpy(header, &first, sizeof(first));
}

#endif /* _SHIM_NET_DSFIELD_H */
