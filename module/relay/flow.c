// SPDX-License-Identifier: GPL-2.0
#include "flow.h"

#include <linux/inetdevice.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/udp.h>

#include "device.h"
#include "object.h"

#define NEW_LIFETIME (10 * HZ)
#define ESTABLISHED_LIFETIME (540 * HZ)

/*
 * What an established client may send of initiations is what every source may: 20 per second, burst
 * 5.
 */
#define INITIATION_COST (HZ / 20)
#define INITIATION_BURST 5

/*
 * How often flows whose time is up are looked for, and in how many rounds all established ones are
 * looked at.
 */
#define EXPIRY_INTERVAL (5 * HZ)
#define EXPIRY_ROUNDS 6

/* Flows looked at without letting go of the lock */
#define EXPIRY_BATCH 64

/* With nine ports of ten in use, 1 in 800 new clients is refused. */
#define PORT_TRIES 64

static struct kmem_cache *flow_cache;
static siphash_aligned_key_t hash_key;

/* Of a key that anybody may choose */
static u32 client_hash(const void *data, u32 len, u32 seed)
{
	return (u32)siphash(data, len, &hash_key) ^ seed;
}

static const struct rhashtable_params by_client_params = {
	.head_offset = offsetof(struct nwg_flow, client_node),
	.key_offset = offsetof(struct nwg_flow, key),
	.key_len = sizeof(struct nwg_flow_key),
	.hashfn = client_hash,
	.automatic_shrinking = true,
};

/* Its keys are our own choice, but for a client's port: the default hash with its seed will do. */
static const struct rhashtable_params by_mapping_params = {
	.head_offset = offsetof(struct nwg_flow, mapping_node),
	.key_offset = offsetof(struct nwg_flow, mapping),
	.key_len = sizeof(struct nwg_flow_mapping),
	.automatic_shrinking = true,
};

int nwg_flow_tables_init(struct nwg_flow_tables *tables)
{
	int err;

	err = rhashtable_init(&tables->by_client, &by_client_params);
	if (err)
		return err;
	err = rhashtable_init(&tables->by_mapping, &by_mapping_params);
	if (err)
		rhashtable_destroy(&tables->by_client);
	return err;
}

void nwg_flow_tables_destroy(struct nwg_flow_tables *tables)
{
	rhashtable_destroy(&tables->by_mapping);
	rhashtable_destroy(&tables->by_client);
}

struct nwg_flow *nwg_flow_find(struct nwg_flow_tables *tables, const struct nwg_flow_key *key)
{
	return rhashtable_lookup(&tables->by_client, key, by_client_params);
}

struct nwg_flow *nwg_flow_find_mapped(struct nwg_flow_tables *tables,
				      const struct nwg_flow_mapping *mapping)
{
	return rhashtable_lookup(&tables->by_mapping, mapping, by_mapping_params);
}

long nwg_flow_left(const struct nwg_flow *flow)
{
	const nwg_moment now = nwg_moment_now();

	if (READ_ONCE(flow->state) == NWG_FLOW_NEW)
		return NEW_LIFETIME - nwg_moment_between(READ_ONCE(flow->last_initiation), now);
	return ESTABLISHED_LIFETIME - nwg_moment_between(READ_ONCE(flow->last_reverse), now);
}

bool nwg_flow_usable(const struct nwg_flow *flow)
{
	const struct nwg_relay_params *params = rcu_dereference(flow->relay->params);

	return nwg_flow_left(flow) > 0 &&
	       ipv6_addr_v4mapped(&flow->mapping.addr) == ipv6_addr_v4mapped(&params->config.to);
}

static unsigned int flow_total(const struct nwg_relay *relay)
{
	lockdep_assert_held(&relay->lock);
	return relay->flow_count[NWG_FLOW_NEW] + relay->flow_count[NWG_FLOW_ESTABLISHED];
}

static void flow_free_rcu(struct rcu_head *rcu)
{
	struct nwg_flow *flow = container_of(rcu, struct nwg_flow, rcu);

	dst_release(rcu_dereference_protected(flow->route, true));
	memzero_explicit(flow->cookie, sizeof(flow->cookie));
	kmem_cache_free(flow_cache, flow);
}

