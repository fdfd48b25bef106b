/* SPDX-License-Identifier: GPL-2.0 */
/* Files of a chain as they are now, with the line of everything: what config::parse() has no use for is here, too. */
#ifndef NWGCTL_CHAIN_CONF_HPP
#define NWGCTL_CHAIN_CONF_HPP

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../result.hpp"

namespace nwgctl::chain
{

/* "Key = value"; the value may be a secret. Lines are counted from 1. */
struct Entry {
	std::string key, value;
	unsigned int line = 0;
};

struct Section {
	/* As in wg-quick(8): Interface, Peer, Relay */
	std::string name;
	unsigned int line = 0;
	std::vector<Entry> entries;

	/* The last one of that key, whatever its case; nullptr if there is none. */
	const Entry *find(std::string_view key) const;
};

/* A line that is none of a file of its kind. */
struct Fault {
	unsigned int line = 0;
	std::string what;
};

/* A file in wg-quick(8)'s format. */
struct Conf {
	/* For errors. */
	std::string name;
	std::vector<Section> sections;
	std::vector<Fault> faults;

	/* The first of the sections of that name; nullptr if there is none. */
	const Section *section(std::string_view name) const;
	std::vector<const Section *> all(std::string_view name) const;
};

/* Never fails: what it does not understand is in the faults. */
Conf parse_conf(std::string_view text, std::string name);

/* A command of RouterOS in whatever way it is written, "/path/to verb name=value..." or relative to a menu. */
struct RouterCommand {
	/* /path/to/verb */
	std::string path;
	unsigned int line = 0;
	std::map<std::string, std::string> values;

	/* Empty if there is none. */
	std::string value(const std::string &name) const;
};

/*
 * The commands of a script, those of blocks included, without comments. Quotes are taken off, a backslash at the end of a line
 * continues it.
 */
std::vector<RouterCommand> parse_routeros(std::string_view text);

} // namespace nwgctl::chain

#endif
