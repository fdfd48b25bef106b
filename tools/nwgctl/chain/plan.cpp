// SPDX-License-Identifier: GPL-2.0
#include "plan.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "network.hpp"

namespace nwgctl::chain
{

static constexpr uint32_t vps_host = 1, home_host = 2;

Address Plan::vps_address() const
{
	return host_of(wg1, vps_host).value_or(wg1.address);
}

Address Plan::home_address() const
{
	return host_of(wg1, home_host).value_or(wg1.address);
}

uint32_t Plan::wg1_mtu() const
{
	/* Of IPv6, as a name may lead to either, and an address to the other by NAT64 or DS-Lite. */
	return inner_mtu(line_mtu, AF_INET6);
}

uint32_t Plan::wg0_mtu() const
{
	return inner_mtu(wg1_mtu(), wg1.address.family);
}

ClientNetwork Plan::client_network() const
{
	return { .home = home_wg0.public_key(),
		 .endpoint = host_port(vps, port),
		 .wg0 = wg0,
		 .lan = lan,
		 .dns = dns,
		 .full = full,
		 .mtu = wg0_mtu() };
}

Result<std::string> parse_client_name(std::string_view text)
{
	static constexpr std::size_t longest = 15;
	const auto allowed = [](unsigned char letter) {
		return letter < 0x80 && (isalnum(letter) || strchr("_=+.-", letter));
	};

	if (text.empty() || text.size() > longest || text.front() == '.' || text.front() == '-' ||
	    !std::ranges::all_of(text, allowed))
		return usage_error(
			fmt::format("`{}' is not a name for a client", text),
			fmt::format("its file is NAME.conf, of which wg-quick(8) makes interface "
				    "NAME: 1 to {} of A-Z a-z 0-9 _ = + . - and no . or - first",
				    longest));
	return std::string(text);
}

Client new_client(std::string name, uint32_t host)
{
	return { std::move(name), Key::random_private(), Key::random_preshared(), host };
}

Status verify_apart(const std::vector<NamedNetwork> &networks, const std::string &vps)
{
	for (std::size_t a = 0; a < networks.size(); a++) {
		for (std::size_t b = a + 1; b < networks.size(); b++) {
			if (networks[a].first != networks[b].first &&
			    overlap(networks[a].second, networks[b].second))
				return usage_error(
					fmt::format("{} {} and {} {} overlap", networks[a].first,
						    networks[a].second.text(), networks[b].first,
						    networks[b].second.text()),
					"give each a network of its own");
		}
	}
	/* Packets to it would go where they come from: into a tunnel. */
	const auto address = Address::from_text(vps);
	for (const auto &[name, network] : networks) {
		if (address && contains(network, *address))
			return usage_error(fmt::format("The VPS, {}, is in {} {}: it would be "
						       "looked for in a tunnel, or at home",
						       vps, name, network.text()),
					   "vps is its address on the internet");
	}
	return {};
}

Status verify_dns(const ClientNetwork &network)
{
	for (const auto &address : network.dns) {
		const bool is_reached = network.full || contains(network.wg0, address) ||
					contains(network.lan, address);

		/* Outside of the tunnel. */
		if (!is_reached && !is_private(address))
			continue;
		if (!has_family(network.wg0, address.family))
			return usage_error(
				fmt::format(
					"Clients ask {} for names, through the home, and wg0 has no "
					"network of {}",
					address.text(), family_name(address.family)),
				"take one of the other address family, or a wg0-network of each");
		if (!is_reached)
			return usage_error(
				fmt::format("Clients ask {} for names, which is in no network that "
					    "they reach",
					    address.text()),
				fmt::format("put it into lan: {}", single(address).text()));
	}
	return {};
}

static Status verify_networks(const Plan &plan)
{
	std::vector<NamedNetwork> networks{ { "wg1-network", plan.wg1 } };

	for (const auto &network : plan.wg0) {
		uint32_t last = home_host0;

		for (const auto &client : plan.clients)
			last = std::max(last, client.host);
		if (!host_of(network, last))
			return usage_error(
				fmt::format("wg0-network {} is too small for {} client{}",
					    network.text(), plan.clients.size(),
					    plan.clients.size() == 1 ? "" : "s"),
				"take a shorter length, as 10.10.10.0/24");
		networks.emplace_back("wg0-network", network);
	}
	if (!host_of(plan.wg1, home_host))
		return usage_error(fmt::format("wg1-network {} is too small for VPS and home",
					       plan.wg1.text()),
				   "take a /30 or shorter of IPv4, a /126 or shorter of IPv6");
	for (const uint16_t family : { AF_INET, AF_INET6 }) {
		if (std::ranges::count(plan.wg0, family, [](const Prefix &network) {
			    return network.address.family;
		    }) > 1)
			return usage_error("wg0 has several networks of one address family",
					   "wg0-network is there once for IPv4 and once for IPv6");
	}
	for (const auto &network : plan.lan)
		networks.emplace_back("lan", network);
	if (plan.source.pool)
		networks.emplace_back("pool", *plan.source.pool);
	return verify_apart(networks, plan.vps);
}

/* An interface with a smaller MTU has no IPv6: the kernel refuses its addresses and routes. */
static Status verify_mtu(const Plan &plan)
{
	static constexpr uint32_t most = 65535, least_wg0 = 576;
	const bool has_ipv6 = std::ranges::any_of(plan.wg0, [](const Prefix &network) {
		return network.address.family == AF_INET6;
	});
	const uint32_t least = has_ipv6 || plan.full ? least_mtu6 : least_wg0;

	if (plan.wg1.address.family == AF_INET6 && plan.wg1_mtu() < least_mtu6)
		return usage_error(
			fmt::format("An MTU of {} leaves {} for wg1, and {} is the least",
				    plan.line_mtu, plan.wg1_mtu(), least_mtu6),
			"IPv6 needs 1280: take a wg1-network of IPv4");
	if (plan.wg0_mtu() < least)
		return usage_error(
			fmt::format("An MTU of {} leaves {} for wg0, and {} is the least",
				    plan.line_mtu, plan.wg0_mtu(), least),
			has_ipv6  ? "IPv6 needs 1280 inside wg0: leave its network of IPv6 out" :
			plan.full ? "`full' has IPv6, too, which needs 1280: name what clients "
				    "reach by lan" :
				    "it is 1500, or less with PPPoE or DS-Lite");
	if (plan.line_mtu > most)
		return usage_error(fmt::format("No line has an MTU of {}", plan.line_mtu),
				   "it is 1500, or less with PPPoE or DS-Lite");
	return {};
}

Status verify(const Plan &plan)
{
	std::set<std::string> names;

	if (plan.port == plan.wg1_port)
		return usage_error(
			fmt::format("The relay and wg1 of the VPS cannot both have port {}",
				    plan.port),
			"give one of them another: port PORT, wg1-port PORT");
	for (const auto &client : plan.clients) {
		if (!names.insert(client.name).second)
			return usage_error(fmt::format("Two clients have the name `{}'",
						       client.name),
					   "give one of them another");
	}
	TRY(verify_networks(plan));
	TRY(verify_dns(plan.client_network()));
	if (plan.source.pool && plan.source.pool->address.family != plan.wg1.address.family)
		return usage_error(fmt::format("The pool {} is not of wg1's address family",
					       plan.source.pool->text()),
				   fmt::format("the home has it inside wg1, as {}",
					       plan.wg1.text()));
	return verify_mtu(plan);
}

std::string join(const std::vector<Prefix> &prefixes, std::string_view separator)
{
	std::vector<std::string> texts;

	for (const auto &prefix : prefixes)
		texts.push_back(prefix.text());
	return fmt::format("{}", fmt::join(texts, separator));
}

std::vector<Prefix> addresses_on(const std::vector<Prefix> &networks, uint32_t host)
{
	std::vector<Prefix> addresses;

	for (const auto &network : networks)
		addresses.push_back(
			{ host_of(network, host).value_or(network.address), network.length });
	return addresses;
}

std::vector<Prefix> client_addresses(const std::vector<Prefix> &wg0, uint32_t host)
{
	std::vector<Prefix> addresses;

	for (const auto &address : addresses_on(wg0, host))
		addresses.push_back(single(address.address));
	return addresses;
}

bool Plan::is_transparent() const
{
	return source.kind == NWG_SOURCE_TRANSPARENT;
}

std::vector<Prefix> Plan::home_allowed() const
{
	if (is_transparent())
		return { everything(wg1.address.family) };
	std::vector<Prefix> allowed{ single(vps_address()) };
	if (source.pool)
		allowed.push_back(*source.pool);
	return allowed;
}

} // namespace nwgctl::chain
