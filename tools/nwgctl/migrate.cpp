// SPDX-License-Identifier: GPL-2.0
/* migrate: a file with relays in the place of DNAT rules, and what the administrator does then. */
#include "command.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/directory.hpp"
#include "chain/network.hpp"
#include "config/file.hpp"
#include "config/quick.hpp"
#include "config/value.hpp"
#include "diagnosis/sockets.hpp"
#include "migration/file.hpp"
#include "migration/plan.hpp"
#include "migration/steps.hpp"
#include "netlink/device.hpp"
#include "netlink/link.hpp"
#include "netlink/relay.hpp"
#include "netlink/route.hpp"
#include "render/device.hpp"
#include "render/migration.hpp"
#include "ruleset/read.hpp"
#include "words.hpp"

namespace nwgctl
{

using migration::Machine;
using migration::Plan;

static constexpr const char *directory = "/etc/nwg";

/* An interface, and its file before and after. */
struct Subject {
	netlink::Link link;
	/* Empty: it has none, and the text is what save would write. */
	std::string old_path;
	SecretText old_text;
	config::Quick old;
	std::string new_path;
	/* Without an old one: as it is, to go back with. */
	std::string back_path, back_text;
};

/* What is written, and what is shown. */
struct Outcome {
	std::string text;
	migration::Report report;
};

static SecretText secret(const std::string &text)
{
	return { text.begin(), text.end() };
}

static std::string_view view(const SecretText &text)
{
	return { text.data(), text.size() };
}

/* The only one, if none is named. */
static Result<std::string> only_interface()
{
	const auto links = TRY(netlink::wireguard_links());

	if (links.size() == 1)
		return links[0].name;
	if (links.empty())
		return usage_error("There is no WireGuard interface",
				   "bring up the one that the rules lead to");
	return usage_error("There are several WireGuard interfaces",
			   "name one: nwgctl show interfaces");
}

static std::string file_name(const std::string &path)
{
	return path.substr(path.rfind('/') + 1);
}

/* As the steps have it, which may be taken elsewhere. */
static std::string absolute(const std::string &path)
{
	std::error_code error;
	const auto whole = std::filesystem::absolute(path, error);

	return error ? path : whole.lexically_normal().string();
}

/* Nothing is there yet, but for the directory. */
static Status check_new_files(const Subject &subject)
{
	const auto parent = std::filesystem::path(subject.new_path).parent_path();
	std::error_code error;

	if (!parent.empty() && parent != directory && !std::filesystem::is_directory(parent, error))
		return usage_error(fmt::format("There is no directory {}", parent.string()),
				   fmt::format("make it: mkdir -m 700 {}",
					       ruleset::quoted(parent.string())));
	for (const auto &path : { subject.new_path, subject.back_path }) {
		struct stat found;

		if (!lstat(path.c_str(), &found))
			return usage_error(
				fmt::format("Unable to write {}: {}", path, strerror(EEXIST)),
				fmt::format("move it away, or name another: to DIR/{}.conf",
					    subject.link.name));
	}
	return {};
}

static Result<Subject> find_subject(const std::string &name, const std::string &to)
{
	Subject subject;
	std::string interface = name;
	auto path = config::find_quick(name);

	if (path) {
		subject.old_text = TRY(config::read_file(path.value()));
		subject.old = TRY(config::parse_quick(view(subject.old_text), path.value(),
						      config::Part::relays));
		subject.old_path = absolute(path.value());
		interface = subject.old.interface;
	}
	subject.link = TRY(netlink::wireguard_link(interface));
	subject.new_path = to.empty() ? fmt::format("{}/{}.conf", directory, interface) : to;
	if (file_name(subject.new_path) != interface + ".conf")
		return usage_error(fmt::format("`{}' is not the name of a file for {}",
					       subject.new_path, interface),
				   fmt::format("name one that ends in /{}.conf", interface));
	if (subject.old_path.empty())
		subject.back_path = fmt::format(
			"{}before/{}.conf",
			subject.new_path.substr(0, subject.new_path.rfind('/') + 1), interface);
	TRY(check_new_files(subject));
	subject.new_path = absolute(subject.new_path);
	if (!subject.back_path.empty())
		subject.back_path = absolute(subject.back_path);
	return subject;
}

/* Of one interface, or of all; without the module there are none. */
static Result<std::vector<netlink::Relay>> relays_of(const std::optional<std::string> &interface)
{
	auto relays = netlink::list_relays({ .interface = interface, .listen = {} });

	if (!relays && relays.error().number == ENOENT)
		return std::vector<netlink::Relay>();
	return relays;
}

static Result<Machine> look_around(const Subject &subject, const netlink::LinkState &state)
{
	Machine machine;
	std::vector<Error> failed;

	machine.device = TRY(netlink::get_device(subject.link));
	machine.addresses = TRY(netlink::list_addresses(state));
	machine.local = diagnosis::local_addresses();
	for (const auto &link : TRY(netlink::wireguard_links())) {
		if (link.index != subject.link.index)
			machine.others.push_back(TRY(netlink::get_device(link)));
	}
	for (const auto &relay : TRY(relays_of(std::nullopt)))
		machine.relays.push_back({ .interface = relay.interface, .listen = relay.listen });
	for (const auto &section : subject.old.relays)
		machine.relays.push_back(section.value);
	machine.sockets = diagnosis::list_sockets("udp");
	machine.networks = TRY(netlink::list_networks());
	machine.ruleset = ruleset::read_rules(failed);
	ruleset::resolve_jumps(machine.ruleset);
	if (!failed.empty())
		return Error{ failed[0].exit,
			      "Unable to read all rules: " + failed[0].what,
			      {},
			      "be root; what of it is not there for this machine, uninstall" };
	for (const auto &rule : machine.ruleset.rules) {
		if (rule.verdict != ruleset::Verdict::dnat || !rule.to)
			continue;
		const auto way = TRY(netlink::find_way(*rule.to, 0));
		machine.ways[*rule.to] = way ? way->interface : "";
	}
	return machine;
}

/* A file for what somebody has made by hand. */
static std::string print_as_saved(Subject &subject, const Machine &machine,
				  const netlink::LinkState &state,
				  const std::vector<netlink::Relay> &relays, Plan &plan)
{
	const bool has_default = std::ranges::any_of(machine.device.peers, [](const Peer &peer) {
		return std::ranges::any_of(peer.allowed_ips,
					   [](const Prefix &prefix) { return !prefix.length; });
	});

	subject.old.kept.push_back(fmt::format("MTU = {}", state.mtu));
	if (has_default) {
		subject.old.kept.emplace_back("Table = off");
		plan.changes.push_back(
			{ subject.link.name,
			  "routes to it are not made: a peer has all addresses, and a default route "
			  "into the tunnel might keep you out",
			  "write those that there are to be as PostUp = ip route add ..." });
	}
	const auto text =
		config::print_quick(subject.old, machine.device, machine.addresses, relays);
	subject.old.kept.push_back(fmt::format("Kind = {}", subject.link.kind));
	subject.back_text =
		config::print_quick(subject.old, machine.device, machine.addresses, relays);
	return text;
}

/* Where those who make interfaces have their files: they would make this one again. */
static constexpr const char *maker_directories[] = {
	"/etc/systemd/network", "/run/systemd/network",
	"/etc/netplan",		"/etc/NetworkManager/system-connections",
	"/etc/network",		"/etc/network/interfaces.d",
};

static bool names(const std::string &path, const std::string &interface)
{
	const auto text = config::read_file(path);
	const auto is_of_name = [](char character) {
		return isalnum(static_cast<unsigned char>(character)) ||
		       std::string_view("_=+.-").find(character) != std::string_view::npos;
	};
	const auto whole = text ? view(text.value()) : std::string_view();

	for (std::size_t at = 0; (at = whole.find(interface, at)) != whole.npos; at++) {
		const auto end = at + interface.size();

		/* An equals sign before it is not its own. */
		if ((!at || whole[at - 1] == '=' || !is_of_name(whole[at - 1])) &&
		    (end == whole.size() || !is_of_name(whole[end])))
			return true;
	}
	return false;
}

/* No file of wg-quick(8) made it; so something else does. */
static void mind_maker(const Subject &subject, Plan &plan)
{
	std::string makers;
	std::error_code error;

	for (const char *directory : maker_directories) {
		for (const auto &entry : std::filesystem::directory_iterator(directory, error)) {
			if (entry.is_regular_file(error) && names(entry.path(), subject.link.name))
				makers += (makers.empty() ? "" : ", ") + entry.path().string();
		}
	}
	plan.changes.push_back({ subject.link.name,
				 makers.empty() ? "what makes it at boot is not known" :
						  fmt::format("it is named in {}", makers),
				 "have nothing else make it at boot: networkd, NetworkManager, "
				 "/etc/network/interfaces, a script" });
	plan.changes.push_back({ subject.back_path,
				 "the interface as it is, with its keys, to go back with",
				 "remove it when all is well" });
}

/* Tables of nft with nothing but needless rules. */
static std::vector<std::string> needless_tables(const Machine &machine, const Plan &plan)
{
	std::vector<std::string> tables;

	for (const auto &rule : plan.gone) {
		if (rule.program == "nft" &&
		    std::ranges::all_of(machine.ruleset.rules, [&](const ruleset::Rule &other) {
			    return other.program != "nft" || other.family != rule.family ||
				   other.table != rule.table ||
				   std::ranges::any_of(plan.gone, [&](const ruleset::Rule &gone) {
					   return gone.program == "nft" &&
						  gone.family == other.family &&
						  gone.table == other.table &&
						  gone.handle == other.handle;
				   });
		    }))
			tables.push_back(rule.family + ' ' + rule.table);
	}
	return tables;
}

/*
 * The new file is one that "up" takes, and means what the interface is. Returns the peers whose endpoint the interface knows, and
 * the file does not say.
 */
static Result<std::vector<Peer>> check_file(const Subject &subject, const Machine &machine,
					    Outcome &outcome)
{
	const auto quick =
		TRY(config::parse_quick(outcome.text, subject.new_path, config::Part::whole));
	auto change = config::difference(machine.device, quick.device);

	for (const auto &section : outcome.report.plan.relays) {
		if (std::ranges::none_of(quick.device.peers, [&](const PeerChange &peer) {
			    return peer.public_key == *section.relay.peer;
		    }))
			return usage_error(
				fmt::format("{} has no peer {}, which a rule leads to",
					    subject.old_path, section.relay.peer->base64()),
				fmt::format("have the interface written into it, and migrate then: "
					    "nwgctl save {}",
					    subject.old_path));
	}
	/* Where somebody has come from is no matter, nor what wg-quick has made up for a default route. */
	std::erase_if(change.peers, [](const PeerChange &peer) {
		return !peer.remove && !peer.preshared_key && !peer.keepalive &&
		       !peer.replace_allowed_ips;
	});
	if (change.private_key || change.listen_port || !change.peers.empty())
		outcome.report.plan.changes.push_back(
			{ subject.old_path,
			  "the interface was changed since: keys, port or peers in the file are others",
			  fmt::format("nwgctl up makes what the file says; to keep what is now: "
				      "nwgctl save {}, and migrate then",
				      subject.old_path) });
	std::vector<Peer> dialled_in;
	for (const auto &peer : machine.device.peers) {
		if (peer.endpoint &&
		    std::ranges::any_of(quick.device.peers, [&](const PeerChange &other) {
			    return other.public_key == peer.public_key && !other.endpoint;
		    }))
			dialled_in.push_back(peer);
	}
	return dialled_in;
}

/* Whether somebody has connected to this machine, and packets to him go into the tunnel. */
static Result<bool> comes_over(const Machine &machine, const diagnosis::Socket &socket,
			       const std::vector<diagnosis::Socket> &sockets)
{
	const bool is_answered =
		socket.connected &&
		std::ranges::any_of(sockets, [&](const diagnosis::Socket &other) {
			return !other.connected && !other.remote_port &&
			       other.takes({ .address = socket.local, .port = socket.port });
		});

	if (!is_answered || std::ranges::none_of(machine.device.peers, [&](const Peer &peer) {
		    return chain::contains(peer.allowed_ips, socket.remote);
	    }))
		return false;
	const auto way = TRY(netlink::find_way(socket.remote, 0));
	return way && way->interface == machine.device.name;
}

/* Who is logged in over the tunnel loses it, and what has to be done then. sudo and su keep nothing of how he came. */
static Status mind_login(const Machine &machine, Plan &plan)
{
	const auto sockets = diagnosis::list_sockets("tcp");

	for (const auto &socket : sockets) {
		if (!TRY(comes_over(machine, socket, sockets)))
			continue;
		plan.changes.push_back(
			{ machine.device.name,
			  fmt::format(
				  "{} is connected over it to TCP port {}: you may be logged in so",
				  socket.remote.text(), socket.port),
			  "come in another way for the steps, or write them into a file and have them "
			  "run by: nohup sh -ex FILE &" });
		break;
	}
	return {};
}

static Result<Outcome> migrate_subject(Subject &subject)
{
	const auto state = TRY(netlink::find_link(subject.link.name));
	if (!state)
		return Error{ Exit::refused,
			      fmt::format("Unable to find interface {}: {}", subject.link.name,
					  strerror(ENODEV)),
			      {},
			      {},
			      ENODEV };
	const auto machine = TRY(look_around(subject, *state));
	Outcome outcome{ .text = {},
			 .report = { .interface = subject.link.name,
				     .old_file = subject.old_path,
				     .new_file = subject.new_path,
				     .plan = make_plan(machine),
				     .steps = {},
				     .difference = {} } };
	Plan &plan = outcome.report.plan;
	migration::Change change{ .interface = subject.link.name,
				  .kind = subject.link.kind,
				  .old_file = subject.old_path,
				  .new_file = subject.new_path,
				  .back_file = subject.back_path,
				  .gone = {},
				  .deleted_by_hook = {},
				  .needless = plan.gone,
				  .dialled_in = {},
				  .forwarding = plan.needless(),
				  .switched_by_hook = {} };

	if (subject.old_path.empty())
		subject.old_text = secret(print_as_saved(subject, machine, *state,
							 TRY(relays_of(subject.link.name)), plan));
	auto file = migration::make_file(view(subject.old_text), subject.old,
					 { .interface = subject.link.name,
					   .rules = plan.gone,
					   .tables = needless_tables(machine, plan),
					   .forwarding = change.forwarding },
					 plan.relays);
	outcome.text = std::move(file.text);
	std::ranges::move(file.unclear, std::back_inserter(plan.left));
	change.switched_by_hook = file.switches;
	change.dialled_in = TRY(check_file(subject, machine, outcome));
	for (std::size_t index = 0; index < plan.gone.size(); index++) {
		if (std::ranges::find(file.deletes, index) != file.deletes.end()) {
			change.deleted_by_hook.push_back(plan.gone[index]);
			continue;
		}
		change.gone.push_back(plan.gone[index]);
		if (std::ranges::find(file.makes, index) == file.makes.end() &&
		    !migration::is_kept_in_file(plan.gone[index]))
			plan.changes.push_back(
				{ plan.gone[index].command(), "what makes it at boot is not known",
				  "see that nothing does: a script, /etc/network/interfaces, a "
				  "firewall's own files" });
	}
	TRY(mind_login(machine, plan));
	if (plan.relays.empty())
		return outcome;
	for (const auto &user : plan.forwarding)
		plan.changes.push_back(
			{ user.what,
			  fmt::format("it may need this machine to forward {}, which stays as it is",
				      !user.families.v6 ? "IPv4" :
				      !user.families.v4 ? "IPv6" :
							  "IPv4 and IPv6"),
			  "switch it off, and proxy_arp, if nothing does" });
	if (subject.old_path.empty())
		mind_maker(subject, plan);
	outcome.report.steps = make_steps(change, plan.changes);
	outcome.report.difference =
		migration::difference(view(subject.old_text), outcome.text, render::keys_visible());
	return outcome;
}

static Status make_directory(const std::string &path)
{
	if (mkdir(path.c_str(), 0700) && errno != EEXIST)
		return Error{ Exit::refused,
			      fmt::format("Unable to make {}: {}", path, strerror(errno)),
			      {},
			      {},
			      errno };
	return {};
}

/* The directory where it is not asked for may not be there. Both files are written, or none. */
static Status write(const Subject &subject, const std::string &text)
{
	if (subject.new_path.starts_with(std::string(directory) + '/'))
		TRY(make_directory(directory));
	if (!subject.back_path.empty()) {
		TRY(make_directory(subject.back_path.substr(0, subject.back_path.rfind('/'))));
		TRY(chain::write_new_file(subject.back_path, subject.back_text));
	}
	auto written = chain::write_new_file(subject.new_path, text);
	if (!written && !subject.back_path.empty())
		unlink(subject.back_path.c_str());
	return written;
}

Status migrate(const Options &options, Arguments arguments)
{
	std::string name, to;
	Words words(arguments);

	while (!words.empty()) {
		if (words.take("to")) {
			if (!to.empty())
				return words.repeated();
			to = TRY(words.value());
		} else if (name.empty() && to.empty()) {
			name = TRY(words.value());
		} else {
			return words.unknown();
		}
	}
	if (name.empty())
		name = TRY(only_interface());
	auto subject = TRY(find_subject(name, to));
	auto outcome = TRY(migrate_subject(subject));
	outcome.report.written = !options.dry_run && !outcome.report.plan.relays.empty();
	if (outcome.report.written)
		TRY(write(subject, outcome.text));
	render::print_migration(outcome.report, options);
	if (outcome.report.plan.relays.empty())
		return usage_error(
			fmt::format("No rule can be made a relay over {}", subject.link.name),
			"the reasons are above; where there are none, no rule leads there");
	return {};
}

} // namespace nwgctl
