// SPDX-License-Identifier: GPL-2.0
#include "quick.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "../netlink/route.hpp"
#include "../say.hpp"
#include "file.hpp"
#include "relay.hpp"
#include "value.hpp"

namespace nwgctl::config
{

static constexpr std::string_view suffix = ".conf";
/* Where names of routing tables are, in rt_tables and rt_tables.d/; the first is the administrator's. */
static constexpr std::array table_directories = { "/etc/iproute2", "/usr/share/iproute2" };
/* What an IPv4 host must take, and what a device can have. */
static constexpr uint32_t min_mtu = 68, max_mtu = 65535 - 80;

static std::string_view trimmed(std::string_view text)
{
	while (!text.empty() && isspace(static_cast<unsigned char>(text.front())))
		text.remove_prefix(1);
	while (!text.empty() && isspace(static_cast<unsigned char>(text.back())))
		text.remove_suffix(1);
	return text;
}

/* What is between commas and white space, as wg-quick(8) has it. */
static std::vector<std::string> parse_list(std::string_view text)
{
	std::string spaced(text);
	std::vector<std::string> list;
	std::string item;

	std::ranges::replace(spaced, ',', ' ');
	for (std::istringstream items(spaced); items >> item;)
		list.push_back(item);
	return list;
}

/* Whether it is meant to be the address of a server; else it is a domain. */
static bool is_server(std::string_view item)
{
	return item.find(':') != item.npos ||
	       std::ranges::all_of(item, [](unsigned char character) {
		       return isdigit(character) || character == '.';
	       });
}

/* An IPv6 address may have an interface behind it. */
static Status check_server(std::string_view item)
{
	if (Address::from_text(item.substr(0, item.find('%'))))
		return {};
	return usage_error(fmt::format("Unable to parse the name server's address: `{}'", item),
			   "write an address of IPv4 or IPv6, or a domain");
}

/* In hexadecimal behind 0x, as ip-route(8) has it, too. */
static Result<uint32_t> parse_table_number(std::string_view text)
{
	const auto digits = text.starts_with("0x") ? text.substr(2) : std::string_view();
	uint32_t number = 0;
	const auto [end, error] =
		std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);

	if (number && error == std::errc() && end == digits.data() + digits.size())
		return number;
	return parse_count(text, "Table");
}

static std::vector<std::filesystem::path> table_files()
{
	namespace fs = std::filesystem;
	std::vector<fs::path> files;
	std::error_code error;

	for (const fs::path directory : table_directories) {
		std::vector<fs::path> more;

		for (const auto &entry : fs::directory_iterator(directory / "rt_tables.d", error)) {
			if (entry.path().extension() == ".conf")
				more.push_back(entry.path());
		}
		std::ranges::sort(more);
		files.push_back(directory / "rt_tables");
		std::ranges::copy(more, std::back_inserter(files));
	}
	return files;
}

static std::optional<uint32_t> named_table(std::string_view name)
{
	for (const auto &path : table_files()) {
		std::ifstream file(path);
		std::string line;

		while (std::getline(file, line)) {
			std::istringstream words(line.substr(0, line.find('#')));
			std::string number, of_line;

			if (!(words >> number >> of_line) || of_line != name)
				continue;
			if (const auto table = parse_table_number(number))
				return table.value();
		}
	}
	if (name == "main")
		return netlink::main_table;
	return std::nullopt;
}

static Result<Table> parse_table(std::string_view text)
{
	if (is_word(text, "off"))
		return Table{ .off = true };
	if (is_word(text, "auto"))
		return Table();
	if (isdigit(static_cast<unsigned char>(text.front())))
		return Table{ .number = TRY(parse_table_number(text)) };
	if (const auto number = named_table(text))
		return Table{ .number = *number };
	return usage_error(fmt::format("No routing table has that name: `{}'", text),
			   "write off, auto, a number, or a name from /etc/iproute2/rt_tables");
}

static Result<bool> parse_bool(std::string_view text, std::string_view what)
{
	if (is_word(text, "true"))
		return true;
	if (is_word(text, "false"))
		return false;
	return usage_error(fmt::format("{} is neither true nor false: `{}'", what, text));
}

