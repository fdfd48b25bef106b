/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receiver indices: the 32-bit numbers by which a message names the handshake or session that it
 * belongs to.
 */
#ifndef _NWG_TRANSPORT_INDEX_H
#define _NWG_TRANSPORT_INDEX_H

#include <linux/spinlock.h>
#include <linux/types.h>

#define NWG_INDEX_BITS 13

struct nwg_peer;

enum nwg_index_kind {
	NWG_INDEX_HANDSHAKE = 1,
	NWG_INDEX_SESSION = 2,
};

/**
 * struct nwg_index - one entry, embedded in what it names
 * @node: in the table
 * @peer: whose it is
 * @value: the index; random, so that it is its own hash
 * @kind: what it is embedded in
 */
struct nwg_index {
	struct hlist_node node;
	struct nwg_peer *peer;
	__le32 value;
	enum nwg_index_kind kind;
};

/**
 * struct nwg_index_table - all indices of an interface
 * @lock: serialises changes; look-ups are under RCU
 * @buckets: by the low bits of the index
 */
struct nwg_index_table {
	spinlock_t lock;
	struct hlist_head *buckets;
};

int nwg_index_table_init(struct nwg_index_table *table);
void nwg_index_table_free(struct nwg_index_table *table);

/**
 * nwg_index_insert - give an entry a fresh random index
 * @table: the table
 * @entry: peer and kind set; removed first if it is in the table
 *
 * Return: the index.
 */
__le32 nwg_index_insert(struct nwg_index_table *table, struct nwg_index *entry);

/**
 * nwg_index_replace - hand a handshake's index over to the session that came of it
 * @table: the table
 * @old: leaves the table
 * @new: peer and kind set; enters it with the index of @old
 *
 * Return: false if @old was not in the table any more; then nothing has changed.
 */
bool nwg_index_replace(struct nwg_index_table *table, struct nwg_index *old, struct nwg_index *new);

/* Take an entry out; nothing happens if it is not in. It may be freed after a grace period. */
void nwg_index_remove(struct nwg_index_table *table, struct nwg_index *entry);

/**
 * nwg_index_lookup - find an entry
 * @table: the table
 * @value: receiver index of a message
 *
 * Context: RCU read section.
 * Return: the entry, valid until the end of the section, or NULL.
 */
struct nwg_index *nwg_index_lookup(struct nwg_index_table *table, __le32 value);

#endif /* _NWG_TRANSPORT_INDEX_H */
