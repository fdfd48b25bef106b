/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family "nwg".
 */
#ifndef _NWG_NETLINK_NETLINK_H
#define _NWG_NETLINK_NETLINK_H

#include <net/genetlink.h>

#include "../../uapi/nwg.h"

struct nwg_device;
struct nwg_relay_listen;

/* Policy of an attribute that only the kernel sends. */
#define READ_ONLY                                                                  \
	{                                                                          \
		.type = NLA_REJECT, .reject_message = "the attribute is read only" \
	}

/* Refuse: an attribute is missing. Prints what it is for and which it is. */
#define REFUSE_MISSING(extack, type, msg)                   \
	({                                                  \
		NL_SET_ERR_MSG(extack, msg);                \
		NL_SET_ERR_ATTR_MISS(extack, NULL, (type)); \
		-EINVAL;                                    \
	})

/* Refuse: an attribute is wrong. */
#define REFUSE(extack, attr, err, msg)                  \
	({                                              \
		NL_SET_ERR_MSG_ATTR(extack, attr, msg); \
		(err);                                  \
	})

extern struct genl_family nwg_genl_family;

/* device.c */
int nwg_nl_get_device_start(struct netlink_callback *cb);
int nwg_nl_get_device_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nwg_nl_get_device_done(struct netlink_callback *cb);
int nwg_nl_set_device(struct sk_buff *skb, struct genl_info *info);
int nwg_nl_drop_in_set_device(struct sk_buff *skb, struct genl_info *info);
extern const struct nla_policy nwg_get_device_policy[];
extern const struct nla_policy nwg_set_device_policy[];
extern const struct nla_policy nwg_drop_in_policy[];

/* relay.c */
int nwg_nl_relay_new(struct sk_buff *skb, struct genl_info *info);
int nwg_nl_relay_set(struct sk_buff *skb, struct genl_info *info);
int nwg_nl_relay_del(struct sk_buff *skb, struct genl_info *info);
extern const struct nla_policy nwg_relay_policy[];
extern const struct nla_policy nwg_relay_del_policy[];

/*
 * Read where a relay listens from the attributes of one command or another. Whether there is a relay
 * is the caller's question.
 */
int nwg_nl_read_listen(struct nlattr **attrs, int port_type, int ip4_type, int ip6_type,
		       struct nwg_relay_listen *listen, struct netlink_ext_ack *extack);

/* dump.c */
int nwg_nl_relay_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nwg_nl_flow_start(struct netlink_callback *cb);
int nwg_nl_flow_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nwg_nl_flow_done(struct netlink_callback *cb);
extern const struct nla_policy nwg_relay_get_policy[];
extern const struct nla_policy nwg_flow_policy[];

/**
 * nwg_nl_find_device - find the interface that a request names
 * @net: network namespace of the request
 * @attrs: parsed attributes
 * @ifindex_type: type of the u32 attribute with the interface's index
 * @ifname_type: type of the string attribute with its name
 * @extack: told why not
 *
 * Return: the interface with its net_device held (dev_put() it), or ERR_PTR: -EBADR if both or none
 * are given, -ENODEV, -EOPNOTSUPP if it is of another kind.
 */
struct nwg_device *nwg_nl_find_device(struct net *net, struct nlattr **attrs, int ifindex_type,
				      int ifname_type, struct netlink_ext_ack *extack);

/*
 * Register the family, and with @drop_in the family "wireguard" as well: -EEXIST if another module
 * has it. Context: process.
 */
int nwg_netlink_init(bool drop_in);
void nwg_netlink_exit(bool drop_in);

#endif /* _NWG_NETLINK_NETLINK_H */
