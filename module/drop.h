/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a packet is dropped. Every packet that an interface does not pass on, and that the stack below
 * has not taken, ends in nwg_device_drop(): it is counted, and who traces is told the reason.
 */
#ifndef _NWG_DROP_H
#define _NWG_DROP_H

#include <linux/types.h>

struct nwg_device;
struct sk_buff;

/* Each reason, and the counter of the interface (struct rtnl_link_stats64) that it goes into. */
#define NWG_DEVICE_DROP_REASONS(REASON)                                                         \
	/* Going out: not an IP packet. */                                                      \
	REASON(NOT_IP, tx_errors)                                                               \
	/* No peer has its destination in the allowed IPs. */                                   \
	REASON(NO_PEER, tx_errors)                                                              \
	/* Its peer has no endpoint. */                                                         \
	REASON(NO_ENDPOINT, tx_errors)                                                          \
	/* It is a message that has left already, and the route to the endpoint leads back. */  \
	REASON(ROUTING_LOOP, tx_errors)                                                         \
	/* Too many tunnels inside each other. */                                               \
	REASON(NESTING, tx_dropped)                                                             \
	/* It could not be segmented, or its checksum not be made. */                           \
	REASON(SEGMENTATION, tx_dropped)                                                        \
	/* Newer packets have taken its place in the queue for a handshake. */                  \
	REASON(STAGED_FULL, tx_dropped)                                                         \
	/* The handshake that it waited for was given up, or its peer or the interface went. */ \
	REASON(NO_HANDSHAKE, tx_dropped)                                                        \
	/* More packets of its peer wait to be encrypted than may. */                           \
	REASON(SEND_FULL, tx_dropped)                                                           \
	/* The keys went before it was encrypted. */                                            \
	REASON(KEYS_GONE, tx_dropped)                                                           \
	/* No memory to encrypt it in. */                                                       \
	REASON(SEND_MEMORY, tx_dropped)                                                         \
	/* No route to the endpoint, or no socket: the log has the error. */                    \
	REASON(NO_ROUTE, tx_errors)                                                             \
	/* Coming in: no message of the protocol, by length or type. */                         \
	REASON(NO_MESSAGE, rx_errors)                                                           \
	/* No session has its index. */                                                         \
	REASON(NO_SESSION, rx_errors)                                                           \
	/* Its session is too old, or its keys or its peer went while it waited. */             \
	REASON(SESSION_EXPIRED, rx_errors)                                                      \
	/* Whoever made it does not have the keys. */                                           \
	REASON(NOT_AUTHENTIC, rx_errors)                                                        \
	/* Its counter was there before, or is behind the window. */                            \
	REASON(REPLAYED, rx_errors)                                                             \
	/* What was inside is not a whole IP packet. */                                         \
	REASON(INNER_MALFORMED, rx_errors)                                                      \
	/* It met congestion outside, and inside is not ECN-capable (RFC 6040, section 4.2). */ \
	REASON(INNER_NOT_ECN, rx_errors)                                                        \
	/* Its inner source is not in the allowed IPs of the peer that sent it. */              \
	REASON(INNER_SOURCE, rx_errors)                                                         \
	/* More transport messages wait to be decrypted than may. */                            \
	REASON(RECEIVE_FULL, rx_dropped)                                                        \
	/* No memory to decrypt it in. */                                                       \
	REASON(RECEIVE_MEMORY, rx_dropped)                                                      \
	/* The interface went down, or the machine to sleep, while it waited. */                \
	REASON(DOWN, rx_dropped)                                                                \
	/* More handshake messages wait than may. */                                            \
	REASON(HANDSHAKES_FULL, rx_dropped)                                                     \
	/* The interface has no private key. */                                                 \
	REASON(NO_PRIVATE_KEY, rx_dropped)                                                      \
	/* Whoever made it does not know this interface's public key. */                        \
	REASON(WRONG_MAC1, rx_dropped)                                                          \
	/* Under load, and it has no cookie: it is answered with one. */                        \
	REASON(UNDER_LOAD, rx_dropped)                                                          \
	/* Under load, and its source has sent too many, or there are too many sources. */      \
	REASON(SOURCE_LIMIT, rx_dropped)                                                        \
	/* The public key in it is no peer's, or no longer. */                                  \
	REASON(UNKNOWN_PEER, rx_errors)                                                         \
	/* Its time stamp is not later than the last. */                                        \
	REASON(OLD_TIMESTAMP, rx_errors)                                                        \
	/* The peer has sent too many. */                                                       \
	REASON(PEER_LIMIT, rx_dropped)                                                          \
	/* Not answered: another handshake was begun with the peer, or a key was set. */        \
	REASON(OVERTAKEN, rx_dropped)                                                           \
	/* A response or cookie reply, which does not answer the last message. */               \
	REASON(UNREQUESTED, rx_errors)

/**
 * enum nwg_device_drop_reason - why a packet is dropped
 * @NWG_NOT_DROPPED: it is not
 *
 * For the others see NWG_DEVICE_DROP_REASONS.
 */
enum nwg_device_drop_reason {
	NWG_NOT_DROPPED,
#define NWG_DEVICE_DROP_ENUM(name, counter) NWG_DEVICE_DROP_##name,
	NWG_DEVICE_DROP_REASONS(NWG_DEVICE_DROP_ENUM)
#undef NWG_DEVICE_DROP_ENUM
};

/**
 * nwg_device_drop - count a packet as dropped, tell who traces, and free it
 * @wg: the interface
 * @skb: the packet; consumed
 * @reason: why
 *
 * Context: any but hard interrupts.
 */
void nwg_device_drop(struct nwg_device *wg, struct sk_buff *skb,
		     enum nwg_device_drop_reason reason);

/**
 * nwg_device_drop_list - nwg_device_drop() for each packet of a list
 * @wg: the interface
 * @list: first packet, or NULL; linked by @next; all consumed
 * @reason: why
 *
 * Context: any but hard interrupts.
 */
void nwg_device_drop_list(struct nwg_device *wg, struct sk_buff *list,
			  enum nwg_device_drop_reason reason);

#endif /* _NWG_DROP_H */