class QuickParser {
    public:
	QuickParser(const std::string &path, Part part)
		: part(part)
	{
		quick.path = path;
	}
	Status line(std::string_view raw)
	{
		const auto text = trimmed(raw.substr(0, raw.find('#')));

		number++;
		/* A program that is run would get what stands before it. */
		if (text.find('\0') != text.npos)
			return config::at_line(quick, number,
					       usage_error("NUL character in the file",
							   "it is not a text file"));
		/* Left out for WireGuard, but for the end of the line: its parser counts them. */
		const std::size_t equals = text.find('=');
		if (text.starts_with('[')) {
			TRY(end_relay());
			section = section_of(text);
			said.clear();
			if (section == Section::relay)
				begin_relay();
			else if (section == Section::peer)
				quick.peer_lines.push_back(number);
		} else if (equals != text.npos &&
			   (section == Section::interface || section == Section::relay)) {
			const auto key = trimmed(text.substr(0, equals));
			const auto value = trimmed(text.substr(equals + 1));

			auto known = section == Section::relay ? relay_value(key, value) :
								 interface_value(key, value);
			if (!known)
				TRY(unusable(key, value, std::move(known.error())));
			if (!known || known.value()) {
				wireguard.push_back('\n');
				return {};
			}
		}
		if (section != Section::relay)
			std::ranges::copy(raw, std::back_inserter(wireguard));
		else if (!text.empty() && !text.starts_with('[') && part != Part::frame)
			return config::at_line(quick, number, unknown_in_relay(text));
		wireguard.push_back('\n');
		return {};
	}
	Result<Quick> finish()
	{
		TRY(end_relay());
		if (part != Part::whole)
			return std::move(quick);
		auto device =
			parse({ wireguard.data(), wireguard.size() }, quick.path, Mode::replace);
		/* The file may be right, and the next look-up of a name succeed. */
		if (!device && device.error().number == EAGAIN)
			device.error().exit = Exit::refused;
		quick.device = TRY(std::move(device));
		return std::move(quick);
	}

    private:
	enum class Section { none, interface, peer, relay };

