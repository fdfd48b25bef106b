// SPDX-License-Identifier: GPL-2.0
/* The allowed-IPs trie against a list that is searched from end to end. */
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allowedips.h"

#define OWNERS 8
#define ENTRIES_MAX 2000

/* An owner is its list's head. */
static struct list_head owners[OWNERS];

struct entry {
	u16 family;
	u8 addr[16];
	u8 cidr;
	int owner;
	u64 since; /* when it was given last: orders the owner's list */
};

/* The model; no two entries have the same family, address and length. */
static struct entry model[ENTRIES_MAX];
static size_t entries;
static u64 now;

static size_t width(u16 family)
{
	return family == AF_INET ? 4 : 16;
}

static bool bit(const u8 *addr, unsigned int i)
{
	return addr[i / 8] >> (7 - i % 8) & 1;
}

static void truncate_address(u8 *addr, u16 family, unsigned int cidr)
{
	unsigned int i;

	for (i = cidr; i < 8 * width(family); i++)
		addr[i / 8] &= ~(1 << (7 - i % 8));
}

static unsigned int same_bits(const u8 *a, const u8 *b, unsigned int limit)
{
	unsigned int i;

	for (i = 0; i < limit && bit(a, i) == bit(b, i); i++)
		;
	return i;
}

static struct entry *model_find(const struct entry *wanted)
{
	size_t i;

	for (i = 0; i < entries; i++)
		if (model[i].family == wanted->family && model[i].cidr == wanted->cidr &&
		    memcmp(model[i].addr, wanted->addr, sizeof(wanted->addr)) == 0)
			return &model[i];
	return NULL;
}

static void *model_lookup(u16 family, const u8 *addr)
{
	const struct entry *best = NULL;
	size_t i;

	for (i = 0; i < entries; i++)
		if (model[i].family == family &&
		    same_bits(model[i].addr, addr, model[i].cidr) == model[i].cidr &&
		    (!best || model[i].cidr > best->cidr))
			best = &model[i];
	return best ? &owners[best->owner] : NULL;
}

static int compare_prefixes(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int difference = a->family - b->family;

	if (!difference)
		difference = memcmp(a->addr, b->addr, sizeof(a->addr));
	return difference ? difference : a->cidr - b->cidr;
}

/*
 * How many nodes a trie without a needless one has: one for each prefix, and one for each place
 * where two neighbours in order part, if no prefix is there already. Two such places are the same
 * only for neighbours' neighbours, so they are collected as prefixes and counted once.
 */
static unsigned long model_nodes(void)
{
	static struct entry sorted[2 * ENTRIES_MAX];
	unsigned long count = entries, distinct = 0;
	size_t i;

	memcpy(sorted, model, entries * sizeof(model[0]));
	qsort(sorted, entries, sizeof(sorted[0]), compare_prefixes);
	for (i = 1; i < entries; i++) {
		const struct entry *a = &sorted[i - 1], *b = &sorted[i];
		struct entry *fork = &sorted[count];

		if (a->family != b->family)
			continue;
		*fork = *a;
		fork->cidr = same_bits(a->addr, b->addr, a->cidr < b->cidr ? a->cidr : b->cidr);
		truncate_address(fork->addr, fork->family, fork->cidr);
		count++;
	}
	qsort(sorted, count, sizeof(sorted[0]), compare_prefixes);
	for (i = 0; i < count; i++)
		distinct += i == 0 || compare_prefixes(&sorted[i - 1], &sorted[i]) != 0;
	return distinct;
}

static int compare_since(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return a->since < b->since ? -1 : a->since > b->since;
}

/*
 * Each owner's list has its entries, in the order in which they were given last, and the trie has no node
 * too many.
 */
