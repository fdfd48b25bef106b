// SPDX-License-Identifier: GPL-2.0
/*
 * Sliding window against replay, after RFC 6479: the bits of the window live in a ring of words.
 * Moving the window only zeroes the words that it enters, nothing is shifted.
 */
#include "replay.h"

#include <linux/minmax.h>

#define NWG_REPLAY_WORDS (NWG_REPLAY_BITS / BITS_PER_LONG)

/*
 * Make @counter the highest one: forget what the ring held for the words between the old highest
 * and this one.
 */
static void replay_advance(struct replay_window *window, u64 counter)
{
	u64 from = window->next ? (window->next - 1) / BITS_PER_LONG : 0;
	u64 enter = min_t(u64, counter / BITS_PER_LONG - from, NWG_REPLAY_WORDS);
	u64 i;

	for (i = 1; i <= enter; i++)
		window->seen[(from + i) % NWG_REPLAY_WORDS] = 0;
	window->next = counter + 1;
}

bool replay_accept(struct replay_window *window, u64 counter)
{
	if (counter >= NWG_REJECT_AFTER_MESSAGES)
		return false;
	if (counter >= window->next)
		replay_advance(window, counter);
	else if (window->next - 1 - counter > NWG_REPLAY_WINDOW)
		return false;
	return !__test_and_set_bit(counter % NWG_REPLAY_BITS, window->seen);
}
