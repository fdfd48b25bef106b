/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink family "nwg": WireGuard interfaces of link kind "nwg" and the nested relays
 * that run over them. An interface made as kind "wireguard" by nwg (see NWG_DROP_IN_NAME) is one, too.
 *
 * Integers are in host byte order unless a name or comment says otherwise; IP addresses are in
 * network byte order. A key is 32 raw bytes. A 64-bit attribute is aligned by a preceding attribute
 * of type *_A_PAD. A command refuses attributes that it does not use. Every refusal but those for
 * lack of CAP_NET_ADMIN or of memory carries an extended-ack message that names the object and the
 * rule (NETLINK_EXT_ACK). That of a dump has the text alone on Linux 6.1, which names the attribute,
 * unless it broke the policy. In family "wireguard", a GET_DEVICE that finds no interface has none
 * there. Reading and writing both need CAP_NET_ADMIN in the user namespace that
 * owns the interface's network namespace.
 *
 * nwg.yaml has the same in the form of the kernel's netlink specs.
 */
#ifndef _UAPI_NWG_H
#define _UAPI_NWG_H

#define NWG_GENL_NAME "nwg"
#define NWG_GENL_VERSION 1

/* The rtnetlink link kind: "ip link add NAME type nwg". */
#define NWG_LINK_KIND "nwg"

/*
 * Link kind and generic netlink family of the stock module. Loaded with drop_in=1, nwg serves both:
 * the kind makes the same interface, the family has the first two commands, and no events: those of
 * family "nwg" are of all interfaces. As the stock module's, it ignores what is read only, what is not of
 * the command and an ENDPOINT that is neither struct.
 */
#define NWG_DROP_IN_NAME "wireguard"

#define NWG_KEY_LEN 32

/*
 * Flows of a relay unless said otherwise: some 1.3 MB, and more clients than a home's uplink feeds.
 */
#define NWG_RELAY_DEFAULT_MAX_FLOWS 4096

/*
 * Flows of a source unless said otherwise: a carrier's NAT may have many clients behind one address, and
 * it takes sixteen such sources to fill the relay.
 */
#define NWG_RELAY_DEFAULT_MAX_FLOWS_PER_SOURCE 256

/*
 * The multicast group of events, which are the commands NWG_CMD_*_NTF: what happens to the interfaces and
 * relays of the network namespace of the socket. Joining it needs CAP_NET_ADMIN in the user namespace that
 * owns that. Those of one relay come in the order in which they happened; each has what a dump would have
 * told at that moment, so that the datagram which brought it about is not counted yet. Of a listener that
 * misses one, as its socket is full or memory short, the next recv() ends with ENOBUFS: a dump tells what
 * is so then.
 */
#define NWG_MCGRP_EVENTS "events"

/**
 * enum nwg_command - commands of the family
 * @NWG_CMD_GET_DEVICE: dump one interface, named by %NWG_DEVICE_A_IFINDEX or
 *	%NWG_DEVICE_A_IFNAME. The peers of a large interface span several messages; a peer whose
 *	allowed IPs do not fit is repeated with the rest of them.
 * @NWG_CMD_SET_DEVICE: change one interface; a request that is refused changes nothing, only lack
 *	of memory, and of room for a peer in an interface of 1,048,576, can end it half-way
 * @NWG_CMD_RELAY_NEW: add a relay (-EEXIST if one listens on the same interface, address and port,
 *	-EADDRINUSE if a socket does)
 * @NWG_CMD_RELAY_SET: change a relay, named by its listening interface, address and port; flows are
 *	kept
 * @NWG_CMD_RELAY_DEL: remove a relay, named by its listening interface, address and port, and its
 *	flows
 * @NWG_CMD_RELAY_GET: dump the relays of the network namespace, or of one interface if one is named
 * @NWG_CMD_FLOW_GET: dump flows of the network namespace; an interface, or where a relay
 *	listens, narrows it
 * @NWG_CMD_RELAY_NEW_NTF: event: a relay was made
 * @NWG_CMD_RELAY_SET_NTF: event: a relay was changed, or its interface has its peer now, or no more
 * @NWG_CMD_RELAY_DEL_NTF: event: a relay was removed, by itself, with its interface, or as that goes to
 *	another network namespace. (With its namespace it goes without being heard: one in which somebody
 *	listens does not end.) Its flows have ended before.
 * @NWG_CMD_RELAY_PRESSURE_NTF: event: pressure on a relay begins or ends. Not sent where it ends because
 *	the relay does.
 * @NWG_CMD_FLOW_BEGIN_NTF: event: a flow was made
 * @NWG_CMD_FLOW_STATE_NTF: event: a flow has another state: the home has answered, and it is established
 * @NWG_CMD_FLOW_MTU_NTF: event: a flow's first datagram, of either end, was sent on that the relay's tunnel
 *	does not take whole; MTU is what both ends should have
 * @NWG_CMD_FLOW_END_NTF: event: a flow has ended; STATE and EXPIRES are as they were
 * @NWG_CMD_PEER_HANDSHAKE_NTF: event: a handshake with a peer is complete. Attributes of GET_DEVICE: the
 *	interface, and in PEERS the peer, without preshared key and allowed IPs.
 *
 * The numbers of the first two are those of the "wireguard" family.
 */
