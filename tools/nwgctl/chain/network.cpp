// SPDX-License-Identifier: GPL-2.0
#include "network.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace nwgctl::chain
{

Result<Prefix> parse_network(std::string_view text)
{
	const std::size_t slash = text.find('/');
	const auto digits = slash == text.npos ? "" : text.substr(slash + 1);
	const auto address = Address::from_text(text.substr(0, slash));
	unsigned int length = 0;

	if (!address || digits.empty() || digits.size() > 3 ||
	    !std::ranges::all_of(digits, [](unsigned char digit) { return isdigit(digit); }))
		return usage_error(fmt::format("Unable to parse network: `{}'", text),
				   "write ADDR/LENGTH, as 192.168.88.0/24");
	for (const char digit : digits)
		length = length * 10 + static_cast<unsigned int>(digit - '0');
	if (length > address->bits())
		return usage_error(fmt::format("Length of a network is not from 0 to {}: `{}'",
					       address->bits(), text));
	const Prefix network{ address->masked(static_cast<uint8_t>(length)),
			      static_cast<uint8_t>(length) };
	if (network.address != *address)
		return usage_error(fmt::format("`{}' is an address in a network, and no network",
					       text),
				   fmt::format("the network is {}", network.text()));
	return network;
}

Result<std::string> parse_host(std::string_view text)
{
	const std::string hint = "write an address, without brackets and port, or a host name";
	const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
	const auto inner = bracketed ? text.substr(1, text.size() - 2) : text;

	if (const auto address = Address::from_text(inner)) {
		if (address->is_unspecified())
			return usage_error(fmt::format("`{}' is no single address", text), hint);
		return address->text();
	}
	const auto allowed = [](unsigned char letter) {
		return isalnum(letter) || letter == '-' || letter == '.' || letter == '_';
	};
	/* What is all digits and dots is an address with a fault in it. */
	const bool digits = std::ranges::all_of(text, [](unsigned char letter) {
		return isdigit(letter) || letter == '.';
	});
	if (text.empty() || text.size() > 253 || digits || text.front() == '-' ||
	    text.front() == '.' || !std::ranges::all_of(text, allowed))
		return usage_error(fmt::format("`{}' is neither an address nor a host name", text),
				   hint);
	return std::string(text);
}

std::string host_port(const std::string &host, uint16_t port)
{
	return host.find(':') == host.npos ? fmt::format("{}:{}", host, port) :
					     fmt::format("[{}]:{}", host, port);
}

/* Whether a network is of two addresses, both of which are hosts. */
static bool is_pair(const Prefix &network)
{
	return network.length + 1 == network.address.bits();
}

/* The 32 last bits, which are all that numbers reach. */
static uint32_t low_bits(const Address &address)
{
	const auto raw = address.raw();
	uint32_t bits = 0;

	for (const uint8_t byte : raw.last(4))
		bits = bits << 8 | byte;
	return bits;
}

std::optional<Address> host_of(const Prefix &network, uint32_t number)
{
	const unsigned int host_bits = network.address.bits() - network.length;
	const uint64_t size = host_bits >= 32 ? uint64_t(1) << 32 : uint64_t(1) << host_bits;
	const bool broadcast = network.address.family == AF_INET && !is_pair(network);
	const uint64_t offset = is_pair(network) ? uint64_t(number) - 1 : number;
	Address address = network.address;

	if (!number || host_bits == 0 || offset + (broadcast ? 1 : 0) >= size)
		return std::nullopt;
	const uint32_t bits = low_bits(address) | static_cast<uint32_t>(offset);
	for (unsigned int byte = 0; byte < 4; byte++)
		address.bytes[address.bits() / 8 - 1 - byte] =
			static_cast<uint8_t>(bits >> 8 * byte);
	return address;
}

uint32_t host_number(const Prefix &network, const Address &address)
{
	if (!contains(network, address))
		return 0;
	const uint32_t number =
		low_bits(address) - low_bits(network.address) + (is_pair(network) ? 1 : 0);
	return host_of(network, number) == address ? number : 0;
}

uint32_t addresses_from(const Prefix &prefix, const Address &address)
{
	const unsigned int host_bits = address.bits() - prefix.length;
	const uint32_t size = host_bits < 32 ? uint32_t(1) << host_bits : 0;

	return size ? size - (low_bits(address) & (size - 1)) : UINT32_MAX;
}

bool contains(const Prefix &prefix, const Address &address)
{
	return prefix.address.family == address.family &&
	       address.masked(prefix.length) == prefix.address;
}

bool contains(std::span<const Prefix> prefixes, const Address &address)
{
	return std::ranges::any_of(prefixes, [&address](const Prefix &prefix) {
		return contains(prefix, address);
	});
}

bool has_family(std::span<const Prefix> prefixes, uint16_t family)
{
	return std::ranges::any_of(prefixes, [family](const Prefix &prefix) {
		return prefix.address.family == family;
	});
}

const char *family_name(uint16_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static bool is_in(std::span<const char *const> networks, const Address &address)
{
	return std::ranges::any_of(networks, [&address](const char *network) {
		return contains(parse_network(network).take(), address);
	});
}

bool is_private(const Address &address)
{
	static constexpr const char *networks[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
						    "fc00::/7" };

	return is_in(networks, address);
}

bool is_unreachable(const Address &address)
{
	/* Of a provider's NAT, of a link, and of the machine itself. */
	static constexpr const char *networks[] = { "100.64.0.0/10", "169.254.0.0/16",
						    "127.0.0.0/8", "fe80::/10", "::1/128" };

	return is_private(address) || is_in(networks, address);
}

bool overlap(const Prefix &a, const Prefix &b)
{
	return a.length <= b.length ? contains(a, b.address) : contains(b, a.address);
}

Prefix everything(uint16_t family)
{
	Prefix prefix;

	prefix.address.family = family;
	return prefix;
}

Prefix single(const Address &address)
{
	return { address, address.bits() };
}

static uint32_t headers(uint16_t family)
{
	static constexpr uint32_t message = 32, udp = 8, ip4 = 20, ip6 = 40;

	return message + udp + (family == AF_INET ? ip4 : ip6);
}

uint32_t carrier_size(uint32_t size, uint32_t mtu, uint16_t family)
{
	return std::min((size + 15) / 16 * 16, std::max(size, mtu)) + headers(family);
}

uint32_t inner_mtu(uint32_t outer, uint16_t family)
{
	return outer > headers(family) ? outer - headers(family) : 0;
}

} // namespace nwgctl::chain
