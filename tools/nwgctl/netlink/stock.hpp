/* SPDX-License-Identifier: GPL-2.0 */
/* Relays over interfaces of the stock module, whose peers the module nwg cannot see: this program looks. */
#ifndef NWGCTL_NETLINK_STOCK_HPP
#define NWGCTL_NETLINK_STOCK_HPP

#include <string>
#include <vector>

#include "../device.hpp"
#include "../result.hpp"
#include "relay.hpp"

namespace nwgctl::netlink
{

/* Whose allowed IPs an address lies in; nullptr if nobody's. */
const Peer *owner_of(const Device &device, const Address &address);

/* Whether an interface, if it is of kind "wireguard", has the peer, and the peer the inner endpoint. */
Status check_stock_peer(const std::string &interface, const Key &peer, const Address &to,
			const std::string &operation);

/* Sets Relay::peer_present where the kernel does not. */
void find_stock_peers(std::vector<Relay> &relays);

} // namespace nwgctl::netlink

#endif
