// SPDX-License-Identifier: GPL-2.0
#include "address.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

namespace nwgctl
{

Address Address::v4(const void *raw)
{
	Address address;

	memcpy(address.bytes.data(), raw, 4);
	return address;
}

Address Address::v6(const void *raw)
{
	Address address;

	address.family = AF_INET6;
	memcpy(address.bytes.data(), raw, 16);
	return address;
}

std::optional<Address> Address::from_text(std::string_view text)
{
	const std::string terminated(text);
	Address address;

	/* inet_pton() would stop at a NUL and not see what follows. */
	if (text.find('\0') != text.npos)
		return std::nullopt;
	address.family = text.find(':') == text.npos ? AF_INET : AF_INET6;
	if (inet_pton(address.family, terminated.c_str(), address.bytes.data()) != 1)
		return std::nullopt;
	return address;
}

std::string Address::text() const
{
	char text[INET6_ADDRSTRLEN];

	return inet_ntop(family, bytes.data(), text, sizeof(text)) ? text : "?";
}

bool Address::is_unspecified() const
{
	return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

Address Address::masked(uint8_t prefix_length) const
{
	Address masked = *this;

	for (unsigned int bit = prefix_length; bit < bits(); bit++)
		masked.bytes[bit / 8] &= ~(0x80 >> bit % 8);
	return masked;
}

std::string Prefix::text() const
{
	return fmt::format("{}/{}", address.text(), length);
}

socklen_t Endpoint::length() const
{
	return storage.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

Address Endpoint::address() const
{
	if (storage.ss_family == AF_INET)
		return Address::v4(&reinterpret_cast<const sockaddr_in *>(&storage)->sin_addr);
	return Address::v6(&reinterpret_cast<const sockaddr_in6 *>(&storage)->sin6_addr);
}

std::string Endpoint::text() const
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo(reinterpret_cast<const sockaddr *>(&storage), length(), host, sizeof(host),
			port, sizeof(port), NI_DGRAM | NI_NUMERICHOST | NI_NUMERICSERV))
		return "?";
	return strchr(host, ':') ? fmt::format("[{}]:{}", host, port) :
				   fmt::format("{}:{}", host, port);
}

bool Endpoint::operator==(const Endpoint &other) const
{
	return storage.ss_family == other.storage.ss_family &&
	       !memcmp(&storage, &other.storage, length());
}

std::string Transport::text() const
{
	std::string host = address ? address->text() : "*";

	if (address && address->family == AF_INET6)
		host = fmt::format("[{}]", host);
	if (!interface.empty())
		host += "%" + interface;
	return fmt::format("{}:{}", host, port);
}

std::string Transport::words() const
{
	if (address)
		return text();
	return interface.empty() ? fmt::format("{}", port) : fmt::format("%{}:{}", interface, port);
}

bool overlap(const Transport &a, const Transport &b)
{
	return a.port == b.port &&
	       (a.interface.empty() || b.interface.empty() || a.interface == b.interface) &&
	       (!a.address || !b.address || a.address == b.address);
}

} // namespace nwgctl
