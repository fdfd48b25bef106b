/* SPDX-License-Identifier: GPL-2.0 */
/*
 * crypto_memneq() has come here from crypto/algapi.h since 6.1. Kbuild looks whether it has and
 * then defines NWG_HAVE_CRYPTO_UTILS.
 */
#ifndef _NWG_COMPAT_CRYPTO_UTILS_H
#define _NWG_COMPAT_CRYPTO_UTILS_H

#ifdef NWG_HAVE_CRYPTO_UTILS
#include_next <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif

#endif /* _NWG_COMPAT_CRYPTO_UTILS_H */
