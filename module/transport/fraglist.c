// SPDX-License-Identifier: GPL-2.0
#include "fraglist.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>

void nwg_fraglist_append(struct sk_buff *head, struct sk_buff *last, struct sk_buff *skb)
{
	__skb_pull(skb, nwg_fraglist_header_len(skb));
	if (last == head)
		skb_shinfo(head)->frag_list = skb;
	else
		last->next = skb;
	head->len += skb->len;
	head->data_len += skb->len;
	head->truesize += skb->truesize;
}

void nwg_fraglist_close(struct sk_buff *head, unsigned int payload, unsigned int count)
{
	struct skb_shared_info *shared = skb_shinfo(head);
	__be16 len = htons(head->len - skb_network_header_len(head));

	/*
	 * An interface gets a list whole if it has a feature for each bit of the type. SKB_GSO_IPXIP4 says
	 * nothing of a packet without skb->encapsulation, but tunnels of the stack lack its feature, where veth
	 * and bridges of such have it: so the list comes apart before it goes into a tunnel, whose headers would
	 * not have room in front of each (Geneve's may be 320 bytes). A VLAN's interface may lack it, too.
	 */
	shared->gso_type = SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST | SKB_GSO_IPXIP4;
	shared->gso_size = payload;
	shared->gso_segs = count;
	udp_hdr(head)->len = len;
	if (ip_hdr(head)->version == 4) {
		ip_hdr(head)->tot_len = htons(head->len);
		ip_send_check(ip_hdr(head));
	} else {
		ipv6_hdr(head)->payload_len = len;
	}
	/* Each has its own checksum. */
	head->ip_summed = CHECKSUM_UNNECESSARY;
	head->csum_level = 0;
}
