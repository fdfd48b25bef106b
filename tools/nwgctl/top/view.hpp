/* SPDX-License-Identifier: GPL-2.0 */
/* How it is looked at, which keys change. */
#ifndef NWGCTL_TOP_VIEW_HPP
#define NWGCTL_TOP_VIEW_HPP

#include <array>
#include <cstddef>
#include <string>

#include "model.hpp"

namespace nwgctl::top
{

/* What a key means. */
enum class Input {
	none,
	other,
	resize,
	quit,
	help,
	section,
	up,
	down,
	page_up,
	page_down,
	home,
	end,
	sort,
	reverse,
	pause,
	slower,
	faster
};

enum Section { relays, flows, peers, sections };

struct View {
	/* The one that has the room, and that scrolls. */
	Section focus = flows;
	/* The first line that is shown of each, and how many fit: layout() sees to these. */
	std::array<std::size_t, sections> offset{}, page{};
	Order order = Order::rate;
	bool reverse = false, paused = false, help = false;
	/* Seconds */
	double delay = 2;

	/* Returns whether to go on. */
	bool press(Input input);
};

/* Seconds that a delay may have. */
inline constexpr double least_delay = 0.1, most_delay = 3600;

} // namespace nwgctl::top

#endif
