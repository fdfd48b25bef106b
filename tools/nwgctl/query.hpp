/* SPDX-License-Identifier: GPL-2.0 */
/* Which flows are to be shown, and in which order. */
#ifndef NWGCTL_QUERY_HPP
#define NWGCTL_QUERY_HPP

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "address.hpp"
#include "command.hpp"
#include "key.hpp"
#include "netlink/relay.hpp"

namespace nwgctl
{

/* What a flow can be sorted by; of numbers the largest is first. */
enum class FlowOrder { none, client, bytes, packets, age, idle, expires };

/* Addresses of clients, and one port of them, or all. */
struct ClientFilter {
	std::optional<Prefix> prefix;
	std::optional<uint16_t> port;

	/* ADDR[/LENGTH], ADDR[/LENGTH]:PORT, [ADDR]:PORT, [ADDR]/LENGTH:PORT, or *:PORT */
	static Result<ClientFilter> from_text(std::string_view text);
	bool matches(const Transport &client) const;
};

/* What is absent does not matter. */
struct FlowQuery {
	/* What the kernel narrows the list by. */
	netlink::RelayFilter relay;
	/* Of &enum nwg_flow_state */
	std::set<uint32_t> states;
	std::optional<ClientFilter> client;
	/* Whom the flow's relay leads to. */
	std::optional<Key> peer;
	FlowOrder order = FlowOrder::none;
	bool reverse = false;
	std::optional<uint32_t> limit;
};

Result<FlowQuery> parse_flow_query(Arguments arguments);

/* Payload and datagrams that were sent on, both directions together. */
uint64_t total_bytes(const netlink::Flow &flow);
uint64_t total_packets(const netlink::Flow &flow);
/* Milliseconds since the last datagram, of either end. */
uint64_t idle_time(const netlink::Flow &flow);

/* Sorts; those that are equal stay in their order. */
void sort_flows(std::vector<netlink::Flow> &flows, FlowOrder order, bool reverse);
/* Takes out what is not asked for, but for relay and peer, which a flow does not have; sorts the rest. */
void apply_query(std::vector<netlink::Flow> &flows, const FlowQuery &query);

} // namespace nwgctl

#endif
