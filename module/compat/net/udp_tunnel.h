/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Later kernels take a tunnel's socket by its struct sock. Kbuild looks for that and defines
 * NWG_HAVE_TUNNEL_SOCK.
 */
#ifndef _NWG_COMPAT_NET_UDP_TUNNEL_H
#define _NWG_COMPAT_NET_UDP_TUNNEL_H

#include_next <net/udp_tunnel.h>

#ifndef NWG_HAVE_TUNNEL_SOCK
#define setup_udp_tunnel_sock(net, sk, config) setup_udp_tunnel_sock(net, (sk)->sk_socket, config)
#define udp_tunnel_sock_release(sk) udp_tunnel_sock_release((sk)->sk_socket)
#endif

#endif /* _NWG_COMPAT_NET_UDP_TUNNEL_H */