static void flow_remove(struct nwg_relay *relay, struct nwg_flow *flow)
{
	struct nwg_flow_tables *tables = &relay->net->flows;

	lockdep_assert_held(&relay->lock);
	rhashtable_remove_fast(&tables->by_client, &flow->client_node, by_client_params);
	rhashtable_remove_fast(&tables->by_mapping, &flow->mapping_node, by_mapping_params);
	flow->gone = true;
	list_del(&flow->list);
	WRITE_ONCE(relay->flow_count[flow->state], relay->flow_count[flow->state] - 1);
	call_rcu(&flow->rcu, flow_free_rcu);
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
	struct net *net = dev_net(dev);

	if (ipv6_addr_v4mapped(to))
		return __udp4_lib_lookup(net, to->s6_addr32[3], to_port, mapping->addr.s6_addr32[3],
					 mapping->port, dev->ifindex, 0, nwg_udp_table(net), NULL);
	return __udp6_lib_lookup(net, to, to_port, &mapping->addr, mapping->port, dev->ifindex, 0,
				 nwg_udp_table(net), NULL);
}

/* Give a flow a free port, its client's own if possible, and put it into the table by mapping. */
static enum nwg_relay_drop map_port(struct nwg_relay *relay, const struct nwg_relay_config *config,
				    struct nwg_flow *flow)
{
	struct rhashtable *table = &relay->net->flows.by_mapping;
	__be16 port = flow->key.client_port;
	unsigned int tries;
	int err;

	for (tries = 0; tries < PORT_TRIES; tries++) {
		if (tries || ntohs(port) < NWG_FLOW_MIN_PORT)
			port = htons(get_random_u32_inclusive(NWG_FLOW_MIN_PORT, U16_MAX));
		flow->mapping.port = port;
		if (socket_has(relay->device->dev, &flow->mapping, &config->to, config->to_port))
			continue;
		err = rhashtable_lookup_insert_fast(table, &flow->mapping_node, by_mapping_params);
		if (!err)
			return 0;
		if (err != -EEXIST)
			return NWG_DROP_NO_MEMORY;
	}
	return NWG_DROP_NO_PORT;
}

/*
 * Make room for one more flow by ending those that have waited longest for their first answer.
 * More than one has to go only after the limit was lowered, and then not all of them at once.
 */
static bool make_room(struct nwg_relay *relay, u32 max_flows)
{
	struct list_head *flows = &relay->flows[NWG_FLOW_NEW];
	unsigned int batch;

	for (batch = 0; batch < EXPIRY_BATCH && flow_total(relay) >= max_flows; batch++) {
		if (list_empty(flows))
			return false;
		flow_remove(relay, list_first_entry(flows, struct nwg_flow, list));
	}
	return flow_total(relay) < max_flows;
}

/* Put a flow into the relay and the tables. */
static enum nwg_relay_drop flow_insert(struct nwg_relay *relay,
				       const struct nwg_relay_config *config, struct nwg_flow *flow)
{
	struct nwg_flow_tables *tables = &relay->net->flows;
	enum nwg_relay_drop reason;

	lockdep_assert_held(&relay->lock);
	if (relay->dead)
		return NWG_DROP_NO_PEER;
	if (!make_room(relay, config->max_flows))
		return NWG_DROP_FLOW_LIMIT;
	reason = map_port(relay, config, flow);
	if (reason)
		return reason;
	if (rhashtable_insert_fast(&tables->by_client, &flow->client_node, by_client_params)) {
		flow->gone = true;
		rhashtable_remove_fast(&tables->by_mapping, &flow->mapping_node, by_mapping_params);
		return NWG_DROP_NO_MEMORY;
	}
	list_add_tail(&flow->list, &relay->flows[NWG_FLOW_NEW]);
	WRITE_ONCE(relay->flow_count[NWG_FLOW_NEW], relay->flow_count[NWG_FLOW_NEW] + 1);
	queue_delayed_work(system_power_efficient_wq, &relay->expiry, EXPIRY_INTERVAL);
	return 0;
}

/* Note an initiation that will be sent on. */
static void note_initiation(struct nwg_flow *flow, __le32 sender)
{
	lockdep_assert_held(&flow->relay->lock);
	if (flow->state == NWG_FLOW_NEW)
		list_move_tail(&flow->list, &flow->relay->flows[NWG_FLOW_NEW]);
	WRITE_ONCE(flow->last_initiation, nwg_moment_now());
	if (!flow->sender_count || flow->senders[0] != sender) {
		flow->senders[1] = flow->senders[0];
		flow->senders[0] = sender;
		flow->sender_count = min(flow->sender_count + 1, 2);
	}
}

