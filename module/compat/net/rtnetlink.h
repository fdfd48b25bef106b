/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Since 6.15 what an interface is made from comes in a struct rtnl_newlink_params. Kbuild looks for it
 * and defines NWG_HAVE_NEWLINK_PARAMS if it is there. Before, the namespaces that it has were one: that of
 * the link if one was named, or else that of who asked.
 *
 * NWG_NEWLINK(function) goes before the struct rtnl_link_ops whose .newlink is nwg_newlink(function).
 */
#ifndef _NWG_COMPAT_NET_RTNETLINK_H
#define _NWG_COMPAT_NET_RTNETLINK_H

#include_next <net/rtnetlink.h>

#ifdef NWG_HAVE_NEWLINK_PARAMS
#define NWG_NEWLINK(function)
#define nwg_newlink(function) function
#else
struct rtnl_newlink_params {
	struct net *src_net;
	struct nlattr **tb;
	struct nlattr **data;
};

static inline struct net *rtnl_newlink_link_net(struct rtnl_newlink_params *params)
{
	return params->src_net;
}

#define NWG_NEWLINK(function)                                                           \
	static int function##_of_arguments(struct net *src_net, struct net_device *dev, \
					   struct nlattr *tb[], struct nlattr *data[],  \
					   struct netlink_ext_ack *extack)              \
	{                                                                               \
		struct rtnl_newlink_params params = { src_net, tb, data };              \
                                                                                        \
		return function(dev, &params, extack);                                  \
	}
#define nwg_newlink(function) function##_of_arguments
#endif

#endif /* _NWG_COMPAT_NET_RTNETLINK_H */
