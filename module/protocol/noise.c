// SPDX-License-Identifier: GPL-2.0
/*
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as WireGuard uses it (white paper, section 5.4).
 *
 * C, H and k are the white paper's names for the chaining key, the hash and the key of one
 * encryption. Every encryption of a handshake has a key of its own, so that the nonce is always 0.
 */
#include "noise.h"

#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>
#include <crypto/utils.h>
#include <linux/kernel.h>
#include <linux/string.h>

static const u8 construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const u8 identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

/* C and H at the start of every handshake */
static u8 initial_chaining_key[NWG_HASH_LEN];
static u8 initial_hash[NWG_HASH_LEN];

/* HMAC (RFC 2104) over BLAKE2s; no key here is longer than a block. */
static void hmac(u8 out[NWG_HASH_LEN], const u8 key[NWG_HASH_LEN], const u8 *in, size_t len)
{
	u8 pad[BLAKE2S_BLOCK_SIZE], inner[NWG_HASH_LEN];
	struct blake2s_ctx ctx;
	size_t i;

	memset(pad, 0x36, sizeof(pad));
	for (i = 0; i < NWG_HASH_LEN; i++)
		pad[i] ^= key[i];
	blake2s_init(&ctx, NWG_HASH_LEN);
	blake2s_update(&ctx, pad, sizeof(pad));
	blake2s_update(&ctx, in, len);
	blake2s_final(&ctx, inner);

	for (i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	blake2s_init(&ctx, NWG_HASH_LEN);
	blake2s_update(&ctx, pad, sizeof(pad));
	blake2s_update(&ctx, inner, sizeof(inner));
	blake2s_final(&ctx, out);

	memzero_explicit(pad, sizeof(pad));
	memzero_explicit(inner, sizeof(inner));
}

/*
 * KDF1, KDF2 and KDF3 of the white paper: HKDF (RFC 5869) with @chaining_key as salt and no info.
 * One to three outputs, NULL for the rest; each may be @chaining_key itself.
 */
static void kdf(u8 *first, u8 *second, u8 *third, const u8 *in, size_t len,
		const u8 chaining_key[NWG_HASH_LEN])
{
	u8 *outputs[] = { first, second, third };
	u8 secret[NWG_HASH_LEN], block[NWG_HASH_LEN + 1];
	size_t i, previous = 0;

	hmac(secret, chaining_key, in, len);
	for (i = 0; i < ARRAY_SIZE(outputs) && outputs[i]; i++) {
		block[previous] = i + 1;
		hmac(block, secret, block, previous + 1);
		memcpy(outputs[i], block, NWG_HASH_LEN);
		previous = NWG_HASH_LEN;
	}
	memzero_explicit(secret, sizeof(secret));
	memzero_explicit(block, sizeof(block));
}

/* H := HASH(H || data) */
static void mix_hash(u8 hash[NWG_HASH_LEN], const void *data, size_t len)
{
	struct blake2s_ctx ctx;

	blake2s_init(&ctx, NWG_HASH_LEN);
	blake2s_update(&ctx, hash, NWG_HASH_LEN);
	blake2s_update(&ctx, data, len);
	blake2s_final(&ctx, hash);
}

/*
 * (C, k) := KDF2(C, DH(private, public)), or C := KDF1(...) if @key is NULL. False if the result of
 * the DH does not depend on the private key, because @public is a point of low order.
 */
static bool __must_check mix_dh(struct noise_handshake *handshake, u8 *key,
				const u8 private[NWG_KEY_LEN], const u8 public[NWG_KEY_LEN])
{
	u8 shared[NWG_KEY_LEN];
	bool contributory;

	contributory = curve25519(shared, private, public);
	if (contributory)
		kdf(handshake->chaining_key, key, NULL, shared, sizeof(shared),
		    handshake->chaining_key);
	memzero_explicit(shared, sizeof(shared));
	return contributory;
}

/* (C, k) := KDF2(C, DH(own static, remote static)) */
static bool __must_check mix_static_static(struct noise_handshake *handshake, u8 *key,
					   const struct noise_remote *remote)
{
	if (!remote->usable)
		return false;
	kdf(handshake->chaining_key, key, NULL, remote->static_static, NWG_KEY_LEN,
	    handshake->chaining_key);
	return true;
}

/* (C, t, k) := KDF3(C, Q); H := HASH(H || t) */
static void mix_preshared(struct noise_handshake *handshake, u8 key[NWG_KEY_LEN],
			  const struct noise_remote *remote)
{
	u8 t[NWG_HASH_LEN];

	kdf(handshake->chaining_key, t, key, remote->preshared, NWG_KEY_LEN,
	    handshake->chaining_key);
	mix_hash(handshake->hash, t, sizeof(t));
	memzero_explicit(t, sizeof(t));
}

/* An ephemeral public key is public: it goes into both C and H. */
static void mix_ephemeral(struct noise_handshake *handshake, const u8 ephemeral[NWG_KEY_LEN])
{
	kdf(handshake->chaining_key, NULL, NULL, ephemeral, NWG_KEY_LEN, handshake->chaining_key);
	mix_hash(handshake->hash, ephemeral, NWG_KEY_LEN);
}

/* out := AEAD(k, 0, plain, H); H := HASH(H || out). @out has room for the tag. */
static void encrypt_and_hash(struct noise_handshake *handshake, u8 *out, const u8 *plain,
			     size_t len, const u8 key[NWG_KEY_LEN])
{
	chacha20poly1305_encrypt(out, plain, len, handshake->hash, NWG_HASH_LEN, 0, key);
	mix_hash(handshake->hash, out, len + NWG_TAG_LEN);
}

/* The reverse; @len is that of @in, tag included. */
static bool __must_check decrypt_and_hash(struct noise_handshake *handshake, u8 *plain,
					  const u8 *in, size_t len, const u8 key[NWG_KEY_LEN])
{
	if (!chacha20poly1305_decrypt(plain, in, len, handshake->hash, NWG_HASH_LEN, 0, key))
		return false;
	mix_hash(handshake->hash, in, len);
	return true;
}

/* Both sides begin with the responder's static public key, which the initiator has to know. */
static void handshake_start(struct noise_handshake *handshake, const u8 responder[NWG_KEY_LEN])
{
	memset(handshake, 0, sizeof(*handshake));
	memcpy(handshake->chaining_key, initial_chaining_key, NWG_HASH_LEN);
	memcpy(handshake->hash, initial_hash, NWG_HASH_LEN);
	mix_hash(handshake->hash, responder, NWG_KEY_LEN);
}

void noise_init(void)
{
	blake2s(NULL, 0, construction, sizeof(construction) - 1, initial_chaining_key,
		NWG_HASH_LEN);
	memcpy(initial_hash, initial_chaining_key, NWG_HASH_LEN);
	mix_hash(initial_hash, identifier, sizeof(identifier) - 1);
}

bool noise_identity_set(struct noise_identity *identity, const u8 private[NWG_KEY_LEN])
{
	memcpy(identity->private, private, NWG_KEY_LEN);
	curve25519_clamp_secret(identity->private);
	if (curve25519_generate_public(identity->public, identity->private))
		return true;
	memzero_explicit(identity, sizeof(*identity));
	return false;
}

void noise_remote_precompute(struct noise_remote *remote, const struct noise_identity *identity)
{
	remote->usable = identity &&
			 curve25519(remote->static_static, identity->private, remote->public);
	if (!remote->usable)
		memzero_explicit(remote->static_static, sizeof(remote->static_static));
}

bool noise_initiation_create(struct nwg_message_initiation *message,
			     struct noise_handshake *handshake,
			     const struct noise_identity *identity,
			     const struct noise_remote *remote, const u8 ephemeral[NWG_KEY_LEN],
			     const u8 timestamp[NWG_TIMESTAMP_LEN], __le32 sender)
{
	u8 key[NWG_KEY_LEN];
	bool created = false;

	message->type = cpu_to_le32(NWG_MESSAGE_INITIATION);
	message->sender = sender;
	handshake_start(handshake, remote->public);

	memcpy(handshake->ephemeral_private, ephemeral, NWG_KEY_LEN);
	curve25519_clamp_secret(handshake->ephemeral_private);
	if (!curve25519_generate_public(message->ephemeral, handshake->ephemeral_private))
		goto out;
	mix_ephemeral(handshake, message->ephemeral);

	if (!mix_dh(handshake, key, handshake->ephemeral_private, remote->public))
		goto out;
	encrypt_and_hash(handshake, message->encrypted_static, identity->public, NWG_KEY_LEN, key);

	if (!mix_static_static(handshake, key, remote))
		goto out;
	encrypt_and_hash(handshake, message->encrypted_timestamp, timestamp, NWG_TIMESTAMP_LEN,
			 key);
	created = true;
out:
	if (!created)
		memzero_explicit(handshake, sizeof(*handshake));
	memzero_explicit(key, sizeof(key));
	return created;
}

bool noise_initiation_open_static(struct noise_handshake *handshake, u8 remote_public[NWG_KEY_LEN],
				  const struct nwg_message_initiation *message,
				  const struct noise_identity *identity)
{
	u8 key[NWG_KEY_LEN];
	bool opened;

	handshake_start(handshake, identity->public);
	memcpy(handshake->remote_ephemeral, message->ephemeral, NWG_KEY_LEN);
	mix_ephemeral(handshake, message->ephemeral);

	opened = mix_dh(handshake, key, identity->private, message->ephemeral) &&
		 decrypt_and_hash(handshake, remote_public, message->encrypted_static,
				  sizeof(message->encrypted_static), key);
	if (!opened) {
		memzero_explicit(handshake, sizeof(*handshake));
		memzero_explicit(remote_public, NWG_KEY_LEN);
	}
	memzero_explicit(key, sizeof(key));
	return opened;
}

bool noise_initiation_open_timestamp(struct noise_handshake *handshake,
				     u8 timestamp[NWG_TIMESTAMP_LEN],
				     const struct nwg_message_initiation *message,
				     const struct noise_remote *remote)
{
	u8 key[NWG_KEY_LEN];
	bool opened;

	opened = mix_static_static(handshake, key, remote) &&
		 decrypt_and_hash(handshake, timestamp, message->encrypted_timestamp,
				  sizeof(message->encrypted_timestamp), key);
	if (!opened)
		memzero_explicit(handshake, sizeof(*handshake));
	memzero_explicit(key, sizeof(key));
	return opened;
}

bool noise_response_create(struct nwg_message_response *message, struct noise_handshake *handshake,
			   const struct noise_remote *remote, const u8 ephemeral[NWG_KEY_LEN],
			   __le32 sender, __le32 receiver)
{
	u8 ephemeral_private[NWG_KEY_LEN], key[NWG_KEY_LEN];
	bool created = false;

	message->type = cpu_to_le32(NWG_MESSAGE_RESPONSE);
	message->sender = sender;
	message->receiver = receiver;

	memcpy(ephemeral_private, ephemeral, NWG_KEY_LEN);
	curve25519_clamp_secret(ephemeral_private);
	if (!curve25519_generate_public(message->ephemeral, ephemeral_private))
		goto out;
	mix_ephemeral(handshake, message->ephemeral);

	if (!mix_dh(handshake, NULL, ephemeral_private, handshake->remote_ephemeral) ||
	    !mix_dh(handshake, NULL, ephemeral_private, remote->public))
		goto out;

	mix_preshared(handshake, key, remote);
	encrypt_and_hash(handshake, message->encrypted_nothing, NULL, 0, key);
	created = true;
out:
	if (!created)
		memzero_explicit(handshake, sizeof(*handshake));
	memzero_explicit(ephemeral_private, sizeof(ephemeral_private));
	memzero_explicit(key, sizeof(key));
	return created;
}

bool noise_response_consume(struct noise_handshake *handshake,
			    const struct nwg_message_response *message,
			    const struct noise_identity *identity,
			    const struct noise_remote *remote)
{
	static const u8 wiped[NWG_KEY_LEN];
	struct noise_handshake next;
	u8 key[NWG_KEY_LEN];
	bool opened = false;

	/*
	 * All of a wiped handshake is known to everybody, so that anybody could forge a response to
	 * it. A real private key is clamped and so never zero.
	 */
	if (!crypto_memneq(handshake->ephemeral_private, wiped, sizeof(wiped)))
		return false;

	next = *handshake;
	mix_ephemeral(&next, message->ephemeral);

	if (!mix_dh(&next, NULL, next.ephemeral_private, message->ephemeral) ||
	    !mix_dh(&next, NULL, identity->private, message->ephemeral))
		goto out;

	mix_preshared(&next, key, remote);
	if (!decrypt_and_hash(&next, NULL, message->encrypted_nothing,
			      sizeof(message->encrypted_nothing), key))
		goto out;

	memzero_explicit(next.ephemeral_private, sizeof(next.ephemeral_private));
	*handshake = next;
	opened = true;
out:
	memzero_explicit(&next, sizeof(next));
	memzero_explicit(key, sizeof(key));
	return opened;
}

void noise_session_derive(u8 from_initiator[NWG_KEY_LEN], u8 from_responder[NWG_KEY_LEN],
			  struct noise_handshake *handshake)
{
	kdf(from_initiator, from_responder, NULL, NULL, 0, handshake->chaining_key);
	memzero_explicit(handshake, sizeof(*handshake));
}
