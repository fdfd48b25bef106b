/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as WireGuard uses it (white paper, sections 5.4.2 to
 * 5.4.5).
 *
 *	Initiator                                          Responder
 *	noise_initiation_create()   -- initiation (148) ->
 *	                                      noise_initiation_open_static(): who is it?
 *	                                      noise_initiation_open_timestamp(): is it really?
 *	noise_response_consume()    <- response (92) -----  noise_response_create()
 *	noise_session_derive()                              noise_session_derive()
 *
 * Pure functions over bytes. Randomness, time, indices, locking and the freshness of time stamps
 * are the caller's. The macs at the end of a message are not touched here: see cookie.h. All of it
 * may be called in any context; a Curve25519 operation takes tens of microseconds, so process
 * context is the place.
 */
#ifndef _NWG_PROTOCOL_NOISE_H
#define _NWG_PROTOCOL_NOISE_H

#include "wire.h"

/**
 * struct noise_identity - the interface's own static key pair
 * @private: clamped Curve25519 private key
 * @public: its public key
 */
struct noise_identity {
	u8 private[NWG_KEY_LEN];
	u8 public[NWG_KEY_LEN];
};

/**
 * struct noise_remote - what is known of the other side before a handshake
 * @public: its static public key
 * @preshared: the preshared key, all zeroes for none
 * @static_static: DH(own private, @public), from noise_remote_precompute()
 * @usable: @static_static is a contributory result; false for a low-order @public or no own
 *	private key
 */
struct noise_remote {
	u8 public[NWG_KEY_LEN];
	u8 preshared[NWG_KEY_LEN];
	u8 static_static[NWG_KEY_LEN];
	bool usable;
};

/**
 * struct noise_handshake - the state between the messages of one handshake
 * @ephemeral_private: own ephemeral private key (initiator only, wiped when used)
 * @remote_ephemeral: the initiator's ephemeral public key (responder only)
 * @hash: h of the Noise symmetric state
 * @chaining_key: ck of the Noise symmetric state
 */
struct noise_handshake {
	u8 ephemeral_private[NWG_KEY_LEN];
	u8 remote_ephemeral[NWG_KEY_LEN];
	u8 hash[NWG_HASH_LEN];
	u8 chaining_key[NWG_HASH_LEN];
};

/**
 * noise_init - compute the constants that every handshake starts from
 *
 * H(construction) and H(that || identifier). Must run once before anything else here. Also may be
 * called again.
 */
void noise_init(void);

/**
 * noise_identity_set - clamp a private key and derive its public key
 * @identity: written
 * @private: 32 bytes, clamped on the way in
 *
 * Return: false (and @identity all zeroes) if @private gives no public key.
 */
bool noise_identity_set(struct noise_identity *identity, const u8 private[NWG_KEY_LEN]);

/**
 * noise_remote_precompute - compute the static-static shared secret
 * @remote: @public is read, @static_static and @usable are written
 * @identity: own key pair, or NULL if there is none: then @remote becomes unusable
 */
void noise_remote_precompute(struct noise_remote *remote, const struct noise_identity *identity);

/**
 * noise_initiation_create - write an initiation, except its macs (section 5.4.2)
 * @message: written whole except macs
 * @handshake: written; needed for noise_response_consume()
 * @identity: own key pair
 * @remote: the responder
 * @ephemeral: 32 random bytes, to be wiped by the caller
 * @timestamp: TAI64N, higher than any sent to this responder before
 * @sender: own index for the session
 *
 * Return: false if @remote is unusable or a DH is not contributory; then @handshake is wiped.
 */
bool noise_initiation_create(struct nwg_message_initiation *message,
			     struct noise_handshake *handshake,
			     const struct noise_identity *identity,
			     const struct noise_remote *remote, const u8 ephemeral[NWG_KEY_LEN],
			     const u8 timestamp[NWG_TIMESTAMP_LEN], __le32 sender);

/**
 * noise_initiation_open_static - first half of consuming an initiation: find out who claims to have
 * sent it
 * @handshake: written
 * @remote_public: written; authenticated only by the second half
 * @message: an initiation of valid shape
 * @identity: own key pair
 *
 * Return: false if it does not open; then @handshake and @remote_public are wiped.
 */
bool noise_initiation_open_static(struct noise_handshake *handshake, u8 remote_public[NWG_KEY_LEN],
				  const struct nwg_message_initiation *message,
				  const struct noise_identity *identity);

/**
 * noise_initiation_open_timestamp - second half: prove the sender and get its time stamp
 * @handshake: as left by the first half; on success ready for noise_response_create()
 * @timestamp: written; the caller must refuse one that is not higher than the last
 * @message: the same initiation
 * @remote: the peer that the first half named
 *
 * Return: false if it does not open or @remote is unusable; then @handshake is wiped.
 */
bool noise_initiation_open_timestamp(struct noise_handshake *handshake,
				     u8 timestamp[NWG_TIMESTAMP_LEN],
				     const struct nwg_message_initiation *message,
				     const struct noise_remote *remote);

/**
 * noise_response_create - write a response, except its macs (section 5.4.3)
 * @message: written whole except macs
 * @handshake: a consumed initiation; on success ready for noise_session_derive()
 * @remote: the initiator
 * @ephemeral: 32 random bytes, to be wiped by the caller
 * @sender: own index for the session
 * @receiver: the initiator's index, from its initiation
 *
 * Return: false if a DH is not contributory; then @handshake is wiped.
 */
bool noise_response_create(struct nwg_message_response *message, struct noise_handshake *handshake,
			   const struct noise_remote *remote, const u8 ephemeral[NWG_KEY_LEN],
			   __le32 sender, __le32 receiver);

/**
 * noise_response_consume - open a response
 * @handshake: from noise_initiation_create(); changed only on success, then ready for
 *	noise_session_derive()
 * @message: a response of valid shape
 * @identity: own key pair
 * @remote: the responder
 *
 * Return: false if it does not open, or if @handshake has no ephemeral private key any more (all of
 * a wiped handshake is known, so anybody could answer it); then @handshake is as before, so that a
 * forged response ends nothing.
 */
bool noise_response_consume(struct noise_handshake *handshake,
			    const struct nwg_message_response *message,
			    const struct noise_identity *identity,
			    const struct noise_remote *remote);

/**
 * noise_session_derive - derive the two transport keys and wipe the handshake (section 5.4.5)
 * @from_initiator: written; the initiator sends and the responder receives with it
 * @from_responder: written; the other direction
 * @handshake: a finished handshake; wiped
 */
void noise_session_derive(u8 from_initiator[NWG_KEY_LEN], u8 from_responder[NWG_KEY_LEN],
			  struct noise_handshake *handshake);

#endif /* _NWG_PROTOCOL_NOISE_H */
