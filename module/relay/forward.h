/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The path of a datagram through a relay, client to home. The other way is nwg_relay_reverse() in
 * relay.h, or what is below.
 */
#ifndef _NWG_RELAY_FORWARD_H
#define _NWG_RELAY_FORWARD_H

#include <linux/skbuff.h>

struct net;

/**
 * nwg_relay_forward - offer a UDP datagram to the relays of a network namespace
 * @net: the namespace
 * @skb: IP packet, data at the network header, which was validated; IP fragments put together
 *
 * Context: RCU read section.
 * Return: true if a relay took it (it is consumed, sent on or dropped and counted); false if it is
 * not for a relay.
 */
bool nwg_relay_forward(struct net *net, struct sk_buff *skb);

/**
 * nwg_relay_reverse_stock - offer a UDP packet that came by a stock interface to the relays over it
 * @skb: IP packet, data at the network header, which was validated; may be a fragment, or what GRO has
 *	put together
 *
 * Context: RCU read section.
 * Return: true if a relay took it; false if it is to go on, though it may be whole where it was a
 * fragment.
 */
bool nwg_relay_reverse_stock(struct sk_buff *skb);

#endif /* _NWG_RELAY_FORWARD_H */
