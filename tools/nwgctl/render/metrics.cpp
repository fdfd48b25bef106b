// SPDX-License-Identifier: GPL-2.0
#include "metrics.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "block.hpp"

namespace nwgctl::render
{

using netlink::Counters;
using netlink::Drops;
using netlink::Relay;

using Labels = std::vector<std::pair<const char *, std::string>>;

std::string label_value(std::string_view text)
{
	std::string escaped;
	bool valid = true;

	try {
		static_cast<void>(Json(text).dump());
	} catch (const Json::type_error &) {
		valid = false;
	}
	for (const char letter : text) {
		if (letter == '\n')
			escaped += "\\n";
		else if (letter == '\\' || letter == '"')
			escaped += fmt::format("\\{}", letter);
		else if (!valid && static_cast<unsigned char>(letter) >= 0x80)
			escaped += fmt::format("\\\\x{:02x}", static_cast<unsigned char>(letter));
		else
			escaped += letter;
	}
	return escaped;
}

/* One metric: its lines, under a head once there are any. */
class Metric {
    public:
	Metric(const char *name, const char *type, const char *help)
		: name(name)
		, head(fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help))
	{
	}
	/* 2^53 is far for these, and beyond it a reader rounds anyway. */
	void add(const Labels &labels, const std::string &value)
	{
		std::string text;

		for (const auto &[label, of_label] : labels)
			text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", label,
					    label_value(of_label));
		if (!text.empty())
			text = fmt::format("{{{}}}", text);
		lines += fmt::format("{}{} {}\n", name, text, value);
	}
	void add(const Labels &labels, uint64_t value)
	{
		add(labels, fmt::format("{}", value));
	}
	[[nodiscard]] std::string text() const
	{
		return lines.empty() ? "" : head + lines;
	}

    private:
	const char *name;
	std::string head, lines;
};

static Labels with(Labels labels, const char *name, std::string value)
{
	labels.emplace_back(name, std::move(value));
	return labels;
}

static std::string relays_text(const std::vector<Relay> &relays)
{
	Metric info("nwg_relay_info", "gauge", "Where a relay leads to; always 1.");
	Metric peer("nwg_relay_peer_present", "gauge",
		    "Whether the interface has the relay's peer.");
	Metric pressed(
		"nwg_relay_pressed", "gauge",
		"Whether the relay is under pressure: too many strangers, or hardly room for them.");
	Metric flows("nwg_relay_flows", "gauge", "Flows of a relay by state.");
	Metric limit("nwg_relay_flows_limit", "gauge", "Flows that a relay may hold at once.");
	Metric source_limit("nwg_relay_source_flows_limit", "gauge",
			    "Flows that clients of one source may have at once.");
	Metric packets(
		"nwg_relay_packets_total", "counter",
		"Datagrams that arrived at a relay, from clients (forward) or the home (reverse).");
	Metric bytes("nwg_relay_bytes_total", "counter", "UDP payload of what arrived.");
	Metric forwarded_packets("nwg_relay_forwarded_packets_total", "counter",
				 "Datagrams that were sent on.");
	Metric forwarded_bytes("nwg_relay_forwarded_bytes_total", "counter",
			       "UDP payload of what was sent on.");
	Metric dropped("nwg_relay_dropped_packets_total", "counter",
		       "Datagrams that were not sent on, by reason; see nwgctl(8).");
	Metric messages("nwg_relay_messages_total", "counter",
			"WireGuard messages that were sent on, by type.");
	Metric fragmented("nwg_relay_fragmented_packets_total", "counter",
			  "Datagrams that were sent on in fragments.");
	Metric largest("nwg_relay_largest_datagram_bytes", "gauge",
		       "Largest UDP payload that was sent on.");

	const auto add_direction = [&](const Labels &relay, const char *name,
				       const Counters &counters, const Drops &drops) {
		const auto labels = with(relay, "direction", name);

		packets.add(labels, counters.packets);
		bytes.add(labels, counters.bytes.value_or(0));
		forwarded_packets.add(labels, counters.forwarded_packets);
		forwarded_bytes.add(labels, counters.forwarded_bytes);
		fragmented.add(labels, counters.fragmented.value_or(0));
		largest.add(labels, counters.largest);
		messages.add(with(labels, "type", "initiation"), counters.initiations);
		messages.add(with(labels, "type", "response"), counters.responses);
		messages.add(with(labels, "type", "cookie-reply"), counters.cookie_replies);
		messages.add(with(labels, "type", "transport"), counters.transports);
		for (std::size_t reason = 0; reason < drops.size(); reason++) {
			const auto reason_name = netlink::drop_name(reason);

			if (!reason_name.empty())
				dropped.add(with(labels, "reason", std::string(reason_name)),
					    drops[reason]);
		}
	};
	for (const auto &relay : relays) {
		const Labels labels{ { "interface", relay.interface },
				     { "listen", relay.listen.text() } };

		info.add(
			with(with(with(labels, "peer", relay.peer.base64()), "to", relay.to.text()),
			     "source", relay.source.text()),
			1);
		peer.add(labels, relay.peer_present.value_or(true));
		pressed.add(labels, relay.pressed);
		flows.add(with(labels, "state", "new"), relay.flows_new);
		flows.add(with(labels, "state", "established"), relay.flows_established);
		flows.add(with(labels, "state", "tentative"), relay.flows_tentative);
		limit.add(labels, relay.max_flows);
		source_limit.add(labels, relay.max_flows_per_source);
		add_direction(labels, "forward", relay.forward, relay.forward_drops);
		add_direction(labels, "reverse", relay.reverse, relay.reverse_drops);
	}
	std::string text;
	for (const auto *metric :
	     { &info, &peer, &pressed, &flows, &limit, &source_limit, &packets, &bytes,
	       &forwarded_packets, &forwarded_bytes, &dropped, &messages, &fragmented, &largest })
		text += metric->text();
	return text;
}

