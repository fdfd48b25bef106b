// SPDX-License-Identifier: GPL-2.0
#include "notes.hpp"

#include <fmt/format.h>

#include "../render/block.hpp"
#include "network.hpp"

namespace nwgctl::chain
{

std::string print_notes(const Notes &notes)
{
	render::Json json{ { "version", 1 },
			   { "lan", render::Json::array() },
			   { "dns", render::Json::array() },
			   { "full", notes.full },
			   { "last_host", notes.last_host } };

	for (const auto &network : notes.lan)
		json["lan"].push_back(network.text());
	for (const auto &address : notes.dns)
		json["dns"].push_back(address.text());
	return json.dump(4) + "\n";
}

Result<Notes> parse_notes(std::string_view text, const std::string &name)
{
	const auto json = render::Json::parse(text, nullptr, false);
	const std::string hint = "nwgctl chain new wrote it: put it back from a copy";
	Notes notes;

	if (!json.is_object())
		return usage_error(fmt::format("{}: not JSON, or not an object", name), hint);
	if (json.value("version", render::Json()) != 1)
		return usage_error(fmt::format("{}: not of version 1", name),
				   "another version of nwgctl wrote it");
	for (const char *list : { "lan", "dns" }) {
		if (!json.contains(list) || !json[list].is_array())
			return usage_error(fmt::format("{}: no list `{}'", name, list), hint);
	}
	if (!json.contains("full") || !json["full"].is_boolean())
		return usage_error(fmt::format("{}: `full' is neither true nor false", name), hint);
	if (!json.contains("last_host") || !json["last_host"].is_number_unsigned() ||
	    json["last_host"] > UINT32_MAX - 1)
		return usage_error(fmt::format("{}: `last_host' is no number", name), hint);
	for (const auto &entry : json["lan"]) {
		auto network =
			parse_network(entry.is_string() ? entry.get<std::string>() : entry.dump());

		if (!network)
			return usage_error(fmt::format("{}: {}", name, network.error().what),
					   network.error().hint.empty() ? hint :
									  network.error().hint);
		notes.lan.push_back(network.take());
	}
	for (const auto &entry : json["dns"]) {
		const auto address =
			Address::from_text(entry.is_string() ? entry.get<std::string>() : "");

		if (!address)
			return usage_error(fmt::format("{}: `dns' has what is no address", name),
					   hint);
		notes.dns.push_back(*address);
	}
	notes.full = json["full"];
	notes.last_host = json["last_host"];
	return notes;
}

} // namespace nwgctl::chain
