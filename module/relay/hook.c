// SPDX-License-Identifier: GPL-2.0
/*
 * Two ways in, and one function at the end of both:
 *
 *	PRE_ROUTING --- whole UDP datagram, plain IP header --------------> nwg_relay_forward()
 *	     |                                                                     ^
 *	     +--- anything else --> stack: reassembles fragments --> socket -------+
 *
 * The hook comes after raw, so that those chains still filter, and before connection tracking,
 * which never sees what a relay takes. What comes out of a stock interface with relays is met here, too,
 * and goes to nwg_relay_reverse_stock(). The sockets hold the port, so that no program can bind it
 * and no ICMP error betrays it; what comes to them that is nothing for a relay is dropped.
 */
#include "hook.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/udp_tunnel.h>

#include "forward.h"
#include "object.h"
#include "stock.h"

/*
 * Between raw and SELinux's first chain, which precedes connection tracking; the same for IPv4 and
 * IPv6.
 */
#define HOOK_PRIORITY (NF_IP_PRI_RAW + 50)

/* A packet may come out of a stock interface that has relays. Return: whether it is consumed. */
static bool reverse(struct net *net, struct sk_buff *skb)
{
	return unlikely(READ_ONCE(nwg_relay_net(net)->over_stock)) && nwg_is_stock(skb->dev) &&
	       skb->pkt_type == PACKET_HOST && nwg_relay_reverse_stock(skb);
}

static unsigned int take(struct sk_buff *skb, unsigned int offset, struct net *net)
{
	const struct nwg_relay_net *rn = nwg_relay_net(net);
	const struct udphdr *header;
	struct udphdr buffer;

	header = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!header || likely(!nwg_relay_has_port(rn, header->dest)))
		return NF_ACCEPT;
	if (skb->pkt_type != PACKET_HOST)
		return NF_ACCEPT;
	return nwg_relay_forward(net, skb) ? NF_STOLEN : NF_ACCEPT;
}

static unsigned int hook4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct iphdr *header = ip_hdr(skb);

	if (header->protocol != IPPROTO_UDP || header->ihl != sizeof(*header) / 4)
		return NF_ACCEPT;
	if (reverse(state->net, skb))
		return NF_STOLEN;
	if (ip_is_fragment(ip_hdr(skb)))
		return NF_ACCEPT;
	return take(skb, sizeof(*header), state->net);
}

static unsigned int hook6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct ipv6hdr *header = ipv6_hdr(skb);

	if (header->nexthdr != IPPROTO_UDP && header->nexthdr != NEXTHDR_FRAGMENT)
		return NF_ACCEPT;
	if (reverse(state->net, skb))
		return NF_STOLEN;
	if (ipv6_hdr(skb)->nexthdr != IPPROTO_UDP)
		return NF_ACCEPT;
	return take(skb, sizeof(*header), state->net);
}

static const struct nf_hook_ops hook_ops[] = {
	{
		.hook = hook4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = HOOK_PRIORITY,
	},
	{
		.hook = hook6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = HOOK_PRIORITY,
	},
};

int nwg_relay_hook_register(struct net *net)
{
	return nf_register_net_hooks(net, hook_ops, ARRAY_SIZE(hook_ops));
}

void nwg_relay_hook_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hook_ops, ARRAY_SIZE(hook_ops));
}

/* A datagram has come to a socket, its data at the UDP header. Always consumes it. */
static int socket_receive(struct sock *sk, struct sk_buff *skb)
{
	__skb_push(skb, -skb_network_offset(skb));
	if (!nwg_relay_forward(sock_net(sk), skb))
		kfree_skb(skb);
	return 0;
}

static int reserve(struct nwg_relay *relay, struct net *net, struct udp_port_cfg *config)
{
	struct udp_tunnel_sock_cfg tunnel = {
		.encap_type = 1,
		.encap_rcv = socket_receive,
	};
	struct socket **socket = &relay->sockets[config->family == AF_INET6];
	int err;

	config->local_udp_port = relay->listen.port;
	config->bind_ifindex = relay->listen.ifindex;
	err = udp_sock_create(net, config, socket);
	if (!err)
		setup_udp_tunnel_sock(net, (*socket)->sk, &tunnel);
	return err;
}

int nwg_relay_port_reserve(struct nwg_relay *relay, struct net *net)
{
	const struct in6_addr *addr = &relay->listen.addr;
	struct udp_port_cfg config4 = { .family = AF_INET };
	struct udp_port_cfg config6 = { .family = AF_INET6, .ipv6_v6only = true };
	bool any = ipv6_addr_any(addr), is4 = ipv6_addr_v4mapped(addr);
	int err = 0;

	if (is4)
		config4.local_ip.s_addr = addr->s6_addr32[3];
	else
		config6.local_ip6 = *addr;
	if (any || is4)
		err = reserve(relay, net, &config4);
	if (!err && !is4 && (!any || ipv6_mod_enabled()))
		err = reserve(relay, net, &config6);
	if (err)
		nwg_relay_port_release(relay);
	return err;
}

void nwg_relay_port_release(struct nwg_relay *relay)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(relay->sockets); i++) {
		if (!relay->sockets[i])
			continue;
		/*
		 * Not udp_tunnel_sock_release(): there is no user data for which it would have to wait,
		 * for a grace period under RTNL.
		 */
		kernel_sock_shutdown(relay->sockets[i], SHUT_RDWR);
		sock_release(relay->sockets[i]);
		relay->sockets[i] = NULL;
	}
}
