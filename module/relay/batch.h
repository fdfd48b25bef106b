/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams of one flow that follow each other go down the stack as one (transport/fraglist.h), unless
 * "ethtool -K wg1 gro off" says that they are not to.
 */
#ifndef _NWG_RELAY_BATCH_H
#define _NWG_RELAY_BATCH_H

#include <linux/skbuff.h>
#include <net/net_namespace.h>

/**
 * struct nwg_relay_batch - datagrams on their way out
 * @head: the first, under whose header the others go, or NULL
 * @last: the newest
 * @net: the namespace that they are sent in
 * @payload: bytes of UDP payload in each but the last, which may have less
 * @count: datagrams
 *
 * Owned by one NAPI poll, which leaves none behind.
 */
struct nwg_relay_batch {
	struct sk_buff *head;
	struct sk_buff *last;
	struct net *net;
	unsigned int payload;
	unsigned int count;
};

/**
 * nwg_batch_add - send a datagram, at the latest with nwg_batch_flush()
 * @batch: what has not been sent yet; datagrams of one flow leave in the order of the calls
 * @net: the namespace to send in
 * @skb: IP packet with a plain header, then UDP, linear, data at the network header, transport
 *	header and route (a reference is not needed) set, no longer than the route's MTU,
 *	skb->dev the interface that it came by; consumed
 *
 * Context: softirq, RCU read section, the same up to nwg_batch_flush().
 */
void nwg_batch_add(struct nwg_relay_batch *batch, struct net *net, struct sk_buff *skb);

/* Send what has been put together. Context: as above. */
void nwg_batch_flush(struct nwg_relay_batch *batch);

#endif /* _NWG_RELAY_BATCH_H */
