// SPDX-License-Identifier: GPL-2.0
/*
 * Who passes a relay, and what becomes of its flows: random packets, times and configurations go
 * through module/relay and through a model that keeps all in arrays and looks at each. After each
 * step both have the same flows, with the same in them, and of each flow there were the same events.
 *
 *	NWG_STEPS=N	how many steps
 *
 * What the model does not say, it takes over: which free port or pool address a client is given
 * (it checks that it is one), and when a flow whose time is up is swept away (it checks that it is,
 * after as many sweeps as that may take).
 */
#include "test.h"

#include <limits.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/route.h>
#include <net/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "netlink/events.h"
#include "relay/admit.h"
#include "relay/mapping.h"
#include "relay/object.h"
#include "transport/ratelimiter.h"

#define STEPS 1000000

#define RELAYS 2
#define CLIENTS 20
#define FLOWS (RELAYS * CLIENTS)
/* Few, so that they meet */
#define INDICES 12
#define POOL_SIZE 6 /* with the inner endpoint, which no client has */

#define NEW_LIFE (15 * HZ)
#define ESTABLISHED_LIFE (540 * HZ)
#define SWEEPS 20

unsigned long jiffies, shim_boot;
unsigned int nwg_machine_copies;

/* The machine */

static struct net_device dev = { .ifindex = 7, .mtu = 1420 };
static struct nwg_device device = { .dev = &dev };
static struct inet6_ifaddr address6 = { .prefix_len = 64 };
static struct nwg_relay_net relay_net;
static struct nwg_relay relays[RELAYS];
static u16 socket_port;

bool shim_socket_has(__be16 port)
{
	return ntohs(port) == socket_port;
}

unsigned int inet_addr_type_dev_table(struct net *net, const struct net_device *on, __be32 addr)
{
	(void)net, (void)on;
	return addr == dev.address4.ifa_local ? RTN_LOCAL : RTN_UNICAST;
}

bool ipv6_chk_addr(struct net *net, const struct in6_addr *addr, const struct net_device *on,
		   int strict)
{
	(void)net, (void)on, (void)strict;
	return ipv6_addr_equal(addr, &address6.addr);
}

/* Events of flows since the last look: those that there were, and those that the model expects */

struct event {
	unsigned int r;
	struct nwg_flow_key key;
	enum nwg_command what;
	enum nwg_flow_state state;
	enum nwg_flow_end end;
	bool matched;
};

struct events {
	unsigned int count;
	struct event event[1 << 12];
};

static struct events told, expected;

static void add_event(struct events *events, const struct event *event)
{
	assert_in_range(events->count, 0, ARRAY_SIZE(events->event) - 1);
	events->event[events->count++] = *event;
}

void nwg_event_flow(enum nwg_command what, const struct nwg_flow *flow, enum nwg_flow_end end)
{
	const struct event event = { .r = flow->relay - relays,
				     .key = flow->key,
				     .what = what,
				     .state = flow->state,
				     .end = end };
	const bool there = what != NWG_CMD_FLOW_END_NTF;

	assert_true(flow->relay->lock.held);
	/* Who hears of it finds it, until it ends, and then not any more. */
	assert_int_equal(nwg_flow_find(&relay_net.flows, &flow->key) == flow, there);
	assert_int_equal(nwg_mapping_find(&relay_net.flows, &flow->mapping) == flow, there);
	assert_int_equal(flow->gone, !there);
	assert_int_equal(end == NWG_FLOW_END_UNSPEC, there);
	add_event(&told, &event);
}

/* Each flow has had the events that it had to have, in their order. */
static void compare_events(void)
{
	const struct event *event;
	struct event *match;

	assert_int_equal(told.count, expected.count);
	for (event = expected.event; event < expected.event + expected.count; event++) {
		for (match = told.event; match < told.event + told.count; match++)
			if (!match->matched && match->r == event->r &&
			    !memcmp(&match->key, &event->key, sizeof(match->key)))
				break;
		assert_true(match < told.event + told.count);
		assert_int_equal(match->what, event->what);
		assert_int_equal(match->state, event->state);
		assert_int_equal(match->end, event->end);
		match->matched = true;
	}
	told.count = expected.count = 0;
}

/* What was told of a relay's pressure, and how often */
static bool pressure_told[RELAYS];
static u64 pressure_changes[RELAYS];

void nwg_event_pressure(const struct nwg_relay *relay)
{
	const unsigned int r = relay - relays;

	assert_true(relay->lock.held);
	assert_false(relay->dead);
	assert_int_not_equal(relay->pressed, pressure_told[r]);
	pressure_told[r] = relay->pressed;
	pressure_changes[r]++;
}

/* The limit of flows of both relays */
extern const struct kernel_param shim_param_max_flows;
extern const struct kernel_param_ops *const shim_ops_max_flows;

static u32 limit(void)
{
	return *(const unsigned int *)shim_param_max_flows.arg;
}

static void set_limit(u32 number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	assert_int_equal(shim_ops_max_flows->set(text, &shim_param_max_flows), 0);
}

#define USES (NWG_RATELIMIT_RELAY_SHOWN + 1)

/* What the rate limiter will say, and what it was asked */
static bool allows[USES];
static unsigned int asked[USES];

bool nwg_ratelimiter_allow(enum nwg_ratelimit_use use, const void *owner, struct sk_buff *skb)
{
	assert_true(owner == &relays[0] || owner == &relays[1]);
	(void)skb;
	asked[use]++;
	return allows[use];
}

/* The model. Its times are 64 bits wide. */

static u64 now;

struct session {
	__le32 index, client;
};

struct flow {
	bool used;
	struct nwg_flow_key key;
	enum nwg_flow_state state;
	struct in6_addr addr;
	__be16 port;
	u64 waits_since; /* until it is established: the last initiation, or the first data */
	u64 order; /* of those who wait since the same moment */
	u64 answered;
	unsigned int sweeps; /* since its time was up */

	__le32 sender[2]; /* newest first */
	unsigned int senders;
	u64 sender_second;
	bool crowded, initiated;
	bool home_asked;
	__le32 home_sender;
	struct session session[2]; /* oldest first */
	unsigned int sessions;
	bool tries;
	struct session tried;
	u64 initiations_paid, roams_paid;
	unsigned int data;

	bool ask;
	bool has_mac1, has_cookie;
	u8 mac1[NWG_MAC_LEN], cookie[NWG_COOKIE_LEN];
	u64 mac1_second, cookie_second;
};

/* What a client knows of a relay */
struct client {
	bool has_cookie;
	u8 cookie[NWG_COOKIE_LEN];
	unsigned int epoch; /* of the relay's secrets */
};

struct model {
	struct flow flow[FLOWS];
	u64 order;
	unsigned int strangers;
	u64 second, pressed_until;
	bool pressed;
	u64 pressure_changes;
	unsigned int epoch;
	u64 epoch_ns;
	struct client client[CLIENTS];
};

static struct model model[RELAYS];

/* What happened, so that a run in which nothing happens does not pass */
static u64 seen[NWG_DROP_MAX + 1], ended[NWG_FLOW_END_UNUSABLE + 1];
static u64 established, confirmed, vouched, relieved;
static u64 asked_at_half, past_half, full;

static u64 seconds(void)
{
	return (jiffies - shim_boot) / HZ;
}

static const struct nwg_relay_config *config_of(unsigned int r)
{
	return &relays[r].params->config;
}

static bool is_v4(const struct in6_addr *addr)
{
	return ipv6_addr_v4mapped(addr);
}

static u64 ends(const struct flow *flow)
{
	return flow->state == NWG_FLOW_ESTABLISHED ? flow->answered + ESTABLISHED_LIFE :
						     flow->waits_since + NEW_LIFE;
}

static bool usable(unsigned int r, const struct flow *flow)
{
	return now < ends(flow) && is_v4(&flow->addr) == is_v4(&config_of(r)->to);
}

static struct flow *find(unsigned int r, const struct nwg_flow_key *key)
{
	struct flow *flow;

	for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++)
		if (flow->used && !memcmp(&flow->key, key, sizeof(*key)))
			return flow;
	return NULL;
}

static struct flow *find_mapping(const struct in6_addr *addr, __be16 port, unsigned int *r)
{
	struct flow *flow;

	for (*r = 0; *r < RELAYS; ++*r)
		for (flow = model[*r].flow; flow < model[*r].flow + FLOWS; flow++)
			if (flow->used && flow->port == port && ipv6_addr_equal(&flow->addr, addr))
				return flow;
	return NULL;
}

