/* SPDX-License-Identifier: GPL-2.0 */
/* What a file means that it does not say: marks, tables, rules and the MTU. */
#ifndef NWGCTL_SETUP_PLAN_HPP
#define NWGCTL_SETUP_PLAN_HPP

#include <cstdint>
#include <vector>

#include "../config/quick.hpp"
#include "../netlink/route.hpp"
#include "../result.hpp"

namespace nwgctl::setup
{

struct Plan {
	/* With the mark. */
	DeviceChange device;
	config::AtLine<uint32_t> mtu;
	/* Of the tunnel's own packets, which a default route does not lead back into it; 0 if there is none. */
	uint32_t mark = 0;
	std::vector<config::AtLine<netlink::Route>> routes;
	std::vector<netlink::Rule> rules;
};

/* Marks that the interface has already, or 0. */
struct Marks {
	/* Of a default route. */
	uint32_t present = 0;
	/* Of a hook's: it stays where the file asks for no other. */
	uint32_t kept = 0;
};

Result<Plan> plan(const config::Quick &quick, const Marks &marks);

} // namespace nwgctl::setup

#endif
