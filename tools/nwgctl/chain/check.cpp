// SPDX-License-Identifier: GPL-2.0
#include "checker.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <sys/stat.h>

#include "../config/quick.hpp"
#include "../config/value.hpp"
#include "network.hpp"
#include "notes.hpp"
#include "plan.hpp"

namespace nwgctl::chain
{

std::string place_text(const std::string &file, unsigned int line)
{
	return line ? fmt::format("{}:{}", file, line) : file;
}

/* What is in a directory; that it cannot be read is a finding. */
std::vector<std::string> Checker::list(const std::string &name)
{
	std::vector<std::string> names;
	std::error_code error;

	for (std::filesystem::directory_iterator entry(name, error), end; !error && entry != end;
	     entry.increment(error))
		names.push_back(entry->path().string());
	const auto what = fmt::format("Unable to read it: {}", error.message());
	/* Once: modes and clients are looked for in the same. */
	if (error && std::ranges::none_of(findings, [&](const Finding &other) {
		    return other.file == name && other.what == what;
	    }))
		add(name, 0, what, "put it back from a copy, or see whose it is: ls -ld");
	std::ranges::sort(names);
	return names;
}

/* Who may read a key that is in a file of theirs is nobody else. */
void Checker::check_modes(const std::string &name)
{
	struct stat found;

	if (lstat(name.c_str(), &found) || S_ISLNK(found.st_mode))
		return;
	const bool is_directory = S_ISDIR(found.st_mode);
	if (found.st_mode & (S_IRWXG | S_IRWXO))
		add(name, 0,
		    fmt::format("Others may access it: its mode is {:04o}", found.st_mode & 07777u),
		    fmt::format("chmod {} {}", is_directory ? "700" : "600", name));
	if (!is_directory)
		return;
	for (const auto &entry : list(name))
		check_modes(entry);
}

std::optional<SecretText> Checker::read(const std::string &name)
{
	auto text = config::read_file(path(name));

	if (text)
		return text.take();
	add(path(name), 0, text.error().what, "put it back from a copy, or make a new chain");
	return std::nullopt;
}

/* What "up" refuses, where nothing is said of the line yet. */
void Checker::check_as_up(const Side &side, std::string_view text)
{
	const auto quick = config::parse_quick(text, side.file, config::Part::relays);
	const auto prefix = side.file + ':';
	unsigned int line = 0;

	if (quick)
		return;
	auto what = quick.error().what;
	if (what.starts_with(prefix)) {
		line = static_cast<unsigned int>(
			strtoul(what.c_str() + prefix.size(), nullptr, 10));
		what.erase(0, what.find(' ', prefix.size()) + 1);
	}
	if (std::ranges::none_of(findings, [&](const Finding &other) {
		    return other.file == side.file && other.line == line;
	    }))
		add(side.file, line, what,
		    quick.error().hint.empty() ? "see nwg.conf(5)" : quick.error().hint);
}

std::optional<Side> Checker::read_tunnel(const std::string &name, bool relays)
{
	const auto text = read(name);

	if (!text)
		return std::nullopt;
	const std::string_view view{ text->data(), text->size() };
	auto side =
		read_side(parse_conf(view, path(name)), relays,
			  [&](unsigned int line, const std::string &what,
			      const std::string &remedy) { add(path(name), line, what, remedy); });
	check_as_up(side, view);
	return side;
}

std::vector<const SideRelay *> Checker::relays() const
{
	if (!vps)
		return {};
	return vps->relays_to(wg1 && wg1->private_key ?
				      std::optional(wg1->private_key->public_key()) :
				      std::nullopt);
}

void Checker::read_clients()
{
	for (const auto &name : list(path("clients"))) {
		const std::filesystem::path file(name);

		if (file.extension() != ".conf" || file.filename().string().starts_with('.'))
			continue;
		const auto client = file.stem().string();
		if (auto side = read_tunnel(fmt::format("clients/{}.conf", client), false))
			clients.push_back({ client, std::move(*side) });
	}
}

/* No two ends have the same private key: each would take the other's packets. */
void Checker::check_keys()
{
	std::map<Key, const Side *> owners;
	const auto check = [&](const Side &side) {
		if (!side.private_key)
			return;
		const auto [owner, added] = owners.emplace(*side.private_key, &side);
		if (!added)
			add(side.file, side.private_key.line,
			    fmt::format("The private key is that of {}, too", owner->second->file),
			    "give one of them a key of its own: nwgctl genkey");
	};

	for (const auto *side : { &vps, &wg1, &wg0 }) {
		if (*side)
			check(**side);
	}
	for (const auto &client : clients)
		check(client.side);
}

void Checker::read_notes()
{
	const auto text = read(notes_name);

	if (!text)
		return;
	/* The finding names the file already. */
	auto parsed = parse_notes({ text->data(), text->size() }, notes_name);
	if (parsed)
		notes = parsed.take();
	else
		add(path(notes_name), 0, parsed.error().what, parsed.error().hint);
}

/* What a new client would get. Addresses that were given by hand are jumped over. */
void Checker::check_notes()
{
	if (!notes || !wg0)
		return;
	ClientNetwork network;
	network.lan = notes->lan;
	network.dns = notes->dns;
	network.full = notes->full;
	for (const auto &address : wg0->addresses.value.value_or(std::vector<Prefix>()))
		network.wg0.push_back({ address.address.masked(address.length), address.length });
	/* That it has no addresses is said of wg0 itself. */
	const auto status = network.wg0.empty() ? Status() : verify_dns(network);
	if (!status)
		add(path(notes_name), 0, status.error().what, status.error().hint);
	const uint32_t next = notes->last_host + 1, free = free_host(*wg0, next);
	if (free != next)
		add(path(notes_name), 0,
		    fmt::format("`last_host' is {}, and host {} is in use: it is not the last that "
				"was given",
				notes->last_host, next),
		    fmt::format("\"last_host\": {}", free - 1));
}

Result<std::vector<Finding>> Checker::run()
{
	struct stat found;

	if (stat(directory.c_str(), &found))
		return usage_error(fmt::format("Unable to read `{}': {}", directory,
					       strerror(errno)),
				   errno == ENOENT ? "make a chain: nwgctl chain new DIR" : "");
	if (!S_ISDIR(found.st_mode))
		return usage_error(fmt::format("`{}' is no directory", directory),
				   "name the one that nwgctl chain new made");
	check_modes(directory);
	vps = read_tunnel("vps/wg1.conf", true);
	wg1 = read_tunnel("home/wg1.conf", false);
	wg0 = read_tunnel("home/wg0.conf", false);
	read_clients();
	read_notes();
	check_keys();
	check_wg1();
	for (const auto &relay : vps ? vps->relays : std::vector<SideRelay>())
		check_relay(relay);
	for (const auto *relay : relays())
		check_relay_home(*relay);
	check_ports();
	check_networks();
	check_home_peers();
	check_mtu();
	for (const auto &client : clients)
		check_client(client);
	check_notes();
	check_routeros();
	std::ranges::stable_sort(findings, {}, [](const Finding &finding) {
		return std::tie(finding.file, finding.line);
	});
	return std::move(findings);
}

Result<std::vector<Finding>> check_directory(const std::string &directory)
{
	return Checker(directory).run();
}

} // namespace nwgctl::chain
