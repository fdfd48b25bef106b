/* SPDX-License-Identifier: GPL-2.0 */
/* Amounts and spans of time in words. */
#ifndef NWGCTL_RENDER_QUANTITY_HPP
#define NWGCTL_RENDER_QUANTITY_HPP

#include <cstdint>
#include <ctime>
#include <string>

#include "block.hpp"

namespace nwgctl::render
{

/* "1.25 KiB" */
std::string bytes(uint64_t count, const Palette &palette);
/* "1 hour, 3 seconds" */
std::string duration(uint64_t seconds, const Palette &palette);
/* "3 seconds ago", "Now", or that the clock went back */
std::string ago(time_t then, time_t now, const Palette &palette);
/* "4s", "3m05s", "2h00m" */
std::string short_duration(uint64_t milliseconds);
/* Three digits of it and the SI prefix: "0", "7.5", "123", "1.23k", "45.6M"; five columns at most */
std::string short_number(double number);
/* Of bytes per second: "1.23 Mbit/s" */
std::string bit_rate(double bytes);
/* "1 packet", "2 packets" */
std::string count(uint64_t number, const char *singular, const char *plural = nullptr);

} // namespace nwgctl::render

#endif
