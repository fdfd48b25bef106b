// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "nwg": its commands, its multicast group, and how a request names an
 * interface. With drop_in, the family "wireguard", too.
 *
 * Operations run in parallel (parallel_ops): the update_lock of the interface that they name
 * protects what they read and change, and one that waits there - for a grace period, or for a dump
 * of many peers - must not hold up all other families, which share a mutex. What spans interfaces
 * an operation has to lock itself. Order of locks: cb_lock of generic netlink, which the core holds
 * for reading, in the later parts of a dump the socket's cb_mutex alone, then RTNL if the operation takes
 * it, then update_lock.
 *
 * Each command has either a do or a dump, so plain genl_ops suffice on all kernels. Validation is
 * the strict one (.validate is 0): unknown attributes, nests without NLA_F_NESTED and trailing bytes
 * are refused. In family "nwg", whose .resv_start_op is 0, so are message flags other than the
 * core's and what is in the header's reserved field.
 */
#include <linux/netdevice.h>

#include "device.h"
#include "netlink.h"
#include "relay/stock.h"

static const struct genl_ops family_ops[] = {
	{
		.cmd = NWG_CMD_GET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = nwg_get_device_policy,
		.maxattr = NWG_DEVICE_A_IFNAME,
		.start = nwg_nl_get_device_start,
		.dumpit = nwg_nl_get_device_dump,
		.done = nwg_nl_get_device_done,
	},
	{
		.cmd = NWG_CMD_SET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = nwg_set_device_policy,
		.maxattr = NWG_DEVICE_A_MAX,
		.doit = nwg_nl_set_device,
	},
	{
		.cmd = NWG_CMD_RELAY_NEW,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = nwg_relay_policy,
		.maxattr = NWG_RELAY_A_MAX,
		.doit = nwg_nl_relay_new,
	},
	{
		.cmd = NWG_CMD_RELAY_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = nwg_relay_policy,
		.maxattr = NWG_RELAY_A_MAX,
		.doit = nwg_nl_relay_set,
	},
	{
		.cmd = NWG_CMD_RELAY_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = nwg_relay_del_policy,
		.maxattr = NWG_RELAY_A_LISTEN_IFINDEX,
		.doit = nwg_nl_relay_del,
	},
	{
		.cmd = NWG_CMD_RELAY_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = nwg_relay_get_policy,
		.maxattr = NWG_RELAY_A_IFNAME,
		.dumpit = nwg_nl_relay_dump,
	},
	{
		.cmd = NWG_CMD_FLOW_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = nwg_flow_policy,
		.maxattr = NWG_FLOW_A_MAX,
		.start = nwg_nl_flow_start,
		.dumpit = nwg_nl_flow_dump,
		.done = nwg_nl_flow_done,
	},
};

