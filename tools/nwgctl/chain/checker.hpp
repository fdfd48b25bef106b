/* SPDX-License-Identifier: GPL-2.0 */
/* How a chain's files are checked: one side in each of the files check-*.cpp. */
#ifndef NWGCTL_CHAIN_CHECKER_HPP
#define NWGCTL_CHAIN_CHECKER_HPP

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "../secret.hpp"
#include "check.hpp"
#include "conf.hpp"
#include "notes.hpp"
#include "side.hpp"

namespace nwgctl::chain
{

class Checker {
    public:
	explicit Checker(std::string directory)
		: directory(std::move(directory))
	{
	}

	Result<std::vector<Finding>> run();

    private:
	struct ClientSide {
		std::string name;
		Side side;
	};
	struct Network {
		Prefix prefix;
		const char *name;
		std::string file;
		unsigned int line;
	};

	void add(const std::string &file, unsigned int line, std::string what, std::string remedy)
	{
		findings.push_back({ file, line, std::move(what), std::move(remedy) });
	}
	/* Of what is looked at once for each relay. */
	void add_once(Finding finding)
	{
		if (std::ranges::find(findings, finding) == findings.end())
			findings.push_back(std::move(finding));
	}
	std::string path(const std::string &name) const
	{
		return fmt::format("{}/{}", directory, name);
	}

	void check_modes(const std::string &name);
	std::vector<std::string> list(const std::string &name);
	std::optional<SecretText> read(const std::string &name);
	std::optional<Side> read_tunnel(const std::string &name, bool relays);
	void check_as_up(const Side &side, std::string_view text);
	void read_clients();
	/* The home's: a VPS may have several. */
	std::vector<const SideRelay *> relays() const;

	void check_keys();
	void check_peer_key(const Side &here, const Side &there, const char *whose);
	void check_wg1();
	void check_relay(const SideRelay &relay);
	void check_relay_home(const SideRelay &relay);
	void check_relay_source(const SideRelay &relay);
	void check_ports();
	void check_networks();
	void check_vps_apart(const std::vector<Network> &networks);
	void check_home_peers();
	void check_mtu();
	void check_client(const ClientSide &client);
	void check_client_peer(const ClientSide &client, const SidePeer &peer);
	void check_client_endpoint(const Side &side, const SidePeer &peer);
	void check_client_dns(const Side &side, const SidePeer &peer, const Address &address,
			      unsigned int line);
	void check_qr(const ClientSide &client);
	void read_notes();
	void check_notes();
	void check_routeros();
	void check_routeros_tunnel(const std::vector<RouterCommand> &commands, const Side &side,
				   const std::string &name);
	std::vector<Prefix> sources_of(const SideRelay &relay) const;
	std::string router_rule_remedy(const std::vector<RouterCommand> &commands,
				       const RouterCommand &rule, const std::string &interface,
				       const SideRelay &relay) const;
	void check_routeros_firewall(const std::vector<RouterCommand> &commands,
				     const SideRelay &relay);
	void check_routeros_surplus(const std::vector<RouterCommand> &commands, const Side &side,
				    const std::string &interface);
	void check_routeros_peers(const std::vector<RouterCommand> &commands, const Side &side,
				  const std::string &interface);

	const std::string directory;
	std::vector<Finding> findings;
	std::optional<Side> vps, wg1, wg0;
	std::vector<ClientSide> clients;
	std::optional<Notes> notes;
};

} // namespace nwgctl::chain

#endif