enum nwg_command {
	NWG_CMD_GET_DEVICE,
	NWG_CMD_SET_DEVICE,
	NWG_CMD_RELAY_NEW,
	NWG_CMD_RELAY_SET,
	NWG_CMD_RELAY_DEL,
	NWG_CMD_RELAY_GET,
	NWG_CMD_FLOW_GET,
	NWG_CMD_RELAY_NEW_NTF,
	NWG_CMD_RELAY_SET_NTF,
	NWG_CMD_RELAY_DEL_NTF,
	NWG_CMD_RELAY_PRESSURE_NTF,
	NWG_CMD_FLOW_BEGIN_NTF,
	NWG_CMD_FLOW_STATE_NTF,
	NWG_CMD_FLOW_MTU_NTF,
	NWG_CMD_FLOW_END_NTF,
	NWG_CMD_PEER_HANDSHAKE_NTF,
	__NWG_CMD_MAX
};

#define NWG_CMD_MAX (__NWG_CMD_MAX - 1)

/*
 * Values of %NWG_DEVICE_A_FLAGS: first drop all peers; those that the request names are made anew.
 */
enum nwg_device_flag {
	NWG_DEVICE_F_REPLACE_PEERS = 1U << 0,
};

/**
 * enum nwg_device_attribute - attributes of GET_DEVICE and SET_DEVICE, numbered as in the
 * "wireguard" family
 * @NWG_DEVICE_A_IFINDEX: u32; this or IFNAME names the interface, not both
 * @NWG_DEVICE_A_IFNAME: string, at most IFNAMSIZ - 1 characters
 * @NWG_DEVICE_A_PRIVATE_KEY: key; all zeroes removes it
 * @NWG_DEVICE_A_PUBLIC_KEY: key; read only
 * @NWG_DEVICE_A_FLAGS: u32, &enum nwg_device_flag; write only
 * @NWG_DEVICE_A_LISTEN_PORT: u16; 0 lets the kernel choose
 * @NWG_DEVICE_A_FWMARK: u32; 0 for none
 * @NWG_DEVICE_A_PEERS: nest of nests of &enum nwg_peer_attribute
 */
enum nwg_device_attribute {
	NWG_DEVICE_A_UNSPEC,
	NWG_DEVICE_A_IFINDEX,
	NWG_DEVICE_A_IFNAME,
	NWG_DEVICE_A_PRIVATE_KEY,
	NWG_DEVICE_A_PUBLIC_KEY,
	NWG_DEVICE_A_FLAGS,
	NWG_DEVICE_A_LISTEN_PORT,
	NWG_DEVICE_A_FWMARK,
	NWG_DEVICE_A_PEERS,
	__NWG_DEVICE_A_LAST
};

#define NWG_DEVICE_A_MAX (__NWG_DEVICE_A_LAST - 1)

