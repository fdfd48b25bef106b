// SPDX-License-Identifier: GPL-2.0
/*
 * Crypto-key routing table: a path-compressed binary trie.
 *
 * A node stands for a prefix. Below child[b] lie the prefixes that begin with this one followed by
 * the bit b. A node is there because the prefix has an owner, or as a fork: without owner, where
 * two longer prefixes part. A fork therefore has two children always, n owned prefixes need at most
 * n - 1 forks, and whatever the trie holds hangs on some owner.
 *
 * Prefixes are kept as two words, the first bit of the address being the highest of the first word,
 * so that a whole path-compressed part is compared at once.
 */
#include "allowedips.h"

#include <asm/byteorder.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>

/**
 * struct address - an address or prefix of either family
 * @word: first bit highest; IPv4 takes the upper half of the first word, the rest is zero
 */
struct address {
	u64 word[2];
};

/**
 * struct allowedips_node - a prefix
 * @child: longer prefixes, by their next bit; RCU, written under the writers' lock
 * @owner: NULL for a fork; RCU, written under the writers' lock
 * @prefix: bits past @cidr are zero; constant
 * @family: AF_INET or AF_INET6; constant
 * @cidr: prefix length; constant
 * @list: in the owner's list, or empty for a fork; writers' lock
 * @rcu: for freeing
 */
struct allowedips_node {
	struct allowedips_node __rcu *child[2];
	void __rcu *owner;
	struct address prefix;
	u16 family;
	u8 cidr;
	struct list_head list;
	struct rcu_head rcu;
};

/*
 * Only the caller knows the writers' lock, and a look-up may rely on it instead of RCU: there is
 * nothing that could be checked here.
 */
#define writer_dereference(pointer) rcu_dereference_protected(pointer, true)
#define reader_dereference(pointer) rcu_dereference_raw(pointer)

static struct address address_load(u16 family, const void *bytes)
{
	struct address address = {};

	if (family == AF_INET) {
		__be32 word;

		memcpy(&word, bytes, sizeof(word));
		address.word[0] = (u64)be32_to_cpu(word) << 32;
	} else {
		__be64 words[2];

		memcpy(words, bytes, sizeof(words));
		address.word[0] = be64_to_cpu(words[0]);
		address.word[1] = be64_to_cpu(words[1]);
	}
	return address;
}

/* The first @bits bits of @word, at most 64 */
static u64 first_bits(u64 word, unsigned int bits)
{
	return bits ? word & (~0ULL << (64 - bits)) : 0;
}

static struct address address_truncate(struct address address, unsigned int cidr)
{
	address.word[0] = first_bits(address.word[0], min(cidr, 64U));
	address.word[1] = first_bits(address.word[1], max(cidr, 64U) - 64);
	return address;
}

/* How many bits from the first on are the same in both */
static unsigned int common_bits(const struct address *a, const struct address *b)
{
	u64 differ = a->word[0] ^ b->word[0];

	if (differ)
		return 64 - fls64(differ);
	return 128 - fls64(a->word[1] ^ b->word[1]);
}

/*
 * The bit behind the first @cidr bits: which child to turn to. There is none behind all 128; the
 * answer does not matter then, for such a node has no children.
 */
static unsigned int bit_after(const struct address *address, unsigned int cidr)
{
	return address->word[cidr / 64 % 2] >> (63 - cidr % 64) & 1;
}

static bool family_valid(u16 family, u8 cidr)
{
	return (family == AF_INET && cidr <= 32) || (family == AF_INET6 && cidr <= 128);
}

static struct allowedips_node __rcu **root_of(struct allowedips *table, u16 family)
{
	return family == AF_INET ? &table->root4 : &table->root6;
}

static struct allowedips_node __rcu **child_towards(struct allowedips_node *node,
						    const struct address *address)
{
	return &node->child[bit_after(address, node->cidr)];
}

static struct allowedips_node *node_create(u16 family, const struct address *address, u8 cidr)
{
	struct allowedips_node *node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);

	if (!node)
		return NULL;
	node->prefix = address_truncate(*address, cidr);
	node->family = family;
	node->cidr = cidr;
	INIT_LIST_HEAD(&node->list);
	return node;
}

static void node_set_owner(struct allowedips_node *node, void *owner, struct list_head *list)
{
	list_move_tail(&node->list, list);
	rcu_assign_pointer(node->owner, owner);
}

/*
 * Put a node for @prefix where @place leads to. What is there now, if anything, is neither that
 * prefix nor a shorter one of it: it becomes a child of the new node, or both of them children of a
 * fork.
 */
