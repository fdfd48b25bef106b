/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NWG_TRANSPORT_SCRUB_H
#define _NWG_TRANSPORT_SCRUB_H

#include <linux/skbuff.h>

/**
 * nwg_scrub - forget what a packet was outside the tunnel, or inside
 * @skb: the packet, which comes out of a tunnel or goes into one
 *
 * More than skb_scrub_packet(): the priority, which picks a queue and on a VLAN leaves the machine,
 * would tell outside what the inner TOS is, and the other way round; an inner label is not the outer
 * packet's; and what an inner connection knows confirms no neighbour outside.
 */
static inline void nwg_scrub(struct sk_buff *skb)
{
	skb_scrub_packet(skb, true);
	skb->priority = 0;
	skb_init_secmark(skb);
	skb_set_dst_pending_confirm(skb, 0);
#ifdef CONFIG_NET_SCHED
	skb->tc_index = 0;
#endif
	skb_reset_redirect(skb);
}

#endif /* _NWG_TRANSPORT_SCRUB_H */
