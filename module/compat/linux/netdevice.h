/* SPDX-License-Identifier: GPL-2.0 */
/*
 * That an interface sends without a lock of its queue was a feature bit up to 6.11, and is a field
 * since. Kbuild looks for the bit and defines NWG_HAVE_F_LLTX if it is there.
 *
 * What GRO holds for a poll is a part of its own since 6.15. Kbuild looks for that and defines
 * NWG_HAVE_GRO_NODE if it is there.
 *
 * An interface's counters of packets, one set for each CPU, are allocated and freed by the kernel, if it can
 * be told which. Kbuild looks for that and defines NWG_HAVE_PCPU_STAT_TYPE; otherwise it is done here.
 */
#ifndef _NWG_COMPAT_LINUX_NETDEVICE_H
#define _NWG_COMPAT_LINUX_NETDEVICE_H

#include_next <linux/netdevice.h>

static inline void nwg_netdev_set_lltx(struct net_device *dev)
{
#ifdef NWG_HAVE_F_LLTX
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

/* Before it is registered */
static inline void nwg_netdev_set_tstats(struct net_device *dev)
{
#ifdef NWG_HAVE_PCPU_STAT_TYPE
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
#endif
}

/* In ndo_init. Return: 0 or -ENOMEM. */
static inline int nwg_netdev_alloc_tstats(struct net_device *dev)
{
#ifndef NWG_HAVE_PCPU_STAT_TYPE
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		return -ENOMEM;
#endif
	return 0;
}

static inline void nwg_netdev_free_tstats(struct net_device *dev)
{
#ifndef NWG_HAVE_PCPU_STAT_TYPE
	free_percpu(dev->tstats);
#endif
}

/* Whether GRO holds no packet of a poll's, to be merged or on its way up. In the poll. */
static inline bool nwg_gro_is_empty(const struct napi_struct *napi)
{
#ifdef NWG_HAVE_GRO_NODE
	return !napi->gro.bitmask && !napi->gro.rx_count;
#else
	return !napi->gro_bitmask && !napi->rx_count;
#endif
}

#endif /* _NWG_COMPAT_LINUX_NETDEVICE_H */
