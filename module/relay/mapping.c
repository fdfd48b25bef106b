// SPDX-License-Identifier: GPL-2.0
#include "mapping.h"

#include <linux/inetdevice.h>
#include <linux/random.h>
#include <net/addrconf.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/udp.h>

#include "device.h"
#include "object.h"

/* With nine ports of ten in use, 1 in 800 new clients is refused. */
#define PORT_TRIES 64

/* A pool of no more addresses than this is looked through to its last; of others some are tried. */
#define POOL_SCAN 4096
#define POOL_TRIES 64

/* With a transparent source, clients choose their keys. */
static const struct rhashtable_params by_mapping_params = {
	.head_offset = offsetof(struct nwg_flow, mapping_node),
	.key_offset = offsetof(struct nwg_flow, mapping),
	.key_len = sizeof(struct nwg_flow_mapping),
	.hashfn = nwg_flow_hash,
	.automatic_shrinking = true,
};

int nwg_mapping_table_init(struct rhashtable *table)
{
	return rhashtable_init(table, &by_mapping_params);
}

struct nwg_flow *nwg_mapping_find(struct nwg_flow_tables *tables,
				  const struct nwg_flow_mapping *mapping)
{
	return rhashtable_lookup(&tables->by_mapping, mapping, by_mapping_params);
}

void nwg_mapping_remove(struct nwg_flow *flow)
{
	struct nwg_flow_tables *tables = &flow->relay->net->flows;

	rhashtable_remove_fast(&tables->by_mapping, &flow->mapping_node, by_mapping_params);
	/* After it can be found that it is free. Masqueraded ones are no pool's. */
	if (READ_ONCE(flow->relay->foreign))
		atomic_inc_return(&tables->mappings_freed);
}

/*
 * The interface's address that an IPv4 packet to @to is sent from: one of the same subnet, or the
 * first.
 */
static bool select_addr4(struct net_device *dev, const struct in6_addr *to, struct in6_addr *addr)
{
	struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa, *best = NULL;

	if (!in_dev)
		return false;
	in_dev_for_each_ifa_rcu(ifa, in_dev) {
		if (inet_ifa_match(to->s6_addr32[3], ifa)) {
			best = ifa;
			break;
		}
		if (!best)
			best = ifa;
	}
	if (best)
		ipv6_addr_set_v4mapped(best->ifa_local, addr);
	return best;
}

/* Likewise for IPv6, among the addresses of the same scope that are ready for use. */
static bool select_addr6(struct net_device *dev, const struct in6_addr *to, struct in6_addr *addr)
{
	bool link_local = ipv6_addr_type(to) & IPV6_ADDR_LINKLOCAL;
	const struct inet6_ifaddr *ifa, *best = NULL;
	struct inet6_dev *in6_dev = __in6_dev_get(dev);

	if (!in6_dev)
		return false;
	list_for_each_entry_rcu(ifa, &in6_dev->addr_list, if_list) {
		if (ifa->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED))
			continue;
		if (!(ipv6_addr_type(&ifa->addr) & IPV6_ADDR_LINKLOCAL) == link_local)
			continue;
		if (ipv6_prefix_equal(&ifa->addr, to, ifa->prefix_len)) {
			best = ifa;
			break;
		}
		if (!best)
			best = ifa;
	}
	if (best)
		*addr = best->addr;
	return best;
}

/*
 * Whether a socket of this machine would take what the home sends to the mapping. Context: RCU read
 * section.
 */
static bool socket_has(struct net_device *dev, const struct nwg_flow_mapping *mapping,
		       const struct in6_addr *to, __be16 to_port)
{
	const int vrf = l3mdev_master_ifindex_rcu(dev);
	const int dif = vrf ?: dev->ifindex, sdif = vrf ? dev->ifindex : 0;
	struct net *net = dev_net(dev);

	if (ipv6_addr_v4mapped(to))
		return __udp4_lib_lookup(net, to->s6_addr32[3], to_port, mapping->addr.s6_addr32[3],
					 mapping->port, dif, sdif, NULL);
	return __udp6_lib_lookup(net, to, to_port, &mapping->addr, mapping->port, dif, sdif, NULL);
}

