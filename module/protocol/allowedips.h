/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Crypto-key routing table (white paper, section 2): a path-compressed binary trie per address
 * family, from prefix to owner (the peer).
 *
 * Locking: look-ups run under rcu_read_lock() or with the writers' lock held; changes are
 * serialised by the caller (the device's update lock). Removed nodes are freed after a grace
 * period; after kfree_rcu() the module must rcu_barrier() before it unloads.
 */
#ifndef _NWG_PROTOCOL_ALLOWEDIPS_H
#define _NWG_PROTOCOL_ALLOWEDIPS_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct allowedips_node;

/**
 * struct allowedips - the table of one interface; all zeroes is an empty one
 * @root4: IPv4 prefixes
 * @root6: IPv6 prefixes
 */
struct allowedips {
	struct allowedips_node __rcu *root4;
	struct allowedips_node __rcu *root6;
};

/**
 * allowedips_insert - give a prefix to an owner, taking it from another that has exactly it
 * @table: the table
 * @family: AF_INET or AF_INET6
 * @addr: address in network byte order, 4 or 16 bytes; bits past @cidr are ignored
 * @cidr: prefix length, at most 32 or 128
 * @owner: any non-NULL pointer
 * @list: the list to put the prefix at the end of, also if the owner has it already: the owner's, or
 *	another, so that what is given anew can be told from what was there
 *
 * Context: writers' lock held; may sleep (GFP_KERNEL).
 * Return: 0, -EINVAL for a bad family or length, -ENOMEM; on an error nothing has changed.
 */
int allowedips_insert(struct allowedips *table, u16 family, const void *addr, u8 cidr, void *owner,
		      struct list_head *list);

/**
 * allowedips_remove - take a prefix from an owner
 * @table: the table
 * @family: AF_INET or AF_INET6
 * @addr: address in network byte order
 * @cidr: prefix length
 * @owner: its owner; if another owns it, or nobody, nothing happens
 *
 * Context: writers' lock held.
 * Return: 0, or -EINVAL for a bad family or length.
 */
int allowedips_remove(struct allowedips *table, u16 family, const void *addr, u8 cidr, void *owner);

/**
 * allowedips_remove_list - take all prefixes from an owner
 * @table: the table
 * @list: the owner's list; empty afterwards
 *
 * Context: writers' lock held.
 */
void allowedips_remove_list(struct allowedips *table, struct list_head *list);

/**
 * allowedips_lookup - find the owner of the longest prefix that covers an address
 * @table: the table
 * @family: AF_INET or AF_INET6
 * @addr: address in network byte order, 4 or 16 bytes, 4-byte aligned
 *
 * Context: rcu_read_lock() held, or the writers' lock.
 * Return: the owner, valid until rcu_read_unlock(), or NULL.
 */
void *allowedips_lookup(const struct allowedips *table, u16 family, const void *addr);

/**
 * allowedips_node_read - read one entry of an owner's list
 * @entry: element of the list
 * @addr: written: 4 or 16 bytes in network byte order, bits past the length zero
 * @cidr: written: prefix length
 *
 * Context: writers' lock held.
 * Return: AF_INET or AF_INET6.
 */
u16 allowedips_node_read(const struct list_head *entry, u8 addr[16], u8 *cidr);

#endif /* _NWG_PROTOCOL_ALLOWEDIPS_H */
