/* SPDX-License-Identifier: GPL-2.0 */
/* A WireGuard interface and its peers: as the kernel reports them, and as they are to be changed. */
#ifndef NWGCTL_DEVICE_HPP
#define NWGCTL_DEVICE_HPP

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "address.hpp"
#include "key.hpp"

namespace nwgctl
{

/* State of a peer. */
struct Peer {
	Key public_key;
	std::optional<Key> preshared_key;
	std::optional<Endpoint> endpoint;
	/* Seconds; 0 is off. */
	uint16_t keepalive = 0;
	/* CLOCK_REALTIME; seconds and nanoseconds are 0 if there was none. */
	timespec last_handshake{};
	uint64_t rx_bytes = 0, tx_bytes = 0;
	std::vector<Prefix> allowed_ips;
};

/* State of an interface. */
struct Device {
	std::string name, kind;
	std::optional<Key> private_key, public_key;
	uint16_t listen_port = 0;
	uint32_t fwmark = 0;
	std::vector<Peer> peers;
};

/* A change of one peer; what is absent stays as it is. */
struct PeerChange {
	Key public_key = {};
	bool remove = false;
	/* All zeroes removes it. */
	std::optional<Key> preshared_key = {};
	std::optional<Endpoint> endpoint = {};
	std::optional<uint16_t> keepalive = {};
	/* Whether the allowed IPs of the peer are dropped before those below are added. */
	bool replace_allowed_ips = false;
	std::vector<Prefix> allowed_ips = {};
};

/* A change of one interface; what is absent stays as it is. */
struct DeviceChange {
	/* All zeroes removes it. */
	std::optional<Key> private_key;
	std::optional<uint16_t> listen_port;
	std::optional<uint32_t> fwmark;
	/* Whether peers that are not named below are removed. */
	bool replace_peers = false;
	std::vector<PeerChange> peers;
};

} // namespace nwgctl

#endif
