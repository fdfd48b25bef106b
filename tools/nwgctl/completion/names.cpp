// SPDX-License-Identifier: GPL-2.0
#include "names.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "../chain/plan.hpp"
#include "../config/quick.hpp"
#include "../namespace.hpp"
#include "../netlink/device.hpp"
#include "../netlink/link.hpp"
#include "../netlink/relay.hpp"

namespace nwgctl::completion
{

using Candidates = std::vector<Candidate>;

/* Of the files of a directory that end in @suffix, what is before that. */
static void add_files(Candidates &candidates, const std::string &directory,
		      const std::string &suffix)
{
	std::error_code error;

	/* With an error it has none. */
	for (std::filesystem::directory_iterator entry(directory, error), end;
	     !error && entry != end; entry.increment(error)) {
		auto name = entry->path().filename().string();

		if (name.starts_with('.') || !name.ends_with(suffix) || name == suffix)
			continue;
		name.resize(name.size() - suffix.size());
		candidates.push_back({ std::move(name) });
	}
}

/* A shell leaves it to itself to know what ~ is. */
static std::string without_tilde(const std::string &path)
{
	const char *home = getenv("HOME");

	return path.starts_with("~/") && home ? home + path.substr(1) : path;
}

static Candidates interfaces(const Wanted &wanted)
{
	Candidates candidates;

	if (wanted.with_file) {
		for (const char *directory : config::quick_directories)
			add_files(candidates, directory, ".conf");
		return candidates;
	}
	if (const auto links = netlink::wireguard_links()) {
		for (const auto &link : links.value())
			candidates.push_back({ link.name, link.kind });
	}
	return candidates;
}

static std::vector<netlink::Relay> relays(const Wanted &wanted)
{
	netlink::RelayFilter filter;

	/* To ask for the family would load the module. */
	if (!std::filesystem::exists("/sys/module/" NWG_GENL_NAME))
		return {};
	if (!wanted.interface.empty())
		filter.interface = wanted.interface;
	auto relays = netlink::list_relays(filter);
	return relays ? relays.take() : std::vector<netlink::Relay>();
}

static Candidates listening_ports(const Wanted &wanted)
{
	Candidates candidates;

	for (const auto &relay : relays(wanted))
		candidates.push_back({ relay.listen.words(),
				       fmt::format("{} to {}", relay.interface, relay.to.text()) });
	return candidates;
}

static Candidates keys(const Wanted &wanted)
{
	Candidates candidates;

	if (wanted.keyword == "responder") {
		for (const auto &relay : relays(wanted)) {
			if (relay.responder)
				candidates.push_back(
					{ relay.responder->base64(), relay.to.text() });
		}
		return candidates;
	}
	const auto links = netlink::wireguard_links();
	if (!links)
		return candidates;
	for (const auto &link : links.value()) {
		if (!wanted.interface.empty() && link.name != wanted.interface)
			continue;
		const auto device = netlink::get_device(link);

		if (!device)
			continue;
		for (const auto &peer : device.value().peers)
			candidates.push_back(
				{ peer.public_key.base64(),
				  fmt::format("{} {}", link.name,
					      peer.allowed_ips.empty() ?
						      "" :
						      peer.allowed_ips.front().text()) });
	}
	return candidates;
}

Candidates names_of(const Wanted &wanted)
{
	Candidates candidates;

	if (wanted.kind == "NETNS") {
		add_files(candidates, namespaces_directory, "");
		return candidates;
	}
	if (wanted.kind == "NAME") {
		add_files(candidates, without_tilde(wanted.directory) + "/clients", ".conf");
		std::erase_if(candidates, [](const Candidate &candidate) {
			return !chain::parse_client_name(candidate.word);
		});
		return candidates;
	}
	/* Those of another namespace would be wrong. */
	if (wanted.netns && !enter_namespace(*wanted.netns))
		return candidates;
	if (wanted.kind == "IFACE")
		return interfaces(wanted);
	if (wanted.kind == "KEY")
		return keys(wanted);
	if (wanted.kind == "[[ADDR][%DEV]:]PORT")
		return listening_ports(wanted);
	return candidates;
}

} // namespace nwgctl::completion
