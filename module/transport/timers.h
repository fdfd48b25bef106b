/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens when nothing does (white paper, section 6). The path of a packet only notes when
 * something was sent or received; a timer that fires looks at the notes and either acts or goes on
 * waiting, so no packet moves a timer.
 */
#ifndef _NWG_TRANSPORT_TIMERS_H
#define _NWG_TRANSPORT_TIMERS_H

#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/* White paper, section 6.1; seconds. */
#define NWG_REKEY_AFTER_TIME 120
#define NWG_REJECT_AFTER_TIME 180
#define NWG_REKEY_TIMEOUT 5
#define NWG_REKEY_ATTEMPT_TIME 90
#define NWG_KEEPALIVE_TIMEOUT 10
#define NWG_ERASE_AFTER_TIME (3 * NWG_REJECT_AFTER_TIME)

struct nwg_peer;

/**
 * struct nwg_timers - timers of a peer; all notes are jiffies, with 0 for "nothing to wait for"
 * @retry: the initiation was not answered
 * @keepalive: data was received and nothing sent back
 * @no_answer: data was sent and nothing came back
 * @erase: no new session for long
 * @erase_at: when that will be; may pass while @erase_work waits
 * @persistent: persistent keepalive
 * @unacknowledged: when the first data was received since we last sent
 * @unanswered: when the first data was sent since we last received
 * @last_traffic: when anything authenticated was last sent or received
 * @attempts: initiations repeated so far
 * @erase_work: erases the keys when @erase fires
 */
struct nwg_timers {
	struct timer_list retry;
	struct timer_list keepalive;
	struct timer_list no_answer;
	struct timer_list erase;
	unsigned long erase_at;
	struct timer_list persistent;
	unsigned long unacknowledged;
	unsigned long unanswered;
	unsigned long last_traffic;
	unsigned int attempts;
	struct work_struct erase_work;
};

void nwg_timers_init(struct nwg_peer *peer);

/*
 * Stop all; no timer of the peer runs when it returns. Context: process, and the peer's traffic has
 * ended.
 */
void nwg_timers_stop(struct nwg_peer *peer);

/* Notes. Context: any but hard interrupt. */
void nwg_timers_data_sent(struct nwg_peer *peer);
void nwg_timers_data_received(struct nwg_peer *peer);
void nwg_timers_authenticated_sent(struct nwg_peer *peer);
void nwg_timers_authenticated_received(struct nwg_peer *peer);
void nwg_timers_initiation_sent(struct nwg_peer *peer);
void nwg_timers_handshake_postponed(struct nwg_peer *peer);
void nwg_timers_handshake_complete(struct nwg_peer *peer);
void nwg_timers_session_derived(struct nwg_peer *peer);
void nwg_timers_erased(struct nwg_peer *peer);
void nwg_timers_persistent_changed(struct nwg_peer *peer);

#endif /* _NWG_TRANSPORT_TIMERS_H */
