/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_DST_H
#define _SHIM_NET_DST_H

struct dst_entry;

/* Routes are not what is tested: no flow has one. */
#define dst_release(dst) assert(!(dst))

#endif /* _SHIM_NET_DST_H */