/* Take the mapping that a flow has been given. Return: 0, -EEXIST if another flow has it, or another error. */
static int take(struct nwg_flow *flow)
{
	return rhashtable_lookup_insert_fast(&flow->relay->net->flows.by_mapping,
					     &flow->mapping_node, by_mapping_params);
}

static enum nwg_relay_drop map_masqueraded(struct nwg_flow *flow,
					   const struct nwg_relay_config *config)
{
	struct net_device *dev = flow->relay->dev;
	__be16 port = flow->key.client_port;
	unsigned int tries;
	int err;

	if (!(ipv6_addr_v4mapped(&config->to) ?
		      select_addr4(dev, &config->to, &flow->mapping.addr) :
		      select_addr6(dev, &config->to, &flow->mapping.addr)))
		return NWG_DROP_NO_ADDRESS;
	for (tries = 0; tries < PORT_TRIES; tries++) {
		if (tries || ntohs(port) < NWG_MAPPING_MIN_PORT)
			port = htons(get_random_u32_inclusive(NWG_MAPPING_MIN_PORT, U16_MAX));
		flow->mapping.port = port;
		if (socket_has(dev, &flow->mapping, &config->to, config->to_port))
			continue;
		err = take(flow);
		if (!err)
			return 0;
		if (err != -EEXIST)
			return NWG_DROP_NO_MEMORY;
	}
	return NWG_DROP_NO_PORT;
}

/*
 * How the addresses of a pool are counted: an IPv6 prefix that has several /64 gives each client one of
 * its own, with host ::1, as limits per source are by /64.
 */
static bool counts_subnets(const struct nwg_relay_config *config)
{
	return !ipv6_addr_v4mapped(&config->pool) && config->pool_len < 64;
}

/* Whether the first and the last address of a prefix are not hosts' (RFC 3021, RFC 4291 2.6.1). */
static bool has_ends(const struct nwg_relay_config *config)
{
	if (counts_subnets(config))
		return false;
	return config->pool_len < (ipv6_addr_v4mapped(&config->pool) ? 31 : 127);
}

u32 nwg_mapping_pool_size(const struct nwg_relay_config *config)
{
	unsigned int bits = ipv6_addr_v4mapped(&config->pool) ? 32 :
			    counts_subnets(config)	      ? 64 :
								128;
	unsigned int host = bits - config->pool_len;

	return (host < 32 ? 1U << host : U32_MAX) - (has_ends(config) ? 2 : 0);
}

/* The address of a pool that has a number. */
static void pool_addr(const struct nwg_relay_config *config, u32 number, struct in6_addr *addr)
{
	unsigned int word = counts_subnets(config) ? 1 : 3;

	*addr = config->pool;
	addr->s6_addr32[word] = htonl(ntohl(addr->s6_addr32[word]) + number + has_ends(config));
	if (counts_subnets(config))
		addr->s6_addr32[3] = htonl(1);
}

/* Whether an address is this machine's own, or the home's, and so no client's. */
static bool pool_addr_taken(struct net_device *dev, const struct in6_addr *addr,
			    const struct in6_addr *to)
{
	struct net *net = dev_net(dev);

	if (ipv6_addr_equal(addr, to))
		return true;
	if (ipv6_addr_v4mapped(addr))
		return inet_addr_type_dev_table(net, dev, addr->s6_addr32[3]) == RTN_LOCAL;
	return ipv6_chk_addr(net, addr, dev, 0);
}

/* Whether a mapping is what a client of the pool can have. */
static bool in_pool(const struct nwg_relay_config *config, const struct nwg_flow_mapping *mapping)
{
	unsigned int word = counts_subnets(config) ? 1 : 3;
	u32 number = ntohl(mapping->addr.s6_addr32[word]) - ntohl(config->pool.s6_addr32[word]) -
		     has_ends(config);
	struct in6_addr addr;

	if (number >= nwg_mapping_pool_size(config))
		return false;
	pool_addr(config, number, &addr);
	return mapping->port == htons(NWG_POOL_PORT) && ipv6_addr_equal(&mapping->addr, &addr);
}

