/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Encryption and decryption of one queue's packets on several CPUs, and their order afterwards.
 *
 * Packets stand in a queue in bursts. Whoever brings them works on them itself, from the front, unless
 * they are gathered (gather.h); if there is more than one burst, helpers on other CPUs are called, and each
 * takes the next one that nobody works on. A burst leaves the queue when it is done and those before it
 * have left. So with little to do nothing changes hands, but where another CPU has just sent for the same
 * peer (send.c).
 */
#ifndef _NWG_TRANSPORT_PARALLEL_H
#define _NWG_TRANSPORT_PARALLEL_H

#include <linux/cpumask.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>

/* Packets in a burst where there are several CPUs: many times the work that it takes to call a helper. */
#define NWG_BURST 16

/* Packets in a burst that is put together one by one where there is one CPU. */
#define NWG_BURST_ALONE 64

/* Packets that may stand in a queue; what was staged for a session joins them all the same. */
#define NWG_MAX_QUEUED 1024

/**
 * struct nwg_packet - what a packet carries in its control buffer on its way through the module
 * @next_burst: the burst behind this one; of a burst's first packet
 * @last: the burst's last packet; of its first
 * @session_id: the session that encrypts the burst; or that has decrypted the packet
 * @counter: of the first packet to encrypt, the next ones follow
 * @index: own index of the session that encrypts the burst
 * @count: packets in the burst; of its first
 * @level: how many tunnels it is in, this one included; to be sent
 * @ds: DS field of the outer header; to be sent
 * @data: it is not empty; to be sent
 * @done: nobody has to work on the burst any more; the queue's lock
 * @decrypted: a helper has tried to decrypt it
 * @failed: there was no session to encrypt the burst with
 * @refused: why the helper could not (enum nwg_device_drop_reason), or 0
 */
struct nwg_packet {
	struct sk_buff *next_burst;
	struct sk_buff *last;
	u64 session_id;
	u64 counter;
	__le32 index;
	u16 count;
	u8 level;
	u8 ds;
	bool data;
	bool done;
	bool decrypted;
	bool failed;
	u8 refused;
};

static inline struct nwg_packet *nwg_packet(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct nwg_packet) > sizeof(skb->cb));
	return (struct nwg_packet *)skb->cb;
}

/**
 * struct nwg_burst_queue - bursts in the order in which they are to leave
 * @lock: protects the rest but for @waiting; BH. Who alone puts in and takes out may look at @first and
 *	@packets without it.
 * @first: oldest burst
 * @last: newest burst
 * @unclaimed: oldest burst that nobody works on; nor does anybody on those behind it
 * @backlog: bursts that nobody works on; read lockless
 * @packets: in all bursts
 * @waiting: in the list of queues that want help; that list's lock
 * @help: take a burst, work on it and see to what follows; false if there was none. Called with BH
 *	off in an RCU read section.
 */
struct nwg_burst_queue {
	spinlock_t lock;
	struct sk_buff *first;
	struct sk_buff *last;
	struct sk_buff *unclaimed;
	unsigned int backlog;
	unsigned int packets;
	struct list_head waiting;
	bool (*help)(struct nwg_burst_queue *queue);
};

void nwg_bursts_init(struct nwg_burst_queue *queue, bool (*help)(struct nwg_burst_queue *queue));

/**
 * nwg_burst_cut - cut a burst off a list of packets
 * @list: packets linked by ->next; advanced to what is left
 *
 * With one CPU only, one burst is as good as many.
 *
 * Return: the burst: its first packet, linked to the others by ->next, with their number.
 */
struct sk_buff *nwg_burst_cut(struct sk_buff **list);

/* Put a burst at the end of a queue. Context: lock held. */
void nwg_burst_append(struct nwg_burst_queue *queue, struct sk_buff *burst);

/*
 * Put packets behind those of the newest burst, if nobody works on that yet, @session_id encrypts it, too,
 * and it does not become too long; the caller gives them the counters that follow its own. Context: lock
 * held. Return: whether it did.
 */
bool nwg_burst_join(struct nwg_burst_queue *queue, struct sk_buff *burst, u64 session_id);

/* Take the oldest burst that nobody works on, or NULL. Context: lock held. */
struct sk_buff *nwg_burst_claim(struct nwg_burst_queue *queue);

/* Whether the oldest burst is done. Context: lock held. */
static inline bool nwg_burst_ready(const struct nwg_burst_queue *queue)
{
	return queue->first && nwg_packet(queue->first)->done;
}

/* Take the oldest burst out of the queue, if it is done; or NULL. Context: lock held. */
struct sk_buff *nwg_burst_pop(struct nwg_burst_queue *queue);

/**
 * nwg_help_wanted - call helpers for bursts that nobody works on
 * @queue: the queue; stays known to helpers until nwg_help_over(), though they may find nothing
 * @bursts: how many
 *
 * Context: BH off.
 */
void nwg_help_wanted(struct nwg_burst_queue *queue, unsigned int bursts);

/*
 * No helper takes another burst. One that is at work is so in an RCU read section. Context: BH off.
 */
void nwg_help_over(struct nwg_burst_queue *queue);

/* Where helpers run, and works that any CPU may do; made before the first interface. */
extern struct workqueue_struct *nwg_parallel_workqueue;

/* Where works run that are to stay on a CPU, so that what leaves by its queues keeps its order. */
extern struct workqueue_struct *nwg_local_workqueue;

int nwg_parallel_init(void);
void nwg_parallel_exit(void);

#endif /* _NWG_TRANSPORT_PARALLEL_H */
