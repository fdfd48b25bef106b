// SPDX-License-Identifier: GPL-2.0
/*
 * GET_DEVICE and SET_DEVICE: the configuration of one interface, with the attributes and the
 * semantics of the stock "wireguard" family.
 *
 * Keys in netlink buffers: SET_DEVICE wipes those of the request, whatever becomes of it, unless
 * the core refuses it before it comes here: for its header, for lack of privilege, or by the policy.
 * The reply of GET_DEVICE belongs to the core as soon as it is written: the receiving socket frees
 * it, with a destructor of the core's, perhaps long after this module is gone, so nothing here can
 * wipe it then (the boot option init_on_free=1 makes the kernel wipe all that it frees).
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "transport/send.h"

#define PROTOCOL_VERSION 1

static const struct nla_policy allowedip_policy[NWG_ALLOWEDIP_A_MAX + 1] = {
	[NWG_ALLOWEDIP_A_FAMILY] = { .type = NLA_U16 },
	[NWG_ALLOWEDIP_A_IPADDR] = NLA_POLICY_MIN_LEN(sizeof(struct in_addr)),
	[NWG_ALLOWEDIP_A_CIDR_MASK] = { .type = NLA_U8 },
	[NWG_ALLOWEDIP_A_FLAGS] = { .type = NLA_U32 },
};

/* What may be in a request. */
#define PEER_POLICY                                                          \
	[NWG_PEER_A_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(NWG_KEY_LEN),         \
	[NWG_PEER_A_PRESHARED_KEY] = NLA_POLICY_EXACT_LEN(NWG_KEY_LEN),      \
	[NWG_PEER_A_FLAGS] = { .type = NLA_U32 },                            \
	[NWG_PEER_A_ENDPOINT] = NLA_POLICY_MIN_LEN(sizeof(struct sockaddr)), \
	[NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = { .type = NLA_U16 },    \
	[NWG_PEER_A_ALLOWEDIPS] = NLA_POLICY_NESTED_ARRAY(allowedip_policy), \
	[NWG_PEER_A_PROTOCOL_VERSION] = { .type = NLA_U32 }

static const struct nla_policy peer_policy[NWG_PEER_A_MAX + 1] = {
	PEER_POLICY,
	[NWG_PEER_A_LAST_HANDSHAKE_TIME] = READ_ONLY,
	[NWG_PEER_A_RX_BYTES] = READ_ONLY,
	[NWG_PEER_A_TX_BYTES] = READ_ONLY,
};

static const struct nla_policy drop_in_peer_policy[NWG_PEER_A_MAX + 1] = {
	PEER_POLICY,
	[NWG_PEER_A_LAST_HANDSHAKE_TIME] = NLA_POLICY_MIN_LEN(sizeof(struct __kernel_timespec)),
	[NWG_PEER_A_RX_BYTES] = { .type = NLA_U64 },
	[NWG_PEER_A_TX_BYTES] = { .type = NLA_U64 },
};

#define DEVICE_POLICY                                                            \
	[NWG_DEVICE_A_IFINDEX] = { .type = NLA_U32 },                            \
	[NWG_DEVICE_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 }, \
	[NWG_DEVICE_A_PRIVATE_KEY] = NLA_POLICY_EXACT_LEN(NWG_KEY_LEN),          \
	[NWG_DEVICE_A_FLAGS] = { .type = NLA_U32 },                              \
	[NWG_DEVICE_A_LISTEN_PORT] = { .type = NLA_U16 }, [NWG_DEVICE_A_FWMARK] = { .type = NLA_U32 }

const struct nla_policy nwg_get_device_policy[NWG_DEVICE_A_IFNAME + 1] = {
	[NWG_DEVICE_A_IFINDEX] = { .type = NLA_U32 },
	[NWG_DEVICE_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
};

const struct nla_policy nwg_set_device_policy[NWG_DEVICE_A_MAX + 1] = {
	DEVICE_POLICY,
	[NWG_DEVICE_A_PUBLIC_KEY] = READ_ONLY,
	[NWG_DEVICE_A_PEERS] = NLA_POLICY_NESTED_ARRAY(peer_policy),
};

/* As the stock module, family "wireguard" ignores what is read only or not of the command. */
const struct nla_policy nwg_drop_in_policy[NWG_DEVICE_A_MAX + 1] = {
	DEVICE_POLICY,
	[NWG_DEVICE_A_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(NWG_KEY_LEN),
	[NWG_DEVICE_A_PEERS] = NLA_POLICY_NESTED_ARRAY(drop_in_peer_policy),
};

/**
 * struct device_dump - where a dump of an interface goes on
 * @ifindex: the interface that it began with, 0 before the first message. There is no reference to
 *	it: held while user space takes its time, it would keep the interface from being deleted.
 * @generation: the interface's at the last message
 * @peer_id: the peer to go on with
 * @peer_key: its public key
 * @skip: how many of its allowed IPs are dumped already; if any are, all else of it is, too
 * @next: the one to go on with, if @skip is not 0; of @generation only
 */
struct device_dump {
	int ifindex;
	unsigned int generation;
	u64 peer_id;
	u8 peer_key[NWG_KEY_LEN];
	unsigned int skip;
	const struct list_head *next;
};

static struct device_dump *device_dump(struct netlink_callback *cb)
{
	return *(struct device_dump **)cb->ctx;
}

/* The interface that a dump is of: by its index once it has begun, so that it may be renamed. */
static struct nwg_device *dumped_device(struct netlink_callback *cb, int ifindex)
{
	struct net *net = sock_net(cb->skb->sk);
	struct net_device *dev;
	struct nwg_device *wg;

	if (!ifindex)
		return nwg_nl_find_device(net, genl_info_dump(cb)->attrs, NWG_DEVICE_A_IFINDEX,
					  NWG_DEVICE_A_IFNAME, cb->extack);
	dev = dev_get_by_index(net, ifindex);
	wg = dev ? nwg_device_from_netdev(dev) : NULL;
	if (wg)
		return wg;
	dev_put(dev);
	NL_SET_ERR_MSG(cb->extack, "the interface was removed");
	return ERR_PTR(-ENODEV);
}

/*
 * A refusal here is a message of its own, NLMSG_ERROR. That of the first dump is in its NLMSG_DONE,
 * where some libraries for the stock module's family have not looked. On 6.1 there is no extended
 * ack here, so in our own family it is left to the dump, where there is the text of one.
 */
int nwg_nl_get_device_start(struct netlink_callback *cb)
{
	struct device_dump *dump;
	struct nwg_device *wg;

	if (genl_info_dump(cb)->family != &nwg_genl_family) {
		wg = dumped_device(cb, 0);
		if (IS_ERR(wg))
			return PTR_ERR(wg);
		dev_put(wg->dev);
	}
	dump = kzalloc(sizeof(*dump), GFP_KERNEL_ACCOUNT);
	if (!dump)
		return -ENOMEM;
	*(struct device_dump **)cb->ctx = dump;
	return 0;
}

int nwg_nl_get_device_done(struct netlink_callback *cb)
{
	kfree(device_dump(cb));
	return 0;
}

static int put_allowedip(struct sk_buff *skb, const struct list_head *entry)
{
	u16 family;
	u8 addr[16];
	u8 cidr;
	struct nlattr *nest;

	family = allowedips_node_read(entry, addr, &cidr);
	nest = nla_nest_start(skb, 0);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u16(skb, NWG_ALLOWEDIP_A_FAMILY, family) ||
	    nla_put(skb, NWG_ALLOWEDIP_A_IPADDR,
		    family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr), addr) ||
	    nla_put_u8(skb, NWG_ALLOWEDIP_A_CIDR_MASK, cidr)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * Write the allowed IPs of a peer, from the one where the dump goes on.
 * Return: 0 if all went in; -EAGAIN if some did, which @dump has then; -EMSGSIZE if none did.
 */
static int put_allowedips(struct sk_buff *skb, const struct nwg_peer *peer,
			  struct device_dump *dump)
{
	const struct list_head *entry = dump->skip ? dump->next : peer->allowedips.next;
	unsigned int count = 0;
	struct nlattr *nest;
	int err = 0;

	nest = nla_nest_start(skb, NWG_PEER_A_ALLOWEDIPS);
	if (!nest)
		return -EMSGSIZE;
	for (; entry != &peer->allowedips; entry = entry->next) {
		err = put_allowedip(skb, entry);
		if (err)
			break;
		count++;
	}
	if (err && !count) {
		nla_nest_cancel(skb, nest);
		return err;
	}
	nla_nest_end(skb, nest);
	dump->skip += count;
	dump->next = entry;
	return err ? -EAGAIN : 0;
}

static int put_endpoint(struct sk_buff *skb, struct nwg_peer *peer)
{
	struct nwg_endpoint endpoint;

	nwg_endpoint_read(&endpoint, peer);
	switch (endpoint.addr.sa_family) {
	case AF_INET:
		return nla_put(skb, NWG_PEER_A_ENDPOINT, sizeof(endpoint.addr4), &endpoint.addr4);
	case AF_INET6:
		return nla_put(skb, NWG_PEER_A_ENDPOINT, sizeof(endpoint.addr6), &endpoint.addr6);
	}
	return 0;
}

int nwg_nl_put_peer_state(struct sk_buff *skb, struct nwg_peer *peer)
{
	struct timespec64 time = ns_to_timespec64(atomic64_read(&peer->last_handshake));
	struct __kernel_timespec last_handshake = {
		.tv_sec = time.tv_sec,
		.tv_nsec = time.tv_nsec,
	};

	if (put_endpoint(skb, peer) ||
	    nla_put(skb, NWG_PEER_A_LAST_HANDSHAKE_TIME, sizeof(last_handshake), &last_handshake) ||
	    nla_put_u16(skb, NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
			READ_ONCE(peer->persistent_keepalive)) ||
	    nla_put_u64_64bit(skb, NWG_PEER_A_RX_BYTES, atomic64_read(&peer->rx_bytes),
			      NWG_PEER_A_PAD) ||
	    nla_put_u64_64bit(skb, NWG_PEER_A_TX_BYTES, atomic64_read(&peer->tx_bytes),
			      NWG_PEER_A_PAD) ||
	    nla_put_u32(skb, NWG_PEER_A_PROTOCOL_VERSION, PROTOCOL_VERSION))
		return -EMSGSIZE;
	return 0;
}

static int put_preshared(struct sk_buff *skb, struct nwg_peer *peer)
{
	int err;

	down_read(&peer->handshake.lock);
	err = nla_put(skb, NWG_PEER_A_PRESHARED_KEY, NWG_KEY_LEN, peer->remote.preshared);
	up_read(&peer->handshake.lock);
	return err;
}

/* Write a peer, or the rest of one. Return: as put_allowedips(); if -EMSGSIZE, nothing went in. */
static int put_peer(struct sk_buff *skb, struct nwg_peer *peer, struct device_dump *dump)
{
	struct nlattr *nest = nla_nest_start(skb, 0);
	int err = -EMSGSIZE;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put(skb, NWG_PEER_A_PUBLIC_KEY, NWG_KEY_LEN, peer->remote.public))
		goto cancel;
	if (!dump->skip && (put_preshared(skb, peer) || nwg_nl_put_peer_state(skb, peer)))
		goto cancel;
	err = put_allowedips(skb, peer, dump);
	if (err == -EMSGSIZE)
		goto cancel;
	nla_nest_end(skb, nest);
	return err;

cancel:
	nla_nest_cancel(skb, nest);
	return err;
}

/*
 * The peer that a dump goes on with, or NULL if none is left. The peers are listed by rising id.
 * @changed: something was, since the last message.
 */
static struct nwg_peer *dump_resume(struct nwg_device *wg, struct device_dump *dump, bool changed)
{
	struct nwg_peer *peer = nwg_peer_lookup(wg, dump->peer_key);
	unsigned int i;

	if (peer && peer->id == dump->peer_id) {
		if (!changed)
			return peer;
		dump->next = peer->allowedips.next;
		for (i = 0; i < dump->skip && dump->next != &peer->allowedips; i++)
			dump->next = dump->next->next;
		return peer;
	}
	/* It was removed meanwhile: with the next one. User space is told by NLM_F_DUMP_INTR. */
	dump->skip = 0;
	list_for_each_entry(peer, &wg->peers, list) {
		if (peer->id > dump->peer_id)
			return peer;
	}
	return NULL;
}

/* Write @peer and those behind it. Return: 0 if all went in, -EAGAIN if some, -EMSGSIZE if none. */
static int put_peers(struct sk_buff *skb, struct nwg_device *wg, struct nwg_peer *peer,
		     struct device_dump *dump)
{
	struct nlattr *nest = nla_nest_start(skb, NWG_DEVICE_A_PEERS);
	bool any = false;
	int err = 0;

	if (!nest)
		return -EMSGSIZE;
	if (peer) {
		list_for_each_entry_from(peer, &wg->peers, list) {
			err = put_peer(skb, peer, dump);
			any |= err != -EMSGSIZE;
			if (err) {
				dump->peer_id = peer->id;
				memcpy(dump->peer_key, peer->remote.public, NWG_KEY_LEN);
				break;
			}
			dump->skip = 0;
		}
	}
	nla_nest_end(skb, nest);
	if (err)
		return any ? -EAGAIN : -EMSGSIZE;
	return 0;
}

static int put_interface(struct sk_buff *skb, struct nwg_device *wg)
{
	int err = 0;

	if (nla_put_u32(skb, NWG_DEVICE_A_IFINDEX, wg->dev->ifindex) ||
	    nla_put_u16(skb, NWG_DEVICE_A_LISTEN_PORT, wg->port) ||
	    nla_put_u32(skb, NWG_DEVICE_A_FWMARK, wg->fwmark))
		return -EMSGSIZE;

	down_read(&wg->identity_lock);
	if (wg->has_identity)
		err = nla_put(skb, NWG_DEVICE_A_PRIVATE_KEY, NWG_KEY_LEN, wg->identity.private) ?:
			      nla_put(skb, NWG_DEVICE_A_PUBLIC_KEY, NWG_KEY_LEN,
				      wg->identity.public);
	up_read(&wg->identity_lock);
	return err;
}

/*
 * Whether an interface is still where a request has found it: in another network namespace others have
 * the say. Context: update_lock held, with which they have it.
 */
static int check_still_there(const struct nwg_device *wg, const struct net *net,
			     struct netlink_ext_ack *extack)
{
	if (wg->dev->reg_state == NETREG_REGISTERED && net_eq(dev_net(wg->dev), net))
		return 0;
	NL_SET_ERR_MSG(extack, "the interface was removed, or moved to another network namespace");
	return -ENODEV;
}

/* Fill one message of a dump. Return: as put_peers(), or -ENODEV. */
static int dump_message(struct sk_buff *skb, struct netlink_callback *cb, struct nwg_device *wg)
{
	struct device_dump *dump = device_dump(cb);
	struct nwg_peer *peer;
	bool first = !dump->ifindex, changed;
	void *message;
	int err;

	lockdep_assert_held(&wg->update_lock);

	err = check_still_there(wg, sock_net(cb->skb->sk), cb->extack);
	if (err)
		return err;
	dump->ifindex = wg->dev->ifindex;
	/* Never 0, which means that there was no message before. */
	cb->seq = wg->generation << 1 | 1;
	changed = wg->generation != dump->generation;
	dump->generation = wg->generation;

	message = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			      genl_info_dump(cb)->family, NLM_F_MULTI, NWG_CMD_GET_DEVICE);
	if (!message)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, message);

	err = nwg_nl_put_ifname(skb, NWG_DEVICE_A_IFNAME, wg->dev);
	if (!err && first)
		err = put_interface(skb, wg);
	if (!err) {
		peer = first ? list_first_entry_or_null(&wg->peers, struct nwg_peer, list) :
			       dump_resume(wg, dump, changed);
		err = put_peers(skb, wg, peer, dump);
	}
	if (err == -EMSGSIZE)
		genlmsg_cancel(skb, message);
	else
		genlmsg_end(skb, message);
	return err;
}

int nwg_nl_get_device_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nwg_device *wg;
	int err;

	wg = dumped_device(cb, device_dump(cb)->ifindex);
	if (IS_ERR(wg))
		return PTR_ERR(wg);

	mutex_lock(&wg->update_lock);
	err = dump_message(skb, cb, wg);
	mutex_unlock(&wg->update_lock);
	dev_put(wg->dev);
	return err == -EAGAIN ? skb->len : err;
}

