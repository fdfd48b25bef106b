/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_STRING_H
#define _SHIM_LINUX_STRING_H

#include <sodium.h>
#include <string.h>

#define memzero_explicit(memory, len) sodium_memzero(memory, len)

#endif /* _SHIM_LINUX_STRING_H */
