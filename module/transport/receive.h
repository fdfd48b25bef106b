/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a UDP datagram on the interface's socket to a plain IP packet in the stack.
 */
#ifndef _NWG_TRANSPORT_RECEIVE_H
#define _NWG_TRANSPORT_RECEIVE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>

#include "gather.h"
#include "parallel.h"
#include "relay/batch.h"

struct nwg_device;

/**
 * struct nwg_receive_queue - transport messages that wait to be decrypted
 * @napi: works them off, on one CPU at a time
 * @device: the interface
 * @arrived: those that no poll has taken yet; its own lock
 * @gather: whether to wait for more before they are decrypted; @arrived's lock
 * @gather_work: has the poll begin when more may have come, on this CPU
 * @gather_work_unbound: likewise, on an unbound workqueue, where there is one CPU; apart, as a work
 *	that changes its workqueue may run twice at a time, and who cancels it waits for one of them
 * @bursts: those that a poll has shared out among the CPUs, because they were many
 * @taken: those that are next to be delivered; only the poll touches it
 * @alone: @taken was one message; only the poll touches it
 * @relayed: what a relay sends of them; only the poll touches it
 *
 * The socket's softirq only queues, so what comes together is taken off the lower interface before
 * the first message is decrypted, and order holds though it may come on several CPUs. The poll follows
 * in the same softirq, or where messages come thick, in that of a work item.
 */
struct nwg_receive_queue {
	struct napi_struct napi;
	struct nwg_device *device;
	struct sk_buff_head arrived;
	struct nwg_gather gather;
	struct work_struct gather_work;
	struct work_struct gather_work_unbound;
	struct nwg_burst_queue bursts;
	struct sk_buff *taken;
	bool alone;
	struct nwg_relay_batch relayed;
};

/**
 * nwg_receive - take a datagram from the socket
 * @wg: the interface
 * @skb: data at the UDP header; consumed
 *
 * Handshake messages are queued for the handshake work, transport messages for NAPI.
 *
 * Context: softirq, RCU read section.
 */
void nwg_receive(struct nwg_device *wg, struct sk_buff *skb);

/*
 * Make, start, stop (dropping what waits) and free the queues. Context: process; no socket is open
 * but while started.
 */
int nwg_receive_init(struct nwg_device *wg);
void nwg_receive_start(struct nwg_device *wg);
void nwg_receive_stop(struct nwg_device *wg);
void nwg_receive_free(struct nwg_device *wg);

#endif /* _NWG_TRANSPORT_RECEIVE_H */
