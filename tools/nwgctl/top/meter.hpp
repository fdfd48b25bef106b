/* SPDX-License-Identifier: GPL-2.0 */
/* How fast counters grow. */
#ifndef NWGCTL_TOP_METER_HPP
#define NWGCTL_TOP_METER_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

namespace nwgctl::top
{

/* CLOCK_MONOTONIC */
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Seconds = std::chrono::duration<double>;

/* Beside its counters a thing may have a @Memory, which is kept as long as they are. */
struct Nothing {};

/* The last counters of each thing, by its key; from reading to reading, how fast they have grown. */
template <typename Key, std::size_t count_of, typename Memory = Nothing,
	  typename Hash = std::hash<Key>>
class Meter {
    public:
	using Counters = std::array<uint64_t, count_of>;
	/* Per second. */
	using Rates = std::array<double, count_of>;

	struct Counted {
		/* Whether the thing was in this reading before, and nothing was done. */
		bool again = false;
		/* None if it is new, or its counters began anew. */
		std::optional<Rates> rates = {};
		/* When it was counted last, if there are rates. */
		Time before = {};
		Memory &memory;
	};

	Counted count(const Key &key, const Counters &counters, Time now)
	{
		const auto [place, is_new] = things.try_emplace(key);
		Thing &thing = place->second;

		if (std::exchange(thing.reading, reading) == reading)
			return { .again = true, .memory = thing.memory };
		Counted counted{ .before = thing.time, .memory = thing.memory };
		if (!is_new)
			counted.rates = per_second(thing.counters, counters, now - thing.time);
		thing.counters = counters;
		thing.time = now;
		return counted;
	}
	/* The end of a reading: what was not in it is forgotten. */
	void end()
	{
		std::erase_if(things, [this](const auto &thing) {
			return thing.second.reading != reading;
		});
		reading++;
	}
	std::size_t size() const
	{
		return things.size();
	}

    private:
	struct Thing {
		Counters counters{};
		Time time{};
		/* The last one that it was in. */
		uint64_t reading = 0;
		[[no_unique_address]] Memory memory{};
	};

	static std::optional<Rates> per_second(const Counters &before, const Counters &now,
					       Seconds passed)
	{
		Rates rates;

		if (passed <= Seconds::zero())
			return std::nullopt;
		for (std::size_t index = 0; index < count_of; index++) {
			if (now[index] < before[index])
				return std::nullopt;
			rates[index] =
				static_cast<double>(now[index] - before[index]) / passed.count();
		}
		return rates;
	}

	uint64_t reading = 1;
	std::unordered_map<Key, Thing, Hash> things;
};

} // namespace nwgctl::top

#endif