/* Values of %NWG_PEER_A_FLAGS. */
enum nwg_peer_flag {
	NWG_PEER_F_REMOVE_ME = 1U << 0, /* remove this peer */
	NWG_PEER_F_REPLACE_ALLOWEDIPS =
		1U << 1, /* drop the allowed IPs that this request does not name */
	NWG_PEER_F_UPDATE_ONLY = 1U << 2, /* do nothing if there is no such peer */
};

/**
 * enum nwg_peer_attribute - attributes of a peer, numbered as in the "wireguard" family
 * @NWG_PEER_A_PUBLIC_KEY: key; names the peer
 * @NWG_PEER_A_PRESHARED_KEY: key; all zeroes removes it
 * @NWG_PEER_A_FLAGS: u32, &enum nwg_peer_flag; write only
 * @NWG_PEER_A_ENDPOINT: struct sockaddr_in or struct sockaddr_in6
 * @NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL: u16, seconds; 0 is off
 * @NWG_PEER_A_LAST_HANDSHAKE_TIME: struct __kernel_timespec, CLOCK_REALTIME; read only
 * @NWG_PEER_A_RX_BYTES: u64, UDP payload bytes; read only
 * @NWG_PEER_A_TX_BYTES: u64, UDP payload bytes; read only
 * @NWG_PEER_A_ALLOWEDIPS: nest of nests of &enum nwg_allowedip_attribute
 * @NWG_PEER_A_PROTOCOL_VERSION: u32; must be 1 if given
 * @NWG_PEER_A_PAD: padding
 */
enum nwg_peer_attribute {
	NWG_PEER_A_UNSPEC,
	NWG_PEER_A_PUBLIC_KEY,
	NWG_PEER_A_PRESHARED_KEY,
	NWG_PEER_A_FLAGS,
	NWG_PEER_A_ENDPOINT,
	NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
	NWG_PEER_A_LAST_HANDSHAKE_TIME,
	NWG_PEER_A_RX_BYTES,
	NWG_PEER_A_TX_BYTES,
	NWG_PEER_A_ALLOWEDIPS,
	NWG_PEER_A_PROTOCOL_VERSION,
	__NWG_PEER_A_LAST
};

#define NWG_PEER_A_PAD NWG_PEER_A_UNSPEC
#define NWG_PEER_A_MAX (__NWG_PEER_A_LAST - 1)

/* Values of %NWG_ALLOWEDIP_A_FLAGS: take the prefix from this peer, if it has it. */
enum nwg_allowedip_flag {
	NWG_ALLOWEDIP_F_REMOVE_ME = 1U << 0,
};

/**
 * enum nwg_allowedip_attribute - attributes of one allowed IP prefix, numbered as in the
 * "wireguard" family
 * @NWG_ALLOWEDIP_A_FAMILY: u16, AF_INET or AF_INET6
 * @NWG_ALLOWEDIP_A_IPADDR: struct in_addr or struct in6_addr
 * @NWG_ALLOWEDIP_A_CIDR_MASK: u8, prefix length
 * @NWG_ALLOWEDIP_A_FLAGS: u32, &enum nwg_allowedip_flag; write only
 */
enum nwg_allowedip_attribute {
	NWG_ALLOWEDIP_A_UNSPEC,
	NWG_ALLOWEDIP_A_FAMILY,
	NWG_ALLOWEDIP_A_IPADDR,
	NWG_ALLOWEDIP_A_CIDR_MASK,
	NWG_ALLOWEDIP_A_FLAGS,
	__NWG_ALLOWEDIP_A_LAST
};

#define NWG_ALLOWEDIP_A_MAX (__NWG_ALLOWEDIP_A_LAST - 1)

/**
 * enum nwg_relay_source - who a client is to the home
 * @NWG_SOURCE_MASQUERADE: the interface's address, with a port of its own
 * @NWG_SOURCE_POOL: an address of its own from a prefix, which the home has to route back; while there
 *	are enough of them the same for the same address of a client. The port is 51820.
 * @NWG_SOURCE_TRANSPARENT: itself, with its own address and port, which the home has to route back;
 *	only for clients of TO's address family
 */
enum nwg_relay_source {
	NWG_SOURCE_MASQUERADE,
	NWG_SOURCE_POOL,
	NWG_SOURCE_TRANSPARENT,
};

