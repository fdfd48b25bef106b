/* SPDX-License-Identifier: GPL-2.0 */
/* The arithmetic of a chain: addresses out of prefixes, and what fits into a tunnel inside a tunnel. */
#ifndef NWGCTL_CHAIN_NETWORK_HPP
#define NWGCTL_CHAIN_NETWORK_HPP

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../address.hpp"
#include "../result.hpp"

namespace nwgctl::chain
{

/* ADDR/LENGTH of a network: host bits are an error, whose hint has the network. */
Result<Prefix> parse_network(std::string_view text);
/* An address, numeric, or a host name by its form; it is not looked up. */
Result<std::string> parse_host(std::string_view text);
/* HOST:PORT, with brackets around an IPv6 address. */
std::string host_port(const std::string &host, uint16_t port);

/*
 * Host @number of the network, from 1 on; nothing if it has no such host. The first address of a network and the last one
 * of IPv4 are no hosts, unless it is of two addresses.
 */
std::optional<Address> host_of(const Prefix &network, uint32_t number);
/* The number that host_of() has for the address; 0 if it is no host of the network, or a number that needs more bits. */
uint32_t host_number(const Prefix &network, const Address &address);

/* How many addresses the prefix has from this one of its own on, or UINT32_MAX if there are more. */
uint32_t addresses_from(const Prefix &prefix, const Address &address);

bool contains(const Prefix &prefix, const Address &address);
bool contains(std::span<const Prefix> prefixes, const Address &address);
bool has_family(std::span<const Prefix> prefixes, uint16_t family);
/* IPv4 or IPv6 */
const char *family_name(uint16_t family);
/* Of a network that is not of the internet; see RFC 1918 and RFC 4193. */
bool is_private(const Address &address);
/* Whether nobody on the internet can send to it: what listens there is translated to, if it is to be reached. */
bool is_unreachable(const Address &address);
bool overlap(const Prefix &a, const Prefix &b);
/* All addresses of a family. */
Prefix everything(uint16_t family);
/* The prefix of one address. */
Prefix single(const Address &address);

/* Smallest MTU that IPv4 and IPv6 may have; see RFC 791 and RFC 8200. */
inline constexpr uint32_t least_mtu4 = 68, least_mtu6 = 1280;

/*
 * Bytes of the IP packet that carries a tunnel's packet of @size bytes: WireGuard pads it to a multiple of 16, though not
 * beyond @mtu of the tunnel, and adds 32; UDP adds 8, and IP of @family 20 or 40.
 */
uint32_t carrier_size(uint32_t size, uint32_t mtu, uint16_t family);
/* The largest MTU of a tunnel whose messages, over @family, fit whole into @outer; 0 if nothing does. */
uint32_t inner_mtu(uint32_t outer, uint16_t family);

} // namespace nwgctl::chain

#endif