static struct flow *find_session(unsigned int r, __le32 index)
{
	struct flow *flow;
	unsigned int i;

	for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++)
		for (i = 0; flow->used && i < flow->sessions; i++)
			if (flow->session[i].index == index)
				return flow;
	return NULL;
}

static unsigned int total(unsigned int r)
{
	const struct flow *flow;
	unsigned int count = 0;

	for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++)
		count += flow->used;
	return count;
}

/* Of both relays */
static unsigned int all(void)
{
	unsigned int r, count = 0;

	for (r = 0; r < RELAYS; r++)
		count += total(r);
	return count;
}

/* One IPv4 address, or one IPv6 /64 */
static bool same_source(const struct nwg_flow_key *a, const struct nwg_flow_key *b)
{
	if (is_v4(&a->client) != is_v4(&b->client))
		return false;
	return !memcmp(&a->client, &b->client, is_v4(&a->client) ? 16 : 8);
}

static unsigned int of_source(unsigned int r, const struct nwg_flow_key *key)
{
	const struct flow *flow;
	unsigned int count = 0;

	for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++)
		count += flow->used && same_source(&flow->key, key);
	return count;
}

/* Of the client's source, but for what it has itself and cannot use any more */
static unsigned int siblings(unsigned int r, const struct nwg_flow_key *key)
{
	return of_source(r, key) - !!find(r, key);
}

static bool waits_longer(const struct flow *a, const struct flow *b)
{
	if (a->waits_since != b->waits_since)
		return a->waits_since < b->waits_since;
	if (a->state != b->state)
		return a->state == NWG_FLOW_NEW;
	return a->order < b->order;
}

static struct flow *longest_waiting(unsigned int r)
{
	struct flow *flow, *longest = NULL;

	for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++)
		if (flow->used && flow->state != NWG_FLOW_ESTABLISHED &&
		    (!longest || waits_longer(flow, longest)))
			longest = flow;
	return longest;
}

/* An event that there has to be of a flow */
static void expect(unsigned int r, const struct flow *flow, enum nwg_command what,
		   enum nwg_flow_end end)
{
	const struct event event = {
		.r = r, .key = flow->key, .what = what, .state = flow->state, .end = end
	};

	add_event(&expected, &event);
}

static void end(unsigned int r, struct flow *flow, enum nwg_flow_end why)
{
	expect(r, flow, NWG_CMD_FLOW_END_NTF, why);
	ended[why]++;
	flow->used = false;
}

/* One at once, and then one every @cost jiffies, up to @burst. */
static bool pay(u64 *paid_until, u64 cost, unsigned int burst)
{
	const u64 debt = *paid_until > now ? *paid_until - now : 0;

	if (debt > (burst - 1) * cost)
		return false;
	*paid_until = now + debt + cost;
	return true;
}

static void note_sender(unsigned int r, struct flow *flow, __le32 sender)
{
	if (flow->state != NWG_FLOW_ESTABLISHED) {
		flow->waits_since = now;
		flow->order = ++model[r].order;
	}
	if (flow->senders && flow->sender[0] == sender)
		return;
	/* One is forgotten, sooner than a client comes again. The relay has four bits for the time. */
	if (flow->senders == 2 && (seconds() - flow->sender_second) % 16 < 4)
		flow->crowded = true;
	flow->sender[1] = flow->sender[0];
	flow->sender[0] = sender;
	flow->senders = flow->senders ? 2 : 1;
	flow->sender_second = seconds();
	flow->initiated = true;
}

static void note_session(unsigned int r, struct flow *flow, __le32 index, __le32 client,
			 bool memory)
{
	if (find_session(r, index))
		return;
	/* There is room for two, and one that is tried has a place, too. */
	if (flow->tries && flow->sessions)
		flow->tries = false;
	else if (flow->sessions == 2)
		flow->session[0] = flow->session[--flow->sessions];
	if (memory)
		flow->session[flow->sessions++] = (struct session){ index, client };
}

static void establish(unsigned int r, struct flow *flow)
{
	flow->state = NWG_FLOW_ESTABLISHED;
	flow->order = ++model[r].order;
	flow->roams_paid = now;
	flow->tries = false;
	flow->answered = now;
	expect(r, flow, NWG_CMD_FLOW_STATE_NTF, NWG_FLOW_END_UNSPEC);
	established++;
}

/* Addresses of a pool that nobody has */
static unsigned int pool_free(unsigned int r)
{
	const struct nwg_relay_config *config = config_of(r);
	const bool v4 = is_v4(&config->pool);
	unsigned int i, other, count = 0;
	struct in6_addr addr;

	for (i = 1; i < (1U << ((v4 ? 32 : 128) - config->pool_len)) - 1; i++) {
		addr = config->pool;
		addr.s6_addr[15] |= i;
		if (ipv6_addr_equal(&addr, &config->to) ||
		    (v4 ? addr.s6_addr32[3] == dev.address4.ifa_local :
			  ipv6_addr_equal(&addr, &address6.addr)))
			continue;
		count += !find_mapping(&addr, htons(NWG_POOL_PORT), &other);
	}
	return count;
}

/* Why a client cannot be given a mapping, or 0 */
static enum nwg_relay_drop refused_mapping(unsigned int r, const struct nwg_flow_key *key)
{
	const struct nwg_relay_config *config = config_of(r);
	struct flow *other;
	unsigned int whose;

	switch (config->source) {
	case NWG_SOURCE_POOL:
		if (!pool_free(r))
			model[r].pressed_until = now + HZ;
		if (!pool_free(r) && longest_waiting(r))
			end(r, longest_waiting(r), NWG_FLOW_END_EVICTED);
		return pool_free(r) ? 0 : NWG_DROP_NO_ADDRESS;
	case NWG_SOURCE_TRANSPARENT:
		if (is_v4(&key->client) != is_v4(&config->to))
			return NWG_DROP_FAMILY;
		other = find_mapping(&key->client, key->client_port, &whose);
		if (!other)
			return 0;
		if (whose != r || other->state == NWG_FLOW_ESTABLISHED)
			return NWG_DROP_NO_PORT;
		end(r, other, NWG_FLOW_END_EVICTED);
		return 0;
	default:
		return is_v4(&config->to) && !dev.address4.ifa_local ? NWG_DROP_NO_ADDRESS : 0;
	}
}

/* That a client was given a mapping that it may have, which the model takes over */
static void take_mapping(unsigned int r, struct flow *flow, const struct nwg_flow *actual)
{
	const struct nwg_relay_config *config = config_of(r);
	const struct in6_addr *addr = &actual->mapping.addr;
	const u16 port = ntohs(actual->mapping.port), wanted = ntohs(flow->key.client_port);
	struct in6_addr own;
	unsigned int other;

	assert_null(find_mapping(addr, actual->mapping.port, &other));
	assert_int_equal(actual->mapping.ifindex, dev.ifindex);
	switch (config->source) {
	case NWG_SOURCE_POOL:
		assert_int_equal(port, NWG_POOL_PORT);
		assert_memory_equal(addr, &config->pool, 15);
		assert_int_equal(addr->s6_addr[15] & 0xf8, config->pool.s6_addr[15]);
		assert_in_range(addr->s6_addr[15] & 7, 1, 6);
		assert_false(ipv6_addr_equal(addr, &config->to));
		break;
	case NWG_SOURCE_TRANSPARENT:
		assert_memory_equal(addr, &flow->key.client, sizeof(*addr));
		assert_int_equal(port, wanted);
		break;
	default:
		ipv6_addr_set_v4mapped(dev.address4.ifa_local, &own);
		assert_memory_equal(addr, is_v4(&config->to) ? &own : &address6.addr, sizeof(own));
		assert_in_range(port, NWG_MAPPING_MIN_PORT, U16_MAX);
		assert_int_not_equal(port, socket_port);
		if (wanted >= NWG_MAPPING_MIN_PORT && wanted != socket_port &&
		    !find_mapping(addr, flow->key.client_port, &other))
			assert_int_equal(port, wanted);
	}
	flow->addr = *addr;
	flow->port = actual->mapping.port;
}

/* A tentative flow that tries @index: whose session that is, or why it may not */
static enum nwg_relay_drop try_session(unsigned int r, struct flow *flow, __le32 index)
{
	struct flow *known = find_session(r, index);
	unsigned int i;

