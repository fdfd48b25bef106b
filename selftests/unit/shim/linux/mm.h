/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#define PAGE_SHIFT 12
/* Of a small VPS, with 512 MiB */
#define totalram_pages() (1UL << 17)

#endif /* _SHIM_LINUX_MM_H */