/**
 * enum nwg_relay_attribute - attributes of the RELAY_* commands and events
 * @NWG_RELAY_A_IFINDEX: u32; the interface, of nwg or of the stock module. This or IFNAME; both are
 *	sent by the kernel.
 * @NWG_RELAY_A_IFNAME: string
 * @NWG_RELAY_A_LISTEN_PORT: u16; UDP port, not 0. With LISTEN_IP4 or LISTEN_IP6 and LISTEN_IFINDEX it
 *	names the relay.
 * @NWG_RELAY_A_LISTEN_IP4: __be32; listen on this address only. Without it and without
 *	LISTEN_IP6: on all, v4 and v6.
 * @NWG_RELAY_A_LISTEN_IP6: struct in6_addr; likewise
 * @NWG_RELAY_A_PEER: key; the peer that clients are relayed to. Over an interface of the stock module
 *	it is not looked at: there the peer is whose allowed IPs the inner endpoint lies in.
 * @NWG_RELAY_A_TO_IP4: __be32; the inner endpoint, which must lie in the peer's allowed IPs.
 *	This or TO_IP6.
 * @NWG_RELAY_A_TO_IP6: struct in6_addr; likewise
 * @NWG_RELAY_A_TO_PORT: u16; UDP port of the inner endpoint, not 0
 * @NWG_RELAY_A_RESPONDER: key of the inner responder, by which mac1 is checked; all zeroes in
 *	RELAY_SET: check no more
 * @NWG_RELAY_A_MAX_FLOWS: u32; flows that the relay may hold at once, not 0
 * @NWG_RELAY_A_FLOWS_NEW: u32; flows in state &NWG_FLOW_NEW; read only
 * @NWG_RELAY_A_FLOWS_ESTABLISHED: u32; flows in state &NWG_FLOW_ESTABLISHED; read only
 * @NWG_RELAY_A_FORWARD: nest of &enum nwg_counter_attribute, client to home; read only
 * @NWG_RELAY_A_REVERSE: likewise, home to client; read only
 * @NWG_RELAY_A_FORWARD_DROPS: nest of u64, packets by &enum nwg_relay_drop; those that are 0
 *	are left out; read only
 * @NWG_RELAY_A_REVERSE_DROPS: likewise
 * @NWG_RELAY_A_PEER_PRESENT: u8; 1 if the interface has the peer now, 0 if the relay waits for
 *	it; absent over an interface of the stock module, which does not tell; read only
 * @NWG_RELAY_A_FLOWS_TENTATIVE: u32; flows in state &NWG_FLOW_TENTATIVE; read only
 * @NWG_RELAY_A_SOURCE: u32, &enum nwg_relay_source; masquerade unless said otherwise. For new flows
 *	only: who is known stays what it is to the home.
 * @NWG_RELAY_A_POOL_IP4: __be32; prefix of the pool, of TO's family. With SOURCE, which is
 *	%NWG_SOURCE_POOL; this or POOL_IP6, and POOL_LEN
 * @NWG_RELAY_A_POOL_IP6: struct in6_addr; likewise
 * @NWG_RELAY_A_POOL_LEN: u8, length of the prefix in bits
 * @NWG_RELAY_A_PRESSED: u8; 1 under pressure: more than 64 strangers have initiated in a second, or one
 *	while 7 of 8 flows were in use, of the relay, of its network namespace or of those that its pool has
 *	addresses for, or no address of the pool was free; and that is not over.
 *	With RESPONDER, they have to show a cookie.
 *	Read only.
 * @NWG_RELAY_A_MAX_FLOWS_PER_SOURCE: u32; flows that clients of one IPv4 address or IPv6 /64 may have at
 *	once, not 0
 * @NWG_RELAY_A_LISTEN_IFINDEX: u32; listen only to what comes in on this interface, or on one of this
 *	VRF, and answer out of it. The relay ends with it. Absent or 0: on all, VRFs only where
 *	net.ipv4.udp_l3mdev_accept is 1.
 * @NWG_RELAY_A_PAD: padding
 */
