// SPDX-License-Identifier: GPL-2.0
#include "dns.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "process.hpp"

namespace nwgctl::setup
{

/*
 * The name of the interface's record. Debian's resolvconf sorts records by patterns; of a name that matches none the servers
 * come last. As wg-quick(8) does, the first pattern that is a word and an asterisk is made to match.
 */
static std::string record_of(const std::string &interface)
{
	std::ifstream patterns("/etc/resolvconf/interface-order");
	std::string pattern;

	while (std::getline(patterns, pattern)) {
		const bool is_word = pattern.size() > 1 && pattern.ends_with('*') &&
				     std::all_of(pattern.begin(), pattern.end() - 1,
						 [](unsigned char character) {
							 return isalnum(character) ||
								character == '-';
						 });

		if (is_word)
			return fmt::format("{}.{}", pattern.substr(0, pattern.size() - 1),
					   interface);
	}
	return interface;
}

/* With resolvectl, each server and domain is a word; "~." has it asked for all names. */
static Status set_by_resolved(const std::string &interface, const std::vector<std::string> &servers,
			      const std::vector<std::string> &domains)
{
	std::vector<std::string> command = { "resolvectl", "dns", interface };

	std::ranges::copy(servers, std::back_inserter(command));
	TRY(run(command));
	command = { "resolvectl", "domain", interface, "~." };
	std::ranges::copy(domains, std::back_inserter(command));
	return run(command);
}

Status set_dns(const std::string &interface, const std::vector<std::string> &servers,
	       const std::vector<std::string> &domains)
{
	std::string text;

	if (!has_program("resolvconf")) {
		if (has_program("resolvectl"))
			return set_by_resolved(interface, servers, domains);
		return Error{
			Exit::refused,
			"Unable to set name servers: there is neither resolvconf nor resolvectl",
			{},
			"install openresolv or systemd-resolved, or take DNS out"
		};
	}
	for (const auto &server : servers)
		text += fmt::format("nameserver {}\n", server);
	if (!domains.empty())
		text += fmt::format("search {}\n", fmt::join(domains, " "));
	return run({ "resolvconf", "-a", record_of(interface), "-m", "0", "-x" }, text);
}

/* Records are of the namespace that the system has been started in. */
static bool is_elsewhere()
{
	struct stat own, first;

	return !stat("/proc/self/ns/net", &own) && !stat("/proc/1/ns/net", &first) &&
	       own.st_ino != first.st_ino;
}

bool has_dns(const std::string &interface)
{
	std::error_code error;

	if (is_elsewhere())
		return false;
	if (has_program("resolvconf")) {
		/* Debian's resolvconf, openresolv, and that of later versions */
		for (const char *directory : { "interface", "interfaces", "keys" }) {
			if (std::filesystem::exists(fmt::format("/run/resolvconf/{}/{}", directory,
								record_of(interface)),
						    error))
				return true;
		}
		return false;
	}
	if (!has_program("resolvectl"))
		return false;
	/* "Link 7 (wg0): 10.0.0.9" */
	const auto output = output_of({ "resolvectl", "dns", interface });
	const auto colon = output ? output.value().find("): ") : std::string::npos;
	return colon != std::string::npos &&
	       output.value().find_first_not_of(" \n", colon + 2) != std::string::npos;
}

Status remove_dns(const std::string &interface)
{
	if (has_program("resolvconf"))
		return run({ "resolvconf", "-d", record_of(interface), "-f" });
	if (has_program("resolvectl"))
		return run({ "resolvectl", "revert", interface });
	return {};
}

} // namespace nwgctl::setup
