/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fragments on the side of the tunnel: what is too big for it goes in fragments, and those of the
 * home are put together. (Those of clients are put together before the hook sees them.)
 */
#ifndef _NWG_RELAY_FRAGMENT_H
#define _NWG_RELAY_FRAGMENT_H

#include <linux/skbuff.h>

#include "../../uapi/nwg.h"

struct net;
struct nwg_peer;

/* Let a packet be fragmented: as it has a new sender, it needs an identification of that sender's. */
void nwg_make_fragmentable(struct net *net, struct sk_buff *skb);

/**
 * nwg_send_fragments - send a packet that is too big for the tunnel
 * @peer: to whom; NULL: through the stock interface
 * @skb: the packet, skb->dev the interface; consumed
 *
 * In fragments that are not too big, which are put together by the home. Outer fragments would be
 * lost in many a NAT.
 *
 * Context: softirq, RCU read section.
 * Return: 0, or why not.
 */
enum nwg_relay_drop nwg_send_fragments(struct nwg_peer *peer, struct sk_buff *skb);

/*
 * Whether a packet out of the tunnel is a fragment of a UDP datagram, with an intact IP header. @skb:
 * linear.
 */
bool nwg_is_udp_fragment(const struct sk_buff *skb);

/**
 * nwg_reassemble - put a fragment together with those that came before it
 * @net: the interface's namespace
 * @skb: the fragment, its control buffer IP's
 *
 * Context: softirq.
 * Return: true if the packet is whole now, and linear; false if it is consumed. What cannot be put
 * together counts where the stack counts it, as the interface has received it.
 */
bool nwg_reassemble(struct net *net, struct sk_buff *skb);

#endif /* _NWG_RELAY_FRAGMENT_H */
