/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flows: the clients of the relays, and who each of them is inside the tunnel.
 *
 *	  initiation goes through            home answers it
 *	-------------------------->  NEW  ------------------->  ESTABLISHED
 *	                          15 s after the             540 s after the last
 *	                         last initiation             packet from the home
 *	                              |                           ^
 *	   data of a known session    v      home sends data      |
 *	------------------------> TENTATIVE ----------------------'
 *	                         15 s, likewise        (the client's flow of
 *	                                               before ends)
 *
 * A session of the two ends dies at 180 s and its keys at 540 s (white paper, section 6.3), so a
 * relay never breaks a session that they still hold.
 *
 * Addresses are struct in6_addr throughout, IPv4 as v4-mapped (RFC 4291, section 2.5.5.2).
 */
#ifndef _NWG_RELAY_FLOW_H
#define _NWG_RELAY_FLOW_H

#include <linux/atomic.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/rhashtable.h>

#include "../../uapi/nwg.h"
#include "counters.h"
#include "quota.h"
#include "roam.h"

#define NWG_FLOW_STATES (NWG_FLOW_TENTATIVE + 1)

struct dst_entry;
struct nwg_relay;
struct nwg_relay_params;

/**
 * struct nwg_flow_key - who a client is, and what it sends to
 * @client: its address
 * @local: own address that it sends to
 * @client_port: its port
 * @local_port: the relay's port
 * @scope: index of the interface that it is on, where an address is link-local, or where its relay has an
 *	ingress interface; else of the VRF, or 0
 */
struct nwg_flow_key {
	struct in6_addr client;
	struct in6_addr local;
	__be16 client_port;
	__be16 local_port;
	u32 scope;
};

/**
 * struct nwg_flow_mapping - who a client is inside the tunnel
 * @addr: own address that the home knows it by
 * @ifindex: index of the WireGuard interface
 * @port: port that the home knows it by
 * @zero: padding, which is hashed
 */
struct nwg_flow_mapping {
	struct in6_addr addr;
	u32 ifindex;
	__be16 port;
	u16 zero;
};

/**
 * struct nwg_flow_counters - traffic of one direction of a flow
 * @messages: datagrams sent on, by &enum nwg_message_type, less one
 * @bytes: their UDP payload
 * @drops: datagrams dropped
 *
 * Atomic, since several CPUs may carry one flow and nothing may be lost; no lock, and memory per
 * CPU would be too much for a million flows. A datagram that goes through touches two of them,
 * which share a cache line.
 */
struct nwg_flow_counters {
	atomic64_t messages[NWG_MESSAGE_TRANSPORT];
	atomic64_t bytes;
	atomic64_t drops;
};

/*
 * A moment in a flow's life: the low bits of jiffies, of which there may be a million flows' worth. Two
 * can be compared if they are less than 2^31 jiffies apart: with a thousand in a second, 24 days.
 */
typedef u32 nwg_moment;

static inline nwg_moment nwg_moment_now(void)
{
	return jiffies;
}

/* Jiffies from one moment to another; negative if that is earlier. */
static inline long nwg_moment_between(nwg_moment from, nwg_moment to)
{
	return (s32)(to - from);
}

