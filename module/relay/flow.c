// SPDX-License-Identifier: GPL-2.0
#include "flow.h"

#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/ipv6.h>

#include "device.h"
#include "mapping.h"
#include "netlink/events.h"
#include "object.h"

/* Until an initiation that was lost twice has come once more (white paper, section 6.4: every 5.3 s). */
#define NEW_LIFETIME (15 * HZ)
#define ESTABLISHED_LIFETIME (540 * HZ)

/*
 * What an established client may send of initiations is what every source may: 20 per second, burst
 * 5.
 */
#define INITIATION_COST (HZ / 20)
#define INITIATION_BURST 5

/*
 * Who shows a client's session elsewhere: what it may send until the home answers, who takes ten seconds
 * for that where nothing else is to be sent; how many of them there are at once, of all clients, of those of
 * one source when there are as many as that, and of one; and how many more in a second.
 */
#define TENTATIVE_DATAGRAMS 1024
#define MAX_TENTATIVE 64
#define MAX_TENTATIVE_OF_SOURCE 8
#define MAX_TENTATIVE_OF_CLIENT 2
#define ROAM_COST HZ
#define ROAM_BURST 4

/*
 * How often flows whose time is up are looked for, and in how many rounds all established ones are
 * looked at.
 */
#define EXPIRY_INTERVAL (5 * HZ)
#define EXPIRY_ROUNDS 6

/*
 * Seconds between initiations that are a client's own, which comes again after five (white paper,
 * section 6.1).
 */
#define CLIENT_RETRY 4
#define SENDER_SECONDS 15

/* Flows looked at without letting go of the lock */
#define EXPIRY_BATCH 64

static struct kmem_cache *flow_cache;
static siphash_key_t hash_key __aligned(SIPHASH_ALIGNMENT);

u32 nwg_flow_hash(const void *data, u32 len, u32 seed)
{
	return (u32)siphash(data, len, &hash_key) ^ seed;
}

static const struct rhashtable_params by_client_params = {
	.head_offset = offsetof(struct nwg_flow, client_node),
	.key_offset = offsetof(struct nwg_flow, key),
	.key_len = sizeof(struct nwg_flow_key),
	.hashfn = nwg_flow_hash,
	.automatic_shrinking = true,
};

int nwg_flow_tables_init(struct nwg_flow_tables *tables)
{
	int err;

	err = rhashtable_init(&tables->by_client, &by_client_params);
	if (err)
		return err;
	err = nwg_mapping_table_init(&tables->by_mapping);
	if (err)
		goto destroy_by_client;
	err = nwg_roam_tables_init(&tables->sessions);
	if (err)
		goto destroy_by_mapping;
	err = nwg_quotas_init(&tables->quotas);
	if (err)
		goto destroy_sessions;
	return 0;

destroy_sessions:
	nwg_roam_tables_destroy(&tables->sessions);
destroy_by_mapping:
	rhashtable_destroy(&tables->by_mapping);
destroy_by_client:
	rhashtable_destroy(&tables->by_client);
	return err;
}

void nwg_flow_tables_destroy(struct nwg_flow_tables *tables)
{
	nwg_quotas_destroy(&tables->quotas);
	nwg_roam_tables_destroy(&tables->sessions);
	rhashtable_destroy(&tables->by_mapping);
	rhashtable_destroy(&tables->by_client);
}

struct nwg_flow *nwg_flow_find(struct nwg_flow_tables *tables, const struct nwg_flow_key *key)
{
	return rhashtable_lookup(&tables->by_client, key, by_client_params);
}

long nwg_flow_left(const struct nwg_flow *flow)
{
	const nwg_moment now = nwg_moment_now();

	if (READ_ONCE(flow->state) != NWG_FLOW_ESTABLISHED)
		return NEW_LIFETIME - nwg_moment_between(READ_ONCE(flow->last_initiation), now);
	return ESTABLISHED_LIFETIME - nwg_moment_between(READ_ONCE(flow->last_reverse), now);
}

