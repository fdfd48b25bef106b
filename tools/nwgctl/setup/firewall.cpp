// SPDX-License-Identifier: GPL-2.0
#include "firewall.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "process.hpp"

namespace nwgctl::setup
{

static std::string table_of(const std::string &interface)
{
	/* Names of interfaces have characters that those of tables cannot. */
	std::string name = "nwg-";

	for (const unsigned char character : interface)
		name += isalnum(character) ? std::string(1, static_cast<char>(character)) :
					     fmt::format("_{:02x}", character);
	return name;
}

Status set_firewall(const std::string &interface, uint32_t mark,
		    const std::vector<Prefix> &addresses)
{
	const std::string table = table_of(interface);
	/* Added before it is deleted: it may not be there. */
	std::string text = fmt::format("table inet {0}\ndelete table inet {0}\n", table);

	text += fmt::format("table inet {} {{\n", table);
	text += "\tchain addresses {\n\t\ttype filter hook prerouting priority raw;\n";
	for (const auto &address : addresses)
		text += fmt::format(
			"\t\tiifname != \"{}\" {} daddr {} fib saddr type != local drop\n",
			interface, address.address.family == AF_INET ? "ip" : "ip6",
			address.address.text());
	text += "\t}\n\tchain answers {\n\t\ttype filter hook prerouting priority mangle;\n"
		"\t\tmeta l4proto udp meta mark set ct mark\n\t}\n";
	text += fmt::format(
		"\tchain tunnel {{\n\t\ttype filter hook postrouting priority mangle;\n"
		"\t\tmeta l4proto udp meta mark {:#x} ct mark set meta mark\n\t}}\n}}\n",
		mark);
	auto done = run({ "nft", "-f", "-" }, text);
	if (!done && done.error().number == ENOENT)
		done.error().hint =
			"install nftables, or write Table = off and make the routes yourself";
	return done;
}

Status remove_firewall(const std::string &interface)
{
	if (!has_program("nft"))
		return {};
	return run({ "nft", "-f", "-" },
		   fmt::format("table inet {0}\ndelete table inet {0}\n", table_of(interface)));
}

Result<bool> set_src_valid_mark(bool on)
{
	static constexpr const char *path = "/proc/sys/net/ipv4/conf/all/src_valid_mark";
	int before = 0;

	if (std::ifstream(path) >> before && (before != 0) == on)
		return on;
	std::ofstream file(path);
	file << (on ? 1 : 0) << std::flush;
	if (!file)
		return Error{ Exit::refused,
			      fmt::format("Unable to write {}: {}", path, strerror(errno)),
			      {},
			      "be root",
			      errno };
	return before != 0;
}

} // namespace nwgctl::setup
