/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's BLAKE2s calls on libb2, which has the same names with other arguments. */
#ifndef _SHIM_CRYPTO_BLAKE2S_H
#define _SHIM_CRYPTO_BLAKE2S_H

#include <blake2.h>
#include <linux/types.h>

#define BLAKE2S_BLOCK_SIZE BLAKE2S_BLOCKBYTES

struct blake2s_ctx {
	blake2s_state state;
	size_t outlen;
};

static inline void shim_blake2s_init(struct blake2s_ctx *ctx, size_t outlen)
{
	ctx->outlen = outlen;
	blake2s_init(&ctx->state, outlen);
}

static inline void shim_blake2s_init_key(struct blake2s_ctx *ctx, size_t outlen, const void *key,
					 size_t keylen)
{
	ctx->outlen = outlen;
	blake2s_init_key(&ctx->state, outlen, key, keylen);
}

static inline void shim_blake2s_update(struct blake2s_ctx *ctx, const u8 *in, size_t inlen)
{
	if (inlen)
		blake2s_update(&ctx->state, in, inlen);
}

static inline void shim_blake2s_final(struct blake2s_ctx *ctx, u8 *out)
{
	blake2s_final(&ctx->state, out, ctx->outlen);
}

#define blake2s_init shim_blake2s_init
#define blake2s_init_key shim_blake2s_init_key
#define blake2s_update shim_blake2s_update
#define blake2s_final shim_blake2s_final
#define blake2s(key, keylen, in, inlen, out, outlen) blake2s(out, in, key, outlen, inlen, keylen)

#endif /* _SHIM_CRYPTO_BLAKE2S_H */