/**
 * struct nwg_flow - a flow; its members are read under RCU
 * @client_node: in the table by @key
 * @mapping_node: in the table by @mapping
 * @key: who the client is; constant
 * @mapping: who it is inside the tunnel; constant
 * @relay: its relay; constant
 * @list: in @relay->flows, until it has left the tables; relay->lock
 * @state: &enum nwg_flow_state; written under relay->lock
 * @gone: it has left the tables; relay->lock
 * @mac1_valid: @mac1 is there and not answered by a cookie reply; relay->lock
 * @cookie_valid: @cookie is there; relay->lock
 * @home_asked: @home_sender is there; relay->lock
 * @roam_listed: bit by bit, which sessions of @roam are in the tables; relay->lock
 * @roam_oldest: which of them goes next; relay->lock
 * @tries: not established, and it is tried whether its client has another flow's session; relay->lock
 * @ask: others initiate in the client's name: no initiation passes that does not show a cookie, until
 *	the home has answered one, if its key is known; written under relay->lock
 * @sender_count: how many of @senders are set; relay->lock
 * @sender_second: when the newest came, the low bits of seconds of CLOCK_BOOTTIME; relay->lock
 * @crowded: one was forgotten, unanswered, sooner than a client initiates again; relay->lock
 * @initiated: there was one; relay->lock
 * @senders: sender indices of the client's last initiations that the home has not answered, newest
 *	first; relay->lock
 * @route_cookie: of @route (IPv6)
 * @route: route to the client, or NULL; RCU, replaced by xchg(), holds a reference
 * @created: when it was made, in seconds of CLOCK_BOOTTIME
 * @last_initiation: until it is established: when the client's last initiation came, or the first data
 *	of one that roamed; written under relay->lock
 * @roam_credit: from then on: until when those who show its sessions elsewhere are paid for; relay->lock
 * @initiation_credit: until when the client's initiations are paid for; relay->lock
 * @last_forward: when the client's last packet came; written by any CPU
 * @last_reverse: when the home's last packet came; written by any CPU
 * @mac1: of a handshake message sent to the home; relay->lock
 * @mac1_birth: when that was, in seconds of CLOCK_BOOTTIME; relay->lock
 * @cookie: what the home asks for under load; relay->lock
 * @cookie_birth: when it came, likewise; relay->lock
 * @roam: its sessions, by which its client is known elsewhere
 * @home_sender: sender index of the home's last handshake message; relay->lock
 * @counters: by &enum nwg_direction
 * @largest: largest UDP payload sent on, by &enum nwg_direction
 * @rcu: frees it then
 */
struct nwg_flow {
	struct rhash_head client_node;
	struct nwg_flow_key key __aligned(8);
	struct nwg_relay *relay;
	u8 state;
	u8 gone : 1;
	u8 mac1_valid : 1;
	u8 cookie_valid : 1;
	u8 home_asked : 1;
	u8 roam_listed : NWG_ROAM_SESSIONS;
	u8 roam_oldest : 1;
	u8 tries : 1;
	u8 sender_count : 2;
	u8 sender_second : 4;
	u8 crowded : 1;
	u8 initiated : 1;
	u8 ask;
	__le32 senders[2];
	u32 route_cookie;
	struct dst_entry __rcu *route;
	nwg_moment last_forward;
	nwg_moment last_reverse;

	struct rhash_head mapping_node;
	struct nwg_flow_mapping mapping __aligned(8);
	struct nwg_flow_counters counters[NWG_DIRECTIONS];
	u16 largest[NWG_DIRECTIONS];
	u32 created;

	union {
		struct list_head list;
		struct rcu_head rcu;
	};
	struct nwg_roam roam;
	__le32 home_sender;
	union {
		nwg_moment last_initiation;
		nwg_moment roam_credit;
	};
	nwg_moment initiation_credit;
	u8 mac1[NWG_MAC_LEN];
	u8 cookie[NWG_COOKIE_LEN];
	u16 mac1_birth;
	u16 cookie_birth;
};

/**
 * struct nwg_flow_tables - all flows of a network namespace
 * @by_client: by key; no two relays of a namespace share an address and port
 * @by_mapping: by mapping
 * @sessions: by what the home calls their clients' sessions
 * @quotas: how many they are
 * @mappings_freed: counts those that have ended, of relays that give out addresses that are not this machine's
 *
 * Clients choose their keys, so @by_client is hashed with a secret (siphash) and nobody can aim at
 * one bucket.
 */
