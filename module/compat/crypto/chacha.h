/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernels after 6.14 have a struct chacha_state where older ones pass the words themselves. Kbuild
 * looks for it and defines NWG_HAVE_CHACHA_STATE if it is there.
 */
#ifndef _NWG_COMPAT_CRYPTO_CHACHA_H
#define _NWG_COMPAT_CRYPTO_CHACHA_H

#include_next <crypto/chacha.h>

#ifndef NWG_HAVE_CHACHA_STATE
struct chacha_state {
	u32 x[CHACHA_STATE_WORDS];
};

#define chacha_init(state, key, iv) chacha_init((state)->x, key, iv)
#define chacha20_crypt(state, dst, src, bytes) chacha20_crypt((state)->x, dst, src, bytes)
#endif

#endif /* _NWG_COMPAT_CRYPTO_CHACHA_H */
