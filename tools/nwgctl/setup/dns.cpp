// SPDX-License-Identifier: GPL-2.0
#include "dns.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "process.hpp"

namespace nwgctl::setup
{

using namespace std::string_view_literals;

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

/* Not that of systemd-resolved, which has no records: it is resolvectl by another name. */
static bool has_resolvconf()
{
	const std::filesystem::path path = find_program("resolvconf");
	std::error_code error;

	return !path.empty() &&
	       std::filesystem::weakly_canonical(path, error).filename() != "resolvectl";
}

bool is_elsewhere()
{
	struct stat own, first;

	return !stat("/proc/self/ns/net", &own) && !stat("/proc/1/ns/net", &first) &&
	       own.st_ino != first.st_ino;
}

static std::vector<std::string> words_of(std::istream &&words)
{
	return { std::istream_iterator<std::string>(words), std::istream_iterator<std::string>() };
}

/* Openresolv's mark of a record has a number and a space before its name. */
static bool is_exclusive(const std::string &record)
{
	std::error_code error;

	for (const auto &entry :
	     std::filesystem::directory_iterator("/run/resolvconf/exclusive", error)) {
		if (entry.path().filename().string().ends_with(" " + record))
			return true;
	}
	return false;
}

/* Of Debian's resolvconf, of openresolv, and of later versions of that. */
static Dns recorded(const std::string &interface)
{
	/* Where no record can be marked none needs to be. */
	static constexpr std::string_view debian = "interface";
	const auto name = record_of(interface);
	Dns dns;

	for (const auto directory : { debian, "interfaces"sv, "keys"sv }) {
		std::ifstream record(fmt::format("/run/resolvconf/{}/{}", directory, name));

		for (std::string line; std::getline(record, line);) {
			auto words = words_of(std::istringstream(line));

			if (words.size() < 2)
				continue;
			if (words[0] == "nameserver")
				dns.servers.push_back(words[1]);
			else if (words[0] == "search")
				dns.domains.assign(words.begin() + 1, words.end());
		}
		if (!dns.servers.empty() && !dns.all)
			dns.all = directory == debian || is_exclusive(name);
	}
	return dns;
}

/* This has resolvectl ask the interface's servers for all names. */
static constexpr const char *all_names = "~.";

/* "Link 7 (wg0): 10.0.0.9" */
static std::vector<std::string> resolved(const char *what, const std::string &interface)
{
	const auto output = output_of({ "resolvectl", what, interface });
	const auto colon = output ? output.value().find("): ") : std::string::npos;

	if (colon == std::string::npos)
		return {};
	return words_of(std::istringstream(output.value().substr(colon + 3)));
}

Dns dns_of(const std::string &interface)
{
	if (is_elsewhere())
		return {};
	if (has_resolvconf())
		return recorded(interface);
	if (!has_program("resolvectl"))
		return {};
	Dns dns{ .servers = resolved("dns", interface), .domains = {} };
	if (!dns.servers.empty())
		dns.domains = resolved("domain", interface);
	dns.all = std::erase(dns.domains, all_names) > 0;
	return dns;
}

/* Each server and domain is a word. */
static Status set_by_resolved(const std::string &interface, const Dns &wanted)
{
	std::vector<std::string> command = { "resolvectl", "dns", interface };

	std::ranges::copy(wanted.servers, std::back_inserter(command));
	TRY(run(command));
	command = { "resolvectl", "domain", interface };
	if (wanted.all)
		command.emplace_back(all_names);
	std::ranges::copy(wanted.domains, std::back_inserter(command));
	/* Without a word it would show them. */
	if (command.size() == 3)
		command.emplace_back();
	return run(command);
}

static Status set_by_resolvconf(const std::string &interface, const Dns &wanted)
{
	std::string text;

	for (const auto &server : wanted.servers)
		text += fmt::format("nameserver {}\n", server);
	if (!wanted.domains.empty())
		text += fmt::format("search {}\n", fmt::join(wanted.domains, " "));
	std::vector<std::string> command = { "resolvconf", "-a", record_of(interface), "-m", "0" };
	if (wanted.all)
		command.emplace_back("-x");
	return run(command, text);
}

Status put_dns(const std::string &interface, const Dns &wanted)
{
	if (wanted.servers.empty())
		return remove_dns(interface);
	if (has_resolvconf())
		return set_by_resolvconf(interface, wanted);
	if (has_program("resolvectl"))
		return set_by_resolved(interface, wanted);
	return Error{ Exit::refused,
		      "Unable to set name servers: there is neither resolvconf nor resolvectl",
		      {},
		      "install openresolv or systemd-resolved, or take DNS out" };
}

Status remove_dns(const std::string &interface)
{
	if (is_elsewhere())
		return {};
	if (has_resolvconf())
		return run({ "resolvconf", "-d", record_of(interface), "-f" });
	if (has_program("resolvectl"))
		return run({ "resolvectl", "revert", interface });
	return {};
}

} // namespace nwgctl::setup