/* Whether anything but whole attributes is in an array: the policy lets bytes at its end pass. */
static int check_array(const struct nlattr *array, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rem;

	nla_for_each_nested(attr, array, rem)
		;
	if (rem) {
		NL_SET_ERR_MSG_ATTR(extack, array, "bytes left over after the last element");
		return -EINVAL;
	}
	return 0;
}

static int check_flags(const struct nlattr *flags, u32 known, struct netlink_ext_ack *extack)
{
	if (flags && nla_get_u32(flags) & ~known) {
		NL_SET_ERR_MSG_ATTR(extack, flags, "FLAGS: unknown flag");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_allowedip(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const struct nlattr *family, *addr, *cidr;
	struct nlattr *tb[NWG_ALLOWEDIP_A_MAX + 1];
	int err, len;

	err = nla_parse_nested(tb, NWG_ALLOWEDIP_A_MAX, attr, NULL, extack);
	if (err)
		return err;
	family = tb[NWG_ALLOWEDIP_A_FAMILY];
	addr = tb[NWG_ALLOWEDIP_A_IPADDR];
	cidr = tb[NWG_ALLOWEDIP_A_CIDR_MASK];
	if (!family || !addr || !cidr) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an allowed IP needs FAMILY, IPADDR and CIDR_MASK");
		NL_SET_ERR_ATTR_MISS(extack, attr,
				     !family ? NWG_ALLOWEDIP_A_FAMILY :
				     !addr   ? NWG_ALLOWEDIP_A_IPADDR :
					       NWG_ALLOWEDIP_A_CIDR_MASK);
		return -EINVAL;
	}

	switch (nla_get_u16(family)) {
	case AF_INET:
		len = sizeof(struct in_addr);
		break;
	case AF_INET6:
		len = sizeof(struct in6_addr);
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, family, "FAMILY: AF_INET or AF_INET6");
		return -EINVAL;
	}
	if (nla_len(addr) != len) {
		NL_SET_ERR_MSG_ATTR(extack, addr, "IPADDR: 4 bytes for AF_INET, 16 for AF_INET6");
		return -EINVAL;
	}
	if (nla_get_u8(cidr) > len * BITS_PER_BYTE) {
		NL_SET_ERR_MSG_ATTR(extack, cidr,
				    "CIDR_MASK: at most 32 for AF_INET, 128 for AF_INET6");
		return -EINVAL;
	}
	return check_flags(tb[NWG_ALLOWEDIP_A_FLAGS], NWG_ALLOWEDIP_F_REMOVE_ME, extack);
}

