/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's calls on a table that has a fixed number of buckets. */
#ifndef _SHIM_LINUX_RHASHTABLE_H
#define _SHIM_LINUX_RHASHTABLE_H

#include <assert.h>
#include <errno.h>
#include <linux/kernel.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <stdlib.h>
#include <string.h>

#define SHIM_BUCKETS 256

struct rhash_head {
	struct rhash_head *next;
};

struct rhashtable {
	struct rhash_head **buckets;
	unsigned int count;
};

struct rhashtable_compare_arg {
	struct rhashtable *ht;
	const void *key;
};

struct rhashtable_params {
	u16 key_len, key_offset, head_offset;
	bool automatic_shrinking;
	u32 (*hashfn)(const void *data, u32 len, u32 seed);
	u32 (*obj_hashfn)(const void *data, u32 len, u32 seed);
	int (*obj_cmpfn)(struct rhashtable_compare_arg *arg, const void *object);
};

static inline u32 shim_hash_bytes(const void *data, u32 len)
{
	const u8 *byte = data;
	u32 hash = 0;

	while (len--)
		hash = hash * 31 + *byte++;
	return hash ^ hash >> 15;
}

static inline struct rhash_head **shim_bucket(struct rhashtable *table, const void *key,
					      const struct rhashtable_params *params)
{
	u32 hash = params->hashfn ? params->hashfn(key, params->key_len, 0) :
				    shim_hash_bytes(key, params->key_len);

	return &table->buckets[hash % SHIM_BUCKETS];
}

static inline struct rhash_head **shim_bucket_of(struct rhashtable *table, const void *object,
						 const struct rhashtable_params *params)
{
	if (!params->obj_hashfn)
		return shim_bucket(table, object + params->key_offset, params);
	return &table->buckets[params->obj_hashfn(object, params->key_len, 0) % SHIM_BUCKETS];
}

static inline int rhashtable_init(struct rhashtable *table, const struct rhashtable_params *params)
{
	(void)params;
	table->count = 0;
	table->buckets = calloc(SHIM_BUCKETS, sizeof(*table->buckets));
	return table->buckets ? 0 : -ENOMEM;
}

static inline void rhashtable_destroy(struct rhashtable *table)
{
	assert(!table->count);
	free(table->buckets);
}

static inline void *shim_lookup(struct rhashtable *table, const void *key,
				const struct rhashtable_params *params)
{
	struct rhashtable_compare_arg arg = { .ht = table, .key = key };
	struct rhash_head *head;
	const void *object;

	for (head = *shim_bucket(table, key, params); head; head = head->next) {
		object = (void *)head - params->head_offset;
		if (params->obj_cmpfn ? !params->obj_cmpfn(&arg, object) :
					!memcmp(object + params->key_offset, key, params->key_len))
			return (void *)object;
	}
	return NULL;
}

static inline int shim_insert(struct rhashtable *table, struct rhash_head *head,
			      const struct rhashtable_params *params)
{
	struct rhash_head **bucket =
		shim_bucket_of(table, (void *)head - params->head_offset, params);

	/* The kernel's may have to grow. */
	if (!shim_allocations_left)
		return -ENOMEM;
	shim_allocations_left--;
	head->next = *bucket;
	*bucket = head;
	table->count++;
	return 0;
}

static inline int shim_remove(struct rhashtable *table, struct rhash_head *head,
			      const struct rhashtable_params *params)
{
	struct rhash_head **place =
		shim_bucket_of(table, (void *)head - params->head_offset, params);

	for (; *place; place = &(*place)->next) {
		if (*place != head)
			continue;
		*place = head->next;
		table->count--;
		return 0;
	}
	return -ENOENT;
}

/* The parameters are passed by value, as in the kernel. */
#define rhashtable_lookup(table, key, params) shim_lookup(table, key, &(params))
#define rhashtable_lookup_fast(table, key, params) rhashtable_lookup(table, key, params)
#define rhashtable_insert_fast(table, head, params) shim_insert(table, head, &(params))
#define rhashtable_remove_fast(table, head, params) shim_remove(table, head, &(params))
#define rhashtable_lookup_insert_key(table, key, head, params) \
	(shim_lookup(table, key, &(params)) ? -EEXIST : shim_insert(table, head, &(params)))
#define rhashtable_lookup_insert_fast(table, head, params) \
	rhashtable_lookup_insert_key(                      \
		table, (void *)(head) - (params).head_offset + (params).key_offset, head, params)

#endif /* _SHIM_LINUX_RHASHTABLE_H */
