/* SPDX-License-Identifier: GPL-2.0 */
/* Relays and flows for people and as JSON. */
#ifndef NWGCTL_RENDER_RELAY_HPP
#define NWGCTL_RENDER_RELAY_HPP

#include "../netlink/relay.hpp"
#include "block.hpp"

namespace nwgctl::render
{

/* The text has all that is counted only with @statistics; JSON always has it. */
Block relay_block(const netlink::Relay &relay, const Palette &palette, bool statistics);

/* A row of a table: no colours, which would spoil its columns. */
Block flow_block(const netlink::Flow &flow);

} // namespace nwgctl::render

#endif
