/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for secrets: wiped before it is given back. */
#ifndef NWGCTL_SECRET_HPP
#define NWGCTL_SECRET_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <sodium.h>

namespace nwgctl
{

/* Wipes what a container gives back, also when it grows and moves. */
template <typename T> struct WipingAllocator {
	using value_type = T;

	WipingAllocator() = default;
	template <typename U> WipingAllocator(const WipingAllocator<U> &)
	{
	}
	T *allocate(std::size_t count)
	{
		return std::allocator<T>().allocate(count);
	}
	void deallocate(T *memory, std::size_t count)
	{
		sodium_memzero(memory, count * sizeof(T));
		std::allocator<T>().deallocate(memory, count);
	}
	bool operator==(const WipingAllocator &) const = default;
};

using SecretBytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;
/* A vector and not a string: a short string lives outside the allocator's reach. */
using SecretText = std::vector<char, WipingAllocator<char>>;

} // namespace nwgctl

#endif
