// SPDX-License-Identifier: GPL-2.0
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/udp.h>

void shim_csum_replace(__sum16 *sum, struct sk_buff *skb, const void *from, const void *to, int len,
		       bool pseudohdr)
{
	const __wsum diff = csum_sub(csum_partial(to, len, 0), csum_partial(from, len, 0));

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		csum_replace_by_diff(sum, diff);
	else if (pseudohdr)
		*sum = shim_fold((u64)*sum + diff);
}

/* The sum over a datagram, which begins at @offset, and its pseudo-header */
static __sum16 udp_sum(const struct sk_buff *skb, unsigned int offset)
{
	const unsigned int len = skb->len - offset;
	const __be32 last[] = { htonl(len), htonl(IPPROTO_UDP) };
	__wsum sum = skb_checksum(skb, offset, len, 0);

	if (skb->protocol == htons(ETH_P_IPV6))
		return csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, len,
				       IPPROTO_UDP, sum);
	sum = csum_partial(&ip_hdr(skb)->saddr, 2 * sizeof(__be32), sum);
	return csum_fold(csum_partial(last, sizeof(last), sum));
}

__sum16 nf_checksum(struct sk_buff *skb, unsigned int hook, unsigned int offset, u8 protocol,
		    unsigned short family)
{
	(void)hook, (void)protocol, (void)family;
	return udp_sum(skb, offset);
}

static void set_csum(struct sk_buff *skb, int len)
{
	struct udphdr *udp = (struct udphdr *)(skb->data + skb->len - len);

	udp->check = 0;
	udp->check = udp_sum(skb, skb->len - len) ?: CSUM_MANGLED_0;
}

void udp_set_csum(bool none, struct sk_buff *skb, __be32 saddr, __be32 daddr, int len)
{
	(void)none, (void)saddr, (void)daddr;
	set_csum(skb, len);
}

void udp6_set_csum(bool none, struct sk_buff *skb, const struct in6_addr *saddr,
		   const struct in6_addr *daddr, int len)
{
	(void)none, (void)saddr, (void)daddr;
	set_csum(skb, len);
}
