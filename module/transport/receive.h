/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a UDP datagram on the interface's socket to a plain IP packet in the stack.
 */
#ifndef _NWG_TRANSPORT_RECEIVE_H
#define _NWG_TRANSPORT_RECEIVE_H

#include <linux/skbuff.h>

struct nwg_device;

/**
 * nwg_receive - take a datagram from the socket
 * @wg: the interface
 * @skb: data at the UDP header; consumed
 *
 * Handshake messages are queued for the handshake work; transport messages are decrypted on the spot.
 *
 * Context: softirq, RCU read section.
 */
void nwg_receive(struct nwg_device *wg, struct sk_buff *skb);

#endif /* _NWG_TRANSPORT_RECEIVE_H */
