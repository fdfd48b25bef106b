/* SPDX-License-Identifier: GPL-2.0 */
/* Before 6.6, segmentation was declared in netdevice.h. */
#ifdef NWG_HAVE_NET_GSO_H
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>
#endif
