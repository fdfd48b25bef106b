// SPDX-License-Identifier: GPL-2.0
#include "model.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>
#include <sodium.h>

#include "../query.hpp"

namespace nwgctl::top
{

std::size_t Model::FlowHash::operator()(const FlowKey &key) const
{
	static const auto secret = [] {
		std::array<uint8_t, crypto_shorthash_KEYBYTES> bytes;

		randombytes_buf(bytes.data(), bytes.size());
		return bytes;
	}();
	std::array<uint8_t, crypto_shorthash_BYTES> hash;
	std::size_t value;

	static_assert(std::has_unique_object_representations_v<FlowKey>);
	static_assert(sizeof(value) <= sizeof(hash));
	crypto_shorthash(hash.data(), reinterpret_cast<const uint8_t *>(&key), sizeof(key),
			 secret.data());
	memcpy(&value, hash.data(), sizeof(value));
	return value;
}

double FlowRow::rate() const
{
	return rates ? static_cast<double>((*rates)[0]) + static_cast<double>((*rates)[2]) : 0;
}

std::optional<Rate> FlowRow::forward() const
{
	return rates ? std::optional(Rate{ (*rates)[0], (*rates)[1] }) : std::nullopt;
}

std::optional<Rate> FlowRow::reverse() const
{
	return rates ? std::optional(Rate{ (*rates)[2], (*rates)[3] }) : std::nullopt;
}

void Model::begin()
{
	relays.clear();
	flows.clear();
	peers.clear();
	interfaces = 0;
	forward = reverse = {};
	received = sent = 0;
}

void Model::end()
{
	relay_meter.end();
	flow_meter.end();
	peer_meter.end();
	std::ranges::stable_sort(peers, [](const PeerRow &a, const PeerRow &b) {
		return a.received.value_or(0) + a.sent.value_or(0) >
		       b.received.value_or(0) + b.sent.value_or(0);
	});
}

uint32_t Model::number_of(const std::string &listen)
{
	const auto [place, is_new] =
		numbers.try_emplace(listen, static_cast<uint32_t>(listens.size()));

	if (is_new)
		listens.push_back(&place->first);
	return place->second;
}

static uint64_t sum(const netlink::Drops &drops)
{
	return std::accumulate(drops.begin(), drops.end(), uint64_t(0));
}

void Model::add(const netlink::Relay &relay, Time now)
{
	RelayRow row;

	row.interface = relay.interface;
	row.listen = relay.listen.text();
	row.to = relay.to.text();
	row.peer_present = relay.peer_present.value_or(true);
	row.pressed = relay.pressed;
	row.flows = uint64_t(relay.flows_new) + relay.flows_established + relay.flows_tentative;
	auto counted =
		relay_meter.count(row.listen,
				  { relay.forward.forwarded_bytes, relay.forward.forwarded_packets,
				    relay.reverse.forwarded_bytes, relay.reverse.forwarded_packets,
				    sum(relay.forward_drops) + sum(relay.reverse_drops) },
				  now);
	if (counted.again)
		return;
	if (counted.rates) {
		const auto &rates = *counted.rates;

		row.forward = { rates[0], rates[1] };
		row.reverse = { rates[2], rates[3] };
		row.drops = rates[4];
		counted.memory.add(counted.before, now, rates[0] + rates[2]);
		forward.bytes += rates[0];
		forward.packets += rates[1];
		reverse.bytes += rates[2];
		reverse.packets += rates[3];
	}
	row.history = counted.memory;
	relays.push_back(std::move(row));
}

void Model::add(const netlink::Flow &flow, Time now)
{
	FlowRow row;

	/* Without an address it is nobody. */
	if (!flow.client.address)
		return;
	row.key = { number_of(flow.listen.text()), *flow.client.address, flow.client.port };
	const auto counted =
		flow_meter.count(row.key,
				 { flow.forward.forwarded_bytes, flow.forward.forwarded_packets,
				   flow.reverse.forwarded_bytes, flow.reverse.forwarded_packets },
				 now);
	if (counted.again)
		return;
	if (counted.rates) {
		row.rates.emplace();
		std::ranges::transform(*counted.rates, row.rates->begin(),
				       [](double rate) { return static_cast<float>(rate); });
	}
	row.state = flow.state;
	row.bytes = total_bytes(flow);
	row.idle = idle_time(flow);
	flows.push_back(row);
}

void Model::add(const Device &device, Time now)
{
	interfaces++;
	for (const auto &peer : device.peers) {
		PeerRow row;

		row.interface = device.name;
		row.key = peer.public_key;
		row.endpoint = peer.endpoint;
		row.last_handshake = peer.last_handshake.tv_sec;
		auto counted = peer_meter.count(device.name + ' ' + peer.public_key.base64(),
						{ peer.rx_bytes, peer.tx_bytes }, now);
		if (counted.again)
			continue;
		if (counted.rates) {
			row.received = (*counted.rates)[0];
			row.sent = (*counted.rates)[1];
			counted.memory.add(counted.before, now, *row.received + *row.sent);
			received += *row.received;
			sent += *row.sent;
		}
		row.history = counted.memory;
		peers.push_back(std::move(row));
	}
}

const char *order_name(Order order)
{
	switch (order) {
	case Order::rate:
		return "rate";
	case Order::bytes:
		return "bytes";
	case Order::client:
		return "client";
	case Order::idle:
		return "idle";
	}
	return "";
}

Order next_order(Order order)
{
	return order == Order::idle ? Order::rate : static_cast<Order>(static_cast<int>(order) + 1);
}

/* Less than 0 if @a comes before @b. */
static std::partial_ordering compare(const FlowRow &a, const FlowRow &b, Order order)
{
	switch (order) {
	case Order::rate:
		return b.rate() <=> a.rate();
	case Order::bytes:
		return b.bytes <=> a.bytes;
	case Order::idle:
		return a.idle <=> b.idle;
	case Order::client:
		break;
	}
	return std::tie(a.key.client, a.key.port) <=> std::tie(b.key.client, b.key.port);
}

std::vector<const FlowRow *> first_flows(const std::vector<FlowRow> &flows, std::size_t count,
					 Order order, bool reverse)
{
	std::vector<const FlowRow *> all, first(std::min(count, flows.size()));

	all.reserve(flows.size());
	for (const auto &flow : flows)
		all.push_back(&flow);
	std::ranges::partial_sort_copy(all, first, [&](const FlowRow *a, const FlowRow *b) {
		const auto order_of = reverse ? compare(*b, *a, order) : compare(*a, *b, order);

		/* Those that are equal do not change places from reading to reading. */
		return order_of != 0 ? order_of < 0 : a->key < b->key;
	});
	return first;
}

} // namespace nwgctl::top
