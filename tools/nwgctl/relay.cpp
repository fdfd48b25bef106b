// SPDX-License-Identifier: GPL-2.0
/* relay add, set, del and show. */
#include "command.hpp"

#include <fmt/format.h>

#include "config/relay.hpp"
#include "config/value.hpp"
#include "netlink/link.hpp"
#include "netlink/relay.hpp"
#include "relay.hpp"
#include "render/relay.hpp"
#include "words.hpp"

namespace nwgctl
{

using netlink::RelayChange;
using netlink::RelayFilter;

static Result<Key> parse_responder(const std::string &text, bool removable)
{
	if (text == "none") {
		if (removable)
			return Key();
		return usage_error("A new relay checks mac1 of no responder anyway",
				   "leave `responder none' out");
	}
	auto key = config::parse_responder(text);
	if (!key && removable)
		key.error().hint = "write `responder none' to check mac1 no more";
	return key;
}

/* Behind `source'. */
static Result<netlink::Source> parse_source(Words &words)
{
	std::string text = TRY(words.value());

	if (text == "pool")
		text += ' ' + TRY(words.value());
	return config::parse_source(text);
}

/* Any order, each keyword once. A relay that is set can lose its responder. */
static Result<RelayChange> parse_change(Words words, bool set)
{
	RelayChange change;
	bool listens = false;

	while (!words.empty()) {
		bool repeated;

		if (words.take("dev")) {
			repeated = change.interface.has_value();
			change.interface = TRY(netlink::interface_name(TRY(words.value())));
		} else if (words.take("listen")) {
			repeated = listens;
			change.listen = TRY(config::parse_listen(TRY(words.value())));
			listens = true;
		} else if (words.take("peer")) {
			repeated = change.peer.has_value();
			change.peer = TRY(config::parse_public_key(TRY(words.value())));
		} else if (words.take("to")) {
			repeated = change.to.has_value();
			change.to = TRY(config::parse_transport(TRY(words.value())));
		} else if (words.take("responder")) {
			repeated = change.responder.has_value();
			change.responder = TRY(parse_responder(TRY(words.value()), set));
		} else if (words.take("max-flows")) {
			repeated = change.max_flows.has_value();
			change.max_flows =
				TRY(config::parse_count(TRY(words.value()), "max-flows"));
		} else if (words.take("max-flows-per-source")) {
			repeated = change.max_flows_per_source.has_value();
			change.max_flows_per_source = TRY(
				config::parse_count(TRY(words.value()), "max-flows-per-source"));
		} else if (words.take("source")) {
			if (change.source)
				return words.repeated();
			repeated = false;
			change.source = TRY(parse_source(words));
		} else {
			return words.unknown();
		}
		if (repeated)
			return words.repeated();
	}
	if (!listens)
		return wrong_usage("`listen' is missing: it names the relay");
	return change;
}

/* Whether there is more than what names a relay. */
static bool changes_anything(const RelayChange &change)
{
	return change.peer || change.to || change.responder || change.max_flows ||
	       change.max_flows_per_source || change.source;
}

Status relay_add(const Options &, Arguments arguments)
{
	const auto change = TRY(parse_change(Words(arguments), false));

	if (!change.interface)
		return wrong_usage("`dev' is missing: the WireGuard interface");
	if (!change.peer)
		return wrong_usage("`peer' is missing: whom clients are relayed to");
	if (!change.to)
		return wrong_usage("`to' is missing: where the peer's inner WireGuard listens");
	return netlink::add_relay(change);
}

Status relay_set(const Options &, Arguments arguments)
{
	const auto change = TRY(parse_change(Words(arguments), true));

	if (!changes_anything(change))
		return wrong_usage("nothing is to be changed");
	return netlink::set_relay(change);
}

Status relay_del(const Options &, Arguments arguments)
{
	const auto change = TRY(parse_change(Words(arguments), true));

	if (changes_anything(change))
		return wrong_usage("a relay is removed by its `listen' alone");
	return netlink::delete_relay(change);
}

Result<RelayFilter> parse_relay_filter(Arguments arguments)
{
	Words words(arguments);
	RelayFilter filter;

	while (!words.empty()) {
		bool repeated;

		if (words.take("dev")) {
			repeated = filter.interface.has_value();
			filter.interface = TRY(netlink::interface_name(TRY(words.value())));
		} else if (words.take("listen")) {
			repeated = filter.listen.has_value();
			filter.listen = TRY(config::parse_listen(TRY(words.value())));
		} else {
			return words.unknown();
		}
		if (repeated)
			return words.repeated();
	}
	return filter;
}

Status relay_show(const Options &options, Arguments arguments)
{
	const auto filter = TRY(parse_relay_filter(arguments));
	const auto palette = options.json ? render::Palette(false) : render::Palette::for_output();
	std::vector<render::Block> blocks;

	for (const auto &relay : TRY(netlink::list_relays(filter)))
		blocks.push_back(render::relay_block(relay, palette, options.statistics));
	if (options.json)
		render::print_json(render::to_json(blocks), options);
	else
		render::print_text(blocks, palette);
	return {};
}

} // namespace nwgctl
