/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MINMAX_H
#define _SHIM_LINUX_MINMAX_H

/* Each argument is evaluated once; different types are refused, as in the kernel. */
#define shim_pick(a, op, b)                                                          \
	({                                                                           \
		__auto_type _a = (a);                                                \
		__auto_type _b = (b);                                                \
		_Static_assert(__builtin_types_compatible_p(typeof(_a), typeof(_b)), \
			       "types differ");                                      \
		_a op _b ? _a : _b;                                                  \
	})

#define min(a, b) shim_pick(a, <, b)
#define max(a, b) shim_pick(a, >, b)
#define min3(a, b, c) min(min(a, b), c)
#define clamp_t(type, number, low, high) max((type)(low), min_t(type, number, high))
#define min_t(type, a, b) min((type)(a), (type)(b))

#endif /* _SHIM_LINUX_MINMAX_H */
