/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A look-up of a UDP socket had to be told the table, which from 6.2 on a network namespace may have of
 * its own. Kbuild looks whether it has to be and whether it can, and then defines
 * NWG_UDP_LOOKUP_IN_TABLE and NWG_HAVE_NETNS_UDP_TABLE.
 */
#ifndef _NWG_COMPAT_NET_UDP_H
#define _NWG_COMPAT_NET_UDP_H

#include_next <net/udp.h>

#ifdef NWG_UDP_LOOKUP_IN_TABLE
#ifdef NWG_HAVE_NETNS_UDP_TABLE
#define nwg_udp_table(net) ((net)->ipv4.udp_table)
#else
#define nwg_udp_table(net) (&udp_table)
#endif

#define __udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, skb) \
	__udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, nwg_udp_table(net), skb)
#define __udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, skb) \
	__udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, nwg_udp_table(net), skb)
#endif

#endif /* _NWG_COMPAT_NET_UDP_H */
