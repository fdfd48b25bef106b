/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A relay as an object: how it is made, changed, found and removed.
 *
 * Locking: RTNL > wg->update_lock > relay->lock > the buckets of the flow tables, and the locks that
 * netlink takes to queue an event. A relay enters and leaves the lists of its interface and of its
 * network namespace with RTNL and update_lock held, so either suffices to walk the list that it
 * protects; the path of a packet walks under RCU. An interface of the stock module has no update_lock:
 * there RTNL stands for it.
 */
#ifndef _NWG_RELAY_OBJECT_H
#define _NWG_RELAY_OBJECT_H

#include <linux/hash.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>

#include "cookie.h"
#include "counters.h"
#include "flow.h"
#include "protocol/cookie.h"

/* log2 of the number of buckets of a namespace's table of relays by port */
#define NWG_RELAY_PORT_BITS 6

struct net;
struct net_device;
struct nwg_device;
struct nwg_peer;
struct socket;

/**
 * struct nwg_relay_listen - where a relay listens; names it within its network namespace
 * @addr: the address, IPv4 as v4-mapped; all zeroes for all addresses of both families
 * @port: UDP port
 * @ifindex: index of the ingress interface, which outlives the relay; 0 for all
 */
struct nwg_relay_listen {
	struct in6_addr addr;
	__be16 port;
	int ifindex;
};

/**
 * struct nwg_relay_config - what the user says of a relay
 * @peer: public key of the peer that clients are relayed to
 * @to: inner endpoint, IPv4 as v4-mapped
 * @to_port: its UDP port
 * @has_responder: check mac1
 * @responder: public key of the inner responder
 * @max_flows: flows that the relay may hold
 * @max_flows_per_source: of these, that clients of one IPv4 address or IPv6 /64 may have
 * @source: &enum nwg_relay_source
 * @pool: prefix that clients' addresses inside the tunnel are from, IPv4 as v4-mapped, for
 *	%NWG_SOURCE_POOL; host bits are 0
 * @pool_len: its length in bits, of its own family's addresses
 */
struct nwg_relay_config {
	u8 peer[NWG_KEY_LEN];
	struct in6_addr to;
	__be16 to_port;
	bool has_responder;
	u8 responder[NWG_KEY_LEN];
	u32 max_flows;
	u32 max_flows_per_source;
	u32 source;
	struct in6_addr pool;
	u8 pool_len;
};

/**
 * struct nwg_relay_params - a relay's configuration as the packets read it; replaced whole when it
 * changes
 * @config: what the user says; constant
 * @keys: mac keys of the responder, if there is one; constant
 * @mac1: mac1 of initiations to it, begun; constant
 * @peer: the peer, NULL while the interface does not have it, or if it is the stock module's, of which
 *	nothing is known; RCU, written under update_lock
 * @rcu: frees it
 */
struct nwg_relay_params {
	struct nwg_relay_config config;
	struct cookie_keys keys;
	struct blake2s_ctx mac1;
	struct nwg_peer __rcu *peer;
	struct rcu_head rcu;
};

/**
 * struct nwg_relay - a relay
 * @net: its network namespace's relays; constant
 * @dev: its interface, which outlives it; constant
 * @device: the same as our own; NULL if it is the stock module's; constant
 * @listen: its name; constant
 * @id: rises from relay to relay, so that a dump knows where to go on; constant
 * @sockets: reserve the port for IPv4 and IPv6; constant
 * @port_node: in @net->by_port; RCU, RTNL
 * @net_node: in @net->relays; RCU, RTNL
 * @device_node: in @device->relays, if there is one; RCU, update_lock
 * @params: configuration; RCU, written under update_lock
 * @counters: what it counted
 * @cookies: to ask strangers for under pressure; has its own lock
 * @lock: protects the members below and the life of its flows; BH
 * @flows: its flows by &enum nwg_flow_state; new ones in the order of their last initiation
 * @flow_count: their numbers; read lockless
 * @dead: it is being removed and takes no more flows
 * @pressed: it is under pressure; read lockless
 * @pool_used_up: at @pool_looked, in jiffies, no address of its pool was free
 * @pool_looked: see there
 * @pool_freed: what @flows.mappings_freed of @net was then
 * @foreign: it has given clients addresses that are not this machine's; written under update_lock
 * @expiry: ends flows whose time is up; runs while there are flows
 * @relief: ends pressure; runs while there is some
 * @rcu: frees it
 */
struct nwg_relay {
	struct nwg_relay_net *net;
	struct net_device *dev;
	struct nwg_device *device;
	struct nwg_relay_listen listen;
	u64 id;
	struct socket *sockets[2];
	struct hlist_node port_node;
	struct list_head net_node;
	struct list_head device_node;
	struct nwg_relay_params __rcu *params;
	struct nwg_relay_cpu __percpu *counters;
	struct nwg_relay_cookies cookies;

	spinlock_t lock;
	struct list_head flows[NWG_FLOW_STATES];
	unsigned int flow_count[NWG_FLOW_STATES];
	bool dead;
	bool pressed;
	bool pool_used_up;
	bool foreign;
	u32 pool_freed;
	unsigned long pool_looked;
	struct delayed_work expiry;
	struct delayed_work relief;
	struct rcu_head rcu;
};