static void check_lists(void)
{
	static struct entry mine[ENTRIES_MAX];
	const struct list_head *position;
	size_t i, count;
	int owner;

	for (owner = 0; owner < OWNERS; owner++) {
		count = 0;
		for (i = 0; i < entries; i++)
			if (model[i].owner == owner)
				mine[count++] = model[i];
		qsort(mine, count, sizeof(mine[0]), compare_since);

		i = 0;
		list_for_each(position, &owners[owner]) {
			u8 addr[16] = { 0 }, cidr;

			assert_true(i < count);
			assert_int_equal(allowedips_node_read(position, addr, &cidr),
					 mine[i].family);
			assert_int_equal(cidr, mine[i].cidr);
			assert_memory_equal(addr, mine[i].addr, sizeof(addr));
			i++;
		}
		assert_int_equal(i, count);
	}
	assert_int_equal(shim_objects, model_nodes());
}

static void check_lookup(const struct allowedips *table, u16 family, const u8 *addr)
{
	u32 aligned[4];

	memcpy(aligned, addr, width(family));
	assert_ptr_equal(allowedips_lookup(table, family, aligned), model_lookup(family, addr));
}

/**
 * struct flavour - what kind of prefixes to try
 * @family: AF_INET or AF_INET6
 * @bases: how many different beginnings
 * @low, @high: shortest and longest prefix
 * @steps: how many changes
 */
struct flavour {
	u16 family;
	unsigned int bases;
	unsigned int low, high;
	unsigned int steps;
};

static u8 base[16][16];

/* A base, and from some bit on something else: so prefixes part at every depth. */
static void random_address(const struct flavour *f, u8 addr[16])
{
	unsigned int from = test_random_below(8 * width(f->family) + 1), i;
	u8 noise[16];

	memset(addr, 0, 16);
	memcpy(addr, base[test_random_below(f->bases)], width(f->family));
	test_random_bytes(noise, sizeof(noise));
	for (i = from; i < 8 * width(f->family); i++)
		addr[i / 8] ^= noise[i / 8] & 1 << (7 - i % 8);
}

static struct entry random_entry(const struct flavour *f)
{
	struct entry e = { .family = f->family, .owner = test_random_below(OWNERS) };

	if (entries && test_random_below(3) == 0) {
		e = model[test_random_below(entries)];
		e.owner = test_random_below(OWNERS);
		return e;
	}
	e.cidr = f->low + test_random_below(f->high - f->low + 1);
	random_address(f, e.addr);
	truncate_address(e.addr, e.family, e.cidr);
	return e;
}

/* The bits past the length must not matter. */
static void with_garbage(const struct entry *e, u8 addr[16])
{
	unsigned int i;

	test_random_bytes(addr, 16);
	for (i = 0; i < e->cidr; i++)
		addr[i / 8] = (addr[i / 8] & ~(1 << (7 - i % 8))) | bit(e->addr, i) << (7 - i % 8);
}

static void insert(struct allowedips *table, const struct entry *e)
{
	struct entry *known = model_find(e);
	u8 addr[16];

	with_garbage(e, addr);
	assert_int_equal(allowedips_insert(table, e->family, addr, e->cidr, &owners[e->owner],
					   &owners[e->owner]),
			 0);
	if (!known) {
		known = &model[entries++];
		*known = *e;
	}
	known->owner = e->owner;
	known->since = now++;
}

static void remove_one(struct allowedips *table, const struct entry *e)
{
	struct entry *known = model_find(e);
	u8 addr[16];

	with_garbage(e, addr);
	assert_int_equal(allowedips_remove(table, e->family, addr, e->cidr, &owners[e->owner]), 0);
	if (known && known->owner == e->owner)
		*known = model[--entries];
}

static void remove_owner(struct allowedips *table, int owner)
{
	size_t i;

	allowedips_remove_list(table, &owners[owner]);
	assert_true(list_empty(&owners[owner]));
	for (i = 0; i < entries;) {
		if (model[i].owner == owner)
			model[i] = model[--entries];
		else
			i++;
	}
}

