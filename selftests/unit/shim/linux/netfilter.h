/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_NETFILTER_H
#define _SHIM_LINUX_NETFILTER_H

#include <linux/skbuff.h>

#define NF_INET_PRE_ROUTING 0

/* 0 if the UDP checksum is right */
__sum16 nf_checksum(struct sk_buff *skb, unsigned int hook, unsigned int offset, u8 protocol,
		    unsigned short family);

#endif /* _SHIM_LINUX_NETFILTER_H */
