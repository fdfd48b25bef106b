/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_CRYPTO_CURVE25519_H
#define _SHIM_CRYPTO_CURVE25519_H

#include <linux/types.h>

/* Let an all-zero result pass, as a Curve25519 without that check would. False at the start. */
extern bool shim_zero_accepted;

/* Both return false for an all-zero result. */
bool __must_check curve25519(u8 shared[32], const u8 private[32], const u8 public[32]);
bool __must_check curve25519_generate_public(u8 public[32], const u8 private[32]);

static inline void curve25519_clamp_secret(u8 private[32])
{
	private[0] &= 0xf8;
	private[31] = (private[31] & 0x7f) | 0x40;
}

#endif /* _SHIM_CRYPTO_CURVE25519_H */
