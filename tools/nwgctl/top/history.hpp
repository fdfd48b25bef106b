/* SPDX-License-Identifier: GPL-2.0 */
/* The last minute of a rate, and how it is drawn. */
#ifndef NWGCTL_TOP_HISTORY_HPP
#define NWGCTL_TOP_HISTORY_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meter.hpp"

namespace nwgctl::top
{

class History {
    public:
	static constexpr std::size_t seconds = 60;

	/* @rate was so from @begin to @end. Of a second that has several the largest counts. */
	void add(Time begin, Time end, double rate);
	/*
	 * The largest rate of as many equal parts of the minute, oldest first; nothing of a part that is not known.
	 * @count divides it.
	 */
	[[nodiscard]] std::vector<std::optional<double>> parts(std::size_t count) const;
	/*
	 * As high as the largest of them is, on @columns at most: bars, or letters for a terminal that has ASCII only.
	 * What is not known is a space.
	 */
	[[nodiscard]] std::string sparkline(std::size_t columns, bool unicode) const;

    private:
	float &at(int64_t second)
	{
		return rates[static_cast<std::size_t>(second) % seconds];
	}

	/* By the clock's second; less than 0 if it is not known. */
	std::array<float, seconds> rates{};
	std::optional<int64_t> newest;
};

} // namespace nwgctl::top

#endif
