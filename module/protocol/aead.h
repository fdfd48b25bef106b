/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ChaCha20-Poly1305 (RFC 8439, section 2.8) of transport data: in place, with a counter for a nonce
 * and nothing else to authenticate (white paper, section 5.4.6).
 *
 * The result is that of chacha20poly1305_encrypt() and _decrypt() of the kernel, made of the same
 * two functions in fewer runs of each. The block of ChaCha20 that makes the key of Poly1305 comes
 * out of the vector code together with blocks of the data, where alone it would be left to the
 * scalar code; and the lengths at the end of what Poly1305 covers are written where the tag goes,
 * so that they follow the data.
 */
#ifndef _NWG_PROTOCOL_AEAD_H
#define _NWG_PROTOCOL_AEAD_H

#include <linux/types.h>

#include "wire.h"

/* Bytes before the plain text that are lost when it is encrypted: a block of ChaCha20. */
#define NWG_AEAD_HEADROOM 64

/**
 * aead_encrypt - encrypt and authenticate in place
 * @data: @len bytes; the %NWG_AEAD_HEADROOM before it are overwritten, the tag goes to the
 *	%NWG_TAG_LEN after it
 * @len: bytes
 * @counter: not used before with this key
 * @key: of the session and direction
 *
 * Context: any; vector code only where the kernel may use it.
 */
void aead_encrypt(u8 *data, unsigned int len, u64 counter, const u8 key[NWG_KEY_LEN]);

/**
 * aead_decrypt - authenticate and decrypt in place
 * @data: @len bytes, then the %NWG_TAG_LEN of the tag, which is overwritten
 * @len: bytes without the tag
 * @counter: that it was encrypted with
 * @key: of the session and direction
 *
 * Context: as above.
 * Return: whether it is authentic. If it is not, it is not decrypted.
 */
bool __must_check aead_decrypt(u8 *data, unsigned int len, u64 counter, const u8 key[NWG_KEY_LEN]);

#endif /* _NWG_PROTOCOL_AEAD_H */