bool nwg_flow_usable(const struct nwg_flow *flow)
{
	const struct nwg_relay_params *params = rcu_dereference(flow->relay->params);

	return nwg_flow_left(flow) > 0 &&
	       ipv6_addr_v4mapped(&flow->mapping.addr) == ipv6_addr_v4mapped(&params->config.to);
}

bool nwg_flow_asks(const struct nwg_flow *flow)
{
	/* Without the responder's key nobody can be asked. */
	return READ_ONCE(flow->ask) && rcu_dereference(flow->relay->params)->config.has_responder;
}

unsigned int nwg_flow_total(const struct nwg_relay *relay)
{
	unsigned int state, total = 0;

	for (state = 0; state < NWG_FLOW_STATES; state++)
		total += READ_ONCE(relay->flow_count[state]);
	return total;
}

u32 nwg_flow_siblings(struct nwg_relay *relay, const struct nwg_flow_key *key)
{
	const struct nwg_flow *own = nwg_flow_find(&relay->net->flows, key);
	const u32 used = nwg_quota_used(relay, &key->client);

	return own && own->relay == relay && used ? used - 1 : used;
}

/* Give a flow a state, or another; its list is in the order in which they were given. */
static void set_state(struct nwg_flow *flow, enum nwg_flow_state state)
{
	struct nwg_relay *relay = flow->relay;

	lockdep_assert_held(&relay->lock);
	WRITE_ONCE(flow->state, state);
	list_add_tail(&flow->list, &relay->flows[state]);
	WRITE_ONCE(relay->flow_count[state], relay->flow_count[state] + 1);
}

static void leave_state(struct nwg_flow *flow)
{
	struct nwg_relay *relay = flow->relay;

	lockdep_assert_held(&relay->lock);
	list_del(&flow->list);
	WRITE_ONCE(relay->flow_count[flow->state], relay->flow_count[flow->state] - 1);
}

static void flow_free_rcu(struct rcu_head *rcu)
{
	struct nwg_flow *flow = container_of(rcu, struct nwg_flow, rcu);

	dst_release(rcu_dereference_protected(flow->route, true));
	memzero_explicit(flow->cookie, sizeof(flow->cookie));
	kmem_cache_free(flow_cache, flow);
}

/* End a flow; its place among those of the namespace is the caller's then. */
static void flow_unlink(struct nwg_relay *relay, struct nwg_flow *flow, enum nwg_flow_end end)
{
	struct nwg_flow_tables *tables = &relay->net->flows;

	lockdep_assert_held(&relay->lock);
	rhashtable_remove_fast(&tables->by_client, &flow->client_node, by_client_params);
	nwg_mapping_remove(flow);
	nwg_roam_forget(flow);
	nwg_quota_uncharge(relay, &flow->key.client);
	flow->gone = true;
	leave_state(flow);
	nwg_event_flow(NWG_CMD_FLOW_END_NTF, flow, end);
	call_rcu(&flow->rcu, flow_free_rcu);
}

static void flow_remove(struct nwg_relay *relay, struct nwg_flow *flow, enum nwg_flow_end end)
{
	flow_unlink(relay, flow, end);
	nwg_quota_release(&relay->net->flows.quotas);
}

/* The flow that has waited longest for its first answer, or NULL. */
static struct nwg_flow *longest_waiting(struct nwg_relay *relay)
{
	struct nwg_flow *fresh, *tentative;

	fresh = list_first_entry_or_null(&relay->flows[NWG_FLOW_NEW], struct nwg_flow, list);
	tentative =
		list_first_entry_or_null(&relay->flows[NWG_FLOW_TENTATIVE], struct nwg_flow, list);
	if (fresh && tentative)
		return nwg_flow_left(fresh) <= nwg_flow_left(tentative) ? fresh : tentative;
	return fresh ?: tentative;
}

/*
 * Make room for one more flow, in the relay and in the namespace, by ending those of the relay's that have
 * waited longest for their first answer. More than one has to go only after a limit was lowered, and then
 * not all of them at once. @freed: the mapping of one that has ended, written if one has. Return: whether
 * there is a place, which is reserved then.
 */
