/* SPDX-License-Identifier: GPL-2.0 */
/* IP addresses, prefixes and endpoints, and their text forms. */
#ifndef NWGCTL_ADDRESS_HPP
#define NWGCTL_ADDRESS_HPP

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

namespace nwgctl
{

/* An IPv4 or IPv6 address without port or scope. */
struct Address {
	uint16_t family = AF_INET;
	/* Network byte order; an IPv4 address has the first four. */
	std::array<uint8_t, 16> bytes{};

	static Address v4(const void *raw);
	static Address v6(const void *raw);
	/* Numeric text only; nothing if it is none. */
	static std::optional<Address> from_text(std::string_view text);

	std::span<const uint8_t> raw() const
	{
		return { bytes.data(), family == AF_INET ? 4u : 16u };
	}
	uint8_t bits() const
	{
		return family == AF_INET ? 32 : 128;
	}
	std::string text() const;
	bool is_unspecified() const;
	/* With the bits behind the prefix set to 0. */
	Address masked(uint8_t prefix_length) const;
	auto operator<=>(const Address &) const = default;
};

/* An allowed IP. */
struct Prefix {
	Address address;
	uint8_t length = 0;

	std::string text() const;
	auto operator<=>(const Prefix &) const = default;
};

/* The UDP endpoint of a peer: struct sockaddr_in or sockaddr_in6, with the scope that the latter can have. */
struct Endpoint {
	sockaddr_storage storage{};

	socklen_t length() const;
	Address address() const;
	/* ADDR:PORT or [ADDR%SCOPE]:PORT */
	std::string text() const;
	bool operator==(const Endpoint &other) const;
};

/*
 * An address and a port; ADDR:PORT, [ADDR]:PORT, or without an address *:PORT. Of what listens on one interface, that is
 * its, too, written as ss does: ADDR%DEV:PORT.
 */
struct Transport {
	std::optional<Address> address;
	uint16_t port = 0;
	/* Empty: all */
	std::string interface = {};

	std::string text() const;
	/* Of what listens, as it is typed: a shell would take the star of *:PORT for files. */
	std::string words() const;
	bool operator==(const Transport &) const = default;
};

/* Whether two relays would listen to the same, of which the kernel makes one only. */
bool overlap(const Transport &a, const Transport &b);

} // namespace nwgctl

#endif
