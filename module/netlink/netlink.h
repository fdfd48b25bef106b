/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family "nwg".
 */
#ifndef _NWG_NETLINK_NETLINK_H
#define _NWG_NETLINK_NETLINK_H

#include <net/genetlink.h>

#include "../../uapi/nwg.h"

struct nwg_device;
struct nwg_flow;
struct nwg_peer;
struct nwg_relay;
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

/* Its multicast groups, by their place */
enum nwg_group {
	NWG_GROUP_EVENTS,
};

/* device.c */
int nwg_nl_get_device_start(struct netlink_callback *cb);
int nwg_nl_get_device_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nwg_nl_get_device_done(struct netlink_callback *cb);
int nwg_nl_set_device(struct sk_buff *skb, struct genl_info *info);
int nwg_nl_drop_in_set_device(struct sk_buff *skb, struct genl_info *info);
extern const struct nla_policy nwg_get_device_policy[];
extern const struct nla_policy nwg_set_device_policy[];
extern const struct nla_policy nwg_drop_in_policy[];

/*
 * Write what is told of a peer, but for its keys and allowed IPs. Context: any but hard interrupts.
 * Return: 0 or -EMSGSIZE.
 */
int nwg_nl_put_peer_state(struct sk_buff *skb, struct nwg_peer *peer);

/* relay.c */
int nwg_nl_relay_new(struct sk_buff *skb, struct genl_info *info);
int nwg_nl_relay_set(struct sk_buff *skb, struct genl_info *info);
int nwg_nl_relay_del(struct sk_buff *skb, struct genl_info *info);
extern const struct nla_policy nwg_relay_policy[];
extern const struct nla_policy nwg_relay_del_policy[];

/**
 * struct nwg_nl_listen - types of the attributes that name a relay
 * @port: its port
 * @ip4: its address
 * @ip6: its address
 * @ifindex: its ingress interface
 */
struct nwg_nl_listen {
	int port;
	int ip4;
	int ip6;
	int ifindex;
};

/* Of the relay commands and events. */
extern const struct nwg_nl_listen nwg_nl_relay_listen;

/*
 * Read where a relay listens from the attributes of one command or another; its interface is there.
 * Whether there is a relay is the caller's question.
 */
int nwg_nl_read_listen(struct net *net, struct nlattr **attrs, const struct nwg_nl_listen *types,
		       struct nwg_relay_listen *listen, struct netlink_ext_ack *extack);

/* dump.c */
int nwg_nl_relay_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nwg_nl_flow_start(struct netlink_callback *cb);
int nwg_nl_flow_dump(struct sk_buff *skb, struct netlink_callback *cb);
int nwg_nl_flow_done(struct netlink_callback *cb);
extern const struct nla_policy nwg_relay_get_policy[];
extern const struct nla_policy nwg_flow_policy[];

/* Write what is told of a relay. Context: RCU read section. Return: 0 or -EMSGSIZE. */
int nwg_nl_put_relay(struct sk_buff *skb, const struct nwg_relay *relay);

/*
 * Write what is told of a flow. Context: RCU read section, or relay->lock held. Return: 0 or
 * -EMSGSIZE.
 */
int nwg_nl_put_flow(struct sk_buff *skb, const struct nwg_flow *flow);

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
 * Likewise, an interface that relays can be over: ours, or the stock module's. Return: held, or ERR_PTR
 * as above.
 */
struct net_device *nwg_nl_find_relay_dev(struct net *net, struct nlattr **attrs, int ifindex_type,
					 int ifname_type, struct netlink_ext_ack *extack);

/* Write an interface's name, which may change meanwhile. Return: as nla_put(). Context: any. */
int nwg_nl_put_ifname(struct sk_buff *skb, int type, const struct net_device *dev);

/*
 * Register the family, and with @drop_in the family "wireguard" as well: -EEXIST if another module
 * has it. Context: process.
 */
int nwg_netlink_init(bool drop_in);
void nwg_netlink_exit(bool drop_in);

#endif /* _NWG_NETLINK_NETLINK_H */
