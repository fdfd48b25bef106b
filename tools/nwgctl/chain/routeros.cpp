// SPDX-License-Identifier: GPL-2.0
#include "routeros.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <fmt/format.h>

#include "network.hpp"

namespace nwgctl::chain
{

const RouterCommand *routeros_tunnel(const std::vector<RouterCommand> &commands, const Key &key)
{
	for (const auto &command : commands) {
		if (command.path == "/interface/wireguard/add" &&
		    command.value("private-key") == key.base64())
			return &command;
	}
	return nullptr;
}

std::string routeros_value(const std::string &text)
{
	const bool is_word = std::ranges::all_of(text, [](unsigned char letter) {
		return isalnum(letter) || (letter && strchr("_.-", letter));
	});

	return is_word && !text.empty() ? text : fmt::format("\"{}\"", text);
}

std::string routeros_client(const std::string &interface, const std::vector<Prefix> &wg0,
			    const Client &client)
{
	return fmt::format("/interface/wireguard/peers/add interface={} comment=\"{}\" "
			   "public-key=\"{}\" preshared-key=\"{}\" allowed-address={}",
			   routeros_value(interface), client.name,
			   client.private_key.public_key().base64(), client.preshared_key.base64(),
			   join(client_addresses(wg0, client.host), ","));
}

static std::string routeros_address(const Prefix &address, const char *interface)
{
	if (address.address.family == AF_INET)
		return fmt::format("/ip/address/add address={} interface={}\n", address.text(),
				   interface);
	return fmt::format("/ipv6/address/add address={} interface={} advertise=no\n",
			   address.text(), interface);
}

/* The route back to clients that are not the VPS to the home. A table is named as the interface is. */
static std::string routeros_source(const Plan &plan)
{
	const char *ip = plan.wg1.address.family == AF_INET ? "/ip" : "/ipv6";

	if (plan.source.pool)
		return fmt::format("{}/route/add dst-address={} gateway=wg1\n", ip,
				   plan.source.pool->text());
	if (!plan.is_transparent())
		return "";
	return fmt::format("# wg0's answers to clients go by wg1, and nothing else does.\n"
			   "/routing/table/add name=wg1 fib\n"
			   "{0}/route/add dst-address={1} gateway=wg1 routing-table=wg1\n"
			   "{0}/firewall/mangle/add chain=output action=mark-routing protocol=udp "
			   "src-port={2} new-routing-mark=wg1 passthrough=no\n",
			   ip, everything(plan.wg1.address.family).text(), plan.port);
}

/* A rule before all that are there, as the first that fits counts. A list without one has no place before it. */
static std::string routeros_rule(uint16_t family, const std::string &rule)
{
	const auto filter = fmt::format("{}/firewall/filter", family == AF_INET ? "/ip" : "/ipv6");

	return fmt::format(
		":if ([:len [{0}/find where !dynamic]] > 0) do={{{0}/add {1} "
		"place-before=[:pick [{0}/find where !dynamic] 0]}} else={{{0}/add {1}}}\n",
		filter, rule);
}

/* @chain has the action, too. */
static std::string routeros_client_rule(const Prefix &wg0, const std::string &chain,
					const std::string &what = {})
{
	return routeros_rule(wg0.address.family,
			     fmt::format("chain={} in-interface=wg0 src-address={}{}{}", chain,
					 wg0.text(), what.empty() ? "" : " ", what));
}

/*
 * What is behind the router. Its own rules let out what does not come from the internet, so that the rest is dropped: but
 * for answers, of connections that others began.
 */
static std::string routeros_forward(const Plan &plan)
{
	std::string text;

	for (const auto &network : plan.wg0) {
		if (plan.full) {
			text += routeros_client_rule(network, "forward action=accept");
			continue;
		}
		text += routeros_client_rule(network, "forward action=drop",
					     "connection-state=new");
		std::vector<Prefix> reached = plan.lan;
		/* Each other, one of whom may be the server that they ask for names. */
		reached.push_back(network);
		for (const auto &prefix : reached) {
			if (prefix.address.family == network.address.family)
				text += routeros_client_rule(network, "forward action=accept",
							     fmt::format("dst-address={}",
									 prefix.text()));
		}
	}
	return text;
}

/* The router itself: who clients are is not who may configure it, also where its own rules do not end in a drop. */
static std::string routeros_input(const Plan &plan)
{
	std::string text, all;

	for (const auto &network : plan.wg0) {
		const auto family = network.address.family;

		text += routeros_client_rule(network, "input action=drop", "connection-state=new");
		for (const auto &dns : plan.dns) {
			/* Outside of the tunnel. */
			if (!plan.full && !contains(plan.wg0, dns) && !contains(plan.lan, dns))
				continue;
			for (const char *protocol : { "udp", "tcp" }) {
				if (dns.family == family)
					text += routeros_client_rule(
						network, "input action=accept",
						fmt::format("protocol={} dst-port=53 dst-address={}",
							    protocol, dns.text()));
			}
		}
		text += routeros_client_rule(network, "input action=accept",
					     family == AF_INET ? "protocol=icmp" :
								 "protocol=icmpv6");
		all += "#" + routeros_client_rule(network, "input action=accept");
	}
	return text + "# All of the router itself, as winbox and ssh, if clients may have that:\n" +
	       all;
}

/* RouterOS' own rules keep the tunnel out. */
static std::string routeros_firewall(const Plan &plan)
{
	std::string source;

	if (plan.source.pool)
		source = fmt::format(" src-address={}", plan.source.pool->text());
	else if (!plan.is_transparent())
		source = fmt::format(" src-address={}", plan.vps_address().text());
	std::string text =
		"\n# Firewall, before all other rules: clients' tunnels to wg0, which none works without\n" +
		routeros_rule(
			plan.wg1.address.family,
			fmt::format(
				"chain=input action=accept protocol=udp dst-port={} in-interface=wg1{}",
				plan.port, source)) +
		"# Clients, the last of these rules first. The router forwards them to " +
		(plan.full ? "all that it reaches" :
			     "each other and the networks of lan, and nowhere else") +
		";\n# of itself it answers pings, and whom they ask for names may be the router. The rest of it is not for them.\n" +
		routeros_forward(plan) + routeros_input(plan);

	if (plan.full)
		text += "# Clients' way to the internet: the masquerading of the default configuration "
			"(chain=srcnat,\n# out-interface-list=WAN) is for them, too; of IPv6 there is "
			"none.\n";
	return text;
}

/* Comments. By the names of interfaces, which are the script's own where it went beyond its first command. */
static std::string routeros_undo(const Plan &plan)
{
	std::string text =
		"# If it stops further down, this takes back what it has done, and it can be imported again:\n"
		"#/interface/wireguard/peers/remove [find where interface=wg0 or interface=wg1]\n"
		"#/ip/address/remove [find where interface=wg0 or interface=wg1]\n"
		"#/ipv6/address/remove [find where interface=wg0 or interface=wg1]\n"
		"#/ip/route/remove [find where gateway=wg1]\n"
		"#/ipv6/route/remove [find where gateway=wg1]\n"
		"#/ip/firewall/filter/remove [find where in-interface=wg0 or in-interface=wg1]\n"
		"#/ipv6/firewall/filter/remove [find where in-interface=wg0 or in-interface=wg1]\n"
		"#/interface/wireguard/remove [find where name=wg0 or name=wg1]\n";

	if (plan.is_transparent())
		text += fmt::format("#{}/firewall/mangle/remove [find where new-routing-mark=wg1]\n"
				    "#/routing/table/remove [find where name=wg1]\n",
				    plan.wg1.address.family == AF_INET ? "/ip" : "/ipv6");
	return text;
}

std::string routeros_script(const Plan &plan)
{
	std::string text =
		"# Home, RouterOS 7: /import file-name=mt.rsc, and then /file/remove mt.rsc, as it has keys.\n"
		"\n"
		"# wg0 and wg1 are the names of its interfaces. Where they are taken, nothing is done; with others in all of\n"
		"# this file, as by sed -i 's/=wg0\\b/=clients/g' mt.rsc, all goes on as with these. Where their ports or networks\n"
		"# are the same, too, make the chain anew with others.\n"
		":if ([:len [/interface/find where name=wg0 or name=wg1]] > 0) do={:error \"there is such an interface "
		"already: give these other names in mt.rsc\"}\n";

	/* It has the interface's name, so that it gets another one with it. */
	if (plan.is_transparent())
		text += ":if ([:len [/routing/table/find where name=wg1]] > 0) do={:error \"there is a routing "
			"table of wg1's name already: give wg1 another name in mt.rsc\"}\n";
	text += "\n" + routeros_undo(plan);
	text += fmt::format(
		"\n# wg1 dials the VPS; the keepalive keeps the provider's NAT open.\n"
		"/interface/wireguard/add name=wg1 mtu={} private-key=\"{}\"\n"
		"/interface/wireguard/peers/add interface=wg1 comment=\"vps\" public-key=\"{}\" "
		"endpoint-address={} endpoint-port={} allowed-address={} persistent-keepalive={}s\n",
		plan.wg1_mtu(), plan.home_wg1.base64(), plan.vps_wg1.public_key().base64(),
		plan.vps, plan.wg1_port, join(plan.home_allowed(), ","), keepalive);

	text += routeros_address({ plan.home_address(), plan.wg1.length }, "wg1");
	text += routeros_source(plan);
	text += fmt::format("\n# wg0 is where clients' tunnels end, inside wg1.\n"
			    "/interface/wireguard/add name=wg0 mtu={} listen-port={} "
			    "private-key=\"{}\"\n",
			    plan.wg0_mtu(), plan.port, plan.home_wg0.base64());
	for (const auto &address : addresses_on(plan.wg0, home_host0))
		text += routeros_address(address, "wg0");
	text += "\n# From version 7.17 on, so that the router does not dial clients that are gone, in a terminal once they are there\n"
		"# (7.15 and 7.16: is-responder=yes):\n"
		"#/interface/wireguard/peers/set [find interface=wg0] responder=yes\n"
		"\n# Clients\n";
	for (const auto &client : plan.clients)
		text += routeros_client("wg0", plan.wg0, client) + "\n";
	return text + routeros_firewall(plan);
}

} // namespace nwgctl::chain
