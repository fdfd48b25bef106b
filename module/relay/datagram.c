// SPDX-License-Identifier: GPL-2.0
#include "datagram.h"

#include <linux/netfilter.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/udp.h>

/* Length of a packet as its IP header tells it. */
static unsigned int ip_len(const struct sk_buff *skb)
{
	if (nwg_is_ipv4(skb))
		return ntohs(ip_hdr(skb)->tot_len);
	return ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr);
}

static struct udphdr *udp_header(const struct sk_buff *skb)
{
	return (struct udphdr *)(skb->data + nwg_ip_header_len(skb));
}

bool nwg_datagram_ends(struct sk_buff *skb, unsigned int offset, struct nwg_ends *ends)
{
	const struct udphdr *header;
	struct udphdr buffer;

	header = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!header)
		return false;
	ends->source_port = header->source;
	ends->destination_port = header->dest;
	if (nwg_is_ipv4(skb)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &ends->source);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &ends->destination);
	} else {
		ends->source = ipv6_hdr(skb)->saddr;
		ends->destination = ipv6_hdr(skb)->daddr;
	}
	return true;
}

/*
 * Whether a datagram arrived as it was sent. It costs nothing if the interface that it came by has
 * looked already. One whose checksum is still to be made comes from this machine, or from a guest of its that
 * says where that is, which must be nowhere but in the UDP header.
 */
static bool checksum_valid(struct sk_buff *skb, const struct udphdr *header)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return skb_checksum_start_offset(skb) == (int)nwg_ip_header_len(skb) &&
		       skb->csum_offset == offsetof(struct udphdr, check);
	/* None is a choice over IPv4 only (RFC 8200, section 8.1). */
	if (!header->check)
		return nwg_is_ipv4(skb);
	return skb_csum_unnecessary(skb) ||
	       !nf_checksum(skb, NF_INET_PRE_ROUTING, nwg_ip_header_len(skb), IPPROTO_UDP,
			    nwg_is_ipv4(skb) ? AF_INET : AF_INET6);
}

enum nwg_relay_drop nwg_datagram_read(struct sk_buff *skb, struct nwg_datagram *datagram)
{
	unsigned int offset = nwg_message_offset(skb);
	const struct udphdr *header;

	datagram->type = NWG_MESSAGE_INVALID;
	datagram->len = skb->len > offset ? skb->len - offset : 0;
	if (!nwg_ip_header_plain(skb) || skb->len < offset)
		return NWG_DROP_MALFORMED;
	if (!pskb_may_pull(skb, min_t(unsigned int, skb->len, offset + NWG_RELAY_LOOK)))
		return NWG_DROP_NO_MEMORY;
	header = udp_header(skb);
	/* A datagram that is shorter than its packet has been trimmed if it comes from a socket. */
	if (ntohs(header->len) != skb->len - nwg_ip_header_len(skb) || ip_len(skb) != skb->len)
		return NWG_DROP_MALFORMED;
	if (!checksum_valid(skb, header))
		return NWG_DROP_MALFORMED;
	datagram->message = header + 1;
	datagram->type = nwg_message_classify(datagram->message, datagram->len);
	return datagram->type == NWG_MESSAGE_INVALID ? NWG_DROP_SHAPE : 0;
}

static void rewrite_addresses4(struct sk_buff *skb, const struct nwg_ends *ends, bool sum)
{
	__be32 source = ends->source.s6_addr32[3], destination = ends->destination.s6_addr32[3];
	struct udphdr *udp = udp_header(skb);
	struct iphdr *header = ip_hdr(skb);

	if (sum) {
		inet_proto_csum_replace4(&udp->check, skb, header->saddr, source, true);
		inet_proto_csum_replace4(&udp->check, skb, header->daddr, destination, true);
	}
	header->saddr = source;
	header->daddr = destination;
	header->ttl--;
	ip_send_check(header);
}

static void rewrite_addresses6(struct sk_buff *skb, const struct nwg_ends *ends)
{
	struct ipv6hdr *header = ipv6_hdr(skb);
	struct udphdr *udp = udp_header(skb);

	inet_proto_csum_replace16(&udp->check, skb, header->saddr.s6_addr32, ends->source.s6_addr32,
				  true);
	inet_proto_csum_replace16(&udp->check, skb, header->daddr.s6_addr32,
				  ends->destination.s6_addr32, true);
	header->saddr = ends->source;
	header->daddr = ends->destination;
	header->hop_limit--;
}

/* Sum over the addresses of a packet, as they are in the pseudo-header of its UDP checksum. */
static __wsum sum_addresses(const struct sk_buff *skb)
{
	if (nwg_is_ipv4(skb))
		return csum_partial(&ip_hdr(skb)->saddr, 2 * sizeof(struct in_addr), 0);
	return csum_partial(&ipv6_hdr(skb)->saddr, 2 * sizeof(struct in6_addr), 0);
}

/* Put an IPv4 header in front of a UDP datagram. It may be fragmented on its way (RFC 7915, 5.1). */
static void write_ipv4(struct net *net, struct sk_buff *skb, const struct nwg_ends *ends, u8 tos,
		       u8 ttl)
{
	struct iphdr *header = ip_hdr(skb);

	*header = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*header) / 4,
		.tos = tos,
		.tot_len = htons(skb->len),
		.ttl = ttl,
		.protocol = IPPROTO_UDP,
		.saddr = ends->source.s6_addr32[3],
		.daddr = ends->destination.s6_addr32[3],
	};
	__ip_select_ident(net, header, 1);
	ip_send_check(header);
}

