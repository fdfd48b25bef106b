/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's Poly1305 calls on libsodium. */
#ifndef _SHIM_CRYPTO_POLY1305_H
#define _SHIM_CRYPTO_POLY1305_H

#include <linux/types.h>
#include <sodium.h>

#define POLY1305_BLOCK_SIZE 16
#define POLY1305_KEY_SIZE crypto_onetimeauth_poly1305_KEYBYTES

struct poly1305_desc_ctx {
	crypto_onetimeauth_poly1305_state state;
};

static inline void poly1305_init(struct poly1305_desc_ctx *ctx, const u8 *key)
{
	crypto_onetimeauth_poly1305_init(&ctx->state, key);
}

static inline void poly1305_update(struct poly1305_desc_ctx *ctx, const u8 *src, unsigned int len)
{
	crypto_onetimeauth_poly1305_update(&ctx->state, src, len);
}

static inline void poly1305_final(struct poly1305_desc_ctx *ctx, u8 *tag)
{
	crypto_onetimeauth_poly1305_final(&ctx->state, tag);
}

#endif /* _SHIM_CRYPTO_POLY1305_H */