struct nwg_flow *nwg_flow_create(struct nwg_relay *relay, const struct nwg_relay_params *params,
				 const struct nwg_flow_key *key, __le32 sender,
				 enum nwg_relay_drop *reason)
{
	const struct nwg_relay_config *config = &params->config;
	struct net_device *dev = relay->device->dev;
	struct nwg_flow *flow, *old;
	bool found;

	BUILD_BUG_ON(sizeof(struct nwg_flow) > 320);
	flow = kmem_cache_zalloc(flow_cache, GFP_ATOMIC);
	if (unlikely(!flow)) {
		*reason = NWG_DROP_NO_MEMORY;
		return NULL;
	}
	found = ipv6_addr_v4mapped(&config->to) ?
			select_addr4(dev, &config->to, &flow->mapping.addr) :
			select_addr6(dev, &config->to, &flow->mapping.addr);
	if (!found) {
		*reason = NWG_DROP_NO_ADDRESS;
		goto free;
	}
	flow->key = *key;
	flow->mapping.ifindex = dev->ifindex;
	flow->relay = relay;
	flow->state = NWG_FLOW_NEW;
	flow->senders[0] = sender;
	flow->sender_count = 1;
	flow->created = jiffies;
	flow->last_forward = nwg_moment_now();
	flow->last_reverse = flow->last_forward;
	flow->last_initiation = flow->last_forward;
	flow->initiation_credit = flow->last_forward;

	spin_lock_bh(&relay->lock);
	old = nwg_flow_find(&relay->net->flows, key);
	if (old && nwg_flow_usable(old)) {
		/* Another CPU was faster with another initiation of the same client. */
		note_initiation(old, sender);
		spin_unlock_bh(&relay->lock);
		kmem_cache_free(flow_cache, flow);
		return old;
	}
	if (old)
		flow_remove(relay, old);
	*reason = flow_insert(relay, config, flow);
	spin_unlock_bh(&relay->lock);
	if (!*reason)
		return flow;
	/* A reader may have found it by its mapping for a moment. */
	call_rcu(&flow->rcu, flow_free_rcu);
	return NULL;
free:
	kmem_cache_free(flow_cache, flow);
	return NULL;
}

/* Take from the credit of an established flow's client what an initiation costs. */
static bool initiation_paid(struct nwg_flow *flow)
{
	const nwg_moment now = nwg_moment_now();
	long paid = max(nwg_moment_between(now, flow->initiation_credit), 0L);

	/* It was paid so long ago that it looks as if it was to come. */
	if (paid > INITIATION_BURST * INITIATION_COST)
		paid = 0;
	if (paid > (INITIATION_BURST - 1) * INITIATION_COST)
		return false;
	flow->initiation_credit = now + paid + INITIATION_COST;
	return true;
}

int nwg_flow_initiated(struct nwg_flow *flow, __le32 sender, bool admitted)
{
	struct nwg_relay *relay = flow->relay;
	int err = 0;

	spin_lock_bh(&relay->lock);
	if (flow->gone)
		err = -ENOENT;
	else if (flow->state == NWG_FLOW_ESTABLISHED && !admitted &&
		 (flow->ask || !initiation_paid(flow)))
		err = -EBUSY;
	else
		note_initiation(flow, sender);
	spin_unlock_bh(&relay->lock);
	return err;
}

void nwg_flow_answered(struct nwg_flow *flow, __le32 receiver)
{
	struct nwg_relay *relay = flow->relay;
	unsigned int i;

	spin_lock_bh(&relay->lock);
	for (i = 0; i < flow->sender_count; i++)
		if (flow->senders[i] == receiver)
			break;
	if (i == flow->sender_count || flow->gone)
		goto out;
	/*
	 * A response answers an initiation once; what is older than that will not be answered any
	 * more.
	 */
	flow->sender_count = i;
	atomic64_inc(&flow->handshakes);
	if (flow->state == NWG_FLOW_NEW) {
		WRITE_ONCE(flow->last_reverse, nwg_moment_now());
		WRITE_ONCE(flow->state, NWG_FLOW_ESTABLISHED);
		list_move_tail(&flow->list, &relay->flows[NWG_FLOW_ESTABLISHED]);
		WRITE_ONCE(relay->flow_count[NWG_FLOW_NEW], relay->flow_count[NWG_FLOW_NEW] - 1);
		WRITE_ONCE(relay->flow_count[NWG_FLOW_ESTABLISHED],
			   relay->flow_count[NWG_FLOW_ESTABLISHED] + 1);
	}
out:
	spin_unlock_bh(&relay->lock);
}

