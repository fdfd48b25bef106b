// SPDX-License-Identifier: GPL-2.0
#include "device.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <linux/time_types.h>

#include "generic.hpp"

namespace nwgctl::netlink
{

/* Room for the largest that is put at once: a peer's fixed attributes, or an allowed IP. */
static constexpr std::size_t peer_room = 256, allowed_ip_room = 64;

static std::optional<Key> non_zero(std::optional<Key> key)
{
	return key && !key->is_zero() ? key : std::nullopt;
}

static std::optional<Endpoint> parse_endpoint(Attribute attribute)
{
	const auto bytes = attribute.payload();
	Endpoint endpoint;

	if (bytes.size() != sizeof(sockaddr_in) && bytes.size() != sizeof(sockaddr_in6))
		return std::nullopt;
	memcpy(&endpoint.storage, bytes.data(), bytes.size());
	if (endpoint.storage.ss_family != AF_INET && endpoint.storage.ss_family != AF_INET6)
		return std::nullopt;
	if (endpoint.length() != bytes.size())
		return std::nullopt;
	return endpoint;
}

static std::optional<Prefix> parse_allowed_ip(Attribute nest)
{
	const Attributes<NWG_ALLOWEDIP_A_MAX> attributes(nest);
	const auto family = attributes[NWG_ALLOWEDIP_A_FAMILY].get<uint16_t>();
	const auto length = attributes[NWG_ALLOWEDIP_A_CIDR_MASK].get<uint8_t>();
	const auto bytes = attributes[NWG_ALLOWEDIP_A_IPADDR].payload();

	if (family == AF_INET && bytes.size() == sizeof(in_addr) && length && *length <= 32)
		return Prefix{ Address::v4(bytes.data()), *length };
	if (family == AF_INET6 && bytes.size() == sizeof(in6_addr) && length && *length <= 128)
		return Prefix{ Address::v6(bytes.data()), *length };
	return std::nullopt;
}

static void add_peer(Device &device, Attribute nest)
{
	const Attributes<NWG_PEER_A_MAX> attributes(nest);
	const auto public_key = attributes[NWG_PEER_A_PUBLIC_KEY].key();

	if (!public_key)
		return;
	if (device.peers.empty() || device.peers.back().public_key != *public_key) {
		Peer peer;

		peer.public_key = *public_key;
		peer.preshared_key = non_zero(attributes[NWG_PEER_A_PRESHARED_KEY].key());
		peer.endpoint = parse_endpoint(attributes[NWG_PEER_A_ENDPOINT]);
		peer.keepalive = attributes[NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL]
					 .get<uint16_t>()
					 .value_or(0);
		if (const auto time =
			    attributes[NWG_PEER_A_LAST_HANDSHAKE_TIME].get<__kernel_timespec>())
			peer.last_handshake = { static_cast<time_t>(time->tv_sec),
						static_cast<long>(time->tv_nsec) };
		peer.rx_bytes = attributes[NWG_PEER_A_RX_BYTES].get<uint64_t>().value_or(0);
		peer.tx_bytes = attributes[NWG_PEER_A_TX_BYTES].get<uint64_t>().value_or(0);
		device.peers.push_back(std::move(peer));
	}
	for_each_attribute(attributes[NWG_PEER_A_ALLOWEDIPS].payload(),
			   [&](const nlattr *allowed_ip) {
				   if (const auto prefix = parse_allowed_ip(allowed_ip))
					   device.peers.back().allowed_ips.push_back(*prefix);
			   });
}

void add_device_message(Device &device, const SecretBytes &message)
{
	const Attributes<NWG_DEVICE_A_MAX> attributes(attributes_of(message, sizeof(genlmsghdr)));

	if (const auto key = non_zero(attributes[NWG_DEVICE_A_PRIVATE_KEY].key()))
		device.private_key = key;
	if (const auto key = non_zero(attributes[NWG_DEVICE_A_PUBLIC_KEY].key()))
		device.public_key = key;
	if (const auto port = attributes[NWG_DEVICE_A_LISTEN_PORT].get<uint16_t>())
		device.listen_port = *port;
	if (const auto fwmark = attributes[NWG_DEVICE_A_FWMARK].get<uint32_t>())
		device.fwmark = *fwmark;
	for_each_attribute(attributes[NWG_DEVICE_A_PEERS].payload(),
			   [&](const nlattr *peer) { add_peer(device, peer); });
}

static std::string hint_for(const Error &error, const Link &link, const DeviceChange *change)
{
	switch (error.number) {
	case EPERM:
		/* Where the kernel has a reason of its own, that is another namespace. */
		if (!error.kernel.empty())
			return {};
		return "be root, or have CAP_NET_ADMIN in the interface's network namespace";
	case ENODEV:
		return fmt::format("interface {0} is gone; make it: ip link add {0} type {1}",
				   link.name, link.kind);
	case EADDRINUSE:
		if (change && change->listen_port)
			return fmt::format(
				"see who has UDP port {0}: ss -ulpn sport = :{0}; a relay may have it too: "
				"nwgctl relay show",
				*change->listen_port);
		return {};
	default:
		return {};
	}
}

Result<Device> get_device(const Link &link)
{
	const auto operation = fmt::format("Unable to access interface {}", link.name);
	Family family = TRY(Family::open(link.kind));
	Request request = family.make(NWG_CMD_GET_DEVICE);
	Device device;

	request.put_u32(NWG_DEVICE_A_IFINDEX, static_cast<uint32_t>(link.index));
	auto messages = family.dump(request);
	if (!messages)
		return failed(messages.error(), operation,
			      hint_for(messages.error(), link, nullptr));
	device.name = link.name;
	device.kind = link.kind;
	for (const auto &message : messages.value())
		add_device_message(device, message);
	return device;
}

/* Splits a change over as many requests as it takes. */
class Splitter {
    public:
	Splitter(uint16_t family, const Link &link)
		: family(family)
		, link(link)
	{
		begin_request();
	}

