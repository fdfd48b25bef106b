/* SPDX-License-Identifier: GPL-2.0 */
/* A tunnel's end as its file has it: values read, and what cannot be read reported by its line. */
#ifndef NWGCTL_CHAIN_SIDE_HPP
#define NWGCTL_CHAIN_SIDE_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../address.hpp"
#include "../key.hpp"
#include "../netlink/relay.hpp"
#include "../result.hpp"
#include "conf.hpp"

namespace nwgctl::chain
{

/* A value and its line; false if the file does not have it. */
template <typename T> struct At {
	std::optional<T> value;
	/* Of the section, where the value is not there. */
	unsigned int line = 0;

	explicit operator bool() const
	{
		return value.has_value();
	}
	const T &operator*() const
	{
		return *value;
	}
	const T *operator->() const
	{
		return &*value;
	}
};

struct SidePeer {
	/* Of the section. */
	unsigned int line = 0;
	At<Key> public_key, preshared_key;
	At<std::vector<Prefix>> allowed;
	/* Host and port, which are not looked up. */
	At<std::pair<std::string, uint16_t>> endpoint;
	At<uint16_t> keepalive;
};

struct SideRelay {
	unsigned int line = 0;
	At<Transport> listen, to;
	At<Key> peer, responder;
	At<netlink::Source> source;
};

struct Side {
	/* Path of the file. */
	std::string file;
	/* Of [Interface]; 1 without one. */
	unsigned int line = 1;
	At<Key> private_key;
	At<uint16_t> port;
	At<std::vector<Prefix>> addresses;
	At<uint32_t> mtu, mark;
	/* As they are written; DNS may be there several times. */
	At<std::string> table;
	std::vector<At<std::string>> dns;
	std::vector<SidePeer> peers;
	std::vector<SideRelay> relays;

	/* The peer that has the key; nullptr if none. */
	const SidePeer *peer(const Key &key) const;
	/*
	 * The relays that lead to the peer with the key of @home, and those of which that is not clear: what a relay has for its
	 * peer may be wrong, and so may the peers.
	 */
	std::vector<const SideRelay *> relays_to(const std::optional<Key> &home) const;
};

/* Told of each line that cannot be read: what is wrong, and the remedy. */
using Report =
	std::function<void(unsigned int line, const std::string &what, const std::string &remedy)>;

/* @relays: whether sections [Relay], and Kind in [Interface], may be there. */
Side read_side(const Conf &conf, bool relays, const Report &report);

/* The first number from @host on of whose addresses wg0 and its peers have none; see host_of(). 0 if there is none. */
uint32_t free_host(const Side &wg0, uint32_t host);

/* ADDR/LENGTH,... with host bits, as Address has them; without a length that of one address. */
Result<std::vector<Prefix>> parse_addresses(std::string_view text);

} // namespace nwgctl::chain

#endif
