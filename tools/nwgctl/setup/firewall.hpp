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

/* A table of its own, by nft(8), which is made anew if there is one. */
Status set_firewall(const std::string &interface, uint32_t mark,
		    const std::vector<Prefix> &addresses);
/* Nothing is wrong if there is none. */
Status remove_firewall(const std::string &interface);

/* Has the reverse path filter look at marks, too. Returns whether it did before. */
Result<bool> set_src_valid_mark(bool on);

} // namespace nwgctl::setup

#endif
