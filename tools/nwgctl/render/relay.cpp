// SPDX-License-Identifier: GPL-2.0
#include "relay.hpp"

#include <numeric>

#include <fmt/format.h>

#include "quantity.hpp"
#include "screen.hpp"

namespace nwgctl::render
{

using netlink::Counters;
using netlink::Drops;

static constexpr int green = 32;

static Json counters_json(const Counters &counters)
{
	Json json{ { "packets", counters.packets },
		   { "forwarded_packets", counters.forwarded_packets },
		   { "forwarded_bytes", counters.forwarded_bytes },
		   { "initiations", counters.initiations },
		   { "responses", counters.responses },
		   { "cookie_replies", counters.cookie_replies },
		   { "transports", counters.transports },
		   { "largest", counters.largest } };

	if (counters.bytes)
		json["bytes"] = *counters.bytes;
	if (counters.fragmented)
		json["fragmented"] = *counters.fragmented;
	return json;
}

static Json drops_json(const Drops &drops)
{
	Json object = Json::object();

	for (std::size_t reason = 0; reason < drops.size(); reason++) {
		const auto name = netlink::drop_name(reason);

		if (!name.empty())
			object[std::string(name)] = drops[reason];
	}
	return object;
}

static std::string drops_text(const Drops &drops)
{
	std::string text;

	for (std::size_t reason = 0; reason < drops.size(); reason++) {
		if (drops[reason])
			text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
					    netlink::drop_name(reason), drops[reason]);
	}
	return text;
}

static void add_address(Block &block, const char *key, const Transport &transport)
{
	if (transport.address)
		block.fields.push_back(
			{ "", "", fmt::format("{}_address", key), transport.address->text() });
	block.fields.push_back({ "", "", fmt::format("{}_port", key), transport.port });
	if (!transport.interface.empty())
		block.fields.push_back(
			{ "", "", fmt::format("{}_ifname", key), transport.interface });
}

static uint64_t sum(const Drops &drops)
{
	return std::accumulate(drops.begin(), drops.end(), uint64_t(0));
}

/* A line for people who do not ask for more. */
static std::string direction_summary(const Counters &counters, const Drops &drops,
				     const Palette &palette)
{
	const auto dropped = sum(drops);
	auto text = fmt::format("{}, {} sent on", count(counters.forwarded_packets, "packet"),
				bytes(counters.forwarded_bytes, palette));

	return dropped ? fmt::format("{}; {} dropped", text, dropped) : text;
}

static void add_statistics(Block &block, const std::string &name, const Counters &counters,
			   const Drops &drops, const Palette &palette)
{
	const auto dropped = drops_text(drops);

	if (counters.forwarded_packets)
		block.fields.push_back(
			{ name + " messages",
			  fmt::format("{}, {}, {}, {} transport; largest {} {}; {} in fragments",
				      count(counters.initiations, "initiation"),
				      count(counters.responses, "response"),
				      count(counters.cookie_replies, "cookie reply",
					    "cookie replies"),
				      counters.transports, counters.largest, palette.unit("B"),
				      counters.fragmented.value_or(0)),
			  "",
			  {} });
	if (!dropped.empty())
		block.fields.push_back({ name + " drops", dropped, "", {} });
}

static void add_direction(Block &block, const std::string &name, const Counters &counters,
			  const Drops &drops, const Palette &palette, bool statistics)
{
	Json json = counters_json(counters);

	json["drops"] = drops_json(drops);
	block.fields.push_back({ name,
				 statistics ?
					 fmt::format("{}, {} received; {}, {} sent on",
						     count(counters.packets, "packet"),
						     bytes(counters.bytes.value_or(0), palette),
						     count(counters.forwarded_packets, "packet"),
						     bytes(counters.forwarded_bytes, palette)) :
					 direction_summary(counters, drops, palette),
				 name, std::move(json) });
	if (statistics)
		add_statistics(block, name, counters, drops, palette);
}

