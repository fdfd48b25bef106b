// SPDX-License-Identifier: GPL-2.0
#include "sockets.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>

#include <ifaddrs.h>

namespace nwgctl::diagnosis
{

bool Socket::takes(const Transport &listen) const
{
	if (port != listen.port)
		return false;
	if (!listen.address || local == *listen.address)
		return true;
	return local.is_unspecified() &&
	       (local.family == AF_INET6 || listen.address->family == AF_INET);
}

/* Each 32 bits are eight digits, in the order of this machine's bytes. */
static Address parse_address(const std::string &digits)
{
	static constexpr std::array<uint8_t, 12> mapped = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };
	std::array<uint8_t, 16> bytes{};

	for (std::size_t at = 0; at < std::min<std::size_t>(digits.size() / 8, 4); at++) {
		const auto word = static_cast<uint32_t>(
			strtoul(digits.substr(at * 8, 8).c_str(), nullptr, 16));

		memcpy(&bytes[at * 4], &word, sizeof(word));
	}
	if (digits.size() < 32)
		return Address::v4(bytes.data());
	if (std::ranges::equal(std::span(bytes).first(12), mapped))
		return Address::v4(&bytes[12]);
	return Address::v6(bytes.data());
}

static uint16_t parse_port(const std::string &digits)
{
	return static_cast<uint16_t>(strtoul(digits.c_str(), nullptr, 16));
}

/* "SLOT: LOCAL:PORT REMOTE:PORT STATE", in hexadecimal digits. */
std::vector<Socket> parse_sockets(const std::string &text)
{
	static constexpr const char *established = "01";
	std::istringstream lines(text);
	std::vector<Socket> sockets;
	std::string line;

	while (std::getline(lines, line)) {
		std::istringstream words(line);
		std::string slot, local, remote, state;

		words >> slot >> local >> remote >> state;
		const auto mine = local.find(':'), theirs = remote.find(':');
		if (mine == local.npos || theirs == remote.npos)
			continue;
		sockets.push_back({ parse_address(local.substr(0, mine)),
				    parse_port(local.substr(mine + 1)),
				    parse_address(remote.substr(0, theirs)),
				    parse_port(remote.substr(theirs + 1)), state == established });
	}
	return sockets;
}

static Address address_of(const sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return Address::v6(&reinterpret_cast<const sockaddr_in6 *>(address)->sin6_addr);
	return Address::v4(&reinterpret_cast<const sockaddr_in *>(address)->sin_addr);
}

static uint8_t length_of(const Address &mask)
{
	int length = 0;

	for (const uint8_t byte : mask.raw())
		length += std::popcount(byte);
	return static_cast<uint8_t>(length);
}

std::vector<Prefix> local_addresses()
{
	std::vector<Prefix> addresses;
	ifaddrs *list = nullptr;

	if (getifaddrs(&list))
		return addresses;
	for (const ifaddrs *item = list; item; item = item->ifa_next) {
		const sockaddr *address = item->ifa_addr;

		if (address && item->ifa_netmask &&
		    (address->sa_family == AF_INET || address->sa_family == AF_INET6))
			addresses.push_back(
				{ address_of(address), length_of(address_of(item->ifa_netmask)) });
	}
	freeifaddrs(list);
	return addresses;
}

std::vector<Socket> list_sockets(const std::string &protocol)
{
	std::ostringstream text;

	for (const char *version : { "", "6" })
		text << std::ifstream("/proc/net/" + protocol + version).rdbuf();
	return parse_sockets(text.str());
}

} // namespace nwgctl::diagnosis