static bool is_endpoint(const struct nlattr *attr)
{
	const struct sockaddr *addr = nla_data(attr);
	int len = nla_len(attr);

	return (addr->sa_family == AF_INET && len == sizeof(struct sockaddr_in)) ||
	       (addr->sa_family == AF_INET6 && len == sizeof(struct sockaddr_in6));
}

static int check_peer(const struct nlattr *attr, bool drop_in, struct netlink_ext_ack *extack)
{
	const u32 known = NWG_PEER_F_REMOVE_ME | NWG_PEER_F_REPLACE_ALLOWEDIPS |
			  NWG_PEER_F_UPDATE_ONLY;
	struct nlattr *tb[NWG_PEER_A_MAX + 1];
	const struct nlattr *allowedip;
	int err, rem;

	err = nla_parse_nested(tb, NWG_PEER_A_MAX, attr, NULL, extack);
	if (err)
		return err;
	if (!tb[NWG_PEER_A_PUBLIC_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a peer needs PUBLIC_KEY");
		NL_SET_ERR_ATTR_MISS(extack, attr, NWG_PEER_A_PUBLIC_KEY);
		return -EINVAL;
	}
	err = check_flags(tb[NWG_PEER_A_FLAGS], known, extack);
	if (err)
		return err;
	if (tb[NWG_PEER_A_PROTOCOL_VERSION] &&
	    nla_get_u32(tb[NWG_PEER_A_PROTOCOL_VERSION]) != PROTOCOL_VERSION) {
		NL_SET_ERR_MSG_ATTR(extack, tb[NWG_PEER_A_PROTOCOL_VERSION],
				    "PROTOCOL_VERSION: only 1 is supported");
		return -EPFNOSUPPORT;
	}
	/* The stock module ignores what is none: so does the family in its place. */
	if (tb[NWG_PEER_A_ENDPOINT] && !is_endpoint(tb[NWG_PEER_A_ENDPOINT]) && !drop_in) {
		NL_SET_ERR_MSG_ATTR(
			extack, tb[NWG_PEER_A_ENDPOINT],
			"ENDPOINT: a sockaddr_in of AF_INET or a sockaddr_in6 of AF_INET6");
		return -EINVAL;
	}
	if (tb[NWG_PEER_A_ALLOWEDIPS]) {
		err = check_array(tb[NWG_PEER_A_ALLOWEDIPS], extack);
		if (err)
			return err;
		nla_for_each_nested(allowedip, tb[NWG_PEER_A_ALLOWEDIPS], rem) {
			err = check_allowedip(allowedip, extack);
			if (err)
				return err;
		}
	}
	return 0;
}

/* All that can be told of a request by itself, beyond what the policy says. */
static int check_request(const struct genl_info *info, bool drop_in)
{
	const struct nlattr *peers = info->attrs[NWG_DEVICE_A_PEERS];
	const struct nlattr *peer;
	int err, rem;

	err = check_flags(info->attrs[NWG_DEVICE_A_FLAGS], NWG_DEVICE_F_REPLACE_PEERS,
			  info->extack);
	if (err || !peers)
		return err;
	err = check_array(peers, info->extack);
	if (err)
		return err;
	nla_for_each_nested(peer, peers, rem) {
		err = check_peer(peer, drop_in, info->extack);
		if (err)
			return err;
	}
	return 0;
}

/* The sockets live where the interface was made: who changes them must be privileged there. */
static int check_socket_permission(struct nwg_device *wg, struct sk_buff *skb,
				   const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const struct net *net =
		rcu_dereference_protected(wg->creating_net, lockdep_is_held(&wg->update_lock));

	if (!net) {
		NL_SET_ERR_MSG_ATTR(extack, attr, NWG_NO_CREATING_NET);
		return -EPERM;
	}
	if (!netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "this needs CAP_NET_ADMIN where the interface was made");
		return -EPERM;
	}
	return 0;
}

