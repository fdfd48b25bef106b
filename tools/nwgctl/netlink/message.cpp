// SPDX-License-Identifier: GPL-2.0
#include "message.hpp"

namespace nwgctl::netlink
{

Request::Request(uint16_t type, uint16_t flags)
	: buffer(capacity)
{
	mnl_nlmsg_put_header(buffer.data());
	header()->nlmsg_type = type;
	header()->nlmsg_flags = NLM_F_REQUEST | flags;
}

Request::Request(uint16_t family, uint8_t command, uint8_t version, uint16_t flags)
	: Request(family, flags)
{
	auto generic = static_cast<genlmsghdr *>(put_header(sizeof(genlmsghdr)));

	generic->cmd = command;
	generic->version = version;
}

void *Request::put_header(std::size_t size)
{
	return mnl_nlmsg_put_extra_header(header(), size);
}

void Request::put(uint16_t type, const void *data, std::size_t length)
{
	mnl_attr_put(header(), type, length, data);
}

std::size_t Request::begin_nest(uint16_t type)
{
	const std::size_t nest = length();

	mnl_attr_nest_start(header(), type);
	return nest;
}

void Request::end_nest(std::size_t nest)
{
	mnl_attr_nest_end(header(), reinterpret_cast<nlattr *>(buffer.data() + nest));
}

std::optional<Key> Attribute::key() const
{
	const auto bytes = payload();

	if (bytes.size() != NWG_KEY_LEN)
		return std::nullopt;
	return Key(bytes.first<NWG_KEY_LEN>());
}

std::string Attribute::string() const
{
	const auto bytes = payload();
	const auto text = reinterpret_cast<const char *>(bytes.data());

	return { text, bytes.empty() ? 0 : strnlen(text, bytes.size()) };
}

std::span<const uint8_t> attributes_of(const SecretBytes &message, std::size_t header_size)
{
	const std::size_t start = MNL_NLMSG_HDRLEN + MNL_ALIGN(header_size);

	if (message.size() < start)
		return {};
	return std::span(message).subspan(start);
}

} // namespace nwgctl::netlink
