// SPDX-License-Identifier: GPL-2.0
#include "side.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <strings.h>

#include "../config/relay.hpp"
#include "../config/value.hpp"
#include "network.hpp"

namespace nwgctl::chain
{

const SidePeer *Side::peer(const Key &key) const
{
	for (const auto &peer : peers) {
		if (peer.public_key && *peer.public_key == key)
			return &peer;
	}
	return nullptr;
}

std::vector<const SideRelay *> Side::relays_to(const std::optional<Key> &home) const
{
	const SidePeer *wanted = home ? peer(*home) : nullptr;
	std::vector<const SideRelay *> found;

	for (const auto &relay : relays) {
		const SidePeer *other = relay.peer ? peer(*relay.peer) : nullptr;

		if (!wanted || !other || other == wanted)
			found.push_back(&relay);
	}
	return found;
}

Result<std::vector<Prefix>> parse_addresses(std::string_view text)
{
	std::vector<Prefix> addresses;

	for (;;) {
		const std::size_t comma = text.find(',');
		auto part = text.substr(0, comma);

		while (!part.empty() && isspace(static_cast<unsigned char>(part.front())))
			part.remove_prefix(1);
		while (!part.empty() && isspace(static_cast<unsigned char>(part.back())))
			part.remove_suffix(1);
		addresses.push_back(TRY(config::parse_interface_address(part)));
		if (comma == text.npos)
			return addresses;
		text.remove_prefix(comma + 1);
	}
}

static Result<std::pair<std::string, uint16_t>> parse_endpoint(std::string_view text)
{
	const std::size_t colon = text.rfind(':');

	if (colon == text.npos)
		return usage_error(fmt::format("No port in endpoint `{}'", text),
				   "write HOST:PORT, or [ADDR]:PORT for IPv6");
	auto host = TRY(parse_host(text.substr(0, colon)));
	const auto port = TRY(config::parse_port(text.substr(colon + 1)));
	if (!port)
		return usage_error("Port 0 is none", "write a number from 1 to 65535");
	return std::pair(std::move(host), port);
}

static Result<uint32_t> parse_mtu(std::string_view text)
{
	return config::parse_count(text, "MTU");
}

/* The kernel takes no pool with bits of a host. */
static Result<netlink::Source> parse_source(std::string_view text)
{
	auto source = TRY(config::parse_source(text));

	if (source.pool)
		TRY(parse_network(source.pool->text()));
	return source;
}

/* Reads the values of one section, and knows which keys it may have. */
class Reader {
    public:
	Reader(const Section &section, const Report &report)
		: section(section)
		, report(report)
	{
	}

	/* @parse makes a Result<T> of the text. */
	template <typename T, typename Parse> void get(const char *key, At<T> &place, Parse parse)
	{
		const Entry *entry = section.find(key);

		known.insert(key);
		place.line = section.line;
		if (!entry)
			return;
		place.line = entry->line;
		auto value = parse(entry->value);
		if (value)
			place.value = value.take();
		else
			report_value(entry->line, value.error());
	}
	/* AllowedIPs and Address may be there several times, and add up. */
	void get_list(const char *key, At<std::vector<Prefix>> &place)
	{
		known.insert(key);
		place.line = section.line;
		for (const auto &entry : section.entries) {
			if (strcasecmp(entry.key.c_str(), key))
				continue;
			place.line = entry.line;
			auto list = parse_addresses(entry.value);
			if (!list) {
				report_value(entry.line, list.error());
				continue;
			}
			if (!place.value)
				place.value.emplace();
			place.value->insert(place.value->end(), list.value().begin(),
					    list.value().end());
		}
	}
	/* What adds up, too, and is not read. */
	void get_each(const char *key, std::vector<At<std::string>> &places)
	{
		known.insert(key);
		for (const auto &entry : section.entries) {
			if (!strcasecmp(entry.key.c_str(), key))
				places.push_back({ entry.value, entry.line });
		}
	}
	void require(const char *key)
	{
		if (!section.find(key))
			report(section.line, fmt::format("[{}] has no {}", section.name, key),
			       fmt::format("add a line: {} = ...", key));
	}
	void allow(std::initializer_list<const char *> keys)
	{
		known.insert(keys.begin(), keys.end());
	}
	void finish()
	{
		for (const auto &entry : section.entries) {
			if (std::ranges::none_of(known, [&entry](const std::string &key) {
				    return !strcasecmp(key.c_str(), entry.key.c_str());
			    }))
				report(entry.line,
				       fmt::format("[{}] has no key `{}'", section.name, entry.key),
				       "take it out, or see nwgctl(8) for how it is spelt");
		}
	}

    private:
	void report_value(unsigned int line, const Error &error) const
	{
		report(line, error.what,
		       error.hint.empty() ? "see nwg.conf(5) for what it may be" : error.hint);
	}

