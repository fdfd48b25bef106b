// SPDX-License-Identifier: GPL-2.0
#include "quantity.hpp"

#include <fmt/format.h>

namespace nwgctl::render
{

std::string bytes(uint64_t count, const Palette &palette)
{
	static constexpr const char *units[] = { "KiB", "MiB", "GiB", "TiB" };
	double value = static_cast<double>(count) / 1024;
	std::size_t unit = 0;

	if (count < 1024)
		return fmt::format("{} {}", count, palette.unit("B"));
	for (; value >= 1024 && unit + 1 < std::size(units); unit++)
		value /= 1024;
	return fmt::format("{:.2f} {}", value, palette.unit(units[unit]));
}

std::string duration(uint64_t seconds, const Palette &palette)
{
	static constexpr struct {
		uint64_t seconds;
		const char *singular, *plural;
	} units[] = { { 365 * 86400, "year", "years" },
		      { 86400, "day", "days" },
		      { 3600, "hour", "hours" },
		      { 60, "minute", "minutes" },
		      { 1, "second", "seconds" } };
	std::string text;

	for (const auto &unit : units) {
		const uint64_t number = seconds / unit.seconds;

		seconds %= unit.seconds;
		if (number)
			text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number,
					    palette.unit(number == 1 ? unit.singular :
								       unit.plural));
	}
	return text;
}

std::string ago(time_t then, time_t now, const Palette &palette)
{
	if (now == then)
		return "Now";
	if (now < then)
		return fmt::format(
			"({})",
			palette.warning(
				"System clock wound backward; connection problems may ensue."));
	/* The difference may be more than a time_t has. */
	return duration(static_cast<uint64_t>(now) - static_cast<uint64_t>(then), palette) + " ago";
}

std::string short_duration(uint64_t milliseconds)
{
	const uint64_t seconds = milliseconds / 1000;

	if (seconds < 60)
		return fmt::format("{}s", seconds);
	if (seconds < 3600)
		return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
	return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

struct Scaled {
	std::string digits;
	const char *prefix;
};

static Scaled scaled(double number)
{
	static constexpr const char *prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	std::size_t prefix = 0;

	for (; number >= 999.5 && prefix + 1 < std::size(prefixes); prefix++)
		number /= 1000;
	if (number == 0 || number >= 99.95 || (!prefix && number >= 9.95))
		return { fmt::format("{:.0f}", number), prefixes[prefix] };
	return { fmt::format("{:.{}f}", number, prefix && number < 9.995 ? 2 : 1),
		 prefixes[prefix] };
}

std::string short_number(double number)
{
	const auto [digits, prefix] = scaled(number);

	return digits + prefix;
}

std::string bit_rate(double bytes)
{
	const auto [digits, prefix] = scaled(bytes * 8);

	return fmt::format("{} {}bit/s", digits, prefix);
}

std::string count(uint64_t number, const char *singular, const char *plural)
{
	if (number == 1)
		return fmt::format("1 {}", singular);
	return plural ? fmt::format("{} {}", number, plural) :
			fmt::format("{} {}s", number, singular);
}

} // namespace nwgctl::render
