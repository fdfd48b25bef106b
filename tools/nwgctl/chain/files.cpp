// SPDX-License-Identifier: GPL-2.0
#include "files.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "network.hpp"
#include "notes.hpp"
#include "routeros.hpp"

namespace nwgctl::chain
{

static std::string vps_conf(const Plan &plan)
{
	const std::string home = plan.home_wg1.public_key().base64();
	std::string text = fmt::format(
		"# VPS, /etc/nwg/wg1.conf: the tunnel to the home, and the relay of the clients\n"
		"[Interface]\n"
		"PrivateKey = {}\n"
		"ListenPort = {}\n"
		"Address = {}\n"
		"MTU = {}\n",
		plan.vps_wg1.base64(), plan.wg1_port,
		Prefix{ plan.vps_address(), plan.wg1.length }.text(), plan.wg1_mtu());

	if (plan.kind != NWG_LINK_KIND)
		text += fmt::format("Kind = {}\n", plan.kind);
	text += fmt::format("\n# the home, which dials in\n"
			    "[Peer]\n"
			    "PublicKey = {}\n"
			    "AllowedIPs = {}\n",
			    home, single(plan.home_address()).text());
	/* What the home sends to clients of a pool or transparent ones comes from its inner endpoint, too. */
	text += fmt::format("\n# clients' port -> wg0 of the home\n"
			    "[Relay]\n"
			    "Listen = {}\n"
			    "Peer = {}\n"
			    "To = {}\n"
			    "ResponderKey = {}\n"
			    "Source = {}\n",
			    plan.port, home, host_port(plan.home_address().text(), plan.port),
			    plan.home_wg0.public_key().base64(), plan.source.text());
	if (plan.max_flows)
		text += fmt::format("Limit = {}\n", *plan.max_flows);
	if (plan.max_flows_per_source)
		text += fmt::format("LimitPerSource = {}\n", *plan.max_flows_per_source);
	return text;
}

static std::string home_wg1_conf(const Plan &plan)
{
	const char *ip = plan.wg1.address.family == AF_INET ? "ip" : "ip -6";
	std::string text = fmt::format("# Home, /etc/wireguard/wg1.conf: dials the VPS\n"
				       "[Interface]\n"
				       "PrivateKey = {}\n"
				       "Address = {}\n"
				       "MTU = {}\n",
				       plan.home_wg1.base64(),
				       Prefix{ plan.home_address(), plan.wg1.length }.text(),
				       plan.wg1_mtu());

	if (plan.is_transparent())
		text += fmt::format(
			"# Of all that is allowed by wg1, only what wg0 sends goes there. rp_filter "
			"of wg1 is 0 or 2.\n"
			"Table = off\n"
			"PostUp = {0} route add default dev %i table {1}\n"
			"PostUp = {0} rule add fwmark {2:#x} table {1}\n"
			"PostDown = {0} rule del fwmark {2:#x} table {1}\n",
			ip, transparent_table, transparent_mark);
	text += fmt::format("\n# the VPS; the keepalive keeps the provider's NAT open\n"
			    "[Peer]\n"
			    "PublicKey = {}\n"
			    "Endpoint = {}\n"
			    "AllowedIPs = {}\n"
			    "PersistentKeepalive = {}\n",
			    plan.vps_wg1.public_key().base64(), host_port(plan.vps, plan.wg1_port),
			    join(plan.home_allowed()), keepalive);
	return text;
}

std::string home_peer(const std::vector<Prefix> &wg0, const Client &client)
{
	return fmt::format("\n# {}\n"
			   "[Peer]\n"
			   "PublicKey = {}\n"
			   "PresharedKey = {}\n"
			   "AllowedIPs = {}\n",
			   client.name, client.private_key.public_key().base64(),
			   client.preshared_key.base64(), join(client_addresses(wg0, client.host)));
}

static std::string home_wg0_conf(const Plan &plan)
{
	std::string text =
		fmt::format("# Home, /etc/wireguard/wg0.conf: where clients' tunnels end\n"
			    "[Interface]\n"
			    "PrivateKey = {}\n"
			    "ListenPort = {}\n"
			    "Address = {}\n"
			    "MTU = {}\n",
			    plan.home_wg0.base64(), plan.port,
			    join(addresses_on(plan.wg0, home_host0)), plan.wg0_mtu());

	if (plan.is_transparent())
		text += fmt::format("FwMark = {:#x}\n", transparent_mark);
	for (const auto &client : plan.clients)
		text += home_peer(plan.wg0, client);
	return text;
}

std::string client_conf(const ClientNetwork &network, const Client &client)
{
	std::vector<Prefix> allowed = network.wg0;
	std::string text = fmt::format("[Interface]\n"
				       "PrivateKey = {}\n"
				       "Address = {}\n"
				       "MTU = {}\n",
				       client.private_key.base64(),
				       join(client_addresses(network.wg0, client.host)),
				       network.mtu);
	std::vector<std::string> dns;

	for (const auto &address : network.dns)
		dns.push_back(address.text());
	if (!dns.empty())
		text += fmt::format("DNS = {}\n", fmt::join(dns, ", "));
	allowed.insert(allowed.end(), network.lan.begin(), network.lan.end());
	/* Both families, so that nothing goes around the tunnel. */
	if (network.full)
		allowed = { everything(AF_INET), everything(AF_INET6) };
	text += fmt::format("\n[Peer]\n"
			    "PublicKey = {}\n"
			    "PresharedKey = {}\n"
			    "Endpoint = {}\n"
			    "AllowedIPs = {}\n"
			    "PersistentKeepalive = {}\n",
			    network.home.base64(), client.preshared_key.base64(), network.endpoint,
			    join(allowed), keepalive);
	return text;
}

/* What a home has to do for what is behind it. */
static std::string readme_forwarding(const Plan &plan)
{
	std::string sysctls, masquerade;

	if (plan.lan.empty() && !plan.full)
		return "";
	for (const auto &network : plan.wg0) {
		const bool ip4 = network.address.family == AF_INET;

		sysctls += fmt::format("           {} = 1\n", ip4 ? "net.ipv4.ip_forward" :
								    "net.ipv6.conf.all.forwarding");
		if (plan.full)
			masquerade += fmt::format(
				"       {} -t nat -A POSTROUTING -s {} ! -o wg0 -j MASQUERADE\n",
				ip4 ? "iptables" : "ip6tables", network.text());
	}
	std::string text =
		"   For what is beyond that machine it forwards: in /etc/sysctl.d/nwg.conf\n" +
		sysctls +
		"   and then: sysctl --system. If it is not the gateway there, the gateway has a route to\n"
		"   wg0's network by it.\n";
	if (has_family(plan.wg0, AF_INET6))
		text += "   Where it has its own way to the internet by router advertisements, which a machine that\n"
			"   forwards IPv6 does not take, also: net.ipv6.conf.IFACE.accept_ra = 2\n";
	if (plan.full)
		text += "   To the internet it masquerades, as with\n" + masquerade +
			"   where its firewall keeps rules.\n";
	return text;
}

/* Commands that install files overwrite none: it would be another tunnel's, with its keys. */
static constexpr const char *readme_text =
	R"(A chain: clients -> VPS ({vps}) -> home. Made by nwgctl chain new; nwgctl(8) says more.
All files have keys: they are for the machine that they are named for, and nobody else.

1. Look it over:
       nwgctl chain check {directory}
2. VPS. Install the packages nwg-dkms and nwgctl there, see the README of nwg. Open UDP {port} and
   {wg1_port} in the provider's firewall. Put vps/wg1.conf there, and where it is, as root
       ! ls /etc/nwg/wg1.conf 2>/dev/null &&
           install -D -m 600 wg1.conf /etc/nwg/wg1.conf &&
           systemctl enable --now nwg@wg1
   If that names the file and does nothing, it is another tunnel's: take another name in its place,
   as wg2.conf and nwg@wg2. Where its ports or networks are the same, too, as a second chain's are
   unless it was told others, make this chain anew with others: port, wg1-port, wg0-network,
   wg1-network.
3. Home, which dials the VPS. Either RouterOS 7: look at the firewall's rules at the end of
   home/mt.rsc, whether clients may do that there, and no more. Upload it, and in a terminal
       /import file-name=mt.rsc
   If that ends with an error, the beginning of the file has what to do: where wg0 or wg1 is there
   already, other names, as before; else the commands that take back what was done until then. At last
       /file/remove mt.rsc
   Or Linux: home/wg1.conf and home/wg0.conf, and where they are, as root
       apt install wireguard-tools
       ! ls /etc/wireguard/wg[01].conf 2>/dev/null &&
           install -m 600 wg1.conf wg0.conf /etc/wireguard &&
           systemctl enable --now wg-quick@wg1 wg-quick@wg0
   If that names a file and does nothing, it is another tunnel's: take other names, as before.
   There UDP port {port} is let in on wg1, and what clients may do, from wg0.
{forwarding}4. Clients: clients/NAME.conf into the WireGuard app, or the code clients/NAME.png, or
       nwgctl chain qr {directory} NAME
5. On the VPS, what is up and what is not:
       nwgctl chain show

One more client: nwgctl chain add-client {directory} NAME. {notes} has what the other files do not
say, which that needs; keep the directory.
)";

