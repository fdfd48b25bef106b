/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What keeps an interface with a default route from being fooled: packets to its addresses come in on no other interface,
 * and the mark of the tunnel's own packets is put on their answers, so that a strict reverse path filter takes them.
 */
#ifndef NWGCTL_SETUP_FIREWALL_HPP
#define NWGCTL_SETUP_FIREWALL_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "../address.hpp"
#include "../result.hpp"

namespace nwgctl::setup
{

/* With no mark there is none. */
struct Firewall {
	uint32_t mark = 0;
	std::vector<Prefix> addresses;

	bool operator==(const Firewall &) const = default;
};

/* A table of its own, by nft(8), which is made anew if there is one; or which is removed, and nothing is wrong if there is none. */
Status put_firewall(const std::string &interface, const Firewall &firewall);

} // namespace nwgctl::setup

#endif
