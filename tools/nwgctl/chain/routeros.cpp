// SPDX-License-Identifier: GPL-2.0
#include "routeros.hpp"

#include <fmt/format.h>

#include "network.hpp"

namespace nwgctl::chain
{

std::string routeros_client(const std::vector<Prefix> &wg0, const Client &client)
{
	return fmt::format("/interface/wireguard/peers/add interface=wg0 comment=\"{}\" "
			   "public-key=\"{}\" preshared-key=\"{}\" allowed-address={}",
			   client.name, client.private_key.public_key().base64(),
			   client.preshared_key.base64(),
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

/* The route back to clients that are not the VPS to the home. */
static std::string routeros_source(const Plan &plan)
{
	const char *ip = plan.wg1.address.family == AF_INET ? "/ip" : "/ipv6";

	if (plan.source.pool)
		return fmt::format("{}/route/add dst-address={} gateway=wg1\n", ip,
				   plan.source.pool->text());
	if (!plan.is_transparent())
		return "";
	return fmt::format("# wg0's answers to clients go by wg1, and nothing else does.\n"
			   "/routing/table/add name=relay fib\n"
			   "{0}/route/add dst-address={1} gateway=wg1 routing-table=relay\n"
			   "{0}/firewall/mangle/add chain=output action=mark-routing protocol=udp "
			   "src-port={2} new-routing-mark=relay passthrough=no\n",
			   ip, everything(plan.wg1.address.family).text(), plan.port);
}

/* Comments: what a home lets in is its own to say, and the order of its rules counts. */
static std::string routeros_firewall(const Plan &plan)
{
	const bool ip4 = plan.wg1.address.family == AF_INET;
	std::string text = fmt::format(
		"\n# Firewall. RouterOS' own rules keep the tunnel out, these let it in. Look at them, and run those that\n"
		"# you want without their first character; they stand before the rule that drops (place-before=0: first).\n"
		"#{}/firewall/filter/add chain=input action=accept protocol=udp dst-port={} "
		"in-interface=wg1{} place-before=0\n",
		ip4 ? "/ip" : "/ipv6", plan.port,
		plan.is_transparent() ? "" :
					fmt::format(" src-address={}",
						    plan.source.pool ? plan.source.pool->text() :
								       plan.vps_address().text()));

	for (const auto &network : plan.wg0) {
		const char *ip = network.address.family == AF_INET ? "/ip" : "/ipv6";

		text += fmt::format(
			"#{0}/firewall/filter/add chain=input action=accept in-interface=wg0 "
			"src-address={1} place-before=0\n"
			"#{0}/firewall/filter/add chain=forward action=accept in-interface=wg0 "
			"src-address={1} place-before=0\n",
			ip, network.text());
	}
	if (plan.full)
		text += "# Clients' way to the internet: the masquerading of the default configuration "
			"(chain=srcnat,\n# out-interface-list=WAN) is for them, too; of IPv6 there is "
			"none.\n";
	return text;
}

std::string routeros_script(const Plan &plan)
{
	std::string text = fmt::format(
		"# Home, RouterOS 7: /import file-name=mt.rsc, and then /file/remove mt.rsc, as it has keys.\n"
		"\n"
		"# wg1 dials the VPS; the keepalive keeps the provider's NAT open.\n"
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
	text += routeros_firewall(plan);
	text += "\n# From version 7.17 on, so that the router does not dial clients that are gone, in a terminal once they are there\n"
		"# (7.15 and 7.16: is-responder=yes):\n"
		"#/interface/wireguard/peers/set [find interface=wg0] responder=yes\n"
		"\n# Clients\n";
	for (const auto &client : plan.clients)
		text += routeros_client(plan.wg0, client) + "\n";
	return text;
}

} // namespace nwgctl::chain
