/* SPDX-License-Identifier: GPL-2.0 */
/* What of a chain none of its .conf files can say. */
#ifndef NWGCTL_CHAIN_NOTES_HPP
#define NWGCTL_CHAIN_NOTES_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../address.hpp"
#include "../result.hpp"

namespace nwgctl::chain
{

/*
 * What of a chain is in none of its .conf files, and add-client needs: what a client is told, and which addresses have been
 * given once. All else stays where it is in force, so that nothing is said twice.
 */
struct Notes {
	std::vector<Prefix> lan;
	std::vector<Address> dns;
	bool full = false;
	/* The highest number of a host that was ever given. */
	uint32_t last_host = 0;
};

inline constexpr const char *notes_name = "chain.json";

std::string print_notes(const Notes &notes);
/* @name is the file's, for errors. */
Result<Notes> parse_notes(std::string_view text, const std::string &name);

} // namespace nwgctl::chain

#endif