enum nwg_relay_attribute {
	NWG_RELAY_A_UNSPEC,
	NWG_RELAY_A_PAD,
	NWG_RELAY_A_IFINDEX,
	NWG_RELAY_A_IFNAME,
	NWG_RELAY_A_LISTEN_PORT,
	NWG_RELAY_A_LISTEN_IP4,
	NWG_RELAY_A_LISTEN_IP6,
	NWG_RELAY_A_PEER,
	NWG_RELAY_A_TO_IP4,
	NWG_RELAY_A_TO_IP6,
	NWG_RELAY_A_TO_PORT,
	NWG_RELAY_A_RESPONDER,
	NWG_RELAY_A_MAX_FLOWS,
	NWG_RELAY_A_FLOWS_NEW,
	NWG_RELAY_A_FLOWS_ESTABLISHED,
	NWG_RELAY_A_FORWARD,
	NWG_RELAY_A_REVERSE,
	NWG_RELAY_A_FORWARD_DROPS,
	NWG_RELAY_A_REVERSE_DROPS,
	NWG_RELAY_A_PEER_PRESENT,
	NWG_RELAY_A_FLOWS_TENTATIVE,
	NWG_RELAY_A_SOURCE,
	NWG_RELAY_A_POOL_IP4,
	NWG_RELAY_A_POOL_IP6,
	NWG_RELAY_A_POOL_LEN,
	NWG_RELAY_A_PRESSED,
	NWG_RELAY_A_MAX_FLOWS_PER_SOURCE,
	NWG_RELAY_A_LISTEN_IFINDEX,
	__NWG_RELAY_A_LAST
};

#define NWG_RELAY_A_MAX (__NWG_RELAY_A_LAST - 1)

/**
 * enum nwg_counter_attribute - traffic of one direction of a relay or of a flow; all u64
 * @NWG_COUNTER_A_PACKETS: datagrams that arrived
 * @NWG_COUNTER_A_BYTES: their UDP payload; of a relay only
 * @NWG_COUNTER_A_FORWARDED_PACKETS: of these, sent on. PACKETS = FORWARDED_PACKETS + the sum
 *	of the direction's drops.
 * @NWG_COUNTER_A_FORWARDED_BYTES: their UDP payload
 * @NWG_COUNTER_A_INITIATIONS: of those sent on, handshake initiations
 * @NWG_COUNTER_A_RESPONSES: handshake responses
 * @NWG_COUNTER_A_COOKIE_REPLIES: cookie replies
 * @NWG_COUNTER_A_TRANSPORTS: transport data messages
 * @NWG_COUNTER_A_LARGEST: largest UDP payload sent on, bytes
 * @NWG_COUNTER_A_FRAGMENTED: of those sent on, in fragments, as they were larger than the way there
 *	takes; of a relay only
 * @NWG_COUNTER_A_PAD: padding
 */
enum nwg_counter_attribute {
	NWG_COUNTER_A_UNSPEC,
	NWG_COUNTER_A_PAD,
	NWG_COUNTER_A_PACKETS,
	NWG_COUNTER_A_BYTES,
	NWG_COUNTER_A_FORWARDED_PACKETS,
	NWG_COUNTER_A_FORWARDED_BYTES,
	NWG_COUNTER_A_INITIATIONS,
	NWG_COUNTER_A_RESPONSES,
	NWG_COUNTER_A_COOKIE_REPLIES,
	NWG_COUNTER_A_TRANSPORTS,
	NWG_COUNTER_A_LARGEST,
	NWG_COUNTER_A_FRAGMENTED,
	__NWG_COUNTER_A_LAST
};

#define NWG_COUNTER_A_MAX (__NWG_COUNTER_A_LAST - 1)