static int set_port(struct nwg_device *wg, const struct nlattr *attr,
		    struct netlink_ext_ack *extack)
{
	int err = nwg_device_set_port(wg, nla_get_u16(attr));

	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG_ATTR(
			extack, attr,
			"LISTEN_PORT: another socket has this UDP port (see ss -ulpn): choose another");
	else if (err)
		NL_SET_ERR_MSG_ATTR(extack, attr, "LISTEN_PORT: no socket could be opened on it");
	return err;
}

static int set_allowedip(struct nwg_peer *peer, const struct nlattr *attr)
{
	struct allowedips *table = &peer->device->allowedips;
	struct nlattr *tb[NWG_ALLOWEDIP_A_MAX + 1];
	const void *addr;
	u16 family;
	u8 cidr;
	int err;

	err = nla_parse_nested(tb, NWG_ALLOWEDIP_A_MAX, attr, NULL, NULL);
	if (err)
		return err;
	family = nla_get_u16(tb[NWG_ALLOWEDIP_A_FAMILY]);
	addr = nla_data(tb[NWG_ALLOWEDIP_A_IPADDR]);
	cidr = nla_get_u8(tb[NWG_ALLOWEDIP_A_CIDR_MASK]);
	if (tb[NWG_ALLOWEDIP_A_FLAGS] &&
	    nla_get_u32(tb[NWG_ALLOWEDIP_A_FLAGS]) & NWG_ALLOWEDIP_F_REMOVE_ME)
		return allowedips_remove(table, family, addr, cidr, peer);
	return allowedips_insert(table, family, addr, cidr, peer, &peer->allowedips);
}

