/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BUILD_BUG_H
#define _SHIM_LINUX_BUILD_BUG_H

#undef static_assert
#define static_assert(expression) _Static_assert(expression, #expression)
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)

#endif /* _SHIM_LINUX_BUILD_BUG_H */
