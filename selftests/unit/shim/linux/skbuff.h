/* SPDX-License-Identifier: GPL-2.0 */
/* A packet lies in one piece, with its network header first. */
#ifndef _SHIM_LINUX_SKBUFF_H
#define _SHIM_LINUX_SKBUFF_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define ETH_P_IP 0x0800
#define IPPROTO_UDP 17

struct sk_buff {
	u8 *data;
	unsigned int len;
	__be16 protocol;
};

#define ip_hdr(skb) ((struct iphdr *)(skb)->data)
#define ipv6_hdr(skb) ((struct ipv6hdr *)(skb)->data)

#endif /* _SHIM_LINUX_SKBUFF_H */
