/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of messages: how many may be sent, and the sliding window against replay (RFC 6479;
 * white paper, section 5.4.6). No lock: the caller serialises.
 */
#ifndef _NWG_PROTOCOL_REPLAY_H
#define _NWG_PROTOCOL_REPLAY_H

#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/types.h>

#define NWG_REPLAY_BITS 8192
/*
 * One word is always being filled anew, so this many counters behind the highest are still
 * accepted.
 */
#define NWG_REPLAY_WINDOW (NWG_REPLAY_BITS - BITS_PER_LONG)

/* White paper, section 6.1 */
#define NWG_REKEY_AFTER_MESSAGES (1ULL << 60)
#define NWG_REJECT_AFTER_MESSAGES (U64_MAX - (1ULL << 13))

/* How many messages may still be sent of a session that has sent @sent. */
static inline u64 replay_counters_left(u64 sent)
{
	return sent < NWG_REJECT_AFTER_MESSAGES ? NWG_REJECT_AFTER_MESSAGES - sent : 0;
}

/* Whether a session that has sent @sent messages is to be followed by another. */
static inline bool replay_counters_low(u64 sent)
{
	return sent > NWG_REKEY_AFTER_MESSAGES;
}

/**
 * struct replay_window - the counters seen of late
 * @next: highest counter accepted, plus one; 0 if none was. All zeroes is an empty window.
 * @seen: ring of bits by counter
 */
struct replay_window {
	u64 next;
	unsigned long seen[NWG_REPLAY_BITS / BITS_PER_LONG];
};

/**
 * replay_accept - accept the counter of an authenticated message, once
 * @window: updated if accepted
 * @counter: the message's counter
 *
 * Return: false if it was seen before, is older than the window, or is at or past
 * %NWG_REJECT_AFTER_MESSAGES.
 */
bool replay_accept(struct replay_window *window, u64 counter);

#endif /* _NWG_PROTOCOL_REPLAY_H */
