/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From 6.2 on a network namespace may have a table of UDP sockets of its own. Kbuild looks whether
 * it can and then defines NWG_HAVE_NETNS_UDP_TABLE.
 */
#ifndef _NWG_COMPAT_NET_UDP_H
#define _NWG_COMPAT_NET_UDP_H

#include_next <net/udp.h>

#ifdef NWG_HAVE_NETNS_UDP_TABLE
#define nwg_udp_table(net) ((net)->ipv4.udp_table)
#else
#define nwg_udp_table(net) (&udp_table)
#endif

#endif /* _NWG_COMPAT_NET_UDP_H */
