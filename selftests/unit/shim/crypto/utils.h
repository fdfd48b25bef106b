/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_CRYPTO_UTILS_H
#define _SHIM_CRYPTO_UTILS_H

#include <sodium.h>

#define crypto_memneq(a, b, len) (sodium_memcmp(a, b, len) != 0)

#endif /* _SHIM_CRYPTO_UTILS_H */
