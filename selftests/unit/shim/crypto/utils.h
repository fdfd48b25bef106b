/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_CRYPTO_UTILS_H
#define _SHIM_CRYPTO_UTILS_H

#include <linux/types.h>
#include <sodium.h>

#define crypto_memneq(a, b, len) (sodium_memcmp(a, b, len) != 0)

static inline void crypto_xor(u8 *dst, const u8 *src, unsigned int size)
{
	while (size--)
		*dst++ ^= *src++;
}

#endif /* _SHIM_CRYPTO_UTILS_H */