struct nwg_flow_tables {
	struct rhashtable by_client;
	struct rhashtable by_mapping;
	struct nwg_roam_tables sessions;
	struct nwg_quotas quotas;
	atomic_t mappings_freed;
};

int nwg_flow_tables_init(struct nwg_flow_tables *tables);

/* Context: process; there is no flow any more, and a grace period has passed since there was. */
void nwg_flow_tables_destroy(struct nwg_flow_tables *tables);

/**
 * nwg_flow_find - find the flow of a client
 * @tables: the namespace's flows
 * @key: the client
 *
 * Context: RCU read section.
 * Return: the flow, which may have expired, valid until the end of the section; or NULL.
 */
struct nwg_flow *nwg_flow_find(struct nwg_flow_tables *tables, const struct nwg_flow_key *key);

/* Jiffies until a flow ends unless a packet prolongs it; 0 or less if its time is up. */
long nwg_flow_left(const struct nwg_flow *flow);

/*
 * Whether others initiate in the name of a flow's client, so that each initiation has to show a cookie.
 * Context: RCU read section.
 */
bool nwg_flow_asks(const struct nwg_flow *flow);

/*
 * Whether packets may still go through a flow: its time may be up, or the inner endpoint may have moved
 * to the other address family. Context: RCU read section.
 */
bool nwg_flow_usable(const struct nwg_flow *flow);

/**
 * nwg_flow_siblings - how many flows the source of a client has besides the client's own
 * @relay: the relay
 * @key: the client
 *
 * The client's own is not counted where it cannot be used any more, either: it makes way for a new one.
 *
 * Context: RCU read section.
 */
u32 nwg_flow_siblings(struct nwg_relay *relay, const struct nwg_flow_key *key);

/**
 * nwg_flow_create - make a flow for a client whose initiation is admitted
 * @relay: the relay
 * @params: its configuration
 * @key: the client
 * @sender: sender index of the initiation
 * @reason: written if there is none
 *
 * At the relay's limit, or its namespace's, the relay's new flow that has waited longest for its answer
 * has to go; established ones never do. For a source that is at its limit none goes, and there is none.
 *
 * Context: RCU read section with BH off.
 * Return: the flow (which another CPU may have made meanwhile); or NULL.
 */
struct nwg_flow *nwg_flow_create(struct nwg_relay *relay, const struct nwg_relay_params *params,
				 const struct nwg_flow_key *key, __le32 sender,
				 enum nwg_relay_drop *reason);

/**
 * nwg_flow_roam_limit - how many flows the source of a client may have besides, if it goes on with a session
 * @relay: the relay
 * @params: its configuration
 * @key: the client, as it is now
 * @known: the flow that it has had so far
 *
 * Within one source a client may always move: its flow of before goes. From elsewhere, it has no part in what
 * is for those who show a cookie, as it has not shown that it is where it says it is.
 *
 * Context: RCU read section.
 */
u32 nwg_flow_roam_limit(const struct nwg_relay *relay, const struct nwg_relay_params *params,
			const struct nwg_flow_key *key, const struct nwg_flow *known);

/**
 * nwg_flow_roam - make a tentative flow for a client that goes on with a session from elsewhere
 * @relay: the relay
 * @params: its configuration
 * @key: the client, as it is now
 * @index: the home's receiver index, by which a flow of the relay is found
 * @reason: written if there is none
 *
 * A forged message costs as much as that, and moves nothing: the client's flow stays until the home
 * has answered on the new one's mapping in that session, which it does only after it has authenticated
 * what came. For one session there are few of them, at once and in a second.
 *
 * Context: RCU read section with BH off.
 * Return: as nwg_flow_create().
 */
struct nwg_flow *nwg_flow_roam(struct nwg_relay *relay, const struct nwg_relay_params *params,
			       const struct nwg_flow_key *key, __le32 index,
			       enum nwg_relay_drop *reason);