static void set_endpoint(struct nwg_peer *peer, const struct nlattr *attr)
{
	struct nwg_endpoint endpoint = {};

	nla_memcpy(&endpoint.addr6, attr, sizeof(endpoint.addr6));
	nwg_endpoint_set(peer, &endpoint);
}

/* Find the peer that a request is about, or make it. Return: NULL if nothing is to be done. */
static struct nwg_peer *request_peer(struct nwg_device *wg, const struct nlattr *key, u32 flags,
				     struct list_head *removed, struct netlink_ext_ack *extack)
{
	const u8 *public = nla_data(key);
	struct nwg_peer *peer = nwg_peer_lookup(wg, public);

	if (flags & NWG_PEER_F_REMOVE_ME) {
		if (peer)
			nwg_peer_remove(peer, removed);
		return NULL;
	}
	if (peer || flags & NWG_PEER_F_UPDATE_ONLY)
		return peer;
	/* Several interfaces may be given the same list of all peers: each leaves itself out. */
	if (wg->has_identity && !memcmp(public, wg->identity.public, NWG_KEY_LEN))
		return NULL;
	peer = nwg_peer_create(wg, public);
	if (peer == ERR_PTR(-ENFILE))
		NL_SET_ERR_MSG_ATTR(extack, key,
				    "the interface has 1048576 peers, which is the most");
	else if (IS_ERR(peer))
		NL_SET_ERR_MSG_ATTR(extack, key, "no memory for the peer");
	return peer;
}

