/* SPDX-License-Identifier: GPL-2.0 */
/* With one thread, atomic is whatever is written as one statement. */
#ifndef _SHIM_LINUX_ATOMIC_H
#define _SHIM_LINUX_ATOMIC_H

#include <linux/types.h>

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic64_read(variable) ((variable)->counter)
#define atomic64_inc(variable) ((void)(variable)->counter++)
#define atomic64_add(number, variable) ((void)((variable)->counter += (number)))

#define try_cmpxchg(pointer, old, new) \
	(*(pointer) == *(old) ? (*(pointer) = (new), true) : (*(old) = *(pointer), false))

#endif /* _SHIM_LINUX_ATOMIC_H */
