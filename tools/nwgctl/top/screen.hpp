/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal, by ncurses. */
#ifndef NWGCTL_TOP_SCREEN_HPP
#define NWGCTL_TOP_SCREEN_HPP

#include <vector>

#include "../result.hpp"
#include "layout.hpp"
#include "table.hpp"
#include "view.hpp"

/* The library's. */
struct screen;

namespace nwgctl::top
{

/* While it lives it has the terminal, which then is as it was. There is one at a time. */
class Screen {
    public:
	/* Whether input and output are a terminal that can be drawn on; nothing is changed. */
	static Status check();

	Screen(bool unicode, bool colored);
	~Screen();
	Screen(const Screen &) = delete;
	Screen &operator=(const Screen &) = delete;

	/* Whether the terminal shows more than ASCII. */
	[[nodiscard]] bool unicode() const
	{
		return has_unicode;
	}
	[[nodiscard]] static Size size();
	void draw(const std::vector<Line> &lines);
	/* What was pressed, none if nothing was. */
	static Input input();

    private:
	::screen *terminal;
	bool has_unicode, has_colors = false;
};

} // namespace nwgctl::top

#endif
