/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_STRING_H
#define _SHIM_LINUX_STRING_H

#include <sodium.h>
#include <string.h>

/* The first byte that is another one, or NULL */
static inline const void *memchr_inv(const void *memory, int byte, size_t len)
{
	const unsigned char *each = memory;

	for (; len; len--, each++)
		if (*each != byte)
			return each;
	return NULL;
}

#define memzero_explicit(memory, len) sodium_memzero(memory, len)

#endif /* _SHIM_LINUX_STRING_H */