Block relay_block(const netlink::Relay &relay, const Palette &palette, bool statistics)
{
	const std::string peer = relay.peer.base64();
	Block block{ green, "relay", relay.listen.text(), {}, {}, {} };

	add_address(block, "listen", relay.listen);
	block.fields.push_back(
		{ "interface", for_output(relay.interface), "ifname", relay.interface });
	block.fields.push_back({ "peer",
				 relay.peer_present.value_or(true) ?
					 peer :
					 peer + " " + palette.warning("(not on the interface)"),
				 "peer", peer });
	block.fields.push_back({ "", "", "peer_present", relay.peer_present.value_or(true) });
	block.fields.push_back({ "to", relay.to.text(), "", {} });
	add_address(block, "to", relay.to);
	if (relay.responder)
		block.fields.push_back({ "responder", relay.responder->base64(), "responder",
					 relay.responder->base64() });
	block.fields.push_back({ "source", relay.source.text(), "source", relay.source.text() });
	block.fields.push_back(
		{ "flows",
		  fmt::format("{} established, {} new, {} tentative, at most {}, {} of one source",
			      relay.flows_established, relay.flows_new, relay.flows_tentative,
			      relay.max_flows, relay.max_flows_per_source),
		  "flows",
		  { { "established", relay.flows_established },
		    { "new", relay.flows_new },
		    { "tentative", relay.flows_tentative },
		    { "max", relay.max_flows },
		    { "max_per_source", relay.max_flows_per_source } } });
	if (relay.pressed)
		block.fields.push_back(
			{ "pressure",
			  palette.warning(relay.responder ? "strangers have to show a cookie" :
							    "without a responder, nobody is asked"),
			  "",
			  {} });
	block.fields.push_back({ "", "", "pressed", relay.pressed });
	add_direction(block, "forward", relay.forward, relay.forward_drops, palette, statistics);
	add_direction(block, "reverse", relay.reverse, relay.reverse_drops, palette, statistics);
	return block;
}

static std::string packets_and_bytes(const Counters &counters)
{
	return fmt::format("{} / {}", counters.forwarded_packets,
			   bytes(counters.forwarded_bytes, Palette(false)));
}

Block flow_block(const netlink::Flow &flow)
{
	const std::string state(netlink::flow_state_name(flow.state));
	Transport local{ flow.local, flow.listen.port, flow.listen.interface };
	Block block;

	block.fields.push_back({ "interface", flow.interface, "ifname", flow.interface });
	block.fields.push_back({ "client", flow.client.text(), "", {} });
	add_address(block, "client", flow.client);
	block.fields.push_back({ "local", local.text(), "", {} });
	if (flow.local)
		block.fields.push_back({ "", "", "local_address", flow.local->text() });
	add_address(block, "listen", flow.listen);
	block.fields.push_back({ "mapped", flow.mapped.text(), "", {} });
	add_address(block, "mapped", flow.mapped);
	block.fields.push_back({ "state", state, "state", state });
	block.fields.push_back({ "handshakes", fmt::format("{}", flow.handshakes), "handshakes",
				 flow.handshakes });
	block.fields.push_back({ "forward", packets_and_bytes(flow.forward), "forward",
				 counters_json(flow.forward) });
	block.fields.push_back({ "reverse", packets_and_bytes(flow.reverse), "reverse",
				 counters_json(flow.reverse) });
	block.fields.push_back({ "age", short_duration(flow.age), "age_ms", flow.age });
	block.fields.push_back({ "", "", "forward_idle_ms", flow.forward_idle });
	if (flow.reverse_idle)
		block.fields.push_back({ "", "", "reverse_idle_ms", *flow.reverse_idle });
	block.fields.push_back(
		{ "idle",
		  fmt::format("{} / {}", short_duration(flow.forward_idle),
			      flow.reverse_idle ? short_duration(*flow.reverse_idle) : "-"),
		  "",
		  {} });
	block.fields.push_back(
		{ "expires", short_duration(flow.expires), "expires_ms", flow.expires });
	block.fields.push_back({ "mtu", flow.mtu ? fmt::format("{}", *flow.mtu) : "-", "", {} });
	if (flow.mtu)
		block.fields.push_back({ "", "", "mtu", *flow.mtu });
	return block;
}

} // namespace nwgctl::render