static void write_ipv6(struct sk_buff *skb, const struct nwg_ends *ends, u8 tos, u8 hop_limit)
{
	struct ipv6hdr *header = ipv6_hdr(skb);

	ip6_flow_hdr(header, tos, 0);
	header->payload_len = htons(skb->len - sizeof(*header));
	header->nexthdr = IPPROTO_UDP;
	header->hop_limit = hop_limit;
	header->saddr = ends->source;
	header->daddr = ends->destination;
}

/*
 * Take away the IP header of a datagram and give it one of the other family (RFC 7915), with the UDP
 * checksum that goes with it, but for the ports. Return: 0, or why not.
 */
static enum nwg_relay_drop translate(struct net *net, struct sk_buff *skb,
				     const struct nwg_ends *ends)
{
	const bool to_ipv6 = nwg_is_ipv4(skb);
	const u8 tos = to_ipv6 ? ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
	const u8 ttl = to_ipv6 ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit;
	const unsigned int len = skb->len - nwg_ip_header_len(skb);
	const __wsum addresses = sum_addresses(skb);
	struct udphdr *udp;
	__wsum diff;

	/* IPv4 has the header in its length, too. */
	if (len > IP_MAX_MTU - sizeof(struct iphdr))
		return NWG_DROP_FAMILY;
	__skb_pull(skb, nwg_ip_header_len(skb));
	skb->protocol = htons(to_ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	if (skb_cow_head(skb, nwg_ip_header_len(skb)))
		return NWG_DROP_NO_MEMORY;
	__skb_push(skb, nwg_ip_header_len(skb));
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, nwg_ip_header_len(skb));
	if (to_ipv6)
		write_ipv6(skb, ends, tos, ttl - 1);
	else
		write_ipv4(net, skb, ends, tos, ttl - 1);

	udp = udp_header(skb);
	diff = csum_sub(sum_addresses(skb), addresses);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		udp->check = ~csum_fold(csum_add(diff, csum_unfold(udp->check)));
	else if (udp->check)
		csum_replace_by_diff(&udp->check, diff);
	else
		udp->check = csum_ipv6_magic(&ends->source, &ends->destination, len, IPPROTO_UDP,
					     skb_checksum(skb, nwg_ip_header_len(skb), len, 0));
	return 0;
}

enum nwg_relay_drop nwg_datagram_rewrite(struct net *net, struct sk_buff *skb,
					 const struct nwg_ends *ends)
{
	enum nwg_relay_drop reason;
	struct udphdr *udp;
	bool sum;

	/* The inner endpoint has moved to the other family just now. */
	if (unlikely(ipv6_addr_v4mapped(&ends->source) != ipv6_addr_v4mapped(&ends->destination)))
		return NWG_DROP_FAMILY;
	if (skb_ensure_writable(skb, nwg_message_offset(skb)))
		return NWG_DROP_NO_MEMORY;
	skb_forward_csum(skb);
	skb_set_transport_header(skb, nwg_ip_header_len(skb));
	sum = udp_header(skb)->check || skb->ip_summed == CHECKSUM_PARTIAL;
	if (unlikely(ipv6_addr_v4mapped(&ends->source) != nwg_is_ipv4(skb))) {
		reason = translate(net, skb, ends);
		if (reason)
			return reason;
		sum = true;
	} else if (nwg_is_ipv4(skb)) {
		rewrite_addresses4(skb, ends, sum);
	} else {
		rewrite_addresses6(skb, ends);
	}
	udp = udp_header(skb);
	if (sum) {
		inet_proto_csum_replace2(&udp->check, skb, udp->source, ends->source_port, false);
		inet_proto_csum_replace2(&udp->check, skb, udp->dest, ends->destination_port,
					 false);
		if (!udp->check)
			udp->check = CSUM_MANGLED_0;
	}
	udp->source = ends->source_port;
	udp->dest = ends->destination_port;
	return 0;
}

bool nwg_datagram_exchange(struct sk_buff *skb, unsigned int offset, const void *bytes,
			   unsigned int len)
{
	__be32 was[4], is[4];
	struct udphdr *udp;
	unsigned int done;
	bool sum;

	if (skb_ensure_writable(skb, offset + len))
		return false;
	udp = udp_header(skb);
	sum = udp->check;
	for (done = 0; done < len; done += sizeof(is)) {
		memcpy(was, skb->data + offset + done, sizeof(was));
		memcpy(is, bytes + done, sizeof(is));
		memcpy(skb->data + offset + done, is, sizeof(is));
		if (sum)
			inet_proto_csum_replace16(&udp->check, skb, was, is, false);
	}
	if (sum && !udp->check)
		udp->check = CSUM_MANGLED_0;
	return true;
}

void nwg_datagram_write(struct net *net, struct sk_buff *skb, const struct nwg_ends *ends)
{
	const unsigned int len = skb->len - nwg_ip_header_len(skb);
	struct udphdr *udp = udp_header(skb);

	skb_set_transport_header(skb, nwg_ip_header_len(skb));
	skb->ip_summed = CHECKSUM_NONE;
	udp->source = ends->source_port;
	udp->dest = ends->destination_port;
	udp->len = htons(len);
	if (nwg_is_ipv4(skb)) {
		write_ipv4(net, skb, ends, 0, READ_ONCE(net->ipv4.sysctl_ip_default_ttl));
		udp_set_csum(false, skb, ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, len);
	} else {
		write_ipv6(skb, ends, 0, READ_ONCE(net->ipv6.devconf_all->hop_limit));
		udp6_set_csum(false, skb, &ends->source, &ends->destination, len);
	}
}
