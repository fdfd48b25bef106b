/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_IP_H
#define _SHIM_NET_IP_H

#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ipv6.h>

struct in_addr {
	__be32 s_addr;
};

#define IP_MAX_MTU 0xffff
#define IP_DF 0x4000
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff

/**
 * struct net - a network namespace
 * @ipv4: of IPv4
 * @ipv6: of IPv6
 */
struct net {
	struct {
		u8 sysctl_ip_default_ttl;
	} ipv4;
	struct {
		struct {
			int hop_limit;
		} * devconf_all;
	} ipv6;
};

static inline void __ip_select_ident(struct net *net, struct iphdr *header, int segments)
{
	(void)net, (void)segments;
	header->id = htons(0x1234);
}

static inline __sum16 ip_fast_csum(const void *header, unsigned int words)
{
	return csum_fold(csum_partial(header, words * 4, 0));
}

static inline void ip_send_check(struct iphdr *header)
{
	header->check = 0;
	header->check = ip_fast_csum(header, header->ihl);
}

static inline bool ip_is_fragment(const struct iphdr *header)
{
	return header->frag_off & htons(IP_MF | IP_OFFSET);
}

#endif /* _SHIM_NET_IP_H */
