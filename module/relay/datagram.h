/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of a datagram that a relay looks at: reading its headers and its message, and giving it
 * others.
 *
 * Addresses are struct in6_addr throughout, IPv4 as v4-mapped (RFC 4291, section 2.5.5.2).
 */
#ifndef _NWG_RELAY_DATAGRAM_H
#define _NWG_RELAY_DATAGRAM_H

#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>

#include "../../uapi/nwg.h"
#include "protocol/wire.h"

struct net;

/* What has to be readable of a datagram: an initiation, the longest message that is looked into. */
#define NWG_RELAY_LOOK NWG_INITIATION_LEN

/**
 * struct nwg_datagram - a UDP datagram, taken apart
 * @type: what message it is by its shape
 * @len: length of the UDP payload
 * @message: the payload, of which the first %NWG_RELAY_LOOK bytes can be read; moves when the
 *	packet's head does
 */
struct nwg_datagram {
	enum nwg_message_type type;
	unsigned int len;
	const void *message;
};

/**
 * struct nwg_ends - addresses and ports of a datagram
 * @source: IPv4 as v4-mapped
 * @destination: likewise, and of the same family
 * @source_port: UDP port
 * @destination_port: UDP port
 */
struct nwg_ends {
	struct in6_addr source;
	struct in6_addr destination;
	__be16 source_port;
	__be16 destination_port;
};

/* All that follows takes packets whose data is at the network header. */

static inline bool nwg_is_ipv4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

/* Length of a plain IP header; with options or extension headers it is longer. */
static inline unsigned int nwg_ip_header_len(const struct sk_buff *skb)
{
	return nwg_is_ipv4(skb) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* Whether it has neither options nor extension headers. */
static inline bool nwg_ip_header_plain(const struct sk_buff *skb)
{
	if (nwg_is_ipv4(skb))
		return ip_hdr(skb)->ihl == sizeof(struct iphdr) / 4;
	return ipv6_hdr(skb)->nexthdr == IPPROTO_UDP;
}

/* Where the message is in a packet with a plain header. */
static inline unsigned int nwg_message_offset(const struct sk_buff *skb)
{
	return nwg_ip_header_len(skb) + sizeof(struct udphdr);
}

/* Whether a router would not send it on. */
static inline bool nwg_ttl_used_up(const struct sk_buff *skb)
{
	return (nwg_is_ipv4(skb) ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit) <= 1;
}

/**
 * nwg_datagram_ends - read who sent a packet to whom
 * @skb: the packet
 * @offset: of the UDP header
 * @ends: written
 *
 * Return: false if the packet is too short.
 */
bool nwg_datagram_ends(struct sk_buff *skb, unsigned int offset, struct nwg_ends *ends);

/**
 * nwg_datagram_read - read the message in a packet
 * @skb: the packet, which may be changed in how it lies in memory
 * @datagram: written
 *
 * Return: 0, or why it cannot be one.
 */
enum nwg_relay_drop nwg_datagram_read(struct sk_buff *skb, struct nwg_datagram *datagram);

/**
 * nwg_datagram_rewrite - give a datagram other ends, as a router sends on: TTL or hop limit is counted
 * down
 * @net: namespace that it is sent in
 * @skb: the packet, with a plain header
 * @ends: the new ones, of either address family
 *
 * The UDP checksum is changed by what the ends differ in (RFC 1624), not computed anew: what was
 * damaged stays damaged to whoever checks it. None stays none, unless the datagram becomes one of
 * IPv6, which has to have one. DS field and congestion marks stay as they are.
 *
 * Context: BH off.
 * Return: 0; %NWG_DROP_NO_MEMORY; or %NWG_DROP_FAMILY, if the ends are of different families or the
 * datagram is too long for IPv4.
 */
enum nwg_relay_drop nwg_datagram_rewrite(struct net *net, struct sk_buff *skb,
					 const struct nwg_ends *ends);

/**
 * nwg_datagram_exchange - change a part of a message, and the UDP checksum by what it differs in
 * @skb: the packet, with a plain header
 * @offset: where, in the packet
 * @bytes: the new ones
 * @len: their number, a multiple of 16
 *
 * Return: false if out of memory.
 */
bool nwg_datagram_exchange(struct sk_buff *skb, unsigned int offset, const void *bytes,
			   unsigned int len);

/**
 * nwg_datagram_write - make a packet a handshake message of this machine's own
 * @net: namespace that it is sent in
 * @skb: packet of the ends' family and with room for plain headers, behind which is the message; all of
 *	it writable
 * @ends: who sends it to whom
 */
void nwg_datagram_write(struct net *net, struct sk_buff *skb, const struct nwg_ends *ends);

#endif /* _NWG_RELAY_DATAGRAM_H */
