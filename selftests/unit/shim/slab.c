// SPDX-License-Identifier: GPL-2.0
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <limits.h>
#include <stdlib.h>

unsigned long shim_objects;
unsigned long shim_allocations_left = ULONG_MAX;

void *kzalloc(size_t size, int gfp)
{
	void *object;

	(void)gfp;
	if (!shim_allocations_left)
		return NULL;
	shim_allocations_left--;
	object = calloc(1, size);
	if (object)
		shim_objects++;
	return object;
}

void kfree(void *object)
{
	if (object)
		shim_objects--;
	free(object);
}

struct kmem_cache *shim_cache(size_t size)
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (cache)
		cache->size = size;
	return cache;
}

static struct rcu_head *waiting;

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->next = waiting;
	head->func = func;
	waiting = head;
}

void rcu_barrier(void)
{
	struct rcu_head *head;

	while ((head = waiting)) {
		waiting = head->next;
		head->func(head);
	}
}