	if (!known || known == flow || known->state != NWG_FLOW_ESTABLISHED)
		return NWG_DROP_NO_FLOW;
	/* It has had a session made for itself before. */
	if (!flow->tries && flow->sessions)
		return NWG_DROP_NO_FLOW;
	if (!flow->tries && !pay(&known->roams_paid, HZ, 4))
		return NWG_DROP_RATE;
	if (flow->tries && find_session(r, flow->tried.index) != known)
		return NWG_DROP_NO_FLOW;
	for (i = 0; known->session[i].index != index; i++)
		;
	flow->tried = known->session[i];
	flow->tries = true;
	return 0;
}

/*
 * At most two of a client, unless it has the sessions of two by now, and 64 of all, of which there are
 * fewer clients here
 */
static void make_tentative_room(unsigned int r, __le32 index)
{
	struct flow *known = find_session(r, index), *flow, *oldest = NULL;
	unsigned int count = 0;

	for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++) {
		if (!flow->used || flow->state != NWG_FLOW_TENTATIVE || !flow->tries ||
		    find_session(r, flow->tried.index) != known)
			continue;
		count++;
		if (!oldest || waits_longer(flow, oldest))
			oldest = flow;
	}
	if (count >= 2)
		end(r, oldest, NWG_FLOW_END_EVICTED);
}

/* What a flow takes: itself, and a place in each of two tables; and what its source does, if it is the first */
#define FLOW_ALLOCATIONS 3
#define SOURCE_ALLOCATIONS 2

/* Make a flow, of which the relay has one by now if there is no reason why not. */
/* Flows that a client's source may have besides its own, for one of a state and with an index */
static u32 source_limit(unsigned int r, const struct nwg_flow_key *key, enum nwg_flow_state state,
			__le32 index)
{
	const u32 max = config_of(r)->max_flows_per_source;

	if (state == NWG_FLOW_NEW)
		return max;
	if (same_source(&find_session(r, index)->key, key))
		return max + 2;
	return config_of(r)->has_responder ? (max + 1) / 2 : max;
}

static enum nwg_relay_drop create(unsigned int r, const struct nwg_flow_key *key,
				  enum nwg_flow_state state, __le32 index, unsigned long memory)
{
	struct flow fresh = { .used = true,
			      .key = *key,
			      .state = state,
			      .waits_since = now,
			      .answered = now,
			      .initiations_paid = now },
		    *flow = find(r, key);
	const u32 max = source_limit(r, key, state, index);
	enum nwg_relay_drop reason = 0;
	const struct nwg_flow *actual;

	if (!memory)
		return NWG_DROP_NO_MEMORY;
	if (flow)
		end(r, flow, now < ends(flow) ? NWG_FLOW_END_UNUSABLE : NWG_FLOW_END_EXPIRED);
	assert_in_range(of_source(r, key), 0, max - 1);
	if (!of_source(r, key)) {
		if (memory < 1 + SOURCE_ALLOCATIONS)
			return NWG_DROP_NO_MEMORY;
		memory -= SOURCE_ALLOCATIONS;
	}
	if (state == NWG_FLOW_NEW)
		note_sender(r, &fresh, index);
	else
		reason = try_session(r, &fresh, index);
	if (reason)
		return reason;
	if (state == NWG_FLOW_TENTATIVE)
		make_tentative_room(r, index);
	full += total(r) < config_of(r)->max_flows && all() >= limit();
	while ((total(r) >= config_of(r)->max_flows || all() >= limit()) && longest_waiting(r))
		end(r, longest_waiting(r), NWG_FLOW_END_EVICTED);
	if (total(r) >= config_of(r)->max_flows || all() >= limit())
		return NWG_DROP_FLOW_LIMIT;
	reason = refused_mapping(r, key);
	if (reason)
		return reason;
	if (memory < FLOW_ALLOCATIONS)
		return NWG_DROP_NO_MEMORY;
	for (flow = model[r].flow; flow->used; flow++)
		;
	fresh.order = ++model[r].order;
	actual = nwg_flow_find(&relay_net.flows, key);
	assert_non_null(actual);
	take_mapping(r, &fresh, actual);
	*flow = fresh;
	expect(r, flow, NWG_CMD_FLOW_BEGIN_NTF, NWG_FLOW_END_UNSPEC);
	return 0;
}

/* Whether a message with a cookie of @whose shows the relay's cookie for the address and port of @c */
static bool shows(unsigned int r, unsigned int whose, unsigned int c)
{
	const struct client *client = &model[r].client[whose];

	return (whose | 4) == (c | 4) && client->has_cookie && client->epoch == model[r].epoch &&
	       ktime_get_coarse_boottime_ns() - model[r].epoch_ns < 120 * NSEC_PER_SEC;
}

static bool nearly_full(unsigned int r)
{
	u32 max = config_of(r)->max_flows;

	if (config_of(r)->source == NWG_SOURCE_POOL)
		max = min_t(u32, max, POOL_SIZE);
	return total(r) >= max - max / 8 || all() >= limit() - limit() / 8;
}

static bool pressed(unsigned int r)
{
	struct model *m = &model[r];

	if (now >= m->second + HZ) {
		m->second = now;
		m->strangers = 0;
	}
	if (++m->strangers > 64 || nearly_full(r))
		m->pressed_until = now + HZ;
	if (now >= m->pressed_until)
		return false;
	m->pressure_changes += !m->pressed;
	m->pressed = true;
	return true;
}

static enum nwg_relay_drop admit_initiation(unsigned int r, struct flow *flow,
					    const struct nwg_flow_key *key, __le32 sender,
					    bool shown, unsigned long memory, unsigned int *asks)
{
	const bool responder = config_of(r)->has_responder;
	const u32 max = config_of(r)->max_flows_per_source;
	bool ask = false, half;

	if (flow && flow->state == NWG_FLOW_ESTABLISHED) {
		if (!(flow->ask && responder) && pay(&flow->initiations_paid, HZ / 20, 5)) {
			note_sender(r, flow, sender);
			return 0;
		}
		if (!responder)
			return NWG_DROP_RATE;
		ask = true;
	}
	if (!flow && siblings(r, key) >= max)
		return NWG_DROP_SOURCE_LIMIT;
	ask = pressed(r) || ask || (flow && flow->ask);
	half = !flow && siblings(r, key) >= max / 2;
	asked_at_half += responder && half && !ask && !shown;
	ask = ask || half;
	if (responder && shown) {
		asks[NWG_RATELIMIT_RELAY_SHOWN]++;
		if (!allows[NWG_RATELIMIT_RELAY_SHOWN])
			return NWG_DROP_RATE;
		past_half += half;
	} else if (responder && ask) {
		return NWG_DROP_COOKIE;
	} else {
		asks[NWG_RATELIMIT_RELAY]++;
		if (!allows[NWG_RATELIMIT_RELAY])
			return responder ? NWG_DROP_COOKIE : NWG_DROP_RATE;
	}
	if (!flow)
		return create(r, key, NWG_FLOW_NEW, sender, memory);
	note_sender(r, flow, sender);
	return 0;
}

static enum nwg_relay_drop admit_data(unsigned int r, struct flow *flow,
				      const struct nwg_flow_key *key, __le32 index,
				      unsigned long memory, unsigned int *asks)
{
	enum nwg_relay_drop reason = 0;

	if (flow && flow->state == NWG_FLOW_ESTABLISHED)
		return 0;
	if (flow) {
		if (!flow->tries || flow->tried.index != index)
			reason = try_session(r, flow, index);
		return !reason && flow->data >= 1024 ? NWG_DROP_RATE : reason;
	}
	if (!find_session(r, index))
		return NWG_DROP_NO_FLOW;
	if (siblings(r, key) >= source_limit(r, key, NWG_FLOW_TENTATIVE, index))
		return NWG_DROP_SOURCE_LIMIT;
	asks[NWG_RATELIMIT_RELAY]++;
	if (!allows[NWG_RATELIMIT_RELAY])
		return NWG_DROP_RATE;
	return create(r, key, NWG_FLOW_TENTATIVE, index, memory);
}

