/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernels after 6.12 have renamed struct blake2s_state and put the arguments of blake2s() into the
 * order key, input, output. Kbuild looks for the new name and defines NWG_HAVE_BLAKE2S_CTX if it is
 * there.
 */
#ifndef _NWG_COMPAT_CRYPTO_BLAKE2S_H
#define _NWG_COMPAT_CRYPTO_BLAKE2S_H

#include_next <crypto/blake2s.h>

#ifndef NWG_HAVE_BLAKE2S_CTX
#define blake2s_ctx blake2s_state
#define blake2s(key, keylen, in, inlen, out, outlen) blake2s(out, in, key, outlen, inlen, keylen)
#endif

#endif /* _NWG_COMPAT_CRYPTO_BLAKE2S_H */
