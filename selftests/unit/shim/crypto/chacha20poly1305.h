/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_CRYPTO_CHACHA20POLY1305_H
#define _SHIM_CRYPTO_CHACHA20POLY1305_H

#include <asm/byteorder.h>
#include <linux/types.h>
#include <sodium.h>
#include <string.h>

#define SHIM_NONCE_LEN crypto_aead_chacha20poly1305_ietf_NPUBBYTES

/* 32 zero bits and the little-endian counter (white paper, section 5.4.6) */
static inline void shim_nonce(u8 out[SHIM_NONCE_LEN], u64 nonce)
{
	u64 counter = cpu_to_le64(nonce);

	memset(out, 0, SHIM_NONCE_LEN);
	memcpy(out + SHIM_NONCE_LEN - sizeof(counter), &counter, sizeof(counter));
}

static inline void chacha20poly1305_encrypt(u8 *dst, const u8 *src, size_t src_len, const u8 *ad,
					    size_t ad_len, u64 nonce, const u8 key[32])
{
	u8 n[SHIM_NONCE_LEN];

	shim_nonce(n, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(dst, NULL, src, src_len, ad, ad_len, NULL, n,
						  key);
}

static inline bool __must_check chacha20poly1305_decrypt(u8 *dst, const u8 *src, size_t src_len,
							 const u8 *ad, size_t ad_len, u64 nonce,
							 const u8 key[32])
{
	u8 n[SHIM_NONCE_LEN];

	shim_nonce(n, nonce);
	return !crypto_aead_chacha20poly1305_ietf_decrypt(dst, NULL, NULL, src, src_len, ad, ad_len,
							  n, key);
}

static inline void xchacha20poly1305_encrypt(u8 *dst, const u8 *src, size_t src_len, const u8 *ad,
					     size_t ad_len, const u8 nonce[24], const u8 key[32])
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(dst, NULL, src, src_len, ad, ad_len, NULL, nonce,
						   key);
}

static inline bool __must_check xchacha20poly1305_decrypt(u8 *dst, const u8 *src, size_t src_len,
							  const u8 *ad, size_t ad_len,
							  const u8 nonce[24], const u8 key[32])
{
	return !crypto_aead_xchacha20poly1305_ietf_decrypt(dst, NULL, NULL, src, src_len, ad,
							   ad_len, nonce, key);
}

#endif /* _SHIM_CRYPTO_CHACHA20POLY1305_H */
