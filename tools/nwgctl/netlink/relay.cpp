// SPDX-License-Identifier: GPL-2.0
#include "relay.hpp"

#include <cerrno>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <net/if.h>

#include "generic.hpp"
#include "stock.hpp"

namespace nwgctl::netlink
{

std::string_view drop_name(std::size_t reason)
{
	switch (reason) {
	case NWG_DROP_SHAPE:
		return "shape";
	case NWG_DROP_MAC1:
		return "mac1";
	case NWG_DROP_RATE:
		return "rate";
	case NWG_DROP_FLOW_LIMIT:
		return "flow-limit";
	case NWG_DROP_NO_FLOW:
		return "no-flow";
	case NWG_DROP_NO_PORT:
		return "no-port";
	case NWG_DROP_NO_ADDRESS:
		return "no-address";
	case NWG_DROP_FAMILY:
		return "family";
	case NWG_DROP_TTL:
		return "ttl";
	case NWG_DROP_NO_PEER:
		return "no-peer";
	case NWG_DROP_NO_ROUTE:
		return "no-route";
	case NWG_DROP_MALFORMED:
		return "malformed";
	case NWG_DROP_NO_MEMORY:
		return "no-memory";
	case NWG_DROP_COOKIE:
		return "cookie";
	case NWG_DROP_SOURCE_LIMIT:
		return "source-limit";
	default:
		return {};
	}
}

std::string_view flow_state_name(uint32_t state)
{
	switch (state) {
	case NWG_FLOW_NEW:
		return "new";
	case NWG_FLOW_ESTABLISHED:
		return "established";
	case NWG_FLOW_TENTATIVE:
		return "tentative";
	default:
		return "unknown";
	}
}

std::string_view flow_end_name(uint32_t reason)
{
	switch (reason) {
	case NWG_FLOW_END_EXPIRED:
		return "expired";
	case NWG_FLOW_END_EVICTED:
		return "evicted";
	case NWG_FLOW_END_REPLACED:
		return "replaced";
	case NWG_FLOW_END_REMOVED:
		return "removed";
	case NWG_FLOW_END_UNUSABLE:
		return "unusable";
	default:
		return {};
	}
}

std::string Source::text() const
{
	switch (kind) {
	case NWG_SOURCE_MASQUERADE:
		return "masquerade";
	case NWG_SOURCE_POOL:
		return pool ? fmt::format("pool {}", pool->text()) : "pool";
	case NWG_SOURCE_TRANSPARENT:
		return "transparent";
	default:
		return "unknown";
	}
}

static std::optional<Address> parse_address(Attribute v4, Attribute v6)
{
	if (v4.payload().size() == sizeof(in_addr))
		return Address::v4(v4.payload().data());
	if (v6.payload().size() == sizeof(in6_addr))
		return Address::v6(v6.payload().data());
	return std::nullopt;
}

/* Where the interface has gone meanwhile, the name that it had when it was seen last, or as iproute2 names it. */
static std::string interface_name(Attribute attribute)
{
	static std::map<uint32_t, std::string> seen;
	const auto index = attribute.get<uint32_t>().value_or(0);
	char name[IF_NAMESIZE];

	if (!index)
		return {};
	if (if_indextoname(index, name))
		seen[index] = name;
	return seen.contains(index) ? seen[index] : fmt::format("if{}", index);
}

static Counters parse_counters(Attribute nest)
{
	const Attributes<NWG_COUNTER_A_MAX> attributes(nest);
	const auto count = [&](std::size_t type) {
		return attributes[type].get<uint64_t>().value_or(0);
	};

	return { .packets = count(NWG_COUNTER_A_PACKETS),
		 .bytes = attributes[NWG_COUNTER_A_BYTES].get<uint64_t>(),
		 .forwarded_packets = count(NWG_COUNTER_A_FORWARDED_PACKETS),
		 .forwarded_bytes = count(NWG_COUNTER_A_FORWARDED_BYTES),
		 .initiations = count(NWG_COUNTER_A_INITIATIONS),
		 .responses = count(NWG_COUNTER_A_RESPONSES),
		 .cookie_replies = count(NWG_COUNTER_A_COOKIE_REPLIES),
		 .transports = count(NWG_COUNTER_A_TRANSPORTS),
		 .largest = count(NWG_COUNTER_A_LARGEST),
		 .fragmented = attributes[NWG_COUNTER_A_FRAGMENTED].get<uint64_t>() };
}

static Drops parse_drops(Attribute nest)
{
	const Attributes<NWG_DROP_MAX> attributes(nest);
	Drops drops{};

	for (std::size_t reason = 0; reason < drops.size(); reason++)
		drops[reason] = attributes[reason].get<uint64_t>().value_or(0);
	return drops;
}

std::optional<Relay> parse_relay(const SecretBytes &message)
{
	const Attributes<NWG_RELAY_A_MAX> attributes(attributes_of(message, sizeof(genlmsghdr)));
	const auto port = attributes[NWG_RELAY_A_LISTEN_PORT].get<uint16_t>();
	const auto peer = attributes[NWG_RELAY_A_PEER].key();
	const auto number = [&](std::size_t type) {
		return attributes[type].get<uint32_t>().value_or(0);
	};
	Relay relay;

	if (!port || !peer)
		return std::nullopt;
	relay.interface = attributes[NWG_RELAY_A_IFNAME].string();
	relay.listen.address = parse_address(attributes[NWG_RELAY_A_LISTEN_IP4],
					     attributes[NWG_RELAY_A_LISTEN_IP6]);
	relay.listen.port = *port;
	relay.listen.interface = interface_name(attributes[NWG_RELAY_A_LISTEN_IFINDEX]);
	relay.peer = *peer;
	relay.to.address =
		parse_address(attributes[NWG_RELAY_A_TO_IP4], attributes[NWG_RELAY_A_TO_IP6]);
	relay.to.port = attributes[NWG_RELAY_A_TO_PORT].get<uint16_t>().value_or(0);
	relay.responder = attributes[NWG_RELAY_A_RESPONDER].key();
	if (relay.responder && relay.responder->is_zero())
		relay.responder.reset();
	relay.max_flows = number(NWG_RELAY_A_MAX_FLOWS);
	relay.max_flows_per_source = number(NWG_RELAY_A_MAX_FLOWS_PER_SOURCE);
	relay.source.kind = number(NWG_RELAY_A_SOURCE);
	if (const auto pool = parse_address(attributes[NWG_RELAY_A_POOL_IP4],
					    attributes[NWG_RELAY_A_POOL_IP6]))
		relay.source.pool =
			Prefix{ *pool,
				attributes[NWG_RELAY_A_POOL_LEN].get<uint8_t>().value_or(0) };
	relay.flows_new = number(NWG_RELAY_A_FLOWS_NEW);
	relay.flows_established = number(NWG_RELAY_A_FLOWS_ESTABLISHED);
	relay.flows_tentative = number(NWG_RELAY_A_FLOWS_TENTATIVE);
	if (const auto present = attributes[NWG_RELAY_A_PEER_PRESENT].get<uint8_t>())
		relay.peer_present = *present;
	relay.pressed = attributes[NWG_RELAY_A_PRESSED].get<uint8_t>().value_or(0);
	relay.forward = parse_counters(attributes[NWG_RELAY_A_FORWARD]);
	relay.reverse = parse_counters(attributes[NWG_RELAY_A_REVERSE]);
	relay.forward_drops = parse_drops(attributes[NWG_RELAY_A_FORWARD_DROPS]);
	relay.reverse_drops = parse_drops(attributes[NWG_RELAY_A_REVERSE_DROPS]);
	return relay;
}

std::optional<Flow> parse_flow(const SecretBytes &message)
{
	const Attributes<NWG_FLOW_A_MAX> attributes(attributes_of(message, sizeof(genlmsghdr)));
	const auto port = [&](std::size_t type) { return attributes[type].get<uint16_t>(); };
	const auto number = [&](std::size_t type) { return attributes[type].get<uint64_t>(); };
	Flow flow;

	if (!port(NWG_FLOW_A_LISTEN_PORT) || !port(NWG_FLOW_A_CLIENT_PORT))
		return std::nullopt;
	flow.interface = attributes[NWG_FLOW_A_IFNAME].string();
	flow.listen = {
		parse_address(attributes[NWG_FLOW_A_LISTEN_IP4], attributes[NWG_FLOW_A_LISTEN_IP6]),
		*port(NWG_FLOW_A_LISTEN_PORT), interface_name(attributes[NWG_FLOW_A_LISTEN_IFINDEX])
	};
	flow.client = { parse_address(attributes[NWG_FLOW_A_CLIENT_IP4],
				      attributes[NWG_FLOW_A_CLIENT_IP6]),
			*port(NWG_FLOW_A_CLIENT_PORT) };
	flow.mapped = { parse_address(attributes[NWG_FLOW_A_MAPPED_IP4],
				      attributes[NWG_FLOW_A_MAPPED_IP6]),
			port(NWG_FLOW_A_MAPPED_PORT).value_or(0) };
	flow.local =
		parse_address(attributes[NWG_FLOW_A_LOCAL_IP4], attributes[NWG_FLOW_A_LOCAL_IP6]);
	flow.state = attributes[NWG_FLOW_A_STATE].get<uint32_t>().value_or(NWG_FLOW_NEW);
	flow.handshakes = number(NWG_FLOW_A_HANDSHAKES).value_or(0);
	flow.age = number(NWG_FLOW_A_AGE).value_or(0);
	flow.forward_idle = number(NWG_FLOW_A_FORWARD_IDLE).value_or(0);
	flow.reverse_idle = number(NWG_FLOW_A_REVERSE_IDLE);
	flow.expires = number(NWG_FLOW_A_EXPIRES).value_or(0);
	flow.forward = parse_counters(attributes[NWG_FLOW_A_FORWARD]);
	flow.reverse = parse_counters(attributes[NWG_FLOW_A_REVERSE]);
	flow.mtu = attributes[NWG_FLOW_A_MTU].get<uint32_t>();
	flow.end = attributes[NWG_FLOW_A_END].get<uint32_t>();
	return flow;
}

static void put_address(Request &request, const std::optional<Address> &address, uint16_t v4,
			uint16_t v6)
{
	if (address)
		request.put(address->family == AF_INET ? v4 : v6, address->raw());
}

/* What the relay that listens there is named by. */
struct ListenTypes {
	uint16_t port, ip4, ip6, ifindex;
};

static Status put_listen(Request &request, const Transport &listen, const ListenTypes &types,
			 const std::string &operation)
{
	request.put_u16(types.port, listen.port);
	put_address(request, listen.address, types.ip4, types.ip6);
	if (listen.interface.empty())
		return {};
	const auto index = if_nametoindex(listen.interface.c_str());
	if (!index)
		return Error{ Exit::refused,
			      fmt::format("{}: no interface {} to listen on", operation,
					  listen.interface),
			      {},
			      "see which interfaces there are: ip link",
			      ENODEV };
	request.put_u32(types.ifindex, index);
	return {};
}

static std::string hint_for(const Error &error, uint8_t command, const RelayChange &change)
{
	switch (error.number) {
	case EPERM:
		return "be root, or have CAP_NET_ADMIN in the interface's network namespace";
	case ENODEV:
		if (change.interface)
			return fmt::format("make it: ip link add {} type " NWG_LINK_KIND,
					   *change.interface);
		return {};
	case EADDRINUSE:
		return fmt::format(
			"see who has UDP port {0}: ss -ulpn sport = :{0}; or a WireGuard interface: "
			"nwgctl show all listen-port; or a relay: nwgctl relay show",
			change.listen.port);
	case EEXIST:
		return fmt::format("change it: nwgctl relay set listen {0} ...; or remove it: "
				   "nwgctl relay del listen {0}",
				   change.listen.words());
	case EOPNOTSUPP:
		return "see which interfaces there are: nwgctl show interfaces";
	case ENOENT:
		if (change.peer)
			return fmt::format("see which peers there are: nwgctl show {} peers{}",
					   change.interface.value_or("all"),
					   command == NWG_CMD_RELAY_SET ?
						   "; and which relays: nwgctl relay show" :
						   "");
		return "see which relays there are: nwgctl relay show";
	default:
		return {};
	}
}

std::string own_name(const std::string &interface)
{
	char name[IF_NAMESIZE];
	const auto index = interface.empty() ? 0 : if_nametoindex(interface.c_str());

	return index && if_indextoname(index, name) ? name : interface;
}

Transport by_own_name(Transport listen)
{
	listen.interface = own_name(listen.interface);
	return listen;
}

/* What a relay's peer and inner endpoint will be has to fit its interface, where the kernel does not see to that. */
static Status check_stock(uint8_t command, const RelayChange &change, const std::string &operation)
{
	if (command == NWG_CMD_RELAY_NEW)
		return check_stock_peer(*change.interface, *change.peer, *change.to->address,
					operation);
	if (command == NWG_CMD_RELAY_DEL || (!change.peer && !change.to))
		return {};
	const auto listen = by_own_name(change.listen);
	for (const auto &relay : TRY(list_relays({}))) {
		const auto &to = change.to ? *change.to : relay.to;

		if (relay.listen != listen)
			continue;
		TRY(check_stock_peer(relay.interface, change.peer.value_or(relay.peer), *to.address,
				     operation));
	}
	return {};
}

static Status change_relay(uint8_t command, const RelayChange &change, const char *verb)
{
	const auto operation = fmt::format("Unable to {} relay {}", verb, change.listen.text());
	TRY(check_stock(command, change, operation));
	Family family = TRY(Family::open(NWG_GENL_NAME));
	Request request = family.make(command);

	if (change.interface)
		request.put_string(NWG_RELAY_A_IFNAME, *change.interface);
	TRY(put_listen(request, change.listen,
		       { NWG_RELAY_A_LISTEN_PORT, NWG_RELAY_A_LISTEN_IP4, NWG_RELAY_A_LISTEN_IP6,
			 NWG_RELAY_A_LISTEN_IFINDEX },
		       operation));
	if (change.peer)
		request.put(NWG_RELAY_A_PEER, change.peer->raw());
	if (change.to) {
		put_address(request, change.to->address, NWG_RELAY_A_TO_IP4, NWG_RELAY_A_TO_IP6);
		request.put_u16(NWG_RELAY_A_TO_PORT, change.to->port);
	}
	if (change.responder)
		request.put(NWG_RELAY_A_RESPONDER, change.responder->raw());
	if (change.max_flows)
		request.put_u32(NWG_RELAY_A_MAX_FLOWS, *change.max_flows);
	if (change.max_flows_per_source)
		request.put_u32(NWG_RELAY_A_MAX_FLOWS_PER_SOURCE, *change.max_flows_per_source);
	if (change.source) {
		request.put_u32(NWG_RELAY_A_SOURCE, change.source->kind);
		if (change.source->pool) {
			put_address(request, change.source->pool->address, NWG_RELAY_A_POOL_IP4,
				    NWG_RELAY_A_POOL_IP6);
			request.put_u8(NWG_RELAY_A_POOL_LEN, change.source->pool->length);
		}
	}
	auto answer = family.request(request);
	if (!answer)
		return failed(answer.error(), operation, hint_for(answer.error(), command, change));
	return {};
}

Status add_relay(const RelayChange &change)
{
	return change_relay(NWG_CMD_RELAY_NEW, change, "add");
}

Status set_relay(const RelayChange &change)
{
	return change_relay(NWG_CMD_RELAY_SET, change, "change");
}

Status delete_relay(const RelayChange &change)
{
	return change_relay(NWG_CMD_RELAY_DEL, change, "remove");
}

Result<std::vector<Relay>> list_relays(const RelayFilter &filter)
{
	Family family = TRY(Family::open(NWG_GENL_NAME));
	Request request = family.make(NWG_CMD_RELAY_GET);
	std::vector<Relay> relays;

	if (filter.interface)
		request.put_string(NWG_RELAY_A_IFNAME, *filter.interface);
	auto messages = family.dump(request);
	if (!messages)
		return failed(messages.error(), "Unable to list relays",
			      hint_for(messages.error(), NWG_CMD_RELAY_GET,
				       { .interface = filter.interface }));
	std::optional<Transport> listen;
	if (filter.listen)
		listen = by_own_name(*filter.listen);
	for (const auto &message : messages.value()) {
		auto relay = parse_relay(message);

		if (relay && (!listen || relay->listen == *listen))
			relays.push_back(std::move(*relay));
	}
	if (filter.listen && relays.empty())
		return Error{ Exit::refused,
			      fmt::format("Unable to show relay {}: none{} listens on exactly "
					  "this address, port and interface",
					  filter.listen->text(),
					  filter.interface ? " of " + *filter.interface : ""),
			      {},
			      "see which relays there are: nwgctl relay show",
			      ENOENT };
	find_stock_peers(relays);
	return relays;
}

Status each_flow(const RelayFilter &filter, const std::function<void(Flow)> &visit)
{
	Family family = TRY(Family::open(NWG_GENL_NAME));
	Request request = family.make(NWG_CMD_FLOW_GET);

	if (filter.interface)
		request.put_string(NWG_FLOW_A_IFNAME, *filter.interface);
	if (filter.listen)
		TRY(put_listen(request, *filter.listen,
			       { NWG_FLOW_A_LISTEN_PORT, NWG_FLOW_A_LISTEN_IP4,
				 NWG_FLOW_A_LISTEN_IP6, NWG_FLOW_A_LISTEN_IFINDEX },
			       "Unable to list flows"));
	auto dumped = family.dump(request, [&visit](const SecretBytes &message) {
		if (auto flow = parse_flow(message))
			visit(std::move(*flow));
	});
	if (!dumped)
		return failed(dumped.error(), "Unable to list flows",
			      hint_for(dumped.error(), NWG_CMD_FLOW_GET,
				       { .interface = filter.interface }));
	return {};
}

Result<std::vector<Flow>> list_flows(const RelayFilter &filter)
{
	std::vector<Flow> flows;

	TRY(each_flow(filter, [&flows](Flow flow) { flows.push_back(std::move(flow)); }));
	/* Is there nobody there, or nothing? */
	if (filter.listen && flows.empty())
		TRY(list_relays(filter));
	return flows;
}

} // namespace nwgctl::netlink
