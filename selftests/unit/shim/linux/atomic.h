/* SPDX-License-Identifier: GPL-2.0 */
/* With one thread, atomic is whatever is written as one statement. */
#ifndef _SHIM_LINUX_ATOMIC_H
#define _SHIM_LINUX_ATOMIC_H

#include <linux/types.h>

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic_set(variable, number) ((void)((variable)->counter = (number)))
#define atomic_read(variable) ((variable)->counter)
#define atomic_dec(variable) ((void)(variable)->counter--)
#define atomic_try_cmpxchg(variable, old, new) try_cmpxchg(&(variable)->counter, old, new)

#define atomic_inc_return(variable) (++(variable)->counter)
#define atomic_read_acquire(variable) ((variable)->counter)

#define atomic64_read(variable) ((variable)->counter)
#define atomic64_inc(variable) ((void)(variable)->counter++)
#define atomic64_add(number, variable) ((void)((variable)->counter += (number)))

#define try_cmpxchg(pointer, old, new) \
	(*(pointer) == *(old) ? (*(pointer) = (new), true) : (*(old) = *(pointer), false))

#endif /* _SHIM_LINUX_ATOMIC_H */
