/* SPDX-License-Identifier: GPL-2.0 */
/* Netlink messages: built up, and read with every length checked. */
#ifndef NWGCTL_NETLINK_MESSAGE_HPP
#define NWGCTL_NETLINK_MESSAGE_HPP

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "../key.hpp"
#include "../secret.hpp"

namespace nwgctl::netlink
{

/* A request under construction. It may hold keys, so that its memory is wiped. */
class Request {
    public:
	/*
	 * A nest's length is 16 bits and so must be what goes into one. The kernel takes messages of this size, and whoever
	 * fills one stops at @limit, well before.
	 */
	static constexpr std::size_t capacity = 0xffff, limit = 0x8000;

	Request(uint16_t type, uint16_t flags);
	/* Of a generic netlink family. */
	Request(uint16_t family, uint8_t command, uint8_t version, uint16_t flags);

	nlmsghdr *header()
	{
		return reinterpret_cast<nlmsghdr *>(buffer.data());
	}
	std::size_t length()
	{
		return header()->nlmsg_len;
	}
	/* Room for the fixed header of an rtnetlink message, all zeroes. */
	void *put_header(std::size_t size);
	void put(uint16_t type, const void *data, std::size_t length);
	void put(uint16_t type, std::span<const uint8_t> data)
	{
		put(type, data.data(), data.size());
	}
	void put_u8(uint16_t type, uint8_t value)
	{
		put(type, &value, sizeof(value));
	}
	void put_u16(uint16_t type, uint16_t value)
	{
		put(type, &value, sizeof(value));
	}
	void put_u32(uint16_t type, uint32_t value)
	{
		put(type, &value, sizeof(value));
	}
	void put_string(uint16_t type, const std::string &text)
	{
		put(type, text.c_str(), text.size() + 1);
	}
	/* Returns what end_nest() takes. */
	std::size_t begin_nest(uint16_t type);
	void end_nest(std::size_t nest);

    private:
	SecretBytes buffer;
};

/* One attribute of a received message, or none. */
class Attribute {
    public:
	Attribute(const nlattr *attribute = nullptr)
		: attribute(attribute)
	{
	}
	explicit operator bool() const
	{
		return attribute != nullptr;
	}
	std::span<const uint8_t> payload() const
	{
		if (!attribute)
			return {};
		return { static_cast<const uint8_t *>(mnl_attr_get_payload(attribute)),
			 mnl_attr_get_payload_len(attribute) };
	}
	/* A value of just this size; nothing if there is none. */
	template <typename T> std::optional<T> get() const
	{
		const auto bytes = payload();
		T value;

		if (!attribute || bytes.size() != sizeof(value))
			return std::nullopt;
		memcpy(&value, bytes.data(), sizeof(value));
		return value;
	}
	std::optional<Key> key() const;
	/* Up to the first NUL. */
	std::string string() const;
	const nlattr *raw() const
	{
		return attribute;
	}

    private:
	const nlattr *attribute;
};

/* Calls @call with each attribute in @bytes that is whole. */
template <typename Call> void for_each_attribute(std::span<const uint8_t> bytes, Call call)
{
	auto attribute = reinterpret_cast<const nlattr *>(bytes.data());
	std::size_t left = bytes.size();

	while (mnl_attr_ok(attribute, left)) {
		const std::size_t step = MNL_ALIGN(attribute->nla_len);

		call(attribute);
		if (step >= left)
			break;
		left -= step;
		attribute = mnl_attr_next(attribute);
	}
}

/* Attributes by type; of types above @Max, or twice there, the last counts. */
template <std::size_t Max> class Attributes {
    public:
	explicit Attributes(std::span<const uint8_t> bytes)
	{
		for_each_attribute(bytes, [this](const nlattr *attribute) {
			const auto type = mnl_attr_get_type(attribute);

			if (type <= Max)
				by_type[type] = attribute;
		});
	}
	explicit Attributes(Attribute nest)
		: Attributes(nest.payload())
	{
	}
	Attribute operator[](std::size_t type) const
	{
		return by_type[type];
	}

    private:
	std::array<const nlattr *, Max + 1> by_type{};
};

/* What follows the fixed header of @header_size bytes in a received message; empty if it is shorter. */
std::span<const uint8_t> attributes_of(const SecretBytes &message, std::size_t header_size);

} // namespace nwgctl::netlink

#endif
