/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP datagrams that go down the stack as one packet: a list under the first one's header
 * (SKB_GSO_FRAGLIST, as UDP GRO makes it of what it forwards). They come apart right above the driver,
 * or at a socket of this machine; each then has its own bytes, but addresses and ports that the first
 * one has by then, and identifications that follow its. What else somebody on the way writes into the
 * header (TTL, DS field, a congestion mark) reaches the first one only, and a queue drops all or none.
 */
#ifndef _NWG_TRANSPORT_FRAGLIST_H
#define _NWG_TRANSPORT_FRAGLIST_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dst.h>

/* As many as UDP GRO puts together. */
#define NWG_FRAGLIST_MAX 64

/*
 * Headroom that each but the first has at its network header. What is in front of the first one's where they
 * come apart is copied to there, and nobody looks whether it has room: Ethernet, VLAN tags, MPLS labels. What
 * the stack makes such lists of itself (rx-gro-list) has as much. No tunnel's header is among it, see
 * nwg_fraglist_close(), and nothing of IPsec's here, see nwg_fraglist_passes(). Behind a veth, where somebody
 * forwards a list into an SA, it is as with a list of the stack's: ESP over IPv6 has room.
 */
#define NWG_FRAGLIST_HEADROOM 80

/**
 * nwg_fraglist_append - put a datagram behind a packet's last
 * @head: the first datagram: IP packet, data at the network header, transport header set, linear
 * @last: the last one in @head, or @head itself if it is the only one
 * @skb: the next; as @head, with UDP payload as long as that of all before it, or shorter if none
 *	follows; neither it nor @head has an owner (skb->sk), and both have their checksums: nobody makes
 *	them when a list comes apart
 */
void nwg_fraglist_append(struct sk_buff *head, struct sk_buff *last, struct sk_buff *skb);

/**
 * nwg_fraglist_close - make one packet of a datagram and those that were put behind it
 * @head: the first
 * @payload: bytes of UDP payload in each but the last
 * @count: how many there are, more than one
 */
void nwg_fraglist_close(struct sk_buff *head, unsigned int payload, unsigned int count);

/* Bytes of the IP and the UDP header of a datagram as above. */
static inline unsigned int nwg_fraglist_header_len(const struct sk_buff *skb)
{
	return skb_network_header_len(skb) + sizeof(struct udphdr);
}

/*
 * Whether what leaves by a route may be a list. Light-weight tunnels put headers in front that the headroom is
 * not meant for; and ESP in transport mode takes a list for one packet, of which it makes room in the first only.
 */
static inline bool nwg_fraglist_passes(const struct dst_entry *dst)
{
	return !dst->lwtstate && !dst_xfrm(dst);
}

/* Whether a datagram has the room to be put behind others that leave by an interface. */
static inline bool nwg_fraglist_has_room(const struct sk_buff *skb, const struct net_device *dev)
{
	return skb_headroom(skb) >=
	       max_t(unsigned int, NWG_FRAGLIST_HEADROOM, LL_RESERVED_SPACE(dev));
}

#endif /* _NWG_TRANSPORT_FRAGLIST_H */
