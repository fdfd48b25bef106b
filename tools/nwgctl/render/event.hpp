/* SPDX-License-Identifier: GPL-2.0 */
/* Events, a line each. */
#ifndef NWGCTL_RENDER_EVENT_HPP
#define NWGCTL_RENDER_EVENT_HPP

#include <string>

#include "../netlink/events.hpp"
#include "block.hpp"

namespace nwgctl::render
{

/*
 * "flow begin dev wg1 listen *:60000 client ...": what happened, and its properties as the commands name them; without
 * a line feed. Counters are there where something has ended, of all with @statistics.
 */
std::string event_text(const netlink::Event &event, const Palette &palette, bool statistics);

/* "event", and the properties that relay show, flow show and show have. */
Json event_json(const netlink::Event &event);

} // namespace nwgctl::render

#endif