static const struct genl_multicast_group groups[] = {
	[NWG_GROUP_EVENTS] = { .name = NWG_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

struct genl_family nwg_genl_family __ro_after_init = {
	.name = NWG_GENL_NAME,
	.version = NWG_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = family_ops,
	.n_ops = ARRAY_SIZE(family_ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

static const struct genl_ops drop_in_ops[] = {
	{
		.cmd = NWG_CMD_GET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = nwg_nl_get_device_start,
		.dumpit = nwg_nl_get_device_dump,
		.done = nwg_nl_get_device_done,
	},
	{
		.cmd = NWG_CMD_SET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nwg_nl_drop_in_set_device,
	},
};

/*
 * Version 1 of the stock module's family: the first two commands, whose numbers it has, with the
 * policy and the headers that it takes.
 */
static struct genl_family drop_in_family __ro_after_init = {
	.name = NWG_DROP_IN_NAME,
	.version = 1,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.policy = nwg_drop_in_policy,
	.maxattr = NWG_DEVICE_A_MAX,
	.resv_start_op = NWG_CMD_SET_DEVICE + 1,
	.ops = drop_in_ops,
	.n_ops = ARRAY_SIZE(drop_in_ops),
};

/* On 6.1 the refusal of a dump has the text alone: that names the attribute, too. */
#define NOT_FOUND(extack, ifindex, ifname, msg)                                \
	do {                                                                   \
		if (ifindex)                                                   \
			NL_SET_ERR_MSG_ATTR(extack, ifindex, "IFINDEX: " msg); \
		else                                                           \
			NL_SET_ERR_MSG_ATTR(extack, ifname, "IFNAME: " msg);   \
	} while (0)

/* The interface of whatever kind that a request names, held; or ERR_PTR. */
static struct net_device *find_netdev(struct net *net, const struct nlattr *ifindex,
				      const struct nlattr *ifname, int ifname_type,
				      struct netlink_ext_ack *extack)
{
	struct net_device *dev;

	if (!ifindex && !ifname) {
		NL_SET_ERR_MSG(extack, "no interface: give IFINDEX or IFNAME");
		NL_SET_ERR_ATTR_MISS(extack, NULL, ifname_type);
		return ERR_PTR(-EBADR);
	}
	if (ifindex && ifname) {
		NL_SET_ERR_MSG_ATTR(extack, ifname, "IFNAME and IFINDEX: give one, not both");
		return ERR_PTR(-EBADR);
	}

	dev = ifindex ? dev_get_by_index(net, nla_get_u32(ifindex)) :
			dev_get_by_name(net, nla_data(ifname));
	if (!dev) {
		NOT_FOUND(extack, ifindex, ifname, "no such interface in this network namespace");
		return ERR_PTR(-ENODEV);
	}
	return dev;
}

struct nwg_device *nwg_nl_find_device(struct net *net, struct nlattr **attrs, int ifindex_type,
				      int ifname_type, struct netlink_ext_ack *extack)
{
	const struct nlattr *ifindex = attrs[ifindex_type];
	const struct nlattr *ifname = attrs[ifname_type];
	struct net_device *dev;
	struct nwg_device *wg;

	dev = find_netdev(net, ifindex, ifname, ifname_type, extack);
	if (IS_ERR(dev))
		return ERR_CAST(dev);
	wg = nwg_device_from_netdev(dev);
	if (!wg) {
		dev_put(dev);
		NOT_FOUND(extack, ifindex, ifname,
			  "the interface is not of kind " NWG_LINK_KIND
			  ", nor of kind " NWG_DROP_IN_NAME " served by drop_in=1");
		return ERR_PTR(-EOPNOTSUPP);
	}
	return wg;
}

struct net_device *nwg_nl_find_relay_dev(struct net *net, struct nlattr **attrs, int ifindex_type,
					 int ifname_type, struct netlink_ext_ack *extack)
{
	const struct nlattr *ifindex = attrs[ifindex_type];
	const struct nlattr *ifname = attrs[ifname_type];
	struct net_device *dev;
	bool fits;

	dev = find_netdev(net, ifindex, ifname, ifname_type, extack);
	if (IS_ERR(dev))
		return dev;
	rcu_read_lock();
	fits = nwg_device_from_netdev(dev) || nwg_is_stock(dev);
	rcu_read_unlock();
	if (fits)
		return dev;
	dev_put(dev);
	NOT_FOUND(extack, ifindex, ifname,
		  "the interface is neither of kind " NWG_LINK_KIND
		  " nor of kind " NWG_DROP_IN_NAME);
	return ERR_PTR(-EOPNOTSUPP);
}

int nwg_nl_put_ifname(struct sk_buff *skb, int type, const struct net_device *dev)
{
	char name[IFNAMSIZ];

	strscpy(name, dev->name, sizeof(name));
	return nla_put_string(skb, type, name);
}

int __init nwg_netlink_init(bool drop_in)
{
	int err;

	err = genl_register_family(&nwg_genl_family);
	if (err || !drop_in)
		return err;
	err = genl_register_family(&drop_in_family);
	if (err)
		genl_unregister_family(&nwg_genl_family);
	return err;
}

void nwg_netlink_exit(bool drop_in)
{
	if (drop_in)
		genl_unregister_family(&drop_in_family);
	genl_unregister_family(&nwg_genl_family);
}