/* The home's data on a flow that is not established: in a session that is tried, or was made there */
static bool confirm(unsigned int r, struct flow *flow, __le32 client)
{
	struct flow *tried = flow->tries ? find_session(r, flow->tried.index) : NULL,
		    *before = NULL;
	struct session sessions[4];
	unsigned int i, count = 0;
	bool known = flow->tries && flow->tried.client == client, of_tried = false;

	for (i = 0; i < flow->sessions; i++)
		known |= flow->session[i].client == client;
	/* In the session that its client shows, or in the other that it has */
	for (i = 0; tried && tried != flow && i < tried->sessions; i++)
		of_tried |= tried->session[i].client == client;
	if (!known && !of_tried)
		return false;
	/* To who has begun a handshake here, the home may send in a session of any index. */
	if (of_tried && !flow->initiated && !flow->home_asked)
		before = tried;
	if (before && before != flow) {
		/* The last two of both, those made here being the newer ones */
		for (i = 0; i < before->sessions; i++)
			sessions[count++] = before->session[i];
		for (i = 0; i < flow->sessions; i++)
			sessions[count++] = flow->session[i];
		for (i = count > 2 ? count - 2 : 0, flow->sessions = 0; i < count; i++)
			flow->session[flow->sessions++] = sessions[i];
		end(r, before, NWG_FLOW_END_REPLACED);
	}
	establish(r, flow);
	confirmed++;
	return true;
}

static bool answered(unsigned int r, struct flow *flow, const struct nwg_message_response *response,
		     bool memory)
{
	unsigned int i;

	for (i = 0; i < flow->senders; i++)
		if (flow->sender[i] == response->receiver)
			break;
	if (i == flow->senders) {
		if (flow->crowded) {
			flow->ask = true;
			flow->senders = 0;
			flow->crowded = false;
		}
		return false;
	}
	flow->senders = i;
	flow->crowded = false;
	flow->ask = false;
	note_session(r, flow, response->sender, response->receiver, memory);
	flow->home_asked = true;
	flow->home_sender = response->sender;
	if (flow->state != NWG_FLOW_ESTABLISHED)
		establish(r, flow);
	return true;
}

/* Both */

static void compare_flow(unsigned int r, const struct flow *flow)
{
	const struct nwg_flow_mapping mapping = { .addr = flow->addr,
						  .port = flow->port,
						  .ifindex = dev.ifindex };
	struct nwg_flow *actual = nwg_flow_find(&relay_net.flows, &flow->key);
	unsigned int i, place;

	assert_non_null(actual);
	assert_ptr_equal(actual->relay, &relays[r]);
	assert_ptr_equal(nwg_mapping_find(&relay_net.flows, &mapping), actual);
	assert_int_equal(actual->state, flow->state);
	assert_false(actual->gone);
	assert_int_equal(nwg_flow_left(actual), (long)(ends(flow) - now));
	assert_int_equal(nwg_flow_usable(actual), usable(r, flow));
	assert_int_equal(actual->sender_count, flow->senders);
	for (i = 0; i < flow->senders; i++)
		assert_int_equal(actual->senders[i], flow->sender[i]);
	assert_int_equal(actual->home_asked, flow->home_asked);
	if (flow->home_asked)
		assert_int_equal(actual->home_sender, flow->home_sender);
	assert_int_equal(hweight8(actual->roam_listed), flow->sessions);
	for (i = 0; i < flow->sessions; i++) {
		assert_ptr_equal(nwg_roam_find(&relays[r], flow->session[i].index), actual);
		place = !(actual->roam_listed & BIT(0) &&
			  actual->roam.index[0] == flow->session[i].index);
		assert_int_equal(actual->roam.index[place], flow->session[i].index);
		assert_int_equal(actual->roam.client[place], flow->session[i].client);
		if (flow->sessions == 2)
			assert_int_equal(actual->roam_oldest == place, i == 0);
	}
	assert_int_equal(actual->tries, flow->tries);
	if (flow->tries)
		assert_int_equal(actual->roam.index[0], flow->tried.index);
	assert_int_equal(actual->ask, flow->ask);
	assert_int_equal(actual->mac1_valid, flow->has_mac1);
	assert_int_equal(nwg_quota_used(&relays[r], &flow->key.client), of_source(r, &flow->key));
}

/* No other flow of its source comes before it. */
static bool first_of_source(unsigned int r, const struct flow *flow)
{
	const struct flow *other;

	for (other = model[r].flow; other < flow; other++)
		if (other->used && same_source(&other->key, &flow->key))
			return false;
	return true;
}

static void compare(void)
{
	unsigned int r, state, count[NWG_FLOW_STATES], objects = 0, sources = 0;
	const struct list_head *each;
	const struct flow *flow;

	for (r = 0; r < RELAYS; r++) {
		memset(count, 0, sizeof(count));
		for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++) {
			if (!flow->used)
				continue;
			compare_flow(r, flow);
			count[flow->state]++;
			objects++;
			sources += first_of_source(r, flow);
		}
		assert_false(relays[r].lock.held);
		for (state = 0; state < NWG_FLOW_STATES; state++) {
			assert_int_equal(relays[r].flow_count[state], count[state]);
			list_for_each(each, &relays[r].flows[state])
				count[state]--;
			assert_int_equal(count[state], 0);
		}
		if (nwg_flow_total(&relays[r]))
			assert_true(relays[r].expiry.pending);
		assert_int_equal(relays[r].pressed, model[r].pressed);
		assert_int_equal(pressure_told[r], model[r].pressed);
		assert_int_equal(pressure_changes[r], model[r].pressure_changes);
		if (model[r].pressed) {
			assert_true(relays[r].relief.pending);
			assert_in_range(relays[r].relief.due - jiffies, 1, HZ);
		}
	}
	assert_int_equal(relay_net.flows.by_client.count, objects);
	assert_int_equal(relay_net.flows.by_mapping.count, objects);
	compare_events();
	assert_int_equal(relay_net.flows.quotas.by_source.count, sources);
	assert_int_equal(relay_net.flows.quotas.reserved.counter, objects);
}

/* What was swept away was due. */
static void sweep(void)
{
	unsigned int r;
	struct flow *flow;

	for (r = 0; r < RELAYS; r++) {
		if (!relays[r].expiry.pending || time_before(jiffies, relays[r].expiry.due))
			continue;
		relays[r].expiry.pending = false;
		nwg_flow_expiry_work(&relays[r].expiry.work);
		for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++) {
			if (!flow->used || now < ends(flow))
				continue;
			if (!nwg_flow_find(&relay_net.flows, &flow->key)) {
				end(r, flow, NWG_FLOW_END_EXPIRED);
			} else {
				assert_int_equal(flow->state, NWG_FLOW_ESTABLISHED);
				assert_in_range(++flow->sweeps, 0, SWEEPS);
			}
		}
	}
}

/* Pressure that is over ends, and only that. */
static void relieve(void)
{
	unsigned int r;

	for (r = 0; r < RELAYS; r++) {
		if (!relays[r].relief.pending || time_before(jiffies, relays[r].relief.due))
			continue;
		relays[r].relief.pending = false;
		nwg_relay_relief_work(&relays[r].relief.work);
		if (now < model[r].pressed_until || nearly_full(r))
			continue;
		model[r].pressed = false;
		model[r].pressure_changes++;
		relieved++;
	}
}

static void pass_time(u64 by)
{
	u64 part;

	for (; by; by -= part) {
		part = by < 5 * HZ ? by : 5 * HZ;
		now += part;
		jiffies += part;
		sweep();
		relieve();
	}
}

static void count_data(struct flow *flow, struct nwg_flow *actual, unsigned int number)
{
	flow->data += number;
	while (number--)
		nwg_flow_count(actual, NWG_FORWARD, NWG_MESSAGE_TRANSPORT, 32);
}

static void client_key(unsigned int r, unsigned int c, struct nwg_flow_key *key)
{
	memset(key, 0, sizeof(*key));
	if (c % 4 == 3) {
		key->client.s6_addr32[0] = htonl(0x20010db8);
		key->client.s6_addr32[1] = htonl(c / 16);
	} else {
		key->client.s6_addr32[2] = htonl(0xffff);
	}
	/* Some share a source, some an address, and some an address and a port. */
	key->client.s6_addr32[3] = htonl(0xc6336400 + c / 8);
	key->client_port = htons((c & 1 ? 500 : 40000) + c / 8 * 8 + (c & 2));
	key->local = key->client;
	key->local.s6_addr[15] = 200 + (c & 4);
	key->local_port = htons(60000 + r);
}

union message {
	__le32 type;
	struct nwg_message_initiation initiation;
	struct nwg_message_response response;
	struct nwg_message_cookie_reply reply;
	struct nwg_message_transport transport;
	u8 bytes[NWG_INITIATION_LEN];
};

