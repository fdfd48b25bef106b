// SPDX-License-Identifier: GPL-2.0
#include "stock.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "device.hpp"

namespace nwgctl::netlink
{

static const Peer *find_peer(const Device &device, const Key &key)
{
	const auto found = std::ranges::find(device.peers, key, &Peer::public_key);

	return found == device.peers.end() ? nullptr : &*found;
}

const Peer *owner_of(const Device &device, const Address &address)
{
	const Peer *owner = nullptr;
	int longest = -1;

	for (const auto &peer : device.peers) {
		for (const auto &prefix : peer.allowed_ips) {
			if (prefix.length > longest && prefix.address.family == address.family &&
			    address.masked(prefix.length) == prefix.address) {
				longest = prefix.length;
				owner = &peer;
			}
		}
	}
	return owner;
}

static Error refused(const std::string &operation, int number, std::string what, std::string hint)
{
	return { Exit::refused, fmt::format("{}: {}", operation, strerror(number)), std::move(what),
		 std::move(hint), number };
}

Status check_stock_peer(const std::string &interface, const Key &peer, const Address &to,
			const std::string &operation)
{
	const auto link = TRY(wireguard_link(interface));

	if (link.kind != stock_kind)
		return {};
	const auto device = TRY(get_device(link));
	const auto wanted = find_peer(device, peer);
	if (!wanted)
		return refused(
			operation, ENOENT, "the interface has no peer with this key: add it first",
			fmt::format("see which peers there are: nwgctl show {} peers", interface));
	if (owner_of(device, to) != wanted)
		return refused(
			operation, EINVAL,
			"the inner endpoint is not in the peer's allowed IPs: add it to them first",
			{});
	return {};
}

void find_stock_peers(std::vector<Relay> &relays)
{
	std::map<std::string, Device> devices;

	for (auto &relay : relays) {
		if (relay.peer_present)
			continue;
		if (!devices.contains(relay.interface)) {
			auto link = wireguard_link(relay.interface);
			auto device = link ? get_device(link.value()) : link.error();

			/* It may be gone by now. */
			devices[relay.interface] = device ? device.take() : Device();
		}
		relay.peer_present = find_peer(devices[relay.interface], relay.peer) != nullptr;
	}
}

} // namespace nwgctl::netlink
