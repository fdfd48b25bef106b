/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_NET_UDP_H
#define _SHIM_NET_UDP_H

#include <linux/in6.h>
#include <linux/types.h>

/* Whether a socket of this machine has a port */
bool shim_socket_has(__be16 port);

#define __udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, skb) \
	((void)(net), (void)(dif), (void)(sdif), shim_socket_has(dport))
#define __udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, skb) \
	((void)(net), (void)(dif), (void)(sdif), shim_socket_has(dport))

struct sk_buff;

/* Write the UDP checksum of a packet. */
void udp_set_csum(bool none, struct sk_buff *skb, __be32 saddr, __be32 daddr, int len);
void udp6_set_csum(bool none, struct sk_buff *skb, const struct in6_addr *saddr,
		   const struct in6_addr *daddr, int len);

#endif /* _SHIM_NET_UDP_H */