/* Write what a message of that type has of these. */
static void set_indices(union message *message, __le32 sender, __le32 receiver)
{
	switch (le32_to_cpu(message->type)) {
	case NWG_MESSAGE_INITIATION:
		message->initiation.sender = sender;
		break;
	case NWG_MESSAGE_RESPONSE:
		message->response.sender = sender;
		message->response.receiver = receiver;
		break;
	case NWG_MESSAGE_COOKIE_REPLY:
		message->reply.receiver = receiver;
		break;
	default:
		message->transport.receiver = receiver;
	}
}

static __le32 some_index(void)
{
	return cpu_to_le32(1 + test_random_below(INDICES));
}

/* An index of some session of a relay's, if it has one. @client: the client's, else the home's */
static __le32 some_session(unsigned int r, bool client)
{
	const struct flow *flow = &model[r].flow[test_random_below(FLOWS)];
	const struct session *session = flow->session;

	if (flow->used && flow->tries && test_random_below(2))
		session = &flow->tried;
	else if (flow->used && flow->sessions)
		session += test_random_below(flow->sessions);
	else
		return some_index();
	return client ? session->client : session->index;
}

static const size_t length[] = { 0, sizeof(struct nwg_message_initiation),
				 sizeof(struct nwg_message_response),
				 sizeof(struct nwg_message_cookie_reply),
				 sizeof(struct nwg_message_transport) + NWG_TAG_LEN };

/* The mac2 that a message has on its way to the home */
static void check_mac2(unsigned int r, struct flow *flow, struct nwg_flow *actual,
		       const struct nwg_datagram *datagram, bool shown)
{
	const struct nwg_macs *macs = datagram->message + datagram->len - sizeof(*macs);
	u8 mac2[NWG_MAC_LEN], expected[NWG_MAC_LEN] = { 0 };

	(void)r;
	nwg_flow_mac2(actual, datagram, mac2);
	if (shown || !flow->has_mac1 || seconds() - flow->mac1_second >= 2) {
		memcpy(flow->mac1, macs->mac1, sizeof(flow->mac1));
		flow->mac1_second = seconds();
		flow->has_mac1 = true;
	}
	if (flow->has_cookie && seconds() - flow->cookie_second >= NWG_COOKIE_USE)
		flow->has_cookie = false;
	if (shown && flow->has_cookie) {
		cookie_mac2_make(expected, datagram->message, datagram->len, flow->cookie);
		vouched++;
	}
	assert_memory_equal(mac2, expected, sizeof(mac2));
}

/* The relay gives a client a cookie. */
static void take_cookie(unsigned int r, unsigned int c,
			const struct nwg_message_cookie_reply *reply, const u8 mac1[NWG_MAC_LEN],
			__le32 receiver)
{
	struct model *m = &model[r];
	struct client *client = &m->client[c];

	assert_int_equal(nwg_message_classify(reply, sizeof(*reply)), NWG_MESSAGE_COOKIE_REPLY);
	assert_int_equal(reply->receiver, receiver);
	assert_true(cookie_reply_open(client->cookie, reply, mac1, &relays[r].params->keys));
	if (!m->epoch || ktime_get_coarse_boottime_ns() - m->epoch_ns >= 120 * NSEC_PER_SEC) {
		m->epoch++;
		m->epoch_ns = ktime_get_coarse_boottime_ns();
	}
	client->has_cookie = true;
	client->epoch = m->epoch;
}

/* How many allocations succeed: seldom not all */
static unsigned long some_memory(void)
{
	return test_random_below(64) ? ULONG_MAX :
				       test_random_below(FLOW_ALLOCATIONS + SOURCE_ALLOCATIONS);
}

static void client_sends(unsigned int r, unsigned int c)
{
	static const enum nwg_message_type types[] = {
		NWG_MESSAGE_INITIATION,	  NWG_MESSAGE_INITIATION, NWG_MESSAGE_RESPONSE,
		NWG_MESSAGE_COOKIE_REPLY, NWG_MESSAGE_TRANSPORT,  NWG_MESSAGE_TRANSPORT
	};
	const struct nwg_relay_config *config = config_of(r);
	const unsigned int whose = test_random_below(8) ? c : test_random_below(CLIENTS);
	const struct client *client = &model[r].client[whose];
	const unsigned long memory = some_memory();
	const bool right = test_random_below(16);
	const enum nwg_message_type type = types[test_random_below(ARRAY_SIZE(types))];
	unsigned int asks[USES] = { 0 }, use;
	enum nwg_relay_drop reason, expected;
	struct nwg_message_cookie_reply reply;
	struct nwg_datagram datagram;
	struct nwg_flow_key key;
	struct nwg_flow *actual;
	struct sk_buff skb = { 0 };
	bool shown = false;
	union message message;
	struct flow *flow;
	size_t len = length[type];
	__le32 index = some_session(r, false), sender = some_index();

	client_key(r, c, &key);
	flow = find(r, &key);
	if (flow && flow->home_asked && test_random_below(2))
		index = flow->home_sender;
	test_random_bytes(&message, sizeof(message));
	message.type = cpu_to_le32(type);
	set_indices(&message, sender, index);
	if (type == NWG_MESSAGE_INITIATION || type == NWG_MESSAGE_RESPONSE) {
		/* Without a cookie, with one of some client's, or with bytes that are of none */
		switch (test_random_below(4)) {
		case 0:
			cookie_macs_add(&message, len, &relays[r].params->keys, NULL);
			break;
		case 1:
			cookie_macs_add(&message, len, &relays[r].params->keys,
					(const u8 *)&message);
			break;
		default:
			cookie_macs_add(&message, len, &relays[r].params->keys,
					client->has_cookie ? client->cookie : NULL);
			shown = shows(r, whose, c);
		}
		if (!right)
			message.bytes[len - sizeof(struct nwg_macs)] ^= 1;
	}
	datagram = (struct nwg_datagram){ .type = type, .len = len, .message = &message };

	memset(asked, 0, sizeof(asked));
	for (use = 0; use < USES; use++)
		allows[use] = test_random_below(8);
	shim_allocations_left = memory;
	actual = nwg_flow_find(&relay_net.flows, &key);
	if (actual && !nwg_flow_usable(actual))
		actual = NULL;
	flow = find(r, &key);
	if (flow && !usable(r, flow))
		flow = NULL;
	assert_int_equal(!flow, !actual);
	reason = nwg_relay_gate(relays[r].params, &datagram);
	if (!reason)
		reason = nwg_relay_admit_client(&relays[r], relays[r].params, &skb, &datagram, &key,
						&actual);
	shim_allocations_left = ULONG_MAX;

	if (type <= NWG_MESSAGE_RESPONSE && config->has_responder && !right)
		expected = NWG_DROP_MAC1;
	else if (type == NWG_MESSAGE_INITIATION)
		expected = admit_initiation(r, flow, &key, sender, shown, memory, asks);
	else if (type == NWG_MESSAGE_TRANSPORT)
		expected = admit_data(r, flow, &key, index, memory, asks);
	else
		expected = flow && flow->home_asked && flow->home_sender == index ?
				   0 :
				   NWG_DROP_NO_FLOW;
	assert_int_equal(reason, expected);
	assert_memory_equal(asked, asks, sizeof(asks));
	seen[reason]++;
	if (reason == NWG_DROP_COOKIE) {
		assert_int_equal(type, NWG_MESSAGE_INITIATION);
		nwg_relay_cookie_reply(&relays[r], relays[r].params, &key, &datagram, &reply);
		take_cookie(r, c, &reply, message.initiation.macs.mac1, sender);
	}
	if (reason)
		return;
	assert_non_null(actual);
	flow = find(r, &key);
	if (type == NWG_MESSAGE_RESPONSE)
		note_session(r, flow, index, sender, memory);
	if (type <= NWG_MESSAGE_RESPONSE && config->has_responder)
		check_mac2(r, flow, actual, &datagram, shown);
	if (type == NWG_MESSAGE_TRANSPORT)
		count_data(flow, actual, test_random_below(16) ? 1 : 1024);
}

/* The home has given out a cookie. */
static void exchange_cookie(unsigned int r, struct flow *flow, struct nwg_flow *actual,
			    const struct nwg_message_cookie_reply *home,
			    const u8 cookie[NWG_COOKIE_LEN], bool answers)
{
	struct nwg_message_cookie_reply reply;
	struct nwg_flow_key key;
	unsigned int c;

	answers = answers && flow->has_mac1;
	assert_int_equal(nwg_flow_cookie_exchange(actual, relays[r].params, home, &reply), answers);
	if (!answers) {
		flow->ask = true;
		return;
	}
	flow->has_mac1 = false;
	flow->has_cookie = true;
	flow->cookie_second = seconds();
	memcpy(flow->cookie, cookie, NWG_COOKIE_LEN);
	for (c = 0; c < CLIENTS; c++) {
		client_key(r, c, &key);
		if (!memcmp(&key, &flow->key, sizeof(key)))
			break;
	}
	take_cookie(r, c, &reply, flow->mac1, home->receiver);
}

