/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a plain IP packet to a transport message on the wire.
 */
#ifndef _NWG_TRANSPORT_SEND_H
#define _NWG_TRANSPORT_SEND_H

#include <linux/skbuff.h>

struct nwg_burst_queue;
struct nwg_peer;
struct work_struct;

/* Headroom that a plain packet needs for the transport header and the outer headers. */
#define NWG_HEADROOM \
	(sizeof(struct nwg_message_transport) + sizeof(struct udphdr) + sizeof(struct ipv6hdr))

/**
 * nwg_peer_send - encrypt plain IP packets for a peer and send them, or stage them while a
 * handshake runs
 * @peer: the peer
 * @skb: IP packet, data at the network header, skb->protocol set; may be GSO, non-linear,
 *	cloned or of partial checksum. Consumed.
 * @mtu: what padding must not exceed: MTU of the inner route
 *
 * Context: RCU read section with BH off.
 */
void nwg_peer_send(struct nwg_peer *peer, struct sk_buff *skb, unsigned int mtu);

/*
 * Send what is staged, if there is a session to send it with; start a handshake if not. Context:
 * RCU, BH off.
 */
void nwg_peer_send_staged(struct nwg_peer *peer);

/*
 * Send an empty transport message, unless packets are staged: then those. Context: any but hard
 * interrupt.
 */
void nwg_peer_send_keepalive(struct nwg_peer *peer);

/* Encrypt a burst of a peer's for whoever brought it: see struct nwg_burst_queue. */
bool nwg_peer_help(struct nwg_burst_queue *bursts);

/* Work function of a peer's transmit_work. */
void nwg_peer_transmit_work(struct work_struct *work);

/* Work function of a peer's gather_work: send what has been gathered. */
void nwg_peer_gather_work(struct work_struct *work);

/* Drop what is staged and count it. Context: any but hard interrupt. */
void nwg_peer_purge_staged(struct nwg_peer *peer);

#endif /* _NWG_TRANSPORT_SEND_H */
