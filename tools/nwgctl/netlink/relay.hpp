/* SPDX-License-Identifier: GPL-2.0 */
/* Relays and their flows, by the family "nwg". */
#ifndef NWGCTL_NETLINK_RELAY_HPP
#define NWGCTL_NETLINK_RELAY_HPP

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../address.hpp"
#include "../key.hpp"
#include "../result.hpp"
#include "../secret.hpp"

namespace nwgctl::netlink
{

/* Traffic in one direction; see &enum nwg_counter_attribute. */
struct Counters {
	uint64_t packets = 0;
	/* Of a relay only. */
	std::optional<uint64_t> bytes = {};
	uint64_t forwarded_packets = 0, forwarded_bytes = 0;
	uint64_t initiations = 0, responses = 0, cookie_replies = 0, transports = 0;
	uint64_t largest = 0;
	/* Of a relay only. */
	std::optional<uint64_t> fragmented = {};
};

/* Packets by &enum nwg_relay_drop. */
using Drops = std::array<uint64_t, NWG_DROP_MAX + 1>;

/* Who a client is to the home; a prefix only if it is an address of a pool. */
struct Source {
	uint32_t kind = NWG_SOURCE_MASQUERADE;
	std::optional<Prefix> pool = {};

	/* As it is written in a command. */
	[[nodiscard]] std::string text() const;
	bool operator==(const Source &) const = default;
};

/* State of a relay. */
struct Relay {
	std::string interface;
	Transport listen;
	Key peer;
	Transport to;
	std::optional<Key> responder;
	Source source;
	uint32_t max_flows = 0, max_flows_per_source = 0;
	uint32_t flows_new = 0, flows_established = 0, flows_tentative = 0;
	/* Whether the interface has the peer; the kernel does not say of the stock module's. */
	std::optional<bool> peer_present;
	bool pressed = false;
	Counters forward, reverse;
	Drops forward_drops{}, reverse_drops{};
};

/* State of a flow; times are milliseconds. */
struct Flow {
	std::string interface;
	Transport listen, client, mapped;
	std::optional<Address> local;
	uint32_t state = NWG_FLOW_NEW;
	uint64_t handshakes = 0, age = 0, forward_idle = 0, expires = 0;
	std::optional<uint64_t> reverse_idle;
	/* Of the tunnel between its ends, where that is larger than it should be. */
	std::optional<uint32_t> mtu;
	/* &enum nwg_flow_end, of the event that it has ended. */
	std::optional<uint32_t> end;
	Counters forward, reverse;
};

/* A relay to be added or changed; what is absent is left out of the request. */
struct RelayChange {
	std::optional<std::string> interface = {};
	Transport listen = {};
	std::optional<Key> peer = {};
	std::optional<Transport> to = {};
	/* All zeroes: check mac1 no more. */
	std::optional<Key> responder = {};
	std::optional<uint32_t> max_flows = {}, max_flows_per_source = {};
	std::optional<Source> source = {};

	bool operator==(const RelayChange &) const = default;
};

/* What to list: all, or what is of an interface or of a listening port. */
struct RelayFilter {
	std::optional<std::string> interface;
	std::optional<Transport> listen;
};

Status add_relay(const RelayChange &change);
Status set_relay(const RelayChange &change);
Status delete_relay(const RelayChange &change);
Result<std::vector<Relay>> list_relays(const RelayFilter &filter);
Result<std::vector<Flow>> list_flows(const RelayFilter &filter);
/* The same, one by one. Where the kernel's table grows meanwhile, a flow may come twice. */
Status each_flow(const RelayFilter &filter, const std::function<void(Flow)> &visit);

/* The interface's own name; it may be given by another one (ip link property add altname). As it is if there is none. */
std::string own_name(const std::string &interface);
Transport by_own_name(Transport listen);

/* One message of a dump or an event; nothing if it does not describe one. */
std::optional<Relay> parse_relay(const SecretBytes &message);
std::optional<Flow> parse_flow(const SecretBytes &message);

/* "shape", "no-peer" and so on; empty for numbers that are no reason. */
std::string_view drop_name(std::size_t reason);
std::string_view flow_state_name(uint32_t state);
/* Why a flow has ended: "expired" and so on; empty for numbers that are no reason. */
std::string_view flow_end_name(uint32_t reason);

} // namespace nwgctl::netlink

#endif