static void home_sends(unsigned int r)
{
	static const enum nwg_message_type types[] = { NWG_MESSAGE_INITIATION, NWG_MESSAGE_RESPONSE,
						       NWG_MESSAGE_RESPONSE,
						       NWG_MESSAGE_COOKIE_REPLY,
						       NWG_MESSAGE_TRANSPORT };
	const enum nwg_message_type type = types[test_random_below(ARRAY_SIZE(types))];
	const bool right = test_random_below(4);
	unsigned long memory = ULONG_MAX;
	u8 cookie[NWG_COOKIE_LEN], mac1[NWG_MAC_LEN];
	u8 nonce[NWG_COOKIE_NONCE_LEN];
	enum nwg_relay_drop reason, expected = 0;
	struct nwg_datagram datagram;
	struct nwg_flow *actual;
	struct flow *flow, *tried;
	union message message;

	flow = &model[r].flow[test_random_below(FLOWS)];
	if (!flow->used)
		return;
	actual = nwg_flow_find(&relay_net.flows, &flow->key);
	test_random_bytes(&message, sizeof(message));
	test_random_bytes(cookie, sizeof(cookie));
	test_random_bytes(nonce, sizeof(nonce));
	message.type = cpu_to_le32(type);
	if (type == NWG_MESSAGE_RESPONSE) {
		message.response.sender = some_index();
		message.response.receiver = flow->senders && test_random_below(2) ?
						    flow->sender[test_random_below(flow->senders)] :
						    some_index();
	} else if (type == NWG_MESSAGE_COOKIE_REPLY) {
		test_random_bytes(mac1, sizeof(mac1));
		cookie_reply_create(&message.reply, cookie, right ? flow->mac1 : mac1, some_index(),
				    nonce, &relays[r].params->keys);
	} else if (type == NWG_MESSAGE_TRANSPORT) {
		tried = flow->tries ? find_session(r, flow->tried.index) : NULL;
		if (tried && tried->sessions && test_random_below(2))
			message.transport.receiver =
				tried->session[test_random_below(tried->sessions)].client;
		else if (flow->tries && test_random_below(2))
			message.transport.receiver = flow->tried.client;
		else if (flow->sessions && test_random_below(2))
			message.transport.receiver = flow->session[0].client;
		else
			message.transport.receiver = some_index();
	} else {
		message.initiation.sender = some_index();
	}
	datagram = (struct nwg_datagram){ .type = type, .len = length[type], .message = &message };

	/* What moves a session has all it wants. */
	if (type == NWG_MESSAGE_RESPONSE)
		memory = some_memory();
	shim_allocations_left = memory;
	reason = nwg_relay_admit_home(actual, &datagram);
	shim_allocations_left = ULONG_MAX;
	if (!usable(r, flow)) {
		expected = NWG_DROP_NO_FLOW;
	} else if (type == NWG_MESSAGE_RESPONSE) {
		expected = answered(r, flow, &message.response, memory) ? 0 : NWG_DROP_NO_FLOW;
	} else if (type == NWG_MESSAGE_INITIATION) {
		flow->home_asked = true;
		flow->home_sender = message.initiation.sender;
	} else if (type == NWG_MESSAGE_TRANSPORT && flow->state != NWG_FLOW_ESTABLISHED) {
		expected = confirm(r, flow, message.transport.receiver) ? 0 : NWG_DROP_NO_FLOW;
	}
	assert_int_equal(reason, expected);
	seen[reason]++;
	if (reason)
		return;
	if (type != NWG_MESSAGE_INITIATION)
		flow->answered = now;
	if (type == NWG_MESSAGE_COOKIE_REPLY && config_of(r)->has_responder)
		exchange_cookie(r, flow, actual, &message.reply, cookie, right);
}

/* Another configuration, all of it or a part */
static void configure(unsigned int r)
{
	struct nwg_relay_params *params = kzalloc(sizeof(*params), GFP_KERNEL);
	struct nwg_relay_config *config = &params->config;

	if (relays[r].params)
		*params = *relays[r].params;
	config->max_flows = 1 + test_random_below(FLOWS);
	config->max_flows_per_source = 1 + test_random_below(test_random_below(2) ? 6 : FLOWS);
	set_limit(1 + test_random_below(RELAYS * FLOWS));
	/* Seldom, as it ends all flows. */
	if (!relays[r].params || !test_random_below(64)) {
		memset(&config->to, 0, sizeof(config->to));
		if (test_random_below(2))
			ipv6_addr_set_v4mapped(htonl(0xac1001fe), &config->to);
		else
			config->to.s6_addr32[0] = htonl(0xfd000000);
	}
	config->source = test_random_below(3);
	config->pool = config->to;
	config->pool.s6_addr[15] = 0xf8;
	config->pool_len = is_v4(&config->to) ? 29 : 125;
	config->has_responder = test_random_below(4);
	test_random_bytes(config->responder, sizeof(config->responder));
	cookie_keys_derive(&params->keys, config->responder);
	cookie_mac1_begin(&params->mac1, &params->keys);
	kfree(relays[r].params);
	relays[r].params = params;
	relays[r].pool_used_up = false;
}

static void start(unsigned int r)
{
	struct nwg_relay *relay = &relays[r];
	unsigned int state;

	relay->net = &relay_net;
	relay->dev = &dev;
	relay->foreign = true;
	relay->device = &device;
	relay->dead = relay->pressed = false;
	spin_lock_init(&relay->lock);
	nwg_relay_cookies_init(&relay->cookies);
	relay->cookies.secret_birth = 0;
	relay->cookies.strangers = 0;
	for (state = 0; state < NWG_FLOW_STATES; state++) {
		INIT_LIST_HEAD(&relay->flows[state]);
		relay->flow_count[state] = 0;
	}
	pressure_told[r] = false;
	pressure_changes[r] = 0;
	memset(&model[r], 0, sizeof(model[r]));
	model[r].second = model[r].pressed_until = now;
}

static void stop(unsigned int r)
{
	struct flow *flow;

	relays[r].dead = true;
	relays[r].expiry.pending = relays[r].relief.pending = false;
	nwg_flow_remove_all(&relays[r]);
	for (flow = model[r].flow; flow < model[r].flow + FLOWS; flow++)
		if (flow->used)
			end(r, flow, NWG_FLOW_END_REMOVED);
}

static void renumber(void)
{
	dev.address4.ifa_local = test_random_below(8) ? htonl(0xac1001f9 + test_random_below(4)) :
							0;
	socket_port = 40000 + test_random_below(64);
	/* What is seen a second later only is seen at once. */
	atomic_inc_return(&relay_net.flows.mappings_freed);
}

static void step(void)
{
	static const u64 times[] = {
		1, 5, HZ / 20, HZ, 2 * HZ, 5 * HZ, 15 * HZ, 115 * HZ, 120 * HZ
	};
	const unsigned int r = test_random_below(RELAYS), c = test_random_below(CLIENTS);
	unsigned int what = test_random_below(100), i;

	if (what < 50) {
		client_sends(r, c);
	} else if (what < 85) {
		home_sends(r);
	} else if (what < 97) {
		/* Mostly little */
		i = test_random_below(ARRAY_SIZE(times));
		pass_time(times[test_random_below(i + 1)]);
	} else if (what < 98) {
		renumber();
	} else if (what < 99) {
		configure(r);
	} else if (!test_random_below(50)) {
		stop(r);
		start(r);
	} else if (!test_random_below(10)) {
		/* A flood */
		for (i = 0; i < 300; i++)
			client_sends(r, test_random_below(CLIENTS));
	} else if (!test_random_below(40)) {
		pass_time(541 * HZ);
	}
	rcu_barrier();
}

static unsigned long objects;

static int begin(void **state)
{
	unsigned int r;

	(void)state;
	/* Not far from where times of 32 bits begin anew */
	jiffies = (1UL << 32) - 100000 * HZ;
	shim_boot = jiffies - 1000 * HZ;
	objects = shim_objects;
	told.count = expected.count = 0;
	assert_int_equal(nwg_flow_init(), 0);
	assert_int_equal(nwg_flow_tables_init(&relay_net.flows), 0);
	INIT_LIST_HEAD(&dev.address6.addr_list);
	list_add_tail(&address6.if_list, &dev.address6.addr_list);
	address6.addr.s6_addr32[0] = htonl(0xfd000000);
	address6.addr.s6_addr[15] = 0xf9;
	renumber();
	for (r = 0; r < RELAYS; r++) {
		start(r);
		configure(r);
	}
	return 0;
}

