/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The UDP sockets of an interface, the endpoint of a peer, and the last step of each packet that
 * leaves.
 */
#ifndef _NWG_TRANSPORT_SOCKET_H
#define _NWG_TRANSPORT_SOCKET_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/seqlock.h>
#include <linux/skbuff.h>

struct nwg_device;
struct nwg_peer;

/**
 * struct nwg_endpoint - where a peer is, and what it reaches us by
 * @addr: address and port; family 0 if there is none
 * @addr4: the same as IPv4
 * @addr6: the same as IPv6
 * @src4: own address that the peer last sent to, 0 for none
 * @src_if4: interface that it came in by, 0 for any
 * @src6: as @src4, for IPv6
 */
struct nwg_endpoint {
	union {
		struct sockaddr addr;
		struct sockaddr_in addr4;
		struct sockaddr_in6 addr6;
	};
	union {
		struct {
			struct in_addr src4;
			int src_if4;
		};
		struct in6_addr src6;
	};
};

/**
 * struct nwg_endpoint_slot - an endpoint that packets read while others change it
 * @lock: writers hold it with BH off; readers retry
 * @value: the endpoint
 */
struct nwg_endpoint_slot {
	seqlock_t lock;
	struct nwg_endpoint value;
};

void nwg_endpoint_init(struct nwg_endpoint_slot *slot);

/**
 * nwg_endpoint_read - copy a peer's endpoint
 * @endpoint: written; addr.sa_family is 0 if there is none
 * @peer: the peer
 *
 * Context: any but hard interrupt.
 */
void nwg_endpoint_read(struct nwg_endpoint *endpoint, struct nwg_peer *peer);

/**
 * nwg_endpoint_from_skb - take the endpoint from a received packet
 * @endpoint: written
 * @skb: UDP packet with its network and transport headers set
 *
 * Return: 0, or -EINVAL if it is neither IPv4 nor IPv6.
 */
int nwg_endpoint_from_skb(struct nwg_endpoint *endpoint, const struct sk_buff *skb);

/**
 * nwg_endpoint_learn - an authenticated message has come from a peer: that is where it is
 * @peer: the peer
 * @skb: the message, as for nwg_endpoint_from_skb()
 *
 * Context: any but hard interrupt.
 */
void nwg_endpoint_learn(struct nwg_peer *peer, const struct sk_buff *skb);

/**
 * nwg_endpoint_set - set a peer's endpoint
 * @peer: the peer
 * @endpoint: the new one
 *
 * Context: any but hard interrupt.
 */
void nwg_endpoint_set(struct nwg_peer *peer, const struct nwg_endpoint *endpoint);

/* Forget by which own address and interface the peer was reached, and the cached route. */
void nwg_endpoint_forget_source(struct nwg_peer *peer);

/**
 * nwg_socket_open - open the sockets, or move them to another port
 * @wg: the interface
 * @port: in host order; 0 lets the kernel choose one, the same for IPv4 and IPv6
 *
 * The old sockets, if any, close when no packet uses them any more. Sets @wg->port.
 *
 * Context: process; update_lock held.
 * Return: 0 or a negative error; then nothing has changed.
 */
int nwg_socket_open(struct nwg_device *wg, u16 port);

/* Close the sockets and drop the cached routes. Context: process; update_lock held. */
void nwg_socket_close(struct nwg_device *wg);

/**
 * nwg_socket_send - send messages to a peer's endpoint
 * @peer: the peer
 * @list: packets linked by ->next: the UDP payload, with headroom for all headers, and in struct
 *	nwg_packet the DS field of the outer header; all consumed
 *
 * Those that follow each other and are of the same length, class and inner flow go down the stack as
 * one packet (fraglist.h), unless the interface's generic segmentation offload is off.
 *
 * Context: RCU read section with BH off.
 * Return: 0; -EDESTADDRREQ without endpoint; -ENETDOWN without socket; errors of routing.
 */
int nwg_socket_send(struct nwg_peer *peer, struct sk_buff *list);

/*
 * As nwg_socket_send(), from a buffer, with a DS field; counts the bytes. Context: process or BH.
 */
int nwg_socket_send_buffer(struct nwg_peer *peer, const void *buffer, size_t len, u8 ds);

/* Answer a received packet, whoever sent it. Context: process or BH. */
int nwg_socket_reply(struct nwg_device *wg, struct sk_buff *in, const void *buffer, size_t len);

#endif /* _NWG_TRANSPORT_SOCKET_H */
