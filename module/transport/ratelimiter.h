/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Token buckets by source address: 20 per second, burst 5, for each IPv4 /32 or IPv6 /64, and for each
 * owner: all interfaces of a network namespace, or a relay.
 */
#ifndef _NWG_TRANSPORT_RATELIMITER_H
#define _NWG_TRANSPORT_RATELIMITER_H

#include <linux/skbuff.h>

/**
 * enum nwg_ratelimit_use - what a bucket is for, so that one use does not use up another's tokens
 */
enum nwg_ratelimit_use {
	NWG_RATELIMIT_HANDSHAKE,
	NWG_RATELIMIT_RELAY,
	NWG_RATELIMIT_RELAY_SHOWN, /* it is known to be that source */
};

/**
 * nwg_ratelimiter_allow - take a token from the bucket of a packet's source
 * @use: what for
 * @owner: whose; never looked into, and may be gone while its buckets are there
 * @skb: packet with its network header set, protocol ETH_P_IP or ETH_P_IPV6
 *
 * Context: any but hard interrupt.
 * Return: false if there is no token, or no room for another source.
 */
bool nwg_ratelimiter_allow(enum nwg_ratelimit_use use, const void *owner, struct sk_buff *skb);

int nwg_ratelimiter_init(void);
void nwg_ratelimiter_exit(void);

#endif /* _NWG_TRANSPORT_RATELIMITER_H */
