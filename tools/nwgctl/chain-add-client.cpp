// SPDX-License-Identifier: GPL-2.0
/* chain add-client: one more client, in the files and, by what is printed, at the home that runs. */
#include "command.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "chain/directory.hpp"
#include "chain/files.hpp"
#include "chain/network.hpp"
#include "chain/notes.hpp"
#include "chain/plan.hpp"
#include "chain/qr.hpp"
#include "chain/routeros.hpp"
#include "chain/side.hpp"
#include "config/value.hpp"

namespace nwgctl
{

using chain::Side;

/* A chain's files, as far as a new client has to do with them. */
struct Present {
	SecretText wg0_text;
	/* Not of a home of Linux, for which nobody has to keep it. */
	std::optional<SecretText> routeros_text;
	/* The name of wg0 in that. */
	std::string routeros_wg0;
	Side vps, wg1, wg0;
	chain::Notes notes;
};

static std::string_view view(const SecretText &text)
{
	return { text.data(), text.size() };
}

/* A file in which all is understood. */
static Result<Side> read_whole(const std::string &name, const SecretText &text, bool relays)
{
	Status status;
	auto side = chain::read_side(
		chain::parse_conf(view(text), name), relays,
		[&](unsigned int line, const std::string &what, const std::string &remedy) {
			if (status)
				status = usage_error(fmt::format("{}:{}: {}", name, line, what),
						     remedy);
		});

	TRY(std::move(status));
	return side;
}

static Result<Present> read_present(const std::string &directory)
{
	const auto path = [&directory](const char *name) {
		return fmt::format("{}/{}", directory, name);
	};
	std::error_code unreadable;
	Present present;

	present.wg0_text = TRY(config::read_file(path("home/wg0.conf")));
	if (std::filesystem::exists(path("home/mt.rsc"), unreadable))
		present.routeros_text = TRY(config::read_file(path("home/mt.rsc")));
	present.wg0 = TRY(read_whole(path("home/wg0.conf"), present.wg0_text, false));
	present.wg1 = TRY(read_whole(path("home/wg1.conf"),
				     TRY(config::read_file(path("home/wg1.conf"))), false));
	present.vps = TRY(read_whole(path("vps/wg1.conf"),
				     TRY(config::read_file(path("vps/wg1.conf"))), true));
	const auto notes = TRY(config::read_file(path(chain::notes_name)));
	present.notes = TRY(chain::parse_notes(view(notes), path(chain::notes_name)));
	return present;
}

static std::string check_hint(const std::string &directory)
{
	return fmt::format("see what is wrong: nwgctl chain check {}", directory);
}

/* As chain new does: notes and files may have been changed since. */
static Status check_networks(const Present &present, const chain::ClientNetwork &network,
			     const std::string &vps, const std::string &directory)
{
	std::vector<chain::NamedNetwork> networks;

	for (const auto &address : present.wg1.addresses.value.value_or(std::vector<Prefix>()))
		networks.emplace_back("wg1", Prefix{ address.address.masked(address.length),
						     address.length });
	for (const auto &prefix : network.wg0)
		networks.emplace_back("wg0", prefix);
	for (const auto &prefix : network.lan)
		networks.emplace_back("lan", prefix);
	const auto apart = chain::verify_apart(networks, vps);
	if (!apart)
		return usage_error(fmt::format("{}: {}", directory, apart.error().what),
				   check_hint(directory));
	return {};
}

/* The VPS as the home calls it, unless the relay is on another of its addresses; one that the internet does not reach is translated. */
static std::string relay_host(const std::string &vps, const Transport &listen)
{
	if (listen.address && !chain::is_unreachable(*listen.address))
		return listen.address->text();
	return vps;
}

/* What the other clients have, said by the files of home and VPS. */
static Result<chain::ClientNetwork> network_of(const Present &present, const std::string &directory)
{
	const auto incomplete = [&directory](const std::string &file, const char *what) {
		return usage_error(fmt::format("{} has no {}", file, what), check_hint(directory));
	};
	chain::ClientNetwork network;

	if (!present.wg0.private_key)
		return incomplete(present.wg0.file, "PrivateKey");
	if (!present.wg0.addresses)
		return incomplete(present.wg0.file, "Address");
	if (!present.wg0.mtu)
		return incomplete(present.wg0.file, "MTU");
	if (!present.wg1.private_key)
		return incomplete(present.wg1.file, "PrivateKey");
	const auto *vps = present.vps.private_key ?
				  present.wg1.peer(present.vps.private_key->public_key()) :
				  nullptr;
	if (!vps || !vps->endpoint)
		return incomplete(present.wg1.file, "[Peer] that is the VPS, with an Endpoint");
	const auto relays = present.vps.relays_to(present.wg1.private_key->public_key());
	if (relays.empty() || !relays[0]->listen)
		return incomplete(present.vps.file, "[Relay] to this home, with Listen");
	network.home = present.wg0.private_key->public_key();
	network.mtu = *present.wg0.mtu;
	const auto &listen = *relays[0]->listen;
	network.endpoint = chain::host_port(relay_host(vps->endpoint->first, listen), listen.port);
	for (const auto &address : *present.wg0.addresses)
		network.wg0.push_back({ address.address.masked(address.length), address.length });
	network.lan = present.notes.lan;
	TRY(check_networks(present, network, vps->endpoint->first, directory));
	network.dns = present.notes.dns;
	network.full = present.notes.full;
	const auto status = chain::verify_dns(network);
	if (!status)
		return usage_error(fmt::format("{}/{}: {}", directory, chain::notes_name,
					       status.error().what),
				   status.error().hint);
	return network;
}

/* By its key, as its name may have been taken on the router. */
static Status find_routeros_wg0(Present &present, const std::string &directory)
{
	if (!present.routeros_text)
		return {};
	const auto commands = chain::parse_routeros(view(*present.routeros_text));
	const auto *tunnel = chain::routeros_tunnel(commands, *present.wg0.private_key);
	if (!tunnel)
		return usage_error(
			fmt::format("{}/home/mt.rsc makes no interface with the key of {}",
				    directory, present.wg0.file),
			check_hint(directory));
	present.routeros_wg0 = tunnel->value("name");
	if (present.routeros_wg0.empty())
		return usage_error(fmt::format("{}/home/mt.rsc gives wg0 no name", directory),
				   check_hint(directory));
	return {};
}

/* Whether each network has a host of that number. */
static Status check_host(const chain::ClientNetwork &network, uint32_t host)
{
	for (const auto &prefix : network.wg0) {
		if (!chain::host_of(prefix, host))
			return usage_error(
				fmt::format("{} has no address that was never given",
					    prefix.text()),
				"make a new chain with a larger wg0-network: an address that is given "
				"again would let one client in as another");
	}
	return {};
}

/* The next number, also behind those of clients that are gone; but for those that were given by hand. */
static Result<uint32_t> next_host(const Present &present, const chain::ClientNetwork &network)
{
	const uint32_t host = chain::free_host(present.wg0, present.notes.last_host + 1);

	TRY(check_host(network, host));
	return host;
}

static std::string with_line_end(const SecretText &text)
{
	std::string copy(view(text));

	if (!copy.empty() && copy.back() != '\n')
		copy += '\n';
	return copy;
}

static void print_to_do(const std::string &directory, const chain::ClientNetwork &network,
			const chain::Client &client, const std::string &routeros_client)
{
	const auto addresses = chain::join(chain::client_addresses(network.wg0, client.host), ",");

	fmt::print("{0} has {1}: {2}/clients/{0}.conf and .png, or nwgctl chain qr {2} {0}\n"
		   "\n"
		   "The home that runs does not know it yet.\n"
		   "\n",
		   client.name, addresses, directory);
	if (!routeros_client.empty())
		fmt::print("RouterOS, in a terminal:\n"
			   "\n"
			   "    {}\n"
			   "\n",
			   routeros_client);
	fmt::print(
		"Linux: {}/home/wg0.conf goes there in place of the file that it was put there as, which is\n"
		"/etc/wireguard/wg0.conf unless that name was another tunnel's; and as root, in bash, with that name:\n"
		"\n"
		"    wg syncconf wg0 <(wg-quick strip wg0)\n"
		"\n"
		"On the VPS there is nothing to do.\n",
		directory);
}

Status chain_add_client(const Options &, Arguments arguments)
{
	if (arguments.size() != 2)
		return wrong_usage("a directory and a client's name must be there, and no more");
	const auto directory = chain::directory_name(arguments[0]);
	const auto name = TRY(chain::parse_client_name(arguments[1]));
	const auto lock = TRY(chain::Lock::take(directory));
	const auto conf = fmt::format("clients/{}.conf", name);
	std::error_code unreadable;
	if (std::filesystem::exists(fmt::format("{}/{}", directory, conf), unreadable))
		return usage_error(fmt::format("There is a client `{}' already: {}/{}", name,
					       directory, conf),
				   "take another name");

	auto read = read_present(directory);
	if (!read) {
		if (read.error().hint.empty())
			read.error().hint = check_hint(directory);
		return read.error();
	}
	auto present = read.take();
	const auto network = TRY(network_of(present, directory));
	TRY(find_routeros_wg0(present, directory));
	const auto client = chain::new_client(name, TRY(next_host(present, network)));
	const auto text = chain::client_conf(network, client);
	auto notes = present.notes;
	notes.last_host = client.host;
	chain::Files files{ { chain::notes_name, chain::print_notes(notes) },
			    { "home/wg0.conf", with_line_end(present.wg0_text) +
						       chain::home_peer(network.wg0, client) } };
	std::string command;
	if (present.routeros_text) {
		command = chain::routeros_client(present.routeros_wg0, network.wg0, client);
		files.emplace_back("home/mt.rsc",
				   with_line_end(*present.routeros_text) + command + "\n");
	}
	files.emplace_back(fmt::format("clients/{}.png", name),
			   TRY(chain::qr_png(TRY(chain::encode_qr(text)))));
	/* The client's own file is last: while it is missing, the same command begins anew. */
	files.emplace_back(conf, text);
	TRY(chain::change_files(directory, files));
	print_to_do(directory, network, client, command);
	return {};
}

} // namespace nwgctl