static std::string interfaces_text(const std::vector<Interface> &interfaces)
{
	Metric info("nwg_interface_info", "gauge",
		    "Kind and public key of a WireGuard interface; always 1.");
	Metric peers("nwg_interface_peers", "gauge", "Peers of an interface.");
	Metric received("nwg_interface_received_bytes_total", "counter",
			"Inner packets that came out of the tunnel.");
	Metric sent("nwg_interface_sent_bytes_total", "counter",
		    "Inner packets that went into the tunnel.");
	Metric received_packets("nwg_interface_received_packets_total", "counter",
				"Number of inner packets that came out of the tunnel.");
	Metric sent_packets("nwg_interface_sent_packets_total", "counter",
			    "Number of inner packets that went into the tunnel.");
	Metric lost(
		"nwg_interface_dropped_packets_total", "counter",
		"Packets that an interface did not take or send, by direction and counter of ip-link(8).");
	Metric peer_received("nwg_peer_received_bytes_total", "counter",
			     "UDP payload that came from a peer.");
	Metric peer_sent("nwg_peer_sent_bytes_total", "counter",
			 "UDP payload that went to a peer.");
	Metric handshake(
		"nwg_peer_last_handshake_timestamp_seconds", "gauge",
		"When the last handshake with a peer was complete, since 1970; 0 if there was none.");

	for (const auto &[link, device] : interfaces) {
		const Labels labels{ { "interface", link.name } };

		info.add(with(with(labels, "kind", link.kind), "public_key",
			      device.public_key ? device.public_key->base64() : ""),
			 1);
		peers.add(labels, device.peers.size());
		if (link.statistics) {
			const auto &counted = *link.statistics;
			const auto receive = with(labels, "direction", "receive"),
				   transmit = with(labels, "direction", "transmit");

			received.add(labels, counted.rx_bytes);
			sent.add(labels, counted.tx_bytes);
			received_packets.add(labels, counted.rx_packets);
			sent_packets.add(labels, counted.tx_packets);
			lost.add(with(receive, "counter", "errors"), counted.rx_errors);
			lost.add(with(receive, "counter", "dropped"), counted.rx_dropped);
			lost.add(with(transmit, "counter", "errors"), counted.tx_errors);
			lost.add(with(transmit, "counter", "dropped"), counted.tx_dropped);
		}
		for (const auto &peer : device.peers) {
			const auto of_peer = with(labels, "public_key", peer.public_key.base64());
			const auto &time = peer.last_handshake;

			peer_received.add(of_peer, peer.rx_bytes);
			peer_sent.add(of_peer, peer.tx_bytes);
			handshake.add(of_peer, fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec));
		}
	}
	std::string text;
	for (const auto *metric : { &info, &peers, &received, &sent, &received_packets,
				    &sent_packets, &lost, &peer_received, &peer_sent, &handshake })
		text += metric->text();
	return text;
}

std::string metrics_text(const std::optional<std::vector<Relay>> &relays,
			 const std::vector<Interface> &interfaces)
{
	Metric up(
		"nwg_up", "gauge",
		"Whether module nwg is loaded, which has relays; who asks loads it, where it is installed.");
	Metric count("nwg_relays", "gauge", "Relays that there are.");

	up.add({}, relays.has_value());
	count.add({}, relays ? relays->size() : 0);
	return up.text() + count.text() + relays_text(relays.value_or(std::vector<Relay>())) +
	       interfaces_text(interfaces);
}

} // namespace nwgctl::render