	static Section section_of(std::string_view text)
	{
		std::string heading;

		/* As wg(8) does, white space is left out wherever it is. */
		std::ranges::copy_if(text, std::back_inserter(heading),
				     [](unsigned char character) { return !isspace(character); });
		if (is_word(heading, "[Interface]"))
			return Section::interface;
		if (is_word(heading, "[Peer]"))
			return Section::peer;
		if (is_word(heading, "[Relay]"))
			return Section::relay;
		/* The WireGuard parser refuses it. */
		return Section::none;
	}
	/* Only the keyword is repeated: the rest may be a key, of a line that is for another section. */
	static Error unknown_in_relay(std::string_view line)
	{
		return usage_error(
			fmt::format("Line unrecognized: `{}...'", keyword_of(line)),
			"a [Relay] has Listen, Peer, To, ResponderKey, Source, Limit, LimitPerSource");
	}
	void begin_relay()
	{
		quick.relays.push_back({ { .interface = quick.interface }, number });
		has_listen = false;
	}
	/* What every relay needs. */
	Status end_relay()
	{
		if (section != Section::relay || part == Part::frame)
			return {};
		const auto &[relay, line] = quick.relays.back();
		const char *missing = !has_listen ? "Listen" :
				      !relay.peer ? "Peer" :
				      !relay.to	  ? "To" :
						    nullptr;
		if (!missing)
			return check_listen(relay.listen);
		return config::at_line(quick, line,
				       usage_error(fmt::format("A relay has no {}", missing),
						   "it has at least Listen, Peer and To"));
	}
	/* Nor two of them where clients send to. */
	Status check_listen(const Transport &listen) const
	{
		const auto first =
			std::ranges::find_if(quick.relays, [&listen](const RelaySection &other) {
				return overlap(other.value.listen, listen);
			});

		if (&*first == &quick.relays.back())
			return {};
		return config::at_line(
			quick, quick.relays.back().line,
			usage_error(
				fmt::format("Two relays listen to the same: {}, and {} of line {}",
					    listen.text(), first->value.listen.text(), first->line),
				"give one of them another port, address or interface"));
	}
	/* To be removed and to be saved an interface needs hardly any line. */
	Status unusable(std::string_view key, std::string_view value, Error error)
	{
		error = config::at_line(quick, number, std::move(error));
		if (part != Part::frame || is_word(key, "SaveConfig"))
			return error;
		say("Warning: {}\n", error.what);
		/* Whichever it is: only what is there says which rules are its. */
		if (is_word(key, "Table"))
			quick.table = { { .off = true }, number };
		/* Addresses are saved as they are. */
		if (!is_word(key, "Address"))
			quick.kept.push_back(fmt::format("{} = {}", key, value));
		return {};
	}
	/* Whether the key is none of WireGuard's. */
	Result<bool> interface_value(std::string_view key, std::string_view value)
	{
		const bool hook = is_word(key, "PreUp") || is_word(key, "PostUp") ||
				  is_word(key, "PreDown") || is_word(key, "PostDown");

		/* As if it was not there. */
		if (value.empty() && (hook || is_word(key, "Address") || is_word(key, "DNS") ||
				      is_word(key, "MTU") || is_word(key, "Table")))
			return true;
		if (is_word(key, "Address")) {
			for (const auto &item : parse_list(value))
				quick.addresses.push_back(
					{ TRY(parse_interface_address(item)), number });
			return true;
		}
		if (is_word(key, "DNS")) {
			quick.dns_line = number;
			for (auto &item : parse_list(value)) {
				const bool server = is_server(item);

				if (server)
					TRY(check_server(item));
				(server ? quick.dns_servers : quick.dns_domains)
					.push_back(std::move(item));
			}
		} else if (is_word(key, "MTU")) {
			const auto mtu = TRY(parse_count(value, "MTU"));

			if (mtu < min_mtu || mtu > max_mtu)
				return usage_error(fmt::format("MTU is not from {} to {}: `{}'",
							       min_mtu, max_mtu, value),
						   "leave it out, and it is computed");
			quick.mtu = { mtu, number };
		} else if (is_word(key, "Table")) {
			quick.table = { TRY(parse_table(value)), number };
		} else if (is_word(key, "Kind")) {
			quick.kind = TRY(parse_kind(value));
		} else if (is_word(key, "SaveConfig")) {
			quick.save_config = TRY(parse_bool(value, "SaveConfig"));
		} else if (hook) {
			auto &commands = is_word(key, "PreUp")	 ? quick.pre_up :
					 is_word(key, "PostUp")	 ? quick.post_up :
					 is_word(key, "PreDown") ? quick.pre_down :
								   quick.post_down;
			commands.push_back({ std::string(value), number });
		} else {
			if (is_word(key, "ListenPort"))
				quick.port_line = number;
			else if (is_word(key, "FwMark"))
				quick.mark_line = number;
			return false;
		}
		quick.kept.push_back(fmt::format("{} = {}", key, value));
		return true;
	}
	Result<bool> relay_value(std::string_view key, std::string_view value)
	{
		netlink::RelayChange &relay = quick.relays.back().value;

		if (part == Part::frame)
			return true;
		if (keyword_of(key) != key)
			return false;
		if (value.empty())
			return usage_error(fmt::format("{} has no value", key),
					   "write one, or take the line out");
		if (std::ranges::any_of(said, [key](const std::string &other) {
			    return is_word(key, other);
		    }))
			return usage_error(
				fmt::format("{} is there twice", keyword_of(key)),
				"a relay has each once; another relay has a [Relay] of its own");
		said.emplace_back(key);
		if (is_word(key, "Listen")) {
			relay.listen = TRY(parse_listen(value));
			has_listen = true;
		} else if (is_word(key, "Peer")) {
			relay.peer = TRY(parse_public_key(value));
		} else if (is_word(key, "To")) {
			relay.to = TRY(parse_transport(value));
		} else if (is_word(key, "ResponderKey")) {
			relay.responder = TRY(parse_responder(value));
		} else if (is_word(key, "Source")) {
			relay.source = TRY(parse_source(value));
		} else if (is_word(key, "Limit")) {
			relay.max_flows = TRY(parse_count(value, "Limit"));
		} else if (is_word(key, "LimitPerSource")) {
			relay.max_flows_per_source = TRY(parse_count(value, "LimitPerSource"));
		} else {
			return false;
		}
		return true;
	}

