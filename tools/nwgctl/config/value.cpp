// SPDX-License-Identifier: GPL-2.0
#include "value.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netdb.h>
#include <strings.h>
#include <unistd.h>

#include "../say.hpp"

namespace nwgctl::config
{

/* The locale's idea of white space is of no concern here. */
static bool is_space(char character)
{
	return character == ' ' || (character >= '\t' && character <= '\r');
}

bool is_word(std::string_view a, std::string_view b)
{
	return a.size() == b.size() && !strncasecmp(a.data(), b.data(), a.size());
}

std::string_view keyword_of(std::string_view line)
{
	/* No keyword is longer; a key in base64 hardly ever has so few letters in front of something else. */
	static constexpr std::size_t longest = 20;
	const auto start = std::ranges::find_if_not(line, is_space);
	const bool heading = start != line.end() && *start == '[';
	auto end = std::find_if_not(start + heading, line.end(),
				    [](unsigned char character) { return isalpha(character); });

	if (end - start > static_cast<std::ptrdiff_t>(longest))
		return {};
	if (heading)
		return end != line.end() && *end == ']' ? std::string_view(start, end + 1) :
							  std::string_view();
	if (end != line.end() && *end != '=' && *end != ':' && !is_space(*end))
		return {};
	return { start, end };
}

static bool is_off(std::string_view text)
{
	return text.size() == 3 && !strncasecmp(text.data(), "off", 3);
}

/* Digits of @base and nothing else, up to @max. */
static std::optional<uint64_t> parse_number(std::string_view text, uint64_t max, int base = 10)
{
	uint64_t value = 0;
	const auto [end, error] =
		std::from_chars(text.data(), text.data() + text.size(), value, base);

	if (error != std::errc() || end != text.data() + text.size() || value > max)
		return std::nullopt;
	return value;
}

Result<Key> parse_public_key(std::string_view text)
{
	if (auto key = Key::from_base64(text))
		return *key;
	return usage_error(fmt::format("Key is not the correct length or format: `{}'", text),
			   "a public key is 44 characters of base64, as nwgctl pubkey prints it");
}

Result<Key> parse_secret_key(std::string_view text)
{
	if (auto key = Key::from_base64(text))
		return *key;
	return usage_error(
		"Key is not the correct length or format",
		"a key is 44 characters of base64, as nwgctl genkey or genpsk prints it");
}

Result<SecretText> read_file(const std::string &path)
{
	const auto close_file = [](FILE *file) { fclose(file); };
	const std::unique_ptr<FILE, decltype(close_file)> file(fopen(path.c_str(), "re"));
	SecretText text, buffer(4096);
	std::size_t got;

	if (!file)
		return usage_error(fmt::format("Unable to open `{}': {}", path, strerror(errno)),
				   errno == ENXIO && path == "/dev/stdin" ?
					   "it has the commands of --batch -: name a file" :
					   "");
	/* Without a buffer of stdio's own, which nobody would wipe. */
	setvbuf(file.get(), nullptr, _IONBF, 0);
	while ((got = fread(buffer.data(), 1, buffer.size(), file.get())) > 0)
		text.insert(text.end(), buffer.begin(),
			    buffer.begin() + static_cast<std::ptrdiff_t>(got));
	if (ferror(file.get()))
		return usage_error(fmt::format("Unable to read `{}': {}", path, strerror(errno)));
	return text;
}

Result<Key> parse_key_text(std::string_view text)
{
	const Key key = TRY(parse_secret_key(text.substr(0, Key::text_length)));

	if (!std::ranges::all_of(text.substr(Key::text_length), is_space))
		return usage_error("Trailing characters found after key",
				   "only white space may follow, and nothing may stand before it");
	return key;
}

Result<Key> read_key_file(const std::string &path)
{
	/* It would be in the message, and so in somebody's log. */
	if (parse_secret_key(path) && access(path.c_str(), F_OK))
		return usage_error("A key stands where the name of its file is wanted",
				   "others see command lines: make a new key, "
				   "(umask 077; nwgctl genkey >FILE), and name FILE");
	const SecretText text = TRY(read_file(path));

	if (text.empty())
		return Key();
	auto key = parse_key_text({ text.data(), text.size() });
	if (!key)
		key.error().what = fmt::format("Key file `{}': {}", path, key.error().what);
	return key;
}

Result<uint16_t> parse_port(std::string_view text)
{
	if (const auto port = parse_number(text, UINT16_MAX))
		return static_cast<uint16_t>(*port);
	return usage_error(fmt::format("Port is not a number from 0 to 65535: `{}'", text));
}

Result<uint32_t> parse_fwmark(std::string_view text)
{
	const bool hexadecimal = text.starts_with("0x");

	if (is_off(text))
		return uint32_t(0);
	if (const auto mark = hexadecimal ? parse_number(text.substr(2), UINT32_MAX, 16) :
					    parse_number(text, UINT32_MAX))
		return static_cast<uint32_t>(*mark);
	return usage_error(fmt::format("Fwmark is neither 0/off nor 0-0xffffffff: `{}'", text));
}

Result<uint16_t> parse_keepalive(std::string_view text)
{
	if (is_off(text))
		return uint16_t(0);
	if (const auto seconds = parse_number(text, UINT16_MAX))
		return static_cast<uint16_t>(*seconds);
	return usage_error(fmt::format(
		"Persistent keepalive interval is neither 0/off nor 1-65535: `{}'", text));
}

Result<uint32_t> parse_count(std::string_view text, std::string_view what)
{
	if (const auto count = parse_number(text, UINT32_MAX); count && *count)
		return static_cast<uint32_t>(*count);
	return usage_error(
		fmt::format("{} is not a number from 1 to {}: `{}'", what, UINT32_MAX, text));
}

struct HostPort {
	std::string host, port;
};

static constexpr const char *endpoint_hint = "write ADDR:PORT, or [ADDR]:PORT for IPv6";

/* Splits at the last colon, or behind the bracket. */
static Result<HostPort> split_endpoint(std::string_view text)
{
	std::size_t colon;
	HostPort parts;

	if (text.empty())
		return usage_error("Unable to parse empty endpoint", endpoint_hint);
	if (text.find('\0') != text.npos)
		return usage_error("Unable to parse endpoint with a NUL character", endpoint_hint);
	if (text[0] == '[') {
		const std::size_t bracket = text.find(']');

		if (bracket == text.npos)
			return usage_error(
				fmt::format("Unable to find matching brace of endpoint: `{}'",
					    text),
				endpoint_hint);
		colon = bracket + 1;
		parts.host = text.substr(1, bracket - 1);
	} else {
		colon = text.rfind(':');
		parts.host = text.substr(0, colon);
	}
	if (colon >= text.size() || text[colon] != ':' || colon + 1 == text.size())
		return usage_error(fmt::format("Unable to find port of endpoint: `{}'", text),
				   endpoint_hint);
	parts.port = text.substr(colon + 1);
	return parts;
}

/* Retries of a look-up; nothing is without end. */
static Result<std::optional<uint64_t>> resolution_retries()
{
	static constexpr uint64_t by_default = 15;
	const char *text = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");

	if (!text)
		return std::optional(by_default);
	if (!strcmp(text, "infinity"))
		return std::optional<uint64_t>();
	/* Empty is 0, as wg(8) has it. */
	if (!*text)
		return std::optional<uint64_t>(0);
	if (const auto retries = parse_number(text, INT_MAX))
		return retries;
	return usage_error(fmt::format("Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `{}'",
				       text),
			   fmt::format("it is a number from 0 to {}, or infinity", INT_MAX));
}

/* Whether strtoul() takes all of it. */
static bool is_number_to_libc(std::string_view text)
{
	while (!text.empty() && is_space(text[0]))
		text.remove_prefix(1);
	if (text.starts_with('+') || text.starts_with('-'))
		text.remove_prefix(1);
	return !text.empty() && std::ranges::all_of(text, [](char character) {
		return character >= '0' && character <= '9';
	});
}

Result<Endpoint> parse_endpoint(std::string_view text)
{
	const auto retries = TRY(resolution_retries());
	const HostPort parts = TRY(split_endpoint(text));
	const bool numeric = is_number_to_libc(parts.port);
	std::chrono::duration<double> delay(1);
	addrinfo hints{}, *found = nullptr;
	Endpoint endpoint;

	/*
	 * getaddrinfo() takes a port that is too large modulo 65536, or with a sign or a space before it, and no host for the
	 * loopback address.
	 */
	if (numeric)
		TRY(parse_port(parts.port));
	if (parts.host.empty())
		return usage_error(fmt::format("Unable to find host of endpoint: `{}'", text),
				   endpoint_hint);
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_protocol = IPPROTO_UDP;
	for (uint64_t attempt = 0;; attempt++) {
		const int error =
			getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &found);

		if (!error)
			break;
		const bool permanent = error != EAI_AGAIN && error != EAI_SYSTEM;
		/* The number says that another attempt may succeed, also after a "permanent" error of a resolver that starts. */
		if (permanent || (retries && attempt >= *retries))
			return Error{ Exit::usage,
				      fmt::format("{}: `{}'", gai_strerror(error), text),
				      {},
				      {},
				      error == EAI_SERVICE ? 0 : EAGAIN };
		say("{}: `{}'. Trying again in {:.2f} seconds...\n", gai_strerror(error), text,
		    delay.count());
		std::this_thread::sleep_for(delay);
		delay = std::min(delay * 1.2, std::chrono::duration<double>(20));
	}
	if (found->ai_addrlen <= sizeof(endpoint.storage))
		memcpy(&endpoint.storage, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return endpoint;
}

static Result<Prefix> parse_prefix(std::string_view text)
{
	const std::size_t slash = text.find('/');
	const auto address_text = text.substr(0, slash);
	const auto address = Address::from_text(address_text);
	Prefix prefix;

	if (!address)
		return usage_error(fmt::format("Unable to parse IP address: `{}'", address_text),
				   "write ADDR or ADDR/LENGTH, several with commas between");
	prefix.length = address->bits();
	if (slash != text.npos) {
		const auto length = parse_number(text.substr(slash + 1), address->bits());

		if (!length)
			return usage_error(
				fmt::format("AllowedIP is not in the correct format: `{}'", text),
				fmt::format("write ADDR/LENGTH with a length from 0 to {}",
					    address->bits()));
		prefix.length = static_cast<uint8_t>(*length);
	}
	prefix.address = address->masked(prefix.length);
	if (prefix.address != *address)
		say("Warning: AllowedIP has nonzero host part: {}\n", text);
	return prefix;
}

Result<std::string> parse_kind(std::string_view text)
{
	if (text == NWG_LINK_KIND || text == "wireguard")
		return std::string(text);
	return usage_error(fmt::format("No WireGuard interface is of that kind: `{}'", text),
			   "write nwg or wireguard");
}

/* ADDR/LENGTH; @alone: or ADDR. */
static std::optional<Prefix> parse_address(std::string_view text, bool alone)
{
	const std::size_t slash = text.find('/');
	const auto address = Address::from_text(text.substr(0, slash));
	const auto length = !address ? std::nullopt :
			    slash != text.npos ?
				       parse_number(text.substr(slash + 1), address->bits()) :
			    alone ? std::optional<uint64_t>(address->bits()) :
				    std::nullopt;

	if (!length)
		return std::nullopt;
	return Prefix{ *address, static_cast<uint8_t>(*length) };
}

Result<Prefix> parse_interface_address(std::string_view text)
{
	if (const auto address = parse_address(text, true))
		return *address;
	return usage_error(fmt::format("Unable to parse address: `{}'", text), "write ADDR/LENGTH");
}

Result<Prefix> parse_pool(std::string_view text)
{
	if (const auto pool = parse_address(text, false))
		return *pool;
	return usage_error(fmt::format("Unable to parse pool: `{}'", text), "write ADDR/LENGTH");
}

Result<std::vector<Prefix>> parse_allowed_ips(std::string_view text)
{
	std::vector<Prefix> prefixes;
	std::string compact;

	std::ranges::remove_copy_if(text, std::back_inserter(compact), is_space);
	if (compact.empty())
		return prefixes;
	for (std::size_t start = 0;;) {
		const std::size_t comma = compact.find(',', start);

		prefixes.push_back(
			TRY(parse_prefix(std::string_view(compact).substr(start, comma - start))));
		if (comma == compact.npos)
			return prefixes;
		start = comma + 1;
	}
}

static Result<uint16_t> parse_transport_port(std::string_view text, const std::string &hint)
{
	const auto number = parse_number(text, UINT16_MAX);

	if (!number || !*number)
		return usage_error(fmt::format("Port is not a number from 1 to 65535: `{}'", text),
				   hint);
	return static_cast<uint16_t>(*number);
}

static Result<Address> parse_transport_address(std::string_view text, bool brackets,
					       const std::string &hint)
{
	const auto address = Address::from_text(text);

	if (text.find(':') != text.npos && !brackets)
		return usage_error(fmt::format("IPv6 address without brackets: `{}'", text), hint);
	if (!address)
		return usage_error(fmt::format("Unable to parse IP address: `{}'", text), hint);
	if (address->is_unspecified())
		return usage_error(fmt::format("`{}' is no single address", text), hint);
	return *address;
}

Result<Transport> parse_transport(std::string_view text)
{
	const std::string hint = endpoint_hint;
	const HostPort parts = TRY(split_endpoint(text));
	const auto address = TRY(parse_transport_address(parts.host, text[0] == '[', hint));

	return Transport{ address, TRY(parse_transport_port(parts.port, hint)) };
}

/* Takes %DEV out of what stands before the port. No name of an interface has a colon. */
static Result<std::string> take_interface(std::string &text)
{
	const std::size_t percent = text.find('%', text.starts_with('[') ? text.find(']') : 0);
	const std::size_t colon = text.rfind(':');

	if (percent == text.npos || colon == text.npos || colon < percent)
		return std::string();
	std::string name = text.substr(percent + 1, colon - percent - 1);
	if (name.empty() || name.size() >= IFNAMSIZ)
		return usage_error(fmt::format("`{}' is not the name of an interface", name),
				   "write %DEV:PORT, or ADDR%DEV:PORT");
	text.erase(percent, colon - percent);
	return name;
}

Result<Transport> parse_listen(std::string_view text)
{
	const std::string hint =
		"write PORT for all addresses, IPv4 and IPv6, ADDR:PORT, or [ADDR]:PORT for IPv6; on one "
		"interface only: %DEV:PORT, ADDR%DEV:PORT, [ADDR]%DEV:PORT";
	std::string rest(text);
	Transport listen;

	listen.interface = TRY(take_interface(rest));
	if (rest.find(':') == rest.npos) {
		listen.port = TRY(parse_transport_port(rest, hint));
		return listen;
	}
	const HostPort parts = TRY(split_endpoint(rest));
	const bool all = parts.host == "*" || (rest[0] == ':' && !listen.interface.empty());
	if (!all)
		listen.address = TRY(parse_transport_address(parts.host, rest[0] == '[', hint));
	listen.port = TRY(parse_transport_port(parts.port, hint));
	return listen;
}

} // namespace nwgctl::config
