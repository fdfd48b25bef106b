/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mac1, mac2 and cookie replies (white paper, sections 5.3, 5.4.4 and 5.4.7). Pure functions over
 * bytes; any context.
 */
#ifndef _NWG_PROTOCOL_COOKIE_H
#define _NWG_PROTOCOL_COOKIE_H

#include <crypto/blake2s.h>

#include "wire.h"

/*
 * Seconds that a secret which makes cookies lives (white paper, section 5.4.7), and that whoever holds
 * a cookie uses it, which is a little less.
 */
#define NWG_COOKIE_SECRET_LIFE 120
#define NWG_COOKIE_USE 115

/**
 * struct cookie_keys - the two keys that follow from the public key of the side that receives a
 * handshake message
 * @mac1: BLAKE2s("mac1----" || public key); keys mac1
 * @reply: BLAKE2s("cookie--" || public key); encrypts cookie replies
 */
struct cookie_keys {
	u8 mac1[NWG_KEY_LEN];
	u8 reply[NWG_KEY_LEN];
};

/**
 * cookie_keys_derive - derive both keys
 * @keys: written
 * @public: the receiving side's static public key
 */
void cookie_keys_derive(struct cookie_keys *keys, const u8 public[NWG_KEY_LEN]);

/**
 * cookie_macs_add - fill the macs of an outgoing initiation or response
 * @message: the whole message
 * @len: its length; the macs are its last bytes
 * @keys: of the side that will receive it
 * @cookie: a cookie that side gave, or NULL: then mac2 is zero
 */
void cookie_macs_add(void *message, size_t len, const struct cookie_keys *keys, const u8 *cookie);

/**
 * cookie_mac1_valid - check mac1 of an initiation or response, in constant time
 * @message: the whole message
 * @len: its length
 * @keys: of the side that it is for
 */
bool cookie_mac1_valid(const void *message, size_t len, const struct cookie_keys *keys);

/**
 * cookie_mac1_begin - compute of mac1 what all initiations to one side have in common
 * @begun: written: the hash of the key, whose block is a third of the work, and of the type
 * @keys: of the side that they are for
 */
void cookie_mac1_begin(struct blake2s_ctx *begun, const struct cookie_keys *keys);

/**
 * cookie_initiation_valid - check mac1 of an initiation, in constant time
 * @message: of valid shape
 * @begun: from cookie_mac1_begin() for the side that it is for
 */
bool cookie_initiation_valid(const struct nwg_message_initiation *message,
			     const struct blake2s_ctx *begun);

/**
 * cookie_mac2_make - the mac2 of an initiation or response
 * @mac2: written; not where it is in the message
 * @message: the whole message, with mac1
 * @len: its length
 * @cookie: as the receiving side gave it
 */
void cookie_mac2_make(u8 mac2[NWG_MAC_LEN], const void *message, size_t len,
		      const u8 cookie[NWG_COOKIE_LEN]);

/**
 * cookie_mac2_valid - check mac2 of an initiation or response, in constant time
 * @message: the whole message
 * @len: its length
 * @cookie: from cookie_make() for the message's source
 */
bool cookie_mac2_valid(const void *message, size_t len, const u8 cookie[NWG_COOKIE_LEN]);

/**
 * cookie_make - the cookie of a source: MAC(secret, address || port)
 * @cookie: written
 * @secret: random, changed every 120 s
 * @addr: source address in network byte order
 * @addr_len: 4 or 16
 * @port: source UDP port
 */
void cookie_make(u8 cookie[NWG_COOKIE_LEN], const u8 secret[NWG_KEY_LEN], const void *addr,
		 size_t addr_len, __be16 port);

/**
 * cookie_reply_create - write a cookie reply
 * @reply: written whole
 * @cookie: of the source of the message that is answered
 * @mac1: mac1 of that message
 * @receiver: sender index of that message
 * @nonce: 24 bytes, no two replies' the same
 * @keys: of the side that replies
 */
void cookie_reply_create(struct nwg_message_cookie_reply *reply, const u8 cookie[NWG_COOKIE_LEN],
			 const u8 mac1[NWG_MAC_LEN], __le32 receiver,
			 const u8 nonce[NWG_COOKIE_NONCE_LEN], const struct cookie_keys *keys);

/**
 * cookie_reply_open - decrypt a cookie reply
 * @cookie: written on success only
 * @reply: of valid shape
 * @mac1: mac1 of the last message sent to the side that replies
 * @keys: of the side that replies
 *
 * Return: true if it is authentic.
 */
bool cookie_reply_open(u8 cookie[NWG_COOKIE_LEN], const struct nwg_message_cookie_reply *reply,
		       const u8 mac1[NWG_MAC_LEN], const struct cookie_keys *keys);

#endif /* _NWG_PROTOCOL_COOKIE_H */