static bool make_room(struct nwg_relay *relay, u32 max_flows, struct nwg_flow_mapping *freed)
{
	struct nwg_quotas *quotas = &relay->net->flows.quotas;
	bool reserved = nwg_flow_total(relay) < max_flows && nwg_quota_reserve(quotas);
	unsigned int batch = 0;
	struct nwg_flow *flow;

	while (!reserved || nwg_flow_total(relay) >= max_flows) {
		flow = batch++ < EXPIRY_BATCH ? longest_waiting(relay) : NULL;
		if (!flow) {
			if (reserved)
				nwg_quota_release(quotas);
			return false;
		}
		*freed = flow->mapping;
		flow_unlink(relay, flow, NWG_FLOW_END_EVICTED);
		/* No other relay gets the place before the new flow has one. */
		if (reserved)
			nwg_quota_release(quotas);
		else
			reserved = nwg_quota_keep(quotas) || nwg_quota_reserve(quotas);
	}
	return true;
}

/*
 * Make way for a flow whose mapping others have, by ending one that waits for its first answer. @freed: the
 * mapping of that, written. Return: whether there was one.
 */
static bool make_way(struct nwg_flow *flow, const struct nwg_relay_config *config,
		     struct nwg_flow_mapping *freed)
{
	struct nwg_relay *relay = flow->relay;
	struct nwg_flow *other = NULL;

	if (config->source == NWG_SOURCE_POOL) {
		/* Other relays may have most of the pool. */
		nwg_relay_press(relay, jiffies);
		other = longest_waiting(relay);
	} else if (config->source == NWG_SOURCE_TRANSPARENT) {
		other = nwg_mapping_find(&relay->net->flows, &flow->mapping);
		if (other && (other->relay != relay || other->state == NWG_FLOW_ESTABLISHED))
			other = NULL;
	}
	if (!other)
		return false;
	*freed = other->mapping;
	flow_remove(relay, other, NWG_FLOW_END_EVICTED);
	return true;
}

/* Put a flow into the tables. @freed: as for nwg_mapping_assign() */
static enum nwg_relay_drop flow_list(struct nwg_flow *flow, const struct nwg_relay_config *config,
				     struct nwg_flow_mapping *freed)
{
	struct nwg_flow_tables *tables = &flow->relay->net->flows;
	enum nwg_relay_drop reason;

	reason = nwg_mapping_assign(flow, config, freed);
	if ((reason == NWG_DROP_NO_ADDRESS || reason == NWG_DROP_NO_PORT) &&
	    make_way(flow, config, freed))
		reason = nwg_mapping_assign(flow, config, freed);
	if (reason)
		return reason;
	if (rhashtable_insert_fast(&tables->by_client, &flow->client_node, by_client_params)) {
		flow->gone = true;
		nwg_mapping_remove(flow);
		return NWG_DROP_NO_MEMORY;
	}
	return 0;
}

/* Put a flow into the relay and the tables. */
static enum nwg_relay_drop flow_insert(struct nwg_relay *relay,
				       const struct nwg_relay_params *params, struct nwg_flow *flow,
				       enum nwg_flow_state state)
{
	struct nwg_flow_mapping freed = {};
	enum nwg_relay_drop reason;

	lockdep_assert_held(&relay->lock);
	if (relay->dead)
		return NWG_DROP_NO_PEER;
	if (!make_room(relay, params->config.max_flows, &freed))
		return NWG_DROP_FLOW_LIMIT;
	reason = flow_list(flow, &params->config, &freed);
	if (reason) {
		nwg_quota_release(&relay->net->flows.quotas);
		return reason;
	}
	set_state(flow, state);
	nwg_event_flow(NWG_CMD_FLOW_BEGIN_NTF, flow, NWG_FLOW_END_UNSPEC);
	queue_delayed_work(system_power_efficient_wq, &relay->expiry, EXPIRY_INTERVAL);
	return 0;
}

/* Note the sender index of an initiation. */
static void note_sender(struct nwg_flow *flow, __le32 sender)
{
	const u8 second = ktime_get_boottime_seconds() & SENDER_SECONDS;

	if (flow->sender_count == 2 &&
	    ((second - flow->sender_second) & SENDER_SECONDS) < CLIENT_RETRY)
		flow->crowded = true;
	flow->senders[1] = flow->senders[0];
	flow->senders[0] = sender;
	flow->sender_count = min(flow->sender_count + 1, 2);
	flow->sender_second = second;
	flow->initiated = true;
}