void nwg_flow_count(struct nwg_flow *flow, enum nwg_direction direction, enum nwg_message_type type,
		    unsigned int len)
{
	struct nwg_flow_counters *counters = &flow->counters[direction];
	u32 largest = READ_ONCE(flow->largest[direction]);

	atomic64_inc(&counters->messages[type - 1]);
	atomic64_add(len, &counters->bytes);
	while (unlikely(len > largest) && !try_cmpxchg(&flow->largest[direction], &largest, len))
		;
}

void nwg_flow_count_drop(struct nwg_flow *flow, enum nwg_direction direction, unsigned int len)
{
	struct nwg_flow_counters *counters = &flow->counters[direction];

	atomic64_inc(&counters->drops);
	atomic64_add(len, &counters->dropped_bytes);
}

void nwg_flow_read_counters(const struct nwg_flow *flow, enum nwg_direction direction,
			    struct nwg_counter_sums *sums)
{
	const struct nwg_flow_counters *counters = &flow->counters[direction];
	unsigned int i;

	memset(sums, 0, sizeof(*sums));
	for (i = 0; i < NWG_MESSAGE_TRANSPORT; i++)
		sums->messages[i + 1] = atomic64_read(&counters->messages[i]);
	sums->bytes = atomic64_read(&counters->bytes);
	sums->drops[0] = atomic64_read(&counters->drops);
	sums->dropped_bytes = atomic64_read(&counters->dropped_bytes);
	sums->largest = READ_ONCE(flow->largest[direction]);
}

void nwg_flow_remove_all(struct nwg_relay *relay)
{
	unsigned int state, batch;

	for (state = 0; state < NWG_FLOW_STATES; state++) {
		batch = 0;
		spin_lock_bh(&relay->lock);
		while (!list_empty(&relay->flows[state])) {
			flow_remove(relay,
				    list_first_entry(&relay->flows[state], struct nwg_flow, list));
			if (++batch % EXPIRY_BATCH)
				continue;
			spin_unlock_bh(&relay->lock);
			cond_resched();
			spin_lock_bh(&relay->lock);
		}
		spin_unlock_bh(&relay->lock);
	}
}

/*
 * End flows of one state whose time is up: look at the first @count of the list and put those that
 * stay at its end. In batches, with whatever the packets do to the list in between.
 */
static void expire(struct nwg_relay *relay, enum nwg_flow_state state, unsigned int count)
{
	struct list_head *flows = &relay->flows[state];
	struct nwg_flow *flow;
	bool expired;

	spin_lock_bh(&relay->lock);
	while (count && !list_empty(flows)) {
		flow = list_first_entry(flows, struct nwg_flow, list);
		expired = nwg_flow_left(flow) <= 0;
		/* New ones are in the order in which they expire. */
		if (!expired && state == NWG_FLOW_NEW)
			break;
		if (expired)
			flow_remove(relay, flow);
		else
			list_move_tail(&flow->list, flows);
		if (--count % EXPIRY_BATCH)
			continue;
		spin_unlock_bh(&relay->lock);
		cond_resched();
		spin_lock_bh(&relay->lock);
	}
	spin_unlock_bh(&relay->lock);
}

void nwg_flow_expiry_work(struct work_struct *work)
{
	struct nwg_relay *relay = container_of(to_delayed_work(work), struct nwg_relay, expiry);

	expire(relay, NWG_FLOW_NEW, READ_ONCE(relay->flow_count[NWG_FLOW_NEW]));
	expire(relay, NWG_FLOW_ESTABLISHED,
	       DIV_ROUND_UP(READ_ONCE(relay->flow_count[NWG_FLOW_ESTABLISHED]), EXPIRY_ROUNDS));

	spin_lock_bh(&relay->lock);
	if (!relay->dead && flow_total(relay))
		queue_delayed_work(system_power_efficient_wq, &relay->expiry, EXPIRY_INTERVAL);
	spin_unlock_bh(&relay->lock);
}

int __init nwg_flow_init(void)
{
	get_random_bytes(&hash_key, sizeof(hash_key));
	flow_cache = KMEM_CACHE(nwg_flow, 0);
	return flow_cache ? 0 : -ENOMEM;
}

void nwg_flow_exit(void)
{
	/* Flows are freed by call_rcu(). */
	rcu_barrier();
	kmem_cache_destroy(flow_cache);
}
