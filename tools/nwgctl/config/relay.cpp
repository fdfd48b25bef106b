// SPDX-License-Identifier: GPL-2.0
#include "relay.hpp"

#include <fmt/format.h>

#include "value.hpp"

namespace nwgctl::config
{

Result<Key> parse_responder(std::string_view text)
{
	auto key = parse_public_key(text);

	if (key && key.value().is_zero())
		return usage_error("A responder's key is not all zeroes",
				   "leave it out, and mac1 of no responder is checked");
	return key;
}

Result<netlink::Source> parse_source(std::string_view text)
{
	static constexpr std::string_view pool = "pool";

	if (text == "masquerade")
		return netlink::Source{ .kind = NWG_SOURCE_MASQUERADE };
	if (text == "transparent")
		return netlink::Source{ .kind = NWG_SOURCE_TRANSPARENT };
	if (text.starts_with(pool) && text.size() > pool.size() &&
	    isspace(static_cast<unsigned char>(text[pool.size()]))) {
		text.remove_prefix(text.find_first_not_of(" \t\v\f\r", pool.size()));
		return netlink::Source{ .kind = NWG_SOURCE_POOL, .pool = TRY(parse_pool(text)) };
	}
	return usage_error(
		fmt::format("Source is none of masquerade, pool PREFIX, transparent: `{}'", text));
}

} // namespace nwgctl::config