/* Note an initiation that will be sent on. */
static void note_initiation(struct nwg_flow *flow, __le32 sender)
{
	lockdep_assert_held(&flow->relay->lock);
	if (flow->state != NWG_FLOW_ESTABLISHED) {
		list_move_tail(&flow->list, &flow->relay->flows[flow->state]);
		WRITE_ONCE(flow->last_initiation, nwg_moment_now());
	}
	if (!flow->sender_count || flow->senders[0] != sender)
		note_sender(flow, sender);
}

/* Make a flow for a client that has none, which is not in the tables yet. */
static struct nwg_flow *flow_alloc(struct nwg_relay *relay, const struct nwg_flow_key *key)
{
	struct nwg_flow *flow;

	BUILD_BUG_ON(sizeof(struct nwg_flow) > 320);
	flow = kmem_cache_zalloc(flow_cache, GFP_ATOMIC);
	if (unlikely(!flow))
		return NULL;
	flow->key = *key;
	flow->relay = relay;
	flow->created = ktime_get_boottime_seconds();
	flow->last_forward = nwg_moment_now();
	flow->last_reverse = flow->last_forward;
	flow->last_initiation = flow->last_forward;
	flow->initiation_credit = flow->last_forward;
	return flow;
}

/* The flow of a client that can be used, after what can not be has been removed; or NULL. */
static struct nwg_flow *flow_present(struct nwg_relay *relay, const struct nwg_flow_key *key)
{
	struct nwg_flow *flow = nwg_flow_find(&relay->net->flows, key);

	lockdep_assert_held(&relay->lock);
	/* One of a dead relay's clients may be another's by now. */
	if (!flow || flow->relay != relay)
		return NULL;
	if (nwg_flow_usable(flow))
		return flow;
	flow_remove(relay, flow,
		    nwg_flow_left(flow) > 0 ? NWG_FLOW_END_UNUSABLE : NWG_FLOW_END_EXPIRED);
	return NULL;
}

/*
 * Take from a client's credit, which is a time until which all is paid for: @burst at once, and then one
 * every @cost jiffies.
 */
static bool take_credit(nwg_moment *credit, long cost, unsigned int burst)
{
	const nwg_moment now = nwg_moment_now();
	long paid = max(nwg_moment_between(now, *credit), 0L);

	/* It was paid so long ago that it looks as if it was to come. */
	if (paid > burst * cost)
		paid = 0;
	if (paid > (burst - 1) * cost)
		return false;
	*credit = now + paid + cost;
	return true;
}

/* Have a flow that is not established try a session of another one, that its client showed. */
static enum nwg_relay_drop try_session(struct nwg_flow *flow, __le32 index)
{
	struct nwg_flow *known = nwg_roam_find(flow->relay, index);
	unsigned int place;

	lockdep_assert_held(&flow->relay->lock);
	if (!known || known == flow || known->state != NWG_FLOW_ESTABLISHED)
		return NWG_DROP_NO_FLOW;
	/* Its client has had a session here, and may not come with those of others. */
	if (!flow->tries && flow->roam_listed)
		return NWG_DROP_NO_FLOW;
	if (!flow->tries && !take_credit(&known->roam_credit, ROAM_COST, ROAM_BURST))
		return NWG_DROP_RATE;
	/* A client may use both its sessions, but not come with those of others. */
	if (flow->tries && nwg_roam_find(flow->relay, flow->roam.index[0]) != known)
		return NWG_DROP_NO_FLOW;
	place = known->roam_listed & BIT(0) && known->roam.index[0] == index ? 0 : 1;
	WRITE_ONCE(flow->roam.index[0], index);
	flow->roam.client[0] = known->roam.client[place];
	if (!flow->tries)
		flow->roam_oldest = 1;
	flow->tries = true;
	return 0;
}

/*
 * Make room for one more tentative flow of a client, so that it does not take that of another, nor a source
 * with many clients those of others.
 */