static void check_around(const struct allowedips *table, const struct flavour *f,
			 const struct entry *e)
{
	u8 addr[16];
	int i;

	with_garbage(e, addr);
	check_lookup(table, e->family, addr);
	if (e->cidr) {
		addr[(e->cidr - 1) / 8] ^= 1 << (7 - (e->cidr - 1) % 8);
		check_lookup(table, e->family, addr);
	}
	for (i = 0; i < 3; i++) {
		random_address(f, addr);
		check_lookup(table, f->family, addr);
	}
}

static void run(const struct flavour *f, struct allowedips *table)
{
	unsigned int i, step;

	for (i = 0; i < f->bases; i++)
		test_random_bytes(base[i], sizeof(base[i]));
	for (step = 0; step < f->steps; step++) {
		/* It fills in the first half and empties in the second. */
		bool grow = test_random_below(100) < (step < f->steps / 2 ? 70 : 30);
		struct entry e = random_entry(f);

		if (test_random_below(500) == 0)
			remove_owner(table, e.owner);
		else if (grow && entries < ENTRIES_MAX)
			insert(table, &e);
		else
			remove_one(table, &e);
		check_around(table, f, &e);
		if (step % 16 == 0)
			check_lists();
	}
	check_lists();
}

static int fresh(void **state)
{
	static struct allowedips table;
	int i;

	table = (struct allowedips){ 0 };
	entries = 0;
	shim_allocations_left = ULONG_MAX;
	for (i = 0; i < OWNERS; i++)
		INIT_LIST_HEAD(&owners[i]);
	*state = &table;
	return 0;
}

/* Taking everything from all owners leaves nothing at all. */
static void drain(struct allowedips *table)
{
	int owner;

	for (owner = 0; owner < OWNERS; owner++)
		remove_owner(table, owner);
	assert_null(table->root4);
	assert_null(table->root6);
	assert_int_equal(shim_objects, 0);
}

static void test_random_changes(void **state)
{
	static const struct flavour flavours[] = {
		{ AF_INET, 1, 0, 32, 4000 },	 { AF_INET, 8, 16, 32, 4000 },
		{ AF_INET, 1, 26, 32, 2000 },	 { AF_INET, 16, 0, 8, 2000 },
		{ AF_INET, 4, 32, 32, 2000 },	 { AF_INET6, 1, 0, 128, 4000 },
		{ AF_INET6, 8, 32, 64, 4000 },	 { AF_INET6, 4, 60, 68, 3000 },
		{ AF_INET6, 1, 120, 128, 2000 }, { AF_INET6, 4, 128, 128, 2000 },
	};
	size_t i;

	for (i = 0; i < sizeof(flavours) / sizeof(flavours[0]); i++) {
		run(&flavours[i], *state);
		drain(*state);
	}
}

/* Both families in one table do not see each other. */
static void test_random_both_families(void **state)
{
	static const struct flavour v4 = { AF_INET, 4, 0, 32, 1000 },
				    v6 = { AF_INET6, 4, 0, 128, 1000 };
	int i;

	for (i = 0; i < 4; i++) {
		run(&v4, *state);
		run(&v6, *state);
	}
	drain(*state);
}

/*
 * An insertion that finds no memory changes nothing, at whichever of its allocations that happens.
 */
static void test_no_memory(void **state)
{
	static const struct flavour f = { AF_INET6, 2, 0, 128, 0 };
	unsigned int failed[3] = { 0 }, left;
	struct allowedips *table = *state;
	int step;

	test_random_bytes(base, sizeof(base));
	for (step = 0; step < 2000; step++) {
		struct entry e = random_entry(&f);
		int status;

		if (entries > 200)
			remove_owner(table, e.owner);
		for (left = 0; left <= 2; left++) {
			shim_allocations_left = left;
			status = allowedips_insert(table, e.family, e.addr, e.cidr,
						   &owners[e.owner], &owners[e.owner]);
			shim_allocations_left = ULONG_MAX;
			if (status == 0)
				break;
			assert_int_equal(status, -ENOMEM);
			failed[left]++;
			check_lists();
			check_around(table, &f, &e);
		}
		assert_true(left <= 2);
		insert(table, &e);
		check_lists();
		check_around(table, &f, &e);
	}
	/* Both allocations were made to fail. */
	assert_true(failed[0] > 100 && failed[1] > 100);
	drain(table);
}