static int finish(void **state)
{
	unsigned int r;

	(void)state;
	for (r = 0; r < RELAYS; r++) {
		stop(r);
		kfree(relays[r].params);
		relays[r].params = NULL;
	}
	rcu_barrier();
	nwg_flow_tables_destroy(&relay_net.flows);
	nwg_flow_exit();
	assert_int_equal(shim_objects, objects);
	return 0;
}

static void test_flows(void **state)
{
	const char *wanted = getenv("NWG_STEPS");
	const u64 steps = wanted ? strtoull(wanted, NULL, 0) : STEPS;
	u64 i;

	(void)state;
	for (i = 0; i < steps; i++) {
		step();
		compare();
	}
	printf("# %llu steps; passed %llu, established %llu, vouched for %llu, relieved %llu, "
	       "asked at half %llu, past half %llu, full %llu; drops by reason:",
	       (unsigned long long)steps, (unsigned long long)seen[0],
	       (unsigned long long)established, (unsigned long long)vouched,
	       (unsigned long long)relieved, (unsigned long long)asked_at_half,
	       (unsigned long long)past_half, (unsigned long long)full);
	for (i = 1; i <= NWG_DROP_MAX; i++)
		printf(" %llu", (unsigned long long)seen[i]);
	printf("; ended by reason:");
	for (i = 1; i < ARRAY_SIZE(ended); i++)
		printf(" %llu", (unsigned long long)ended[i]);
	printf("\n");
	fflush(stdout);
	if (steps < 100000)
		return;
	assert_true(established && confirmed && vouched && relieved && asked_at_half && past_half &&
		    full);
	for (i = 1; i < ARRAY_SIZE(ended); i++)
		assert_true(ended[i]);
	assert_true(seen[NWG_DROP_MAC1] && seen[NWG_DROP_RATE] && seen[NWG_DROP_FLOW_LIMIT] &&
		    seen[NWG_DROP_NO_FLOW] && seen[NWG_DROP_NO_PORT] && seen[NWG_DROP_NO_ADDRESS] &&
		    seen[NWG_DROP_FAMILY] && seen[NWG_DROP_NO_MEMORY] && seen[NWG_DROP_COOKIE] &&
		    seen[NWG_DROP_SOURCE_LIMIT]);
}

/*
 * What follows is told, not made at random: client 0 has a session that it calls 1 and the home 11, and
 * somebody else is client 2.
 */

static struct nwg_flow *flow_of(unsigned int c)
{
	struct nwg_flow_key key;

	client_key(0, c, &key);
	return nwg_flow_find(&relay_net.flows, &key);
}

static enum nwg_relay_drop sends(unsigned int c, enum nwg_message_type type, u32 sender,
				 u32 receiver)
{
	union message message = { .type = cpu_to_le32(type) };
	const struct nwg_datagram datagram = { .type = type,
					       .len = length[type],
					       .message = &message };
	struct sk_buff skb = { 0 };
	struct nwg_flow_key key;
	struct nwg_flow *flow = flow_of(c);

	allows[NWG_RATELIMIT_RELAY] = allows[NWG_RATELIMIT_RELAY_SHOWN] = true;
	client_key(0, c, &key);
	set_indices(&message, cpu_to_le32(sender), cpu_to_le32(receiver));
	if (type != NWG_MESSAGE_TRANSPORT)
		cookie_macs_add(&message, length[type], &relays[0].params->keys, NULL);
	return nwg_relay_admit_client(&relays[0], relays[0].params, &skb, &datagram, &key, &flow);
}

static enum nwg_relay_drop gets(unsigned int c, enum nwg_message_type type, u32 sender,
				u32 receiver)
{
	union message message = { .type = cpu_to_le32(type) };
	const struct nwg_datagram datagram = { .type = type,
					       .len = length[type],
					       .message = &message };
	struct nwg_flow *flow = flow_of(c);

	assert_non_null(flow);
	set_indices(&message, cpu_to_le32(sender), cpu_to_le32(receiver));
	return nwg_relay_admit_home(flow, &datagram);
}

static int begin_story(void **state)
{
	struct nwg_relay_config *config;

	begin(state);
	relays[0].params->config = (struct nwg_relay_config){ .max_flows = 100,
							      .max_flows_per_source = 100,
							      .has_responder = true };
	config = &relays[0].params->config;
	ipv6_addr_set_v4mapped(htonl(0xac1001fe), &config->to);
	relays[1].params->config = *config;
	set_limit(100);
	dev.address4.ifa_local = htonl(0xac1001f9);
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 1, 0), 0);
	assert_int_equal(gets(0, NWG_MESSAGE_RESPONSE, 11, 1), 0);
	return 0;
}

static void assert_session_of(unsigned int c, u32 index)
{
	assert_non_null(flow_of(c));
	assert_ptr_equal(nwg_roam_find(&relays[0], cpu_to_le32(index)), flow_of(c));
}

static void assert_event(unsigned int number, unsigned int c, enum nwg_command what,
			 enum nwg_flow_state state, enum nwg_flow_end end)
{
	const struct event *event = &told.event[number];
	struct nwg_flow_key key;

	client_key(0, c, &key);
	assert_true(number < told.count);
	assert_memory_equal(&event->key, &key, sizeof(key));
	assert_int_equal(event->what, what);
	assert_int_equal(event->state, state);
	assert_int_equal(event->end, end);
}

static void test_roams(void **state)
{
	(void)state;
	told.count = 0;
	assert_int_equal(sends(2, NWG_MESSAGE_TRANSPORT, 0, 11), 0);
	assert_session_of(0, 11);
	assert_int_equal(gets(2, NWG_MESSAGE_TRANSPORT, 0, 1), 0);
	assert_session_of(2, 11);
	assert_null(flow_of(0));
	assert_int_equal(told.count, 3);
	assert_event(0, 2, NWG_CMD_FLOW_BEGIN_NTF, NWG_FLOW_TENTATIVE, NWG_FLOW_END_UNSPEC);
	assert_event(1, 0, NWG_CMD_FLOW_END_NTF, NWG_FLOW_ESTABLISHED, NWG_FLOW_END_REPLACED);
	assert_event(2, 2, NWG_CMD_FLOW_STATE_NTF, NWG_FLOW_ESTABLISHED, NWG_FLOW_END_UNSPEC);
}

/* Who has a session of its own with the home, of whatever index, does not come with another's. */
static void test_insider(void **state)
{
	(void)state;
	assert_int_equal(sends(2, NWG_MESSAGE_TRANSPORT, 0, 11), 0);
	/* What the home answers is forgotten by then. */
	assert_int_equal(sends(2, NWG_MESSAGE_INITIATION, 2, 0), 0);
	assert_int_equal(sends(2, NWG_MESSAGE_INITIATION, 3, 0), 0);
	assert_int_equal(sends(2, NWG_MESSAGE_INITIATION, 4, 0), 0);
	assert_int_equal(gets(2, NWG_MESSAGE_RESPONSE, 12, 2), NWG_DROP_NO_FLOW);
	assert_int_equal(gets(2, NWG_MESSAGE_INITIATION, 13, 0), 0);
	assert_int_equal(sends(2, NWG_MESSAGE_RESPONSE, 1, 13), 0);
	assert_int_equal(gets(2, NWG_MESSAGE_TRANSPORT, 0, 1), 0);
	assert_session_of(0, 11);
	assert_session_of(2, 13);
	assert_int_equal(flow_of(2)->state, NWG_FLOW_ESTABLISHED);
}

/* The home is away for a while, and answers then what came first: nobody is taken for a forger. */
static void test_outage(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 20; i < 30; i++) {
		pass_time(5 * HZ);
		assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, i, 0), 0);
	}
	assert_int_equal(gets(0, NWG_MESSAGE_RESPONSE, 40, 20), NWG_DROP_NO_FLOW);
	assert_false(flow_of(0)->ask);
	pass_time(5 * HZ);
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 30, 0), 0);
	assert_int_equal(gets(0, NWG_MESSAGE_RESPONSE, 41, 30), 0);
}

