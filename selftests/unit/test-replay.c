// SPDX-License-Identifier: GPL-2.0
/* The replay window, against a model that remembers every counter. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "replay.h"

/* REJECT_AFTER_MESSAGES, 2^64 - 2^13 - 1 (white paper, section 6.1) */
#define LIMIT 0xffffffffffffdfffULL

/*
 * The oldest counter accepted, seen from the highest: not fewer than 8192 bits less the word that
 * is being filled
 */
static const u64 reach = 8192 - 8 * sizeof(long);

static void test_in_order_once(void **state)
{
	struct replay_window window = { 0 };
	u64 i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		assert_true(replay_accept(&window, i));
		assert_false(replay_accept(&window, i));
		assert_false(replay_accept(&window, 0));
	}
}

static void test_backwards(void **state)
{
	struct replay_window window = { 0 };
	u64 high = 100000, i;

	(void)state;
	assert_true(replay_accept(&window, high));
	for (i = 1; i <= reach; i++)
		assert_true(replay_accept(&window, high - i));
	for (i = 0; i <= 2 * reach; i++)
		assert_false(replay_accept(&window, high - i));
	assert_true(replay_accept(&window, high + 1));
}

/* Both edges, wherever in its word the highest counter lies */
static void test_edges(void **state)
{
	u64 high;

	(void)state;
	for (high = 3 * 8192; high < 3 * 8192 + 130; high++) {
		struct replay_window window = { 0 };

		assert_true(replay_accept(&window, high));
		assert_false(replay_accept(&window, high - reach - 1));
		assert_true(replay_accept(&window, high - reach));
		assert_false(replay_accept(&window, high - reach));
		/* One more, and the oldest drops out whether it was seen or not. */
		assert_true(replay_accept(&window, high + 1));
		assert_false(replay_accept(&window, high - reach));
		assert_true(replay_accept(&window, high + 1 - reach));
	}
}

/*
 * A jump of any size forgets nothing that still counts, and leaves no trace of what was in the ring
 * before.
 */
static void test_jumps(void **state)
{
	u64 jump, i;

	(void)state;
	for (jump = 1; jump < 3 * 8192; jump += jump < 200 ? 1 : 61) {
		struct replay_window window = { 0 };
		const u64 high = 8191;

		for (i = 0; i <= high; i++)
			assert_true(replay_accept(&window, i));
		assert_true(replay_accept(&window, high + jump));
		for (i = high + jump - reach; i < high + jump; i++)
			assert_int_equal(replay_accept(&window, i), i > high);
		assert_false(replay_accept(&window, high + jump));
	}
}

static void test_first_counter_may_be_any(void **state)
{
	static const u64 first[] = { 0, 1, 63, 64, 8191, 8192, 1ULL << 32, 1ULL << 60, LIMIT - 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct replay_window window = { 0 };

		assert_true(replay_accept(&window, first[i]));
		assert_false(replay_accept(&window, first[i]));
		if (first[i])
			assert_true(replay_accept(&window, first[i] - 1));
	}
}

static void test_limit(void **state)
{
	struct replay_window window = { 0 };

	(void)state;
	assert_true(NWG_REJECT_AFTER_MESSAGES == LIMIT);
	assert_false(replay_accept(&window, LIMIT));
	assert_false(replay_accept(&window, LIMIT + 1));
	assert_false(replay_accept(&window, UINT64_MAX));
	/* None of these moved the window. */
	assert_true(replay_accept(&window, 0));
	assert_true(replay_accept(&window, LIMIT - 1));
	assert_false(replay_accept(&window, LIMIT));
	assert_false(replay_accept(&window, UINT64_MAX));
	assert_true(replay_accept(&window, LIMIT - 2));
	assert_false(replay_accept(&window, 1));
}

/* A refused counter changes nothing. */
/* What is sent last, the receiver still accepts. */
static void test_counters_to_send(void **state)
{
	struct replay_window window = { 0 };

	(void)state;
	assert_int_equal(replay_counters_left(0), LIMIT);
	assert_int_equal(replay_counters_left(LIMIT - 1), 1);
	assert_true(replay_accept(&window, LIMIT - 1));
	assert_int_equal(replay_counters_left(LIMIT), 0);
	assert_int_equal(replay_counters_left(~0ULL), 0);
	/* REKEY_AFTER_MESSAGES, 2^60 */
	assert_false(replay_counters_low(1ULL << 60));
	assert_true(replay_counters_low((1ULL << 60) + 1));
}

static void test_refusal_leaves_window(void **state)
{
	struct replay_window window = { 0 }, before;

	(void)state;
	assert_true(replay_accept(&window, 50000));
	assert_true(replay_accept(&window, 49000));
	before = window;
	assert_false(replay_accept(&window, 50000));
	assert_false(replay_accept(&window, 49000));
	assert_false(replay_accept(&window, 50000 - reach - 1));
	assert_false(replay_accept(&window, LIMIT));
	assert_memory_equal(&window, &before, sizeof(window));
}

#define MODEL_SPAN (1U << 22)

/* Random walks from several places. The model: one byte for each counter from @base on. */
static void test_random_walk(void **state)
{
	static const u64 bases[] = { 0, 8192 - 100, (1ULL << 32) - 5000, 1ULL << 60,
				     LIMIT - MODEL_SPAN + 8192 };
	u8 *seen = malloc(MODEL_SPAN);
	size_t i;

	(void)state;
	assert_non_null(seen);
	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct replay_window window = { 0 };
		const u64 base = bases[i];
		int step, accepted = 0, at_limit = 0;
		bool any = false;
		u64 high = 0, at;

		memset(seen, 0, MODEL_SPAN);
		for (step = 0; step < 400000; step++) {
			bool expected;

			/* Mostly near the highest; at times behind the window or far ahead */
			switch (test_random_below(1024)) {
			case 0 ... 1:
				at = high + test_random_below(20000);
				break;
			case 2 ... 100:
				at = high - test_random_below(2 * reach);
				break;
			case 101 ... 150:
				at = high - reach + test_random_below(8) - 4;
				break;
			default:
				at = high + test_random_below(300) - 280;
			}
			if (at >= MODEL_SPAN)
				at = test_random_below(any ? high + 1 : 1);

			if (base + at >= LIMIT)
				expected = false;
			else if (!any || at > high)
				expected = true;
			else
				expected = high - at <= reach && !seen[at];
			assert_int_equal(replay_accept(&window, base + at), expected);
			at_limit += base + at >= LIMIT;
			if (!expected)
				continue;
			accepted++;
			seen[at] = 1;
			if (!any || at > high)
				high = at;
			any = true;
		}
		/* The walk went where it was meant to go. */
		assert_in_range(accepted, 50000, 350000);
		assert_int_equal(at_limit > 0, i == sizeof(bases) / sizeof(bases[0]) - 1);
	}
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_once),
		cmocka_unit_test(test_backwards),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_first_counter_may_be_any),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_counters_to_send),
		cmocka_unit_test(test_refusal_leaves_window),
		cmocka_unit_test(test_random_walk),
	};

	return cmocka_run_group_tests_name("replay", tests, test_random_setup, NULL);
}
