// SPDX-License-Identifier: GPL-2.0
/*
 * mac1, mac2 and cookie replies (white paper, sections 5.3, 5.4.4 and 5.4.7).
 */
#include "cookie.h"

#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/utils.h>
#include <linux/string.h>

#define LABEL_LEN 8

static const u8 label_mac1[LABEL_LEN] __nonstring = "mac1----";
static const u8 label_cookie[LABEL_LEN] __nonstring = "cookie--";

static void derive_key(u8 key[NWG_KEY_LEN], const u8 label[LABEL_LEN], const u8 public[NWG_KEY_LEN])
{
	struct blake2s_ctx ctx;

	blake2s_init(&ctx, NWG_KEY_LEN);
	blake2s_update(&ctx, label, LABEL_LEN);
	blake2s_update(&ctx, public, NWG_KEY_LEN);
	blake2s_final(&ctx, key);
}

void cookie_keys_derive(struct cookie_keys *keys, const u8 public[NWG_KEY_LEN])
{
	derive_key(keys->mac1, label_mac1, public);
	derive_key(keys->reply, label_cookie, public);
}

/* mac1 covers the message up to itself */
static void compute_mac1(u8 mac[NWG_MAC_LEN], const void *message, size_t len,
			 const struct cookie_keys *keys)
{
	blake2s(keys->mac1, NWG_KEY_LEN, message, len - sizeof(struct nwg_macs), mac, NWG_MAC_LEN);
}

/* mac2 covers the message up to itself, mac1 included; its key is the cookie */
void cookie_mac2_make(u8 mac2[NWG_MAC_LEN], const void *message, size_t len,
		      const u8 cookie[NWG_COOKIE_LEN])
{
	blake2s(cookie, NWG_COOKIE_LEN, message, len - sizeof_field(struct nwg_macs, mac2), mac2,
		NWG_MAC_LEN);
}

static const struct nwg_macs *macs_of(const void *message, size_t len)
{
	return message + len - sizeof(struct nwg_macs);
}

void cookie_macs_add(void *message, size_t len, const struct cookie_keys *keys, const u8 *cookie)
{
	struct nwg_macs *macs = message + len - sizeof(*macs);

	compute_mac1(macs->mac1, message, len, keys);
	if (cookie)
		cookie_mac2_make(macs->mac2, message, len, cookie);
	else
		memset(macs->mac2, 0, sizeof(macs->mac2));
}

bool cookie_mac1_valid(const void *message, size_t len, const struct cookie_keys *keys)
{
	u8 mac[NWG_MAC_LEN];

	compute_mac1(mac, message, len, keys);
	return !crypto_memneq(mac, macs_of(message, len)->mac1, sizeof(mac));
}

void cookie_mac1_begin(struct blake2s_ctx *begun, const struct cookie_keys *keys)
{
	const __le32 type = cpu_to_le32(NWG_MESSAGE_INITIATION);

	blake2s_init_key(begun, NWG_MAC_LEN, keys->mac1, NWG_KEY_LEN);
	blake2s_update(begun, (const u8 *)&type, sizeof(type));
}

bool cookie_initiation_valid(const struct nwg_message_initiation *message,
			     const struct blake2s_ctx *begun)
{
	const size_t done = sizeof(message->type);
	struct blake2s_ctx ctx = *begun;
	u8 mac[NWG_MAC_LEN];

	blake2s_update(&ctx, (const u8 *)message + done,
		       offsetof(struct nwg_message_initiation, macs) - done);
	blake2s_final(&ctx, mac);
	return !crypto_memneq(mac, message->macs.mac1, sizeof(mac));
}

bool cookie_mac2_valid(const void *message, size_t len, const u8 cookie[NWG_COOKIE_LEN])
{
	u8 mac[NWG_MAC_LEN];
	bool valid;

	cookie_mac2_make(mac, message, len, cookie);
	valid = !crypto_memneq(mac, macs_of(message, len)->mac2, sizeof(mac));
	/*
	 * Unlike mac1, which anyone can compute, the right mac2 is worth something to whoever sent
	 * a wrong one.
	 */
	memzero_explicit(mac, sizeof(mac));
	return valid;
}

void cookie_make(u8 cookie[NWG_COOKIE_LEN], const u8 secret[NWG_KEY_LEN], const void *addr,
		 size_t addr_len, __be16 port)
{
	struct blake2s_ctx ctx;

	blake2s_init_key(&ctx, NWG_COOKIE_LEN, secret, NWG_KEY_LEN);
	blake2s_update(&ctx, addr, addr_len);
	blake2s_update(&ctx, (const u8 *)&port, sizeof(port));
	blake2s_final(&ctx, cookie);
}

void cookie_reply_create(struct nwg_message_cookie_reply *reply, const u8 cookie[NWG_COOKIE_LEN],
			 const u8 mac1[NWG_MAC_LEN], __le32 receiver,
			 const u8 nonce[NWG_COOKIE_NONCE_LEN], const struct cookie_keys *keys)
{
	reply->type = cpu_to_le32(NWG_MESSAGE_COOKIE_REPLY);
	reply->receiver = receiver;
	memcpy(reply->nonce, nonce, sizeof(reply->nonce));
	xchacha20poly1305_encrypt(reply->encrypted_cookie, cookie, NWG_COOKIE_LEN, mac1,
				  NWG_MAC_LEN, reply->nonce, keys->reply);
}

bool cookie_reply_open(u8 cookie[NWG_COOKIE_LEN], const struct nwg_message_cookie_reply *reply,
		       const u8 mac1[NWG_MAC_LEN], const struct cookie_keys *keys)
{
	u8 opened[NWG_COOKIE_LEN];
	bool authentic;

	authentic = xchacha20poly1305_decrypt(opened, reply->encrypted_cookie,
					      sizeof(reply->encrypted_cookie), mac1, NWG_MAC_LEN,
					      reply->nonce, keys->reply);
	if (authentic)
		memcpy(cookie, opened, sizeof(opened));
	memzero_explicit(opened, sizeof(opened));
	return authentic;
}