static int set_peer(struct nwg_device *wg, const struct nlattr *attr, struct list_head *removed,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NWG_PEER_A_MAX + 1];
	const struct nlattr *allowedip, *endpoint;
	struct nwg_peer *peer;
	LIST_HEAD(former);
	int err, rem;
	u32 flags;

	err = nla_parse_nested(tb, NWG_PEER_A_MAX, attr, NULL, NULL);
	if (err)
		return err;
	flags = tb[NWG_PEER_A_FLAGS] ? nla_get_u32(tb[NWG_PEER_A_FLAGS]) : 0;
	peer = request_peer(wg, tb[NWG_PEER_A_PUBLIC_KEY], flags, removed, extack);
	if (IS_ERR_OR_NULL(peer))
		return PTR_ERR_OR_ZERO(peer);

	if (tb[NWG_PEER_A_PRESHARED_KEY])
		nwg_peer_set_preshared(peer, nla_data(tb[NWG_PEER_A_PRESHARED_KEY]));
	endpoint = tb[NWG_PEER_A_ENDPOINT];
	if (endpoint && !is_endpoint(endpoint))
		endpoint = NULL;
	if (endpoint)
		set_endpoint(peer, endpoint);
	/*
	 * Those that are named again move to the new list, and never have no owner: a packet to one
	 * must not go to the peer that has a shorter prefix of it.
	 */
	if (flags & NWG_PEER_F_REPLACE_ALLOWEDIPS)
		list_splice_init(&peer->allowedips, &former);
	if (tb[NWG_PEER_A_ALLOWEDIPS]) {
		nla_for_each_nested(allowedip, tb[NWG_PEER_A_ALLOWEDIPS], rem) {
			err = set_allowedip(peer, allowedip);
			if (err) {
				list_splice(&former, &peer->allowedips);
				NL_SET_ERR_MSG_ATTR(extack, allowedip,
						    "no memory for the allowed IP");
				return err;
			}
		}
	}
	allowedips_remove_list(&wg->allowedips, &former);
	if (tb[NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL])
		nwg_peer_set_keepalive(peer,
				       nla_get_u16(tb[NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL]));
	if (endpoint && netif_running(wg->dev)) {
		rcu_read_lock();
		local_bh_disable();
		nwg_peer_send_staged(peer);
		local_bh_enable();
		rcu_read_unlock();
	}
	return 0;
}

