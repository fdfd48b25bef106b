/* SPDX-License-Identifier: GPL-2.0 */
/* The screen as lines of text. */
#ifndef NWGCTL_TOP_LAYOUT_HPP
#define NWGCTL_TOP_LAYOUT_HPP

#include <ctime>
#include <string>
#include <vector>

#include "model.hpp"
#include "table.hpp"
#include "view.hpp"

namespace nwgctl::top
{

struct Size {
	std::size_t rows = 0, columns = 0;
};

/* What the screen is besides. */
struct Frame {
	Size size;
	bool unicode = false;
	time_t now = 0;
	/* As the clock on the wall has it. */
	std::string time = {};
	/* Why there is nothing to show, or empty. */
	std::vector<std::string> trouble = {};
};

/* As many lines as the screen has, none wider. Offsets of @view that lead beyond the end come back. */
std::vector<Line> layout(const Model &model, View &view, const Frame &frame);

} // namespace nwgctl::top

#endif
