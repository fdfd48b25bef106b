// SPDX-License-Identifier: GPL-2.0
#include "quota.h"

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "object.h"

/*
 * Where nobody says otherwise, by memory, as conntrack: 1/64 of it, and what 16 relays of the default size
 * may have at least, which takes 32 MiB. That is the number of connections of conntrack (65,536 from 1 GiB
 * on, 262,144 from 4 GiB on) with 2 and with 8 GiB, but in proportion, also beyond.
 */
#define MEMORY_SHARE 64
#define DEFAULT_MIN 65536

/*
 * Bytes that a flow takes, about: itself, what counts its source's, and its places in five tables, 8 bytes
 * each, where up to five of eight are empty. On one CPU, where the allocator takes single pages, 566.
 */
#define FLOW_MEMORY 512

static unsigned int max_flows; /* 0 until the module is loaded */

static int set_max_flows(const char *text, const struct kernel_param *param)
{
	return param_set_uint_minmax(text, param, 1, INT_MAX);
}

static const struct kernel_param_ops max_flows_ops = {
	.set = set_max_flows,
	.get = param_get_uint,
};

/* Root of the host decides: who has a network namespace of its own may set its relays' max-flows. */
module_param_cb(max_flows, &max_flows_ops, &max_flows, 0644);
__MODULE_PARM_TYPE(max_flows, "uint");
MODULE_PARM_DESC(max_flows, "flows that all relays of a network namespace may have together "
			    "(default: as many as 1/64 of the memory holds, and 65536 at least)");

/**
 * struct nwg_quota - what a source of a relay uses up; there while it has flows
 * @node: in the table by @key
 * @key: whose it is; constant
 * @flows: number of its flows, in all states; written under relay->lock
 * @rcu: frees it
 */
struct nwg_quota {
	struct rhash_head node;
	struct quota_key {
		const struct nwg_relay *relay;
		struct in6_addr prefix;
	} key;
	u32 flows;
	struct rcu_head rcu;
};

static struct kmem_cache *quota_cache;

static const struct rhashtable_params by_source_params = {
	.head_offset = offsetof(struct nwg_quota, node),
	.key_offset = offsetof(struct nwg_quota, key),
	.key_len = sizeof(struct quota_key),
	.hashfn = nwg_flow_hash,
	.automatic_shrinking = true,
};

int nwg_quotas_init(struct nwg_quotas *quotas)
{
	atomic_set(&quotas->reserved, 0);
	return rhashtable_init(&quotas->by_source, &by_source_params);
}

void nwg_quotas_destroy(struct nwg_quotas *quotas)
{
	WARN_ON_ONCE(atomic_read(&quotas->reserved));
	rhashtable_destroy(&quotas->by_source);
}

static int prefix_len(const struct in6_addr *client)
{
	return ipv6_addr_v4mapped(client) ? 128 : 64;
}

bool nwg_quota_same_source(const struct in6_addr *a, const struct in6_addr *b)
{
	struct in6_addr prefix_a, prefix_b;

	ipv6_addr_prefix(&prefix_a, a, prefix_len(a));
	ipv6_addr_prefix(&prefix_b, b, prefix_len(b));
	return prefix_len(a) == prefix_len(b) && ipv6_addr_equal(&prefix_a, &prefix_b);
}

static struct quota_key key_of(const struct nwg_relay *relay, const struct in6_addr *client)
{
	struct quota_key key = { .relay = relay };

	ipv6_addr_prefix(&key.prefix, client, prefix_len(client));
	return key;
}

static struct nwg_quota *find(const struct nwg_relay *relay, const struct quota_key *key)
{
	return rhashtable_lookup_fast(&relay->net->flows.quotas.by_source, key, by_source_params);
}

u32 nwg_quota_used(const struct nwg_relay *relay, const struct in6_addr *client)
{
	const struct quota_key key = key_of(relay, client);
	const struct nwg_quota *quota = find(relay, &key);

	return quota ? READ_ONCE(quota->flows) : 0;
}

enum nwg_relay_drop nwg_quota_charge(struct nwg_relay *relay, const struct in6_addr *client,
				     u32 max)
{
	const struct quota_key key = key_of(relay, client);
	struct nwg_quota *quota = find(relay, &key);

	lockdep_assert_held(&relay->lock);
	if (quota) {
		if (quota->flows >= max)
			return NWG_DROP_SOURCE_LIMIT;
		WRITE_ONCE(quota->flows, quota->flows + 1);
		return 0;
	}
	quota = kmem_cache_zalloc(quota_cache, GFP_ATOMIC);
	if (unlikely(!quota))
		return NWG_DROP_NO_MEMORY;
	quota->key = key;
	quota->flows = 1;
	if (rhashtable_insert_fast(&relay->net->flows.quotas.by_source, &quota->node,
				   by_source_params)) {
		kmem_cache_free(quota_cache, quota);
		return NWG_DROP_NO_MEMORY;
	}
	return 0;
}

static void quota_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(quota_cache, container_of(rcu, struct nwg_quota, rcu));
}

void nwg_quota_uncharge(struct nwg_relay *relay, const struct in6_addr *client)
{
	const struct quota_key key = key_of(relay, client);
	struct nwg_quota *quota = find(relay, &key);

	lockdep_assert_held(&relay->lock);
	if (WARN_ON_ONCE(!quota))
		return;
	WRITE_ONCE(quota->flows, quota->flows - 1);
	if (quota->flows)
		return;
	rhashtable_remove_fast(&relay->net->flows.quotas.by_source, &quota->node, by_source_params);
	call_rcu(&quota->rcu, quota_free_rcu);
}

bool nwg_quota_reserve(struct nwg_quotas *quotas)
{
	const int max = READ_ONCE(max_flows);
	int reserved = atomic_read(&quotas->reserved);

	do {
		if (reserved >= max)
			return false;
	} while (!atomic_try_cmpxchg(&quotas->reserved, &reserved, reserved + 1));
	return true;
}

bool nwg_quota_keep(struct nwg_quotas *quotas)
{
	const int max = READ_ONCE(max_flows);

	if (atomic_read(&quotas->reserved) <= max)
		return true;
	nwg_quota_release(quotas);
	return false;
}

void nwg_quota_release(struct nwg_quotas *quotas)
{
	atomic_dec(&quotas->reserved);
}

bool nwg_quota_scarce(const struct nwg_quotas *quotas)
{
	const int max = READ_ONCE(max_flows);

	return atomic_read(&quotas->reserved) >= max - max / 8;
}

static unsigned int default_max_flows(void)
{
	const u64 fit = ((u64)totalram_pages() << PAGE_SHIFT) / MEMORY_SHARE / FLOW_MEMORY;

	return clamp_t(u64, fit, DEFAULT_MIN, INT_MAX);
}

int __init nwg_quota_init(void)
{
	if (!max_flows)
		max_flows = default_max_flows();
	quota_cache = KMEM_CACHE(nwg_quota, 0);
	return quota_cache ? 0 : -ENOMEM;
}

void nwg_quota_exit(void)
{
	kmem_cache_destroy(quota_cache);
}
