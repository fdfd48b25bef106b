// SPDX-License-Identifier: GPL-2.0
#include "event.hpp"

#include <fmt/format.h>

#include "quantity.hpp"
#include "relay.hpp"
#include "screen.hpp"

namespace nwgctl::render
{

using netlink::Counters;
using netlink::Event;

static std::string sent_on(const char *direction, const Counters &counters)
{
	return fmt::format(" {} packets {} bytes {}", direction, counters.forwarded_packets,
			   counters.forwarded_bytes);
}

static std::string dropped(const netlink::Drops &drops)
{
	uint64_t sum = 0;

	for (const auto packets : drops)
		sum += packets;
	return fmt::format(" dropped {}", sum);
}

static std::string number_or(std::string_view name, uint32_t number)
{
	return name.empty() ? fmt::format("{}", number) : std::string(name);
}

static std::string state_text(uint32_t state)
{
	return state <= NWG_FLOW_TENTATIVE ? std::string(netlink::flow_state_name(state)) :
					     fmt::format("{}", state);
}

static std::string relay_text(const netlink::Relay &relay, uint8_t kind, bool statistics)
{
	auto text = fmt::format(" dev {} listen {}", relay.interface, relay.listen.text());

	if (kind == NWG_CMD_RELAY_PRESSURE_NTF) {
		text += fmt::format(" pressure {} established {} new {} tentative {}",
				    relay.pressed ? "begins" : "ends", relay.flows_established,
				    relay.flows_new, relay.flows_tentative);
	} else {
		text += fmt::format(" peer {} to {}", relay.peer.base64(), relay.to.text());
		if (relay.responder)
			text += fmt::format(" responder {}", relay.responder->base64());
		text += fmt::format(" source {} max-flows {} max-flows-per-source {}",
				    relay.source.text(), relay.max_flows,
				    relay.max_flows_per_source);
		if (relay.peer_present)
			text += fmt::format(" peer-present {}", *relay.peer_present ? "yes" : "no");
	}
	if (statistics || kind == NWG_CMD_RELAY_DEL_NTF)
		text += sent_on("forward", relay.forward) + dropped(relay.forward_drops) +
			sent_on("reverse", relay.reverse) + dropped(relay.reverse_drops);
	return text;
}

static std::string flow_text(const netlink::Flow &flow, uint8_t kind, bool statistics)
{
	auto text = fmt::format(" dev {} listen {} client {} local {} mapped {} state {}",
				flow.interface, flow.listen.text(), flow.client.text(),
				flow.local ? flow.local->text() : "*", flow.mapped.text(),
				state_text(flow.state));

	if (flow.mtu)
		text += fmt::format(" mtu {}", *flow.mtu);
	if (flow.end)
		text += fmt::format(" reason {}",
				    number_or(netlink::flow_end_name(*flow.end), *flow.end));
	if (statistics || kind == NWG_CMD_FLOW_END_NTF)
		text += fmt::format(" age {} handshakes {}", short_duration(flow.age),
				    flow.handshakes) +
			sent_on("forward", flow.forward) + sent_on("reverse", flow.reverse);
	return text;
}

static std::string peer_text(const Device &device, bool statistics)
{
	const auto &peer = device.peers.front();
	auto text = fmt::format(" dev {} peer {}", device.name, peer.public_key.base64());

	if (peer.endpoint)
		text += fmt::format(" endpoint {}", peer.endpoint->text());
	if (statistics)
		text += fmt::format(" received {} sent {}", peer.rx_bytes, peer.tx_bytes);
	return text;
}

std::string event_text(const Event &event, const Palette &palette, bool statistics)
{
	std::string name(event.name());

	if (name.empty())
		return fmt::format("{} {}", palette.bold("unknown event"), event.kind);
	name[name.find('-')] = ' ';
	name = palette.bold(name);
	return name + for_output(event.relay ? relay_text(*event.relay, event.kind, statistics) :
				 event.flow  ? flow_text(*event.flow, event.kind, statistics) :
					       peer_text(*event.device, statistics));
}

Json event_json(const Event &event)
{
	const Palette plain(false);
	Json json{ { "event", event.name().empty() ? "unknown" : event.name() } };

	if (event.relay) {
		json.update(to_json({ relay_block(*event.relay, plain, true) })[0]);
		/* Of the stock module's, nobody has looked. */
		if (!event.relay->peer_present)
			json.erase("peer_present");
	} else if (event.flow) {
		json.update(to_json({ flow_block(*event.flow) })[0]);
		json["state"] = state_text(event.flow->state);
		if (event.flow->end)
			json["reason"] = number_or(netlink::flow_end_name(*event.flow->end),
						   *event.flow->end);
	} else if (event.device) {
		const auto &peer = event.device->peers.front();

		json["ifname"] = event.device->name;
		json["public_key"] = peer.public_key.base64();
		if (peer.endpoint)
			json["endpoint"] = peer.endpoint->text();
		json["latest_handshake"] = peer.last_handshake.tv_sec;
		json["transfer_rx"] = peer.rx_bytes;
		json["transfer_tx"] = peer.tx_bytes;
		json["persistent_keepalive"] = peer.keepalive;
	} else {
		json["number"] = event.kind;
	}
	return json;
}

} // namespace nwgctl::render