/**
 * enum nwg_relay_drop - why a relay did not send a datagram on
 * @NWG_DROP_SHAPE: no WireGuard message: unknown type, wrong length, or non-zero reserved bytes
 * @NWG_DROP_MAC1: mac1 of an initiation or a response is not the responder's
 * @NWG_DROP_RATE: the source sends initiations faster than it may, or more data than a client may that
 *	has roamed, before the home answers, or its session is shown in too many places
 * @NWG_DROP_FLOW_LIMIT: the relay holds as many flows as it may, or all relays of its network namespace
 *	do together (the module's parameter max_flows)
 * @NWG_DROP_NO_FLOW: not an initiation, and from no known client, nor of the session of one; or from
 *	the home to a mapping that is gone, or to who has it now, before it has answered them; or from either
 *	side, and answers nothing
 * @NWG_DROP_NO_PORT: no free source port inside the tunnel; or with a transparent source, another flow
 *	has it
 * @NWG_DROP_NO_ADDRESS: the interface has no address of the family to send from inside the tunnel; or
 *	the pool has none left
 * @NWG_DROP_FAMILY: client and inner endpoint are of different address families, and the source is
 *	transparent, or the datagram too long for IPv4
 * @NWG_DROP_TTL: TTL or hop limit used up
 * @NWG_DROP_NO_PEER: the interface does not have the relay's peer at present, or is down; or is the stock
 *	module's, and has no peer for the inner endpoint, no endpoint of it, or an MTU of less than 68 bytes (IPv4)
 * @NWG_DROP_NO_ROUTE: no route to the client
 * @NWG_DROP_MALFORMED: broken IP or UDP header or checksum
 * @NWG_DROP_NO_MEMORY: out of memory
 * @NWG_DROP_COOKIE: an initiation that shows no cookie, under pressure, of a source that has sent too
 *	many, or of one that has half of the flows that it may have: it was answered with one; or a
 *	cookie reply of the home that answers nothing
 * @NWG_DROP_SOURCE_LIMIT: the client's IPv4 address or IPv6 /64 has as many flows as it may
 * @NWG_DROP_PAD: padding
 */
enum nwg_relay_drop {
	NWG_DROP_UNSPEC,
	NWG_DROP_PAD,
	NWG_DROP_SHAPE,
	NWG_DROP_MAC1,
	NWG_DROP_RATE,
	NWG_DROP_FLOW_LIMIT,
	NWG_DROP_NO_FLOW,
	NWG_DROP_NO_PORT,
	NWG_DROP_NO_ADDRESS,
	NWG_DROP_FAMILY,
	NWG_DROP_TTL,
	NWG_DROP_NO_PEER,
	NWG_DROP_NO_ROUTE,
	NWG_DROP_MALFORMED,
	NWG_DROP_NO_MEMORY,
	NWG_DROP_COOKIE,
	NWG_DROP_SOURCE_LIMIT,
	__NWG_DROP_LAST
};

#define NWG_DROP_MAX (__NWG_DROP_LAST - 1)

/**
 * enum nwg_flow_state - life of a flow
 * @NWG_FLOW_NEW: an initiation went through; lives 15 s past it
 * @NWG_FLOW_ESTABLISHED: the home answered; lives 540 s past the last packet from the home
 * @NWG_FLOW_TENTATIVE: data of an established flow's session came from here: its client may have
 *	roamed; lives 15 s. If the home sends data here, it is established, and the other one ends.
 */
enum nwg_flow_state {
	NWG_FLOW_NEW,
	NWG_FLOW_ESTABLISHED,
	NWG_FLOW_TENTATIVE,
};

/**
 * enum nwg_flow_end - why a flow has ended
 * @NWG_FLOW_END_UNSPEC: it has not
 * @NWG_FLOW_END_EXPIRED: its time was up
 * @NWG_FLOW_END_EVICTED: it was not established, and another one needed its place or its mapping
 * @NWG_FLOW_END_REPLACED: its client roamed; of the one that it has now is the next event of the
 *	relay's flows
 * @NWG_FLOW_END_REMOVED: its relay was removed
 * @NWG_FLOW_END_UNUSABLE: its client came again, and the inner endpoint has moved to the other address
 *	family since
 */
enum nwg_flow_end {
	NWG_FLOW_END_UNSPEC,
	NWG_FLOW_END_EXPIRED,
	NWG_FLOW_END_EVICTED,
	NWG_FLOW_END_REPLACED,
	NWG_FLOW_END_REMOVED,
	NWG_FLOW_END_UNUSABLE,
};

