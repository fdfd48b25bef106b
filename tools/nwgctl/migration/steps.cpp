// SPDX-License-Identifier: GPL-2.0
#include "steps.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../netlink/link.hpp"
#include "../ruleset/iptables.hpp"
#include "../ruleset/nft.hpp"
#include "../setup/process.hpp"

namespace nwgctl::migration
{

namespace fs = std::filesystem;

using ruleset::quoted;
using ruleset::Rule;

/* Where rules are kept from one boot to the next, for which program, and switches. */
struct RuleFile {
	const char *path, *program;
};

static constexpr RuleFile rule_files[] = {
	{ "/etc/iptables/rules.v4", "iptables" },  { "/etc/iptables/rules.v6", "ip6tables" },
	{ "/etc/sysconfig/iptables", "iptables" }, { "/etc/sysconfig/ip6tables", "ip6tables" },
	{ "/etc/ufw/before.rules", "iptables" },   { "/etc/ufw/before6.rules", "ip6tables" },
	{ "/etc/nftables.conf", "nft" },	   { "/etc/sysconfig/nftables.conf", "nft" },
};
static constexpr const char *switch_files[] = { "/etc/sysctl.conf", "/etc/ufw/sysctl.conf" };
static constexpr const char *switch_directory = "/etc/sysctl.d";

static std::string contents(const std::string &path)
{
	std::ifstream file(path);
	std::ostringstream text;

	text << file.rdbuf();
	return text.str();
}

/* Lines of a file that iptables-restore or ip6tables-restore reads. */
static std::vector<unsigned int> saved_lines(const std::string &text, const std::string &program,
					     const std::vector<Rule> &rules)
{
	std::vector<unsigned int> found;

	for (const auto &saved : ruleset::parse_iptables_save(text, program).rules) {
		if (std::ranges::any_of(rules, [&](const Rule &rule) {
			    return rule.program != "nft" &&
				   saved.does_as(ruleset::parse_iptables_rule(
					   rule.program, rule.table, rule.chain, rule.words));
		    }))
			found.push_back(saved.handle);
	}
	return found;
}

/* The words behind the first one, without the brace at their end. */
static std::string name_in(const std::vector<std::string> &words)
{
	const auto end = std::ranges::find(words, "{");

	return fmt::format("{}", fmt::join(std::vector(words.begin() + 1, end), " "));
}

/* Lines of a file for nft that are a rule in the block of its chain, in the block of its table. */
static std::vector<unsigned int> nft_lines(const std::string &text, const std::vector<Rule> &rules)
{
	std::vector<unsigned int> found;
	std::istringstream lines(text);
	std::string line, table, chain;
	std::ptrdiff_t depth = 0;

	for (unsigned int number = 1; std::getline(lines, line); number++) {
		const auto words = ruleset::essence_of(line);
		const auto plain = fmt::format("{}", fmt::join(words, " "));

		if (words.empty())
			continue;
		if (depth == 0 && words[0] == "table")
			table = name_in(words);
		else if (depth == 1 && words[0] != "{")
			chain = words[0] == "chain" ? name_in(words) : "";
		else if (depth == 2 && std::ranges::any_of(rules, [&](const Rule &rule) {
				 return rule.program == "nft" && chain == rule.chain &&
					table == rule.family + ' ' + rule.table &&
					words == ruleset::essence_of(rule.text);
			 }))
			found.push_back(number);
		depth += std::ranges::count(plain, '{') - std::ranges::count(plain, '}');
	}
	return found;
}

std::vector<unsigned int> lines_with(const std::string &text, const std::string &program,
				     const std::vector<Rule> &rules)
{
	return program == "nft" ? nft_lines(text, rules) : saved_lines(text, program, rules);
}

/* Lines of a file go, all at once, as their numbers change then. */
static void add_file(std::vector<Step> &steps, const std::string &path,
		     const std::vector<unsigned int> &lines, const char *what)
{
	if (!lines.empty())
		steps.push_back(
			{ fmt::format("sed -i '{}d' {}", fmt::join(lines, "d;"), quoted(path)),
			  fmt::format("{} would be back at the next boot", what) });
}

/* The switch that a line switches on, as /proc/sys has it; empty: none. */
static std::string switch_of(const std::string &line)
{
	const auto equals = line.find('=');
	std::string key = line.substr(0, equals);
	int value = 0;

	if (equals == line.npos || !(std::istringstream(line.substr(equals + 1)) >> value) ||
	    !value)
		return {};
	key.erase(0, key.find_first_not_of(" \t-"));
	key.erase(key.find_last_not_of(" \t") + 1);
	std::ranges::replace(key, '.', '/');
	return key;
}

std::map<unsigned int, std::string> switch_lines(const std::string &text,
						 const std::vector<std::string> &names)
{
	std::map<unsigned int, std::string> found;
	std::istringstream lines(text);
	std::string line;

	for (unsigned int number = 1; std::getline(lines, line); number++) {
		const auto name = switch_of(line);

		if (std::ranges::find(names, name) != names.end())
			found[number] = name;
	}
	return found;
}

/* Those that are on. */
static std::vector<std::string> switches(const Change &change)
{
	std::vector<std::string> names;
	std::error_code error;
	const auto look = [&](const std::string &name) {
		int value = 0;

		if (std::ifstream("/proc/sys/" + name) >> value && value)
			names.push_back(name);
	};

	if (change.forwarding.v4)
		look("net/ipv4/ip_forward");
	if (change.forwarding.v6)
		look("net/ipv6/conf/all/forwarding");
	for (const auto &entry : fs::directory_iterator("/proc/sys/net/ipv4/conf", error)) {
		/* What is the interface's own goes with it. */
		if (change.forwarding.v4 && entry.path().filename() != change.interface)
			look(fmt::format("net/ipv4/conf/{}/proxy_arp",
					 entry.path().filename().string()));
	}
	return names;
}

static void add_switches(std::vector<Step> &steps, const Change &change,
			 std::vector<Remark> &minded)
{
	const auto names = switches(change);
	std::vector<std::string> paths(std::begin(switch_files), std::end(switch_files)),
		unknown = names;
	std::error_code error;

	for (const auto &name : names)
		steps.push_back({ fmt::format("sysctl -w {}=0", quoted(name)),
				  "nothing that is known here needs it any more" });
	/* Others are not read at boot. Links lead to one of these files, or to one that is somebody else's. */
	for (const auto &entry : fs::directory_iterator(switch_directory, error)) {
		if (entry.path().extension() == ".conf" && !entry.is_symlink(error))
			paths.push_back(entry.path());
	}
	std::ranges::sort(paths);
	for (const auto &path : paths) {
		const auto found = switch_lines(contents(path), names);

		for (const auto &[number, name] : found)
			std::erase(unknown, name);
		add_file(steps, path,
			 { std::views::keys(found).begin(), std::views::keys(found).end() }, "it");
	}
	for (const auto &name : change.switched_by_hook)
		std::erase(unknown, name);
	for (const auto &name : unknown)
		minded.push_back({ name, "what switches it on at boot is not known",
				   "see that nothing does: networkd, a script" });
}

/* The new file is where nwg@.service finds it. */
static bool is_found(const Change &change)
{
	return change.new_file == fmt::format("/etc/nwg/{}.conf", change.interface);
}

static bool is_in(const Change &change, const char *directory)
{
	std::error_code error;

	return fs::equivalent(change.old_file,
			      fmt::format("{}/{}.conf", directory, change.interface), error);
}

/* Those that would bring the old file's interface up at boot. nwg@.service takes files of wg-quick, too, and the new one first. */
static std::vector<std::string> enabled_units(const Change &change)
{
	const bool of_quick = is_in(change, "/etc/wireguard"), own = is_in(change, "/etc/nwg");
	std::vector<std::string> units;
	std::error_code error;

	if (of_quick)
		units.push_back(fmt::format("wg-quick@{}", change.interface));
	if ((of_quick || own) && !is_found(change))
		units.push_back(fmt::format("nwg@{}", change.interface));
	std::erase_if(units, [&](const std::string &unit) {
		return !fs::is_symlink(
			fmt::format("/etc/systemd/system/multi-user.target.wants/{}.service", unit),
			error);
	});
	return units;
}

/* How the interface was made, so far as that can be seen, is how it goes. Returns what brings it back. */
static std::string add_down(std::vector<Step> &steps, const Change &change)
{
	const bool by_quick = change.kind == netlink::stock_kind && setup::has_program("wg-quick");
	const auto program = by_quick ? "wg-quick" : "nwgctl";
	const auto file = quoted(by_quick && is_in(change, "/etc/wireguard") ? change.interface :
									       change.old_file);
	const char *why = "the tunnel is down from here";
	std::vector<std::string> back, enabled;
	bool is_down = false;

	if (change.old_file.empty()) {
		steps.push_back({ fmt::format("ip link del {}", quoted(change.interface)), why });
		return fmt::format("nwgctl up {}", quoted(change.back_file));
	}
	for (const auto &unit : enabled_units(change)) {
		const bool is_active =
			bool(setup::output_of({ "systemctl", "is-active", "--quiet", unit }));
		const auto now = is_active ? "--now " : "";

		steps.push_back({ fmt::format("systemctl disable {}{}", now, unit),
				  is_active ? why : "it would bring the old tunnel up at boot" });
		if (is_active)
			back.push_back(fmt::format("systemctl start {}", unit));
		enabled.push_back(fmt::format("systemctl enable {}", unit));
		is_down |= is_active;
	}
	/* A PostDown may fail when the interface is gone: then it goes on, or there is no tunnel at all. */
	if (!is_down) {
		steps.push_back({ fmt::format("{} down {} || test ! -e /sys/class/net/{}", program,
					      file, change.interface),
				  why });
		back.push_back(fmt::format("{} up {}", program, file));
	}
	/* The tunnel first: with "sh -e" what fails is the last. */
	std::ranges::move(enabled, std::back_inserter(back));
	return fmt::format("{}", fmt::join(back, "; "));
}

bool is_kept_in_file(const Rule &rule)
{
	return std::ranges::any_of(rule_files, [&](const RuleFile &file) {
		return !lines_with(contents(file.path), file.program, { rule }).empty();
	});
}

/* Where systemd looks for units; of several, each may have one. */
static constexpr const char *unit_directories[] = {
	"/etc/systemd/system",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
};

static void add_boot(std::vector<Step> &steps, const Change &change, std::vector<Remark> &minded)
{
	std::error_code error;
	const bool has_unit = std::ranges::any_of(unit_directories, [&](const char *directory) {
		return fs::exists(fmt::format("{}/nwg@.service", directory), error);
	});

	if (is_found(change) && has_unit)
		steps.push_back({ fmt::format("systemctl enable nwg@{}", change.interface),
				  "to have it at boot" });
	else
		minded.push_back({ change.new_file, "nothing is known that brings it up at boot",
				   has_unit ? "nwg@.service does with files in /etc/nwg" :
					      "have nwgctl up run then, as the unit nwg@.service "
					      "does that comes with nwgctl" });
}

std::vector<Step> make_steps(const Change &change, std::vector<Remark> &minded)
{
	const auto file = quoted(is_found(change) ? change.interface : change.new_file);
	std::vector<Step> steps;
	std::error_code error;

	if (!fs::exists("/sys/module/nwg", error))
		steps.push_back(
			{ "modprobe nwg", "if this fails, stop here: nothing has changed" });
	const auto back = add_down(steps, change);
	/* The first hook that fails is the last one that is run. */
	for (const auto &rule : change.deleted_by_hook)
		steps.push_back(
			{ rule.delete_command() + " 2>/dev/null || true",
			  "the old file's hooks have deleted it, unless one of them failed" });
	steps.push_back(
		{ fmt::format("nwgctl up {} || {{ {}; false; }}", file, back),
		  "and up from here, with relays, which come before the rules; if it cannot "
		  "be, the old one is up again" });
	for (const auto &peer : change.dialled_in)
		steps.push_back(
			{ fmt::format("nwgctl set {} peer {} endpoint {}", quoted(change.interface),
				      peer.public_key.base64(), quoted(peer.endpoint->text())),
			  "it is reached at once there, and not when it dials in again, in two "
			  "minutes" });
	steps.push_back(
		{ fmt::format("nwgctl relay show dev {}", quoted(change.interface)),
		  fmt::format("do clients come in? If not: nwgctl down {}; {}", file, back) });
	/* What follows may fail: a PostDown may have deleted a rule in words that are not known here. */
	add_boot(steps, change, minded);
	for (const auto &rule : change.gone)
		steps.push_back(
			{ rule.delete_command() + " || echo 'Not deleted: see whether it is there'",
			  "has nothing to do any more" });
	for (const auto &[path, program] : rule_files)
		add_file(steps, path, lines_with(contents(path), program, change.needless),
			 "these rules");
	add_switches(steps, change, minded);
	return steps;
}

} // namespace nwgctl::migration
