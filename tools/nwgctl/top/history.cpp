// SPDX-License-Identifier: GPL-2.0
#include "history.hpp"

#include <algorithm>
#include <cmath>

namespace nwgctl::top
{

static constexpr float unknown = -1;

static int64_t second_of(Time time)
{
	return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void History::add(Time begin, Time end, double rate)
{
	/* A second that ends with it is the last. */
	const int64_t last = second_of(end - Clock::duration(1));
	const int64_t first = std::max(second_of(begin), last - static_cast<int64_t>(seconds) + 1);

	if (!newest || last - *newest >= static_cast<int64_t>(seconds)) {
		rates.fill(unknown);
		newest = first - 1;
	}
	for (int64_t second = *newest + 1; second <= last; second++)
		at(second) = unknown;
	for (int64_t second = first; second <= last; second++)
		at(second) = std::max(at(second), static_cast<float>(rate));
	newest = std::max(*newest, last);
}

std::vector<std::optional<double>> History::parts(std::size_t count) const
{
	std::vector<std::optional<double>> parts(count);
	const auto length = static_cast<int64_t>(seconds / count);

	if (!newest)
		return parts;
	/* Parts begin where the clock says, so that a second stays with its neighbours while it grows older. */
	const int64_t begin = (*newest / length + 1) * length - static_cast<int64_t>(seconds);
	const int64_t oldest = *newest + 1 - static_cast<int64_t>(seconds);
	for (int64_t second = std::max({ begin, oldest, int64_t(0) }); second <= *newest;
	     second++) {
		const float rate = rates[static_cast<std::size_t>(second) % seconds];
		auto &part = parts[static_cast<std::size_t>((second - begin) / length)];

		if (rate >= 0)
			part = std::max(part.value_or(0), static_cast<double>(rate));
	}
	return parts;
}

/* How high, of 7: more than nothing is seen, and different from nothing. */
static std::size_t height(double rate, double largest)
{
	static constexpr double highest = 7;

	return rate > 0 ? static_cast<std::size_t>(
				  std::max(1.0, std::ceil(rate * highest / largest))) :
			  0;
}

std::string History::sparkline(std::size_t columns, bool unicode) const
{
	static constexpr const char *bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static constexpr char letters[] = "_.:-=+*#";
	std::size_t count = std::min(columns, seconds);
	double largest = 0;
	std::string text;

	while (count && seconds % count)
		count--;
	if (!count)
		return text;
	const auto drawn = parts(count);
	for (const auto &rate : drawn)
		largest = std::max(largest, rate.value_or(0));
	for (const auto &rate : drawn) {
		/* Not one expression of both: GCC 12 has got such ones wrong. */
		if (!rate)
			text += ' ';
		else if (unicode)
			text += bars[height(*rate, largest)];
		else
			text += letters[height(*rate, largest)];
	}
	return text;
}

} // namespace nwgctl::top
