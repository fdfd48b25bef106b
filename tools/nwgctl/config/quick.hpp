/* SPDX-License-Identifier: GPL-2.0 */
/* Configuration files in the format of wg-quick(8), with what nwg adds: nwg.conf(5). */
#ifndef NWGCTL_CONFIG_QUICK_HPP
#define NWGCTL_CONFIG_QUICK_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../address.hpp"
#include "../device.hpp"
#include "../netlink/relay.hpp"
#include "../result.hpp"

namespace nwgctl::config
{

/* A value and the line that it is from; 0 if no line says it. */
template <typename T> struct AtLine {
	T value;
	unsigned int line = 0;
};

/* Where the routes to the allowed IPs go. */
struct Table {
	/* The main table; a default route goes into one of its own, with rules. */
	static constexpr uint32_t automatic = 0;

	bool off = false;
	uint32_t number = automatic;

	bool is_automatic() const
	{
		return !off && number == automatic;
	}
};

/* A section [Relay]. */
using RelaySection = AtLine<netlink::RelayChange>;

/* What a file says of an interface. */
struct Quick {
	/* As it was given, for errors; and the interface that its name says. */
	std::string path, interface;
	std::string kind = NWG_LINK_KIND;
	/* As for setconf: what is not said is reset. Empty if the file was read with Part::frame. */
	DeviceChange device;
	/* Of each peer of @device its first line. */
	std::vector<unsigned int> peer_lines;
	/* With the host's bits. */
	std::vector<AtLine<Prefix>> addresses;
	/* Where the port and the mark are, if they are anywhere. */
	unsigned int port_line = 0, mark_line = 0;
	/* Addresses of servers, and domains. */
	std::vector<std::string> dns_servers, dns_domains;
	unsigned int dns_line = 0;
	std::optional<AtLine<uint32_t>> mtu;
	AtLine<Table> table{};
	/* Commands for a shell, with %i replaced. */
	std::vector<AtLine<std::string>> pre_up, post_up, pre_down, post_down;
	bool save_config = false;
	std::vector<RelaySection> relays;
	/* Lines of the interface section that WireGuard itself has no use for, as they are: what a saved file keeps. */
	std::vector<std::string> kept;
};

/* How much of a file is of interest. */
enum class Part {
	whole,
	/* Not the keys and peers: nothing is looked up. */
	relays,
	/* Nor the relays. */
	frame,
};

/* Where files are that are named by their interface; what the first one has goes before. */
inline constexpr std::array quick_directories = { "/etc/nwg", "/etc/wireguard" };

/*
 * The path of NAME, which is the path of a file, if it has a slash or ends in .conf, or an interface that has its file in
 * one of the directories.
 */
Result<std::string> find_quick(const std::string &name);

/* The interface that a file is for: what its name is without the directory and .conf. */
Result<std::string> interface_of(const std::string &path);

/* Errors name the line. Says on standard error what is harmless. */
Result<Quick> parse_quick(std::string_view text, const std::string &path, Part part);
Result<Quick> load_quick(const std::string &name, Part part);

/* @error, of that line; if there is none, of the file. */
Error at_line(const Quick &quick, unsigned int line, Error error);

/* The file that makes what is there now: @quick's own lines, and the interface's state. */
std::string print_quick(const Quick &quick, const Device &device,
			const std::vector<Prefix> &addresses,
			const std::vector<netlink::Relay> &relays);

} // namespace nwgctl::config

#endif