static u32 v4(const char *text)
{
	unsigned int a, b, c, d;

	assert_int_equal(sscanf(text, "%u.%u.%u.%u", &a, &b, &c, &d), 4);
	return htonl(a << 24 | b << 16 | c << 8 | d);
}

static void *lookup4(const struct allowedips *table, const char *text)
{
	u32 addr = v4(text);

	return allowedips_lookup(table, AF_INET, &addr);
}

static int insert4(struct allowedips *table, const char *text, u8 cidr, struct list_head *owner)
{
	u32 addr = v4(text);

	return allowedips_insert(table, AF_INET, &addr, cidr, owner, owner);
}

static void test_longest_prefix(void **state)
{
	struct list_head *a = &owners[0], *b = &owners[1], *c = &owners[2];
	struct allowedips *table = *state;
	u32 addr;

	assert_null(lookup4(table, "192.0.2.1"));
	assert_int_equal(insert4(table, "0.0.0.0", 0, a), 0);
	assert_int_equal(insert4(table, "192.0.2.0", 24, b), 0);
	assert_int_equal(insert4(table, "192.0.2.255", 32, c), 0);
	assert_ptr_equal(lookup4(table, "192.0.1.255"), a);
	assert_ptr_equal(lookup4(table, "192.0.2.0"), b);
	assert_ptr_equal(lookup4(table, "192.0.2.254"), b);
	assert_ptr_equal(lookup4(table, "192.0.2.255"), c);
	assert_ptr_equal(lookup4(table, "255.255.255.255"), a);

	/* The same prefix changes hands. */
	assert_int_equal(insert4(table, "192.0.2.77", 24, a), 0);
	assert_ptr_equal(lookup4(table, "192.0.2.1"), a);
	assert_true(list_empty(b));

	/* Only its owner can lose it. */
	addr = v4("192.0.2.0");
	assert_int_equal(allowedips_remove(table, AF_INET, &addr, 24, b), 0);
	assert_ptr_equal(lookup4(table, "192.0.2.255"), c);
	allowedips_remove_list(table, c);
	assert_ptr_equal(lookup4(table, "192.0.2.255"), a);
	allowedips_remove_list(table, a);
	assert_null(lookup4(table, "192.0.2.255"));
	assert_int_equal(shim_objects, 0);
}

static void test_bad_arguments(void **state)
{
	struct allowedips *table = *state;
	u8 addr[16] = { 0 };

	assert_int_equal(allowedips_insert(table, AF_INET, addr, 33, &owners[0], &owners[0]),
			 -EINVAL);
	assert_int_equal(allowedips_insert(table, AF_INET6, addr, 129, &owners[0], &owners[0]),
			 -EINVAL);
	assert_int_equal(allowedips_insert(table, AF_UNIX, addr, 0, &owners[0], &owners[0]),
			 -EINVAL);
	assert_int_equal(allowedips_insert(table, AF_UNSPEC, addr, 0, &owners[0], &owners[0]),
			 -EINVAL);
	assert_int_equal(allowedips_remove(table, AF_INET, addr, 33, &owners[0]), -EINVAL);
	assert_int_equal(allowedips_remove(table, AF_INET6, addr, 129, &owners[0]), -EINVAL);
	assert_int_equal(allowedips_remove(table, AF_UNIX, addr, 0, &owners[0]), -EINVAL);
	assert_true(list_empty(&owners[0]));
	assert_int_equal(shim_objects, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_longest_prefix, fresh),
		cmocka_unit_test_setup(test_bad_arguments, fresh),
		cmocka_unit_test_setup(test_random_changes, fresh),
		cmocka_unit_test_setup(test_random_both_families, fresh),
		cmocka_unit_test_setup(test_no_memory, fresh),
	};

	return cmocka_run_group_tests_name("allowedips", tests, test_random_setup, NULL);
}