/* What can be refused comes first; of what follows only memory can stop. */
static int set_device(struct nwg_device *wg, struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *port = info->attrs[NWG_DEVICE_A_LISTEN_PORT];
	const struct nlattr *fwmark = info->attrs[NWG_DEVICE_A_FWMARK];
	const struct nlattr *private = info->attrs[NWG_DEVICE_A_PRIVATE_KEY];
	const struct nlattr *peers = info->attrs[NWG_DEVICE_A_PEERS];
	const struct nlattr *flags = info->attrs[NWG_DEVICE_A_FLAGS];
	const struct nlattr *peer;
	LIST_HEAD(removed);
	int err, rem;

	lockdep_assert_held(&wg->update_lock);

	err = check_still_there(wg, genl_info_net(info), info->extack);
	if (err)
		return err;
	if (port || fwmark) {
		err = check_socket_permission(wg, skb, port ?: fwmark, info->extack);
		if (err)
			return err;
	}
	wg->generation++;
	if (port) {
		err = set_port(wg, port, info->extack);
		if (err)
			return err;
	}
	if (fwmark)
		nwg_device_set_fwmark(wg, nla_get_u32(fwmark));
	if (flags && nla_get_u32(flags) & NWG_DEVICE_F_REPLACE_PEERS)
		nwg_peer_remove_all(wg);
	if (private)
		nwg_device_set_private_key(wg, nla_data(private));
	if (peers) {
		nla_for_each_nested(peer, peers, rem) {
			err = set_peer(wg, peer, &removed, info->extack);
			if (err)
				break;
		}
	}
	nwg_peer_remove_finish(&removed);
	return err;
}

