/* SPDX-License-Identifier: GPL-2.0 */
/* A chain as a picture, and as JSON. */
#ifndef NWGCTL_RENDER_CHAIN_HPP
#define NWGCTL_RENDER_CHAIN_HPP

#include <cstddef>
#include <ctime>
#include <string>

#include "../chain/live.hpp"
#include "block.hpp"

namespace nwgctl::render
{

struct ChainStyle {
	std::size_t columns = 80;
	/* Lines and marks of UTF-8; else of ASCII. */
	bool utf8 = true;
	Palette palette{ false };
	/* CLOCK_REALTIME */
	time_t now = 0;
};

/*
 * Boxes from clients to home in a row, or where that is wider than there are columns, one below the other; then what is wrong,
 * and some of the clients.
 */
std::string chain_text(const chain::Live &live, const ChainStyle &style);

Json chain_json(const chain::Live &live);

} // namespace nwgctl::render

#endif
