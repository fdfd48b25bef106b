// SPDX-License-Identifier: GPL-2.0
#include "dns.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "process.hpp"

namespace nwgctl::setup
{

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
	return run({ "resolvconf", "-a", interface, "-m", "0", "-x" }, text);
}

Status remove_dns(const std::string &interface)
{
	if (has_program("resolvconf"))
		return run({ "resolvconf", "-d", interface, "-f" });
	/* What systemd-resolved has of an interface goes with it. */
	return {};
}

} // namespace nwgctl::setup
