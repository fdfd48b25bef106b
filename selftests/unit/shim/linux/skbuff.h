/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A packet: what begins it lies in one piece, of exactly that size, and moves whenever it may in the
 * kernel; the rest lies elsewhere.
 */
#ifndef _SHIM_LINUX_SKBUFF_H
#define _SHIM_LINUX_SKBUFF_H

#include <assert.h>
#include <errno.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <stdlib.h>
#include <string.h>

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define IPPROTO_UDP 17
#define AF_INET 2
#define AF_INET6 10

#define CHECKSUM_NONE 0
#define CHECKSUM_UNNECESSARY 1
#define CHECKSUM_COMPLETE 2
#define CHECKSUM_PARTIAL 3

/**
 * struct sk_buff - a packet
 * @head: where the memory of the first part begins
 * @data: where the packet does, in it
 * @linear: length of the first part
 * @rest: the second part
 * @len: of both
 * @protocol: ETH_P_*
 * @ip_summed: CHECKSUM_*
 * @csum_start: from where on the checksum is to be made, counted from @head
 * @csum_offset: and where it is to be written, counted from there
 */
struct sk_buff {
	u8 *head;
	u8 *data;
	unsigned int linear;
	const u8 *rest;
	unsigned int len;
	__be16 protocol;
	u8 ip_summed;
	u16 csum_start;
	u16 csum_offset;
};

static inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct iphdr *)skb->data;
}

static inline struct ipv6hdr *ipv6_hdr(const struct sk_buff *skb)
{
	return (struct ipv6hdr *)skb->data;
}

static inline void shim_copy_bits(const struct sk_buff *skb, unsigned int offset, void *to,
				  unsigned int len)
{
	const unsigned int first = offset < skb->linear ? min(len, skb->linear - offset) : 0;

	if (first)
		memcpy(to, skb->data + offset, first);
	if (len > first)
		memcpy(to + first, skb->rest + offset + first - skb->linear, len - first);
}

/* Put the first part, of @len bytes now, behind @headroom unused ones elsewhere. */
static inline void shim_move(struct sk_buff *skb, unsigned int len, unsigned int headroom)
{
	u8 *head = malloc(headroom + len);

	assert(head);
	shim_copy_bits(skb, 0, head + headroom, len);
	skb->csum_start += headroom - (skb->data - skb->head);
	free(skb->head);
	skb->head = head;
	skb->data = head + headroom;
	skb->rest += len - skb->linear;
	skb->linear = len;
}

static inline bool pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	if (len > skb->len)
		return false;
	if (len > skb->linear)
		shim_move(skb, len, 0);
	return true;
}

static inline int skb_ensure_writable(struct sk_buff *skb, unsigned int len)
{
	if (len > skb->len)
		return -ENOMEM;
	shim_move(skb, max(len, skb->linear), 0);
	return 0;
}

static inline int skb_cow_head(struct sk_buff *skb, unsigned int headroom)
{
	shim_move(skb, skb->linear, headroom);
	return 0;
}

static inline void *__skb_pull(struct sk_buff *skb, unsigned int len)
{
	assert(len <= skb->linear);
	skb->data += len;
	skb->linear -= len;
	skb->len -= len;
	return skb->data;
}

static inline void *__skb_push(struct sk_buff *skb, unsigned int len)
{
	assert(len <= skb->data - skb->head);
	skb->data -= len;
	skb->linear += len;
	skb->len += len;
	return skb->data;
}

static inline void *skb_header_pointer(const struct sk_buff *skb, unsigned int offset,
				       unsigned int len, void *buffer)
{
	if (offset > skb->len || len > skb->len - offset)
		return NULL;
	if (offset + len <= skb->linear)
		return skb->data + offset;
	shim_copy_bits(skb, offset, buffer, len);
	return buffer;
}

static inline __wsum skb_checksum(const struct sk_buff *skb, unsigned int offset, unsigned int len,
				  __wsum sum)
{
	void *bytes = malloc(len);

	shim_copy_bits(skb, offset, bytes, len);
	sum = csum_partial(bytes, len, sum);
	free(bytes);
	return sum;
}

/* Headers have their place in a packet. */
#define skb_reset_network_header(skb) ((void)(skb))
#define skb_set_transport_header(skb, offset) ((void)(skb), (void)(offset))
#define skb_forward_csum(skb) ((void)(skb))

static inline int skb_checksum_start_offset(const struct sk_buff *skb)
{
	return skb->csum_start - (skb->data - skb->head);
}

static inline bool skb_csum_unnecessary(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL;
}

#endif /* _SHIM_LINUX_SKBUFF_H */