static int node_insert(struct allowedips_node __rcu **place, u16 family,
		       const struct address *prefix, u8 cidr, void *owner, struct list_head *list)
{
	struct allowedips_node *below = writer_dereference(*place), *node, *top;

	node = node_create(family, prefix, cidr);
	if (!node)
		return -ENOMEM;
	top = node;

	if (below) {
		u8 common = min3(common_bits(&below->prefix, prefix), (unsigned int)below->cidr,
				 (unsigned int)cidr);

		if (common < cidr) {
			top = node_create(family, prefix, common);
			if (!top) {
				kfree(node);
				return -ENOMEM;
			}
			RCU_INIT_POINTER(*child_towards(top, prefix), node);
		}
		RCU_INIT_POINTER(*child_towards(top, &below->prefix), below);
	}

	node_set_owner(node, owner, list);
	rcu_assign_pointer(*place, top);
	return 0;
}

int allowedips_insert(struct allowedips *table, u16 family, const void *addr, u8 cidr, void *owner,
		      struct list_head *list)
{
	struct allowedips_node __rcu **place;
	struct allowedips_node *node;
	struct address prefix;

	if (!family_valid(family, cidr))
		return -EINVAL;
	prefix = address_truncate(address_load(family, addr), cidr);

	place = root_of(table, family);
	while ((node = writer_dereference(*place)) && node->cidr <= cidr &&
	       common_bits(&node->prefix, &prefix) >= node->cidr) {
		if (node->cidr == cidr) {
			node_set_owner(node, owner, list);
			return 0;
		}
		place = child_towards(node, &prefix);
	}
	return node_insert(place, family, &prefix, cidr, owner, list);
}

/*
 * Take the owner from @node, which @place leads to, and take out what has no reason left to be in
 * the trie: the node itself unless it becomes a fork, and @fork, its parent at @fork_place, if that
 * is a fork that has lost a child by it. Each is taken out by one store, so that a reader finds
 * every other prefix at every moment.
 */
static void node_disown(struct allowedips_node *node, struct allowedips_node __rcu **place,
			struct allowedips_node *fork, struct allowedips_node __rcu **fork_place)
{
	struct allowedips_node *zero = writer_dereference(node->child[0]);
	struct allowedips_node *one = writer_dereference(node->child[1]);

	list_del_init(&node->list);
	RCU_INIT_POINTER(node->owner, NULL);
	if (zero && one)
		return;

	if (zero || one || !fork) {
		rcu_assign_pointer(*place, zero ?: one);
	} else {
		bool side = place == &fork->child[0];

		rcu_assign_pointer(*fork_place, writer_dereference(fork->child[side]));
		kfree_rcu(fork, rcu);
	}
	kfree_rcu(node, rcu);
}

/* Find the node of a prefix if it belongs to @owner, and disown it. */
static void prefix_remove(struct allowedips *table, u16 family, const struct address *prefix,
			  u8 cidr, const void *owner)
{
	struct allowedips_node __rcu **place = root_of(table, family), **fork_place = NULL;
	struct allowedips_node *node, *fork = NULL;

	while ((node = writer_dereference(*place)) && node->cidr < cidr) {
		fork = rcu_access_pointer(node->owner) ? NULL : node;
		fork_place = place;
		place = child_towards(node, prefix);
	}
	if (node && node->cidr == cidr && common_bits(&node->prefix, prefix) >= cidr &&
	    rcu_access_pointer(node->owner) == owner)
		node_disown(node, place, fork, fork_place);
}

int allowedips_remove(struct allowedips *table, u16 family, const void *addr, u8 cidr, void *owner)
{
	struct address prefix;

	if (!family_valid(family, cidr))
		return -EINVAL;
	prefix = address_truncate(address_load(family, addr), cidr);
	prefix_remove(table, family, &prefix, cidr, owner);
	return 0;
}

void allowedips_remove_list(struct allowedips *table, struct list_head *list)
{
	struct allowedips_node *node, *next;

	list_for_each_entry_safe(node, next, list, list)
		prefix_remove(table, node->family, &node->prefix, node->cidr,
			      rcu_access_pointer(node->owner));
}

void *allowedips_lookup(const struct allowedips *table, u16 family, const void *addr)
{
	struct allowedips_node __rcu *const *place = family == AF_INET ? &table->root4 :
									 &table->root6;
	const struct address address = address_load(family, addr);
	const struct allowedips_node *node;
	void *owner, *found = NULL;

	while ((node = reader_dereference(*place)) &&
	       common_bits(&node->prefix, &address) >= node->cidr) {
		owner = reader_dereference(node->owner);
		if (owner)
			found = owner;
		place = &node->child[bit_after(&address, node->cidr)];
	}
	return found;
}

u16 allowedips_node_read(const struct list_head *entry, u8 addr[16], u8 *cidr)
{
	const struct allowedips_node *node = list_entry(entry, struct allowedips_node, list);
	__be64 words[2] = { cpu_to_be64(node->prefix.word[0]), cpu_to_be64(node->prefix.word[1]) };

	memcpy(addr, words, node->family == AF_INET ? 4 : 16);
	*cidr = node->cidr;
	return node->family;
}
