// SPDX-License-Identifier: GPL-2.0
#include "file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "value.hpp"

namespace nwgctl::config
{

class Parser {
    public:
	Parser(const std::string &name, Mode mode)
		: name(name)
		, mode(mode)
	{
		if (mode != Mode::replace)
			return;
		change.private_key = Key();
		change.listen_port = 0;
		change.fwmark = 0;
		change.replace_peers = true;
	}

	/* @text without the end of the line */
	Status line(std::string_view text)
	{
		SecretText compact;

		number++;
		text = text.substr(0, text.find('#'));
		keyword = keyword_of(text);
		if (text.find('\0') != text.npos)
			return at_line(
				usage_error("NUL character in the file", "it is not a text file"));
		/* As wg(8) does, white space is left out wherever it is. */
		std::ranges::remove_copy_if(text, std::back_inserter(compact),
					    [](unsigned char character) {
						    return isspace(character);
					    });
		if (compact.empty())
			return {};
		const std::string_view statement(compact.data(), compact.size());
		if (is_word(statement, "[Interface]"))
			return begin_section(Section::interface);
		if (is_word(statement, "[Peer]"))
			return begin_section(Section::peer);
		auto status = assignment(statement);
		if (!status)
			return at_line(std::move(status.error()));
		return {};
	}
	Result<DeviceChange> finish()
	{
		TRY(end_section());
		return std::move(change);
	}

    private:
	enum class Section { none, interface, peer };

	Error at_line(Error error) const
	{
		error.what = fmt::format("{}:{}: {}", name, number, error.what);
		return error;
	}
	/* An error is of the section's first line, not of the one that ends it. */
	Status end_section()
	{
		if (section == Section::peer && !has_public_key)
			return usage_error(fmt::format("{}:{}: A peer is missing a public key",
						       name, section_line),
					   "add to its section: PublicKey = KEY");
		return {};
	}
	Status begin_section(Section next)
	{
		TRY(end_section());
		section = next;
		section_line = number;
		has_public_key = false;
		if (section == Section::peer)
			change.peers.push_back({ .replace_allowed_ips = true });
		return {};
	}
	Status assignment(std::string_view text)
	{
		const std::size_t equals = text.find('=');
		const auto key = text.substr(0, equals);
		const auto value = equals == text.npos ? "" : text.substr(equals + 1);

		if (value.empty())
			return unrecognized(equals != text.npos	     ? "=" :
					    keyword.starts_with('[') ? "" :
								       "...");
		if (section == Section::interface)
			return interface_value(key, value);
		if (section == Section::peer)
			return peer_value(key, value);
		return unrecognized("=...", "it stands before the first [Interface] or [Peer]");
	}
	/* Only the keyword is repeated: the rest may be a key. */
	Error unrecognized(const char *rest, const char *hint = "") const
	{
		return usage_error(fmt::format("Line unrecognized: `{}{}'", keyword, rest), hint);
	}
	Status interface_value(std::string_view key, std::string_view value)
	{
		if (is_word(key, "PrivateKey"))
			change.private_key = TRY(parse_secret_key(value));
		else if (is_word(key, "ListenPort"))
			change.listen_port = TRY(parse_port(value));
		else if (is_word(key, "FwMark"))
			change.fwmark = TRY(parse_fwmark(value));
		else
			return unrecognized("=...", wg_quick_hint(key));
		return {};
	}
	Status peer_value(std::string_view key, std::string_view value)
	{
		PeerChange &peer = change.peers.back();

		if (is_word(key, "PublicKey")) {
			peer.public_key = TRY(parse_public_key(value));
			has_public_key = true;
		} else if (is_word(key, "PresharedKey")) {
			peer.preshared_key = TRY(parse_secret_key(value));
		} else if (is_word(key, "AllowedIPs")) {
			std::ranges::move(TRY(parse_allowed_ips(value)),
					  std::back_inserter(peer.allowed_ips));
		} else if (is_word(key, "Endpoint")) {
			peer.endpoint = TRY(parse_endpoint(value));
		} else if (is_word(key, "PersistentKeepalive")) {
			peer.keepalive = TRY(parse_keepalive(value));
		} else {
			return unrecognized("=...");
		}
		return {};
	}
	static const char *wg_quick_hint(std::string_view key)
	{
		static constexpr std::array keys = { "Address", "DNS",	    "MTU",
						     "Table",	"PreUp",    "PostUp",
						     "PreDown", "PostDown", "SaveConfig" };

		if (std::ranges::any_of(keys,
					[&](const char *known) { return is_word(key, known); }))
			return "that is for wg-quick(8) or nwgctl up, which take the whole file";
		return "";
	}