/**
 * struct nwg_relay_net - relays of a network namespace
 * @relays: all, in the order in which they were made; RCU, RTNL
 * @by_port: the same by listening port; RCU, RTNL
 * @last_id: id of the last relay made; RTNL
 * @over_stock: how many are over stock interfaces; read lockless, written under RTNL
 * @flows: flows of all relays
 */
struct nwg_relay_net {
	struct list_head relays;
	struct hlist_head by_port[1 << NWG_RELAY_PORT_BITS];
	u64 last_id;
	unsigned int over_stock;
	struct nwg_flow_tables flows;
};

static inline unsigned int nwg_relay_port_bucket(__be16 port)
{
	return hash_32((__force u32)port, NWG_RELAY_PORT_BITS);
}

/* Relays of a network namespace. */
struct nwg_relay_net *nwg_relay_net(const struct net *net);

/* What protects the relays of an interface besides RTNL. @wg: NULL if it is the stock module's. */
void nwg_relays_lock(struct nwg_device *wg);
void nwg_relays_unlock(struct nwg_device *wg);

/**
 * nwg_relay_create - make a relay
 * @dev: the interface, ours or the stock module's, which is registered
 * @listen: where; nwg_relay_find() finds none there
 * @config: how; the interface has the peer
 *
 * Context: process; RTNL, and update_lock if it is ours, held.
 * Return: 0; -EADDRINUSE: a socket has the port; -EADDRNOTAVAIL: the address is not this machine's;
 * -ENOMEM; other errors of bind(). On an error nothing has changed.
 */
int nwg_relay_create(struct net_device *dev, const struct nwg_relay_listen *listen,
		     const struct nwg_relay_config *config);

/**
 * nwg_relay_change - change a relay's configuration; its flows stay
 * @relay: the relay
 * @config: all of the new one; the interface has the peer
 *
 * Context: as above.
 * Return: 0 or -ENOMEM.
 */
int nwg_relay_change(struct nwg_relay *relay, const struct nwg_relay_config *config);

/* Remove a relay and its flows. Context: as above, may sleep. */
void nwg_relay_remove(struct nwg_relay *relay);

/* The configuration, to read or to change a part of. Context: as above. */
const struct nwg_relay_config *nwg_relay_config(const struct nwg_relay *relay);

/* Whether a relay is named so. */
static inline bool nwg_relay_is(const struct nwg_relay *relay,
				const struct nwg_relay_listen *listen)
{
	return relay->listen.port == listen->port && relay->listen.ifindex == listen->ifindex &&
	       ipv6_addr_equal(&relay->listen.addr, &listen->addr);
}

/* The relay that is named so, or NULL. Context: RTNL held. */
struct nwg_relay *nwg_relay_find(struct net *net, const struct nwg_relay_listen *listen);

/**
 * nwg_relay_has_port - first check of every datagram that comes into the namespace, while it has
 * relays at all
 * @net: the namespace's relays
 * @port: destination port
 *
 * Context: RCU read section.
 */
static inline bool nwg_relay_has_port(const struct nwg_relay_net *net, __be16 port)
{
	const struct nwg_relay *relay;

	hlist_for_each_entry_rcu(relay, &net->by_port[nwg_relay_port_bucket(port)], port_node)
		if (relay->listen.port == port)
			return true;
	return false;
}

/**
 * nwg_relay_match - find the relay that a datagram is for
 * @net: the namespace
 * @addr: where it goes, IPv4 as v4-mapped
 * @port: the port
 * @ifindex: index of the interface that it has come in on
 * @vrf: index of the VRF that this is in, 0 if it is in none
 *
 * A relay on an interface and one on its VRF may both fit, as sockets may: that on the address goes before
 * one on all, then that on the interface before that on the VRF. As of sockets, what comes in on a VRF is
 * not for one on all interfaces, unless net.ipv4.udp_l3mdev_accept says so.
 *
 * Context: RCU read section.
 */
struct nwg_relay *nwg_relay_match(struct net *net, const struct in6_addr *addr, __be16 port,
				  int ifindex, int vrf);

/* Count a datagram that was sent on. @len: UDP payload. Context: BH off. */
void nwg_relay_count(struct nwg_relay *relay, enum nwg_direction direction,
		     enum nwg_message_type type, unsigned int len);

/* Count that a datagram is sent on in fragments. Context: BH off. */
void nwg_relay_count_fragmented(struct nwg_relay *relay, enum nwg_direction direction);

/**
 * nwg_relay_count_drop - count a datagram that was dropped, and tell who traces
 * @relay: the relay
 * @direction: which way it was
 * @reason: why
 * @client: who sent it, or was to get it
 * @len: UDP payload
 *
 * Context: RCU read section with BH off.
 */
void nwg_relay_count_drop(struct nwg_relay *relay, enum nwg_direction direction,
			  enum nwg_relay_drop reason, const struct nwg_flow_key *client,
			  unsigned int len);

/* Sum up what the CPUs counted. Context: any. */
void nwg_relay_read_counters(const struct nwg_relay *relay, enum nwg_direction direction,
			     struct nwg_counter_sums *sums);

#endif /* _NWG_RELAY_OBJECT_H */