/*
 * Take a free address of the pool: where the client's address leads, so that a client that comes back has the same
 * one as long as nobody else has taken it; or that of @freed; or, of a small pool, one after the other, and of
 * a large one, any.
 */
static enum nwg_relay_drop take_pooled(struct nwg_flow *flow, const struct nwg_relay_config *config,
				       const struct nwg_flow_mapping *freed)
{
	struct nwg_flow_tables *tables = &flow->relay->net->flows;
	struct net_device *dev = flow->relay->dev;
	const u32 size = nwg_mapping_pool_size(config);
	const u32 most = size <= POOL_SCAN ? size : POOL_TRIES;
	u32 number, tries;
	int err;

	number = reciprocal_scale(nwg_flow_hash(&flow->key.client, sizeof(flow->key.client), 0),
				  size);
	flow->mapping.port = htons(NWG_POOL_PORT);
	/* One more, for @freed */
	for (tries = 0; tries <= most; tries++) {
		if (tries != 1) {
			pool_addr(config, number, &flow->mapping.addr);
			number = size <= POOL_SCAN ? (number + 1) % size :
						     reciprocal_scale(get_random_u32(), size);
		} else if (in_pool(config, freed)) {
			flow->mapping.addr = freed->addr;
		} else {
			continue;
		}
		if (nwg_mapping_find(tables, &flow->mapping) ||
		    pool_addr_taken(dev, &flow->mapping.addr, &config->to))
			continue;
		err = take(flow);
		if (!err)
			return 0;
		/* Another relay was faster. */
		if (err != -EEXIST)
			return NWG_DROP_NO_MEMORY;
	}
	return NWG_DROP_NO_ADDRESS;
}

/*
 * A pool that was looked through in vain is not looked through again before a flow has ended, which a flood would
 * have done for each of its messages; or a second later, as this machine may have given up an address.
 */
static enum nwg_relay_drop map_pooled(struct nwg_flow *flow, const struct nwg_relay_config *config,
				      const struct nwg_flow_mapping *freed)
{
	struct nwg_relay *relay = flow->relay;
	const u32 count = atomic_read_acquire(&relay->net->flows.mappings_freed);
	const bool used_up = relay->pool_used_up && time_before(jiffies, relay->pool_looked + HZ);
	enum nwg_relay_drop reason;

	if (used_up && relay->pool_freed == count)
		return NWG_DROP_NO_ADDRESS;
	reason = take_pooled(flow, config, freed);
	/* There was one, as one has ended since: of @freed. */
	if (used_up && !reason && relay->pool_freed + 1 == count) {
		relay->pool_freed = count;
		return 0;
	}
	relay->pool_used_up = reason == NWG_DROP_NO_ADDRESS &&
			      nwg_mapping_pool_size(config) <= POOL_SCAN;
	relay->pool_freed = count;
	relay->pool_looked = jiffies;
	return reason;
}

static enum nwg_relay_drop map_transparent(struct nwg_flow *flow,
					   const struct nwg_relay_config *config)
{
	int err;

	if (ipv6_addr_v4mapped(&flow->key.client) != ipv6_addr_v4mapped(&config->to))
		return NWG_DROP_FAMILY;
	flow->mapping.addr = flow->key.client;
	flow->mapping.port = flow->key.client_port;
	err = take(flow);
	if (!err)
		return 0;
	return err == -EEXIST ? NWG_DROP_NO_PORT : NWG_DROP_NO_MEMORY;
}

enum nwg_relay_drop nwg_mapping_assign(struct nwg_flow *flow, const struct nwg_relay_config *config,
				       const struct nwg_flow_mapping *freed)
{
	lockdep_assert_held(&flow->relay->lock);
	flow->mapping.ifindex = flow->relay->dev->ifindex;
	switch (config->source) {
	case NWG_SOURCE_POOL:
		return map_pooled(flow, config, freed);
	case NWG_SOURCE_TRANSPARENT:
		return map_transparent(flow, config);
	default:
		return map_masqueraded(flow, config);
	}
}