static void make_tentative_room(struct nwg_relay *relay, __le32 index)
{
	const struct nwg_flow *known = nwg_roam_find(relay, index), *other;
	struct nwg_flow *flow, *of_source = NULL, *of_client = NULL;
	unsigned int source_count = 0, client_count = 0;

	list_for_each_entry(flow, &relay->flows[NWG_FLOW_TENTATIVE], list) {
		other = flow->tries ? nwg_roam_find(relay, flow->roam.index[0]) : NULL;
		if (!other || !nwg_quota_same_source(&other->key.client, &known->key.client))
			continue;
		source_count++;
		of_source = of_source ?: flow;
		if (other != known)
			continue;
		client_count++;
		of_client = of_client ?: flow;
	}
	if (client_count >= MAX_TENTATIVE_OF_CLIENT)
		flow = of_client;
	else if (relay->flow_count[NWG_FLOW_TENTATIVE] < MAX_TENTATIVE)
		return;
	else if (source_count >= MAX_TENTATIVE_OF_SOURCE)
		flow = of_source;
	else
		flow = list_first_entry(&relay->flows[NWG_FLOW_TENTATIVE], struct nwg_flow, list);
	flow_remove(relay, flow, NWG_FLOW_END_EVICTED);
}

u32 nwg_flow_roam_limit(const struct nwg_relay *relay, const struct nwg_relay_params *params,
			const struct nwg_flow_key *key, const struct nwg_flow *known)
{
	const u32 max = params->config.max_flows_per_source;

	/* Its flow of before goes when the home has answered, so that in the end there are no more. */
	if (nwg_quota_same_source(&known->key.client, &key->client))
		return min(max, U32_MAX - MAX_TENTATIVE_OF_CLIENT) + MAX_TENTATIVE_OF_CLIENT;
	return params->config.has_responder ? max - max / 2 : max;
}

/*
 * Put a flow, which its source is charged for, into the relay and the tables, for a message that tells
 * @index, see flow_add().
 */
static enum nwg_relay_drop flow_begin(struct nwg_relay *relay,
				      const struct nwg_relay_params *params, struct nwg_flow *flow,
				      enum nwg_flow_state state, __le32 index)
{
	enum nwg_relay_drop reason;

	if (state == NWG_FLOW_NEW) {
		note_sender(flow, index);
	} else {
		reason = try_session(flow, index);
		if (reason)
			return reason;
		make_tentative_room(relay, index);
	}
	return flow_insert(relay, params, flow, state);
}

/*
 * Make a flow in a state, for a message that tells @index: the sender index of an initiation if it is
 * new, the session that is tried if it is tentative. @max: flows that its source may have then. Return: as
 * nwg_flow_create().
 */
static struct nwg_flow *flow_add(struct nwg_relay *relay, const struct nwg_relay_params *params,
				 const struct nwg_flow_key *key, enum nwg_flow_state state,
				 __le32 index, u32 max, enum nwg_relay_drop *reason)
{
	struct nwg_flow *flow, *present;

	*reason = NWG_DROP_NO_MEMORY;
	flow = flow_alloc(relay, key);
	if (unlikely(!flow))
		return NULL;
	spin_lock_bh(&relay->lock);
	present = flow_present(relay, key);
	if (present) {
		/* Another CPU was faster with another message of the same client. */
		if (state == NWG_FLOW_NEW)
			note_initiation(present, index);
		spin_unlock_bh(&relay->lock);
		kmem_cache_free(flow_cache, flow);
		return present;
	}
	/* First, so that nobody is charged for, or has to make room for, what may not be. */
	*reason = nwg_quota_charge(relay, &key->client, max);
	if (!*reason) {
		*reason = flow_begin(relay, params, flow, state, index);
		if (*reason)
			nwg_quota_uncharge(relay, &key->client);
	}
	spin_unlock_bh(&relay->lock);
	if (!*reason)
		return flow;
	/* A reader may have found it by its mapping for a moment. */
	call_rcu(&flow->rcu, flow_free_rcu);
	return NULL;
}

