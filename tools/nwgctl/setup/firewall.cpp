// SPDX-License-Identifier: GPL-2.0
#include "firewall.hpp"

#include <cctype>
#include <cerrno>

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

static Status remove(const std::string &table)
{
	/* nft is asked before it is told: a kernel without its tables would refuse. */
	auto there = output_of({ "nft", "list", "table", "inet", table });

	if (there)
		return run({ "nft", "delete", "table", "inet", table });
	if (there.error().number)
		return there.error();
	return {};
}

Status put_firewall(const std::string &interface, const Firewall &firewall)
{
	const std::string table = table_of(interface);
	if (!firewall.mark)
		return remove(table);
	/* Added before it is deleted: it may not be there. */
	std::string text = fmt::format("table inet {0}\ndelete table inet {0}\n", table);

	text += fmt::format("table inet {} {{\n", table);
	text += "\tchain addresses {\n\t\ttype filter hook prerouting priority raw;\n";
	for (const auto &address : firewall.addresses)
		text += fmt::format(
			"\t\tiifname != \"{}\" {} daddr {} fib saddr type != local drop\n",
			interface, address.address.family == AF_INET ? "ip" : "ip6",
			address.address.text());
	text += "\t}\n\tchain answers {\n\t\ttype filter hook prerouting priority mangle;\n"
		"\t\tmeta l4proto udp meta mark set ct mark\n\t}\n";
	text += fmt::format(
		"\tchain tunnel {{\n\t\ttype filter hook postrouting priority mangle;\n"
		"\t\tmeta l4proto udp meta mark {:#x} ct mark set meta mark\n\t}}\n}}\n",
		firewall.mark);
	auto done = run({ "nft", "-f", "-" }, text);
	if (!done && done.error().number == ENOENT)
		done.error().hint =
			"install nftables, or write Table = off and make the routes yourself";
	return done;
}

} // namespace nwgctl::setup
