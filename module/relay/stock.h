/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Relays over an interface of the kernel's own module. It keeps its peers to itself: what is sent
 * through it finds its peer by the allowed IPs, and what comes out of it is met where all packets that
 * come in are.
 */
#ifndef _NWG_RELAY_STOCK_H
#define _NWG_RELAY_STOCK_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

/* Whether an interface is one of the kernel's own module. Context: RTNL, or RCU read section. */
bool nwg_is_stock(const struct net_device *dev);

/*
 * Send a plain IP packet. @skb: skb->dev the interface; consumed. Context: RCU, BH off. Return: 0; or an
 * error if it has no peer for it, or none whose endpoint is known.
 */
static inline int nwg_stock_send(struct sk_buff *skb)
{
	int err;

	/*
	 * It would tell whom the packet is from, where that is no error of theirs, and a client who is
	 * to learn nothing may be. Nobody is told of what goes out.
	 */
	skb->pkt_type = PACKET_OUTGOING;
	err = dev_queue_xmit(skb);
	/* A macro that looks twice. */
	return net_xmit_eval(err);
}

int nwg_stock_init(void);

/* Removes the relays, too. */
void nwg_stock_exit(void);

#endif /* _NWG_RELAY_STOCK_H */