struct nwg_flow *nwg_flow_create(struct nwg_relay *relay, const struct nwg_relay_params *params,
				 const struct nwg_flow_key *key, __le32 sender,
				 enum nwg_relay_drop *reason)
{
	return flow_add(relay, params, key, NWG_FLOW_NEW, sender,
			params->config.max_flows_per_source, reason);
}

struct nwg_flow *nwg_flow_roam(struct nwg_relay *relay, const struct nwg_relay_params *params,
			       const struct nwg_flow_key *key, __le32 index,
			       enum nwg_relay_drop *reason)
{
	const struct nwg_flow *known = nwg_roam_find(relay, index);

	*reason = NWG_DROP_NO_FLOW;
	if (unlikely(!known))
		return NULL;
	return flow_add(relay, params, key, NWG_FLOW_TENTATIVE, index,
			nwg_flow_roam_limit(relay, params, key, known), reason);
}

enum nwg_relay_drop nwg_flow_tries(struct nwg_flow *flow, __le32 index)
{
	const atomic64_t *datagrams =
		&flow->counters[NWG_FORWARD].messages[NWG_MESSAGE_TRANSPORT - 1];
	struct nwg_relay *relay = flow->relay;
	enum nwg_relay_drop reason = 0;

	spin_lock_bh(&relay->lock);
	/* It may have been established meanwhile. */
	if (flow->gone)
		reason = NWG_DROP_NO_FLOW;
	else if (flow->state != NWG_FLOW_ESTABLISHED &&
		 (!flow->tries || flow->roam.index[0] != index))
		reason = try_session(flow, index);
	spin_unlock_bh(&relay->lock);
	if (!reason && atomic64_read(datagrams) >= TENTATIVE_DATAGRAMS)
		reason = NWG_DROP_RATE;
	return reason;
}

/* The home has answered a flow's client. */
static void establish(struct nwg_flow *flow)
{
	const nwg_moment now = nwg_moment_now();

	WRITE_ONCE(flow->last_reverse, now);
	leave_state(flow);
	set_state(flow, NWG_FLOW_ESTABLISHED);
	flow->roam_credit = now;
	flow->tries = false;
	nwg_event_flow(NWG_CMD_FLOW_STATE_NTF, flow, NWG_FLOW_END_UNSPEC);
}

bool nwg_flow_confirm(struct nwg_flow *flow, __le32 client)
{
	struct nwg_relay *relay = flow->relay;
	struct nwg_flow *tried = NULL;
	bool has;

	spin_lock_bh(&relay->lock);
	if (flow->tries && !flow->gone)
		tried = nwg_roam_find(relay, flow->roam.index[0]);
	/* In a newer session of the client's than what it shows, if the home began that. */
	if (tried && (tried == flow || !nwg_roam_has(tried, client)))
		tried = NULL;
	has = !flow->gone &&
	      (flow->state == NWG_FLOW_ESTABLISHED || tried || nwg_roam_has(flow, client));
	if (!has || flow->state == NWG_FLOW_ESTABLISHED)
		goto out;
	/* Who has begun a handshake here may have chosen the index that another's session has. */
	if (tried && !flow->initiated && !flow->home_asked) {
		nwg_roam_move(tried, flow);
		flow_remove(relay, tried, NWG_FLOW_END_REPLACED);
	}
	establish(flow);
out:
	spin_unlock_bh(&relay->lock);
	return has;
}

int nwg_flow_initiated(struct nwg_flow *flow, __le32 sender, bool admitted)
{
	struct nwg_relay *relay = flow->relay;
	int err = 0;

	spin_lock_bh(&relay->lock);
	if (flow->gone)
		err = -ENOENT;
	else if (flow->state == NWG_FLOW_ESTABLISHED && !admitted &&
		 (nwg_flow_asks(flow) ||
		  !take_credit(&flow->initiation_credit, INITIATION_COST, INITIATION_BURST)))
		err = -EBUSY;
	else
		note_initiation(flow, sender);
	spin_unlock_bh(&relay->lock);
	return err;
}

/* Note a handshake message of the home. */
static void note_home(struct nwg_flow *flow, __le32 sender)
{
	lockdep_assert_held(&flow->relay->lock);
	flow->home_sender = sender;
	flow->home_asked = true;
}