	const Section &section;
	const Report &report;
	std::set<std::string> known;
};

static void read_interface(const Section &section, bool relays, Side &side, const Report &report)
{
	Reader reader(section, report);

	side.line = section.line;
	reader.require("PrivateKey");
	reader.get("PrivateKey", side.private_key,
		   [](const std::string &text) { return config::parse_secret_key(text); });
	reader.get("ListenPort", side.port,
		   [](const std::string &text) { return config::parse_port(text); });
	reader.get("FwMark", side.mark,
		   [](const std::string &text) { return config::parse_fwmark(text); });
	reader.get("MTU", side.mtu, [](const std::string &text) { return parse_mtu(text); });
	reader.get_list("Address", side.addresses);
	reader.get("Table", side.table,
		   [](const std::string &text) -> Result<std::string> { return text; });
	reader.get_each("DNS", side.dns);
	reader.allow({ "PreUp", "PostUp", "PreDown", "PostDown", "SaveConfig" });
	if (relays)
		reader.allow({ "Kind" });
	reader.finish();
}

static SidePeer read_peer(const Section &section, const Report &report)
{
	Reader reader(section, report);
	SidePeer peer;

	peer.line = section.line;
	reader.require("PublicKey");
	reader.get("PublicKey", peer.public_key,
		   [](const std::string &text) { return config::parse_public_key(text); });
	reader.get("PresharedKey", peer.preshared_key,
		   [](const std::string &text) { return config::parse_secret_key(text); });
	reader.get_list("AllowedIPs", peer.allowed);
	reader.get("Endpoint", peer.endpoint,
		   [](const std::string &text) { return parse_endpoint(text); });
	reader.get("PersistentKeepalive", peer.keepalive,
		   [](const std::string &text) { return config::parse_keepalive(text); });
	reader.finish();
	/* As the kernel does: of an allowed IP the network counts. */
	if (peer.allowed) {
		for (auto &prefix : *peer.allowed.value)
			prefix.address = prefix.address.masked(prefix.length);
	}
	return peer;
}

static SideRelay read_relay(const Section &section, const Report &report)
{
	Reader reader(section, report);
	SideRelay relay;
	At<uint32_t> limit;

	relay.line = section.line;
	for (const char *key : { "Listen", "Peer", "To" })
		reader.require(key);
	reader.get("Listen", relay.listen,
		   [](const std::string &text) { return config::parse_listen(text); });
	reader.get("To", relay.to,
		   [](const std::string &text) { return config::parse_transport(text); });
	reader.get("Peer", relay.peer,
		   [](const std::string &text) { return config::parse_public_key(text); });
	reader.get("ResponderKey", relay.responder,
		   [](const std::string &text) { return config::parse_responder(text); });
	reader.get("Source", relay.source,
		   [](const std::string &text) { return parse_source(text); });
	for (const char *key : { "Limit", "LimitPerSource" })
		reader.get(key, limit, [key](const std::string &text) {
			return config::parse_count(text, key);
		});
	reader.finish();
	return relay;
}

Side read_side(const Conf &conf, bool relays, const Report &report)
{
	Side side;

	side.file = conf.name;
	for (const auto &fault : conf.faults)
		report(fault.line, fault.what, "see wg-quick(8) for the format");
	for (const auto &section : conf.sections) {
		if (!strcasecmp(section.name.c_str(), "Interface"))
			read_interface(section, relays, side, report);
		else if (!strcasecmp(section.name.c_str(), "Peer"))
			side.peers.push_back(read_peer(section, report));
		else if (relays && !strcasecmp(section.name.c_str(), "Relay"))
			side.relays.push_back(read_relay(section, report));
		else
			report(section.line,
			       fmt::format("[{}] is no section of this file", section.name),
			       relays ? "there are [Interface], [Peer] and [Relay]" :
					"there are [Interface] and [Peer]");
	}
	if (!conf.section("Interface"))
		report(1, "There is no [Interface]", "it has the private key, address and MTU");
	return side;
}

/* For how many numbers from @host on somebody has an address of that number for sure; 0 if nobody has @host's. */
static uint32_t hosts_taken(const Side &wg0, uint32_t host)
{
	for (const auto &own : wg0.addresses.value.value_or(std::vector<Prefix>())) {
		const auto address = host_of({ own.address.masked(own.length), own.length }, host);

		if (!address)
			continue;
		if (*address == own.address)
			return 1;
		for (const auto &peer : wg0.peers) {
			for (const auto &allowed :
			     peer.allowed.value.value_or(std::vector<Prefix>())) {
				/* What has all of the network in it is a fault of another kind. */
				if (allowed.length > own.length && contains(allowed, *address))
					return addresses_from(allowed, *address);
			}
		}
	}
	return 0;
}

uint32_t free_host(const Side &wg0, uint32_t host)
{
	while (const uint32_t taken = hosts_taken(wg0, host)) {
		if (taken >= UINT32_MAX - host)
			return 0;
		host += taken;
	}
	return host;
}

} // namespace nwgctl::chain
