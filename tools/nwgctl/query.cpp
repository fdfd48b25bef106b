// SPDX-License-Identifier: GPL-2.0
#include "query.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "config/value.hpp"
#include "netlink/link.hpp"
#include "words.hpp"

namespace nwgctl
{

using netlink::Flow;

static constexpr struct {
	const char *name;
	FlowOrder order;
} orders[] = {
	{ "client", FlowOrder::client },   { "bytes", FlowOrder::bytes },
	{ "packets", FlowOrder::packets }, { "age", FlowOrder::age },
	{ "idle", FlowOrder::idle },	   { "expires", FlowOrder::expires },
};

static Error no_client(std::string_view text)
{
	return usage_error(
		fmt::format("`{}' is no address of clients", text),
		"write ADDR[/LENGTH][:PORT], an IPv6 address with a port in brackets, or *:PORT");
}

static Result<Prefix> parse_prefix(const std::string &address, const std::string &length,
				   std::string_view text)
{
	const auto parsed = Address::from_text(address);

	if (!parsed)
		return no_client(text);
	Prefix prefix{ *parsed, parsed->bits() };
	if (!length.empty()) {
		const auto bits = config::parse_port(length);

		if (!bits || bits.value() > parsed->bits())
			return usage_error(fmt::format("`{}' is no prefix length of `{}'", length,
						       address),
					   fmt::format("it is 0 to {}", parsed->bits()));
		prefix.length = static_cast<uint8_t>(bits.value());
	}
	prefix.address = prefix.address.masked(prefix.length);
	return prefix;
}

Result<ClientFilter> ClientFilter::from_text(std::string_view text)
{
	std::string rest(text), port, length, address;
	ClientFilter filter;
	const auto bracket = rest.find(']');
	/* A colon behind the bracket, or the only one, or behind the length: the rest is the port. */
	const auto colon = rest.rfind(':');
	const bool bracketed = rest.starts_with('[');

	if (bracketed && bracket == rest.npos)
		return no_client(text);
	if (colon != rest.npos &&
	    (bracketed ? colon > bracket : rest.find(':') == colon || rest.find('/') < colon)) {
		port = rest.substr(colon + 1);
		rest.erase(colon);
		const auto number = config::parse_port(port);
		if (!number || !number.value())
			return usage_error(fmt::format("`{}' is no port of clients", port),
					   "it is 1 to 65535");
		filter.port = number.value();
	}
	if (rest == "*" || (rest.empty() && filter.port)) {
		if (!filter.port)
			return no_client(text);
		return filter;
	}
	if (bracketed) {
		address = rest.substr(1, bracket - 1);
		rest.erase(0, bracket + 1);
		if (!rest.empty() && !rest.starts_with('/'))
			return no_client(text);
		rest = address + rest;
	}
	const auto slash = rest.find('/');
	if (slash != rest.npos) {
		length = rest.substr(slash + 1);
		if (length.empty())
			return no_client(text);
	}
	filter.prefix = TRY(parse_prefix(rest.substr(0, slash), length, text));
	return filter;
}

bool ClientFilter::matches(const Transport &client) const
{
	if (port && *port != client.port)
		return false;
	return !prefix || (client.address && client.address->family == prefix->address.family &&
			   client.address->masked(prefix->length) == prefix->address);
}

static Result<std::set<uint32_t>> parse_states(const std::string &text)
{
	std::set<uint32_t> states;
	std::size_t start = 0, end;

	do {
		end = std::min(text.find(',', start), text.size());
		const auto name = text.substr(start, end - start);
		std::optional<uint32_t> found;

		for (const auto state :
		     { NWG_FLOW_NEW, NWG_FLOW_ESTABLISHED, NWG_FLOW_TENTATIVE }) {
			if (name == netlink::flow_state_name(state))
				found = state;
		}
		if (!found)
			return usage_error(fmt::format("`{}' is no state of a flow", name),
					   "states are new, established and tentative");
		states.insert(*found);
		start = end + 1;
	} while (end < text.size());
	return states;
}

static Result<FlowOrder> parse_order(const std::string &text)
{
	std::string names;

	for (const auto &[name, order] : orders) {
		if (text == name)
			return order;
		names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
	}
	return usage_error(fmt::format("Flows are not sorted by `{}'", text),
			   fmt::format("sort by one of {}", names));
}

Result<FlowQuery> parse_flow_query(Arguments arguments)
{
	Words words(arguments);
	FlowQuery query;

	while (!words.empty()) {
		bool repeated;

		if (words.take("dev")) {
			repeated = query.relay.interface.has_value();
			query.relay.interface = TRY(netlink::interface_name(TRY(words.value())));
		} else if (words.take("listen")) {
			repeated = query.relay.listen.has_value();
			query.relay.listen = TRY(config::parse_listen(TRY(words.value())));
		} else if (words.take("state")) {
			repeated = !query.states.empty();
			query.states = TRY(parse_states(TRY(words.value())));
		} else if (words.take("client")) {
			repeated = query.client.has_value();
			query.client = TRY(ClientFilter::from_text(TRY(words.value())));
		} else if (words.take("peer")) {
			repeated = query.peer.has_value();
			query.peer = TRY(config::parse_public_key(TRY(words.value())));
		} else if (words.take("sort")) {
			repeated = query.order != FlowOrder::none;
			query.order = TRY(parse_order(TRY(words.value())));
		} else if (words.take("reverse")) {
			repeated = query.reverse;
			query.reverse = true;
		} else if (words.take("limit")) {
			repeated = query.limit.has_value();
			query.limit = TRY(config::parse_count(TRY(words.value()), "limit"));
		} else {
			return words.unknown();
		}
		if (repeated)
			return words.repeated();
	}
	if (query.reverse && query.order == FlowOrder::none)
		return wrong_usage("`sort' is missing: without it there is no order to reverse");
	return query;
}

uint64_t total_bytes(const Flow &flow)
{
	return flow.forward.forwarded_bytes + flow.reverse.forwarded_bytes;
}

uint64_t total_packets(const Flow &flow)
{
	return flow.forward.forwarded_packets + flow.reverse.forwarded_packets;
}

uint64_t idle_time(const Flow &flow)
{
	return std::min(flow.forward_idle, flow.reverse_idle.value_or(flow.forward_idle));
}

static bool comes_before(const Flow &a, const Flow &b, FlowOrder order)
{
	switch (order) {
	case FlowOrder::client:
		return std::tie(a.client.address, a.client.port) <
		       std::tie(b.client.address, b.client.port);
	case FlowOrder::bytes:
		return total_bytes(a) > total_bytes(b);
	case FlowOrder::packets:
		return total_packets(a) > total_packets(b);
	case FlowOrder::age:
		return a.age > b.age;
	case FlowOrder::idle:
		return idle_time(a) > idle_time(b);
	case FlowOrder::expires:
		return a.expires > b.expires;
	case FlowOrder::none:
		break;
	}
	return false;
}

void sort_flows(std::vector<Flow> &flows, FlowOrder order, bool reverse)
{
	std::ranges::stable_sort(flows, [&](const Flow &a, const Flow &b) {
		return reverse ? comes_before(b, a, order) : comes_before(a, b, order);
	});
}

void apply_query(std::vector<Flow> &flows, const FlowQuery &query)
{
	std::erase_if(flows, [&](const Flow &flow) {
		return (!query.states.empty() && !query.states.contains(flow.state)) ||
		       (query.client && !query.client->matches(flow.client));
	});
	sort_flows(flows, query.order, query.reverse);
	if (query.limit && flows.size() > *query.limit)
		flows.resize(*query.limit);
}

} // namespace nwgctl
