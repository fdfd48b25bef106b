/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's build includes before every file: attributes, and the annotations that only
 * sparse reads.
 */
#ifndef _SHIM_LINUX_COMPILER_TYPES_H
#define _SHIM_LINUX_COMPILER_TYPES_H

#define __force
#define __rcu
#define __percpu
#define __init
#define __aligned(bytes) __attribute__((__aligned__(bytes)))
#define likely(condition) (condition)
#define unlikely(condition) (condition)
#define READ_ONCE(variable) (variable)
#define WRITE_ONCE(variable, value) ((void)((variable) = (value)))
#define __must_check __attribute__((__warn_unused_result__))
#define __packed __attribute__((__packed__))
#if __has_attribute(__nonstring__)
#define __nonstring __attribute__((__nonstring__))
#else
#define __nonstring
#endif

#endif /* _SHIM_LINUX_COMPILER_TYPES_H */
