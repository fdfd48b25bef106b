// SPDX-License-Identifier: GPL-2.0
#include "index.h"

#include <linux/mm.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>

static struct hlist_head *bucket_of(struct nwg_index_table *table, __le32 value)
{
	return &table->buckets[(__force u32)value & ((1U << NWG_INDEX_BITS) - 1)];
}

int nwg_index_table_init(struct nwg_index_table *table)
{
	spin_lock_init(&table->lock);
	table->buckets =
		kvcalloc(1U << NWG_INDEX_BITS, sizeof(*table->buckets), GFP_KERNEL_ACCOUNT);
	return table->buckets ? 0 : -ENOMEM;
}

void nwg_index_table_free(struct nwg_index_table *table)
{
	kvfree(table->buckets);
}

struct nwg_index *nwg_index_lookup(struct nwg_index_table *table, __le32 value)
{
	struct nwg_index *entry;

	hlist_for_each_entry_rcu(entry, bucket_of(table, value), node,
				 lockdep_is_held(&table->lock))
		if (entry->value == value)
			return entry;
	return NULL;
}

__le32 nwg_index_insert(struct nwg_index_table *table, struct nwg_index *entry)
{
	__le32 value;

	spin_lock_bh(&table->lock);
	hlist_del_init_rcu(&entry->node);
	do {
		value = (__force __le32)get_random_u32();
	} while (nwg_index_lookup(table, value));
	WRITE_ONCE(entry->value, value);
	hlist_add_head_rcu(&entry->node, bucket_of(table, value));
	spin_unlock_bh(&table->lock);
	return value;
}

bool nwg_index_replace(struct nwg_index_table *table, struct nwg_index *old, struct nwg_index *new)
{
	bool present;

	spin_lock_bh(&table->lock);
	present = !hlist_unhashed(&old->node);
	if (present) {
		new->value = old->value;
		hlist_replace_rcu(&old->node, &new->node);
		/* Unhashed, so that it can be inserted or removed again. A reader that stands on it
		 * still finds its way to the end of the bucket.
		 */
		WRITE_ONCE(old->node.pprev, NULL);
	}
	spin_unlock_bh(&table->lock);
	return present;
}

void nwg_index_remove(struct nwg_index_table *table, struct nwg_index *entry)
{
	spin_lock_bh(&table->lock);
	hlist_del_init_rcu(&entry->node);
	spin_unlock_bh(&table->lock);
}
