/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Later kernels have a last argument for flags of the packet's control block, and take a tunnel's
 * socket by its struct sock. Kbuild looks for both and defines NWG_HAVE_IPCB_FLAGS and
 * NWG_HAVE_TUNNEL_SOCK.
 */
#ifndef _NWG_COMPAT_NET_UDP_TUNNEL_H
#define _NWG_COMPAT_NET_UDP_TUNNEL_H

#include_next <net/udp_tunnel.h>

#ifndef NWG_HAVE_IPCB_FLAGS
#define udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, src_port, dst_port, xnet, \
			    nocheck, flags)                                                \
	udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, src_port, dst_port, xnet, nocheck)
#define udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl, label, src_port, \
			     dst_port, nocheck, flags)                                    \
	udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl, label, src_port, \
			     dst_port, nocheck)
#endif

#ifndef NWG_HAVE_TUNNEL_SOCK
#define setup_udp_tunnel_sock(net, sk, config) setup_udp_tunnel_sock(net, (sk)->sk_socket, config)
#define udp_tunnel_sock_release(sk) udp_tunnel_sock_release((sk)->sk_socket)
#endif

#endif /* _NWG_COMPAT_NET_UDP_TUNNEL_H */
