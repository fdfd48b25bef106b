// SPDX-License-Identifier: GPL-2.0
#include "batch.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "transport/fraglist.h"

static bool same_header4(const struct iphdr *a, const struct iphdr *b)
{
	return a->saddr == b->saddr && a->daddr == b->daddr && a->tos == b->tos &&
	       a->ttl == b->ttl && a->frag_off == b->frag_off;
}

static bool same_header6(const struct ipv6hdr *a, const struct ipv6hdr *b)
{
	/* Version, traffic class and flow label are the first word. */
	return *(const __be32 *)a == *(const __be32 *)b && a->hop_limit == b->hop_limit &&
	       ipv6_addr_equal(&a->saddr, &b->saddr) && ipv6_addr_equal(&a->daddr, &b->daddr);
}

/* Whether a datagram can go under the header of a batch. */
static bool fits(const struct nwg_relay_batch *batch, const struct sk_buff *skb)
{
	const struct sk_buff *head = batch->head;
	const struct udphdr *udp = udp_hdr(skb), *udp_head = udp_hdr(head);
	unsigned int payload = skb->len - nwg_fraglist_header_len(skb);

	if (skb->protocol != head->protocol || skb_dst(skb) != skb_dst(head) ||
	    udp->source != udp_head->source || udp->dest != udp_head->dest)
		return false;
	/* Only the last one may be shorter. */
	if (payload > batch->payload)
		return false;
	if (head->len + payload > IP_MAX_MTU || skb_is_nonlinear(skb) ||
	    !nwg_fraglist_has_room(skb, skb_dst(skb)->dev))
		return false;
	return skb->protocol == htons(ETH_P_IP) ? same_header4(ip_hdr(head), ip_hdr(skb)) :
						  same_header6(ipv6_hdr(head), ipv6_hdr(skb));
}

void nwg_batch_flush(struct nwg_relay_batch *batch)
{
	struct sk_buff *head = batch->head;

	if (!head)
		return;
	batch->head = NULL;
	if (batch->count > 1)
		nwg_fraglist_close(head, batch->payload, batch->count);
	dst_output(batch->net, NULL, head);
}

/* Whether a packet may be one of a batch at all: who wants none has switched GRO off. */
static bool may_wait(const struct sk_buff *skb)
{
	return skb->dev->features & NETIF_F_GRO && nwg_fraglist_passes(skb_dst(skb));
}

void nwg_batch_add(struct nwg_relay_batch *batch, struct net *net, struct sk_buff *skb)
{
	unsigned int payload = skb->len - nwg_fraglist_header_len(skb);

	if (batch->head && fits(batch, skb)) {
		nwg_fraglist_append(batch->head, batch->last, skb);
		batch->last = skb;
		batch->count++;
		if (payload < batch->payload || batch->count == NWG_FRAGLIST_MAX)
			nwg_batch_flush(batch);
		return;
	}
	nwg_batch_flush(batch);
	if (unlikely(!may_wait(skb))) {
		dst_output(net, NULL, skb);
		return;
	}
	batch->head = skb;
	batch->last = skb;
	batch->net = net;
	batch->payload = payload;
	batch->count = 1;
}