static std::string readme(const Plan &plan, const std::string &directory)
{
	return fmt::format(readme_text, fmt::arg("vps", plan.vps), fmt::arg("directory", directory),
			   fmt::arg("port", plan.port), fmt::arg("wg1_port", plan.wg1_port),
			   fmt::arg("forwarding", readme_forwarding(plan)),
			   fmt::arg("notes", notes_name));
}

Files plan_files(const Plan &plan, const std::string &directory)
{
	const auto network = plan.client_network();
	Notes notes{ plan.lan, plan.dns, plan.full, home_host0 };
	Files files;

	for (const auto &client : plan.clients)
		notes.last_host = std::max(notes.last_host, client.host);
	files.emplace_back("README.txt", readme(plan, directory));
	files.emplace_back(notes_name, print_notes(notes));
	files.emplace_back("vps/wg1.conf", vps_conf(plan));
	files.emplace_back("home/mt.rsc", routeros_script(plan));
	files.emplace_back("home/wg1.conf", home_wg1_conf(plan));
	files.emplace_back("home/wg0.conf", home_wg0_conf(plan));
	for (const auto &client : plan.clients)
		files.emplace_back(fmt::format("clients/{}.conf", client.name),
				   client_conf(network, client));
	return files;
}

} // namespace nwgctl::chain
