/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dst_init() has lost the argument that said how many references there are: it is always one.
 * Kbuild looks whether it is still there and then defines NWG_DST_INIT_WITH_REF.
 */
#ifndef _NWG_COMPAT_NET_DST_H
#define _NWG_COMPAT_NET_DST_H

#include_next <net/dst.h>

#ifdef NWG_DST_INIT_WITH_REF
#define dst_init(dst, ops, dev, obsolete, flags) dst_init(dst, ops, dev, 1, obsolete, flags)
#endif

#endif /* _NWG_COMPAT_NET_DST_H */