bool nwg_flow_answered(struct nwg_flow *flow, const struct nwg_message_response *response)
{
	struct nwg_relay *relay = flow->relay;
	bool answered = false;
	unsigned int i;

	spin_lock_bh(&relay->lock);
	for (i = 0; i < flow->sender_count; i++)
		if (flow->senders[i] == response->receiver)
			break;
	if (flow->gone)
		goto out;
	answered = i < flow->sender_count;
	if (!answered) {
		/*
		 * Others initiate faster than the home answers: what it has answered is forgotten by
		 * now. So are those that are not from here on, so that only who shows a cookie can have
		 * this end.
		 */
		if (flow->crowded) {
			WRITE_ONCE(flow->ask, true);
			flow->sender_count = 0;
			flow->crowded = false;
		}
		goto out;
	}
	/*
	 * A response answers an initiation once; what is older than that will not be answered any
	 * more.
	 */
	flow->sender_count = i;
	flow->crowded = false;
	WRITE_ONCE(flow->ask, false);
	nwg_roam_note(flow, response->sender, response->receiver);
	/* To which a client under load answers with a cookie reply. */
	note_home(flow, response->sender);
	if (flow->state != NWG_FLOW_ESTABLISHED)
		establish(flow);
out:
	spin_unlock_bh(&relay->lock);
	return answered;
}

void nwg_flow_home_initiated(struct nwg_flow *flow, __le32 sender)
{
	spin_lock_bh(&flow->relay->lock);
	note_home(flow, sender);
	spin_unlock_bh(&flow->relay->lock);
}

bool nwg_flow_answers(struct nwg_flow *flow, __le32 receiver,
		      const struct nwg_message_response *response)
{
	struct nwg_relay *relay = flow->relay;
	bool answers;

	spin_lock_bh(&relay->lock);
	answers = !flow->gone && flow->home_asked && flow->home_sender == receiver;
	if (answers && response)
		nwg_roam_note(flow, receiver, response->sender);
	spin_unlock_bh(&relay->lock);
	return answers;
}

unsigned int nwg_flow_whole(const struct nwg_flow *flow)
{
	const unsigned int mtu = READ_ONCE(flow->relay->dev->mtu);
	const unsigned int headers =
		sizeof(struct udphdr) + (ipv6_addr_v4mapped(&flow->mapping.addr) ?
						 sizeof(struct iphdr) :
						 sizeof(struct ipv6hdr));

	return mtu > headers ? mtu - headers : 0;
}

/* Tell what its ends' MTU should be, as the tunnel does not take whole what they send. */
static void tell_mtu(struct nwg_flow *flow)
{
	struct nwg_relay *relay = flow->relay;

	spin_lock_bh(&relay->lock);
	if (!flow->gone)
		nwg_event_flow(NWG_CMD_FLOW_MTU_NTF, flow, NWG_FLOW_END_UNSPEC);
	spin_unlock_bh(&relay->lock);
}

void nwg_flow_count(struct nwg_flow *flow, enum nwg_direction direction, enum nwg_message_type type,
		    unsigned int len)
{
	struct nwg_flow_counters *counters = &flow->counters[direction];
	u16 largest = READ_ONCE(flow->largest[direction]);
	unsigned int whole;

	atomic64_inc(&counters->messages[type - 1]);
	atomic64_add(len, &counters->bytes);
	if (likely(len <= largest))
		return;
	while (!try_cmpxchg(&flow->largest[direction], &largest, len))
		if (len <= largest)
			return;
	whole = nwg_flow_whole(flow);
	/* The first of either end that is too large */
	if (unlikely(len > whole && whole > NWG_TRANSPORT_MIN_LEN &&
		     max(largest, READ_ONCE(flow->largest[!direction])) <= whole))
		tell_mtu(flow);
}

void nwg_flow_count_drop(struct nwg_flow *flow, enum nwg_direction direction)
{
	atomic64_inc(&flow->counters[direction].drops);
}

