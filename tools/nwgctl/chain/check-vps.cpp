// SPDX-License-Identifier: GPL-2.0
/* What is wrong with the VPS' file, and with what the home says of it. */
#include "checker.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <strings.h>

#include "network.hpp"
#include "plan.hpp"

namespace nwgctl::chain
{

/* Whether the routes that wg-quick(8) makes are not in the way of the home's own. */
static bool is_out_of_the_way(const Side &wg1)
{
	return wg1.table && strcasecmp(wg1.table->c_str(), "auto");
}

void Checker::check_relay_source(const SideRelay &relay)
{
	const SidePeer *to_vps =
		wg1 && vps->private_key ? wg1->peer(vps->private_key->public_key()) : nullptr;
	const uint16_t family = relay.to->address->family;

	if (!relay.source || relay.source->kind == NWG_SOURCE_MASQUERADE)
		return;
	if (relay.source->pool && relay.source->pool->address.family != family)
		add(vps->file, relay.source.line,
		    fmt::format("The pool {} is not of the inner endpoint's address family",
				relay.source->pool->text()),
		    fmt::format("take a prefix of {}", family_name(family)));
	if (!wg1)
		return;
	const Prefix wanted = relay.source->pool.value_or(everything(family));
	const bool transparent = relay.source->kind == NWG_SOURCE_TRANSPARENT;
	const std::string table =
		transparent && !is_out_of_the_way(*wg1) ?
			"first Table = off in [Interface], or it is the home's default route; " :
			"";
	const bool allowed = to_vps && to_vps->allowed &&
			     std::ranges::any_of(*to_vps->allowed, [&wanted](const Prefix &prefix) {
				     return prefix.length <= wanted.length &&
					    overlap(prefix, wanted);
			     });
	if (transparent && allowed && !table.empty())
		add(wg1->file, wg1->table.line,
		    fmt::format("wg-quick makes {} of AllowedIPs the home's default route, into wg1",
				wanted.text()),
		    "Table = off, and the rule for wg0's mark: README of nwg, `Who a client is to "
		    "the home'");
	if (to_vps && to_vps->allowed && !allowed)
		add(wg1->file, to_vps->allowed.line,
		    fmt::format("AllowedIPs of the VPS lacks {}, which clients come from "
				"(`Source', {}:{})",
				wanted.text(), vps->file, relay.source.line),
		    fmt::format("{}add {}", table, wanted.text()));
	if (transparent && wg0 && !(wg0->mark && *wg0->mark))
		add(wg0->file, wg0->mark.line,
		    "Clients' own addresses are wg0's to answer by wg1, and it has no mark to send them "
		    "there by",
		    fmt::format(
			    "FwMark = {:#x}, and in wg1.conf the rule for it: README of nwg, `Who a "
			    "client is to the home'",
			    transparent_mark));
}

void Checker::check_relay(const SideRelay &relay)
{
	const SidePeer *peer = relay.peer ? vps->peer(*relay.peer) : nullptr;

	if (relay.peer && !peer)
		add(vps->file, relay.peer.line, "Peer is the key of no [Peer] of this file",
		    "it is the home's: the PublicKey of its [Peer]");
	if (!relay.to)
		return;
	const Address to = *relay.to->address;
	if (peer && !contains(peer->allowed.value.value_or(std::vector<Prefix>()), to))
		add(vps->file, relay.to.line,
		    fmt::format("The inner endpoint {} is not in AllowedIPs of its [Peer] (line {})",
				to.text(), peer->line),
		    fmt::format("there: AllowedIPs = {}", single(to).text()));
	if (!relay.responder)
		add(vps->file, relay.responder.line,
		    "Without a ResponderKey everybody's handshakes go to the home",
		    "ResponderKey = public key of the home's wg0");
}

/* A relay to this home, and the home's own files. */
void Checker::check_relay_home(const SideRelay &relay)
{
	if (!relay.to)
		return;
	const Address to = *relay.to->address;
	if (wg1 && wg1->addresses &&
	    std::ranges::find(*wg1->addresses, to, &Prefix::address) == wg1->addresses->end())
		add(vps->file, relay.to.line,
		    fmt::format("The inner endpoint {} is no Address of the home ({}:{})",
				to.text(), wg1->file, wg1->addresses.line),
		    fmt::format("To = the home's address in wg1, port of its wg0"));
	if (wg0 && wg0->port && relay.to->port != *wg0->port)
		add(vps->file, relay.to.line,
		    fmt::format("The inner endpoint has port {}, and the home's wg0 listens on {} "
				"({}:{})",
				relay.to->port, *wg0->port, wg0->file, wg0->port.line),
		    fmt::format("To = {}", host_port(to.text(), *wg0->port)));
	if (wg0 && !wg0->port)
		add(wg0->file, wg0->line, "The home's wg0 has no ListenPort: it takes any",
		    fmt::format("ListenPort = {}", relay.to->port));
	if (relay.responder && wg0 && wg0->private_key &&
	    *relay.responder != wg0->private_key->public_key())
		add(vps->file, relay.responder.line,
		    fmt::format("ResponderKey is not that of {}: no client would get through",
				wg0->file),
		    fmt::format("ResponderKey = {}", wg0->private_key->public_key().base64()));
	check_relay_source(relay);
}

void Checker::check_ports()
{
	if (vps && !vps->port)
		add(vps->file, vps->line, "wg1 has no ListenPort: the home cannot know where it is",
		    "ListenPort = PORT that the home dials");
	if (vps && relays().empty())
		add(vps->file, 0,
		    vps->relays.empty() ? "There is no [Relay]" : "No [Relay] leads to this home",
		    "add one, which leads clients to the home");
	for (std::size_t a = 0; vps && a < vps->relays.size(); a++) {
		const auto &listen = vps->relays[a].listen;

		if (!listen)
			continue;
		if (vps->port && listen->port == *vps->port)
			add(vps->file, listen.line,
			    fmt::format("wg1 has port {}, too (line {})", listen->port,
					vps->port.line),
			    "give one of them another, and change it where clients or the home have it");
		for (std::size_t b = 0; b < a; b++) {
			if (vps->relays[b].listen && overlap(*vps->relays[b].listen, *listen))
				add(vps->file, listen.line,
				    fmt::format("Another relay listens there (line {})",
						vps->relays[b].listen.line),
				    "give one of them another port, or each an address of its own");
		}
	}
	if (wg0 && wg1 && wg0->port && wg1->port && *wg0->port == *wg1->port)
		add(wg1->file, wg1->port.line,
		    fmt::format("The home's wg0 has port {}, too ({}:{})", *wg1->port, wg0->file,
				wg0->port.line),
		    "take ListenPort out: who dials needs none");
}

} // namespace nwgctl::chain
