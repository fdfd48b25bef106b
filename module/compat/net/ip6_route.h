/* SPDX-License-Identifier: GPL-2.0 */
/*
 * While IPv6 could be a module, what others called of it was had by its stub. Kbuild looks for the stub
 * and defines NWG_HAVE_IPV6_STUB if it is there.
 */
#ifndef _NWG_COMPAT_NET_IP6_ROUTE_H
#define _NWG_COMPAT_NET_IP6_ROUTE_H

#include_next <net/ip6_route.h>

#ifdef NWG_HAVE_IPV6_STUB
#include <net/ipv6_stubs.h>

#define ip6_fragment(net, sk, skb, output) ipv6_stub->ipv6_fragment(net, sk, skb, output)
#endif

#endif /* _NWG_COMPAT_NET_IP6_ROUTE_H */
