/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients that roam: which flow a session belongs to, told by the receiver index that the home chose
 * for it, which stands in each transport message to the home (white paper, section 5.4.6).
 */
#ifndef _NWG_RELAY_ROAM_H
#define _NWG_RELAY_ROAM_H

#include <linux/rhashtable.h>
#include <linux/types.h>

struct nwg_flow;
struct nwg_relay;

/*
 * Sessions of a client that it may go on with elsewhere: the last, and the one before it, which is in
 * use until both ends know of the last.
 */
#define NWG_ROAM_SESSIONS 2

/**
 * struct nwg_roam - sessions of a flow; relay->lock
 * @node: in the tables by relay and index
 * @index: receiver indices that the home chose
 * @client: receiver indices that the client chose for the same sessions
 *
 * The flow has some bits of it. While it is tried whether its client has another flow's session, the
 * first place has that, and is not in the table.
 */
struct nwg_roam {
	struct rhash_head node[NWG_ROAM_SESSIONS];
	__le32 index[NWG_ROAM_SESSIONS];
	__le32 client[NWG_ROAM_SESSIONS];
};

/**
 * struct nwg_roam_tables - sessions of all flows of a network namespace
 * @by_session: by relay and index, by where in the flow they are
 */
struct nwg_roam_tables {
	struct rhashtable by_session[NWG_ROAM_SESSIONS];
};

int nwg_roam_tables_init(struct nwg_roam_tables *tables);

/* Context: process; there is no flow any more, and a grace period has passed since there was. */
void nwg_roam_tables_destroy(struct nwg_roam_tables *tables);

/**
 * nwg_roam_note - a client has a new session
 * @flow: its flow
 * @index: the home's receiver index
 * @client: the client's receiver index
 *
 * Out of memory, or where another flow of the relay has that index, it is not noted, and its client
 * needs a handshake where it goes.
 *
 * Context: relay->lock held.
 */
void nwg_roam_note(struct nwg_flow *flow, __le32 index, __le32 client);

/*
 * Whether a flow has a session that its client calls @client, or tries it. Context: relay->lock held.
 */
bool nwg_roam_has(const struct nwg_flow *flow, __le32 client);

/* A flow's sessions are not found any more. Context: relay->lock held. */
void nwg_roam_forget(struct nwg_flow *flow);

/*
 * The sessions of one flow go over to another, which may have newer ones of its own. Context: relay->lock
 * held.
 */
void nwg_roam_move(struct nwg_flow *from, struct nwg_flow *to);

/**
 * nwg_roam_find - find the flow of a session
 * @relay: the relay
 * @index: the home's receiver index
 *
 * Context: RCU read section.
 * Return: the flow, which may have expired, valid until the end of the section; or NULL.
 */
struct nwg_flow *nwg_roam_find(struct nwg_relay *relay, __le32 index);

#endif /* _NWG_RELAY_ROAM_H */
