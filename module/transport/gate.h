/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a handshake message must show before any public-key operation is spent on it: mac1 always,
 * mac2 and a rate limit under load (white paper, section 5.3). And the other side of it: the cookie
 * that a peer demands of us.
 */
#ifndef _NWG_TRANSPORT_GATE_H
#define _NWG_TRANSPORT_GATE_H

#include <linux/rwsem.h>
#include <linux/skbuff.h>

#include "protocol/cookie.h"

struct nwg_device;
struct nwg_peer;

/**
 * struct nwg_gate - mac keys and cookie secret of an interface
 * @lock: protects all of it
 * @keys: of the interface's own public key
 * @secret: makes cookies
 * @secret_birth: CLOCK_BOOTTIME in ns when @secret was drawn; 0 if it was not
 */
struct nwg_gate {
	struct rw_semaphore lock;
	struct cookie_keys keys;
	u8 secret[NWG_KEY_LEN];
	u64 secret_birth;
};

/**
 * struct nwg_peer_cookie - what a peer demands of our handshake messages
 * @lock: protects all of it but @keys, which are constant
 * @keys: of the peer's public key
 * @cookie: the last cookie it gave
 * @cookie_birth: CLOCK_BOOTTIME in ns when it was received; 0 if there is none
 * @sent_mac1: mac1 of the last message sent; a cookie reply is bound to it
 * @sent: @sent_mac1 is valid and not answered
 */
struct nwg_peer_cookie {
	struct rw_semaphore lock;
	struct cookie_keys keys;
	u8 cookie[NWG_COOKIE_LEN];
	u64 cookie_birth;
	u8 sent_mac1[NWG_MAC_LEN];
	bool sent;
};

enum nwg_gate_verdict {
	NWG_GATE_INVALID, /* mac1 is wrong: drop */
	NWG_GATE_MAC1, /* mac1 is right, mac2 is not */
	NWG_GATE_MAC2, /* both are right, but the source has used up its rate */
	NWG_GATE_MAC2_ALLOWED, /* both are right, and the source is within its rate */
};

void nwg_gate_init(struct nwg_gate *gate);
void nwg_gate_set_key(struct nwg_gate *gate, const u8 public[NWG_KEY_LEN]);
void nwg_peer_cookie_init(struct nwg_peer_cookie *cookie, const u8 public[NWG_KEY_LEN]);
void nwg_peer_cookie_wipe(struct nwg_peer_cookie *cookie);

/**
 * nwg_gate_check - check the macs of an initiation or response
 * @wg: the interface
 * @skb: data at the message, which is linear; network and transport headers set
 * @under_load: check mac2 and the rate, too
 *
 * Context: process.
 */
enum nwg_gate_verdict nwg_gate_check(struct nwg_device *wg, struct sk_buff *skb, bool under_load);

/* Write the cookie reply that answers @skb, whose sender index is @sender. Context: process. */
void nwg_gate_cookie_reply(struct nwg_device *wg, struct nwg_message_cookie_reply *reply,
			   struct sk_buff *skb, __le32 sender);

/* Add the macs to a handshake message to @peer, and remember mac1. Context: process. */
void nwg_peer_cookie_sign(struct nwg_peer *peer, void *message, size_t len);

/* Take the cookie from a cookie reply to our last message, if it is authentic. Context: process. */
bool nwg_peer_cookie_consume(struct nwg_peer *peer, const struct nwg_message_cookie_reply *reply);

#endif /* _NWG_TRANSPORT_GATE_H */