	void device(const DeviceChange &change)
	{
		if (change.private_key)
			request().put(NWG_DEVICE_A_PRIVATE_KEY, change.private_key->raw());
		if (change.listen_port)
			request().put_u16(NWG_DEVICE_A_LISTEN_PORT, *change.listen_port);
		if (change.fwmark)
			request().put_u32(NWG_DEVICE_A_FWMARK, *change.fwmark);
		/* In the first message only: the rest adds to it. */
		if (change.replace_peers)
			request().put_u32(NWG_DEVICE_A_FLAGS, NWG_DEVICE_F_REPLACE_PEERS);
		for (const auto &peer : change.peers)
			add_peer(peer);
	}
	std::vector<Request> finish()
	{
		end_peers();
		return std::move(requests);
	}

    private:
	Request &request()
	{
		return requests.back();
	}
	bool fits(std::size_t room)
	{
		return request().length() + room <= Request::limit;
	}
	void begin_request()
	{
		requests.emplace_back(family, NWG_CMD_SET_DEVICE, NWG_GENL_VERSION, 0);
		request().put_u32(NWG_DEVICE_A_IFINDEX, static_cast<uint32_t>(link.index));
	}
	void end_peers()
	{
		if (peers)
			request().end_nest(*peers);
		peers.reset();
	}
	/* Only the first part of a peer replaces its allowed IPs. */
	std::size_t begin_peer(const PeerChange &peer, bool first)
	{
		uint32_t flags = 0;

		if (!fits(peer_room)) {
			end_peers();
			begin_request();
		}
		if (!peers)
			peers = request().begin_nest(NWG_DEVICE_A_PEERS);
		const std::size_t nest = request().begin_nest(0);
		request().put(NWG_PEER_A_PUBLIC_KEY, peer.public_key.raw());
		if (peer.remove)
			flags |= NWG_PEER_F_REMOVE_ME;
		if (first && peer.replace_allowed_ips)
			flags |= NWG_PEER_F_REPLACE_ALLOWEDIPS;
		if (flags)
			request().put_u32(NWG_PEER_A_FLAGS, flags);
		return nest;
	}
	void add_peer(const PeerChange &peer)
	{
		std::size_t nest = begin_peer(peer, true);

		if (peer.preshared_key)
			request().put(NWG_PEER_A_PRESHARED_KEY, peer.preshared_key->raw());
		if (peer.endpoint)
			request().put(NWG_PEER_A_ENDPOINT, &peer.endpoint->storage,
				      peer.endpoint->length());
		if (peer.keepalive)
			request().put_u16(NWG_PEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
					  *peer.keepalive);

		std::optional<std::size_t> list;
		for (const auto &prefix : peer.allowed_ips) {
			if (!fits(allowed_ip_room)) {
				request().end_nest(*list);
				request().end_nest(nest);
				list.reset();
				nest = begin_peer(peer, false);
			}
			if (!list)
				list = request().begin_nest(NWG_PEER_A_ALLOWEDIPS);
			const std::size_t item = request().begin_nest(0);
			request().put_u16(NWG_ALLOWEDIP_A_FAMILY, prefix.address.family);
			request().put(NWG_ALLOWEDIP_A_IPADDR, prefix.address.raw());
			request().put_u8(NWG_ALLOWEDIP_A_CIDR_MASK, prefix.length);
			request().end_nest(item);
		}
		if (list)
			request().end_nest(*list);
		request().end_nest(nest);
	}

	const uint16_t family;
	const Link &link;
	std::vector<Request> requests;
	std::optional<std::size_t> peers;
};

std::vector<Request> device_requests(uint16_t family, const Link &link, const DeviceChange &change)
{
	Splitter splitter(family, link);

	splitter.device(change);
	return splitter.finish();
}

Status set_device(const Link &link, const DeviceChange &change)
{
	Family family = TRY(Family::open(link.kind));

	for (auto &request : device_requests(family.number(), link, change)) {
		auto answer = family.request(request);

		if (!answer)
			return failed(answer.error(),
				      fmt::format("Unable to modify interface {}", link.name),
				      hint_for(answer.error(), link, &change));
	}
	return {};
}

} // namespace nwgctl::netlink
