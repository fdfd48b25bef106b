/* SPDX-License-Identifier: GPL-2.0 */
/* For programs that libFuzzer sends bytes through; see selftests/README.md. */
#ifndef NWGCTL_FUZZ_FUZZ_HPP
#define NWGCTL_FUZZ_FUZZ_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, std::size_t size);

namespace nwgctl::fuzz
{

inline std::string_view text_of(const uint8_t *data, std::size_t size)
{
	return { reinterpret_cast<const char *>(data), size };
}

/* What has to hold whatever the input is. */
inline void must(bool holds)
{
	if (!holds)
		abort();
}

} // namespace nwgctl::fuzz

#endif