	const std::string &name;
	const Mode mode;
	DeviceChange change;
	Section section = Section::none;
	unsigned int number = 0, section_line = 0;
	/* Of the line that is read. */
	std::string_view keyword;
	bool has_public_key = false;
};

Result<DeviceChange> parse(std::string_view text, const std::string &name, Mode mode)
{
	Parser parser(name, mode);

	while (!text.empty()) {
		const std::size_t end = std::min(text.find('\n'), text.size());

		TRY(parser.line(text.substr(0, end)));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return parser.finish();
}

Result<DeviceChange> load(const std::string &path, Mode mode)
{
	const SecretText text = TRY(read_file(path));

	return parse({ text.data(), text.size() }, path, mode);
}

std::string print(const Device &device)
{
	std::string text = "[Interface]\n";

	if (device.listen_port)
		text += fmt::format("ListenPort = {}\n", device.listen_port);
	if (device.fwmark)
		text += fmt::format("FwMark = 0x{:x}\n", device.fwmark);
	if (device.private_key)
		text += fmt::format("PrivateKey = {}\n", device.private_key->base64());
	text += '\n';
	for (const auto &peer : device.peers) {
		if (&peer != &device.peers.front())
			text += '\n';
		text += fmt::format("[Peer]\nPublicKey = {}\n", peer.public_key.base64());
		if (peer.preshared_key)
			text += fmt::format("PresharedKey = {}\n", peer.preshared_key->base64());
		if (!peer.allowed_ips.empty()) {
			std::vector<std::string> prefixes;

			for (const auto &prefix : peer.allowed_ips)
				prefixes.push_back(prefix.text());
			text += fmt::format("AllowedIPs = {}\n", fmt::join(prefixes, ", "));
		}
		if (peer.endpoint)
			text += fmt::format("Endpoint = {}\n", peer.endpoint->text());
		if (peer.keepalive)
			text += fmt::format("PersistentKeepalive = {}\n", peer.keepalive);
	}
	return text;
}

/* The peers of a file as they end up: what is said again of one counts, and a prefix is the last one's that names it. */
static std::vector<PeerChange> settle(const std::vector<PeerChange> &peers)
{
	std::map<Prefix, std::size_t> owner;
	std::map<Key, std::size_t> places;
	std::vector<PeerChange> settled;

	for (const auto &peer : peers) {
		const auto [place, added] = places.try_emplace(peer.public_key, settled.size());

		if (added)
			settled.push_back({ .public_key = peer.public_key });
		PeerChange &same = settled[place->second];
		if (peer.preshared_key)
			same.preshared_key = peer.preshared_key;
		if (peer.endpoint)
			same.endpoint = peer.endpoint;
		if (peer.keepalive)
			same.keepalive = peer.keepalive;
		same.replace_allowed_ips = true;
		same.allowed_ips = peer.allowed_ips;
		for (const auto &prefix : peer.allowed_ips)
			owner[prefix] = place->second;
	}
	for (std::size_t index = 0; index < settled.size(); index++)
		std::erase_if(settled[index].allowed_ips,
			      [&](const Prefix &prefix) { return owner.at(prefix) != index; });
	return settled;
}

static bool same_prefixes(std::vector<Prefix> a, std::vector<Prefix> b)
{
	for (auto *list : { &a, &b }) {
		std::ranges::sort(*list);
		list->erase(std::unique(list->begin(), list->end()), list->end());
	}
	return a == b;
}

/* Takes from @wanted what @current has. Returns whether something is left. */
static bool reduce(PeerChange &wanted, const Peer &current)
{
	if (wanted.preshared_key == current.preshared_key.value_or(Key()))
		wanted.preshared_key.reset();
	if (wanted.endpoint == current.endpoint)
		wanted.endpoint.reset();
	if (wanted.keepalive == current.keepalive)
		wanted.keepalive.reset();
	if (same_prefixes(wanted.allowed_ips, current.allowed_ips)) {
		wanted.replace_allowed_ips = false;
		wanted.allowed_ips.clear();
	}
	return wanted.preshared_key || wanted.endpoint || wanted.keepalive ||
	       wanted.replace_allowed_ips;
}

DeviceChange completed(DeviceChange wanted)
{
	wanted.peers = settle(wanted.peers);
	for (auto &peer : wanted.peers) {
		peer.preshared_key = peer.preshared_key.value_or(Key());
		peer.keepalive = peer.keepalive.value_or(0);
	}
	return wanted;
}

DeviceChange difference(const Device &current, const DeviceChange &wanted)
{
	std::vector<PeerChange> settled = settle(wanted.peers);
	std::map<Key, const Peer *> present;
	std::set<Key> kept;
	DeviceChange change;

	if (wanted.private_key && *wanted.private_key != current.private_key.value_or(Key()))
		change.private_key = wanted.private_key;
	if (wanted.listen_port && *wanted.listen_port != current.listen_port)
		change.listen_port = wanted.listen_port;
	if (wanted.fwmark && *wanted.fwmark != current.fwmark)
		change.fwmark = wanted.fwmark;
	for (const auto &peer : settled)
		kept.insert(peer.public_key);
	for (const auto &peer : current.peers) {
		present.emplace(peer.public_key, &peer);
		if (!kept.contains(peer.public_key))
			change.peers.push_back({ .public_key = peer.public_key, .remove = true });
	}
	for (auto &peer : settled) {
		const auto same = present.find(peer.public_key);

		if (same == present.end() || reduce(peer, *same->second))
			change.peers.push_back(std::move(peer));
	}
	return change;
}

} // namespace nwgctl::config
