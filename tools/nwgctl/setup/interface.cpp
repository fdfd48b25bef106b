// SPDX-License-Identifier: GPL-2.0
#include "interface.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../command.hpp"
#include "../netlink/device.hpp"
#include "../netlink/link.hpp"
#include "../say.hpp"
#include "../signals.hpp"
#include "dns.hpp"
#include "firewall.hpp"
#include "plan.hpp"
#include "process.hpp"
#include "state.hpp"
#include "sysctl.hpp"
#include "transaction.hpp"

namespace nwgctl::setup
{

using config::at_line;
using config::AtLine;
using config::Quick;
using netlink::LinkState;

/* The interface that the file is for, of which it must be there. */
static Result<LinkState> present_link(const Quick &quick)
{
	const auto link = TRY(netlink::find_link(quick.interface));

	if (!link)
		return Error{ Exit::refused,
			      fmt::format("Unable to find interface {}: {}", quick.interface,
					  strerror(ENODEV)),
			      {},
			      fmt::format("make it: nwgctl up {}", quick.path),
			      ENODEV };
	if (link->kind != NWG_LINK_KIND && link->kind != netlink::stock_kind)
		return Error{ Exit::refused,
			      fmt::format("{} is not a WireGuard interface", quick.interface),
			      {},
			      "see which there are: nwgctl show interfaces",
			      EOPNOTSUPP };
	return *link;
}

/* For a default route: see firewall.hpp. */
static Status make_firewall(Transaction &transaction, const Quick &quick, const Firewall &now,
			    const Firewall &wanted)
{
	if (!now.mark && !wanted.mark)
		return {};
	/* Also if nothing is new: somebody may have removed all tables. */
	TRY(put_firewall(quick.interface, wanted));
	transaction.done([&quick, now] { return put_firewall(quick.interface, now); });
	/* Stays on, as it does after down: another interface may need it by then. */
	if (wanted.mark)
		TRY(set_sysctl(src_valid_mark, true));
	return {};
}

/* The name servers of the file, or none. Those that are so already are left alone. */
static Status make_dns(Transaction &transaction, const Quick &quick)
{
	const Dns wanted = quick.dns_servers.empty() ?
				   Dns() :
				   Dns{ quick.dns_servers, quick.dns_domains, true };
	const auto before = dns_of(quick.interface);

	if (wanted.servers.empty() && !quick.dns_domains.empty())
		say("Warning: {}:{}: no server is named, and the domains are left out\n",
		    quick.path, quick.dns_line);
	if (!wanted.servers.empty() && is_elsewhere()) {
		say("Warning: {}:{}: the servers are left out: they would be those of the "
		    "system's own network namespace\n",
		    quick.path, quick.dns_line);
		return {};
	}
	if (wanted == before)
		return {};
	transaction.done([&quick, before] { return put_dns(quick.interface, before); });
	auto done = put_dns(quick.interface, wanted);
	if (!done)
		return at_line(quick, quick.dns_line, done.error());
	return {};
}

/* Somebody who asks the program to end does not want what is not done yet. */
static Status go_on(const Quick &quick)
{
	if (WithoutSignals::is_interrupted())
		return Error{ Exit::refused,
			      fmt::format("Interrupted: {} is as it was", quick.interface) };
	return {};
}

/* What was run is taken back if one cannot be. @last: becomes the line of the last one that was run. */
static Status run_hooks(const Locks &locks, const Quick &quick,
			const std::vector<AtLine<std::string>> &commands, unsigned int &last)
{
	const Locks::ForHooks for_hooks(locks);

	for (const auto &[command, line] : commands) {
		TRY(go_on(quick));
		last = line;
		auto done = run_hook(command, quick.interface);
		if (!done)
			return at_line(quick, line, done.error());
	}
	return go_on(quick);
}

/*
 * Nobody takes these back: somebody who asks the program to end finds the interface as it was only before the first of them, and
 * it goes behind the last.
 */
static Status run_pre_down(const Locks &locks, const Quick &quick)
{
	const Locks::ForHooks for_hooks(locks);
	unsigned int last = 0;
	Status done = go_on(quick);

	for (const auto &[command, line] : quick.pre_down) {
		if (last && WithoutSignals::is_interrupted())
			done = Error{ Exit::refused, "Interrupted between commands of PreDown" };
		if (!done)
			break;
		last = line;
		done = run_hook(command, quick.interface);
		if (!done)
			done = at_line(quick, line, done.error());
	}
	if (!done && last && done.error().hint.empty())
		done.error().hint = fmt::format(
			"{0} is still there, PreDown was run up to line {1}, and down begins with the first "
			"again: mend the command, or ip link del {0} and then nwgctl down {2}",
			quick.interface, last, quick.path);
	return done;
}

/* The error of the first thing that could not be done; those that follow are said. */
class FirstError {
    public:
	void note(Status status)
	{
		if (status)
			return;
		if (first)
			first = std::move(status);
		else
			print_error(status.error());
	}
	Status first;
};

/* Those that take back what others have done: what one of them cannot does not keep the rest. */
static Status run_all_hooks(const Locks &locks, const Quick &quick,
			    const std::vector<AtLine<std::string>> &commands)
{
	const Locks::ForHooks for_hooks(locks);
	FirstError errors;

	for (const auto &[command, line] : commands) {
		auto done = run_hook(command, quick.interface);
		if (!done)
			errors.note(at_line(quick, line, done.error()));
	}
	return errors.first;
}

/* It may be another's, of a kind that the file does not have: reload changes neither such a one, nor down what is none of ours. */
static std::string present_hint(const Quick &quick, const std::string &kind)
{
	if (kind != NWG_LINK_KIND && kind != netlink::stock_kind)
		return fmt::format("see whose it is: ip -d link show {}", quick.interface);
	if (kind == quick.kind)
		return fmt::format("nwgctl reload {0} changes it; nwgctl down {0} removes it",
				   quick.path);
	if (kind == netlink::stock_kind)
		return fmt::format("if wg-quick(8) has made it: systemctl disable --now "
				   "wg-quick@{0}, or wg-quick down {0}",
				   quick.interface);
	return fmt::format("it is of kind {}: nwgctl down {} removes it", kind, quick.path);
}

static Error present_already(const Quick &quick, const LinkState &present)
{
	return { Exit::refused,
		 fmt::format("Unable to make interface {}: {}", quick.interface, strerror(EEXIST)),
		 {},
		 present_hint(quick, present.kind),
		 EEXIST };
}

Status up(const Quick &quick, const Locks &locks)
{
	/* Lines of what there is to take back. */
	unsigned int pre_up = 0, post_up = 0;
	/* By its name, until more is known of it. */
	LinkState link{ .name = quick.interface, .kind = {} };
	Transaction transaction;

	if (const auto present = TRY(netlink::find_link(quick.interface)))
		return present_already(quick, *present);
	transaction.done([&] {
		return pre_up || post_up ? run_all_hooks(locks, quick, quick.post_down) : Status();
	});
	TRY(run_hooks(locks, quick, quick.pre_up, pre_up));
	const auto wanted = as_planned(quick, TRY(plan(quick, {})));
	TRY(netlink::add_link(quick.interface, quick.kind));
	/* With the interface goes all that is applied to it, but for the rules. */
	transaction.done([&link] { return netlink::delete_link(link); });
	link = TRY(present_link(quick));
	/* Somebody else's may be there, for the same mark. */
	const auto rules = TRY(rules_of(wanted.owned));
	transaction.done([wanted, rules] { return put_rules(wanted.owned, rules); });
	TRY(apply(quick, link, wanted));
	TRY(make_firewall(transaction, quick, Firewall(), wanted.firewall()));
	if (quick.dns_line)
		TRY(make_dns(transaction, quick));
	transaction.done(
		[&] { return post_up ? run_all_hooks(locks, quick, quick.pre_down) : Status(); });
	TRY(run_hooks(locks, quick, quick.post_up, post_up));
	transaction.keep();
	return {};
}

/* The mark of a default route goes with it; one that a hook of the file has set stays. */
static Marks marks_of(const Quick &quick, const State &before)
{
	const uint32_t mark = before.device.fwmark.value_or(0);

	if (!before.owned.empty())
		return { .present = mark };
	return { .kept = quick.mark_line ? 0 : mark };
}

/* What a hook of the file has set, or the kernel has chosen, stays. */
static void keep_unsaid(DeviceChange &device, const Marks &marks)
{
	if (device.private_key && device.private_key->is_zero())
		device.private_key.reset();
	if (device.listen_port == uint16_t(0))
		device.listen_port.reset();
	if (device.fwmark == uint32_t(0) && marks.kept)
		device.fwmark.reset();
}

Status reload(const Quick &quick, const Locks &)
{
	const auto link = TRY(present_link(quick));
	Transaction transaction;

	if (link.kind != quick.kind)
		return Error{ Exit::refused,
			      fmt::format("{} is of kind {}, and {} says {}", link.name, link.kind,
					  quick.path, quick.kind),
			      {},
			      fmt::format("remove it, and make it anew: nwgctl down {0} && "
					  "nwgctl up {0}",
					  quick.path) };
	const auto device = TRY(netlink::get_device(as_link(link)));
	auto before = TRY(as_it_is(quick, link, device));
	const auto marks = marks_of(quick, before);
	auto wanted = as_planned(quick, TRY(plan(quick, marks)));
	const auto now = before.firewall(), later = wanted.firewall();

	keep_unsaid(wanted.device, marks);
	/* What is one's only is to be removed on the way to the other. */
	wanted.owned.insert(before.owned.begin(), before.owned.end());
	before.owned = wanted.owned;
	before.rules = TRY(rules_of(before.owned));
	transaction.done([&quick, before]() -> Status {
		const auto changed = TRY(present_link(quick));

		TRY(apply(quick, changed, before));
		return remove_rest(changed, before);
	});
	TRY(apply(quick, link, wanted));
	TRY(make_firewall(transaction, quick, now, later));
	TRY(make_dns(transaction, quick));
	TRY(go_on(quick));
	TRY(remove_rest(link, wanted));
	transaction.keep();
	return {};
}

/* The rules of interfaces that are there, also while they are down and have no routes. */
static Result<std::set<RuleOwner>> all_owners()
{
	std::set<RuleOwner> owners;

	for (const auto &link : TRY(netlink::wireguard_links()))
		owners.merge(owners_by_peers(TRY(netlink::get_device(link))));
	return owners;
}

/* Somebody else has removed the interface, and left what was not removed with it. */
static Status remove_remains(const Quick &quick)
{
	const auto owners = TRY(all_owners());
	FirstError errors;
	bool found = !dns_of(quick.interface).servers.empty();

	if (found)
		errors.note(remove_dns(quick.interface));
	for (const auto &rule : TRY(netlink::list_rules())) {
		if (!rule.unless_mark || owners.contains({ rule.family, rule.unless_mark }) ||
		    !TRY(netlink::is_table_empty(rule.unless_mark)))
			continue;
		found = true;
		errors.note(netlink::delete_rule(rule));
	}
	if (has_program("nft"))
		errors.note(put_firewall(quick.interface, Firewall()));
	if (!errors.first)
		return errors.first;
	return Error{ Exit::refused,
		      fmt::format("Unable to find interface {}: {}", quick.interface,
				  strerror(ENODEV)),
		      {},
		      found ? "what was left of it is removed now; its hooks were not run" :
			      fmt::format("make it: nwgctl up {}", quick.path),
		      ENODEV };
}

/* A new file in the place of the old one, which stays if that cannot be. It has keys: nobody else may read it. */
static Status write_file(const std::string &path, const std::string &text)
{
	char real[PATH_MAX];
	/* What a symbolic link leads to, not the link. */
	const std::string old = realpath(path.c_str(), real) ? real : path;
	std::string name = old + ".XXXXXX";
	const int file = mkostemp(name.data(), O_CLOEXEC);
	struct stat status;
	bool written = file >= 0;

	for (std::size_t at = 0; written && at < text.size();) {
		const ssize_t count = write(file, text.data() + at, text.size() - at);

		written = count >= 0 || errno == EINTR;
		at += count > 0 ? static_cast<std::size_t>(count) : 0;
	}
	if (written && !stat(old.c_str(), &status))
		written = !fchown(file, status.st_uid, status.st_gid);
	written = written && !fsync(file) && !rename(name.c_str(), old.c_str());
	const int error = errno;
	if (file >= 0) {
		close(file);
		if (!written)
			unlink(name.c_str());
	}
	if (!written)
		return Error{ Exit::refused,
			      fmt::format("Unable to write {}: {}", path, strerror(error)),
			      {},
			      {},
			      error };
	return {};
}

static Status write_state(const Quick &quick)
{
	const auto link = TRY(present_link(quick));
	const auto device = TRY(netlink::get_device(as_link(link)));

	return write_file(quick.path,
			  config::print_quick(quick, device, TRY(netlink::list_addresses(link)),
					      TRY(relays_of(link))));
}

Status down(const Quick &quick, const Locks &locks)
{
	FirstError errors;

	if (!TRY(netlink::find_link(quick.interface)))
		return remove_remains(quick);
	const auto link = TRY(present_link(quick));
	TRY(run_pre_down(locks, quick));
	if (quick.save_config)
		TRY(write_state(quick));
	const auto device = TRY(netlink::get_device(as_link(link)));
	const auto state = TRY(as_it_is(quick, link, device));
	/* What cannot be removed does not keep the rest. */
	errors.note(put_rules(state.owned, {}));
	/* Also without the rules, which somebody may have removed: it would go on dropping packets. */
	if (!state.owned.empty() || has_program("nft"))
		errors.note(put_firewall(quick.interface, Firewall()));
	if (quick.dns_line || !dns_of(quick.interface).servers.empty())
		errors.note(remove_dns(quick.interface));
	errors.note(netlink::delete_link(link));
	errors.note(run_all_hooks(locks, quick, quick.post_down));
	return errors.first;
}

Status save(const Quick &quick, const Locks &)
{
	return write_state(quick);
}

} // namespace nwgctl::setup