void nwg_flow_read_counters(const struct nwg_flow *flow, enum nwg_direction direction,
			    struct nwg_counter_sums *sums)
{
	const struct nwg_flow_counters *counters = &flow->counters[direction];
	unsigned int i;

	memset(sums, 0, sizeof(*sums));
	for (i = 0; i < NWG_MESSAGE_TRANSPORT; i++)
		sums->messages[i + 1] = atomic64_read(&counters->messages[i]);
	sums->bytes = atomic64_read(&counters->bytes);
	sums->drops[0] = atomic64_read(&counters->drops);
	sums->largest = READ_ONCE(flow->largest[direction]);
}

/* Remove the flows that are in a state. */
static void remove_all(struct nwg_relay *relay, enum nwg_flow_state state)
{
	struct list_head *flows = &relay->flows[state];
	unsigned int batch = 0;

	spin_lock_bh(&relay->lock);
	while (!list_empty(flows)) {
		flow_remove(relay, list_first_entry(flows, struct nwg_flow, list),
			    NWG_FLOW_END_REMOVED);
		if (++batch % EXPIRY_BATCH)
			continue;
		spin_unlock_bh(&relay->lock);
		cond_resched();
		spin_lock_bh(&relay->lock);
	}
	spin_unlock_bh(&relay->lock);
}

void nwg_flow_remove_all(struct nwg_relay *relay)
{
	unsigned int state;

	/* Packets may still move a flow from state to state, but make none. */
	do {
		for (state = 0; state < NWG_FLOW_STATES; state++)
			remove_all(relay, state);
	} while (nwg_flow_total(relay));
}

/*
 * End flows of one state whose time is up: look at the first @count of the list and put those that
 * stay at its end. In batches, with whatever the packets do to the list in between.
 */
static void expire(struct nwg_relay *relay, enum nwg_flow_state state, unsigned int count)
{
	struct list_head *flows = &relay->flows[state];
	struct nwg_flow *flow;
	bool expired;

	spin_lock_bh(&relay->lock);
	while (count && !list_empty(flows)) {
		flow = list_first_entry(flows, struct nwg_flow, list);
		expired = nwg_flow_left(flow) <= 0;
		/* The others are in the order in which they expire. */
		if (!expired && state != NWG_FLOW_ESTABLISHED)
			break;
		if (expired)
			flow_remove(relay, flow, NWG_FLOW_END_EXPIRED);
		else
			list_move_tail(&flow->list, flows);
		if (--count % EXPIRY_BATCH)
			continue;
		spin_unlock_bh(&relay->lock);
		cond_resched();
		spin_lock_bh(&relay->lock);
	}
	spin_unlock_bh(&relay->lock);
}

void nwg_flow_expiry_work(struct work_struct *work)
{
	struct nwg_relay *relay = container_of(to_delayed_work(work), struct nwg_relay, expiry);

	expire(relay, NWG_FLOW_NEW, READ_ONCE(relay->flow_count[NWG_FLOW_NEW]));
	expire(relay, NWG_FLOW_TENTATIVE, READ_ONCE(relay->flow_count[NWG_FLOW_TENTATIVE]));
	expire(relay, NWG_FLOW_ESTABLISHED,
	       DIV_ROUND_UP(READ_ONCE(relay->flow_count[NWG_FLOW_ESTABLISHED]), EXPIRY_ROUNDS));

	spin_lock_bh(&relay->lock);
	if (!relay->dead && nwg_flow_total(relay))
		queue_delayed_work(system_power_efficient_wq, &relay->expiry, EXPIRY_INTERVAL);
	spin_unlock_bh(&relay->lock);
}

int __init nwg_flow_init(void)
{
	int err;

	get_random_bytes(&hash_key, sizeof(hash_key));
	err = nwg_quota_init();
	if (err)
		return err;
	flow_cache = KMEM_CACHE(nwg_flow, 0);
	if (flow_cache)
		return 0;
	nwg_quota_exit();
	return -ENOMEM;
}

void nwg_flow_exit(void)
{
	/* Flows and quotas are freed by call_rcu(). */
	rcu_barrier();
	kmem_cache_destroy(flow_cache);
	nwg_quota_exit();
}