	const Part part;
	Quick quick;
	SecretText wireguard;
	Section section = Section::none;
	unsigned int number = 0;
	bool has_listen = false;
	/* The keys of the relay so far. */
	std::vector<std::string> said;
};

Error at_line(const Quick &quick, unsigned int line, Error error)
{
	error.what = line ? fmt::format("{}:{}: {}", quick.path, line, error.what) :
			    fmt::format("{}: {}", quick.path, error.what);
	/* The words of a file are not those of the command. */
	error.show_usage = false;
	return error;
}

Result<std::string> find_quick(const std::string &name)
{
	std::vector<std::string> tried;

	if (name.find('/') != name.npos || name.ends_with(suffix))
		return name;
	for (const char *directory : quick_directories) {
		const std::string path = fmt::format("{}/{}{}", directory, name, suffix);
		std::error_code error;

		if (std::filesystem::exists(path, error) || error)
			return path;
		tried.push_back(path);
	}
	return usage_error(fmt::format("No file for `{}': neither {}", name,
				       fmt::join(tried, " nor ")),
			   "write one, or name a file: nwgctl up ./wg1.conf");
}

Result<std::string> interface_of(const std::string &path)
{
	std::string name = path.substr(path.rfind('/') + 1);
	static constexpr std::string_view others = "_=+.-";

	if (!name.ends_with(suffix))
		return usage_error(fmt::format("`{}' does not end in .conf", path),
				   "its name is to be that of the interface and .conf");
	name.resize(name.size() - suffix.size());
	if (name.empty() || name.size() > 15 || name == "." || name == ".." ||
	    !std::ranges::all_of(name, [](unsigned char character) {
		    return isalnum(character) || others.find(character) != others.npos;
	    }))
		return usage_error(
			fmt::format("`{}' is not the name of an interface", name),
			"the file's name is 1 to 15 letters, digits or _=+.- and then .conf");
	return name;
}

Result<Quick> parse_quick(std::string_view text, const std::string &path, Part part)
{
	QuickParser parser(path, part);

	while (!text.empty()) {
		const std::size_t end = std::min(text.find('\n'), text.size());

		TRY(parser.line(text.substr(0, end)));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	auto quick = TRY(parser.finish());
	quick.interface = TRY(interface_of(path));
	for (auto &relay : quick.relays)
		relay.value.interface = quick.interface;
	return quick;
}

Result<Quick> load_quick(const std::string &name, Part part)
{
	const std::string path = TRY(find_quick(name));
	const SecretText text = TRY(read_file(path));
	struct stat status;

	if (!stat(path.c_str(), &status) && S_ISREG(status.st_mode) && (status.st_mode & S_IRWXO))
		say("Warning: others may read {}, which has keys\nhint: chmod 600 {}\n", path,
		    path);
	return parse_quick({ text.data(), text.size() }, path, part);
}

static std::string print_relay(const netlink::Relay &relay)
{
	std::string text = fmt::format("\n[Relay]\nListen = {}\nPeer = {}\nTo = {}\n",
				       relay.listen.words(), relay.peer.base64(), relay.to.text());

	if (relay.responder)
		text += fmt::format("ResponderKey = {}\n", relay.responder->base64());
	return text + fmt::format("Source = {}\nLimit = {}\nLimitPerSource = {}\n",
				  relay.source.text(), relay.max_flows, relay.max_flows_per_source);
}

std::string print_quick(const Quick &quick, const Device &device,
			const std::vector<Prefix> &addresses,
			const std::vector<netlink::Relay> &relays)
{
	static constexpr std::string_view header = "[Interface]\n";
	std::string text(header);

	for (const auto &address : addresses)
		text += fmt::format("Address = {}\n", address.text());
	for (const auto &line : quick.kept)
		text += line + '\n';
	text += print(device).substr(header.size());
	for (const auto &relay : relays)
		text += print_relay(relay);
	return text;
}

} // namespace nwgctl::config
