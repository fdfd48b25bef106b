/* SPDX-License-Identifier: GPL-2.0 */
/* A chain that is to be: what was asked for, and what follows of it. */
#ifndef NWGCTL_CHAIN_PLAN_HPP
#define NWGCTL_CHAIN_PLAN_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../address.hpp"
#include "../key.hpp"
#include "../netlink/relay.hpp"
#include "../result.hpp"

namespace nwgctl::chain
{

/* Seconds: well below the 30 after which NATs forget. */
inline constexpr unsigned int keepalive = 25;
/* Mark and routing table of what the home sends to clients whose source is transparent. */
inline constexpr unsigned int transparent_mark = 0x60, transparent_table = 60;

/* Which host the home is of each network of wg0; clients come behind it. */
inline constexpr uint32_t home_host0 = 1;

struct Client {
	std::string name;
	Key private_key, preshared_key;
	/* Which host of each network of wg0 it is. */
	uint32_t host = 0;
};

/* What every client has in its file. */
struct ClientNetwork {
	Key home;
	/* Of the relay: HOST:PORT */
	std::string endpoint;
	std::vector<Prefix> wg0, lan;
	std::vector<Address> dns;
	/* All of a client's traffic goes through the home. */
	bool full = false;
	uint32_t mtu = 0;
};

struct Plan {
	/* An address or a name. */
	std::string vps;
	/* Where clients come, which is wg0's port at home, too; and where the home dials in. */
	uint16_t port = 51820, wg1_port = 51821;
	Prefix wg1;
	/* One of IPv4, or of IPv6, or both. */
	std::vector<Prefix> wg0, lan;
	std::vector<Address> dns;
	bool full = false;
	netlink::Source source;
	std::optional<uint32_t> max_flows, max_flows_per_source;
	std::string kind = NWG_LINK_KIND;
	/* MTU of the line between VPS and home. */
	uint32_t line_mtu = 1500;
	std::vector<Client> clients;
	Key vps_wg1, home_wg1, home_wg0;

	Address vps_address() const;
	/* The inner endpoint's. */
	Address home_address() const;
	uint32_t wg1_mtu() const;
	uint32_t wg0_mtu() const;
	bool is_transparent() const;
	/* What may come to the home by wg1. */
	std::vector<Prefix> home_allowed() const;
	ClientNetwork client_network() const;
};

/* A network and what it is called in an error. */
using NamedNetwork = std::pair<std::string, Prefix>;
/* Whether no two of them overlap, unless both are called the same, and @vps, which may be a name, is in none. */
Status verify_apart(const std::vector<NamedNetwork> &networks, const std::string &vps);
/* Whether clients get answers from those whom they ask for names. */
Status verify_dns(const ClientNetwork &network);
/* Whether the chain can be as it is planned: sizes and overlaps of networks, ports, the MTU. */
Status verify(const Plan &plan);
/* A name that is one of an interface for wg-quick(8), and of a file. */
Result<std::string> parse_client_name(std::string_view text);
/* A client with new keys. */
Client new_client(std::string name, uint32_t host);

/* The addresses of a host, with the lengths of their networks. */
std::vector<Prefix> addresses_on(const std::vector<Prefix> &networks, uint32_t host);
/* The allowed IPs of a client at home, one for each network of wg0. */
std::vector<Prefix> client_addresses(const std::vector<Prefix> &wg0, uint32_t host);
/* "a, b"; @separator between */
std::string join(const std::vector<Prefix> &prefixes, std::string_view separator = ", ");

} // namespace nwgctl::chain

#endif
