/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layout of the four WireGuard messages and the shape that each must have (white paper, section
 * 5.4).
 */
#ifndef _NWG_PROTOCOL_WIRE_H
#define _NWG_PROTOCOL_WIRE_H

#include <linux/stddef.h>
#include <linux/types.h>

#define NWG_KEY_LEN 32 /* Curve25519 key, symmetric key, BLAKE2s hash */
#define NWG_HASH_LEN 32
#define NWG_TAG_LEN 16 /* Poly1305 */
#define NWG_MAC_LEN 16 /* keyed BLAKE2s, mac1 and mac2 */
#define NWG_COOKIE_LEN 16
#define NWG_COOKIE_NONCE_LEN 24 /* XChaCha20 */
#define NWG_TIMESTAMP_LEN 12 /* TAI64N */
#define NWG_PADDING 16 /* transport payload is padded to a multiple of this */

/*
 * Message types; the type is a little-endian word, so that the three reserved bytes behind it are
 * zero.
 */
enum nwg_message_type {
	NWG_MESSAGE_INVALID = 0,
	NWG_MESSAGE_INITIATION = 1,
	NWG_MESSAGE_RESPONSE = 2,
	NWG_MESSAGE_COOKIE_REPLY = 3,
	NWG_MESSAGE_TRANSPORT = 4,
};

/*
 * Last fields of an initiation and of a response: mac1 covers all before it, mac2 all before it and
 * mac1.
 */
struct nwg_macs {
	u8 mac1[NWG_MAC_LEN];
	u8 mac2[NWG_MAC_LEN];
} __packed;

struct nwg_message_initiation {
	__le32 type;
	__le32 sender;
	u8 ephemeral[NWG_KEY_LEN];
	u8 encrypted_static[NWG_KEY_LEN + NWG_TAG_LEN];
	u8 encrypted_timestamp[NWG_TIMESTAMP_LEN + NWG_TAG_LEN];
	struct nwg_macs macs;
} __packed;

struct nwg_message_response {
	__le32 type;
	__le32 sender;
	__le32 receiver;
	u8 ephemeral[NWG_KEY_LEN];
	u8 encrypted_nothing[NWG_TAG_LEN];
	struct nwg_macs macs;
} __packed;

struct nwg_message_cookie_reply {
	__le32 type;
	__le32 receiver;
	u8 nonce[NWG_COOKIE_NONCE_LEN];
	u8 encrypted_cookie[NWG_COOKIE_LEN + NWG_TAG_LEN];
} __packed;

/* Header of a transport data message; the encrypted packet and its tag follow. */
struct nwg_message_transport {
	__le32 type;
	__le32 receiver;
	__le64 counter;
} __packed;

#define NWG_INITIATION_LEN sizeof(struct nwg_message_initiation)
#define NWG_RESPONSE_LEN sizeof(struct nwg_message_response)
#define NWG_COOKIE_REPLY_LEN sizeof(struct nwg_message_cookie_reply)
#define NWG_TRANSPORT_HEADER_LEN sizeof(struct nwg_message_transport)
#define NWG_TRANSPORT_MIN_LEN (NWG_TRANSPORT_HEADER_LEN + NWG_TAG_LEN)

/**
 * nwg_message_classify - tell what message a datagram is by its shape
 * @data: start of the UDP payload; at least min(@len, 4) bytes must be readable there, with no
 *	alignment
 * @len: length of the UDP payload in bytes
 *
 * Return: the type if the first word is a known type (reserved bytes zero) and the length is
 * exactly (or, for transport data, at least) that of the type; %NWG_MESSAGE_INVALID otherwise.
 */
enum nwg_message_type nwg_message_classify(const void *data, size_t len);

#endif /* _NWG_PROTOCOL_WIRE_H */
