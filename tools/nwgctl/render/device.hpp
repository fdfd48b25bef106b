/* SPDX-License-Identifier: GPL-2.0 */
/* A WireGuard interface for people, for scripts and as JSON. */
#ifndef NWGCTL_RENDER_DEVICE_HPP
#define NWGCTL_RENDER_DEVICE_HPP

#include <string>
#include <string_view>

#include "../device.hpp"
#include "block.hpp"

namespace nwgctl::render
{

/* Whether private and preshared keys are shown where nobody asked for them. */
bool keys_visible();

/* The whole interface; the peer that was heard last comes first if @by_time. */
Block device_block(const Device &device, const Palette &palette, bool show_keys, bool by_time);

/* Whether a field of wg show(8) goes by that name; dump is one. */
bool is_field(std::string_view field);

/* One field for scripts, with @prefix before each line. */
std::string field_text(const Device &device, std::string_view field, const std::string &prefix);

/* One field as a JSON object. */
Json field_json(const Device &device, std::string_view field);

} // namespace nwgctl::render

#endif