/**
 * enum nwg_flow_attribute - attributes of FLOW_GET and of events; those marked (filter) may be in the
 * request
 * @NWG_FLOW_A_IFINDEX: u32; the relay's interface (filter)
 * @NWG_FLOW_A_IFNAME: string; the relay's interface (filter)
 * @NWG_FLOW_A_LISTEN_PORT: u16; the relay's port (filter)
 * @NWG_FLOW_A_LISTEN_IP4: __be32; the relay's address, if it has one (filter)
 * @NWG_FLOW_A_LISTEN_IP6: struct in6_addr; likewise (filter)
 * @NWG_FLOW_A_CLIENT_IP4: __be32
 * @NWG_FLOW_A_CLIENT_IP6: struct in6_addr
 * @NWG_FLOW_A_CLIENT_PORT: u16
 * @NWG_FLOW_A_LOCAL_IP4: __be32; the address that the client sends to
 * @NWG_FLOW_A_LOCAL_IP6: struct in6_addr
 * @NWG_FLOW_A_MAPPED_IP4: __be32; what the home sees the client as
 * @NWG_FLOW_A_MAPPED_IP6: struct in6_addr
 * @NWG_FLOW_A_MAPPED_PORT: u16
 * @NWG_FLOW_A_STATE: u32, &enum nwg_flow_state
 * @NWG_FLOW_A_HANDSHAKES: u64; responses from the home that answered the client's initiation
 * @NWG_FLOW_A_AGE: u64; milliseconds since the flow was made, in whole seconds
 * @NWG_FLOW_A_FORWARD_IDLE: u64; milliseconds since the client's last packet
 * @NWG_FLOW_A_REVERSE_IDLE: u64; milliseconds since the home's last packet; absent if there
 *	was none
 * @NWG_FLOW_A_EXPIRES: u64; milliseconds until the flow ends unless a packet prolongs it
 * @NWG_FLOW_A_FORWARD: nest of &enum nwg_counter_attribute
 * @NWG_FLOW_A_REVERSE: nest of &enum nwg_counter_attribute
 * @NWG_FLOW_A_MTU: u32; the largest MTU of the tunnel between client and home whose packets the relay's
 *	tunnel takes whole; absent unless there was a datagram that it did not
 * @NWG_FLOW_A_END: u32, &enum nwg_flow_end; of FLOW_END_NTF only
 * @NWG_FLOW_A_LISTEN_IFINDEX: u32; the relay's ingress interface, if it has one (filter)
 * @NWG_FLOW_A_PAD: padding
 */
enum nwg_flow_attribute {
	NWG_FLOW_A_UNSPEC,
	NWG_FLOW_A_PAD,
	NWG_FLOW_A_IFINDEX,
	NWG_FLOW_A_IFNAME,
	NWG_FLOW_A_LISTEN_PORT,
	NWG_FLOW_A_LISTEN_IP4,
	NWG_FLOW_A_LISTEN_IP6,
	NWG_FLOW_A_CLIENT_IP4,
	NWG_FLOW_A_CLIENT_IP6,
	NWG_FLOW_A_CLIENT_PORT,
	NWG_FLOW_A_LOCAL_IP4,
	NWG_FLOW_A_LOCAL_IP6,
	NWG_FLOW_A_MAPPED_IP4,
	NWG_FLOW_A_MAPPED_IP6,
	NWG_FLOW_A_MAPPED_PORT,
	NWG_FLOW_A_STATE,
	NWG_FLOW_A_HANDSHAKES,
	NWG_FLOW_A_AGE,
	NWG_FLOW_A_FORWARD_IDLE,
	NWG_FLOW_A_REVERSE_IDLE,
	NWG_FLOW_A_EXPIRES,
	NWG_FLOW_A_FORWARD,
	NWG_FLOW_A_REVERSE,
	NWG_FLOW_A_MTU,
	NWG_FLOW_A_END,
	NWG_FLOW_A_LISTEN_IFINDEX,
	__NWG_FLOW_A_LAST
};

#define NWG_FLOW_A_MAX (__NWG_FLOW_A_LAST - 1)

#endif /* _UAPI_NWG_H */