/**
 * nwg_flow_tries - data come on a flow that is not established
 * @flow: the flow, new or tentative
 * @index: the home's receiver index
 *
 * On a new one, the client has begun a handshake where it is now, and goes on with its session as well.
 *
 * Context: RCU read section with BH off.
 * Return: 0 if they may be sent on, of which there is a limit; otherwise why not.
 */
enum nwg_relay_drop nwg_flow_tries(struct nwg_flow *flow, __le32 index);

/**
 * nwg_flow_confirm - the home has sent data to a flow that is not established
 * @flow: the flow
 * @client: the client's receiver index
 *
 * If it is of the session that is tried, or of one that the home began on this flow, the flow is
 * established. In the first case, and if nobody has begun a handshake here, the one that its client had
 * before ends: to one with whom it had a handshake here the home may send in any other session, of
 * which the receiver's index is whatever the receiver has chosen.
 *
 * Context: RCU read section with BH off.
 * Return: whether the session is the flow's, or it is established by now. If not, the data are for whom the home
 * knew by this mapping before.
 */
bool nwg_flow_confirm(struct nwg_flow *flow, __le32 client);

/**
 * nwg_flow_initiated - note an initiation of a client that has a flow
 * @flow: the flow
 * @sender: sender index of the initiation
 * @admitted: it need not be paid from the client's own allowance
 *
 * Context: RCU read section with BH off.
 * Return: 0; -EBUSY if an established flow's client initiates faster than it may, or is to be asked
 * for a cookie; or -ENOENT if the flow has ended meanwhile: then it is not noted.
 */
int nwg_flow_initiated(struct nwg_flow *flow, __le32 sender, bool admitted);

/**
 * nwg_flow_answered - note a response of the home
 * @flow: the flow
 * @response: the response
 *
 * Context: RCU read section with BH off.
 * Return: whether it answers an initiation of the client's.
 */
bool nwg_flow_answered(struct nwg_flow *flow, const struct nwg_message_response *response);

/* Note an initiation of the home. @sender: its sender index. Context: BH off. */
void nwg_flow_home_initiated(struct nwg_flow *flow, __le32 sender);

/**
 * nwg_flow_answers - whether a client answers the home's last handshake message
 * @flow: the flow
 * @receiver: receiver index of its response or cookie reply
 * @response: the response, which makes a session; NULL if it is a cookie reply
 *
 * Context: RCU read section with BH off.
 */
bool nwg_flow_answers(struct nwg_flow *flow, __le32 receiver,
		      const struct nwg_message_response *response);

/* UDP payload that goes through the tunnel whole, 0 if there is none. Context: RCU read section. */
unsigned int nwg_flow_whole(const struct nwg_flow *flow);

/*
 * Count a datagram that was sent on, and if it is the first of the flow that does not go through the tunnel
 * whole, tell that. @len: UDP payload. Context: RCU read section with BH off.
 */
void nwg_flow_count(struct nwg_flow *flow, enum nwg_direction direction, enum nwg_message_type type,
		    unsigned int len);

/* Count a datagram that was dropped. Context: any. */
void nwg_flow_count_drop(struct nwg_flow *flow, enum nwg_direction direction);

/* Read what a flow counted. Context: any. */
void nwg_flow_read_counters(const struct nwg_flow *flow, enum nwg_direction direction,
			    struct nwg_counter_sums *sums);

/* How many flows a relay has. Context: any. */
unsigned int nwg_flow_total(const struct nwg_relay *relay);

/* Remove all flows of a relay that is dead. Context: process. */
void nwg_flow_remove_all(struct nwg_relay *relay);

/* Work function of relay->expiry. */
void nwg_flow_expiry_work(struct work_struct *work);

/* Hash function of tables whose keys anybody may choose: with a secret. Context: any. */
u32 nwg_flow_hash(const void *data, u32 len, u32 seed);

int nwg_flow_init(void);
void nwg_flow_exit(void);

#endif /* _NWG_RELAY_FLOW_H */
