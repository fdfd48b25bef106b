// SPDX-License-Identifier: GPL-2.0
#include "view.hpp"

#include <algorithm>
#include <cstdint>

namespace nwgctl::top
{

/* What keys choose from. */
static constexpr double delays[] = { 0.5, 1, 2, 3, 5, 10, 30, 60 };

static double slower(double delay)
{
	const auto next = std::ranges::upper_bound(delays, delay);

	return next == std::end(delays) ? delay : *next;
}

static double faster(double delay)
{
	const auto next = std::ranges::lower_bound(delays, delay);

	return next == std::begin(delays) ? delay : *std::prev(next);
}

bool View::press(Input input)
{
	std::size_t &place = offset[focus];
	const std::size_t step = std::max(page[focus], std::size_t(1));

	if (input == Input::quit)
		return false;
	/* Any key leaves it, but not the change of the terminal's size. */
	if (help) {
		help = input == Input::resize;
		return true;
	}
	switch (input) {
	case Input::help:
		help = true;
		break;
	case Input::section:
		focus = static_cast<Section>((focus + 1) % sections);
		break;
	case Input::up:
		place -= std::min(place, std::size_t(1));
		break;
	case Input::down:
		place++;
		break;
	case Input::page_up:
		place -= std::min(place, step);
		break;
	case Input::page_down:
		place += step;
		break;
	case Input::home:
		place = 0;
		break;
	case Input::end:
		/* Beyond it: the layout knows where that is. */
		place = SIZE_MAX / 2;
		break;
	case Input::sort:
		order = next_order(order);
		offset[flows] = 0;
		break;
	case Input::reverse:
		reverse = !reverse;
		offset[flows] = 0;
		break;
	case Input::pause:
		paused = !paused;
		break;
	case Input::slower:
		delay = slower(delay);
		break;
	case Input::faster:
		delay = faster(delay);
		break;
	default:
		break;
	}
	return true;
}

} // namespace nwgctl::top
