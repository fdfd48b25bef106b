/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the WireGuard device and the netlink family know of the nested relay. The relay sends with
 * nwg_peer_send().
 */
#ifndef _NWG_RELAY_RELAY_H
#define _NWG_RELAY_RELAY_H

#include <linux/skbuff.h>

struct nwg_device;
struct nwg_peer;
struct nwg_relay_batch;

/**
 * nwg_relay_reverse - offer a decrypted packet to the relays of its interface
 * @peer: the peer that sent it; its source was checked against the peer's allowed IPs
 * @skb: plain IP packet, linear, data at the network header, trimmed to its IP length,
 *	skb->dev the interface
 * @batch: where it waits for others of its flow; the caller flushes it
 *
 * Called only when the interface has a relay.
 *
 * Context: softirq, RCU read section.
 * Return: true if a relay took it (it is consumed, sent on or dropped and counted); false if it is
 * to go to the stack.
 */
bool nwg_relay_reverse(struct nwg_peer *peer, struct sk_buff *skb, struct nwg_relay_batch *batch);

/*
 * The interface has a new peer: a relay that waits for its key now has it. Context: process;
 * update_lock held.
 */
void nwg_relay_peer_added(struct nwg_peer *peer);

/*
 * A peer goes: relays to it wait for its key to come again. A grace period follows. Context: as
 * above.
 */
void nwg_relay_peer_removed(struct nwg_peer *peer);

/*
 * The interface goes, or leaves its network namespace: so do its relays. Context: process; RTNL and
 * update_lock held.
 */
void nwg_relay_device_removed(struct nwg_device *wg);

int nwg_relay_init(void);
void nwg_relay_exit(void);

#endif /* _NWG_RELAY_RELAY_H */
