/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's ChaCha20 calls on libsodium, which keeps no state between calls. */
#ifndef _SHIM_CRYPTO_CHACHA_H
#define _SHIM_CRYPTO_CHACHA_H

#include <linux/types.h>
#include <sodium.h>
#include <string.h>

#define CHACHA_BLOCK_SIZE 64

struct chacha_state {
	u8 key[crypto_stream_chacha20_ietf_KEYBYTES];
	u8 nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
	u32 block;
};

static inline void chacha_init(struct chacha_state *state, const u32 *key, const u8 *iv)
{
	memcpy(state->key, key, sizeof(state->key));
	memcpy(&state->block, iv, sizeof(state->block));
	memcpy(state->nonce, iv + sizeof(state->block), sizeof(state->nonce));
}

static inline void chacha20_crypt(struct chacha_state *state, u8 *dst, const u8 *src,
				  unsigned int bytes)
{
	crypto_stream_chacha20_ietf_xor_ic(dst, src, bytes, state->nonce, state->block, state->key);
	state->block += (bytes + CHACHA_BLOCK_SIZE - 1) / CHACHA_BLOCK_SIZE;
}

#endif /* _SHIM_CRYPTO_CHACHA_H */