/* Who initiates in the client's name, and is answered, too, cannot have it forgotten that others do. */
static void test_forger_with_key(void **state)
{
	(void)state;
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 20, 0), 0);
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 50, 0), 0);
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 51, 0), 0);
	assert_int_equal(gets(0, NWG_MESSAGE_RESPONSE, 40, 20), NWG_DROP_NO_FLOW);
	assert_true(flow_of(0)->ask);
	assert_int_equal(gets(0, NWG_MESSAGE_RESPONSE, 41, 51), NWG_DROP_NO_FLOW);
	assert_true(flow_of(0)->ask);
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 52, 0), NWG_DROP_COOKIE);
	/* Without the responder's key nobody can be asked. */
	relays[0].params->config.has_responder = false;
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 53, 0), 0);
}

/*
 * Who is one too many of a source has nobody end, be it told so only when it is to get its flow: CPUs may
 * have let several through at the same time.
 */
static void test_source_full(void **state)
{
	struct nwg_relay_config *config = &relays[0].params->config;
	enum nwg_relay_drop reason = 0;
	struct nwg_flow_key key;
	unsigned int i;

	(void)state;
	config->max_flows_per_source = 3;
	assert_int_equal(sends(1, NWG_MESSAGE_INITIATION, 2, 0), NWG_DROP_COOKIE);
	config->has_responder = false;
	assert_int_equal(sends(1, NWG_MESSAGE_INITIATION, 2, 0), 0);
	assert_int_equal(sends(2, NWG_MESSAGE_TRANSPORT, 0, 11), 0);
	config->max_flows = 3;
	for (i = 0; i < 10; i++) {
		assert_int_equal(sends(4, NWG_MESSAGE_INITIATION, 3, 0), NWG_DROP_SOURCE_LIMIT);
		client_key(0, 4, &key);
		assert_null(nwg_flow_create(&relays[0], relays[0].params, &key, cpu_to_le32(3),
					    &reason));
		assert_int_equal(reason, NWG_DROP_SOURCE_LIMIT);
	}
	assert_int_equal(nwg_flow_total(&relays[0]), 3);
	/* Who is known is no new flow, and another source takes the place of who waits. */
	assert_int_equal(sends(0, NWG_MESSAGE_INITIATION, 5, 0), 0);
	assert_int_equal(sends(1, NWG_MESSAGE_INITIATION, 6, 0), 0);
	assert_int_equal(sends(3, NWG_MESSAGE_INITIATION, 7, 0), 0);
	assert_int_equal(nwg_flow_total(&relays[0]), 3);
	assert_non_null(flow_of(0));
	/* Who had to go was of the first source, which may have one more. */
	assert_int_equal(sends(4, NWG_MESSAGE_INITIATION, 8, 0), 0);
	assert_int_equal(sends(5, NWG_MESSAGE_INITIATION, 9, 0), NWG_DROP_SOURCE_LIMIT);
}

/* Where a source has all the flows that it may have, its clients may still go on from another port. */
static void test_full_source_moves(void **state)
{
	struct nwg_relay_config *config = &relays[0].params->config;
	enum nwg_relay_drop reason = 0;
	struct nwg_flow_key key;

	(void)state;
	config->max_flows_per_source = 2;
	config->has_responder = false;
	assert_int_equal(sends(1, NWG_MESSAGE_INITIATION, 2, 0), 0);
	config->has_responder = true;
	assert_int_equal(sends(4, NWG_MESSAGE_INITIATION, 3, 0), NWG_DROP_SOURCE_LIMIT);
	assert_int_equal(sends(2, NWG_MESSAGE_TRANSPORT, 0, 11), 0);
	assert_int_equal(gets(2, NWG_MESSAGE_TRANSPORT, 0, 1), 0);
	assert_session_of(2, 11);
	assert_null(flow_of(0));
	assert_int_equal(nwg_flow_total(&relays[0]), 2);

	/* Who comes from elsewhere has to show a cookie first. */
	assert_int_equal(sends(3, NWG_MESSAGE_INITIATION, 4, 0), 0);
	assert_int_equal(gets(3, NWG_MESSAGE_RESPONSE, 12, 4), 0);
	assert_int_equal(sends(4, NWG_MESSAGE_TRANSPORT, 0, 12), NWG_DROP_SOURCE_LIMIT);
	client_key(0, 4, &key);
	assert_null(nwg_flow_roam(&relays[0], relays[0].params, &key, cpu_to_le32(12), &reason));
	assert_int_equal(reason, NWG_DROP_SOURCE_LIMIT);

	/* Of as many as there can be, half are not none. */
	config->max_flows_per_source = U32_MAX;
	assert_int_equal(sends(4, NWG_MESSAGE_TRANSPORT, 0, 12), 0);
}

/* A home that goes on initiating to a client that has gone does not keep its flow. */
static void test_home_initiates(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 107; i++) {
		pass_time(5 * HZ);
		assert_int_equal(gets(0, NWG_MESSAGE_INITIATION, 100 + i, 0), 0);
	}
	pass_time(5 * HZ);
	assert_null(flow_of(0));
}

/* A flow for another client of a relay */
static enum nwg_relay_drop add(unsigned int r, unsigned int c)
{
	enum nwg_relay_drop reason = 0;
	struct nwg_flow_key key;

	client_key(r, c, &key);
	nwg_flow_create(&relays[r], relays[r].params, &key, cpu_to_le32(c), &reason);
	return reason;
}

static void assert_flows(unsigned int first, unsigned int second)
{
	assert_int_equal(nwg_flow_total(&relays[0]), first);
	assert_int_equal(nwg_flow_total(&relays[1]), second);
	assert_int_equal(relay_net.flows.quotas.reserved.counter, first + second);
}

/* Two relays share what the namespace may have, and no flow of one ends for one of the other. */
static void test_namespace_full(void **state)
{
	(void)state;
	set_limit(3);
	assert_int_equal(add(1, 1), 0);
	assert_int_equal(add(1, 2), 0);
	assert_int_equal(add(1, 3), 0);
	assert_flows(1, 2);
	assert_int_equal(add(0, 1), NWG_DROP_FLOW_LIMIT);
	assert_int_equal(sends(1, NWG_MESSAGE_INITIATION, 1, 0), NWG_DROP_COOKIE);
	set_limit(4);
	assert_int_equal(add(0, 1), 0);
	assert_flows(2, 2);
	/* Lowered: what the second relay can end is not enough. */
	set_limit(2);
	assert_int_equal(add(1, 1), NWG_DROP_FLOW_LIMIT);
	assert_flows(2, 0);
	assert_int_equal(add(0, 2), 0);
	assert_flows(2, 0);
	assert_non_null(flow_of(0));
	assert_null(flow_of(1));
	/* The relay's own limit is lower. */
	set_limit(10);
	relays[0].params->config.max_flows = 2;
	assert_int_equal(add(0, 3), 0);
	assert_flows(2, 0);
	relays[0].params->config.max_flows = 1;
	assert_int_equal(add(0, 4), NWG_DROP_FLOW_LIMIT);
	assert_flows(1, 0);
	/* Nothing is kept of what cannot be. */
	dev.address4.ifa_local = 0;
	assert_int_equal(add(1, 1), NWG_DROP_NO_ADDRESS);
	assert_flows(1, 0);
}

/* The default, of little memory, and what it may be set to */
static void test_limit(void **state)
{
	(void)state;
	*(unsigned int *)shim_param_max_flows.arg = 0;
	assert_int_equal(nwg_quota_init(), 0);
	assert_int_equal(limit(), 65536);
	nwg_quota_exit();
	assert_int_not_equal(shim_ops_max_flows->set("0", &shim_param_max_flows), 0);
	assert_int_not_equal(shim_ops_max_flows->set("2147483648", &shim_param_max_flows), 0);
	assert_int_equal(limit(), 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flows, begin, finish),
		cmocka_unit_test_setup_teardown(test_roams, begin_story, finish),
		cmocka_unit_test_setup_teardown(test_insider, begin_story, finish),
		cmocka_unit_test_setup_teardown(test_outage, begin_story, finish),
		cmocka_unit_test_setup_teardown(test_forger_with_key, begin_story, finish),
		cmocka_unit_test_setup_teardown(test_source_full, begin_story, finish),
		cmocka_unit_test_setup_teardown(test_full_source_moves, begin_story, finish),
		cmocka_unit_test_setup_teardown(test_home_initiates, begin_story, finish),
		cmocka_unit_test_setup_teardown(test_namespace_full, begin_story, finish),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests_name("flows", tests, test_random_setup, NULL);
}
