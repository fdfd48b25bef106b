// SPDX-License-Identifier: GPL-2.0
#include "fragment.h"

#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/route.h>

#include "datagram.h"
#include "stock.h"
#include "transport/send.h"

void nwg_make_fragmentable(struct net *net, struct sk_buff *skb)
{
	if (nwg_is_ipv4(skb)) {
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		ip_hdr(skb)->frag_off &= ~htons(IP_DF);
		__ip_select_ident(net, ip_hdr(skb), 1);
		ip_send_check(ip_hdr(skb));
	} else {
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	}
	skb->ignore_df = 1;
}

#define IPV6_LEAST_MTU (sizeof(struct ipv6hdr) + sizeof(struct frag_hdr) + 8)

/**
 * struct fragment_route - what the stack's fragmentation takes for a route
 * @dst: only what fragmentation looks at is set: the interface and its MTU
 * @ipv4: the same, as IPv4's fragmentation sees it
 * @ipv6: the same, as IPv6's does
 * @peer: where the fragments go, NULL: through the stock interface
 */
struct fragment_route {
	union {
		struct dst_entry dst;
		struct rtable ipv4;
		struct rt6_info ipv6;
	};
	struct nwg_peer *peer;
};

static unsigned int fragment_mtu(const struct dst_entry *dst)
{
	return READ_ONCE(dst->dev->mtu);
}

static struct dst_ops fragment_dst_ops = {
	.family = AF_UNSPEC,
	.mtu = fragment_mtu,
};

static int send_fragment(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct fragment_route *route = container_of(skb_dst(skb), struct fragment_route, dst);

	skb_dst_drop(skb);
	if (likely(route->peer)) {
		nwg_peer_send(route->peer, skb, READ_ONCE(route->dst.dev->mtu));
		return 0;
	}
	return nwg_stock_send(skb);
}

enum nwg_relay_drop nwg_send_fragments(struct nwg_peer *peer, struct sk_buff *skb)
{
	struct fragment_route route = {};
	struct net_device *dev = skb->dev;
	struct net *net = dev_net(dev);
	int err;

	/*
	 * What no link may have (RFC 791), but the stock interface may; for IPv6, a fragment of eight bytes. There
	 * is stock fragmentation that does not come to an end with less.
	 */
	if (unlikely(READ_ONCE(dev->mtu) < (nwg_is_ipv4(skb) ? IPV4_MIN_MTU : IPV6_LEAST_MTU))) {
		kfree_skb(skb);
		return NWG_DROP_NO_PEER;
	}
	route.peer = peer;
	/*
	 * Without the interface, so that no reference to it is taken, for which there would be
	 * nobody to drop it.
	 */
	dst_init(&route.dst, &fragment_dst_ops, NULL, DST_OBSOLETE_NONE, DST_NOCOUNT);
	route.dst.dev = dev;
	nwg_make_fragmentable(net, skb);
	skb_dst_set_noref(skb, &route.dst);
	if (nwg_is_ipv4(skb))
		err = ip_do_fragment(net, NULL, skb, send_fragment);
	else
		err = ip6_fragment(net, NULL, skb, send_fragment);
	if (likely(!err))
		return 0;
	return err == -ENOMEM ? NWG_DROP_NO_MEMORY : NWG_DROP_NO_PEER;
}

bool nwg_is_udp_fragment(const struct sk_buff *skb)
{
	const struct frag_hdr *fragment =
		(const struct frag_hdr *)(skb->data + sizeof(struct ipv6hdr));

	if (nwg_is_ipv4(skb))
		return ip_is_fragment(ip_hdr(skb)) && ip_hdr(skb)->protocol == IPPROTO_UDP &&
		       nwg_ip_header_plain(skb) &&
		       !ip_fast_csum(ip_hdr(skb), sizeof(struct iphdr) / 4);
	return ipv6_hdr(skb)->nexthdr == NEXTHDR_FRAGMENT &&
	       skb->len >= sizeof(struct ipv6hdr) + sizeof(*fragment) &&
	       fragment->nexthdr == IPPROTO_UDP;
}

bool nwg_reassemble(struct net *net, struct sk_buff *skb)
{
	int err;

	if (nwg_is_ipv4(skb)) {
		if (ip_defrag(net, skb, IP_DEFRAG_LOCAL_DELIVER))
			return false;
	} else {
		err = nf_ct_frag6_gather(net, skb, IP6_DEFRAG_CONNTRACK_IN);
		if (err == -EINPROGRESS)
			return false;
		if (err)
			goto drop;
	}
	if (!skb_linearize(skb))
		return true;
drop:
	if (nwg_is_ipv4(skb))
		__IP_INC_STATS(net, IPSTATS_MIB_REASMFAILS);
	else
		__IP6_INC_STATS(net, NULL, IPSTATS_MIB_REASMFAILS);
	kfree_skb(skb);
	return false;
}
