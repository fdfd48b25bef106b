// SPDX-License-Identifier: GPL-2.0
#include "ratelimiter.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/*
 * White paper, section 5.3 leaves the figures to the implementation; these are the customary ones.
 */
#define PACKETS_PER_SECOND 20
#define PACKETS_BURST 5
#define TOKEN_NS (NSEC_PER_SEC / PACKETS_PER_SECOND)
#define MAX_NS (TOKEN_NS * PACKETS_BURST)

#define BUCKET_BITS 13

/*
 * Sources at once: of all owners, and of one use of one owner's, so that a flood of one does not shut out
 * the others. These are counted by hash: two may share a number, but nobody can tell with whom.
 */
#define MAX_SOURCES (32U << BUCKET_BITS)
#define MAX_SOURCES_OF_OWNER (4U << BUCKET_BITS)
#define COUNT_BITS 12

/**
 * struct source - the bucket of one source
 * @node: in the table; RCU
 * @rcu: frees it
 * @key: who it is; never changes
 * @lock: protects @tokens and @last; BH
 * @tokens: nanoseconds saved up, at most %MAX_NS; a packet costs %TOKEN_NS
 * @last: CLOCK_BOOTTIME in ns of the last packet
 */
struct source {
	struct hlist_node node;
	struct rcu_head rcu;
	struct source_key {
		const void *owner;
		u64 prefix; /* IPv6 /64, or IPv4 address */
		u32 family;
		u32 use;
	} key;
	spinlock_t lock;
	u64 tokens;
	u64 last;
};

static struct hlist_head *table;
static siphash_key_t hash_key;
static DEFINE_SPINLOCK(table_lock);
static unsigned int source_count; /* table_lock */
static unsigned int source_counts[1 << COUNT_BITS]; /* by owner and use; table_lock */
static struct delayed_work expiry;

static struct hlist_head *bucket_of(const struct source_key *key)
{
	return &table[siphash(key, sizeof(*key), &hash_key) & ((1U << BUCKET_BITS) - 1)];
}

/* Where it is counted how many sources an owner has for a use. */
static unsigned int *count_of(const struct source_key *key)
{
	const u64 hash = siphash_2u64((unsigned long)key->owner, key->use, &hash_key);

	return &source_counts[hash & ((1U << COUNT_BITS) - 1)];
}

static bool key_of(struct source_key *key, enum nwg_ratelimit_use use, const void *owner,
		   struct sk_buff *skb)
{
	memset(key, 0, sizeof(*key));
	if (skb->protocol == htons(ETH_P_IP)) {
		key->family = AF_INET;
		key->prefix = (__force u32)ip_hdr(skb)->saddr;
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		key->family = AF_INET6;
		memcpy(&key->prefix, &ipv6_hdr(skb)->saddr, sizeof(key->prefix));
	} else {
		return false;
	}
	key->owner = owner;
	key->use = use;
	return true;
}

static bool source_take_token(struct source *source)
{
	bool allowed;
	u64 now;

	spin_lock_bh(&source->lock);
	now = ktime_get_coarse_boottime_ns();
	source->tokens = min_t(u64, MAX_NS, source->tokens + max_t(s64, now - source->last, 0));
	source->last = now;
	allowed = source->tokens >= TOKEN_NS;
	if (allowed)
		source->tokens -= TOKEN_NS;
	spin_unlock_bh(&source->lock);
	return allowed;
}

static struct source *source_find(struct hlist_head *bucket, const struct source_key *key)
{
	struct source *source;

	hlist_for_each_entry_rcu(source, bucket, node, lockdep_is_held(&table_lock))
		if (!memcmp(&source->key, key, sizeof(*key)))
			return source;
	return NULL;
}

bool nwg_ratelimiter_allow(enum nwg_ratelimit_use use, const void *owner, struct sk_buff *skb)
{
	struct source *source, *fresh;
	struct hlist_head *bucket;
	struct source_key key;
	unsigned int *count;
	bool allowed = false;

	if (!key_of(&key, use, owner, skb))
		return false;
	bucket = bucket_of(&key);
	count = count_of(&key);

	rcu_read_lock();
	source = source_find(bucket, &key);
	if (source) {
		allowed = source_take_token(source);
		rcu_read_unlock();
		return allowed;
	}
	rcu_read_unlock();

	fresh = kzalloc(sizeof(*fresh), GFP_ATOMIC | __GFP_NOWARN);
	if (!fresh)
		return false;
	fresh->key = key;
	fresh->tokens = MAX_NS - TOKEN_NS;
	fresh->last = ktime_get_coarse_boottime_ns();
	spin_lock_init(&fresh->lock);

	spin_lock_bh(&table_lock);
	source = source_find(bucket, &key);
	if (unlikely(source)) {
		/* Another CPU was quicker. */
		allowed = source_take_token(source);
		kfree(fresh);
	} else if (source_count >= MAX_SOURCES || *count >= MAX_SOURCES_OF_OWNER) {
		kfree(fresh);
	} else {
		hlist_add_head_rcu(&fresh->node, bucket);
		source_count++;
		++*count;
		schedule_delayed_work(&expiry, HZ);
		allowed = true;
	}
	spin_unlock_bh(&table_lock);
	return allowed;
}

/* A source whose bucket is full again is as good as one that was never seen. */
static void expire(struct work_struct *work)
{
	u64 now = ktime_get_coarse_boottime_ns();
	struct hlist_node *next;
	struct source *source;
	unsigned int i;

	for (i = 0; i < 1U << BUCKET_BITS; i++) {
		if (hlist_empty(&table[i]))
			continue;
		spin_lock_bh(&table_lock);
		hlist_for_each_entry_safe(source, next, &table[i], node) {
			if ((s64)(now - READ_ONCE(source->last)) < (s64)NSEC_PER_SEC)
				continue;
			hlist_del_rcu(&source->node);
			source_count--;
			--*count_of(&source->key);
			kfree_rcu(source, rcu);
		}
		spin_unlock_bh(&table_lock);
		cond_resched();
	}
	spin_lock_bh(&table_lock);
	if (source_count)
		schedule_delayed_work(&expiry, HZ);
	spin_unlock_bh(&table_lock);
}

int nwg_ratelimiter_init(void)
{
	table = kvcalloc(1U << BUCKET_BITS, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	get_random_bytes(&hash_key, sizeof(hash_key));
	INIT_DEFERRABLE_WORK(&expiry, expire);
	return 0;
}

/* Nothing calls nwg_ratelimiter_allow() any more. */
void nwg_ratelimiter_exit(void)
{
	struct hlist_node *next;
	struct source *source;
	unsigned int i;

	cancel_delayed_work_sync(&expiry);
	for (i = 0; i < 1U << BUCKET_BITS; i++) {
		hlist_for_each_entry_safe(source, next, &table[i], node)
			kfree(source);
	}
	rcu_barrier();
	kvfree(table);
}
