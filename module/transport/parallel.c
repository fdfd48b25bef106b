// SPDX-License-Identifier: GPL-2.0
#include "parallel.h"

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

struct workqueue_struct *nwg_parallel_workqueue, *nwg_local_workqueue;

/* Queues with bursts that nobody works on. */
static LIST_HEAD(waiting);
static DEFINE_SPINLOCK(waiting_lock); /* BH; inside no other spinlock */

/* One for each CPU that may come, so that as many can help at a time. */
static struct work_struct *helpers;
static unsigned int helper_count;

void nwg_bursts_init(struct nwg_burst_queue *queue, bool (*help)(struct nwg_burst_queue *queue))
{
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->waiting);
	queue->help = help;
}

struct sk_buff *nwg_burst_cut(struct sk_buff **list)
{
	const unsigned int most = num_online_cpus() > 1 ? NWG_BURST : NWG_MAX_QUEUED;
	struct sk_buff *burst = *list, *last = burst;
	unsigned int count;

	for (count = 1; count < most && last->next; count++)
		last = last->next;
	*list = last->next;
	last->next = NULL;
	nwg_packet(burst)->last = last;
	nwg_packet(burst)->count = count;
	return burst;
}

void nwg_burst_append(struct nwg_burst_queue *queue, struct sk_buff *burst)
{
	lockdep_assert_held(&queue->lock);
	nwg_packet(burst)->next_burst = NULL;
	nwg_packet(burst)->done = false;
	nwg_packet(burst)->failed = false;
	if (queue->first)
		nwg_packet(queue->last)->next_burst = burst;
	else
		queue->first = burst;
	queue->last = burst;
	queue->packets += nwg_packet(burst)->count;
	if (!queue->unclaimed)
		queue->unclaimed = burst;
	WRITE_ONCE(queue->backlog, queue->backlog + 1);
}

bool nwg_burst_join(struct nwg_burst_queue *queue, struct sk_buff *burst, u64 session_id)
{
	const unsigned int most = num_online_cpus() > 1 ? NWG_BURST : NWG_BURST_ALONE;
	const unsigned int count = nwg_packet(burst)->count;
	struct nwg_packet *newest;

	lockdep_assert_held(&queue->lock);
	if (!queue->unclaimed)
		return false;
	newest = nwg_packet(queue->last);
	if (newest->session_id != session_id || newest->count + count > most)
		return false;
	newest->last->next = burst;
	newest->last = nwg_packet(burst)->last;
	newest->count += count;
	queue->packets += count;
	return true;
}

struct sk_buff *nwg_burst_claim(struct nwg_burst_queue *queue)
{
	struct sk_buff *burst = queue->unclaimed;

	lockdep_assert_held(&queue->lock);
	if (burst) {
		queue->unclaimed = nwg_packet(burst)->next_burst;
		WRITE_ONCE(queue->backlog, queue->backlog - 1);
	}
	return burst;
}

struct sk_buff *nwg_burst_pop(struct nwg_burst_queue *queue)
{
	struct sk_buff *burst = queue->first;

	lockdep_assert_held(&queue->lock);
	if (!nwg_burst_ready(queue))
		return NULL;
	queue->first = nwg_packet(burst)->next_burst;
	queue->packets -= nwg_packet(burst)->count;
	return burst;
}

static void help(struct work_struct *work)
{
	struct nwg_burst_queue *queue;

	do {
		rcu_read_lock_bh();
		spin_lock(&waiting_lock);
		queue = list_first_entry_or_null(&waiting, struct nwg_burst_queue, waiting);
		/* In turns: no queue is to wait for the end of another. */
		if (queue)
			list_move_tail(&queue->waiting, &waiting);
		spin_unlock(&waiting_lock);
		if (queue && !queue->help(queue))
			nwg_help_over(queue);
		rcu_read_unlock_bh();
		cond_resched();
	} while (queue);
}

void nwg_help_wanted(struct nwg_burst_queue *queue, unsigned int bursts)
{
	unsigned int i;

	spin_lock(&waiting_lock);
	if (list_empty(&queue->waiting))
		list_add_tail(&queue->waiting, &waiting);
	spin_unlock(&waiting_lock);
	bursts = min3(bursts, helper_count, num_online_cpus() - 1);
	for (i = 0; i < bursts; i++)
		queue_work(nwg_parallel_workqueue, &helpers[i]);
}

void nwg_help_over(struct nwg_burst_queue *queue)
{
	spin_lock(&waiting_lock);
	list_del_init(&queue->waiting);
	spin_unlock(&waiting_lock);
}

int nwg_parallel_init(void)
{
	unsigned int i;

	helper_count = num_possible_cpus();
	helpers = kcalloc(helper_count, sizeof(*helpers), GFP_KERNEL);
	if (!helpers)
		return -ENOMEM;
	for (i = 0; i < helper_count; i++)
		INIT_WORK(&helpers[i], help);
	/* Not bound: a helper runs where there is time for it, and no CPU that goes is missed. */
	nwg_parallel_workqueue = alloc_workqueue("nwg-parallel", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	nwg_local_workqueue = alloc_workqueue("nwg-local", WQ_PERCPU | WQ_MEM_RECLAIM, 0);
	if (!nwg_parallel_workqueue || !nwg_local_workqueue) {
		nwg_parallel_exit();
		return -ENOMEM;
	}
	return 0;
}

void nwg_parallel_exit(void)
{
	if (nwg_local_workqueue)
		destroy_workqueue(nwg_local_workqueue);
	if (nwg_parallel_workqueue)
		destroy_workqueue(nwg_parallel_workqueue);
	kfree(helpers);
}