/* Wipe all keys of a request, valid or not. */
static void wipe_keys(const struct genl_info *info)
{
	struct nlattr *attr, *peer, *field;
	int rem, peers_rem, peer_rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) == NWG_DEVICE_A_PRIVATE_KEY)
			memzero_explicit(nla_data(attr), nla_len(attr));
		if (nla_type(attr) != NWG_DEVICE_A_PEERS)
			continue;
		nla_for_each_nested(peer, attr, peers_rem) {
			nla_for_each_nested(field, peer, peer_rem) {
				if (nla_type(field) == NWG_PEER_A_PRESHARED_KEY)
					memzero_explicit(nla_data(field), nla_len(field));
			}
		}
	}
}

static int request_set_device(struct sk_buff *skb, struct genl_info *info, bool drop_in)
{
	struct nwg_device *wg;
	int err;

	err = check_request(info, drop_in);
	if (err)
		goto out;
	wg = nwg_nl_find_device(genl_info_net(info), info->attrs, NWG_DEVICE_A_IFINDEX,
				NWG_DEVICE_A_IFNAME, info->extack);
	if (IS_ERR(wg)) {
		err = PTR_ERR(wg);
		goto out;
	}
	mutex_lock(&wg->update_lock);
	err = set_device(wg, skb, info);
	mutex_unlock(&wg->update_lock);
	dev_put(wg->dev);
out:
	wipe_keys(info);
	return err;
}

int nwg_nl_set_device(struct sk_buff *skb, struct genl_info *info)
{
	return request_set_device(skb, info, false);
}

int nwg_nl_drop_in_set_device(struct sk_buff *skb, struct genl_info *info)
{
	return request_set_device(skb, info, true);
}
