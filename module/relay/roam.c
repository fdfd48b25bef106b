// SPDX-License-Identifier: GPL-2.0
#include "roam.h"

#include "flow.h"
#include "object.h"

/* What is looked for in the tables. */
struct session_key {
	const struct nwg_relay *relay;
	__le32 index;
};

static u32 hash_session(const struct nwg_relay *relay, __le32 index, u32 seed)
{
	const u32 words[] = { (__force u32)index, lower_32_bits((unsigned long)relay) };

	return nwg_flow_hash(words, sizeof(words), seed);
}

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct session_key *key = data;

	return hash_session(key->relay, key->index, seed);
}

static u32 hash_first(const void *data, u32 len, u32 seed)
{
	const struct nwg_flow *flow = data;

	return hash_session(flow->relay, READ_ONCE(flow->roam.index[0]), seed);
}

static u32 hash_second(const void *data, u32 len, u32 seed)
{
	const struct nwg_flow *flow = data;

	return hash_session(flow->relay, READ_ONCE(flow->roam.index[1]), seed);
}

static int differs_first(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct session_key *key = arg->key;
	const struct nwg_flow *flow = object;

	return key->relay != flow->relay || key->index != READ_ONCE(flow->roam.index[0]);
}

static int differs_second(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct session_key *key = arg->key;
	const struct nwg_flow *flow = object;

	return key->relay != flow->relay || key->index != READ_ONCE(flow->roam.index[1]);
}

/* A table for each place, as the nodes of a table have the same place in all objects. */
static const struct rhashtable_params by_session_params[NWG_ROAM_SESSIONS] = {
	{
		.head_offset = offsetof(struct nwg_flow, roam.node[0]),
		.key_len = sizeof(struct session_key),
		.hashfn = hash_key,
		.obj_hashfn = hash_first,
		.obj_cmpfn = differs_first,
		.automatic_shrinking = true,
	},
	{
		.head_offset = offsetof(struct nwg_flow, roam.node[1]),
		.key_len = sizeof(struct session_key),
		.hashfn = hash_key,
		.obj_hashfn = hash_second,
		.obj_cmpfn = differs_second,
		.automatic_shrinking = true,
	},
};

int nwg_roam_tables_init(struct nwg_roam_tables *tables)
{
	int err;

	err = rhashtable_init(&tables->by_session[0], &by_session_params[0]);
	if (err)
		return err;
	err = rhashtable_init(&tables->by_session[1], &by_session_params[1]);
	if (err)
		rhashtable_destroy(&tables->by_session[0]);
	return err;
}

void nwg_roam_tables_destroy(struct nwg_roam_tables *tables)
{
	rhashtable_destroy(&tables->by_session[1]);
	rhashtable_destroy(&tables->by_session[0]);
}

static struct rhashtable *table_of(const struct nwg_relay *relay, unsigned int place)
{
	return &relay->net->flows.sessions.by_session[place];
}

static void unlist(struct nwg_flow *flow, unsigned int place)
{
	if (flow->roam_listed & BIT(place))
		rhashtable_remove_fast(table_of(flow->relay, place), &flow->roam.node[place],
				       by_session_params[place]);
	flow->roam_listed &= ~BIT(place);
}

void nwg_roam_note(struct nwg_flow *flow, __le32 index, __le32 client)
{
	const struct session_key key = { .relay = flow->relay, .index = index };
	const unsigned int place = flow->roam_oldest;

	lockdep_assert_held(&flow->relay->lock);
	/* A reader that meets it on the way sees the index change, but never follows it to nowhere. */
	if (nwg_roam_find(flow->relay, index))
		return;
	unlist(flow, place);
	if (!place)
		flow->tries = false;
	WRITE_ONCE(flow->roam.index[place], index);
	flow->roam.client[place] = client;
	if (rhashtable_lookup_insert_key(table_of(flow->relay, place), &key,
					 &flow->roam.node[place], by_session_params[place]))
		return;
	flow->roam_listed |= BIT(place);
	flow->roam_oldest = !place;
}

bool nwg_roam_has(const struct nwg_flow *flow, __le32 client)
{
	const unsigned int places = flow->roam_listed | (flow->tries ? BIT(0) : 0);
	unsigned int place;

	lockdep_assert_held(&flow->relay->lock);
	for (place = 0; place < NWG_ROAM_SESSIONS; place++)
		if (places & BIT(place) && flow->roam.client[place] == client)
			return true;
	return false;
}

void nwg_roam_forget(struct nwg_flow *flow)
{
	unsigned int place;

	lockdep_assert_held(&flow->relay->lock);
	for (place = 0; place < NWG_ROAM_SESSIONS; place++)
		unlist(flow, place);
}

void nwg_roam_move(struct nwg_flow *from, struct nwg_flow *to)
{
	const unsigned int older = from->roam_oldest, newer = !older;
	const unsigned int listed = from->roam_listed, own = to->roam_listed;
	const unsigned int place = to->roam_oldest;

	nwg_roam_forget(from);
	if (!own && listed & BIT(older))
		nwg_roam_note(to, from->roam.index[older], from->roam.client[older]);
	if (hweight8(own) < NWG_ROAM_SESSIONS && listed & BIT(newer))
		nwg_roam_note(to, from->roam.index[newer], from->roam.client[newer]);
	/* What it has of its own was made later. */
	if (own)
		to->roam_oldest = place;
}

struct nwg_flow *nwg_roam_find(struct nwg_relay *relay, __le32 index)
{
	const struct session_key key = { .relay = relay, .index = index };
	struct nwg_flow *flow;

	flow = rhashtable_lookup(table_of(relay, 0), &key, by_session_params[0]);
	if (!flow)
		flow = rhashtable_lookup(table_of(relay, 1), &key, by_session_params[1]);
	return flow;
}
